//! How often a secret may be wrong: the same limit for every scheme.

mod attempt;
mod buckets;
mod memory;

pub use attempt::{Attempt, AttemptLimit, AttemptOutcome};
pub use buckets::AttemptRate;
pub use memory::MemoryAttemptLimits;

use crate::{Flow, TenantId};
use ring::digest;
use std::{net::IpAddr, sync::Arc, time::Duration};

/// Counts wrong attempts, for each source and for each identity that is claimed: a user name, a key's id.
///
/// [`MemoryAttemptLimits`] counts in this process; a store that several nodes share counts for all of them. Each call is one
/// step for the store: two callers never both get what was left for one.
///
/// A verifier asks through an [`AttemptLimit`], which it is given with `with_limit`. What passes the limit is a 429,
/// never a 401: the caller has not been told that the secret was wrong.
pub trait Limits: Send + Sync {
    /// May this attempt be made now? If not, how long should the caller wait?
    ///
    /// # Errors
    ///
    /// When the store cannot tell; no attempt is then made.
    fn may_try(&self, by: AttemptKey) -> Flow<'_, Result<(), Duration>>;

    /// Notes how an attempt ended. The caller does not wait until the store has done so.
    fn note(&self, by: AttemptKey, settled: AttemptOutcome);
}

/// From where an attempt came, and whose secret it tried: what limits are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AttemptKey {
    source: [u8; 17],
    identity: Option<[u8; 16]>,
}

impl AttemptKey {
    /// An attempt from an address, under a claimed identity of a scheme and a tenant if there is one.
    ///
    /// A source is an IPv4 /24 or an IPv6 /64 (mapped IPv4 is IPv4), since one caller easily has many addresses of such
    /// a block; callers whose address is not known are one source together, and are not counted where they claim no
    /// identity (see [`AttemptLimit`]). The identity is kept as a hash.
    #[must_use]
    pub fn new(
        tenant: Option<&TenantId>,
        scheme: &str,
        source: Option<IpAddr>,
        identity: Option<&[u8]>,
    ) -> Self {
        let identity = identity.map(|identity| {
            let mut context = digest::Context::new(&digest::SHA256);
            let tenant = tenant.map_or("", TenantId::as_str);
            for part in [tenant.as_bytes(), scheme.as_bytes(), identity] {
                context.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
                context.update(part);
            }
            context.finish().as_ref().first_chunk().copied().unwrap_or_default()
        });
        Self { source: block(source), identity }
    }

    /// The block of addresses, below the number of its family: 17 bytes that tell sources apart.
    #[must_use]
    pub const fn source(&self) -> [u8; 17] {
        self.source
    }

    /// The hash of tenant, scheme and identity; `None` for schemes whose secrets name nobody.
    #[must_use]
    pub const fn identity(&self) -> Option<[u8; 16]> {
        self.identity
    }
}

fn block(address: Option<IpAddr>) -> [u8; 17] {
    let (family, block) = match address.map(|address| address.to_canonical()) {
        None => (0, 0),
        Some(IpAddr::V4(address)) => (4, u128::from(address.to_bits() >> 8)),
        Some(IpAddr::V6(address)) => (6, address.to_bits() >> 64),
    };
    let mut bytes = [family; 17];
    bytes.iter_mut().skip(1).zip(block.to_be_bytes()).for_each(|(to, from)| *to = from);
    bytes
}

macro_rules! forward {
    ($($pointer:ident),*) => {$(
        impl<L: Limits + ?Sized> Limits for $pointer<L> {
            fn may_try(&self, by: AttemptKey) -> Flow<'_, Result<(), Duration>> {
                (**self).may_try(by)
            }

            fn note(&self, by: AttemptKey, settled: AttemptOutcome) {
                (**self).note(by, settled);
            }
        }
    )*};
}

forward!(Arc, Box);

#[cfg(test)]
mod tests {
    use super::*;

    /// Sources are blocks: one caller has all of a /24, or a /64.
    #[test]
    fn a_source_is_a_block_of_addresses() {
        let same = |a: &str, b: &str| block(a.parse().ok()) == block(b.parse().ok());
        assert!(same("192.0.2.1", "192.0.2.255"));
        assert!(same("192.0.2.1", "::ffff:192.0.2.9"));
        assert!(same("2001:db8::1", "2001:db8::ffff:0:0:1"));
        assert!(same("unknown", "also unknown"));
        assert!(!same("192.0.2.1", "192.0.3.1"));
        assert!(!same("2001:db8::1", "2001:db8:0:1::1"));
        assert!(!same("0.0.0.0", "::"));
        assert!(!same("0.0.0.0", "unknown"));
        assert!(!same("::", "unknown"));
    }

    #[test]
    fn tenant_scheme_and_identity_are_never_read_across_their_borders() {
        let (a, ab) = (TenantId::new("a"), TenantId::new("ab"));
        let all = [
            AttemptKey::new(None, "s", None, Some(b"x")),
            AttemptKey::new(Some(&a), "bs", None, Some(b"x")),
            AttemptKey::new(Some(&ab), "s", None, Some(b"x")),
            AttemptKey::new(Some(&a), "b", None, Some(b"sx")),
            AttemptKey::new(Some(&a), "b", None, None),
        ];
        for (n, one) in all.iter().enumerate() {
            assert_eq!(all.iter().position(|other| other == one), Some(n));
        }
    }
}
