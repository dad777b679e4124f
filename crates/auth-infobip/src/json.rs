//! Reading the objects that bodies are.

use serde::{Deserialize, de::Error as _};

/// A body that is an object. Deserializing alone would take an array of the members' values as well.
pub(crate) fn read_object<'a, T: Deserialize<'a>>(body: &'a [u8]) -> serde_json::Result<T> {
    match body.trim_ascii_start().starts_with(b"{") {
        true => serde_json::from_slice(body),
        false => Err(serde_json::Error::custom("expected an object")),
    }
}
