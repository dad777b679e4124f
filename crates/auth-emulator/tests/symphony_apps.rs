//! Extension apps: on behalf of users, and the circle of trust.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use auth_emulator::{Endpoint, Fault};
use auth_symphony::{CircleOfTrust, SymphonyLogIn, SymphonyUser, UserJwtVerifier};
use common::symphony::{KEY, OTHER_KEY, PUBLIC, jwt, stage, stage_of};
use http::Method;
use serde_json::json;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn an_app_calls_on_behalf_of_who_has_installed_it_by_id_and_by_name() {
    let it = stage().await;
    let app = it.app();
    let by_id = app.on_behalf_of(SymphonyUser::Id(7));
    let by_name = app.on_behalf_of(SymphonyUser::Name("jane@acme.com".into()));
    for user in [&by_id, &by_name] {
        let (status, said) = it.session_info(user).await;
        assert_eq!((status, said["username"].as_str()), (200, Some("jane@acme.com")));
        // An agent wants no key manager token beside it.
        assert_eq!(it.message(user).await, 200);
    }
    // One session of the app, and one of the user for each.
    assert_eq!(it.log_ins(), [3, 0, 2]);
    for stranger in [8, 9] {
        let user = app.on_behalf_of(SymphonyUser::Id(stranger));
        let refused = it.try_send(&user, Method::GET, "/pod/v2/sessioninfo", "").await;
        assert_eq!(refused.unwrap_err().code(), "symphony_on_behalf_of", "{stranger}");
    }
    let nobody = app.on_behalf_of(SymphonyUser::Name("john@acme.com".into()));
    let refused = it.try_send(&nobody, Method::GET, "/pod/v2/sessioninfo", "").await;
    assert_eq!(refused.unwrap_err().code(), "symphony_on_behalf_of");
    assert_eq!(it.session_info(&by_id).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_session_of_a_user_is_renewed_and_so_is_that_of_the_app() {
    let it = stage().await;
    let user = it.app().on_behalf_of(SymphonyUser::Id(7));
    assert_eq!(it.message(&user).await, 200);
    assert_eq!(it.log_ins(), [2, 0, 0]);
    // Both are dead: the app's is found so when it asks for the user's.
    it.symphony.faults().arm(Fault::ExpireSessions, Endpoint::Agent, 1);
    assert_eq!(it.message(&user).await, 200);
    assert_eq!(it.log_ins(), [4, 0, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_open_what_they_are_for_and_nothing_else() {
    let it = stage_of(|builder| builder.with_bot("second", PUBLIC)).await;
    let token = async |path: &str, name: &str, key: &str, seconds: u64| {
        let answered = it.log_in(path, &jwt(name, key, seconds)).await;
        answered.text("/token").to_owned()
    };
    let app = token("/login/pubkey/app/authenticate", "app", OTHER_KEY, 200).await;
    let bot = token("/login/pubkey/authenticate", "bot", KEY, 200).await;
    let keys = token("/relay/pubkey/authenticate", "bot", KEY, 200).await;
    let second = token("/relay/pubkey/authenticate", "second", KEY, 200).await;
    let user_path = "/login/pubkey/app/user/7/authenticate";
    let fields = [("sessionToken", &*app)];
    let user = it.ask(Method::POST, user_path, &fields, "").await;
    let user = user.text("/token").to_owned();
    let message = common::symphony::MESSAGE;
    let info = "/pod/v2/sessioninfo";
    let (session, manager) = ("sessionToken", "keyManagerToken");
    let check = async |path: &str, fields: &[(&str, &str)], expected: u16| {
        let method = if path == info { Method::GET } else { Method::POST };
        let answered = it.ask(method, path, fields, "x").await;
        assert_eq!(answered.status, expected, "{path} {fields:?} {answered:?}");
        if expected != 200 {
            assert_eq!(answered.body["code"], json!(expected), "{answered:?}");
            assert!(answered.body["message"].is_string(), "{answered:?}");
        }
    };
    check(info, &[(session, &bot)], 200).await;
    check(info, &[("SESSIONTOKEN", &user)], 200).await;
    check(info, &[(session, &app)], 403).await;
    check(info, &[(session, &keys)], 401).await;
    check(info, &[(manager, &keys)], 401).await;
    check(info, &[], 401).await;
    check(message, &[(session, &bot), (manager, &keys)], 200).await;
    check(message, &[(session, &user)], 200).await;
    check(message, &[(session, &bot)], 401).await;
    check(message, &[(session, &bot), (manager, &second)], 401).await;
    check(message, &[(session, &bot), (manager, &bot)], 401).await;
    check(message, &[(session, &app), (manager, &keys)], 403).await;
    check(message, &[(manager, &keys)], 401).await;
    check(user_path, &[(session, &app)], 200).await;
    check(user_path, &[(session, &bot)], 401).await;
    check(user_path, &[(session, &user)], 401).await;
    check("/login/pubkey/app/user/seven/authenticate", &[(session, &app)], 401).await;
    check("/login/pubkey/app/username/bot/authenticate", &[(session, &app)], 401).await;
    check("/login/idm/tokens", &[(session, &bot)], 200).await;
    check("/login/idm/tokens", &[], 401).await;
    check("/pod/v1/nothing", &[(session, &bot)], 404).await;
    check("/nothing", &[(session, &bot)], 404).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_circle_of_trust_believes_the_pair_of_the_pod_and_no_other() {
    let it = stage().await;
    let circle = CircleOfTrust::new(&it.endpoints(), &it.app_log_in(), it.context()).unwrap();
    let (one, other) = (circle.begin().await.unwrap(), circle.begin().await.unwrap());
    // In the same second, so that what it signs is what the circle of trust has signed.
    it.app().session_token().await.unwrap();
    let of =
        |app_token: &auth_emulator::Secret| it.symphony.symphony_token(app_token.expose()).unwrap();
    assert!(circle.is_trusted(one.expose(), of(&one).expose()));
    assert!(circle.is_trusted(other.expose(), of(&other).expose()));
    assert!(!circle.is_trusted(one.expose(), of(&other).expose()));
    assert!(!circle.is_trusted(b"other", of(&one).expose()));
    assert!(it.symphony.symphony_token(b"other").is_none());
    it.clock.advance(Duration::from_secs(300));
    assert!(!circle.is_trusted(one.expose(), of(&one).expose()));
    let wrong = SymphonyLogIn::rsa("app", KEY).unwrap();
    let wrong = CircleOfTrust::new(&it.endpoints(), &wrong, it.context()).unwrap();
    assert_eq!(wrong.begin().await.unwrap_err().code(), "symphony_log_in");
    let path = "/login/v1/pubkey/app/authenticate/extensionApp";
    let body = json!({ "appToken": "ta", "authToken": jwt("app", OTHER_KEY, 400) }).to_string();
    let answered = it.ask(Method::POST, path, &[], &body).await;
    assert_eq!((answered.text("/appId"), answered.text("/appToken")), ("app", "ta"));
    assert_eq!(it.ask(Method::POST, path, &[], &body).await.status, 401);
    assert_eq!(it.ask(Method::POST, path, &[], "{}").await.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_client_says_of_its_user_is_verified_by_the_certificate_of_the_pod() {
    let it = stage().await;
    let users = UserJwtVerifier::new(&it.endpoints(), "app", it.context());
    let others = UserJwtVerifier::new(&it.endpoints(), "other", it.context());
    let token = it.symphony.user_jwt("app", 7).unwrap();
    let token = token.expose_text().unwrap();
    let claims = users.verify(token).await.unwrap().unwrap();
    assert_eq!(claims.subject(), Some("7"));
    let said: serde_json::Value = claims.read().unwrap();
    assert_eq!(said["user"]["username"], json!("jane@acme.com"));
    assert!(others.verify(token).await.unwrap().is_err());
    it.clock.advance(Duration::from_secs(600));
    assert!(users.verify(token).await.unwrap().is_err());
    assert_eq!(it.symphony.user_jwt("bot", 7).unwrap_err().code(), "emulator_account");
    assert_eq!(it.symphony.user_jwt("app", 9).unwrap_err().code(), "emulator_account");
}
