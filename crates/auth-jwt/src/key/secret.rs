//! Shared secrets (RFC 7518 section 3.2).

use crate::JwsAlgorithm;
use auth_core::{Error, Result};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use ring::hmac;
use zeroize::Zeroizing;

/// The key of an algorithm that has a shared secret.
pub(super) fn hmac_key(algorithm: JwsAlgorithm, secret: &[u8]) -> Result<hmac::Key> {
    let hash = match algorithm {
        JwsAlgorithm::HS256 => hmac::HMAC_SHA256,
        JwsAlgorithm::HS384 => hmac::HMAC_SHA384,
        JwsAlgorithm::HS512 => hmac::HMAC_SHA512,
        other => {
            let text = format!("{other} has no secret, expected HS256, HS384 or HS512");
            return Err(Error::config("jwt_key_algorithm", text));
        }
    };
    let least = hash.digest_algorithm().output_len();
    if secret.len() < least {
        let text = format!(
            "{algorithm} secret has {} bytes, expected at least {least} (RFC 7518 section 3.2)",
            secret.len()
        );
        return Err(Error::config("jwt_key_short", text));
    }
    if looks_like_a_public_key(secret) {
        let text = "secret is the text of a public key or certificate, which everybody knows";
        return Err(Error::config("jwt_key_public", text));
    }
    Ok(hmac::Key::new(hash, secret))
}

/// The bytes of a secret that was given in Base64, in either alphabet, padded or not.
pub(super) fn decode(text: &str) -> Result<Zeroizing<Vec<u8>>> {
    let wrong = || {
        let text = "secret is not Base64, expected the standard or the URL alphabet (RFC 4648)";
        Error::config("jwt_key_base64", text)
    };
    let text = text.trim();
    let bare = text.trim_end_matches('=');
    if text.len() - bare.len() > 2 || (text.len() > bare.len() && text.len() % 4 != 0) {
        return Err(wrong());
    }
    let standard: Zeroizing<String> = Zeroizing::new(
        bare.chars()
            .map(|character| match character {
                '-' => '+',
                '_' => '/',
                other => other,
            })
            .collect(),
    );
    STANDARD_NO_PAD.decode(standard.as_bytes()).map(Zeroizing::new).map_err(|_| wrong())
}

/// The mistake that algorithm confusion lives on: verifying HMAC with what is published.
fn looks_like_a_public_key(secret: &[u8]) -> bool {
    let begins = |label: &[u8]| secret.trim_ascii_start().starts_with(label);
    begins(b"-----BEGIN PUBLIC KEY-----")
        || begins(b"-----BEGIN RSA PUBLIC KEY-----")
        || begins(b"-----BEGIN CERTIFICATE-----")
        || begins(b"ssh-rsa ")
}
