//! Each fault at the endpoints that it is aimed at, by the library and by the second port.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::unreachable)]

mod common;

use auth_emulator::{Armed, Endpoint, Fault};
use common::{Caller, LOG_IN, MESSAGE, PASSWORD, Stage, USER, app, basic, stage};
use http::Method;
use serde_json::json;
use std::{
    net::Ipv4Addr,
    time::{Duration, Instant},
};

const WAIT: Duration = Duration::from_millis(150);

/// A request to an endpoint that would be answered with a 200: with this field where it needs credentials.
fn request(endpoint: Endpoint, field: &str) -> (Method, &'static str, String, &'static str) {
    const FORM: &str = "client_id=acme&client_secret=pa55:word&grant_type=client_credentials";
    let field = field.to_owned();
    match endpoint {
        Endpoint::CreateSession => (Method::POST, "/auth/1/session", String::new(), LOG_IN),
        Endpoint::DestroySession => (Method::DELETE, "/auth/1/session", field, ""),
        Endpoint::Token => (Method::POST, "/auth/1/oauth2/token", String::new(), FORM),
        Endpoint::Settings => (Method::GET, "/settings/2/api-keys", basic(USER, PASSWORD), ""),
        Endpoint::Messages => (Method::POST, "/sms/3/messages", field, MESSAGE),
        other => unreachable!("{other:?} is none of Infobip's"),
    }
}

/// What the request is answered; 0 where the connection is dropped.
async fn meet(it: &Stage, endpoint: Endpoint, session: &str) -> (u16, Option<String>) {
    let (method, path, field, body) = request(endpoint, session);
    let fields: &[(&str, &str)] = &[("authorization", &field)];
    let fields = if field.is_empty() { &[] } else { fields };
    match it.client.try_send(method, path, fields, body).await {
        None => (0, None),
        Some(answered) => {
            let wait = answered.headers.get("retry-after");
            (answered.status, wait.map(|wait| wait.to_str().unwrap().to_owned()))
        }
    }
}

/// A session where the endpoint needs one.
async fn session(it: &Stage, endpoint: Endpoint) -> String {
    match endpoint {
        Endpoint::DestroySession | Endpoint::Messages => it.client.log_in().await,
        _ => String::new(),
    }
}

#[tokio::test]
async fn a_fault_meets_as_many_requests_to_its_endpoint_as_it_was_armed_for() {
    for endpoint in Endpoint::INFOBIP {
        let it = stage().await;
        let session = session(&it, endpoint).await;
        let faults = it.infobip.faults();
        faults.arm(Fault::Unauthorized, endpoint, 1);
        faults.arm(Fault::TooManyRequests(Duration::from_millis(1500)), endpoint, 2);
        faults.arm(Fault::Reset, endpoint, 1);
        let begun = it.infobip.counts();
        assert_eq!(meet(&it, endpoint, &session).await, (401, None), "{endpoint:?}");
        for _ in 0..2 {
            let throttled = (429, Some("2".to_owned()));
            assert_eq!(meet(&it, endpoint, &session).await, throttled, "{endpoint:?}");
        }
        assert_eq!(meet(&it, endpoint, &session).await.0, 0, "{endpoint:?}");
        let ended = it.infobip.counts();
        // None of them did anything.
        assert_eq!(ended.sessions_created, begun.sessions_created);
        assert_eq!((ended.sessions_destroyed, ended.tokens_issued), (0, 0));
        assert_eq!(ended.messages_accepted, 0);
        assert_eq!((ended.unauthorized, ended.throttled, ended.dropped), (1, 2, 1));
        assert!(faults.armed().is_empty());
        assert_eq!(meet(&it, endpoint, &session).await, (200, None), "{endpoint:?}");
    }
}

#[tokio::test]
async fn a_lost_answer_is_work_that_was_done() {
    for endpoint in Endpoint::INFOBIP {
        let it = stage().await;
        let session = session(&it, endpoint).await;
        it.infobip.faults().arm(Fault::LostAnswer, endpoint, 1);
        let begun = it.infobip.counts();
        assert_eq!(meet(&it, endpoint, &session).await.0, 0, "{endpoint:?}");
        let ended = it.infobip.counts();
        let done = [
            ended.sessions_created - begun.sessions_created,
            ended.sessions_destroyed,
            ended.tokens_issued,
            ended.messages_accepted,
        ];
        let expected = match endpoint {
            Endpoint::CreateSession => [1, 0, 0, 0],
            Endpoint::DestroySession => [0, 1, 0, 0],
            Endpoint::Token => [0, 0, 1, 0],
            Endpoint::Settings => [0; 4],
            Endpoint::Messages => [0, 0, 0, 1],
            other => unreachable!("{other:?} is none of Infobip's"),
        };
        assert_eq!(done, expected, "{endpoint:?}");
    }
}

