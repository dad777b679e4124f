//! Sessions: one of a user at a time, bound to an address, for an hour.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use auth_emulator::{Secret, SessionLifetime};
use common::{Caller, LOG_IN, PASSWORD, USER, basic, stage, stage_of};
use http::Method;
use std::{collections::HashSet, net::Ipv4Addr, time::Duration};

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_session_is_created_sends_messages_and_is_destroyed_before_the_next() {
    let it = stage().await;
    let session = it.client.log_in().await;
    assert_eq!(it.client.message(&session).await, 200);
    let second = it.client.post("/auth/1/session", "", LOG_IN).await;
    let expected = "400 BAD_REQUEST a session of this user is alive, destroy it first";
    assert_eq!(second.error(), expected);
    assert_eq!(it.client.message(&session).await, 200);
    assert_eq!(it.client.log_out(&session).await, 200);
    assert_eq!(it.client.message(&session).await, 401);
    assert_eq!(it.client.log_out(&session).await, 401);
    let next = it.client.log_in().await;
    assert_ne!(next, session);
    assert_eq!(it.client.message(&next).await, 200);
    let counts = it.infobip.counts();
    assert_eq!((counts.sessions_created, counts.sessions_destroyed), (2, 1));
    assert_eq!((counts.messages_accepted, counts.unauthorized), (3, 2));
    it.infobip.stop().await;
}

