//! Credentials and events as stores keep them: JSON with a version, which a newer program still reads.

mod credential;
mod event;

use auth_core::{Error, KeyDigest, Result, Timestamp};
use serde_json::{Map, Value, json};
use std::{fmt::Write, time::Duration};

/// The version of the forms below, which each text says. A program refuses what a newer one wrote, since it does not
/// know what it means.
const VERSION: u64 = 1;

/// A JSON object with its fields in this order. The ledger's chain covers such texts, so they must not depend on how
/// `serde_json` was built.
fn write(fields: &[(&str, Value)]) -> String {
    let mut text = String::new();
    for (name, value) in fields {
        let before = if text.is_empty() { '{' } else { ',' };
        let _ = write!(text, "{before}\"{name}\":{value}");
    }
    text.push('}');
    text
}

/// The fields of one stored thing. Each is taken once, and none may be left.
struct Fields {
    what: &'static str,
    rest: Map<String, Value>,
}

impl Fields {
    fn read(what: &'static str, text: &str) -> Result<Self> {
        let rest = match serde_json::from_str(text) {
            Ok(Value::Object(rest)) => rest,
            _ => return Err(unreadable(what, "it is no JSON object")),
        };
        let mut fields = Self { what, rest };
        let version = fields.number("v")?;
        if version == VERSION {
            return Ok(fields);
        }
        let text = format!(
            "a stored {what} has version {version}, expected {VERSION}; use the version of the program that wrote it"
        );
        Err(Error::config("lifecycle_stored_version", text))
    }

    /// Gives what was read, if nothing else was there.
    fn finish<T>(self, read: T) -> Result<T> {
        match self.rest.keys().next() {
            None => Ok(read),
            Some(_) => Err(unreadable(self.what, "it has a field that is not known")),
        }
    }

    /// What `read` makes of a field that has to be there.
    fn take<T>(&mut self, name: &'static str, read: impl FnOnce(&Value) -> Option<T>) -> Result<T> {
        self.rest.remove(name).as_ref().and_then(read).ok_or_else(|| unreadable(self.what, name))
    }

    /// The same of a field that may be null.
    fn maybe<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Result<Option<T>> {
        self.take(name, |value| if value.is_null() { Some(None) } else { read(value).map(Some) })
    }

    fn number(&mut self, name: &'static str) -> Result<u64> {
        self.take(name, Value::as_u64)
    }

    fn text<T: From<String>>(&mut self, name: &'static str) -> Result<T> {
        self.take(name, text)
    }

    fn maybe_text<T: From<String>>(&mut self, name: &'static str) -> Result<Option<T>> {
        self.maybe(name, text)
    }

    /// A text that names one of several things.
    fn named<T>(&mut self, name: &'static str, find: impl FnOnce(&str) -> Option<T>) -> Result<T> {
        self.take(name, |value| value.as_str().and_then(find))
    }
}

fn text<T: From<String>>(value: &Value) -> Option<T> {
    value.as_str().map(|text| text.to_owned().into())
}

/// Seconds and nanoseconds since 1970, so that nothing is rounded.
fn from_moment(at: Timestamp) -> Value {
    let since = at.since_epoch();
    json!([since.as_secs(), since.subsec_nanos()])
}

fn moment(value: &Value) -> Option<Timestamp> {
    let [seconds, nanos] = value.as_array()?.as_slice() else { return None };
    let nanos = Duration::from_nanos(nanos.as_u64().filter(|nanos| *nanos < 1_000_000_000)?);
    Some(Timestamp::from_unix(seconds.as_u64()?).after(nanos))
}

fn unreadable(what: &'static str, field: &str) -> Error {
    let text =
        format!("a stored {what} cannot be read: it was changed outside of this program ({field})");
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
