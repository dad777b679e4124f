//! Access keys, and the keys that are derived from them.

use crate::{
    encode::hex,
    scope::{CredentialScope, TERMINATOR},
};
use auth_core::{Error, Lifespan, Result, Secret, Timestamp, Token};
use ring::hmac::{self, HMAC_SHA256};
use std::{fmt, sync::Arc};
use zeroize::Zeroizing;

/// An access key: its ID, its secret, and with temporary keys their session token and end.
///
/// A clone shares the secret.
///
/// ```
/// use auth_sigv4::AccessKey;
/// let key = AccessKey::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")?;
/// assert_eq!(AccessKey::new("two words", "s").unwrap_err().code(), "sigv4_access_key_id");
/// # Ok::<_, auth_core::Error>(())
/// ```
#[derive(Clone)]
pub struct AccessKey(Arc<Inner>);

struct Inner {
    id: Box<str>,
    secret: Secret,
    session_token: Option<Arc<Secret>>,
    expires: Option<Timestamp>,
}

impl AccessKey {
    /// The longest ID, in bytes, as IAM has it.
    pub const MOST_ID_BYTES: usize = 128;

    /// A key that lasts.
    ///
    /// # Errors
    ///
    /// `Error::Config` when the ID is not 1 to 128 letters, digits and `_`, `-`, `.`, or when the secret is empty or has
    /// a control character: a line break at its end is what reading a file or a form leaves behind.
    pub fn new(id: &str, secret: impl Into<Secret>) -> Result<Self> {
        Self::made(id, secret.into(), None, None)
    }

    /// A temporary key, as STS gives it.
    ///
    /// # Errors
    ///
    /// Those of [`new`](Self::new), and when the session token is empty or holds what no header field can.
    pub fn temporary(
        id: &str,
        secret: impl Into<Secret>,
        session_token: impl Into<Secret>,
        expires: Option<Timestamp>,
    ) -> Result<Self> {
        let session_token = session_token.into();
        check_line_end("sigv4_session_token", "session token", session_token.expose())?;
        // A percent sign would be read as an escape in a presigned URL.
        let printable = |byte: &u8| (0x21..=0x7e).contains(byte) && *byte != b'%';
        if session_token.expose().is_empty() || !session_token.expose().iter().all(printable) {
            let text = "session token is empty or not printable, expected it as STS gave it";
            return Err(Error::config("sigv4_session_token", text));
        }
        Self::made(id, secret.into(), Some(session_token), expires)
    }

    /// What is tried where there is no key: it signs nothing that anybody has.
    pub(crate) fn decoy() -> Self {
        let (secret, session_token, expires) = (Secret::from("nobody knows it"), None, None);
        Self(Arc::new(Inner { id: "nobody".into(), secret, session_token, expires }))
    }

    fn made(
        id: &str,
        secret: Secret,
        session_token: Option<Secret>,
        expires: Option<Timestamp>,
    ) -> Result<Self> {
        check_line_end("sigv4_access_key_id", "access key ID", id.as_bytes())?;
        if !is_id(id) {
            let text = "access key ID is empty, too long or holds a character it may not, \
                        expected up to 128 letters, digits and _-.";
            return Err(Error::config("sigv4_access_key_id", text));
        }
        if secret.expose().is_empty() {
            return Err(Error::config("sigv4_secret", "secret access key is empty, expected one"));
        }
        check_line_end("sigv4_secret", "secret access key", secret.expose())?;
        if secret.expose().iter().any(u8::is_ascii_control) {
            let text = "secret access key has a control character, expected it as AWS gave it";
            return Err(Error::config("sigv4_secret", text));
        }
        let session_token = session_token.map(Arc::new);
        Ok(Self(Arc::new(Inner { id: id.into(), secret, session_token, expires })))
    }

    /// Its ID, which is no secret.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// The token that goes with a temporary key.
    #[must_use]
    pub fn session_token(&self) -> Option<&Secret> {
        self.0.session_token.as_deref()
    }

    pub(crate) fn shared_session_token(&self) -> Option<Arc<Secret>> {
        self.0.session_token.clone()
    }

    /// When it ends, if that is known.
    #[must_use]
    pub fn expires(&self) -> Option<Timestamp> {
        self.0.expires
    }

    /// The key for one day, region and service.
    #[must_use]
    pub fn derive(&self, scope: CredentialScope<'_>) -> DerivedKey {
        DerivedKey::derive(&self.0.secret, scope)
    }
}

/// It lives as long as STS said.
impl Token for AccessKey {
    fn lifespan(&self) -> Lifespan {
        self.0.expires.map_or(Lifespan::Unknown, Lifespan::Until)
    }
}

impl fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccessKey({})", self.id())
    }
}

/// Refuses the line break that is left at the end of a text that was read from a file.
fn check_line_end(code: &'static str, name: &str, text: &[u8]) -> Result<()> {
    if text.ends_with(b"\n") || text.ends_with(b"\r") {
        let text = format!("{name} ends with a line break; remove it");
        return Err(Error::config(code, text));
    }
    Ok(())
}

pub(crate) fn is_id(id: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    !id.is_empty() && id.len() <= AccessKey::MOST_ID_BYTES && id.bytes().all(allowed)
}

