//! The crate `jsonwebtoken` with our keys and our provider: all algorithms in both directions, its JWK functions, and
//! no panic.

#![cfg(feature = "jsonwebtoken")]
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use auth_core::Timestamp;
use auth_jwt::{
    ClaimsToSign, JwsAlgorithm, JwtPolicy, SigningKey, UnverifiedJws, jsonwebtoken as bridge,
};
use jsonwebtoken::{
    DecodingKey, EncodingKey, Header, Validation, decode, encode,
    jwk::{Jwk, ThumbprintHash},
};
use std::{process::Command, sync::Once, time::Duration};

/// For the whole process, as an application does it.
fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| bridge::ring_provider().install_default().unwrap());
}

/// A private key in DER, made by OpenSSL; `None`, said loudly, where there is none.
fn der(arguments: &str) -> Option<Vec<u8>> {
    let make = format!("openssl {arguments} 2>/dev/null");
    let ran = Command::new("sh").args(["-c", &make]).output().ok()?;
    if ran.stdout.is_empty() {
        eprintln!("skipped: openssl not installed");
        return None;
    }
    Some(ran.stdout)
}

/// Keys of theirs for each algorithm.
fn keys() -> Vec<(JwsAlgorithm, EncodingKey)> {
    let secret = |algorithm| (algorithm, EncodingKey::from_secret(&[7; 64]));
    let mut keys: Vec<_> =
        [JwsAlgorithm::HS256, JwsAlgorithm::HS384, JwsAlgorithm::HS512].map(secret).into();
    if let Some(rsa) = der("genrsa 2048 | openssl rsa -traditional -outform DER") {
        use JwsAlgorithm::{PS256, PS384, PS512, RS256, RS384, RS512};
        let rsa = |algorithm| (algorithm, EncodingKey::from_rsa_der(&rsa));
        keys.extend([RS256, RS384, RS512, PS256, PS384, PS512].map(rsa));
    }
    for (algorithm, curve) in [(JwsAlgorithm::ES256, "P-256"), (JwsAlgorithm::ES384, "P-384")] {
        let make = format!("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:{curve}");
        if let Some(ec) = der(&format!("{make} | openssl pkcs8 -topk8 -nocrypt -outform DER")) {
            keys.push((algorithm, EncodingKey::from_ec_der(&ec)));
        }
    }
    if let Some(ed) = der("genpkey -algorithm ed25519 -outform DER") {
        keys.push((JwsAlgorithm::EdDSA, EncodingKey::from_ed_der(&ed)));
    }
    keys
}

fn now() -> Timestamp {
    auth_core::Clock::now(&auth_core::SystemClock)
}

#[test]
fn each_takes_what_the_other_signed() {
    install();
    for (algorithm, theirs) in keys() {
        let ours = bridge::signing_key(algorithm, &theirs).unwrap();
        let verifying = match bridge::decoding_key(&ours.verifying()) {
            Some(public) => public,
            None => DecodingKey::from_secret(&[7; 64]),
        };
        let claims = serde_json::json!({ "sub": "me", "exp": now().unix() + 300 });
        let token = encode(&Header::new(algorithm.into()), &claims, &theirs).unwrap();
        let back = bridge::verifying_key(algorithm, &verifying).unwrap();
        for key in [&ours.verifying(), &back] {
            let read = UnverifiedJws::parse(&token).unwrap().verify(key).unwrap();
            let read = read.claims(&JwtPolicy::new(), now()).unwrap();
            assert_eq!(read.subject(), Some("me"), "{algorithm}");
        }

        let claims =
            ClaimsToSign::expiring_in(Duration::from_secs(300)).unwrap().with_subject("me");
        let signed = claims.sign(&ours, now(), None).unwrap();
        let validation = Validation::new(algorithm.into());
        let read = decode::<serde_json::Value>(signed.expose(), &verifying, &validation).unwrap();
        assert_eq!(read.claims["sub"], "me", "{algorithm}");
        let forged = format!("{}A", signed.expose());
        assert!(decode::<serde_json::Value>(&forged, &verifying, &validation).is_err());
    }
}

#[test]
fn its_functions_for_jwks_work() {
    install();
    for (algorithm, theirs) in keys() {
        let jwk = Jwk::from_encoding_key(&theirs, algorithm.into()).unwrap();
        assert!(!jwk.thumbprint(ThumbprintHash::SHA256).unwrap().is_empty());
        let ours = bridge::jwk(&jwk).unwrap();
        let key = auth_jwt::VerifyingKey::from_jwk(&ours, Some(algorithm)).unwrap();
        let signing = bridge::signing_key(algorithm, &theirs).unwrap();
        let mut signature = vec![0; signing.signature_len()];
        signing.sign(b"message", &mut signature).unwrap();
        assert!(key.verify(b"message", &signature).is_ok(), "{algorithm}");
        if let Some(public) = bridge::decoding_key(&key) {
            let again = Jwk::from_decoding_key(&public, Some(algorithm.into())).unwrap();
            assert_eq!(again.algorithm, jwk.algorithm, "{algorithm}");
        }
    }
}

/// RFC 7638 section 3.1.
#[test]
fn thumbprints_are_those_of_the_rfc() {
    install();
    let jwk: Jwk = serde_json::from_str(
        r#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#,
    )
    .unwrap();
    let expected = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";
    assert_eq!(jwk.thumbprint(ThumbprintHash::SHA256).unwrap(), expected);
}

/// Keys that do not fit are errors, of theirs or ours, in every function of the provider.
#[test]
fn nothing_panics() {
    install();
    let header = |algorithm: JwsAlgorithm| Header::new(algorithm.into());
    let claims = serde_json::json!({ "sub": "me" });
    let keys = [
        EncodingKey::from_secret(b""),
        EncodingKey::from_secret(b"short"),
        EncodingKey::from_rsa_der(b"no key"),
        EncodingKey::from_ec_der(b"no key"),
        EncodingKey::from_ed_der(b"no key"),
    ];
    for key in &keys {
        for algorithm in JwsAlgorithm::ALL {
            assert!(encode(&header(algorithm), &claims, key).is_err(), "{algorithm}");
            assert!(bridge::signing_key(algorithm, key).is_err(), "{algorithm}");
            // A secret is a JWK as it is, however short.
            let _ = Jwk::from_encoding_key(key, algorithm.into());
        }
    }
    let token = "eyJhbGciOiJIUzI1NiJ9.e30.AA";
    let public = [
        DecodingKey::from_secret(b""),
        DecodingKey::from_rsa_der(b"no key"),
        DecodingKey::from_rsa_raw_components(b"", b""),
        DecodingKey::from_ec_der(b"no key"),
        DecodingKey::from_ed_der(b"no key"),
    ];
    for key in &public {
        for algorithm in JwsAlgorithm::ALL {
            let validation = Validation::new(algorithm.into());
            assert!(decode::<serde_json::Value>(token, key, &validation).is_err(), "{algorithm}");
            assert!(bridge::verifying_key(algorithm, key).is_err(), "{algorithm}");
            let _ = Jwk::from_decoding_key(key, Some(algorithm.into()));
        }
    }
    let weak = encode(&header(JwsAlgorithm::HS256), &claims, &EncodingKey::from_secret(b"short"));
    assert!(weak.unwrap_err().to_string().contains("expected at least 32"), "says what is wrong");
}

#[test]
fn a_shared_secret_is_not_given_out() {
    let key = SigningKey::from_secret(JwsAlgorithm::HS256, &[7; 32]).unwrap();
    assert!(bridge::decoding_key(&key.verifying()).is_none());
}
