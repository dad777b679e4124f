//! The installation itself: what it refuses, what it records, and how it is set up.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use auth_core::Timestamp;
use auth_emulator::{Symphony, SymphonyBuilder};
use auth_jwt::{JwkSet, JwsAlgorithm, JwtPolicy, UnverifiedJws, VerifyingKey};
use common::{
    START,
    symphony::{KEY, MESSAGE, OTHER_KEY, OTHER_PUBLIC, PUBLIC, jwt, stage},
};
use http::Method;
use serde_json::json;
use std::time::Duration;

const POD: &str = "/login/pubkey/authenticate";
const KEY_MANAGER: &str = "/relay/pubkey/authenticate";

#[tokio::test]
async fn a_log_in_is_good_once_at_each_component_and_before_it_ends() {
    let it = stage().await;
    let log_in = jwt("bot", KEY, 240);
    let answered = it.log_in(POD, &log_in).await;
    assert_eq!((answered.status, answered.text("/name")), (200, "sessionToken"));
    let answered = it.log_in(KEY_MANAGER, &log_in).await;
    assert_eq!((answered.status, answered.text("/name")), (200, "keyManagerToken"));
    let refused = json!({ "code": 401, "message": "login failed" });
    let short = jwt("bot", KEY, 10);
    it.clock.advance(Duration::from_secs(100));
    for path in [POD, KEY_MANAGER] {
        for wrong in [
            &log_in,
            &short,
            &jwt("bot", OTHER_KEY, 240),
            &jwt("Bot", KEY, 240),
            &jwt("app", OTHER_KEY, 240),
            &jwt("bot", KEY, 1000),
            &"a.b.c".to_owned(),
        ] {
            let answered = it.log_in(path, wrong).await;
            assert_eq!((answered.status, &answered.body), (401, &refused), "{path} {wrong}");
        }
        assert_eq!(it.ask(Method::POST, path, &[], "{}").await.status, 400);
    }
    assert_eq!(it.log_ins(), [1, 1, 0]);
}

#[tokio::test]
async fn the_key_set_verifies_the_common_jwt() {
    let it = stage().await;
    let session = it.log_in(POD, &jwt("bot", KEY, 240)).await;
    let fields = [("sessiontoken", session.text("/token"))];
    let issued = it.ask(Method::POST, "/login/idm/tokens?scope=", &fields, "").await;
    assert_eq!((issued.text("/token_type"), &issued.body["expires_in"]), ("Bearer", &json!(300)));
    let set = it.ask(Method::GET, "/login/idm/keys", &[], "").await.body.to_string();
    let set: serde_json::Value = serde_json::from_str(&set).unwrap();
    assert!(JwkSet::parse(set.to_string().as_bytes()).is_ok());
    let key = auth_jwt::Jwk::parse(set["keys"][0].to_string().as_bytes()).unwrap();
    let key = VerifyingKey::from_jwk(&key, Some(JwsAlgorithm::RS256)).unwrap();
    let verified = UnverifiedJws::parse(issued.text("/access_token")).unwrap().verify(&key);
    let policy = JwtPolicy::new().allowing_any_audience();
    let claims = verified.unwrap().claims(&policy, Timestamp::from_unix(START)).unwrap();
    assert!(claims.subject().is_some_and(|id| id.bytes().all(|byte| byte.is_ascii_digit())));
}

#[tokio::test]
async fn an_endpoint_that_is_deprecated_warns_and_is_gone_once_it_is_switched_off() {
    let it = stage().await;
    let session = it.log_in(POD, &jwt("bot", KEY, 240)).await;
    let keys = it.log_in(KEY_MANAGER, &jwt("bot", KEY, 240)).await;
    let fields =
        [("sessionToken", session.text("/token")), ("keyManagerToken", keys.text("/token"))];
    let ask = async || it.ask(Method::POST, "/agent/v4/datafeed/create", &fields, "").await;
    let answered = ask().await;
    let warning = answered.headers["warning"].to_str().unwrap().to_owned();
    assert!(answered.status == 200 && warning.starts_with("299 - "), "{answered:?}");
    it.symphony.switch_off_deprecated();
    let answered = ask().await;
    assert_eq!((answered.status, &answered.body["code"]), (410, &json!(410)));
    assert!(answered.headers.get("warning").is_none());
}

#[tokio::test]
async fn datafeeds_belong_to_their_bot() {
    let it = common::symphony::stage_of(|it| it.with_bot("second", OTHER_PUBLIC)).await;
    let (bot, second) = (it.bot().agent(), it.bot_with("second", OTHER_KEY).agent());
    let feeds = "/agent/v5/datafeeds";
    let made = it.try_send(&bot, Method::POST, feeds, "").await.unwrap().1;
    let id = made["id"].as_str().unwrap();
    let listed = it.try_send(&bot, Method::GET, feeds, "").await.unwrap().1;
    assert_eq!(listed, json!([{ "id": id, "type": "datafeed" }]));
    assert_eq!(it.try_send(&second, Method::GET, feeds, "").await.unwrap().1, json!([]));
    let (one, read) = (format!("{feeds}/{id}"), format!("{feeds}/{id}/read"));
    assert_eq!(it.try_send(&second, Method::POST, &read, "{}").await.unwrap().0, 400);
    assert_eq!(it.try_send(&second, Method::DELETE, &one, "").await.unwrap().0, 400);
    assert_eq!(it.try_send(&bot, Method::POST, &read, "{}").await.unwrap().0, 200);
    assert_eq!(it.try_send(&bot, Method::DELETE, &one, "").await.unwrap().0, 204);
    assert_eq!(it.try_send(&bot, Method::POST, &read, "{}").await.unwrap().0, 400);
}

