//! A JWS without its payload (RFC 7515 appendix F).

use super::reason;
use auth_core::{Error, Reason};
use auth_jwt::{KeyId, SigningKey, UnverifiedJws, VerifyingKey};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// `HEADER..SIGNATURE`.
pub(super) fn sign(key: &SigningKey, kid: Option<&str>, body: &[u8]) -> auth_core::Result<String> {
    let algorithm = key.algorithm();
    let header = match kid {
        Some(kid)
            if kid.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"\\".contains(&byte)) =>
        {
            format!(r#"{{"alg":"{algorithm}","kid":"{kid}"}}"#)
        }
        Some(_) => {
            let text = "kid of a signing key has a blank, a quote or a backslash; choose another";
            return Err(Error::config("webhook_signature_kid", text));
        }
        None => format!(r#"{{"alg":"{algorithm}"}}"#),
    };
    let mut message = URL_SAFE_NO_PAD.encode(header);
    let head = message.len();
    message.push('.');
    URL_SAFE_NO_PAD.encode_string(body, &mut message);
    let mut signature = vec![0; key.signature_len()];
    let written = key.sign(message.as_bytes(), &mut signature)?;
    signature.truncate(written);
    message.truncate(head);
    message.push_str("..");
    URL_SAFE_NO_PAD.encode_string(signature, &mut message);
    Ok(message)
}

/// Whose key the header of a detached JWS names: to look it up, and for nothing else. Nobody has signed this yet.
pub(super) fn key_id(presented: &str) -> Option<KeyId> {
    let (header, signature) = presented.split_once("..")?;
    let whole = format!("{header}..{signature}");
    let parsed = UnverifiedJws::parse(&whole).ok()?;
    Some(KeyId { issuer: None, kid: parsed.header().key_id().map(Into::into) })
}

/// Proves a signature over this body.
///
/// # Errors
///
/// Why it is not proven.
pub(super) fn verify<'k>(
    presented: &str,
    body: &[u8],
    keys: impl Iterator<Item = (Option<&'k str>, &'k VerifyingKey)>,
) -> Result<(), Reason> {
    let (header, signature) = presented.split_once("..").ok_or(reason::MALFORMED)?;
    if header.contains('.')
        || signature.contains('.')
        || presented.len() > UnverifiedJws::MOST_BYTES
    {
        return Err(reason::MALFORMED);
    }
    let encoded = body.len().saturating_mul(4) / 3;
    let mut whole =
        String::with_capacity(presented.len().saturating_add(encoded).saturating_add(4));
    whole.push_str(header);
    whole.push('.');
    URL_SAFE_NO_PAD.encode_string(body, &mut whole);
    whole.push('.');
    whole.push_str(signature);
    let parsed =
        UnverifiedJws::parse_at_most(&whole, whole.len()).map_err(|_| reason::MALFORMED)?;
    let named = parsed.header().key_id().map(str::to_owned);
    let is_it = |kid: Option<&str>| kid.is_none() || named.is_none() || kid == named.as_deref();
    let fitting = keys.filter(|(kid, _)| is_it(*kid)).map(|(_, key)| key);
    parsed.verify_any(fitting).map(drop).map_err(|_| reason::WRONG)
}
