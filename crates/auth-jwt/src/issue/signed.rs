//! A token that was just signed.

use auth_core::{Error, Result, Timestamp};
use std::fmt;
use zeroize::Zeroizing;

/// A token that was just signed. Any program that has it is taken for its subject: so it is not shown, and wiped
/// when it is dropped.
pub struct SignedJwt {
    token: Zeroizing<String>,
    expires: Option<Timestamp>,
}

impl SignedJwt {
    pub(super) fn new(mut token: Zeroizing<Vec<u8>>, expires: Option<Timestamp>) -> Result<Self> {
        let text = String::from_utf8(std::mem::take(&mut *token))
            .map_err(|error| Error::config("jwt_mint_text", error))?;
        Ok(Self { token: Zeroizing::new(text), expires })
    }

    /// The token itself, in compact serialization, for the one place that sends it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.token
    }

    /// Its `exp`.
    #[must_use]
    pub const fn expires(&self) -> Option<Timestamp> {
        self.expires
    }
}

impl fmt::Debug for SignedJwt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedJwt").field("expires", &self.expires).finish_non_exhaustive()
    }
}
