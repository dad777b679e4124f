//! The router without a connection, and the server around it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use auth_emulator::{ConnectionDropped, Endpoint, Fault, Infobip, Secret, Timestamp};
use auth_testing::{ManualClock, SeededRandom};
use axum::{Router, body::Body, extract::ConnectInfo};
use common::{Caller, LOG_IN, MESSAGE, PASSWORD, START, USER, app, basic, stage, stage_of};
use http::{HeaderValue, Method, Request, Response, Uri};
use http_body_util::BodyExt;
use proptest::{prelude::*, test_runner::TestRunner};
use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};
use tower::ServiceExt;

async fn ask(router: &Router, request: Request<Body>) -> Response<Body> {
    router.clone().oneshot(request).await.unwrap()
}

fn post(path: &str, body: &str) -> Request<Body> {
    Request::post(path).body(Body::from(body.to_owned())).unwrap()
}

#[tokio::test]
async fn the_router_answers_in_the_process_for_callers_whose_address_is_told() {
    let infobip = Infobip::builder().with_user(USER, Secret::new(PASSWORD)).build().await.unwrap();
    let router = infobip.router();
    let unknown = ask(&router, post("/auth/1/session", LOG_IN)).await;
    assert_eq!(unknown.status(), 503);
    let text = unknown.into_body().collect().await.unwrap().to_bytes();
    assert!(String::from_utf8_lossy(&text).contains("address of the caller is not known"));
    let mut known = post("/auth/1/session", LOG_IN);
    known.extensions_mut().insert(ConnectInfo(SocketAddr::from((Ipv4Addr::LOCALHOST, 1))));
    assert_eq!(ask(&router, known).await.status(), 200);
    infobip.faults().arm(Fault::Reset, Endpoint::Messages, 1);
    let dropped = ask(&router, post("/sms/3/messages", MESSAGE)).await;
    assert_eq!(dropped.status(), 503);
    assert!(dropped.extensions().get::<ConnectionDropped>().is_some());
    assert_eq!(infobip.counts().dropped, 1);
}

#[tokio::test]
async fn the_same_randomness_makes_the_same_keys() {
    let build = || Infobip::builder().with_random(SeededRandom::new(7)).build();
    let (one, other) = (build().await.unwrap(), build().await.unwrap());
    assert_eq!(one.api_key().expose(), other.api_key().expose());
    let third = Infobip::builder().with_random(SeededRandom::new(8)).build().await.unwrap();
    assert_ne!(one.api_key().expose(), third.api_key().expose());
}

#[tokio::test]
async fn users_that_cannot_be_are_refused() {
    let colon = Infobip::builder().with_user("a:b", Secret::new("x")).build().await;
    assert_eq!(colon.unwrap_err().code(), "emulator_user");
    let twice =
        Infobip::builder().with_user("a", Secret::new("x")).with_user("a", Secret::new("y"));
    assert_eq!(twice.build().await.unwrap_err().code(), "emulator_user");
    let binary = Infobip::builder().with_user("a", Secret::new([0xff])).build().await;
    assert_eq!(binary.unwrap_err().code(), "infobip_password");
}

#[tokio::test]
async fn a_clock_that_is_set_back_is_believed() {
    let it = stage().await;
    it.clock.advance(Duration::from_secs(366 * 24 * 60 * 60));
    assert_eq!(it.client.message(&app(it.infobip.api_key())).await, 401);
    it.clock.set(Timestamp::from_unix(START));
    assert_eq!(it.client.message(&app(it.infobip.api_key())).await, 200);
    let session = it.client.log_in().await;
    assert_eq!(it.client.message(&session).await, 200);
}

#[tokio::test]
async fn a_request_under_way_is_answered_when_the_emulator_stops() {
    let it = stage().await;
    let key = app(it.infobip.api_key());
    it.infobip.faults().arm(Fault::Slow(Duration::from_millis(300)), Endpoint::Messages, 1);
    let (client, field) = (it.client.clone(), key.clone());
    let slow = tokio::spawn(async move { client.message(&field).await });
    while !it.infobip.faults().armed().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    it.infobip.stop().await;
    assert_eq!(slow.await.unwrap(), 200);
    let fields = [("authorization", key.as_str())];
    let after = it.client.try_send(Method::POST, "/sms/3/messages", &fields, MESSAGE).await;
    assert!(after.is_none());
}

#[tokio::test]
async fn a_connection_that_is_kept_for_later_holds_no_stop_up() {
    let it = stage().await;
    assert_eq!(it.client.message(&app(it.infobip.api_key())).await, 200);
    let stopped = tokio::time::timeout(Duration::from_secs(3), it.infobip.stop()).await;
    assert!(stopped.is_ok());
}

