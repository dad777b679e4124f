//! Servers: axum over hyper, with and without the layer.

use super::{
    by_hand, requests,
    requests::{ACCESS_KEY, KEY, NOW, PASSWORD, REALM, REGION, SECRET_KEY, USER},
    tokens,
    wire::{Wire, exchanges},
};
use auth_core::{
    Candidates, MemoryReplayStore, RequestView, Secret, SystemClock, SystemRandom, Verifier,
};
use auth_digest::{DigestAccounts, DigestAlgorithm, DigestVerifier, Ha1, Nonces};
use auth_jwt::{JwtPolicy, JwtVerifier, KeyId};
use auth_sigv4::{AccessKey, AccessKeys, AwsService, SigV4Policy, SigV4Verifier};
use auth_static::{ApiKeyVerifier, BearerVerifier, FixedKeys, KeyHasher, NoAuth, Placement};
use auth_tower::VerifyLayer;
use axum::{
    Router,
    body::Bytes,
    middleware::from_fn,
    routing::{get, post},
};
use harness::case::{Call, Case, Group, floor, ours, ours_beyond, peer};
use http::{HeaderMap, HeaderValue, Method, Uri};
use std::{collections::HashMap, sync::Arc};

pub fn groups() -> Vec<Group> {
    let input = "one request and its answer over a pipe in memory, through hyper and axum";
    let group = |name, cases: Vec<Case>| Group { name, input, cases };
    vec![
        group(
            "live-layer",
            vec![
                floor("service alone", || plain(Wire::Pipe)),
                peer("axum, from_fn that does nothing", || {
                    let noop = || router().layer(from_fn(by_hand::nothing));
                    exchanges(Wire::Pipe, noop, requests::without())
                }),
                ours_beyond("auth-tower, NoAuth", (4_500, 10), || no_auth(Wire::Pipe)),
            ],
        ),
        group(
            "live-api-key",
            vec![
                floor("service alone", || exchanges(Wire::Pipe, router, api_key_requests())),
                peer("by hand: HMAC and map", || hand_api_key(Wire::Pipe)),
                ours_beyond("auth-tower, auth-static", (10_000, 10), || api_key(Wire::Pipe)),
            ],
        ),
        group(
            "live-bearer",
            vec![
                floor("service alone", || exchanges(Wire::Pipe, router, bearer_requests())),
                peer("by hand: one constant", || hand_bearer(Wire::Pipe)),
                ours_beyond("auth-tower, auth-static", (10_000, 10), || bearer(Wire::Pipe)),
            ],
        ),
        group(
            "live-jwt-hs256",
            vec![
                floor("service alone", || {
                    exchanges(Wire::Pipe, router, jwt_requests(tokens::Kind::Hs256))
                }),
                peer("by hand: jsonwebtoken", || hand_jwt(Wire::Pipe, tokens::Kind::Hs256)),
                ours_beyond("auth-tower, auth-jwt", (43_000, 14), || {
                    jwt(Wire::Pipe, tokens::Kind::Hs256)
                }),
            ],
        ),
        group(
            "live-jwt-rs256",
            vec![
                floor("service alone", || {
                    exchanges(Wire::Pipe, router, jwt_requests(tokens::Kind::Rs256))
                }),
                peer("by hand: jsonwebtoken over aws-lc", || {
                    hand_jwt(Wire::Pipe, tokens::Kind::Rs256)
                }),
                // ring's RSA decides; another backend alone would change it.
                ours("auth-tower, auth-jwt", None, 100, || jwt(Wire::Pipe, tokens::Kind::Rs256)),
            ],
        ),
        group(
            "live-digest",
            vec![
                floor("service alone", || {
                    exchanges(Wire::Pipe, router, requests::digest(&challenge(&digest_door()), FEW))
                }),
                ours_beyond("auth-tower, auth-digest", (61_000, 17), || digest(Wire::Pipe, FEW)),
            ],
        ),
        group(
            "live-sigv4",
            vec![
                floor("service alone", || exchanges(Wire::Pipe, router, requests::sigv4())),
                peer("by hand: scratchstack", || hand_sigv4(Wire::Pipe)),
                ours_beyond("auth-tower, auth-sigv4", (80_000, 13), || sigv4(Wire::Pipe)),
            ],
        ),
    ]
}

