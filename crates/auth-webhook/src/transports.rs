//! The transports over which webhooks, token requests and probes go.

use auth_core::{Error, Result, TenantId, Transport};
use std::sync::Arc;

/// Gives the transport of a tenant: the one door for its webhooks, its token requests, refreshes and probes.
///
/// `auth-outbound` has `Routes` for it, whose connections are never shared between tenants or identities: a closure over
/// them is one. A program that needs neither has one transport for all, which shows no client certificate:
///
/// ```
/// # use auth_core::Transport;
/// # use std::sync::Arc;
/// # fn example(transport: Arc<dyn Transport>) {
/// use auth_webhook::AuthorizationSet;
/// let set = AuthorizationSet::builder(transport).build();
/// # let _ = set; }
/// ```
///
/// # Security
///
/// Tenants type the URLs, so give a transport that connects to public addresses alone: those of `auth-reqwest` and
/// `auth-ureq` do unless they are told otherwise.
pub trait Transports: Send + Sync {
    /// The transport of this tenant whose connections show this client certificate, where one is named.
    ///
    /// # Errors
    ///
    /// `Error::Config` when there is no certificate of this name.
    fn transport(
        &self,
        tenant: &TenantId,
        client_certificate: Option<&str>,
    ) -> Result<Arc<dyn Transport>>;
}

impl<F> Transports for F
where
    F: Fn(&TenantId, Option<&str>) -> Result<Arc<dyn Transport>> + Send + Sync,
{
    fn transport(
        &self,
        tenant: &TenantId,
        client_certificate: Option<&str>,
    ) -> Result<Arc<dyn Transport>> {
        self(tenant, client_certificate)
    }
}

/// One transport for all tenants. It shows no client certificate: an authorization that names one is an error.
impl<T: Transport + 'static> Transports for Arc<T> {
    fn transport(&self, _: &TenantId, certificate: Option<&str>) -> Result<Arc<dyn Transport>> {
        shows_none(certificate)?;
        Ok(Arc::<T>::clone(self))
    }
}

/// One transport for all tenants. It shows no client certificate: an authorization that names one is an error.
impl Transports for Arc<dyn Transport> {
    fn transport(&self, _: &TenantId, certificate: Option<&str>) -> Result<Self> {
        shows_none(certificate)?;
        Ok(Self::clone(self))
    }
}

fn shows_none(certificate: Option<&str>) -> Result<()> {
    let Some(name) = certificate else { return Ok(()) };
    let text = format!(
        "client_certificate is {name:?}, and this program has one transport, which shows none; leave it out, or give \
         the set transports that find it"
    );
    Err(Error::config("webhook_client_certificate", text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AuthorizationSet, ConfiguredBy};
    use auth_testing::ScriptedTransport;

    #[track_caller]
    fn check(transports: impl Transports + 'static) {
        let set = AuthorizationSet::builder(transports).build().unwrap();
        let acme = set.of_tenant(&TenantId::new("acme"));
        let save = |name: &str, json: &str| {
            acme.save(name, serde_json::from_str(json).unwrap(), ConfiguredBy::Tenant)
        };
        save("plain", r#"{"type":"none"}"#).unwrap();
        let named = r#"{"type":"none","client_certificate":"of-acme"}"#;
        let error = save("mutual", named).unwrap_err();
        assert_eq!(error.code(), "webhook_client_certificate");
        assert!(error.to_string().contains("client_certificate is \"of-acme\""), "{error}");
    }

    #[test]
    fn one_transport_for_all_refuses_an_authorization_with_a_client_certificate() {
        let transport = || Arc::new(ScriptedTransport::new(|_| panic!("nothing is sent")));
        check(transport());
        let transport: Arc<dyn Transport> = transport();
        check(transport);
    }
}
