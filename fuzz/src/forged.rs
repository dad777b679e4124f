//! Tokens that say whatever an input wants, signed with a key that is known, and a second reading of their JSON.

use std::{collections::BTreeMap, sync::LazyLock};

use auth_jwt::{JwsAlgorithm, VerifyingKey};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::hmac;
use serde_json::value::RawValue;

const SECRET: [u8; 32] = [7; 32];

pub(crate) static KEY: LazyLock<VerifyingKey> =
    LazyLock::new(|| VerifyingKey::from_secret(JwsAlgorithm::HS256, &SECRET).unwrap());

pub(crate) static RING: LazyLock<hmac::Key> =
    LazyLock::new(|| hmac::Key::new(hmac::HMAC_SHA256, &SECRET));

/// The token of this header and payload.
pub(crate) fn token(header: &[u8], payload: &[u8]) -> String {
    let message = format!("{}.{}", encoded(header), encoded(payload));
    let tag = hmac::sign(&RING, message.as_bytes());
    format!("{message}.{}", encoded(tag.as_ref()))
}

pub(crate) fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// `None` where it is not the one encoding of its bytes.
pub(crate) fn decoded(text: &str) -> Option<Vec<u8>> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    (encoded(&bytes) == text).then_some(bytes)
}

/// The members of an object with their values as they are written. Of two members of one name the last.
pub(crate) struct Members(BTreeMap<String, Box<RawValue>>);

impl Members {
    pub(crate) fn read(json: &[u8]) -> Option<Self> {
        serde_json::from_slice(json).ok().map(Self)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub(crate) fn raw(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.get())
    }

    /// `Some(None)` where it is of another type.
    pub(crate) fn text(&self, name: &str) -> Option<Option<String>> {
        self.raw(name).map(|raw| serde_json::from_str(raw).ok())
    }

    /// `Some(None)` where it is of another type.
    pub(crate) fn number(&self, name: &str) -> Option<Option<f64>> {
        let written =
            |raw: &str| raw.starts_with(|first: char| first == '-' || first.is_ascii_digit());
        self.raw(name).map(|raw| if written(raw) { raw.parse().ok() } else { None })
    }
}

/// Codes of what another reader of JSON has no bound or rule for.
pub(crate) fn is_stricter(code: &str) -> bool {
    ["_duplicate", "_depth", "_members"].iter().any(|end| code.ends_with(end))
}
