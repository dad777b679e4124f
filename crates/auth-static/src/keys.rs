//! High-entropy keys, looked up by a keyed hash.

use auth_core::{Cause, Error, Flow, Lookup, Random, Result, Secret};
use ring::hmac;
use std::{
    collections::HashMap,
    fmt,
    hash::{BuildHasherDefault, Hash, Hasher},
};
use zeroize::Zeroize;

/// Hashes presented keys under a key of its own (HMAC-SHA256), so that a look-up tells nothing by its time, and a stored
/// hash is worth nothing without the hasher.
///
/// Clones share the key. Hashes of two hashers never match: processes that share a store share the hasher's secret.
///
/// # Security
///
/// For keys and tokens of 128 random bits or more. What a person chose needs a slow hash instead.
#[derive(Clone)]
pub struct KeyHasher(hmac::Key);

/// What a [`KeyHasher`] makes of a key: 32 bytes, no secret by themselves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KeyDigest([u8; 32]);

impl KeyHasher {
    /// The fewest bytes of a hasher's own secret.
    pub const FEWEST_BYTES: usize = 32;

    /// A hasher under this secret.
    ///
    /// # Errors
    ///
    /// `Error::Config` when it is shorter than [`FEWEST_BYTES`](Self::FEWEST_BYTES).
    pub fn new(secret: &Secret) -> Result<Self> {
        if secret.expose().len() < Self::FEWEST_BYTES {
            return Err(Error::Config(Cause::new(
                "key_hasher_short_secret",
                "secret of the key hasher is short, expected at least 32 random bytes",
            )));
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, secret.expose())))
    }

    /// A hasher that no other process has: for keys that are configured anew at each start.
    ///
    /// # Errors
    ///
    /// `Error::Unavailable` when there is no randomness.
    pub fn random(random: &dyn Random) -> Result<Self> {
        let mut secret = [0; Self::FEWEST_BYTES];
        random.fill(&mut secret)?;
        let hasher = Self(hmac::Key::new(hmac::HMAC_SHA256, &secret));
        secret.zeroize();
        Ok(hasher)
    }

    /// The hash of a key.
    #[must_use]
    pub fn digest(&self, key: &[u8]) -> KeyDigest {
        KeyDigest(hmac::sign(&self.0, key).as_ref().try_into().unwrap_or_default())
    }
}

impl KeyDigest {
    /// The bytes, to store.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<[u8; 32]> for KeyDigest {
    fn from(stored: [u8; 32]) -> Self {
        Self(stored)
    }
}

/// It is uniform already: eight bytes of it are as good as a hash of all.
impl Hash for KeyDigest {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0.first_chunk().copied().map_or(0, u64::from_ne_bytes));
    }
}

impl fmt::Debug for KeyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyDigest(..)")
    }
}

impl fmt::Debug for KeyHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyHasher(..)")
    }
}

/// Keys that do not change while the program runs: hash to principal.
///
/// ```
/// use auth_core::{Lookup, SystemRandom};
/// use auth_static::{KeyHasher, Keys};
/// let hasher = KeyHasher::random(&SystemRandom::new())?;
/// let keys = Keys::new(&hasher, [("key-of-acme-0b8f2a", "acme")]);
/// assert_eq!(keys.lookup(&hasher.digest(b"key-of-acme-0b8f2a")).wait()?, Some("acme"));
/// # Ok::<_, auth_core::Error>(())
/// ```
pub struct Keys<P>(HashMap<KeyDigest, P, BuildHasherDefault<Uniform>>);

impl<P> Keys<P> {
    /// Keys, each with whose it is. Only hashes are kept.
    pub fn new<K: AsRef<[u8]>>(hasher: &KeyHasher, keys: impl IntoIterator<Item = (K, P)>) -> Self {
        Self(
            keys.into_iter()
                .map(|(key, principal)| (hasher.digest(key.as_ref()), principal))
                .collect(),
        )
    }

    /// Hashes that were stored, each with whose it is.
    pub fn from_digests(digests: impl IntoIterator<Item = (KeyDigest, P)>) -> Self {
        Self(digests.into_iter().collect())
    }
}

impl<P: Clone + Send + Sync> Lookup<KeyDigest> for Keys<P> {
    type Found = P;

    fn lookup(&self, id: &KeyDigest) -> Flow<'_, Option<P>> {
        Flow::ready(self.0.get(id).cloned())
    }
}

impl<P> fmt::Debug for Keys<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({} keys)", self.0.len())
    }
}

/// Hands on the eight bytes that a [`KeyDigest`] gives.
#[derive(Default)]
struct Uniform(u64);

impl Hasher for Uniform {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write_u64(&mut self, uniform: u64) {
        self.0 = uniform;
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_of_two_hashers_never_match() {
        let (a, b) = (
            KeyHasher::new(&Secret::new([1; 32])).unwrap(),
            KeyHasher::new(&Secret::new([2; 32])).unwrap(),
        );
        assert_eq!(a.digest(b"k"), a.clone().digest(b"k"));
        assert_ne!(a.digest(b"k"), b.digest(b"k"));
        assert_ne!(a.digest(b"k"), a.digest(b"K"));
    }

    #[test]
    fn a_short_secret_is_refused() {
        let error = KeyHasher::new(&Secret::new([1; 31])).unwrap_err();
        assert_eq!(error.code(), "key_hasher_short_secret");
    }

    #[test]
    fn finds_stored_digests() {
        let hasher = KeyHasher::new(&Secret::new([1; 32])).unwrap();
        let stored = *hasher.digest(b"k").as_bytes();
        let keys = Keys::from_digests([(KeyDigest::from(stored), 7)]);
        assert_eq!(keys.lookup(&hasher.digest(b"k")).wait().unwrap(), Some(7));
        assert_eq!(keys.lookup(&hasher.digest(b"l")).wait().unwrap(), None);
    }
}
