//! What a token that is refused costs a server: the same, whatever issuer it names.

use auth_core::{Clock as _, RequestView, SystemClock, Verifier as _};
use auth_jwt::{ClaimsToSign, JwsAlgorithm, JwtKeys, JwtPolicy, JwtVerifier, KeyId, SigningKey};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use harness::case::{Call, Group, as_first, call, floor, ours};
use http::{HeaderMap, HeaderValue, Method, Uri, header::AUTHORIZATION};
use std::{collections::HashMap, hint::black_box, time::Duration};

const ISSUER: &str = "3fa85f64-5717-4562-b3fc-2c963f66afa6";
const ROTATING: &str = "4fa85f64-5717-4562-b3fc-2c963f66afa7";
const STRANGER: &str = "5fa85f64-5717-4562-b3fc-2c963f66afa8";

pub fn group() -> Group {
    let cases = vec![
        floor("an issuer with one secret", || refused(ISSUER)),
        as_first("an issuer in the middle of a rotation", 3, || refused(ROTATING)),
        as_first("an issuer that is not known", 3, || refused(STRANGER)),
    ];
    Group {
        name: "strangers-hs256",
        input: "a token with another secret; through dyn Verifier and map",
        cases,
    }
}

/// Nobody has signed a token when its names are read: comparing each with each would take 447 us for 8 KiB.
pub fn names() -> Group {
    let cases = vec![
        floor("two names of 2.5 KiB", || named(2)),
        ours("60 names that begin alike", Some(2.0), 134, || named(60)),
    ];
    Group {
        name: "strangers-names",
        input: "a payload of 5 KiB, each name with an escape; through dyn Verifier",
        cases,
    }
}

fn named(count: usize) -> Call {
    let same = "x".repeat(5 * 1024 / count - 12);
    let names: Vec<_> = (0..count).map(|at| format!("\"\\u0061{same}{at}\":0")).collect();
    let payload = format!("{{\"iss\":\"{ISSUER}\",{}}}", names.join(","));
    let [header, payload] =
        [r#"{"alg":"HS256"}"#, &payload].map(|part| URL_SAFE_NO_PAD.encode(part));
    let key = SigningKey::from_secret(JwsAlgorithm::HS256, &[1; 32]).expect("a key").verifying();
    let id = KeyId { issuer: Some(ISSUER.into()), kid: None };
    let keys = HashMap::from([(id, JwtKeys::from(key))]);
    let door = JwtVerifier::new("r", JwtPolicy::new(), keys, SystemClock).expect("a verifier");
    let signature = URL_SAFE_NO_PAD.encode([0; 32]);
    let value = HeaderValue::try_from(format!("Bearer {header}.{payload}.{signature}"));
    let headers = HeaderMap::from_iter([(AUTHORIZATION, value.expect("a field"))]);
    let uri = Uri::from_static("/v1/messages");
    call(move || {
        let request = RequestView::new(&Method::GET, black_box(&uri), black_box(&headers));
        let rejection =
            door.verify(request).wait().expect("told").map(|_| ()).expect_err("refused");
        assert_eq!(rejection.reason().code, "jwt_signature");
    })
}

fn refused(issuer: &str) -> Call {
    let key = |byte: u8| SigningKey::from_secret(JwsAlgorithm::HS256, &[byte; 32]).expect("a key");
    let id = |issuer: &str| KeyId { issuer: Some(issuer.into()), kid: None };
    let one = JwtKeys::from(key(1).verifying());
    let two = [2, 3].into_iter().map(|byte| key(byte).verifying()).collect();
    let keys = HashMap::from([(id(ISSUER), one), (id(ROTATING), two)]);
    let door = JwtVerifier::new("r", JwtPolicy::new(), keys, SystemClock).expect("a verifier");
    let door: Box<dyn auth_core::Verifier<Principal = ()>> = Box::new(door.map(|_| ()));
    let forged = SigningKey::from_secret(JwsAlgorithm::HS256, &[7; 32]).expect("a key");
    let claims =
        ClaimsToSign::expiring_in(Duration::from_secs(3600)).expect("claims").with_issuer(issuer);
    let token = claims.sign(&forged, SystemClock.now(), None).expect("a token");
    let value = HeaderValue::try_from(format!("Bearer {}", token.expose())).expect("a field");
    let headers = HeaderMap::from_iter([(AUTHORIZATION, value)]);
    let uri = Uri::from_static("/v1/messages");
    call(move || {
        let request = RequestView::new(&Method::GET, black_box(&uri), black_box(&headers));
        black_box(&door).verify(request).wait().expect("told").expect_err("refused")
    })
}