/// The key of one day, region and service, ready to sign: deriving it costs as much as hashing 1 KiB, so it is kept.
///
/// It signs for that scope and for no other: an edge that verifies needs no more.
///
/// # Security
///
/// The state inside is not wiped (docs/security.md).
#[derive(Clone)]
pub struct DerivedKey(hmac::Key);

impl DerivedKey {
    /// Derives it from a secret access key.
    #[must_use]
    pub fn derive(secret: &Secret, scope: CredentialScope<'_>) -> Self {
        #[cfg(test)]
        work::note(|work| work.derivations += 1);
        let first = Zeroizing::new([b"AWS4", secret.expose()].concat());
        let mut key = hmac::Key::new(HMAC_SHA256, &first);
        for part in [scope.day, scope.region, scope.service, TERMINATOR] {
            key = hmac::Key::new(HMAC_SHA256, hmac::sign(&key, part.as_bytes()).as_ref());
        }
        Self(key)
    }

    /// One that was derived elsewhere: the 32 bytes after `aws4_request`.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(hmac::Key::new(HMAC_SHA256, bytes))
    }

    /// The signature of a string to sign, in lower-case hexadecimal.
    #[must_use]
    pub fn sign(&self, string_to_sign: &[u8]) -> [u8; 64] {
        hex(&self.mac(string_to_sign))
    }

    pub(crate) fn mac(&self, string_to_sign: &[u8]) -> [u8; 32] {
        #[cfg(test)]
        work::note(|work| work.macs += 1);
        let tag = hmac::sign(&self.0, string_to_sign);
        tag.as_ref().first_chunk().copied().unwrap_or_default()
    }
}

impl fmt::Debug for DerivedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DerivedKey(..)")
    }
}

/// What a thread has done with keys: tests compare what callers cost.
#[cfg(test)]
pub(crate) mod work {
    use std::cell::Cell;

    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub(crate) struct Work {
        pub(crate) macs: u32,
        pub(crate) derivations: u32,
    }

    thread_local! {
        static DONE: Cell<Work> = const { Cell::new(Work { macs: 0, derivations: 0 }) };
    }

    pub(super) fn note(done: impl FnOnce(&mut Work)) {
        let mut work = DONE.get();
        done(&mut work);
        DONE.set(work);
    }

    pub(crate) fn take() -> Work {
        DONE.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the AWS documentation, "Deriving the signing key".
    #[test]
    fn derives_as_the_documentation_does() {
        let key =
            AccessKey::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY").unwrap();
        let derived = key.derive(CredentialScope::new("20150830", "us-east-1", "iam"));
        let bytes = [
            0xc4, 0xaf, 0xb1, 0xcc, 0x57, 0x71, 0xd8, 0x71, 0x76, 0x3a, 0x39, 0x3e, 0x44, 0xb7,
            0x03, 0x57, 0x1b, 0x55, 0xcc, 0x28, 0x42, 0x4d, 0x1a, 0x5e, 0x86, 0xda, 0x6e, 0xd3,
            0xc1, 0x54, 0xa4, 0xb9,
        ];
        assert_eq!(derived.sign(b"any"), DerivedKey::from_bytes(&bytes).sign(b"any"));
    }

    #[test]
    fn says_what_is_wrong_with_a_key() {
        let code = |made: Result<AccessKey>| made.unwrap_err().code();
        for id in ["", "a b", "a/b", "a,b", "é", &"a".repeat(129)] {
            assert_eq!(code(AccessKey::new(id, "s")), "sigv4_access_key_id", "{id}");
        }
        assert_eq!(code(AccessKey::new("a", "")), "sigv4_secret");
        assert_eq!(code(AccessKey::temporary("a", "s", "", None)), "sigv4_session_token");
        assert_eq!(code(AccessKey::temporary("a", "s", "a b", None)), "sigv4_session_token");
    }

    /// What is left of a file or a form at the end of a text is named, and so is what no key has.
    #[test]
    fn names_what_ends_with_a_line_break_or_has_a_control_character() {
        #[track_caller]
        fn check(id: &str, secret: &str, token: &str, expected: &str) {
            let error = AccessKey::temporary(id, secret, token, None).unwrap_err().to_string();
            assert_eq!(error, format!("configuration: {expected}"));
            assert!(!error.contains("s3cret"), "{error}");
        }
        for end in ["\n", "\r\n", "\r"] {
            let broken = |text: &str| format!("{text}{end}");
            check(&broken("a"), "s", "t", "access key ID ends with a line break; remove it");
            check(
                "a",
                &broken("s3cret"),
                "t",
                "secret access key ends with a line break; remove it",
            );
            check("a", "s", &broken("s3cret"), "session token ends with a line break; remove it");
        }
        for control in ["\u{0}", "\t", "\n", "\u{7f}"] {
            let expected = "secret access key has a control character, expected it as AWS gave it";
            check("a", &format!("s3{control}cret"), "t", expected);
            let error = AccessKey::new("a", format!("s3{control}cret")).unwrap_err();
            assert_eq!(error.code(), "sigv4_secret");
        }
    }
}
