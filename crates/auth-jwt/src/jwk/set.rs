//! Sets of keys (RFC 7517 section 5).

use super::{Jwk, Wrong};
use crate::json::{self, Value};
use auth_core::{Error, Result};
use std::fmt;

/// The keys that an issuer publishes.
pub struct JwkSet(Vec<Jwk>);

impl JwkSet {
    /// The most bytes of a set.
    pub const MOST_BYTES: usize = 256 * 1024;
    /// The most keys of a set, those included that are left out.
    pub const MOST_KEYS: usize = 100;

    /// Reads a set. Keys of types and curves that are not implemented, or that lack a member, are left out, as
    /// section 5 has it.
    ///
    /// # Errors
    ///
    /// `Error::Config` when it is not strict JSON, has no `keys`, or is larger than our limits.
    pub fn parse(text: &[u8]) -> Result<Self> {
        if text.len() > Self::MOST_BYTES {
            return Err(Error::config("jwks_size", "key set is longer than 256 KiB"));
        }
        let mut keys = None;
        json::object(text, |name, value| {
            if name.means("keys") {
                let Value::Array(array) = value else { return Err(Wrong::Type("keys")) };
                let mut all = Vec::new();
                let mut seen = 0_usize;
                array.elements(|key| {
                    seen += 1;
                    if seen > Self::MOST_KEYS {
                        return Err(Wrong::Unknown("keys"));
                    }
                    let Value::Object(key) = key else { return Err(Wrong::Type("keys")) };
                    match Jwk::read(key) {
                        Ok(key) => all.push(key),
                        Err(wrong @ Wrong::Json(_)) => return Err(wrong),
                        Err(_) => {}
                    }
                    Ok(())
                })?;
                keys = Some(all);
            }
            Ok(())
        })
        .map_err(|wrong| match wrong {
            Wrong::Unknown(_) => Error::config("jwks_many", "key set has more than 100 keys"),
            other => other.into(),
        })?;
        keys.map(Self).ok_or_else(|| Wrong::Missing("keys").into())
    }

    /// The keys that were understood, in their order.
    #[must_use]
    pub fn keys(&self) -> &[Jwk] {
        &self.0
    }
}

impl fmt::Debug for JwkSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.0).finish()
    }
}
