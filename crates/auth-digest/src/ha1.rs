//! HA1, the hash that stands for a password, and what of it a session knows (RFC 7616 section 3.4.2).

use crate::{
    DigestAlgorithm, HashFunction,
    hash::{Hasher, HexDigest, SecretHex},
};
use auth_core::{Error, Result};
use std::fmt;

/// `H(username ":" realm ":" password)`: what a server keeps instead of a password.
///
/// One serves both forms of an algorithm, plain and `-sess`.
///
/// # Security
///
/// For its realm it is as good as the password: keep it as you would keep that. It is wiped when dropped, compared with
/// nothing, and never shown.
///
/// ```
/// use auth_digest::{Ha1, HashFunction};
/// let made = Ha1::new(HashFunction::Md5, "alice", b"realm1", b"s3cret");
/// let read = Ha1::from_hex(HashFunction::Md5, "cb0aa14dd5b713da9a0a21b85347f3e5");
/// assert_eq!(made.expose(), read?.expose());
/// assert_eq!(format!("{made:?}"), "Ha1(..)");
/// # Ok::<_, auth_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Ha1 {
    function: HashFunction,
    hex: SecretHex,
}

impl Ha1 {
    /// Of a user name, realm and password as they are: UTF-8 in the form that both sides agree on (RFC 7616 section 4
    /// wants NFC). The realm is without quotes and escapes.
    ///
    /// A `:` in the user name makes it ambiguous; [`Digest`](crate::Digest) and [`DigestAccounts`](crate::DigestAccounts) refuse it.
    #[must_use]
    pub fn new(function: HashFunction, user: &str, realm: &[u8], password: &[u8]) -> Self {
        let mut hasher = Hasher::new(function);
        hasher.update(user.as_bytes());
        hasher.update(b":");
        hasher.update(realm);
        hasher.update(b":");
        hasher.update(password);
        Self { function, hex: SecretHex(hasher.finish()) }
    }

    /// As it was kept: 32 or 64 lower-case hexadecimal digits.
    ///
    /// # Errors
    ///
    /// `Error::Config` when it is not that.
    pub fn from_hex(function: HashFunction, hex: &str) -> Result<Self> {
        let hex = HexDigest::read(function, hex.as_bytes()).ok_or_else(|| {
            let text = format!("ha1 is not {} lower-case hexadecimal digits", function.digits());
            Error::config("digest_ha1", text)
        })?;
        Ok(Self { function, hex: SecretHex(hex) })
    }

    /// Its hash function.
    #[must_use]
    pub const fn function(&self) -> HashFunction {
        self.function
    }

    /// Its hexadecimal digits: for the one place that keeps them.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        self.hex.0.as_bytes()
    }

    /// What responses are computed with under an algorithm of its hash function: itself, or under a `-sess` form the
    /// hash `H(HA1 ":" nonce ":" cnonce)`, with the nonce and cnonce of the first request.
    #[must_use]
    pub fn session(&self, algorithm: DigestAlgorithm, nonce: &[u8], cnonce: &[u8]) -> SessionHa1 {
        let hex = if algorithm.is_session() {
            let mut hasher = Hasher::new(self.function);
            hasher.update(self.expose());
            hasher.update(b":");
            hasher.update(nonce);
            hasher.update(b":");
            hasher.update(cnonce);
            SecretHex(hasher.finish())
        } else {
            self.hex.clone()
        };
        SessionHa1 { function: self.function, hex }
    }
}

impl fmt::Debug for Ha1 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ha1(..)")
    }
}

/// What the responses of a session are computed with: see [`Ha1::session`].
///
/// # Security
///
/// Under a `-sess` algorithm it is worth something for one nonce and cnonce alone, so an authority may give it to a
/// receiver that it would not trust with HA1. Wiped when dropped, never shown.
#[derive(Clone)]
pub struct SessionHa1 {
    pub(crate) function: HashFunction,
    pub(crate) hex: SecretHex,
}

impl SessionHa1 {
    /// As an authority gave it: 32 or 64 lower-case hexadecimal digits.
    ///
    /// # Errors
    ///
    /// `Error::Config` when it is not that.
    pub fn from_hex(function: HashFunction, hex: &str) -> Result<Self> {
        let Ha1 { function, hex } = Ha1::from_hex(function, hex)?;
        Ok(Self { function, hex })
    }

    /// Its hash function.
    #[must_use]
    pub const fn function(&self) -> HashFunction {
        self.function
    }

    /// Its hexadecimal digits: for an authority that gives them to a receiver.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        self.hex.0.as_bytes()
    }
}

impl fmt::Debug for SessionHa1 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionHa1(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_has_a_secret_of_its_own_under_sess_alone() {
        let ha1 = Ha1::new(HashFunction::Md5, "Mufasa", b"testrealm@host.com", b"Circle Of Life");
        assert_eq!(ha1.expose(), b"939e7578ed9e3c518a452acee763bce9");
        let plain = ha1.session(DigestAlgorithm::Md5, b"nonce", b"cnonce");
        assert_eq!(plain.expose(), ha1.expose());
        let session = ha1.session(DigestAlgorithm::Md5Sess, b"nonce", b"cnonce");
        let mut expected = Hasher::new(HashFunction::Md5);
        expected.update(b"939e7578ed9e3c518a452acee763bce9:nonce:cnonce");
        assert_eq!(session.expose(), expected.finish().as_bytes());
    }

    #[test]
    fn what_was_kept_is_read_back() {
        let made = Ha1::new(HashFunction::Sha256, "a", b"b", b"c");
        let kept = String::from_utf8(made.expose().to_vec()).unwrap();
        assert_eq!(Ha1::from_hex(HashFunction::Sha256, &kept).unwrap().expose(), made.expose());
        let refused = Ha1::from_hex(HashFunction::Md5, &kept).unwrap_err();
        assert_eq!(refused.code(), "digest_ha1");
        assert!(!refused.to_string().contains(&kept));
        assert_eq!(SessionHa1::from_hex(HashFunction::Md5, "").unwrap_err().code(), "digest_ha1");
    }

    #[test]
    fn shows_nothing() {
        let ha1 = Ha1::new(HashFunction::Md5, "a", b"b", b"c");
        let session = ha1.session(DigestAlgorithm::Md5, b"", b"");
        assert_eq!(format!("{ha1:?} {session:?}"), "Ha1(..) SessionHa1(..)");
    }
}
