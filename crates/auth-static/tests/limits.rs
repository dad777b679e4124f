//! Limits of verifiers whose secrets name nobody.
#![allow(clippy::unwrap_used)]

use auth_core::{
    AttemptLimit, AttemptRate, Candidates, KeyHasher, MemoryAttemptLimits, Peer, RequestView,
    SystemRandom, Timestamp, Verifier,
};
use auth_static::{ApiKeyVerifier, BearerVerifier, FixedKeys, Placement};
use http::{HeaderMap, HeaderValue, Method, Uri, header::AUTHORIZATION};
use std::{collections::HashMap, time::Duration};

/// The principal, or the reason's code.
fn told(door: &dyn Verifier<Principal = &'static str>, from: &str, field: &str) -> &'static str {
    let uri = Uri::from_static("/");
    let headers = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_str(field).unwrap())]);
    let peer = Peer { address: from.parse().ok(), ..Peer::UNKNOWN };
    let request = RequestView::new(&Method::GET, &uri, &headers).with_peer(peer);
    match door.verify(request).wait().unwrap() {
        Ok(accepted) => accepted.principal,
        Err(rejection) => rejection.reason().code,
    }
}

#[track_caller]
fn check(door: &dyn Verifier<Principal = &'static str>, scheme: &str, unknown: &str) {
    let said = |from: &str, secret: &str| told(door, from, &format!("{scheme} {secret}"));
    for _ in 0..40 {
        assert_eq!(said("unknown", "wrong"), unknown);
    }
    assert_eq!(said("unknown", "right"), "acme");
    for _ in 0..3 {
        assert_eq!(said("192.0.2.1", "wrong"), unknown);
    }
    assert_eq!(said("192.0.2.9", "right"), "limit_attempts", "all of a block are one source");
    assert_eq!(said("198.51.100.1", "right"), "acme");
    assert_eq!(said("unknown", "right"), "acme");
}

/// A key that a registry knows and finds no good any more.
#[test]
fn a_key_that_is_known_and_stands_for_nobody_is_a_wrong_one() {
    let hasher = KeyHasher::random(&SystemRandom::new()).unwrap();
    let discarded: HashMap<_, Candidates<(), &'static str>> =
        HashMap::from([(hasher.hash(b"discarded"), Candidates::none())]);
    let rate = AttemptRate::new(1, Duration::from_secs(60)).unwrap();
    let limits = MemoryAttemptLimits::new(Timestamp::from_unix(1_000_000)).with_source_rate(rate);
    let tokens = BearerVerifier::new("r", hasher, discarded).unwrap();
    let tokens = tokens.with_limit(AttemptLimit::new(limits));
    for expected in ["bearer_unknown", "limit_attempts"] {
        assert_eq!(told(&tokens, "192.0.2.1", "Bearer discarded"), expected);
    }
}

#[test]
fn wrong_secrets_run_out_for_their_source_and_lock_out_nobody_whose_address_is_unknown() {
    let hasher = KeyHasher::random(&SystemRandom::new()).unwrap();
    let known = FixedKeys::new(&hasher, [("right", "acme")]);
    let limit = || {
        let rate = AttemptRate::new(3, Duration::from_secs(60)).unwrap();
        let limits =
            MemoryAttemptLimits::new(Timestamp::from_unix(1_000_000)).with_source_rate(rate);
        AttemptLimit::new(limits)
    };
    let app = Placement::scheme("App").unwrap();
    let keys = ApiKeyVerifier::new("r", app, hasher.clone(), known.clone()).unwrap();
    check(&keys.with_limit(limit()), "App", "api_key_unknown");
    let tokens = BearerVerifier::new("r", hasher, known).unwrap();
    check(&tokens.with_limit(limit()), "Bearer", "bearer_unknown");
}
