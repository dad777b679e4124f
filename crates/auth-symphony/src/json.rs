//! Reading the objects that messages are.

use serde::{Deserialize, de::Error as _};

/// A body that is an object, as text. Deserializing alone would take an array of the members' values as well, and any
/// bytes in what it passes over.
pub(crate) fn read_object<'a, T: Deserialize<'a>>(body: &'a [u8]) -> serde_json::Result<T> {
    let text = std::str::from_utf8(body).map_err(serde_json::Error::custom)?;
    match text.trim_ascii_start().starts_with('{') {
        true => serde_json::from_str(text),
        false => Err(serde_json::Error::custom("expected an object")),
    }
}
