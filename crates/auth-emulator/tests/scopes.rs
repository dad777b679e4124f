//! Which scopes open which endpoint, for every kind of credentials.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use auth_emulator::Secret;
use common::{MESSAGE, Stage, basic, stage_of};
use http::Method;
use serde_json::json;

const WHATSAPP: &str = r#"{"from":"1","to":"2","content":{"text":"t"}}"#;

/// Every endpoint, and a body that it takes.
const ALL: [(&str, &str, &str); 6] = [
    ("POST", "/sms/3/messages", MESSAGE),
    ("POST", "/sms/2/text/advanced", MESSAGE),
    ("POST", "/whatsapp/1/message/text", WHATSAPP),
    ("GET", "/sms/1/logs", ""),
    ("GET", "/sms/1/inbox/reports", ""),
    ("GET", "/settings/2/api-keys", ""),
];

/// The statuses of all endpoints with these credentials.
async fn statuses(it: &Stage, field: &str) -> String {
    let mut all = Vec::new();
    for (method, path, body) in ALL {
        let method: Method = method.parse().unwrap();
        all.push(it.client.send(method, path, field, body).await.status.to_string());
    }
    all.join(" ")
}

/// A user with these scopes, by Basic, a session, OAuth and a key of its own.
#[track_caller]
fn check(scopes: &'static [&'static str], expected: &str) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let with = |it: auth_emulator::InfobipBuilder| {
            let scopes = scopes.iter().copied().filter(|scope| !scope.is_empty());
            it.with_limited_user("user", Secret::new("word"), scopes)
        };
        let it = stage_of(with).await;
        assert_eq!(statuses(&it, &basic("user", "word")).await, expected, "Basic {scopes:?}");
        let log_in = r#"{"username":"user","password":"word"}"#;
        let session = it.client.post("/auth/1/session", "", log_in).await.session();
        assert_eq!(statuses(&it, &session).await, expected, "IBSSO {scopes:?}");
        let form = "client_id=user&client_secret=word&grant_type=client_credentials";
        let token = it.client.post("/auth/1/oauth2/token", "undefined", form).await;
        let bearer = format!("Bearer {}", token.text("/access_token"));
        assert_eq!(statuses(&it, &bearer).await, expected, "Bearer {scopes:?}");
        // A key with these scopes manages no keys.
        let admin = basic(common::USER, common::PASSWORD);
        let body = json!({ "name": "n", "scopeGuids": scopes }).to_string();
        let key = it.client.post("/settings/2/api-keys", &admin, &body).await;
        if key.status == 200 && !scopes.is_empty() {
            let field = format!("App {}", key.text("/apiKeySecret"));
            let expected = format!("{} 403", expected.rsplit_once(' ').unwrap().0);
            assert_eq!(statuses(&it, &field).await, expected, "App {scopes:?}");
        }
    });
}

#[test]
fn a_scope_of_one_action_opens_the_endpoints_of_that_action() {
    check(&["sms:message:send"], "200 200 403 403 403 403");
    check(&["sms:logs:read"], "403 403 403 200 403 403");
    check(&["sms:inbound-message:read"], "403 403 403 403 200 403");
    check(&["whatsapp:message:send"], "403 403 200 403 403 403");
}

#[test]
fn a_scope_of_all_channels_opens_each_of_them() {
    check(&["message:send"], "200 200 200 403 403 403");
    check(&["inbound-message:read"], "403 403 403 403 200 403");
}

#[test]
fn manage_opens_all_of_its_product_and_nothing_of_others() {
    check(&["sms:manage"], "200 200 403 200 200 403");
    check(&["whatsapp:manage"], "403 403 200 403 403 403");
    check(&["account-management:manage"], "403 403 403 403 403 200");
    check(&["2fa:manage"], "403 403 403 403 403 403");
}

#[test]
fn without_a_scope_nothing_is_opened() {
    check(&[], "403 403 403 403 403 403");
}

#[tokio::test]
async fn without_credentials_every_endpoint_says_so_in_its_own_form() {
    let it = stage_of(|it| it).await;
    let wrong = ["", "undefined", "IBSSO x", "IBBSO x", "App x", "Basic Og==", "Bearer x"];
    for field in wrong {
        assert_eq!(statuses(&it, field).await, "401 401 401 401 401 401", "{field}");
    }
    for (method, path, body) in ALL {
        let answered = it.client.send(method.parse().unwrap(), path, "", body).await;
        let code = if path.starts_with("/settings") { "E401" } else { "UNAUTHORIZED" };
        assert_eq!(answered.error(), format!("401 {code} Invalid login details"), "{path}");
        assert!(answered.headers.contains_key("www-authenticate"), "{path}");
    }
    let forbidden = it.client.get("/nowhere", "").await;
    assert_eq!(forbidden.error(), "404 NOT_FOUND Not Found");
    assert_eq!(it.client.get("/settings/9", "").await.error(), "404 E404 Not Found");
    assert_eq!(it.client.get("/auth/1/session", "").await.status, 405);
}

#[tokio::test]
async fn who_uploads_much_with_wrong_credentials_sees_the_refusal() {
    let it = stage_of(|it| it).await;
    let body = "x".repeat(60_000);
    for _ in 0..20 {
        let fields = [("authorization", "App wrong")];
        let sent = it.client.try_send(Method::POST, "/sms/3/messages", &fields, &body).await;
        assert_eq!(sent.map(|answered| answered.status), Some(401));
    }
}

#[tokio::test]
async fn of_a_path_no_more_is_recorded_than_any_path_of_the_platform_has() {
    let it = stage_of(|it| it).await;
    it.client.get(&format!("/{}", "a".repeat(300)), "").await;
    assert_eq!(it.infobip.requests()[0].path.len(), 200);
}

#[tokio::test]
async fn a_message_that_is_none_is_named() {
    let it = stage_of(|it| it).await;
    let key = common::app(it.infobip.api_key());
    for body in ["", "{}", "[]", r#"{"messages":[]}"#, r#"{"messages":1}"#, "\u{0}"] {
        let refused = it.client.post("/sms/3/messages", &key, body).await;
        assert_eq!(refused.error(), "400 BAD_REQUEST Bad Request", "{body}");
        let errors = &refused.body["requestError"]["serviceException"]["validationErrors"];
        assert_eq!(errors["messages"], json!(["must not be empty"]), "{body}");
    }
    let refused = it.client.post("/whatsapp/1/message/text", &key, "{}").await;
    assert_eq!(refused.status, 400);
    let long = it.client.post("/sms/3/messages", &key, &"x".repeat(70_000)).await;
    assert_eq!(long.status, 413);
    assert_eq!(it.infobip.counts().messages_accepted, 0);
}
