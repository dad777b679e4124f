//! Finding high-entropy keys and tokens by a keyed hash of them.

use auth_core::{Error, Flow, Lookup, Random, Result, Secret};
use ring::hmac;
use std::{
    collections::HashMap,
    fmt,
    hash::{BuildHasherDefault, Hash, Hasher},
};
use zeroize::Zeroizing;

/// Hashes keys and tokens under a secret of the server (HMAC-SHA256, RFC 2104), so that they can be stored and looked
/// up without being kept.
///
/// A clone shares nothing that could change; give one to each verifier.
///
/// # Security
///
/// For keys of at least 128 random bits: the hash is fast, so a password that a person chose is guessed from it by
/// whoever gets both the digests and the secret. A look-up by digest gives nothing to guess by time, since nobody
/// without the secret knows which digest a guess has. The copy of the secret inside is not wiped.
#[derive(Clone)]
pub struct KeyHasher(hmac::Key);

impl KeyHasher {
    /// The fewest bytes the secret may have: as many as the hash.
    pub const LEAST_BYTES: usize = 32;

    /// A hasher under this secret: for digests that are stored, or shared by several processes.
    ///
    /// # Errors
    ///
    /// `Error::Config` when the secret is shorter than [`LEAST_BYTES`](Self::LEAST_BYTES).
    pub fn new(secret: &Secret) -> Result<Self> {
        if secret.expose().len() < Self::LEAST_BYTES {
            let text = "secret of a key hasher is too short, expected at least 32 random bytes";
            return Err(Error::config("key_hasher_short_secret", text));
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, secret.expose())))
    }

    /// A hasher under a secret of its own: for keys that are in the configuration, and digests that are never stored.
    ///
    /// # Errors
    ///
    /// Those of `random`.
    pub fn random(random: &dyn Random) -> Result<Self> {
        let mut secret = Zeroizing::new([0; Self::LEAST_BYTES]);
        random.fill(&mut *secret)?;
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &*secret)))
    }

    /// The digest of a key.
    #[must_use]
    pub fn hash(&self, key: &[u8]) -> KeyDigest {
        KeyDigest::of(&hmac::sign(&self.0, key))
    }

    /// The digest of a password of one user: the same password of another has another digest. No key has such a digest,
    /// since it begins with a zero byte, and a key has none.
    pub(crate) fn hash_password(&self, user: &str, password: &[u8]) -> KeyDigest {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(&[0]);
        context.update(&u64::try_from(user.len()).unwrap_or(u64::MAX).to_be_bytes());
        context.update(user.as_bytes());
        context.update(password);
        KeyDigest::of(&context.sign())
    }
}

impl fmt::Debug for KeyHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyHasher(..)")
    }
}

/// The keyed hash of a key: what is stored, and looked up.
///
/// `Debug` shows nothing of it, since it names one key for as long as the secret is kept.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KeyDigest([u8; 32]);

impl KeyDigest {
    /// A digest that was stored.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes, to store.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn of(tag: &hmac::Tag) -> Self {
        Self(tag.as_ref().first_chunk().copied().unwrap_or_default())
    }
}

/// It is uniform already: eight bytes of it are as good as any hash of it.
impl Hash for KeyDigest {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(u64::from_le_bytes(self.0.first_chunk().copied().unwrap_or_default()));
    }
}

impl fmt::Debug for KeyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyDigest(..)")
    }
}

/// Keys that are all known when the server starts, by digest: for the configuration of a service.
///
/// It never changes; one that does is a store of its own behind [`Lookup<KeyDigest>`]. What is found is cloned, so give
/// large records in an `Arc`.
///
/// ```
/// use auth_core::{Lookup, SystemRandom};
/// use auth_static::{KeyHasher, Keys};
/// let hasher = KeyHasher::random(&SystemRandom::new())?;
/// let keys = Keys::new(&hasher, [("a-long-random-key", 7), ("another", 8)]);
/// assert_eq!(keys.lookup(&hasher.hash(b"another")).wait()?, Some(8));
/// # Ok::<_, auth_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Keys<P>(HashMap<KeyDigest, P, BuildHasherDefault<AsItIs>>);

impl<P> Keys<P> {
    /// These keys and whom each stands for, hashed here. Of one key given twice the last counts.
    pub fn new<K: AsRef<[u8]>>(hasher: &KeyHasher, keys: impl IntoIterator<Item = (K, P)>) -> Self {
        keys.into_iter().map(|(key, principal)| (hasher.hash(key.as_ref()), principal)).collect()
    }
}

/// From digests that were stored.
impl<P> FromIterator<(KeyDigest, P)> for Keys<P> {
    fn from_iter<I: IntoIterator<Item = (KeyDigest, P)>>(keys: I) -> Self {
        Self(keys.into_iter().collect())
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

/// The hash of a [`KeyDigest`] is the part of itself that it writes.
#[derive(Clone, Copy, Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn write_u64(&mut self, digest: u64) {
        self.0 = digest;
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use auth_core::SystemRandom;

    fn hex(digest: KeyDigest) -> String {
        digest.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// RFC 4231 section 4.7: a key longer than a block, so that nothing but HMAC-SHA256 itself agrees.
    #[test]
    fn is_hmac_sha256() {
        let hasher = KeyHasher::new(&Secret::from(vec![0xaa; 131])).unwrap();
        let digest = hasher.hash(b"Test Using Larger Than Block-Size Key - Hash Key First");
        assert_eq!(hex(digest), "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    }

    #[test]
    fn wants_a_secret_as_long_as_the_hash() {
        let error = KeyHasher::new(&Secret::from(vec![1; 31])).unwrap_err();
        assert_eq!(error.code(), "key_hasher_short_secret");
        assert!(KeyHasher::new(&Secret::from(vec![1; 32])).is_ok());
    }

    #[test]
    fn random_hashers_disagree() {
        let [a, b] = [(); 2].map(|()| KeyHasher::random(&SystemRandom::new()).unwrap());
        assert_ne!(a.hash(b"key"), b.hash(b"key"));
        assert_eq!(a.hash(b"key"), a.clone().hash(b"key"));
    }

    #[test]
    fn a_password_is_bound_to_its_user_and_is_no_key() {
        let hasher = KeyHasher::new(&Secret::from(vec![1; 32])).unwrap();
        let digest = hasher.hash_password("user", b"password");
        assert_eq!(digest, hasher.hash_password("user", b"password"));
        for (user, password) in [("use", "rpassword"), ("userp", "assword"), ("other", "password")]
        {
            assert_ne!(
                digest,
                hasher.hash_password(user, password.as_bytes()),
                "{user} {password}"
            );
        }
        assert_ne!(digest, hasher.hash(b"userpassword"));
    }

    #[test]
    fn finds_what_was_put_in_and_nothing_else() {
        let hasher = KeyHasher::random(&SystemRandom::new()).unwrap();
        let keys = Keys::new(&hasher, (0..1000).map(|n| (format!("key {n}"), n)));
        for n in 0..1000 {
            let found = keys.lookup(&hasher.hash(format!("key {n}").as_bytes())).wait().unwrap();
            assert_eq!(found, Some(n));
        }
        assert_eq!(keys.lookup(&hasher.hash(b"key 1000")).wait().unwrap(), None);
        let stored = KeyDigest::from_bytes(*hasher.hash(b"key 7").as_bytes());
        let again: Keys<_> = [(stored, 7)].into_iter().collect();
        assert_eq!(again.lookup(&hasher.hash(b"key 7")).wait().unwrap(), Some(7));
    }
}
