//! Finding high-entropy keys and tokens by a keyed hash of them.

use crate::{Error, Random, Result, Secret};
use ring::{digest, hmac};
use std::{
    fmt,
    hash::{Hash, Hasher},
};
use zeroize::Zeroizing;

/// Hashes keys and tokens under a secret of the server (HMAC-SHA256, RFC 2104), so that they can be stored and looked
/// up without being kept.
///
/// A clone shares nothing that could change; give one to each verifier.
///
/// # Security
///
/// For keys of at least 128 random bits: the hash is fast, so an attacker who has the digests and the secret
/// finds a password that a person chose. A look-up by digest gives nothing to guess by time, since nobody
/// without the secret knows which digest a guess has. The copy of the secret inside is not wiped.
#[derive(Clone)]
pub struct KeyHasher {
    secret: hmac::Key,
    input: Input,
}

/// What is hashed under the secret.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Input {
    Key,
    Sha256OfKey,
}

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
        let secret = hmac::Key::new(hmac::HMAC_SHA256, secret.expose());
        Ok(Self { secret, input: Input::Key })
    }

    /// A hasher whose digest is made of the SHA-256 of a key: for keys of which a former registry kept no more than that.
    /// [`hash_sha256`](Self::hash_sha256) makes the same digest of what that registry kept.
    #[must_use]
    pub fn over_sha256(self) -> Self {
        Self { input: Input::Sha256OfKey, ..self }
    }

    /// A hasher under a secret of its own: for keys that are in the configuration, and digests that are never stored.
    ///
    /// # Errors
    ///
    /// Those of `random`.
    pub fn random(random: &dyn Random) -> Result<Self> {
        let mut secret = Zeroizing::new([0; Self::LEAST_BYTES]);
        random.fill(&mut *secret)?;
        let secret = hmac::Key::new(hmac::HMAC_SHA256, &*secret);
        Ok(Self { secret, input: Input::Key })
    }

    /// The digest of a key.
    #[must_use]
    pub fn hash(&self, key: &[u8]) -> KeyDigest {
        match self.input {
            Input::Key => KeyDigest::of(&hmac::sign(&self.secret, key)),
            Input::Sha256OfKey => self.hash_over_sha256(key),
        }
    }

    #[cold]
    fn hash_over_sha256(&self, key: &[u8]) -> KeyDigest {
        let hash = digest::digest(&digest::SHA256, key);
        KeyDigest::of(&hmac::sign(&self.secret, hash.as_ref()))
    }

    /// The digest of a key whose SHA-256 this is, under a hasher [over SHA-256](Self::over_sha256).
    #[must_use]
    pub fn hash_sha256(&self, hash: &[u8; 32]) -> KeyDigest {
        KeyDigest::of(&hmac::sign(&self.secret, hash))
    }

    /// The digest of a password of one user: the same password of another has another digest. No key has such a digest,
    /// since it begins with a zero byte, and a key has none.
    #[must_use]
    pub fn hash_password(&self, user: &str, password: &[u8]) -> KeyDigest {
        let mut context = hmac::Context::with_key(&self.secret);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemRandom;

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
    fn finds_a_key_by_its_sha256_alone() {
        let hasher = KeyHasher::new(&Secret::from(vec![1; 32])).unwrap();
        let sha256 = hasher.clone().over_sha256();
        let kept = digest::digest(&digest::SHA256, b"a key").as_ref().try_into().unwrap();
        assert_eq!(sha256.hash(b"a key"), sha256.hash_sha256(&kept));
        assert_ne!(sha256.hash(b"a key"), hasher.hash(b"a key"));
        assert_ne!(sha256.hash(b"a key"), sha256.hash(b"another"));
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
}
