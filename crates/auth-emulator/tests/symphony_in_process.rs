//! The router without a connection, many callers at once, and callers that send anything.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use auth_core::Timestamp;
use auth_emulator::{ConnectionDropped, Endpoint, Fault, Symphony};
use auth_testing::{ManualClock, SeededRandom};
use axum::{Router, body::Body};
use common::{
    START,
    symphony::{KEY, OTHER_KEY, OTHER_PUBLIC, PUBLIC, jwt, stage},
};
use http::{HeaderValue, Request, Response, Uri};
use http_body_util::BodyExt;
use proptest::{prelude::*, test_runner::TestRunner};
use std::{collections::HashSet, time::Duration};
use tokio::{runtime::Runtime, task::JoinSet};
use tower::ServiceExt;

const POD: &str = "/login/pubkey/authenticate";

async fn ask(router: &Router, request: Request<Body>) -> Response<Body> {
    router.clone().oneshot(request).await.unwrap()
}

async fn symphony() -> Symphony {
    let builder = Symphony::builder().with_bot("bot", PUBLIC).with_app("app", OTHER_PUBLIC);
    let builder = builder.with_user(7, "jane", ["app"]).with_clock(ManualClock::at(START));
    builder.with_random(SeededRandom::new(7)).build().await.unwrap()
}

