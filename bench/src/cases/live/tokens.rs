//! JWTs as a service sends them, and their keys for us and for jsonwebtoken.

use crate::cases::jwt::{
    jsonwebtoken::{Backend, choose},
    rsa,
};
use auth_core::{Clock, SystemClock};
use auth_jwt::{ClaimsToSign, JwsAlgorithm, SigningKey, VerifyingKey};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use std::time::Duration;

pub const ISSUER: &str = "https://issuer.example";
pub const AUDIENCE: &str = "https://api.example";
const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";

#[derive(Clone, Copy)]
pub enum Kind {
    Hs256,
    Rs256,
}

/// What a user's handler works with.
#[derive(Clone, Deserialize)]
pub struct Claims {
    #[expect(dead_code, reason = "a handler would read it")]
    pub iss: String,
    #[expect(dead_code, reason = "a handler would read it")]
    pub sub: String,
    #[expect(dead_code, reason = "a handler would read it")]
    pub iat: u64,
    #[expect(dead_code, reason = "a handler would read it")]
    pub exp: u64,
}

fn signing(kind: Kind) -> SigningKey {
    match kind {
        Kind::Hs256 => SigningKey::from_secret(JwsAlgorithm::HS256, SECRET),
        Kind::Rs256 => SigningKey::from_pem(JwsAlgorithm::RS256, &rsa::pem()),
    }
    .expect("a key")
}

pub fn key(kind: Kind) -> VerifyingKey {
    signing(kind).verifying()
}

pub fn token(kind: Kind) -> String {
    let claims = ClaimsToSign::expiring_in(Duration::from_secs(3600)).expect("claims");
    let claims = claims.with_issuer(ISSUER).with_subject("somebody").with_audience(AUDIENCE);
    claims.sign(&signing(kind), SystemClock.now(), None).expect("a token").expose().to_owned()
}

/// The same key for jsonwebtoken, whose provider is made ready for this thread's cases.
pub fn for_jsonwebtoken(kind: Kind) -> (DecodingKey, Algorithm) {
    choose(Backend::AwsLc);
    match kind {
        Kind::Hs256 => (DecodingKey::from_secret(SECRET), Algorithm::HS256),
        Kind::Rs256 => {
            let key = DecodingKey::from_rsa_pem(&rsa::public_pem()).expect("a key");
            (key, Algorithm::RS256)
        }
    }
}