#[tokio::test]
async fn a_slow_request_waits_and_is_answered() {
    for endpoint in Endpoint::INFOBIP {
        let it = stage().await;
        let session = session(&it, endpoint).await;
        it.infobip.faults().arm(Fault::Slow(WAIT), endpoint, 1);
        let begun = Instant::now();
        assert_eq!(meet(&it, endpoint, &session).await, (200, None), "{endpoint:?}");
        assert!(begun.elapsed() >= WAIT, "{endpoint:?}");
    }
}

/// A session of which its client never learns the token.
#[tokio::test]
async fn a_slow_request_is_done_though_its_client_gives_up() {
    let it = stage().await;
    it.infobip.faults().arm(Fault::Slow(WAIT), Endpoint::CreateSession, 1);
    let given_up = tokio::time::timeout(WAIT / 3, it.client.log_in()).await;
    assert!(given_up.is_err());
    assert_eq!(it.infobip.counts().sessions_created, 0);
    tokio::time::sleep(WAIT * 2).await;
    assert_eq!(it.infobip.counts().sessions_created, 1);
    assert_eq!(meet(&it, Endpoint::CreateSession, "").await.0, 400);
}

/// However late a caller hangs up, it leaves a whole session or none, and the next one that replaces it works.
#[tokio::test(flavor = "multi_thread")]
async fn callers_that_hang_up_leave_whole_sessions_or_none() {
    let it = stage().await;
    let replacing = r#"{"username":"acme","password":"pa55:word","replace":true}"#;
    it.client.log_in().await;
    let mut created = 1;
    for late in 0..60 {
        let client = it.client.clone();
        let caller =
            tokio::spawn(async move { client.post("/auth/1/session", "", replacing).await });
        tokio::time::sleep(Duration::from_micros(late * 50)).await;
        caller.abort();
        let session = it.client.post("/auth/1/session", "", replacing).await.session();
        created += 1;
        // What the first one asked for may be done after the second: then its session is the one that lives.
        let second = it.client.message(&session).await;
        assert!(matches!(second, 200 | 401), "{second}");
        let third = it.client.post("/auth/1/session", "", LOG_IN).await;
        assert_eq!(third.status, 400, "{third:?}");
    }
    // The last one that hung up may still be at work.
    tokio::time::sleep(WAIT * 2).await;
    let counts = it.infobip.counts();
    assert!((created..=created + 60).contains(&counts.sessions_created), "{counts:?}");
    let last = it.client.post("/auth/1/session", "", replacing).await.session();
    assert_eq!(it.client.message(&last).await, 200);
}

#[tokio::test]
async fn a_session_that_ends_now_is_refused_and_makes_room_for_the_next() {
    let it = stage().await;
    let session = it.client.log_in().await;
    it.infobip.faults().arm(Fault::ExpireNow, Endpoint::Messages, 1);
    assert_eq!(it.client.message(&app(it.infobip.api_key())).await, 200);
    assert_eq!(it.client.message(&session).await, 401);
    let next = it.client.log_in().await;
    assert_eq!(it.client.message(&next).await, 200);
    it.infobip.faults().arm(Fault::ExpireNow, Endpoint::CreateSession, 1);
    let third = it.client.log_in().await;
    assert_eq!(it.client.message(&next).await, 401);
    it.infobip.faults().arm(Fault::ExpireNow, Endpoint::DestroySession, 1);
    assert_eq!(it.client.log_out(&third).await, 401);
}

#[tokio::test]
async fn sessions_end_alone_and_a_403_ends_nothing() {
    let it = stage().await;
    let (session, form) = (it.client.log_in().await, request(Endpoint::Token, "").3);
    let token = it.client.post("/auth/1/oauth2/token", "", form).await;
    let token = format!("Bearer {}", token.text("/access_token"));
    let faults = it.infobip.faults();
    faults.arm(Fault::Forbidden, Endpoint::Messages, 1);
    let refused = it.client.post("/sms/3/messages", &session, MESSAGE).await;
    assert_eq!(refused.error(), "403 FORBIDDEN Forbidden");
    faults.arm(Fault::ExpireKeyManagerTokens, Endpoint::Messages, 1);
    assert_eq!(it.client.message(&session).await, 200);
    faults.arm(Fault::ExpireSessions, Endpoint::Messages, 1);
    assert_eq!(it.client.message(&token).await, 200);
    assert_eq!(it.client.message(&session).await, 401);
    faults.arm(Fault::ExpireNow, Endpoint::Messages, 1);
    assert_eq!(it.client.message(&token).await, 401);
}

#[tokio::test]
async fn a_fault_at_one_endpoint_leaves_the_others_alone() {
    let it = stage().await;
    it.infobip.faults().arm(Fault::Reset, Endpoint::CreateSession, 1);
    let key = app(it.infobip.api_key());
    assert_eq!(it.client.message(&key).await, 200);
    assert_eq!(it.client.log_out("IBSSO x").await, 401);
    assert_eq!(it.client.get("/nowhere", &key).await.status, 404);
    assert_eq!(meet(&it, Endpoint::CreateSession, "").await.0, 0);
}

