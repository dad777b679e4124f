//! Putting a token together and signing it.

use super::{ClaimsToSign, SignedJwt, front::Front, json::Scratch};
use crate::{SigningKey, base64url, json::Moment};
use auth_core::{Error, Result, Timestamp};
use zeroize::Zeroizing;

impl ClaimsToSign {
    /// Signs these claims as of now, with this `jti`.
    ///
    /// From the second time on an HMAC key allocates the token and nothing else.
    ///
    /// # Errors
    ///
    /// What the key's [`sign`](SigningKey::sign) says, and `Error::Config` when `exp` would be after the year 2286,
    /// where verifiers take it for milliseconds.
    pub fn sign(&self, key: &SigningKey, now: Timestamp, id: Option<&str>) -> Result<SignedJwt> {
        let issued_at = now.unix();
        let expires = self.lifetime.map(|lifetime| issued_at.saturating_add(lifetime));
        if expires.is_some_and(|expires| expires > Moment::MOST) {
            return Err(Error::config("jwt_mint_lifetime", "lifetime ends after the year 2286"));
        }
        let kept = self.front.get_or_init(|| Front::of(self, key.algorithm()));
        let other;
        let front = if kept.algorithm == key.algorithm() {
            kept
        } else {
            other = Front::of(self, key.algorithm());
            &other
        };
        let mut claims = Scratch::new();
        self.write_claims(front, issued_at, expires, id, &mut claims);
        let claims = claims.bytes();

        let most = front.encoded.len() + 3 + (claims.len() + key.signature_len()) * 4 / 3;
        let mut token = Zeroizing::new(Vec::with_capacity(most));
        token.extend_from_slice(&front.encoded);
        base64url::encode_into(claims, &mut token);
        sign(key, &mut token)?;
        SignedJwt::new(token, expires.map(Timestamp::from_unix))
    }

    /// Behind the front. Every member brings the comma before it; where the front has none, the first comma becomes the
    /// brace.
    fn write_claims(
        &self,
        front: &Front,
        issued_at: u64,
        expires: Option<u64>,
        id: Option<&str>,
        json: &mut Scratch,
    ) {
        json.push(&front.rest);
        if self.issued_at {
            json.push(b",\"iat\":");
            json.push_number(issued_at);
        }
        if let Some(expires) = expires {
            json.push(b",\"exp\":");
            json.push_number(expires);
        }
        if let Some(id) = id {
            json.push(b",\"jti\":");
            json.push_string(id);
        }
        for members in [&self.subject, &self.audience, &self.custom] {
            json.push(members.as_bytes());
        }
        if self.issuer.is_empty() {
            json.open();
        }
        json.push(b"}");
    }
}

/// Appends the signature of what is there.
fn sign(key: &SigningKey, token: &mut Vec<u8>) -> Result<()> {
    if key.signature_len() <= SHORT_SIGNATURE {
        return sign_with::<SHORT_SIGNATURE>(key, token);
    }
    sign_with::<LONG_SIGNATURE>(key, token)
}

fn sign_with<const MOST: usize>(key: &SigningKey, token: &mut Vec<u8>) -> Result<()> {
    let mut signature = [0; MOST];
    let length = key.sign(token, &mut signature)?;
    token.push(b'.');
    base64url::encode_into(signature.get(..length).unwrap_or_default(), token);
    Ok(())
}

/// Of the bytes that HMAC, ECDSA and Ed25519 signatures have, the most.
const SHORT_SIGNATURE: usize = 96;
/// Of the bytes that a signature has, the most: RSA with 8192 bits.
const LONG_SIGNATURE: usize = 1024;
