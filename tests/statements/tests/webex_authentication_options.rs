//! Document 000: which authentication each API of Webex Connect takes. One test for each statement that holds;
//! `docs/coverage.md` lists them all.

use auth_core::{Precedence, RequestView, SystemRandom, Timestamp, Verifier as _};
use auth_jwt::{JwsAlgorithm, JwtKeys, JwtVerifier, KeyId, SigningKey, profiles};
use auth_static::{ApiKeyVerifier, FixedKeys, KeyHasher, Placement};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header::AUTHORIZATION};
use std::collections::HashMap;

const NOW: Timestamp = Timestamp::from_unix(1_734_006_610);
const KEY: HeaderName = HeaderName::from_static("key");

fn secret(byte: u8) -> SigningKey {
    SigningKey::from_secret(JwsAlgorithm::HS256, &[byte; 32]).unwrap()
}

fn token(byte: u8, issued: Timestamp) -> String {
    let claims = profiles::webex_service_claims("service");
    format!("Bearer {}", claims.sign(&secret(byte), issued, None).unwrap().expose())
}

/// A door that takes a service JWT, or else a service key.
fn told(fields: &[(HeaderName, &str)]) -> String {
    let id = KeyId { issuer: Some("service".into()), kid: None };
    let secrets: HashMap<KeyId, JwtKeys> = HashMap::from([(id, secret(1).verifying().into())]);
    let policy = profiles::webex_service_policy();
    let jwt = JwtVerifier::new("webex", policy, secrets, NOW).unwrap().map(|_| "by token");
    let hasher = KeyHasher::random(&SystemRandom::new()).unwrap();
    let keys = FixedKeys::new(&hasher, [("good-service-key", "by key")]);
    let placement = Placement::header("key").unwrap();
    let key = ApiKeyVerifier::new("webex", placement, hasher, keys).unwrap();
    let door = Precedence::new(jwt).then(key);
    let (uri, mut headers) = (Uri::from_static("/v1/events"), HeaderMap::new());
    for (name, value) in fields {
        headers.append(name, HeaderValue::from_str(value).unwrap());
    }
    match door.verify(RequestView::new(&Method::POST, &uri, &headers)).wait().unwrap() {
        Ok(accepted) => accepted.principal.to_owned(),
        Err(rejection) => format!("{} {}", rejection.status().as_u16(), rejection.reason().code),
    }
}

/// With a JWT and a service key on one request the JWT decides and the key is ignored, in either order of the fields.
#[test]
fn s000_11_the_token_decides_and_the_key_is_ignored() {
    let two_hours = std::time::Duration::from_secs(7200);
    let (good, forged, expired) = (token(1, NOW), token(2, NOW), token(1, NOW.before(two_hours)));
    for (authorization, key, expected) in [
        (&*good, "good-service-key", "by token"),
        (&good, "bad-service-key", "by token"),
        (&forged, "good-service-key", "401 jwt_signature"),
        (&forged, "bad-service-key", "401 jwt_signature"),
        (&expired, "good-service-key", "401 jwt_exp_past"),
        ("", "good-service-key", "400 authorization_no_scheme"),
        ("Bearer", "good-service-key", "400 authorization_credentials"),
    ] {
        let (authorization, key) = ((AUTHORIZATION, authorization), (KEY, key));
        assert_eq!(told(&[authorization.clone(), key.clone()]), expected);
        assert_eq!(told(&[key, authorization]), expected);
    }
    assert_eq!(told(&[(KEY, "good-service-key")]), "by key");
    assert_eq!(told(&[(AUTHORIZATION, &good)]), "by token");
}