/// The token of a log-in.
async fn log_in(symphony: &Symphony, path: &str, jwt: &str) -> String {
    let body = serde_json::json!({ "token": jwt }).to_string();
    let answered = ask(&symphony.router(), Request::post(path).body(body.into()).unwrap()).await;
    let body = answered.into_body().collect().await.unwrap().to_bytes();
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    body["token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_router_answers_in_the_process_and_the_same_randomness_makes_the_same_tokens() {
    let (one, other) = (symphony().await, symphony().await);
    let token = log_in(&one, POD, &jwt("bot", KEY, 240)).await;
    assert_eq!(token, log_in(&other, POD, &jwt("bot", KEY, 240)).await);
    one.faults().arm(Fault::Reset, Endpoint::Agent, 1);
    let request = Request::get("/agent/v1/info").body(Body::empty()).unwrap();
    let dropped = ask(&one.router(), request).await;
    assert_eq!(dropped.status(), 503);
    assert!(dropped.extensions().get::<ConnectionDropped>().is_some());
    assert_eq!((one.counts().dropped, one.counts().sessions_created), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_that_log_in_at_once_each_gets_a_token_and_of_a_repetition_one() {
    let symphony = symphony().await;
    let mut callers = JoinSet::new();
    let once = jwt("bot", KEY, 239);
    for seconds in 200..230 {
        let (symphony, jwt) = (symphony.clone(), jwt("bot", KEY, seconds));
        callers.spawn(async move { log_in(&symphony, POD, &jwt).await });
    }
    let tokens: HashSet<_> = callers.join_all().await.into_iter().collect();
    assert_eq!((tokens.len(), symphony.counts().sessions_created), (30, 30));
    let mut callers = JoinSet::new();
    for _ in 0..30 {
        let (symphony, body) = (symphony.clone(), serde_json::json!({ "token": once }));
        callers.spawn(async move {
            let request = Request::post(POD).body(body.to_string().into()).unwrap();
            ask(&symphony.router(), request).await.status().as_u16()
        });
    }
    let mut statuses = callers.join_all().await;
    statuses.sort_unstable();
    assert_eq!((statuses[0], statuses[1], symphony.counts().unauthorized), (200, 401, 29));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_back_is_believed() {
    let it = stage().await;
    let bot = it.bot();
    it.clock.advance(Duration::from_secs(366 * 24 * 60 * 60));
    assert_eq!(it.message(&bot.agent()).await, 200);
    it.clock.set(Timestamp::from_unix(START));
    assert_eq!(it.message(&bot.agent()).await, 200);
    assert_eq!(it.message(&it.bot().agent()).await, 200);
    assert_eq!(it.log_ins(), [2, 2, 0]);
}

/// However late callers hang up while tokens end, the next one is served.
#[tokio::test(flavor = "multi_thread")]
async fn callers_that_hang_up_while_tokens_end_leave_whole_tokens_or_none() {
    let it = stage().await;
    let agent = it.bot().agent();
    let (mut log_ins, mut met) = (it.log_ins(), 0);
    for late in 0..40 {
        it.symphony.faults().arm(Fault::ExpireNow, Endpoint::Agent, 1);
        let _ = tokio::time::timeout(Duration::from_micros(300) * late, it.message(&agent)).await;
        // Either the fault is met by no request any more, or what it ends has ended before the next caller.
        met += usize::from(it.symphony.faults().clear().is_empty());
        while it.symphony.requests().iter().filter(|one| one.fault.is_some()).count() < met {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(it.message(&agent).await, 200, "{late}");
        let now = it.log_ins();
        assert!(now[0] <= log_ins[0] + 2 && now[1] <= log_ins[1] + 2, "{log_ins:?} {now:?}");
        log_ins = now;
        // An agent that refused one token after another would have its answers delivered for a while.
        it.clock.advance(Duration::from_secs(61));
    }
    assert!(met > 10, "{met} of 40 were sent");
}

/// Words that are near to what the platform knows, so that random requests reach every handler.
fn near() -> impl Strategy<Value = String> {
    let words = [
        "Bearer",
        "token",
        "{}",
        "[]",
        "null",
        "{\"token\":",
        "{\"appToken\":\"x\",\"authToken\":",
        "\"x\"}",
        "\"a.b.c\"}",
        "scope=",
        "=",
        "&",
        " ",
        ":",
        ",",
        "\u{e9}",
        "%",
        "%zz",
        "%00",
        "-1",
        "18446744073709551616",
        "eyJhbGciOiJSUzUxMiJ9.e30.AA",
    ];
    prop::collection::vec(prop::sample::select(words.to_vec()), 0..8).prop_map(|all| all.concat())
}

fn path() -> impl Strategy<Value = String> {
    let paths = [
        POD,
        "/relay/pubkey/authenticate",
        "/login/pubkey/app/authenticate",
        "/login/pubkey/app/username/jane/authenticate",
        "/login/pubkey/app/username/%00/authenticate",
        "/login/pubkey/app/user/7/authenticate",
        "/login/pubkey/app/user/99999999999999999999/authenticate",
        "/login/v1/pubkey/app/authenticate/extensionApp",
        "/login/idm/tokens",
        "/login/idm/keys",
        "/pod/v1/podcert",
        "/pod/v2/sessioninfo",
        "/agent/v1/info",
        "/agent/v4/stream/%ff/message/create",
        common::symphony::MESSAGE,
        "/agent/v4/datafeed/create",
        "/agent/v5/datafeeds",
        "/agent/v5/datafeeds/x",
        "/agent/v5/datafeeds/x/read",
        "/",
        "*",
    ];
    prop::sample::select(paths.to_vec()).prop_map(Into::into)
}

/// Nothing that a caller sends makes the emulator fail.
#[test]
fn no_request_makes_it_fail() {
    let runtime = Runtime::new().unwrap();
    let symphony = runtime.block_on(symphony());
    let token = |path, name, key| runtime.block_on(log_in(&symphony, path, &jwt(name, key, 240)));
    let bot = token(POD, "bot", KEY);
    let app = token("/login/pubkey/app/authenticate", "app", OTHER_KEY);
    let keys = token("/relay/pubkey/authenticate", "bot", KEY);
    let methods = ["POST", "POST", "POST", "POST", "GET", "PUT", "DELETE", "X"];
    let method = prop::sample::select(methods.to_vec());
    let session = prop_oneof![3 => prop::sample::select(vec![bot, app]), 1 => near()];
    let keys = prop_oneof![3 => Just(keys), 1 => near()];
    let query = prop_oneof![Just(String::new()), near()];
    let requests = (method, path(), query, session, keys, near());
    let mut runner = TestRunner::new(ProptestConfig::with_cases(4000));
    let run = runner.run(&requests, |(method, path, query, session, keys, body)| {
        let Ok(uri) = format!("{path}?{query}").parse::<Uri>() else { return Ok(()) };
        let mut request = Request::new(Body::from(body));
        *request.method_mut() = method.parse().unwrap();
        *request.uri_mut() = uri;
        for (name, field) in
            [("sessiontoken", &session), ("keymanagertoken", &keys), ("authorization", &session)]
        {
            let known = name == "authorization" && field.starts_with("ss_");
            if let (false, Ok(value)) = (known, HeaderValue::from_bytes(field.as_bytes())) {
                request.headers_mut().insert(name, value);
            }
        }
        let answered = runtime.block_on(ask(&symphony.router(), request));
        prop_assert!(answered.status().as_u16() < 500, "{:?}", answered);
        Ok(())
    });
    run.unwrap();
    let counts = symphony.counts();
    assert!(counts.messages_accepted > 0 && counts.forbidden > 0, "{counts:?}");
    assert!(counts.sessions_created > 2 && counts.tokens_issued > 0, "{counts:?}");
}
