//! The server layer around a service in memory: what a user's server pays for authentication.

use crate::case::{Call, Group, floor, ours_beyond, peer};
use auth_core::Secret;
use auth_static::{ApiKeyVerifier, BearerVerifier, FixedKeys, KeyHasher, NoAuth, Placement};
use auth_tower::VerifyLayer;
use axum::{Router, body::Body, extract, middleware, routing::get};
use http::{Request, StatusCode};
use std::hint::black_box;
use tower::{Service, ServiceExt};

const KEY: &str = "sk_live_2f9b4d312d0d49a885f09b862bdca394";

/// What counting an allocation costs in these benchmarks, where every allocation is counted.
const COUNTING: u64 = 90;

/// So many instructions beyond the service alone, without those that count the layer's eight allocations; and at most
/// ten allocations.
const fn beyond(instructions: u64) -> (u64, u64) {
    (instructions + 8 * COUNTING, 10)
}

pub fn groups() -> Vec<Group> {
    let input = "a GET with four header fields, answered by a router of axum in memory";
    let group = |name, cases| Group { name, input, cases };
    vec![
        group(
            "layer-alone",
            vec![
                floor("service alone", || serving(router(), NONE)),
                peer("axum, from_fn that does nothing", || {
                    let next =
                        |request: extract::Request, next: middleware::Next| next.run(request);
                    serving(router().layer(middleware::from_fn(next)), NONE)
                }),
                ours_beyond("auth-tower, NoAuth", beyond(4_500), || {
                    serving(router().layer(VerifyLayer::new(NoAuth)), NONE)
                }),
            ],
        ),
        group(
            "layer-api-key",
            vec![
                floor("service alone", || serving(router(), API_KEY)),
                ours_beyond("auth-tower, auth-static", beyond(10_000), || {
                    let (hasher, keys) = keys();
                    let placement = Placement::header(API_KEY.0).expect("a placement");
                    let door = ApiKeyVerifier::new("api", placement, hasher, keys);
                    serving(router().layer(VerifyLayer::new(door.expect("a verifier"))), API_KEY)
                }),
            ],
        ),
        group(
            "layer-bearer",
            vec![
                floor("service alone", || serving(router(), BEARER)),
                ours_beyond("auth-tower, auth-static", beyond(10_000), || {
                    let (hasher, keys) = keys();
                    let door = BearerVerifier::new("api", hasher, keys).expect("a verifier");
                    serving(router().layer(VerifyLayer::new(door)), BEARER)
                }),
            ],
        ),
    ]
}

pub(super) type Field = (&'static str, &'static str);

const NONE: Field = ("accept-language", "de-AT, de;q=0.9, en;q=0.8");
const API_KEY: Field = ("x-api-key", KEY);
const BEARER: Field = ("authorization", "Bearer sk_live_2f9b4d312d0d49a885f09b862bdca394");

fn keys() -> (KeyHasher, FixedKeys<&'static str>) {
    let hasher = KeyHasher::new(&Secret::new([7; 32])).expect("a hasher");
    let keys = FixedKeys::new(&hasher, [(KEY, "acme")]);
    (hasher, keys)
}

pub(super) fn router() -> Router {
    Router::new().route("/hello", get(|| async { "hello" }))
}

pub(super) fn serving(router: Router, (name, value): Field) -> Call {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let mut service = router.into_service::<Body>();
    let request = move || {
        Request::get("/hello")
            .header("host", "api.example.com")
            .header("user-agent", "bench")
            .header("accept", "*/*")
            .header(name, value)
            .body(Body::empty())
            .expect("a request")
    };
    crate::case::call(move || {
        runtime.block_on(async {
            let answer = service.ready().await.expect("ready").call(black_box(request())).await;
            assert_eq!(answer.expect("an answer").status(), StatusCode::OK);
        });
    })
}
