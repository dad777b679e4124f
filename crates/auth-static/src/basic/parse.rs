//! `credentials = "Basic" 1*SP token68`, where the token68 is base64 of `user-id ":" password` (RFC 7617 section 2).

use super::has_control;
use auth_core::{Authorization, Reason, Rejection};
use base64::{Engine, engine::general_purpose::STANDARD};
use std::{fmt, str};
use zeroize::{Zeroize, optimization_barrier};

/// What a caller presented, decoded into a [`Buffer`].
#[derive(Clone, Copy)]
pub struct UserPass<'b> {
    /// The user name: UTF-8 without colon and control characters.
    pub user: &'b str,
    /// The password: bytes that are UTF-8 without control characters.
    pub password: &'b [u8],
}

/// Where credentials are decoded: on the stack when they are short, and wiped when it goes.
pub struct Buffer {
    short: [u8; Self::SHORT],
    long: Vec<u8>,
}

impl Buffer {
    const SHORT: usize = 192;

    /// An empty buffer.
    #[must_use]
    pub const fn new() -> Self {
        Self { short: [0; Self::SHORT], long: Vec::new() }
    }

    /// Canonical base64 alone: padded, and without stray bits.
    fn decode(&mut self, encoded: &[u8]) -> Option<&[u8]> {
        if base64::decoded_len_estimate(encoded.len()) > Self::SHORT {
            self.long = STANDARD.decode(encoded).ok()?;
            return Some(&self.long);
        }
        let length = STANDARD.decode_slice(encoded, &mut self.short).ok()?;
        self.short.get(..length)
    }
}

impl Default for Buffer {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.short.fill(0);
        optimization_barrier(&self.short);
        if !self.long.is_empty() {
            self.long.zeroize();
        }
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
    // Base64 is a token68: only what cannot be decoded is worth asking whether it could be several values.
    let decoded = buffer.decode(authorization.credentials()).ok_or_else(|| {
        authorization.token68().map_or_else(Refused::Ambiguous, |_| Refused::Malformed(BASE64))
    })?;
    // Most are ASCII, which is far cheaper to see than that something is UTF-8.
    if !decoded.is_ascii() && str::from_utf8(decoded).is_err() {
        return Err(Refused::Malformed(UTF_8));
    }
    if has_control(decoded) {
        return Err(Refused::Malformed(CONTROL));
    }
    let colon = decoded.iter().position(|byte| *byte == b':').ok_or(Refused::Malformed(COLON))?;
    let user = decoded.get(..colon).and_then(|user| str::from_utf8(user).ok());
    let (user, password) = user.zip(decoded.get(colon + 1..)).ok_or(Refused::Malformed(UTF_8))?;
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