#[tokio::test]
async fn each_user_has_a_session_of_its_own() {
    let it = stage_of(|it| it.with_user("other", Secret::new("word"))).await;
    let (one, body) = (it.client.log_in().await, r#"{"username":"other","password":"word"}"#);
    let other = it.client.post("/auth/1/session", "", body).await.session();
    assert_eq!(it.client.log_out(&one).await, 200);
    assert_eq!(it.client.message(&other).await, 200);
}

#[tokio::test]
async fn a_session_ends_an_hour_after_its_creation_though_it_is_used() {
    let it = stage().await;
    let session = it.client.log_in().await;
    it.clock.advance(MINUTE * 59);
    assert_eq!(it.client.message(&session).await, 200);
    it.clock.advance(MINUTE);
    assert_eq!(it.client.message(&session).await, 401);
    it.client.log_in().await;
}

#[tokio::test]
async fn a_session_that_slides_ends_an_hour_after_its_last_use() {
    let it = stage_of(|it| it.with_session_lifetime(SessionLifetime::Sliding(MINUTE * 60))).await;
    let session = it.client.log_in().await;
    for _ in 0..3 {
        it.clock.advance(MINUTE * 59);
        assert_eq!(it.client.message(&session).await, 200);
    }
    let second = it.client.post("/auth/1/session", "", LOG_IN).await;
    assert_eq!(second.status, 400, "{second:?}");
    it.clock.advance(MINUTE * 61);
    assert_eq!(it.client.message(&session).await, 401);
    it.client.log_in().await;
}

#[tokio::test]
async fn a_session_is_bound_to_the_address_that_created_it_unless_it_is_unsafe() {
    let it = stage().await;
    let elsewhere = Caller::from(it.infobip.base_url(), Ipv4Addr::new(127, 0, 0, 2));
    let bound = it.client.log_in().await;
    assert_eq!(elsewhere.message(&bound).await, 401);
    assert_eq!(elsewhere.log_out(&bound).await, 401);
    assert_eq!(it.client.message(&bound).await, 200);
    assert_eq!(it.client.log_out(&bound).await, 200);
    let body = r#"{"username":"acme","password":"pa55:word","unsafe":true}"#;
    let free = it.client.post("/auth/1/session", "", body).await.session();
    assert_eq!(elsewhere.message(&free).await, 200);
    assert_eq!(elsewhere.log_out(&free).await, 200);
}

#[tokio::test]
async fn of_many_callers_that_create_at_once_one_gets_a_session() {
    let it = stage().await;
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..30 {
        let client = it.client.clone();
        callers.spawn(async move { client.post("/auth/1/session", "", LOG_IN).await.status });
    }
    let mut statuses = callers.join_all().await;
    statuses.sort_unstable();
    assert_eq!(statuses[..2], [200, 400]);
    assert!(statuses[1..].iter().all(|status| *status == 400), "{statuses:?}");
    assert_eq!(it.infobip.counts().sessions_created, 1);
}

#[tokio::test]
async fn a_creation_whose_answer_was_lost_is_repeated_by_its_key_or_replaced() {
    let it = stage().await;
    let create = |key: &'static str, body: &'static str| {
        let (client, fields) = (it.client.clone(), [("idempotency-key", key)]);
        async move { client.try_send(Method::POST, "/auth/1/session", &fields, body).await.unwrap() }
    };
    let session = create("one", LOG_IN).await.session();
    assert_eq!(create("one", LOG_IN).await.session(), session);
    assert_eq!(it.infobip.counts().sessions_created, 1);
    let other = r#"{"username":"acme","password":"pa55:word","unsafe":true}"#;
    let reused = "400 BAD_REQUEST idempotency-key was given with another request, take a new one";
    assert_eq!(create("one", other).await.error(), reused);
    assert_eq!(create("two", LOG_IN).await.status, 400);
    let replacing = r#"{"username":"acme","password":"pa55:word","replace":true}"#;
    let next = create("three", replacing).await.session();
    assert_eq!(it.client.message(&session).await, 401);
    assert_eq!(it.client.message(&next).await, 200);
    // The session of the first key has ended: its token is not given out again.
    assert_eq!(create("one", LOG_IN).await.error(), reused);
    assert_eq!(it.client.log_out(&next).await, 200);
    assert_eq!(create("three", replacing).await.error(), reused);
    let last = create("four", LOG_IN).await.session();
    it.clock.advance(MINUTE * 60);
    assert_eq!(create("four", LOG_IN).await.error(), reused);
    assert_eq!(it.client.message(&last).await, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_callers_that_create_at_once_with_one_key_all_get_the_same_session() {
    let it = stage().await;
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..30 {
        let client = it.client.clone();
        callers.spawn(async move {
            let fields = [("idempotency-key", "one")];
            let created = client.try_send(Method::POST, "/auth/1/session", &fields, LOG_IN).await;
            created.unwrap().session()
        });
    }
    let sessions: HashSet<_> = callers.join_all().await.into_iter().collect();
    assert_eq!((sessions.len(), it.infobip.counts().sessions_created), (1, 1));
}

#[tokio::test]
async fn what_clients_send_in_authorization_when_they_log_in_is_not_read() {
    let it = stage().await;
    for field in ["undefined", "Basic !!", "IBSSO stale"] {
        let session = it.client.post("/auth/1/session", field, LOG_IN).await.session();
        assert_eq!(it.client.log_out(&session).await, 200);
    }
}

#[tokio::test]
async fn a_wrong_log_in_is_refused_in_the_vendors_form() {
    let it = stage().await;
    let check = async |body: &str, expected: &str| {
        let answered = it.client.post("/auth/1/session", "undefined", body).await;
        assert!(answered.error().starts_with(expected), "{answered:?}");
    };
    check(r#"{"username":"acme","password":"x"}"#, "401 UNAUTHORIZED").await;
    check(r#"{"username":"nobody","password":"pa55:word"}"#, "401 UNAUTHORIZED").await;
    check("{}", "400 BAD_REQUEST").await;
    check("", "400 BAD_REQUEST").await;
    check(&"x".repeat(20_000), "400 BAD_REQUEST").await;
    check(&"x".repeat(70_000), "413").await;
    assert_eq!(it.infobip.counts().sessions_created, 0);
}

#[tokio::test]
async fn basic_is_verified_with_colons_in_the_password() {
    let it = stage().await;
    assert_eq!(it.client.message(&basic(USER, PASSWORD)).await, 200);
    assert_eq!(it.client.message(&basic(USER, "pa55")).await, 401);
    assert_eq!(it.client.message(&basic(USER, "pa55:wor")).await, 401);
    assert_eq!(it.client.message(&basic("nobody", PASSWORD)).await, 401);
    assert_eq!(it.client.message(&basic(USER, PASSWORD)).await, 200);
}
