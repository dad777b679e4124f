//! Credentials and events as stores keep them: text with a version, which a newer program still reads.

mod credential;
mod event;

use auth_core::{Error, KeyDigest, Result};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::fmt::Write;

/// The version of the forms below, which each text begins with. A program refuses what a newer one wrote, since it does
/// not know what it means.
const VERSION: u32 = 1;

#[derive(Deserialize)]
struct OnlyVersion {
    v: u32,
}

fn write<T: Serialize>(value: &T) -> String {
    // Only keys that are no text could fail, and there are none.
    serde_json::to_string(value).unwrap_or_default()
}

fn read<T: DeserializeOwned>(what: &'static str, text: &str) -> Result<T> {
    let OnlyVersion { v } = serde_json::from_str(text).map_err(|_| unreadable(what))?;
    if v != VERSION {
        let text = format!(
            "a stored {what} has version {v}, expected {VERSION}; use the version of the program that wrote it"
        );
        return Err(Error::config("lifecycle_stored_version", text));
    }
    serde_json::from_str(text).map_err(|_| unreadable(what))
}

fn unreadable(what: &'static str) -> Error {
    let text = format!("a stored {what} cannot be read: it was changed outside of this program");
    Error::config("lifecycle_stored_unreadable", text)
}

pub(crate) fn to_hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().saturating_mul(2));
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte.wrapping_sub(b'0')),
        b'a'..=b'f' => Some(byte.wrapping_sub(b'a').wrapping_add(10)),
        _ => None,
    };
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some((digit(*high)? << 4) | digit(*low)?),
        _ => None,
    };
    text.as_bytes().chunks(2).map(pair).collect()
}

pub(crate) fn digest_from_hex(text: &str) -> Option<KeyDigest> {
    from_hex(text)?.try_into().ok().map(KeyDigest::from_bytes)
}