#[tokio::test]
async fn each_message_has_an_id_and_one_without_a_body_is_refused() {
    let it = stage().await;
    let agent = it.bot().agent();
    let send = async |body| it.try_send(&agent, Method::POST, MESSAGE, body).await.unwrap();
    let ((first, one), (second, other)) = (send("hello").await, send("hello").await);
    assert_eq!((first, second), (200, 200));
    assert!(one["messageId"].is_string() && one["messageId"] != other["messageId"], "{one}");
    assert_eq!(one["stream"]["streamId"], json!("s1"));
    assert_eq!((send("").await.0, it.symphony.counts().messages_accepted), (400, 2));
}

#[tokio::test]
async fn a_body_that_is_too_long_is_refused_in_the_form_of_errors() {
    let it = stage().await;
    for length in [70_000, 10_000_000] {
        let body = "x".repeat(length);
        let sent = it.caller.try_send(Method::POST, POD, &[], &body).await;
        // Of a very long one the connection may end before it was sent.
        assert!(sent.is_some() || length > 70_000, "{length}");
        if let Some(answered) = sent {
            assert_eq!((answered.status, &answered.body["code"]), (413, &json!(413)));
        }
    }
    assert_eq!(it.log_in(POD, &jwt("bot", KEY, 240)).await.status, 200);
}

#[tokio::test]
async fn what_arrived_is_recorded_without_tokens() {
    let it = stage().await;
    let log_in = jwt("bot", KEY, 240);
    let session = it.log_in(POD, &log_in).await.text("/token").to_owned();
    let keys = it.log_in(KEY_MANAGER, &log_in).await.text("/token").to_owned();
    let fields = [("sessionToken", &*session), ("keyManagerToken", &*keys)];
    it.ask(Method::POST, MESSAGE, &fields, "hello").await;
    it.ask(Method::GET, "/pod/v2/sessioninfo?x=hello", &fields[..1], "").await;
    it.ask(Method::GET, "/agent/v1/info", &fields[1..], "").await;
    let bearer = format!("Bearer {session}");
    it.ask(Method::GET, "/pod/v2/sessioninfo", &[("authorization", &bearer)], "").await;
    let requests = it.symphony.requests();
    let schemes: Vec<_> = requests.iter().map(|one| one.scheme.unwrap_or("-")).collect();
    let both = "sessionToken, keyManagerToken";
    assert_eq!(schemes, ["-", "-", both, "sessionToken", "keyManagerToken", "Bearer"]);
    let faults = common::Caller::from(it.symphony.faults_url(), std::net::Ipv4Addr::LOCALHOST);
    let counts = faults.get("/counts", "").await.body;
    assert_eq!((&counts["key_manager_tokens"], &counts["session_infos"]), (&json!(1), &json!(2)));
    let of_infobip = r#"{"fault":"slow","endpoint":"messages"}"#;
    assert_eq!(faults.post("/faults", "", of_infobip).await.status, 400);
    let told = faults.get("/requests", "").await.body;
    assert_eq!(told[2]["endpoint"], json!("agent"));
    let told = format!("{told} {requests:?} {:?}", it.symphony);
    for secret in [&*session, &keys, &log_in, "hello"] {
        assert!(!told.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn accounts_that_cannot_be_are_refused_by_name() {
    let check = async |builder: SymphonyBuilder, code: &str, says: &str| {
        let error = builder.build().await.unwrap_err();
        assert!(error.code() == code && error.to_string().contains(says), "{error}");
    };
    let one = || Symphony::builder().with_bot("bot", PUBLIC);
    check(one().with_app("bot", PUBLIC), "emulator_account", "\"bot\" is given twice").await;
    check(one().with_bot("a:b", PUBLIC), "emulator_account", "\"a:b\" is empty or has ':'").await;
    let two = one().with_app("a", PUBLIC).with_app("b", PUBLIC).with_user(7, "jane", ["b", "a"]);
    two.build().await.unwrap();
    let user = one().with_user(7, "jane", ["bot"]);
    check(user, "emulator_account", "\"jane\" has installed an app that there is not").await;
    let same = one().with_user(7, "jane", []).with_user(7, "john", []);
    check(same, "emulator_account", "\"john\" has the id of another").await;
    let wrong = "public key of \"bot\" is refused";
    check(Symphony::builder().with_bot("bot", "no key"), "emulator_public_key", wrong).await;
    check(Symphony::builder().with_bot("bot", KEY), "emulator_public_key", wrong).await;
}
