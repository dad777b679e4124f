//! JWTs: official vectors, attacks of our own, and thousands of tokens that other libraries judge too.

mod attacks;
mod cookbook;
mod differential;
mod keys;
mod rfc;
mod tokens;
mod wycheproof;

use auth_core::Timestamp;
use auth_jwt::{Jwk, JwtPolicy, SigningKey, UnverifiedJws, VerifyingKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use conformance::{Outcome, Settings, Suite, ran, suite};
use differential::Peer;
use serde_json::Value;
use std::{fmt, time::Duration};

/// Every suite of JWTs. A new one is an entry here.
pub const SUITES: &[Suite] = &[
    suite("jwt-rfc7515", "JWT", "RFC", |_| ran(rfc::rfc7515())),
    suite("jwt-rfc8037", "JWT", "RFC", |_| ran(rfc::rfc8037())),
    suite("jwt-cookbook", "JWT", "JOSE cookbook", |settings| cookbook::cases(settings).into()),
    suite("jwt-wycheproof", "JWT", "Wycheproof", |settings| wycheproof::cases(settings).into()),
    suite("jwt-attacks", "JWT", "attacks", |_| ran(attacks::attacks())),
    suite("jwt-generated", "JWT", "generated", |_| ran(differential::meant())),
    suite("jwt-jsonwebtoken", "JWT", "jsonwebtoken", |_| ran(differential::jsonwebtoken())),
    suite("jwt-pyjwt", "JWT", "PyJWT", |settings| judged(settings, Peer::PyJwt)),
    suite("jwt-joserfc", "JWT", "joserfc", |settings| judged(settings, Peer::Joserfc)),
    suite("jwt-jwcrypto", "JWT", "jwcrypto", |settings| judged(settings, Peer::Jwcrypto)),
    suite("jwt-jose", "JWT", "jose", |settings| judged(settings, Peer::Jose)),
];

/// What somebody says of a token.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Said {
    Accepted,
    /// With a code, or the name of an exception.
    Refused(String),
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted => f.write_str("accepted"),
            Self::Refused(why) => write!(f, "refused ({why})"),
        }
    }
}

/// Our key, or the code of the error that refuses it.
pub fn key(jwk: &Value) -> Result<VerifyingKey, String> {
    let jwk = Jwk::parse(jwk.to_string().as_bytes());
    jwk.and_then(|jwk| VerifyingKey::from_jwk(&jwk, None)).map_err(|error| error.code().to_owned())
}

/// Our key that signs.
fn signing_key(jwk: &Value) -> auth_core::Result<SigningKey> {
    SigningKey::from_jwk(&Jwk::parse(jwk.to_string().as_bytes())?, None)
}

/// What all JWTs are judged by: ours, without allowance for clocks, and for any audience, as the other verifiers are told
/// to judge them.
pub fn policy() -> JwtPolicy {
    JwtPolicy::new().with_leeway(Duration::ZERO).allowing_any_audience()
}

/// What we say of a JWS: of its signature alone, and the payload if that is good.
pub fn signature(token: &str, key: &VerifyingKey) -> Result<Vec<u8>, String> {
    let signed = UnverifiedJws::parse(token).and_then(|token| token.verify(key));
    signed
        .map(|signed| signed.payload().to_vec())
        .map_err(|refused| refused.reason().code.to_owned())
}

/// What we say of a JWT at this time, in seconds: of its signature and its claims, of which `exp` alone is required.
pub fn claims(token: &str, key: &VerifyingKey, policy: &JwtPolicy, now: u64) -> Said {
    let now = Timestamp::from_unix(now);
    let claims = UnverifiedJws::parse(token)
        .and_then(|token| token.verify(key))
        .and_then(|signed| signed.claims(policy, now));
    claims
        .map_or_else(|refused| Said::Refused(refused.reason().code.to_owned()), |_| Said::Accepted)
}

/// The message with our signature of it, or the code of the error.
fn resigned(message: &str, jwk: &Value) -> Result<String, String> {
    let made = signing_key(jwk).and_then(|key| {
        let mut signature = vec![0; key.signature_len()];
        let length = key.sign(message.as_bytes(), &mut signature)?;
        Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(&signature[..length])))
    });
    made.map_err(|error| error.code().to_owned())
}

/// Tokens of every kind before us and before another library.
fn judged(settings: &Settings, peer: Peer) -> Outcome {
    differential::peer(peer, settings).map_or_else(Outcome::Skipped, ran)
}
