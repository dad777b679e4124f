//! The extractor, and what a verifier sees behind axum's routing.
#![cfg(feature = "axum")]
#![allow(clippy::unwrap_used, missing_docs)]

use auth_core::*;
use auth_tower::{Authenticated, VerifyLayer};
use axum::{Router, body::Body as AxumBody, extract::ConnectInfo, routing::get};
use http::Request;
use http_body_util::BodyExt;
use std::net::SocketAddr;
use tower::ServiceExt;

/// The principal is what the verifier saw.
struct Seen;

impl Verifier for Seen {
    type Principal = String;

    fn presence(&self, _: RequestView<'_>) -> Presence {
        Presence::Present
    }

    fn verify<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Outcome<String>> {
        Flow::ready(Ok(Accepted::new(
            "Seen",
            format!("{} {:?}", request.uri, request.peer.address),
        )))
    }
}

async fn ask(app: Router, target: &str) -> (u16, String) {
    let mut request = Request::get(target).body(AxumBody::empty()).unwrap();
    request
        .extensions_mut()
        .insert(ConnectInfo(SocketAddr::from(([0, 0, 0, 0, 0, 0xffff, 0xc000, 0x0201], 9))));
    let answer = app.oneshot(request).await.unwrap();
    let status = answer.status().as_u16();
    (
        status,
        String::from_utf8(answer.into_body().collect().await.unwrap().to_bytes().into()).unwrap(),
    )
}

async fn who(caller: Authenticated<String>) -> String {
    caller.principal
}

#[tokio::test]
async fn a_verifier_sees_the_original_target_under_nest_and_the_peer() {
    let inner = Router::new().route("/x", get(who)).layer(VerifyLayer::new(Seen));
    let app = Router::new().nest("/api", inner);
    assert_eq!(ask(app, "/api/x?q=1").await, (200, String::from("/api/x?q=1 Some(192.0.2.1)")));
}

#[tokio::test]
async fn a_route_that_forgot_its_layer_does_not_look_open() {
    let (status, body) = ask(Router::new().route("/x", get(who)), "/x").await;
    assert_eq!((status, body.as_str()), (500, "Internal Server Error\n"));
}