#[tokio::test]
async fn of_many_requests_at_once_as_many_meet_a_fault_as_it_was_armed_for() {
    let it = stage().await;
    it.infobip.faults().arm(Fault::Unauthorized, Endpoint::Messages, 7);
    let key = app(it.infobip.api_key());
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..40 {
        let (client, key) = (it.client.clone(), key.clone());
        callers.spawn(async move { client.message(&key).await });
    }
    let refused = callers.join_all().await.into_iter().filter(|status| *status == 401).count();
    assert_eq!((refused, it.infobip.counts().messages_accepted), (7, 33));
}

#[tokio::test]
async fn faults_are_armed_listed_and_cleared_over_the_second_port() {
    let it = stage().await;
    let faults = Caller::from(it.infobip.faults_url(), Ipv4Addr::LOCALHOST);
    let armed = json!({ "fault": "slow", "endpoint": "messages", "requests": 3, "seconds": 0.25 });
    let answered = faults.post("/faults", "", &armed.to_string()).await;
    assert_eq!((answered.status, answered.body), (201, json!([armed])));
    let fault = Fault::Slow(Duration::from_millis(250));
    let expected = [Armed { fault, endpoint: Endpoint::Messages, requests: 3 }];
    assert_eq!(it.infobip.faults().armed(), expected);
    assert_eq!(faults.get("/faults", "").await.body, json!([armed]));
    let cleared = faults.send(Method::DELETE, "/faults", "", "").await;
    assert_eq!((cleared.status, cleared.body), (200, json!([])));
    assert_eq!(it.infobip.faults().armed(), []);
    let body = r#"{"fault":"unauthorized","endpoint":"create_session"}"#;
    assert_eq!(faults.post("/faults", "", body).await.status, 201);
    assert_eq!(meet(&it, Endpoint::CreateSession, "").await.0, 401);
    for body in [
        "",
        "{}",
        r#"{"fault":"none","endpoint":"messages"}"#,
        r#"{"fault":"slow","endpoint":"none"}"#,
        r#"{"fault":"slow","endpoint":"agent"}"#,
        r#"{"fault":"slow","endpoint":"messages","seconds":-1}"#,
        r#"{"fault":"slow","endpoint":"messages","seconds":1e300}"#,
        r#"{"fault":"slow","endpoint":"messages","requests":-1}"#,
        r#"{"fault":"slow","endpoint":"messages","second":1}"#,
        r#"{"fault":"slow","endpoint":"messages"}"#,
        r#"{"fault":"reset","endpoint":"messages","requests":0}"#,
    ] {
        let refused = faults.post("/faults", "", body).await;
        assert_eq!(refused.status, 400, "{body}");
        assert!(refused.body["error"].is_string(), "{body}");
    }
    assert_eq!(it.infobip.faults().armed(), []);
}

#[tokio::test]
async fn what_arrived_is_told_over_the_second_port_without_secrets() {
    let it = stage().await;
    let faults = Caller::from(it.infobip.faults_url(), Ipv4Addr::LOCALHOST);
    let session = it.client.log_in().await;
    it.client.message(&session).await;
    it.client.message(&app(it.infobip.api_key())).await;
    it.client.message(&basic(USER, PASSWORD)).await;
    it.client.get("/sms/1/logs?password=pa55:word", "pa55:word").await;
    it.infobip.faults().arm(Fault::Reset, Endpoint::DestroySession, 1);
    meet(&it, Endpoint::DestroySession, &session).await;
    let requests = faults.get("/requests", "").await;
    let seen = |pointer: &str| requests.body.pointer(pointer).unwrap().clone();
    assert_eq!(seen("/0/endpoint"), "create_session");
    assert_eq!(seen("/0/scheme"), json!(null));
    assert_eq!(seen("/1/scheme"), "IBSSO");
    assert_eq!((seen("/2/scheme"), seen("/2/status")), (json!("App"), json!(200)));
    assert_eq!(seen("/3/source"), "127.0.0.1");
    assert_eq!((seen("/4/path"), seen("/4/scheme")), (json!("/sms/1/logs"), json!("other")));
    assert_eq!((seen("/5/status"), seen("/5/fault")), (json!(null), json!("reset")));
    let counts = faults.get("/counts", "").await.body;
    assert_eq!((&counts["requests"], &counts["sessions_created"]), (&json!(6), &json!(1)));
    assert_eq!((&counts["dropped"], &counts["unauthorized"]), (&json!(1), &json!(0)));
    let told = format!("{requests:?} {:?} {:?}", it.infobip.requests(), it.infobip);
    let key = it.infobip.api_key().expose_text().unwrap_or_default().to_owned();
    let (_, token) = session.split_once(' ').unwrap();
    for secret in [PASSWORD, &key, token, basic(USER, PASSWORD).as_str()] {
        assert!(!told.contains(secret), "{secret}");
    }
}
