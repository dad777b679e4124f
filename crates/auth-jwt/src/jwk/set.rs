//! Sets of keys (RFC 7517 section 5).

use super::{Jwk, Wrong};
use crate::json::{self, Object, Value};
use auth_core::{Error, Result};
use std::fmt;

/// The keys that an issuer publishes.
pub struct JwkSet {
    keys: Vec<Jwk>,
    left_out: Vec<LeftOutKey>,
}

/// A key of a set that is not used, and why not.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LeftOutKey {
    /// Its `kid`, if it has one: the visible characters of it, [`MOST_KEY_ID_BYTES`](crate::JwsHeader::MOST_KEY_ID_BYTES)
    /// at most.
    pub kid: Option<Box<str>>,
    /// Why it is not used. Nothing of the key is in it.
    pub error: Error,
}

impl JwkSet {
    /// The most bytes of a set.
    pub const MOST_BYTES: usize = 256 * 1024;
    /// The most keys of a set, those included that are left out.
    pub const MOST_KEYS: usize = 100;

    /// Reads a set. Keys of types and curves that are not implemented, or that lack a member, are
    /// [left out](Self::left_out), as section 5 has it.
    ///
    /// # Errors
    ///
    /// `Error::Config` when it is not strict JSON, has no `keys`, or is larger than our limits.
    pub fn parse(text: &[u8]) -> Result<Self> {
        if text.len() > Self::MOST_BYTES {
            return Err(Error::config("jwks_size", "key set is longer than 256 KiB"));
        }
        let mut set = None;
        json::object(text, |name, value| {
            if name.means("keys") {
                let Value::Array(array) = value else { return Err(Wrong::Type("keys")) };
                let mut keys = Self { keys: Vec::new(), left_out: Vec::new() };
                array.elements(|key| keys.add(key))?;
                set = Some(keys);
            }
            Ok(())
        })
        .map_err(|wrong| match wrong {
            Wrong::Unknown(_) => Error::config("jwks_many", "key set has more than 100 keys"),
            other => other.into(),
        })?;
        set.ok_or_else(|| Wrong::Missing("keys").into())
    }

    fn add(&mut self, key: Value<'_>) -> Result<(), Wrong> {
        if self.keys.len() + self.left_out.len() >= Self::MOST_KEYS {
            return Err(Wrong::Unknown("keys"));
        }
        let Value::Object(key) = key else { return Err(Wrong::Type("keys")) };
        match Jwk::read(key) {
            Ok(key) => self.keys.push(key),
            Err(wrong @ Wrong::Json(_)) => return Err(wrong),
            Err(wrong) => {
                self.left_out.push(LeftOutKey::new(kid(key).as_deref(), wrong.into()));
            }
        }
        Ok(())
    }

    /// The keys that were understood, in their order.
    #[must_use]
    pub fn keys(&self) -> &[Jwk] {
        &self.keys
    }

    /// The keys that were not understood, in their order.
    #[must_use]
    pub fn left_out(&self) -> &[LeftOutKey] {
        &self.left_out
    }
}

impl LeftOutKey {
    pub(crate) fn new(kid: Option<&str>, error: Error) -> Self {
        let most = crate::JwsHeader::MOST_KEY_ID_BYTES;
        let visible = |kid: &str| kid.chars().filter(char::is_ascii_graphic).take(most).collect();
        Self { kid: kid.map(visible), error }
    }
}

/// The `kid` of a key of which nothing else may be right.
fn kid(key: Object<'_>) -> Option<Box<str>> {
    let mut kid = None;
    let read = key.members(|name, value| {
        if name.means("kid") {
            kid = value.string().map(|text| text.to_str().into());
        }
        Ok::<_, Wrong>(())
    });
    read.ok().and(kid)
}

impl fmt::Debug for JwkSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.keys).finish()
    }
}
