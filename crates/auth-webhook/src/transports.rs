//! The transports over which webhooks, token requests and probes go.

use auth_core::{Result, TenantId, Transport};
use std::sync::Arc;

/// Gives the transport of a tenant: the one door for its webhooks, its token requests, refreshes and probes.
///
/// `auth-outbound` has `Routes` for it, whose connections are never shared between tenants or identities. A closure is one:
///
/// ```
/// # use auth_core::Transport;
/// # use std::sync::Arc;
/// # fn example(transport: Arc<dyn Transport>) {
/// use auth_core::TenantId;
/// use auth_webhook::AuthorizationSet;
/// let transports = move |_: &TenantId, _: Option<&str>| Ok(Arc::clone(&transport));
/// let set = AuthorizationSet::builder(transports).build();
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
