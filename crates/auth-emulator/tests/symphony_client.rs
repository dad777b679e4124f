//! Our own bot at the emulated installation: both ends of each log-in agree, and each costs what it should.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use auth_emulator::{Endpoint, Fault, TokenLifetime};
use common::symphony::{
    KEY, MESSAGE, OTHER_KEY, OTHER_PUBLIC, PUBLIC, Stage, THIRD_KEY, THIRD_PUBLIC, send, stage,
    stage_of,
};
use http::Method;
use std::{sync::Arc, time::Duration};
use tokio::task::JoinSet;

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_logs_in_once_with_either_component_and_sends() {
    let it = stage().await;
    let bot = it.bot();
    for _ in 0..3 {
        assert_eq!(it.message(&bot.agent()).await, 200);
    }
    let (status, said) = it.session_info(&bot.pod()).await;
    assert_eq!((status, said["username"].as_str()), (200, Some("bot")));
    assert_eq!(it.log_ins(), [1, 1, 1]);
    let counts = it.symphony.counts();
    assert_eq!((counts.messages_accepted, counts.unauthorized), (3, 0));
    assert_eq!(counts.requests, 6);
}

async fn check_killed(fault: Fault, expected: [u64; 3]) {
    let it = stage().await;
    let bot = it.bot();
    assert_eq!(it.message(&bot.agent()).await, 200);
    it.symphony.faults().arm(fault, Endpoint::Agent, 1);
    for _ in 0..3 {
        assert_eq!(it.message(&bot.agent()).await, 200, "{fault:?}");
    }
    assert_eq!(it.log_ins(), expected, "{fault:?}");
    assert_eq!(it.symphony.counts().messages_accepted, 4, "{fault:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_session_costs_one_probe_and_one_log_in_at_the_pod() {
    check_killed(Fault::ExpireSessions, [2, 1, 1]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_key_manager_token_costs_one_probe_and_one_log_in_at_the_key_manager() {
    check_killed(Fault::ExpireKeyManagerTokens, [1, 2, 1]).await;
}

/// The second probe is for the second token: the agent does not say that both are dead.
#[tokio::test(flavor = "multi_thread")]
async fn both_killed_cost_one_probe_and_one_log_in_each() {
    check_killed(Fault::ExpireNow, [2, 2, 2]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_the_pod_refuses_is_renewed_without_a_probe() {
    let it = stage().await;
    let bot = it.bot();
    assert_eq!(it.message(&bot.agent()).await, 200);
    it.symphony.faults().arm(Fault::ExpireNow, Endpoint::Pod, 1);
    assert_eq!(it.session_info(&bot.pod()).await.0, 200);
    // Both requests of the program itself, the refused one and the repeated one.
    assert_eq!(it.log_ins(), [2, 1, 2]);
}

/// So many requests, of which a hundred are under way at a time.
async fn many(it: &Stage, fault: Fault, requests: usize) {
    let agent = Arc::new(it.bot().agent());
    assert_eq!(it.message(&*agent).await, 200);
    let base: Arc<str> = it.symphony.base_url().into();
    let client = Arc::new(auth_reqwest::AuthClient::builder().build().unwrap());
    it.symphony.faults().arm(fault, Endpoint::Agent, 1);
    let mut callers = JoinSet::new();
    for _ in 0..100 {
        let (agent, base, client) = (Arc::clone(&agent), Arc::clone(&base), Arc::clone(&client));
        callers.spawn(async move {
            for _ in 0..requests / 100 {
                let sent = send(&client, &base, &*agent, Method::POST, MESSAGE, "hello").await;
                assert_eq!(sent.unwrap().0, 200);
            }
        });
    }
    callers.join_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_requests_find_the_session_killed_and_one_of_them_logs_in() {
    let it = stage().await;
    many(&it, Fault::ExpireSessions, 10_000).await;
    assert_eq!(it.log_ins(), [2, 1, 1]);
    assert_eq!(it.symphony.counts().messages_accepted, 10_001);
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_requests_find_the_key_manager_token_killed_and_one_of_them_logs_in() {
    let it = stage().await;
    many(&it, Fault::ExpireKeyManagerTokens, 10_000).await;
    assert_eq!(it.log_ins(), [1, 2, 1]);
    assert_eq!(it.symphony.counts().messages_accepted, 10_001);
}

/// The bot makes a probe and a log-in for each token: the request that it repeats with the first finds the second dead.
#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_requests_find_both_killed_and_one_of_them_logs_in_with_each() {
    let it = stage().await;
    many(&it, Fault::ExpireNow, 2000).await;
    assert_eq!(it.log_ins(), [2, 2, 2]);
    assert_eq!(it.symphony.counts().messages_accepted, 2001);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_of_simplified_key_delivery_sends_both_tokens_where_the_session_does_not_allow_it() {
    let it = stage().await;
    let bot = it.bot().with_simplified_key_delivery();
    assert_eq!(it.message(&bot.agent()).await, 200);
    assert_eq!(it.log_ins(), [1, 1, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn for_fourteen_days_nobody_logs_in_and_then_once_and_the_datafeed_is_the_same() {
    let it = stage().await;
    let agent = it.bot().agent();
    let made = it.try_send(&agent, Method::POST, "/agent/v5/datafeeds", "").await.unwrap();
    assert_eq!(made.0, 201);
    let id = made.1["id"].as_str().unwrap();
    let path = format!("/agent/v5/datafeeds/{id}/read");
    let read = async || it.try_send(&agent, Method::POST, &path, r#"{"ackId":""}"#).await.unwrap();
    for day in 0..14 {
        let (status, said) = read().await;
        assert_eq!((status, said["ackId"].as_str()), (200, Some(&*format!("ack-{}", day + 1))));
        it.clock.advance(if day == 13 { DAY - Duration::from_secs(1) } else { DAY });
    }
    assert_eq!((read().await.0, it.log_ins()), (200, [1, 1, 0]));
    it.clock.advance(Duration::from_secs(1));
    let (status, said) = read().await;
    assert_eq!((status, said["ackId"].as_str()), (200, Some("ack-16")));
    // Both tokens are two weeks old: one log-in each, and a probe before each.
    assert_eq!(it.log_ins(), [2, 2, 2]);
    assert_eq!((read().await.0, it.log_ins()), (200, [2, 2, 2]));
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_live_as_long_as_the_administrator_says() {
    let lifetime = TokenLifetime::new(HOUR).unwrap();
    let it = stage_of(|builder| builder.with_token_lifetime(lifetime)).await;
    let bot = it.bot();
    for (passed, expected) in [(0, 1), (3599, 1), (1, 2), (3599, 2), (1, 3)] {
        it.clock.advance(Duration::from_secs(passed));
        assert_eq!(it.message(&bot.agent()).await, 200);
        assert_eq!(it.log_ins()[..2], [expected, expected]);
    }
}

async fn refused(it: &Stage, name: &str, key: &str) -> bool {
    let token = it.bot_with(name, key).session_token().await;
    token.is_err_and(|error| error.code() == "symphony_log_in")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_name_or_key_is_refused() {
    let it = stage().await;
    for (name, key) in [("bot", OTHER_KEY), ("nobody", KEY), ("Bot", KEY), ("app", OTHER_KEY)] {
        assert!(refused(&it, name, key).await, "{name}");
    }
    assert_eq!(it.log_ins(), [0, 0, 0]);
    assert_eq!(it.symphony.counts().unauthorized, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_keys_are_good_for_72_hours_after_one_was_replaced_and_then_one() {
    let it = stage().await;
    let replace = async |key, expected: &str| {
        let error = it.symphony.replace_public_key("bot", key).await.unwrap_err();
        let text = error.to_string();
        assert!(error.code() == "emulator_public_key" && text.contains(expected), "{text}");
    };
    replace(KEY, "RSA in PEM").await;
    replace(PUBLIC, "belongs to a credential already").await;
    it.symphony.replace_public_key("bot", OTHER_PUBLIC).await.unwrap();
    replace(THIRD_PUBLIC, "").await;
    it.clock.advance(72 * HOUR - Duration::from_secs(1));
    for key in [KEY, OTHER_KEY] {
        assert_eq!(it.message(&it.bot_with("bot", key).agent()).await, 200);
    }
    assert_eq!(it.log_ins(), [2, 2, 0]);
    it.clock.advance(Duration::from_secs(1));
    assert!(refused(&it, "bot", KEY).await);
    replace(PUBLIC, "belongs to a credential already").await;
    it.symphony.replace_public_key("bot", THIRD_PUBLIC).await.unwrap();
    for key in [OTHER_KEY, THIRD_KEY] {
        assert_eq!(it.message(&it.bot_with("bot", key).agent()).await, 200);
    }
    assert!(refused(&it, "bot", KEY).await);
    let nobody = it.symphony.replace_public_key("nobody", PUBLIC).await.unwrap_err();
    assert_eq!(nobody.code(), "emulator_account");
    let user = it.symphony.replace_public_key("jane@acme.com", PUBLIC).await.unwrap_err();
    assert_eq!(user.code(), "emulator_account");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_common_jwt_opens_both_and_is_renewed_before_it_ends() {
    let it = stage().await;
    let bot = it.bot().with_common_jwt();
    assert_eq!(it.message(&bot.agent()).await, 200);
    assert_eq!(it.session_info(&bot.pod()).await.0, 200);
    assert_eq!((it.symphony.counts().tokens_issued, it.log_ins()), (1, [1, 1, 1]));
    it.clock.advance(Duration::from_secs(300));
    assert_eq!(it.message(&bot.agent()).await, 200);
    assert_eq!((it.symphony.counts().tokens_issued, it.log_ins()), (2, [1, 1, 1]));
    it.symphony.faults().arm(Fault::ExpireSessions, Endpoint::Agent, 1);
    assert_eq!(it.message(&bot.agent()).await, 200);
    assert_eq!((it.symphony.counts().tokens_issued, it.log_ins()), (3, [2, 1, 2]));
}
