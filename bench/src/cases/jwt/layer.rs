//! The server layer around a service in memory, with a token of HS256.

use super::{ISSUER, SECRET, claims, now};
use crate::{
    case::{Group, floor, ours_beyond},
    cases::layer::{router, serving},
};
use auth_core::{SystemClock, Verifier as _};
use auth_jwt::{JwsAlgorithm, JwtKeys, JwtPolicy, JwtVerifier, KeyId, SigningKey};
use auth_tower::VerifyLayer;
use std::collections::HashMap;

/// What counting an allocation costs in these benchmarks, where every allocation is counted.
const COUNTING: u64 = 90;

pub fn group() -> Group {
    let cases = vec![
        floor("service alone", || serving(router(), field())),
        ours_beyond("auth-tower, auth-jwt", (43_000 + 14 * COUNTING, 14), || {
            let id = KeyId { issuer: Some(ISSUER.into()), kid: None };
            let keys = HashMap::from([(id, JwtKeys::from(key().verifying()))]);
            let policy = JwtPolicy::new().with_issuer(ISSUER);
            let door = JwtVerifier::new("api", policy, keys, SystemClock).expect("a verifier");
            serving(router().layer(VerifyLayer::new(door.map(|told| told.caller))), field())
        }),
    ];
    let input = "iss, iat, exp of HS256; a GET answered by a router of axum in memory";
    Group { name: "layer-jwt", input, cases }
}

fn key() -> SigningKey {
    SigningKey::from_secret(JwsAlgorithm::HS256, SECRET).expect("a key")
}

/// The benchmark ends with its process, and the field is there until then.
fn field() -> (&'static str, &'static str) {
    let token = claims().sign(&key(), now(), None).expect("a token");
    ("authorization", format!("Bearer {}", token.expose()).leak())
}
