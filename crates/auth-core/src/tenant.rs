//! The tenant of a request, on a server that many customers share, and its connections to others.

use std::{fmt, sync::Arc};

/// The identifier of one tenant: a customer, a group, an account, whatever a platform keeps apart.
///
/// It is part of everything that is kept for a tenant (names of tokens, replay scopes, limits, caches, events), as a field
/// of its own and never glued into a string, so that no choice of names by one tenant reaches what belongs to another.
/// It is no secret. A clone counts a reference.
///
/// ```
/// use auth_core::TenantId;
/// let tenant = TenantId::new("acme");
/// assert_eq!(tenant.as_str(), "acme");
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantId(Arc<str>);

impl TenantId {
    /// The tenant that the platform calls so.
    pub fn new(id: impl Into<Arc<str>>) -> Self {
        Self(id.into())
    }

    /// The identifier as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A tenant is its own key where one thing is kept for each tenant.
impl AsRef<TenantId> for TenantId {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl fmt::Debug for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TenantId({:?})", self.as_str())
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Names one connection of one tenant to a service elsewhere: what its tokens are obtained, kept and presented under.
///
/// Two connections never share a token, a session or a callback, even where all of their settings agree
/// (draft-ietf-oauth-security-topics-update-03: account takeover across connections).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId {
    /// The tenant that owns the connection.
    pub tenant: TenantId,
    /// The tenant's authorization (its configured credentials) that the connection uses.
    pub authorization: Arc<str>,
    /// The user on whose behalf the connection acts; `None` when it acts for the tenant itself.
    pub user: Option<Arc<str>>,
}

impl ConnectionId {
    /// The connection that acts for the tenant itself under this authorization.
    pub fn new(tenant: TenantId, authorization: impl Into<Arc<str>>) -> Self {
        Self { tenant, authorization: authorization.into(), user: None }
    }

    /// The connection that acts on behalf of this user.
    #[must_use]
    pub fn on_behalf_of(self, user: impl Into<Arc<str>>) -> Self {
        Self { user: Some(user.into()), ..self }
    }
}

/// The tenant that the connection belongs to, and that is charged for what is kept under it.
impl AsRef<TenantId> for ConnectionId {
    fn as_ref(&self) -> &TenantId {
        &self.tenant
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_never_read_across_their_borders() {
        let id = |tenant: &str, authorization: &str, user: Option<&str>| {
            let id = ConnectionId::new(TenantId::new(tenant), authorization);
            user.map_or(id.clone(), |user| id.on_behalf_of(user))
        };
        let all = [
            id("a", "bc", None),
            id("ab", "c", None),
            id("a", "b", Some("c")),
            id("a", "bc", Some("")),
        ];
        for (n, one) in all.iter().enumerate() {
            assert_eq!(all.iter().position(|other| other == one), Some(n), "{one:?}");
        }
    }
}
