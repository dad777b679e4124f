//! Bytes to hide.

use std::fmt;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Bytes that are never shown and are wiped when dropped: a password, a key, a token.
///
/// It has no `Display`, no `Clone` and no serialization, and its `Debug` shows nothing of it, not even the length.
///
/// # Security
///
/// Wiping reaches this buffer only: copies made before it got here, header values, moves of the stack, swap and core
/// dumps are out of reach.
///
/// ```
/// use auth_core::Secret;
/// let secret = Secret::from("s3cret");
/// assert_eq!(format!("{secret:?}"), "Secret(..)");
/// assert!(secret.matches(b"s3cret"));
/// ```
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes the bytes over; a `Vec` or `String` is not copied.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Zeroizing::new(bytes.into()))
    }

    /// The bytes themselves, for the one place that computes with them.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The bytes as text, for the one place that wants text; `None` where they are not UTF-8.
    #[must_use]
    pub fn expose_text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    /// Compares in time that depends on the lengths alone.
    #[must_use]
    pub fn matches(&self, presented: &[u8]) -> bool {
        self.expose().ct_eq(presented).into()
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<Vec<u8>> for Secret {
    fn from(bytes: Vec<u8>) -> Self {
        Self::new(bytes)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(presented: &[u8], expected: bool) {
        assert_eq!(Secret::from("abc").matches(presented), expected);
    }

    #[test]
    fn is_text_where_it_is_utf_8() {
        assert_eq!(Secret::from("pa55:wörd").expose_text(), Some("pa55:wörd"));
        assert_eq!(Secret::new([0xff, 0xfe]).expose_text(), None);
    }

    #[test]
    fn matches_only_the_same_bytes() {
        check(b"abc", true);
        check(b"abd", false);
        check(b"ab", false);
        check(b"abcd", false);
        check(b"", false);
    }
}
