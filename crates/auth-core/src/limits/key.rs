//! What attempts are counted by.

use super::seed::Seed;
use crate::TenantId;
use ring::digest;
use std::{fmt, net::IpAddr};

/// From where an attempt came, and whose secret it tried: what limits are counted by.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct AttemptKey {
    source: [u8; 17],
    identity: Option<Identity>,
}

/// Most names are short, and are hashed by a store that needs it: a store in memory has a faster hash than one that
/// several nodes share.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Identity {
    /// Tenant, scheme and name one after the other, with where each ends.
    Short {
        bytes: [u8; Identity::SHORT],
        ends: [u8; 3],
    },
    Hash([u8; 16]),
}

impl AttemptKey {
    /// An attempt from an address, under a claimed identity of a scheme and a tenant if there is one.
    ///
    /// A source is an IPv4 /24 or an IPv6 /64 (mapped IPv4 is IPv4), since one caller easily has many addresses of such
    /// a block; callers whose address is not known are one source together, and are not counted where they claim no
    /// identity (see [`AttemptLimit`](crate::AttemptLimit)).
    #[must_use]
    pub fn new(
        tenant: Option<&TenantId>,
        scheme: &str,
        source: Option<IpAddr>,
        identity: Option<&[u8]>,
    ) -> Self {
        let tenant = tenant.map_or("", TenantId::as_str);
        let of_parts = |name| Identity::of([tenant.as_bytes(), scheme.as_bytes(), name]);
        Self { source: block(source), identity: identity.map(of_parts) }
    }

    /// The block of addresses, below the number of its family: 17 bytes that tell sources apart.
    #[must_use]
    pub const fn source(&self) -> [u8; 17] {
        self.source
    }

    /// The hash of tenant, scheme and identity, the same on all nodes; `None` for schemes whose secrets name nobody.
    #[must_use]
    pub fn identity(&self) -> Option<[u8; 16]> {
        self.identity.map(|identity| match identity {
            Identity::Hash(hash) => hash,
            Identity::Short { bytes, ends: [tenant, scheme, name] } => {
                let upto = |end: u8| bytes.get(..usize::from(end)).unwrap_or_default();
                let between = |start: u8, end| upto(end).get(usize::from(start)..);
                let scheme_part = between(tenant, scheme).unwrap_or_default();
                hash([upto(tenant), scheme_part, between(scheme, name).unwrap_or_default()])
            }
        })
    }

    /// Source and identity by the hash of a store in this process.
    pub(super) fn hashed(&self, seed: Seed) -> (u64, Option<u64>) {
        let identity = self.identity.as_ref().map(|identity| match identity {
            Identity::Hash(hash) => seed.hash(hash, 0),
            Identity::Short { bytes, ends: [tenant, scheme, name] } => {
                let used = bytes.get(..usize::from(*name)).unwrap_or_default();
                seed.hash(used, u64::from_le_bytes([*tenant, *scheme, *name, 1, 0, 0, 0, 0]))
            }
        });
        (seed.hash(&self.source, 0), identity)
    }
}

impl Identity {
    const SHORT: usize = 44;

    fn of(parts: [&[u8]; 3]) -> Self {
        let (mut bytes, mut ends, mut end) = ([0; Self::SHORT], [0; 3], 0_usize);
        for (part, its_end) in parts.iter().zip(&mut ends) {
            let start = end;
            end = end.saturating_add(part.len());
            let Some(room) = bytes.get_mut(start..end) else { return Self::Hash(hash(parts)) };
            room.copy_from_slice(part);
            *its_end = u8::try_from(end).unwrap_or_default();
        }
        Self::Short { bytes, ends }
    }
}

fn hash(parts: [&[u8]; 3]) -> [u8; 16] {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        context.update(part);
    }
    context.finish().as_ref().first_chunk().copied().unwrap_or_default()
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

/// Shows the source: an identity is a name that a caller claims.
impl fmt::Debug for AttemptKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AttemptKey").field("source", &self.source).finish_non_exhaustive()
    }
}

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
        let (seed, long) = (Seed::random(), [b'x'; 100]);
        let all = [
            AttemptKey::new(None, "s", None, Some(b"x")),
            AttemptKey::new(Some(&a), "bs", None, Some(b"x")),
            AttemptKey::new(Some(&ab), "s", None, Some(b"x")),
            AttemptKey::new(Some(&a), "b", None, Some(b"sx")),
            AttemptKey::new(Some(&a), "b", None, None),
            AttemptKey::new(None, "s", None, Some(&long)),
            AttemptKey::new(None, "sx", None, Some(&long[1..])),
            AttemptKey::new(None, "s", None, Some(&long[1..])),
        ];
        for (n, one) in all.iter().enumerate() {
            assert_eq!(all.iter().position(|other| other == one), Some(n));
            let same = |other: &AttemptKey| other.identity() == one.identity();
            assert_eq!(all.iter().position(same), Some(n));
            let same = |other: &AttemptKey| other.hashed(seed) == one.hashed(seed);
            assert_eq!(all.iter().position(same), Some(n));
        }
    }

    /// A store that several nodes share keeps it, so it never changes: the first bytes of SHA-256 over each part behind
    /// its length.
    #[test]
    fn the_hash_of_an_identity_is_the_same_however_long_it_is() {
        for length in [0, 1, 7, 30, 33, 34, 35, 100] {
            let (tenant, name) = (TenantId::new("acme"), vec![b'n'; length]);
            let key = AttemptKey::new(Some(&tenant), "Basic", None, Some(&name));
            let mut text = Vec::new();
            for part in [&b"acme"[..], b"Basic", &name] {
                text.extend(u64::try_from(part.len()).unwrap().to_be_bytes());
                text.extend(part);
            }
            let expected = digest::digest(&digest::SHA256, &text);
            assert_eq!(key.identity().unwrap()[..], expected.as_ref()[..16], "{length}");
        }
    }

    #[test]
    fn shows_no_name() {
        let key = AttemptKey::new(None, "Basic", None, Some(b"canary"));
        assert!(!format!("{key:?}").contains(&format!("{:?}", b'c')), "{key:?}");
    }
}