type Named = (&'static str, fn() -> Call);

/// For the processor's time.
pub fn over_loopback() -> Vec<Named> {
    vec![
        ("server: service alone", || plain(Wire::Loopback)),
        ("server: NoAuth", || no_auth(Wire::Loopback)),
        ("server: API key", || api_key(Wire::Loopback)),
        ("server: API key by hand", || hand_api_key(Wire::Loopback)),
        ("server: Bearer", || bearer(Wire::Loopback)),
        ("server: JWT HS256", || jwt(Wire::Loopback, tokens::Kind::Hs256)),
        ("server: JWT HS256, jsonwebtoken", || hand_jwt(Wire::Loopback, tokens::Kind::Hs256)),
        ("server: JWT RS256", || jwt(Wire::Loopback, tokens::Kind::Rs256)),
        ("server: JWT RS256, jsonwebtoken", || hand_jwt(Wire::Loopback, tokens::Kind::Rs256)),
        ("server: Digest SHA-256", || digest(Wire::Loopback, MANY)),
        ("server: SigV4 1 KiB", || sigv4(Wire::Loopback)),
        ("server: SigV4 1 KiB, scratchstack", || hand_sigv4(Wire::Loopback)),
    ]
}

/// A count is used once: so many calls are made at most where instructions are counted, and where time is taken.
const FEW: usize = 300;
const MANY: usize = 20_000;

fn router() -> Router {
    Router::new()
        .route("/hello", get(|| async { "hello" }))
        .route("/bytes", post(|body: Bytes| async move { body.len().to_string() }))
}

fn behind<V>(verifier: V) -> Router
where
    V: Verifier + 'static,
    V::Principal: Clone + Sync + 'static,
{
    router().layer(VerifyLayer::new(verifier))
}

fn keys() -> (KeyHasher, FixedKeys<&'static str>) {
    let hasher = KeyHasher::new(&Secret::new([7; 32])).expect("a hasher");
    let keys = FixedKeys::new(&hasher, [(KEY, "acme")]);
    (hasher, keys)
}

fn plain(wire: Wire) -> Call {
    exchanges(wire, router, requests::without())
}

fn no_auth(wire: Wire) -> Call {
    exchanges(wire, || behind(NoAuth), requests::without())
}

fn api_key_requests() -> Vec<Vec<u8>> {
    requests::get("x-api-key", KEY)
}

fn api_key(wire: Wire) -> Call {
    let door = || {
        let (hasher, keys) = keys();
        let placement = Placement::header("x-api-key").expect("a placement");
        behind(ApiKeyVerifier::new("api", placement, hasher, keys).expect("a verifier"))
    };
    exchanges(wire, door, api_key_requests())
}

fn hand_api_key(wire: Wire) -> Call {
    exchanges(wire, || by_hand::api_key(router()), api_key_requests())
}

fn bearer_requests() -> Vec<Vec<u8>> {
    requests::get("authorization", &format!("Bearer {KEY}"))
}

fn bearer(wire: Wire) -> Call {
    let door = || {
        let (hasher, keys) = keys();
        behind(BearerVerifier::new("api", hasher, keys).expect("a verifier"))
    };
    exchanges(wire, door, bearer_requests())
}

fn hand_bearer(wire: Wire) -> Call {
    exchanges(wire, || router().layer(from_fn(by_hand::bearer)), bearer_requests())
}

fn jwt_requests(kind: tokens::Kind) -> Vec<Vec<u8>> {
    requests::get("authorization", &format!("Bearer {}", tokens::token(kind)))
}

/// Its claims are read into a type of the user's.
fn jwt(wire: Wire, kind: tokens::Kind) -> Call {
    let door = move || {
        let id = KeyId { issuer: Some(tokens::ISSUER.into()), kid: None };
        let keys = HashMap::from([(id, Candidates::one(tokens::key(kind), "acme"))]);
        let policy = JwtPolicy::new().with_issuer(tokens::ISSUER).with_audience(tokens::AUDIENCE);
        let door = JwtVerifier::new("api", policy, keys, SystemClock).expect("a verifier");
        behind(door.map(|principal| principal.claims.read::<tokens::Claims>().expect("claims")))
    };
    exchanges(wire, door, jwt_requests(kind))
}

fn hand_jwt(wire: Wire, kind: tokens::Kind) -> Call {
    exchanges(wire, move || by_hand::jwt(router(), kind), jwt_requests(kind))
}

fn digest_door() -> DigestVerifier<DigestAccounts> {
    let mut accounts = DigestAccounts::new();
    let function = DigestAlgorithm::Sha256.function();
    let ha1 = Ha1::new(function, USER, REALM.as_bytes(), PASSWORD.as_bytes());
    accounts.add(USER, REALM, ha1).expect("an account");
    let nonces = Nonces::of_this_process(SystemRandom::new(), SystemClock).expect("nonces");
    let replay = MemoryReplayStore::new(SystemClock);
    DigestVerifier::new(REALM, accounts, nonces, replay).expect("a verifier")
}

/// What the verifier asks for.
fn challenge(door: &DigestVerifier<DigestAccounts>) -> HeaderValue {
    let (uri, headers) = (Uri::from_static("http://api.example.com/hello"), HeaderMap::new());
    let judged =
        door.verify(RequestView::new(&Method::GET, &uri, &headers)).wait().expect("judged");
    let rejection = judged.err().expect("a rejection");
    rejection.challenges().first().expect("a challenge").field().clone()
}

fn digest(wire: Wire, count: usize) -> Call {
    let door = Arc::new(digest_door());
    let requests = requests::digest(&challenge(&door), count);
    exchanges(wire, move || behind(door), requests)
}

fn sigv4(wire: Wire) -> Call {
    let door = || {
        let key = AccessKey::new(ACCESS_KEY, SECRET_KEY).expect("a key");
        let policy = SigV4Policy::new(AwsService::named("hooks"), REGION).expect("a policy");
        behind(SigV4Verifier::new(policy, AccessKeys::new([(key, "acme")]), NOW))
    };
    exchanges(wire, door, requests::sigv4())
}

fn hand_sigv4(wire: Wire) -> Call {
    exchanges(wire, || by_hand::sigv4(router()), requests::sigv4())
}
