//! `credentials = "Basic" 1*SP token68`, where the token68 is base64 of `user-id ":" password` (RFC 7617 section 2).

use super::has_control;
use auth_core::{Authorization, Reason, Rejection};
use base64::{Engine, engine::general_purpose::STANDARD};
use std::{fmt, str};
use zeroize::Zeroize;

/// What a caller presented, decoded into a [`Buffer`].
#[derive(Clone, Copy)]
pub struct UserPass<'b> {
    /// The user name: UTF-8 without colon and control characters.
    pub user: &'b str,
    /// The password: UTF-8 without control characters.
    pub password: &'b str,
}

/// Where credentials are decoded: on the stack when they are short, and wiped when it goes.
pub struct Buffer {
    short: [u8; Self::SHORT],
    used: usize,
    long: Vec<u8>,
}

impl Buffer {
    const SHORT: usize = 192;

    /// An empty buffer.
    #[must_use]
    pub const fn new() -> Self {
        Self { short: [0; Self::SHORT], used: 0, long: Vec::new() }
    }

    /// Canonical base64 alone: padded, and without stray bits.
    fn decode(&mut self, encoded: &str) -> Option<&[u8]> {
        if base64::decoded_len_estimate(encoded.len()) > Self::SHORT {
            self.long = STANDARD.decode(encoded).ok()?;
            return Some(&self.long);
        }
        self.used = STANDARD.decode_slice(encoded, &mut self.short).ok()?;
        self.short.get(..self.used)
    }
}

impl Default for Buffer {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.short.iter_mut().take(self.used).for_each(Zeroize::zeroize);
        self.long.zeroize();
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Buffer(..)")
    }
}

/// Shows nothing: a user name may be one typed in the wrong field.
impl fmt::Debug for UserPass<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserPass(..)")
    }
}

/// Reads user name and password.
///
/// # Errors
///
/// The 400 of [`Authorization::token68`] when there is not exactly one value; otherwise the reason why it is none, for
/// the verifier to answer as it answers a wrong password.
pub fn parse<'b>(
    authorization: &Authorization<'_>,
    buffer: &'b mut Buffer,
) -> Result<UserPass<'b>, Refused> {
    let encoded = authorization.token68().map_err(Refused::Ambiguous)?;
    let decoded = buffer.decode(encoded).ok_or(Refused::Malformed(BASE64))?;
    let text = str::from_utf8(decoded).map_err(|_| Refused::Malformed(UTF_8))?;
    let (user, password) = text.split_once(':').ok_or(Refused::Malformed(COLON))?;
    if has_control(text) {
        return Err(Refused::Malformed(CONTROL));
    }
    Ok(UserPass { user, password })
}

/// Why there is no user name and password.
#[derive(Debug)]
pub enum Refused {
    /// There are several readings: a 400.
    Ambiguous(Rejection),
    /// There is none: refused like a wrong password.
    Malformed(Reason),
}

const BASE64: Reason = Reason::new("basic_malformed", "credentials are not canonical base64");
const UTF_8: Reason = Reason::new("basic_not_utf8", "credentials are not UTF-8");
const COLON: Reason =
    Reason::new("basic_no_colon", "credentials have no colon behind the user name");
const CONTROL: Reason =
    Reason::new("basic_control_character", "credentials have a control character");