#[tokio::test]
async fn a_port_is_free_again_when_the_emulator_is_stopped_or_dropped() {
    let it = stage().await;
    let port: u16 = it.infobip.base_url().rsplit_once(':').unwrap().1.parse().unwrap();
    let clock = ManualClock::at(START);
    let taken = Infobip::builder().with_clock(clock).with_port(port).start().await;
    let taken = taken.unwrap_err();
    assert_eq!(taken.code(), "emulator_port");
    assert!(taken.to_string().contains(&format!("port {port} ")), "{taken}");
    it.client.message(&app(it.infobip.api_key())).await;
    it.infobip.stop().await;
    let again = Infobip::builder().with_port(port).start().await.unwrap();
    let client = Caller::from(again.base_url(), Ipv4Addr::LOCALHOST);
    assert_eq!(client.message(&app(again.api_key())).await, 200);
    drop(again);
}

/// Words that are near to what the platform knows, so that random requests reach every handler.
fn near() -> impl Strategy<Value = String> {
    let words = [
        "App",
        "Basic",
        "IBSSO",
        "Bearer",
        "undefined",
        "token",
        "acme",
        "pa55:word",
        "{}",
        "[]",
        "null",
        "\"name\"",
        "{\"name\":",
        "\"x\"}",
        "{\"messages\":[",
        "]}",
        "enabled",
        "=",
        "&",
        "client_id",
        "client_secret",
        "grant_type",
        "client_credentials",
        " ",
        ":",
        ",",
        "\u{e9}",
        "%",
        "%zz",
        "%00",
        "{\"username\":\"acme\",\"password\":\"pa55:word\"}",
        "validTo",
        "1e9",
        "2023-09-01T10:00:00",
        "size",
        "page",
        "-1",
        "18446744073709551616",
    ];
    prop::collection::vec(prop::sample::select(words.to_vec()), 0..8).prop_map(|all| all.concat())
}

fn path() -> impl Strategy<Value = String> {
    let paths = [
        "/auth/1/session",
        "/auth/1/oauth2/token",
        "/settings/2/api-keys",
        "/settings/2/api-keys/x",
        "/sms/3/messages",
        "/sms/2/text/advanced",
        "/sms/1/logs",
        "/whatsapp/1/message/text",
        "/",
        "*",
    ];
    prop::sample::select(paths.to_vec()).prop_map(Into::into)
}

/// Nothing that a caller sends makes the emulator fail.
#[test]
fn no_request_makes_it_fail() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let build = Infobip::builder().with_user(USER, Secret::new(PASSWORD)).build();
    let infobip = runtime.block_on(build).unwrap();
    let methods = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "X"];
    let method = prop::sample::select(methods.to_vec());
    let known = [app(infobip.api_key()), basic(USER, PASSWORD)];
    let field = prop_oneof![prop::sample::select(known.to_vec()), near()];
    let requests = (method, path(), near(), field, near());
    let mut runner = TestRunner::new(ProptestConfig::with_cases(2000));
    let run = runner.run(&requests, |(method, path, query, field, body)| {
        let Ok(uri) = format!("{path}?{query}").parse::<Uri>() else { return Ok(()) };
        let mut request = Request::new(Body::from(body));
        *request.method_mut() = method.parse().unwrap();
        *request.uri_mut() = uri;
        for name in ["authorization", "idempotency-key"] {
            if let Ok(value) = HeaderValue::from_bytes(field.as_bytes()) {
                request.headers_mut().insert(name, value);
            }
        }
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from((Ipv4Addr::LOCALHOST, 1))));
        let answered = runtime.block_on(ask(&infobip.router(), request));
        prop_assert!(answered.status().as_u16() < 500, "{:?}", answered);
        Ok(())
    });
    run.unwrap();
    let counts = infobip.counts();
    assert!(counts.keys_created > 0 || counts.throttled > 0 || counts.forbidden > 0, "{counts:?}");
}

#[tokio::test]
async fn bodies_that_never_end_hold_nobody_up() {
    let it = stage_of(|it| it).await;
    let key = app(it.infobip.api_key());
    let long = "x".repeat(10 * 1024 * 1024);
    let fields = [("authorization", key.as_str())];
    let sent = it.client.try_send(Method::POST, "/sms/3/messages", &fields, &long).await;
    assert!(sent.is_none_or(|answered| answered.status == 413));
    assert_eq!(it.client.message(&key).await, 200);
}
