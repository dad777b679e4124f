//! What a token costs the allocator: to sign it, the token; to verify it, the claims.

#![allow(clippy::unwrap_used)]

use auth_core::Timestamp;
use auth_jwt::{
    Claims, ClaimsToSign, JwsAlgorithm, JwtPolicy, SigningKey, UnverifiedJws, VerifyingKey,
};
use std::time::Duration;

const NOW: Timestamp = Timestamp::from_unix(1_700_000_000);

fn key() -> SigningKey {
    SigningKey::from_secret(JwsAlgorithm::HS256, &[7; 32]).unwrap()
}

fn claims() -> ClaimsToSign {
    let claims = ClaimsToSign::expiring_in(Duration::from_secs(300)).unwrap();
    claims.with_issuer("3fa85f64-5717-4562-b3fc-2c963f66afa6")
}

fn verify(token: &str, key: &VerifyingKey, policy: &JwtPolicy) -> Claims {
    let signed = UnverifiedJws::parse(token).unwrap().verify(key).unwrap();
    signed.claims(policy, NOW).unwrap()
}

#[track_caller]
fn check(work: impl FnOnce(), expected: u64) {
    assert_eq!(allocation_counter::measure(work).count_total, expected);
}

#[test]
fn minting_allocates_the_token_once() {
    let (key, plain) = (key(), claims());
    let all = claims()
        .with_subject("s")
        .with_audience("a")
        .with_audience("b")
        .with_claim("c", &[1, 2])
        .unwrap();
    for claims in [plain, all.with_key_id("k").unwrap()] {
        claims.sign(&key, NOW, None).unwrap();
        check(|| drop(claims.sign(&key, NOW, Some("b2bf8821-5d3c-4d4b-9d71-8f5f0e4f7f0a"))), 1);
    }
}

#[test]
fn verifying_allocates_what_the_claims_own() {
    let key = key();
    let verifying = key.verifying();
    let policy =
        JwtPolicy::new().with_issuer("3fa85f64-5717-4562-b3fc-2c963f66afa6").with_audience("b");
    let claims = claims().with_audience("a").with_audience("b").with_subject("s");
    let signed = claims.sign(&key, NOW, Some("id")).unwrap();
    check(|| drop(verify(signed.expose(), &verifying, &policy)), 1);
}

#[test]
fn a_refused_token_allocates_nothing_before_its_signature_is_proven() {
    let key = key();
    let signed = claims().sign(&key, NOW, None).unwrap();
    let forged = signed.expose().replace("eyJ", "eyK");
    let other = SigningKey::from_secret(JwsAlgorithm::HS256, &[8; 32]).unwrap().verifying();
    check(|| assert!(UnverifiedJws::parse(&forged).is_err()), 0);
    check(|| assert!(UnverifiedJws::parse(signed.expose()).unwrap().verify(&other).is_err()), 0);
}
