//! The principal of every look-up that names a credential.

use crate::{TenantId, Timestamp};
use std::{fmt, sync::Arc};

/// The caller that a credential proved: which service of which tenant, by which of its credentials.
///
/// A registry of credentials gives it for every scheme alike, so that a program has one principal whatever the caller
/// sent; programs turn it into a type of their own with [`Verifier::map`](crate::Verifier::map). It holds no secret. A
/// clone counts references.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Caller {
    /// The tenant that owns the service.
    pub tenant: TenantId,
    /// The service that called; `None` where the credential belongs to the tenant itself and to no service.
    pub service: Option<Arc<str>>,
    /// The identifier of the credential that proved the caller: what an audit names, and what is rotated or revoked.
    pub credential: Arc<str>,
    /// The kind of the credential, as the registry names it: `service_key`, `service_jwt`.
    pub kind: &'static str,
    /// What the credential may be used for.
    pub scopes: Scopes,
    /// When the credential stops working because it was rotated, whether or not its successor is in use by then; `None`
    /// while it is not being rotated.
    pub retiring: Option<Timestamp>,
}

impl Caller {
    /// A caller of no service, without scopes, whose credential stays in use.
    pub fn new(tenant: TenantId, credential: impl Into<Arc<str>>, kind: &'static str) -> Self {
        let credential = credential.into();
        let (service, scopes, retiring) = (None, Scopes::default(), None);
        Self { tenant, service, credential, kind, scopes, retiring }
    }

    /// As this service of the tenant.
    #[must_use]
    pub fn with_service(self, service: impl Into<Arc<str>>) -> Self {
        Self { service: Some(service.into()), ..self }
    }

    /// With what the credential may be used for.
    #[must_use]
    pub fn with_scopes(self, scopes: Scopes) -> Self {
        Self { scopes, ..self }
    }

    /// With the moment at which the credential stops working.
    #[must_use]
    pub fn with_retiring(self, at: Timestamp) -> Self {
        Self { retiring: Some(at), ..self }
    }
}

/// A set of scopes (RFC 6749 section 3.3): case-sensitive names that are compared whole.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Scopes(Arc<[Box<str>]>);

impl Scopes {
    /// Is this scope in the set?
    #[must_use]
    pub fn contains(&self, scope: &str) -> bool {
        self.0.iter().any(|one| **one == *scope)
    }

    /// The scopes, in the order in which they were given.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|one| &**one)
    }
}

impl<S: Into<Box<str>>> FromIterator<S> for Scopes {
    fn from_iter<I: IntoIterator<Item = S>>(scopes: I) -> Self {
        Self(scopes.into_iter().map(Into::into).collect())
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_compared_whole() {
        let scopes = Scopes::from_iter(["sms:message:send", "voice"]);
        for (scope, expected) in [
            ("voice", true),
            ("sms:message:send", true),
            ("sms", false),
            ("VOICE", false),
            ("", false),
        ] {
            assert_eq!(scopes.contains(scope), expected, "{scope}");
        }
        assert!(!Scopes::default().contains(""));
    }
}
