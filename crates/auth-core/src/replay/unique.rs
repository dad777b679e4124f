//! An identifier that may be used once.

use crate::{TenantId, Timestamp};
use std::{fmt, time::Duration};

/// An identifier that may be used once: the `jti` of a token, a signature, the nonce of a session, the id of a delivery.
///
/// Its parts are fields of their own and never glued together: two identifiers are the same only if tenant, scheme,
/// owner, id and the moment of issue are. An id that comes again with a newer moment, as that of a delivery which is
/// signed anew for each attempt, is therefore given none.
///
/// ```
/// use auth_core::{MemoryReplayStore, ReplayOutcome, ReplayStore, SystemClock, Clock, Unique};
/// use std::time::Duration;
/// let now = SystemClock.now();
/// let jti = Unique::new("jwt", b"https://issuer.example", b"4711", now.after(Duration::from_secs(300)));
/// let store = MemoryReplayStore::new(SystemClock);
/// assert_eq!(store.check_and_set(&jti.clone().issued_at(now)).wait()?, ReplayOutcome::Fresh);
/// assert_eq!(store.check_and_set(&jti.issued_at(now)).wait()?, ReplayOutcome::Seen);
/// # Ok::<_, auth_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Unique {
    tenant: Option<TenantId>,
    scheme: &'static str,
    /// The owner, and behind it the id.
    bytes: Bytes,
    owner: usize,
    issued: Option<Timestamp>,
    last: Timestamp,
}

impl Unique {
    /// How much longer than the last moment an identifier is remembered: the clocks of two nodes that share a store may
    /// each be a minute off.
    pub const NODES_APART: Duration = Duration::from_secs(2 * 60);

    /// An identifier of a scheme, by the key that proved it. `last` is the last moment at which a verifier takes it, all
    /// leeway included.
    ///
    /// The owner names the key (an issuer and `kid`, an access key, a user): it separates the identifiers that two keys
    /// may choose alike, and the identifier takes from its share of the store.
    #[must_use]
    pub fn new(scheme: &'static str, owner: &[u8], id: &[u8], last: Timestamp) -> Self {
        let bytes = Bytes::of(owner, id);
        Self { tenant: None, scheme, bytes, owner: owner.len(), issued: None, last }
    }

    /// With the moment at which it was issued, proven by the signature or computed from the signed content alone.
    #[must_use]
    pub fn issued_at(self, moment: Timestamp) -> Self {
        Self { issued: Some(moment), ..self }
    }

    /// With the tenant whose identifier it is, where several tenants share a store.
    #[must_use]
    pub fn with_tenant(self, tenant: TenantId) -> Self {
        Self { tenant: Some(tenant), ..self }
    }

    /// The tenant, where several share a store.
    #[must_use]
    pub const fn tenant(&self) -> Option<&TenantId> {
        self.tenant.as_ref()
    }

    /// The scheme that proved it: a fixed word, such as `jwt`.
    #[must_use]
    pub const fn scheme(&self) -> &'static str {
        self.scheme
    }

    /// The name of the key that proved it.
    #[must_use]
    pub fn owner(&self) -> &[u8] {
        self.bytes.as_slice().get(..self.owner).unwrap_or_default()
    }

    /// The identifier itself.
    #[must_use]
    pub fn id(&self) -> &[u8] {
        self.bytes.as_slice().get(self.owner..).unwrap_or_default()
    }

    /// When it was issued, if anything that is signed says so.
    #[must_use]
    pub const fn issued(&self) -> Option<Timestamp> {
        self.issued
    }

    /// Until when it is remembered: [`NODES_APART`](Self::NODES_APART) beyond the last moment at which it is taken.
    #[must_use]
    pub const fn until(&self) -> Timestamp {
        self.last.after(Self::NODES_APART)
    }
}

/// Shows the scheme and the times; owner and id come from a request.
impl fmt::Debug for Unique {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unique({}, issued {:?}, last {})", self.scheme, self.issued, self.last)
    }
}

/// What an access key or a user name and a signature or a nonce need is inline: naming them allocates nothing.
#[derive(Clone)]
enum Bytes {
    Inline { bytes: [u8; 63], length: u8 },
    Boxed(Box<[u8]>),
}

impl Bytes {
    fn of(owner: &[u8], id: &[u8]) -> Self {
        let length = owner.len().saturating_add(id.len());
        let mut bytes = [0; 63];
        match (u8::try_from(length), bytes.get_mut(..length)) {
            (Ok(length), Some(room)) => {
                let all = owner.iter().chain(id);
                room.iter_mut().zip(all).for_each(|(to, from)| *to = *from);
                Self::Inline { bytes, length }
            }
            _ => Self::Boxed([owner, id].concat().into()),
        }
    }

    fn as_slice(&self) -> &[u8] {
        match self {
            Self::Inline { bytes, length } => bytes.get(..usize::from(*length)).unwrap_or_default(),
            Self::Boxed(bytes) => bytes,
        }
    }
}

impl PartialEq for Bytes {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl Eq for Bytes {}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(owner: &[u8], id: &[u8]) {
        let unique = Unique::new("test", owner, id, Timestamp::from_unix(7));
        assert_eq!((unique.owner(), unique.id()), (owner, id));
        assert_eq!(unique.until(), Timestamp::from_unix(7 + 120));
    }

    #[test]
    fn keeps_owner_and_id_apart_whatever_their_length() {
        let long = [7; 300];
        for owner in [0, 1, 20, 62, 63, 64, 255, 256, 300] {
            for id in [0, 1, 16, 32, 63, 64, 300] {
                check(&long[..owner], &long[..id]);
            }
        }
        let at = Timestamp::default();
        assert_ne!(Unique::new("t", b"a", b"bc", at), Unique::new("t", b"ab", b"c", at));
        for owner in [&long[..1], &long] {
            assert_eq!(Unique::new("t", owner, b"id", at), Unique::new("t", owner, b"id", at));
            assert_ne!(Unique::new("t", owner, b"id", at), Unique::new("t", owner, b"ie", at));
        }
    }

    #[test]
    fn shows_neither_owner_nor_id() {
        let shown = format!("{:?}", Unique::new("t", b"canary", b"canary", Timestamp::default()));
        assert!(!shown.contains("canary"), "{shown}");
    }
}
