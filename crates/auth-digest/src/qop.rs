//! Quality of protection, and the count of requests under one nonce (RFC 7616 sections 3.3 and 3.4).

use auth_core::{Error, Result};
use std::{fmt, str};

/// What a response protects (RFC 7616 section 3.4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Qop {
    /// `auth`: method and target.
    Auth,
    /// `auth-int`: the body too.
    AuthInt,
}

impl Qop {
    /// The value of a `qop` parameter.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::AuthInt => "auth-int",
        }
    }

    /// The one of this name, in any case.
    #[must_use]
    pub fn named(name: &[u8]) -> Option<Self> {
        let same = |qop: &Self| name.eq_ignore_ascii_case(qop.name().as_bytes());
        [Self::Auth, Self::AuthInt].into_iter().find(same)
    }
}

impl fmt::Display for Qop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a challenge offers: the `qop` list, or none, as before RFC 2617.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfferedQop {
    /// No `qop` parameter: the scheme of RFC 2069, without nonce count and cnonce.
    Legacy,
    /// `auth` alone.
    Auth,
    /// `auth-int` alone.
    AuthInt,
    /// Both.
    Both,
    /// Only values that nobody knows.
    Unknown,
}

impl OfferedQop {
    /// Reads the value of a `qop` parameter; values that are not known are passed over (RFC 7616 section 3.3).
    #[must_use]
    pub fn read(list: &[u8]) -> Self {
        list.split(|byte| *byte == b',')
            .filter_map(|value| Qop::named(value.trim_ascii()))
            .fold(Self::Unknown, Self::and)
    }

    fn and(self, qop: Qop) -> Self {
        match (self, qop) {
            (Self::Unknown | Self::Legacy | Self::Auth, Qop::Auth) => Self::Auth,
            (Self::Unknown | Self::Legacy | Self::AuthInt, Qop::AuthInt) => Self::AuthInt,
            _ => Self::Both,
        }
    }

    /// Is this one among them?
    #[must_use]
    pub const fn has(self, qop: Qop) -> bool {
        matches!(
            (self, qop),
            (Self::Both, _) | (Self::Auth, Qop::Auth) | (Self::AuthInt, Qop::AuthInt)
        )
    }

    /// The list, without its quotes; `None` where there is none to write.
    #[must_use]
    pub const fn list(self) -> Option<&'static str> {
        match self {
            Self::Legacy | Self::Unknown => None,
            Self::Auth => Some("auth"),
            Self::AuthInt => Some("auth-int"),
            Self::Both => Some("auth, auth-int"),
        }
    }
}

/// How many requests were made under a nonce, this one included: the `nc` of RFC 7616 section 3.4.
///
/// It prints as it is sent, in eight lower-case hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NonceCount(u32);

impl NonceCount {
    /// The first request.
    pub const FIRST: Self = Self(1);

    /// A count; `None` for zero, since a request counts itself.
    #[must_use]
    pub const fn new(count: u32) -> Option<Self> {
        if count == 0 { None } else { Some(Self(count)) }
    }

    /// The count that a person typed, in hexadecimal: up to eight digits, in any case.
    ///
    /// ```
    /// use auth_digest::NonceCount;
    /// assert_eq!(NonceCount::typed("1F")?.to_string(), "0000001f");
    /// # Ok::<_, auth_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `Error::Config` when it is zero or anything else.
    pub fn typed(text: &str) -> Result<Self> {
        let digits =
            (1..=8).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let count = digits.then(|| u32::from_str_radix(text, 16).ok()).flatten();
        count.and_then(Self::new).ok_or_else(|| {
            let text = "nonce count is not a hexadecimal number of 1 to 8 digits above zero";
            Error::config("digest_nonce_count", text)
        })
    }

    /// Reads exactly what is sent: eight digits, lower case, not all zero.
    #[must_use]
    pub fn read(digits: &[u8]) -> Option<Self> {
        let digits: &[u8; 8] = digits.try_into().ok()?;
        let count = digits.iter().try_fold(0_u32, |count, digit| {
            let value = match digit {
                b'0'..=b'9' => digit.wrapping_sub(b'0'),
                b'a'..=b'f' => digit.wrapping_sub(b'a').wrapping_add(10),
                _ => return None,
            };
            Some(count << 4 | u32::from(value))
        })?;
        Self::new(count)
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }

    /// As it is sent.
    #[must_use]
    pub fn digits(self) -> [u8; 8] {
        let mut digits = [0; 8];
        crate::hash::hex(&self.0.to_be_bytes(), &mut digits);
        digits
    }
}

impl fmt::Display for NonceCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(str::from_utf8(&self.digits()).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(list: &str, expected: OfferedQop) {
        assert_eq!(OfferedQop::read(list.as_bytes()), expected, "{list}");
        if let Some(list) = expected.list() {
            assert_eq!(OfferedQop::read(list.as_bytes()), expected);
        }
    }

    #[test]
    fn passes_over_values_that_nobody_knows() {
        check("auth", OfferedQop::Auth);
        check("AUTH-INT", OfferedQop::AuthInt);
        check("auth,auth-int", OfferedQop::Both);
        check("auth-int , x, auth", OfferedQop::Both);
        check("auth-conf, auth", OfferedQop::Auth);
        check("token, , auth-int,auth-int", OfferedQop::AuthInt);
        check("auth-conf", OfferedQop::Unknown);
        check("", OfferedQop::Unknown);
    }

    #[test]
    fn has_what_was_offered_alone() {
        let has = |offered: OfferedQop| (offered.has(Qop::Auth), offered.has(Qop::AuthInt));
        assert_eq!(has(OfferedQop::Both), (true, true));
        assert_eq!(has(OfferedQop::Auth), (true, false));
        assert_eq!(has(OfferedQop::AuthInt), (false, true));
        assert_eq!(has(OfferedQop::Legacy), (false, false));
        assert_eq!(has(OfferedQop::Unknown), (false, false));
    }

    #[track_caller]
    fn check_count(sent: &str, expected: Option<u32>) {
        assert_eq!(NonceCount::read(sent.as_bytes()).map(NonceCount::number), expected, "{sent}");
        if let Some(count) = expected.and_then(NonceCount::new) {
            assert_eq!(count.to_string(), sent);
        }
    }

    #[test]
    fn a_count_has_one_spelling_on_the_wire() {
        check_count("00000001", Some(1));
        check_count("0000000a", Some(10));
        check_count("ffffffff", Some(u32::MAX));
        for other in
            ["", "1", "00000000", "0000000A", "000000001", "0000000", "+0000001", "0000 001"]
        {
            check_count(other, None);
        }
    }

    #[test]
    fn a_typed_count_may_be_short_and_of_any_case() {
        assert_eq!(NonceCount::typed("1").unwrap(), NonceCount::FIRST);
        assert_eq!(NonceCount::typed("0000001F").unwrap().number(), 31);
        for other in ["", "0", "00000000", "000000001", "x", "+1", "-1", " 1"] {
            assert_eq!(NonceCount::typed(other).unwrap_err().code(), "digest_nonce_count");
        }
    }
}
