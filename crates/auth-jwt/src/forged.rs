//! Tokens that say whatever a test wants, signed with a key that is known.

use crate::{JwsAlgorithm, SigningKey, base64url};

pub(crate) const HS256: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

pub(crate) fn key() -> SigningKey {
    SigningKey::from_secret(JwsAlgorithm::HS256, &[7; 32]).unwrap()
}

pub(crate) fn encoded(bytes: impl AsRef<[u8]>) -> String {
    let mut out = Vec::new();
    base64url::encode_into(bytes.as_ref(), &mut out);
    String::from_utf8(out).unwrap()
}

/// The token of this header and payload.
pub(crate) fn token(header: &str, payload: impl AsRef<[u8]>) -> String {
    signed(format!("{}.{}", encoded(header), encoded(payload)))
}

/// The token of this text in front of its signature.
pub(crate) fn signed(mut message: String) -> String {
    let mut signature = [0; 64];
    let length = key().sign(message.as_bytes(), &mut signature).unwrap();
    message.push('.');
    message + &encoded(&signature[..length])
}
