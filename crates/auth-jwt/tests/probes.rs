//! Why there is a core of our own: what jsonwebtoken 11 lets pass or says wrongly, and what we say.
//!
//! Each probe is made on both. `docs/decisions/0002-our-own-jwt-core.md` draws the conclusion.

#![allow(clippy::unwrap_used)]

use auth_core::Timestamp;
use auth_jwt::{JwsAlgorithm, JwtPolicy, UnverifiedJws, VerifyingKey};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{DecodingKey, Validation, decode, errors::ErrorKind};
use ring::hmac;

const SECRET: [u8; 32] = [7; 32];
/// In the year 2100: jsonwebtoken takes no clock.
const EXP: u64 = 4_102_444_800;
const NOW: Timestamp = Timestamp::from_unix(1_700_000_000);

fn token(header: &str, claims: &str, secret: &[u8]) -> String {
    let encode = |text| URL_SAFE_NO_PAD.encode(text);
    let message = format!("{}.{}", encode(header), encode(claims));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag))
}

fn theirs(token: &str, secret: &[u8], validation: &Validation) -> Result<(), ErrorKind> {
    let key = DecodingKey::from_secret(secret);
    let judged = decode::<serde_json::Value>(token, &key, validation);
    judged.map(drop).map_err(|error| error.kind().clone())
}

fn ours(token: &str, policy: &JwtPolicy) -> Result<(), &'static str> {
    let key = VerifyingKey::from_secret(JwsAlgorithm::HS256, &SECRET).unwrap();
    UnverifiedJws::parse(token)
        .and_then(|token| token.verify(&key))
        .and_then(|signed| signed.claims(policy, NOW))
        .map(drop)
        .map_err(|refused| refused.reason().code)
}

/// They accept, we refuse.
#[track_caller]
fn check(header: &str, claims: &str, validation: &Validation, policy: &JwtPolicy, code: &str) {
    let token = token(header, claims, &SECRET);
    assert_eq!(theirs(&token, &SECRET, validation), Ok(()), "jsonwebtoken has changed");
    assert_eq!(ours(&token, policy), Err(code));
}

fn validation(change: impl FnOnce(&mut Validation)) -> Validation {
    let mut validation = Validation::new(jsonwebtoken::Algorithm::HS256);
    change(&mut validation);
    validation
}

const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

#[test]
fn an_extension_that_nobody_understands_is_refused() {
    let header = r#"{"alg":"HS256","crit":["x"],"x":1}"#;
    let claims = format!(r#"{{"exp":{EXP}}}"#);
    check(header, &claims, &validation(|_| {}), &JwtPolicy::new(), "jwt_crit");
}

#[test]
fn an_issuer_that_was_configured_must_be_there_and_be_text() {
    let theirs = validation(|theirs| theirs.set_issuer(&["me"]));
    let ours = JwtPolicy::new().with_issuer("me");
    check(HEADER, &format!(r#"{{"exp":{EXP}}}"#), &theirs, &ours, "jwt_iss_missing");
    check(HEADER, &format!(r#"{{"exp":{EXP},"iss":7}}"#), &theirs, &ours, "jwt_iss_type");
    check(HEADER, &format!(r#"{{"exp":{EXP},"iss":null}}"#), &theirs, &ours, "jwt_iss_type");
}

#[test]
fn an_audience_that_was_configured_must_be_there_and_be_text() {
    let theirs = validation(|theirs| theirs.set_audience(&["us"]));
    let ours = JwtPolicy::new().with_audience("us");
    check(HEADER, &format!(r#"{{"exp":{EXP}}}"#), &theirs, &ours, "jwt_aud_missing");
    check(HEADER, &format!(r#"{{"exp":{EXP},"aud":7}}"#), &theirs, &ours, "jwt_aud_type");
}

#[test]
fn an_empty_secret_is_none() {
    let token = token(HEADER, &format!(r#"{{"exp":{EXP}}}"#), b"");
    assert_eq!(theirs(&token, b"", &validation(|_| {})), Ok(()), "jsonwebtoken has changed");
    let refused = VerifyingKey::from_secret(JwsAlgorithm::HS256, b"").unwrap_err();
    assert_eq!(refused.code(), "jwt_key_short");
}

/// An operator who is told that a claim is missing looks for it in vain.
#[test]
fn a_negative_date_is_told_as_what_it_is() {
    let token = token(HEADER, r#"{"exp":-1}"#, &SECRET);
    let missing = ErrorKind::MissingRequiredClaim(String::from("exp"));
    let told = theirs(&token, &SECRET, &validation(|_| {})).unwrap_err();
    assert!(matches!((told, missing),
        (ErrorKind::MissingRequiredClaim(told), ErrorKind::MissingRequiredClaim(exp)) if told == exp));
    assert_eq!(ours(&token, &JwtPolicy::new()), Err("jwt_exp_negative"));
}

#[test]
fn a_name_that_comes_twice_is_refused() {
    let claims = format!(r#"{{"exp":{EXP},"role":"user","role":"admin"}}"#);
    check(HEADER, &claims, &validation(|_| {}), &JwtPolicy::new(), "jwt_claims_duplicate");
}

/// They have no limit, and take the keys that a token brings for decoration.
#[test]
fn limits_and_foreign_keys() {
    let long = format!(r#"{{"exp":{EXP},"a":"{}"}}"#, "a".repeat(8 * 1024));
    check(HEADER, &long, &validation(|_| {}), &JwtPolicy::new(), "jwt_size");
    let header = r#"{"alg":"HS256","jku":"https://mallory.example/jwks.json"}"#;
    let claims = format!(r#"{{"exp":{EXP}}}"#);
    check(header, &claims, &validation(|_| {}), &JwtPolicy::new(), "jwt_jku");
}

/// What both do by default.
#[test]
fn an_end_is_required_by_both() {
    let token = token(HEADER, "{}", &SECRET);
    assert!(theirs(&token, &SECRET, &validation(|_| {})).is_err());
    assert_eq!(ours(&token, &JwtPolicy::new()), Err("jwt_exp_missing"));
}
