//! API keys: created, limited, disabled, bound to times, addresses and scopes.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use auth_emulator::Secret;
use common::{Answered, Caller, PASSWORD, START, Stage, USER, app, basic, stage, stage_of};
use serde_json::{Value, json};
use std::{net::Ipv4Addr, time::Duration};

const PATH: &str = "/settings/2/api-keys";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Stage {
    async fn create(&self, body: &Value) -> Answered {
        self.client.post(PATH, &basic(USER, PASSWORD), &body.to_string()).await
    }

    /// The identifier of a new key, and its field.
    async fn key(&self, body: Value) -> (String, String) {
        let made = self.create(&body).await;
        assert_eq!(made.status, 200, "{made:?}");
        (made.text("/id").into(), format!("App {}", made.text("/apiKeySecret")))
    }

    async fn update(&self, id: &str, body: Value) -> Answered {
        let path = format!("{PATH}/{id}");
        self.client.put(&path, &basic(USER, PASSWORD), &body.to_string()).await
    }
}

#[tokio::test]
async fn a_new_account_has_a_key_that_is_good_for_a_year() {
    let it = stage().await;
    let key = app(it.infobip.api_key());
    assert_eq!(it.client.message(&key).await, 200);
    it.clock.advance(DAY * 365 - Duration::from_secs(1));
    assert_eq!(it.client.message(&key).await, 200);
    it.clock.advance(Duration::from_secs(1));
    assert_eq!(it.client.message(&key).await, 401);
}

/// A clock that is set, without time passing, is believed as well.
#[tokio::test]
async fn a_clock_that_is_set_a_year_ahead_ends_the_key_and_nothing_that_is_made_then() {
    let it = stage().await;
    it.clock.set(auth_emulator::Timestamp::from_unix(START).after(DAY * 365));
    assert_eq!(it.client.message(&app(it.infobip.api_key())).await, 401);
    let session = it.client.log_in().await;
    assert_eq!(it.client.message(&session).await, 200);
    let (_, key) = it.key(json!({ "name": "next" })).await;
    assert_eq!(it.client.message(&key).await, 200);
}

#[tokio::test]
async fn basic_a_session_and_oauth_create_a_key_which_sends() {
    let it = stage().await;
    let form = "client_id=acme&client_secret=pa55%3Aword&grant_type=client_credentials";
    let token = it.client.post("/auth/1/oauth2/token", "", form).await;
    let session = it.client.log_in().await;
    let bearer = format!("Bearer {}", token.text("/access_token"));
    for field in [basic(USER, PASSWORD), session, bearer] {
        let made = it.client.post(PATH, &field, r#"{"name":"n"}"#).await;
        let key = format!("App {}", made.text("/apiKeySecret"));
        assert_eq!(it.client.message(&key).await, 200);
    }
    assert_eq!(it.infobip.counts().keys_created, 3);
}

#[tokio::test]
async fn a_key_manages_no_keys() {
    let it = stage().await;
    let key = app(it.infobip.api_key());
    let (id, _) = it.key(json!({ "name": "n" })).await;
    let path = format!("{PATH}/{id}");
    let refused = it.client.post(PATH, &key, r#"{"name":"n"}"#).await;
    assert_eq!(refused.error(), "403 E403 Forbidden");
    assert_eq!(it.client.get(PATH, &key).await.status, 403);
    assert_eq!(it.client.get(&path, &key).await.status, 403);
    assert_eq!(it.client.put(&path, &key, r#"{"enabled":false}"#).await.status, 403);
    assert_eq!(it.client.post(PATH, "App wrong", r#"{"name":"n"}"#).await.status, 401);
    let nobody = it.client.post(PATH, "", r#"{"name":"n"}"#).await;
    assert_eq!(nobody.error(), "401 E401 Invalid login details");
    assert_eq!(it.infobip.counts().keys_created, 1);
}

#[tokio::test]
async fn a_key_has_what_it_was_given_and_defaults_for_the_rest() {
    let it = stage().await;
    let made = it.create(&json!({ "name": "n" })).await;
    let expected = json!({
        "id": made.text("/id"),
        "apiKeySecret": made.text("/apiKeySecret"),
        "accountId": it.infobip.account_id(),
        "name": "n",
        "allowedIPs": [],
        "validFrom": "2023-11-14T22:13:20",
        "validTo": "2024-11-13T22:13:20",
        "enabled": true,
        "permissions": ["PUBLIC_API"],
    });
    assert_eq!(made.body, expected);
    let all = json!({
        "name": "all",
        "accountId": it.infobip.account_id(),
        "allowedIPs": ["10.0.0.0/8", "127.0.0.1"],
        "validFrom": "2023-11-15T00:00:00.988+0000",
        "validTo": "2023-11-16T02:00:00.988+02:00",
        "permissions": ["PUBLIC_API", "2FA_CLIENT"],
        "scopeGuids": ["2fa:manage", "sms:message:send"],
        "platform": [],
        "unheardOf": 1,
    });
    let made = it.create(&all).await;
    let later = it.create(&json!({ "name": "n", "validFrom": "2024-01-01T00:00:00" })).await;
    assert_eq!(later.text("/validTo"), "2024-11-13T22:13:20");
    let seen = it.client.get(&format!("{PATH}/{}", made.text("/id")), &basic(USER, PASSWORD)).await;
    let expected = json!({
        "id": made.text("/id"),
        "accountId": it.infobip.account_id(),
        "name": "all",
        "allowedIPs": ["10.0.0.0/8", "127.0.0.1"],
        "validFrom": "2023-11-15T00:00:00",
        "validTo": "2023-11-16T00:00:00",
        "enabled": true,
        "permissions": ["PUBLIC_API", "2FA_CLIENT"],
        "scopeGuids": ["2fa:manage", "sms:message:send"],
    });
    assert_eq!((seen.status, seen.body), (200, expected));
}

#[tokio::test]
async fn what_is_wrong_with_a_key_is_named() {
    let it = stage().await;
    let check = async |body: Value, property: &str| {
        let refused = it.create(&body).await;
        assert_eq!((refused.status, refused.text("/errorCode")), (400, "E400"), "{body}");
        assert_eq!(refused.text("/violations/0/property"), property, "{body}");
    };
    check(json!({}), "name").await;
    check(json!({ "name": "" }), "name").await;
    check(json!({ "name": "n".repeat(201) }), "name").await;
    check(json!({ "name": "n", "validFrom": "2023-11-14T22:13:19" }), "validFrom").await;
    check(json!({ "name": "n", "validFrom": "today" }), "validFrom").await;
    check(json!({ "name": "n", "validTo": "2023-11-14T22:13:19" }), "validTo").await;
    check(json!({ "name": "n", "validTo": "2023-11-14T22:13:20" }), "validTo").await;
    let swapped = json!({
        "name": "n", "validFrom": "2024-01-02T00:00:00", "validTo": "2024-01-01T00:00:00"
    });
    check(swapped, "validTo").await;
    check(json!({ "name": "n", "allowedIPs": ["10.0.0.1/8"] }), "allowedIPs").await;
    check(json!({ "name": "n", "permissions": ["ALL"] }), "permissions").await;
    let both = json!({ "name": "n", "permissions": ["PUBLIC_API", "WEB_SDK"] });
    check(both, "permissions").await;
    check(json!({ "name": "n", "scopeGuids": ["*"] }), "scopeGuids").await;
    check(json!({ "name": "n", "scopeGuids": ["a:b", "a:b"] }), "scopeGuids").await;
    check(json!({ "name": "n", "platform": [{ "applicationId": "a" }] }), "platform").await;
    check(json!({ "name": 1 }), "body").await;
    check(json!([]), "body").await;
    check(json!(["n", true]), "body").await;
    let other = json!({ "name": "n", "accountId": "another" });
    assert_eq!(it.create(&other).await.status, 403);
    assert_eq!(it.infobip.counts().keys_created, 0);
}

#[tokio::test]
async fn forty_keys_are_created_in_24_hours_and_the_next_one_waits() {
    let it = stage().await;
    it.clock.advance(Duration::from_secs(60));
    for _ in 0..40 {
        assert_eq!(it.create(&json!({ "name": "n" })).await.status, 200);
    }
    let refused = it.create(&json!({ "name": "n" })).await;
    assert_eq!((refused.status, refused.text("/errorCode")), (429, "E429"));
    assert_eq!(refused.headers["retry-after"], "86400");
    it.clock.advance(DAY - Duration::from_millis(500));
    let refused = it.create(&json!({ "name": "n" })).await;
    assert_eq!((refused.status, &refused.headers["retry-after"]), (429, &"1".parse().unwrap()));
    it.clock.advance(Duration::from_secs(1));
    assert_eq!(it.create(&json!({ "name": "n" })).await.status, 200);
    assert_eq!(it.infobip.counts().keys_created, 41);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_callers_that_create_at_once_forty_get_a_key() {
    let it = stage().await;
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..60 {
        let client = it.client.clone();
        callers.spawn(async move {
            client.post(PATH, &basic(USER, PASSWORD), r#"{"name":"n"}"#).await.status
        });
    }
    let statuses = callers.join_all().await;
    let of = |wanted: u16| statuses.iter().filter(|status| **status == wanted).count();
    assert_eq!((of(200), of(429)), (40, 20), "{statuses:?}");
}

#[tokio::test]
async fn a_key_that_is_disabled_is_refused_and_another_one_is_not() {
    let it = stage().await;
    let (id, revoked) = it.key(json!({ "name": "a" })).await;
    let (_, other) = it.key(json!({ "name": "b" })).await;
    assert_eq!(it.client.message(&revoked).await, 200);
    let disabled = it.update(&id, json!({ "enabled": false })).await;
    assert_eq!((disabled.status, &disabled.body["enabled"]), (200, &json!(false)));
    assert_eq!(it.client.message(&revoked).await, 401);
    assert_eq!(it.client.message(&other).await, 200);
    assert_eq!(it.update(&id, json!({ "enabled": false })).await.status, 200);
    assert_eq!(it.update(&id, json!({ "enabled": true })).await.status, 200);
    assert_eq!(it.client.message(&revoked).await, 200);
}

#[tokio::test]
async fn a_key_that_has_ended_can_be_disabled_and_nothing_else() {
    let it = stage().await;
    let (id, _) = it.key(json!({ "name": "a", "validTo": "2023-11-15T00:00:00" })).await;
    it.clock.advance(DAY);
    let later = it.update(&id, json!({ "validTo": "2030-01-01T00:00:00" })).await;
    assert_eq!((later.status, later.text("/violations/0/property")), (400, "validTo"));
    assert_eq!(it.update(&id, json!({ "enabled": false })).await.status, 200);
}

#[tokio::test]
async fn a_key_is_good_from_its_beginning_to_its_end() {
    let it = stage().await;
    let times = json!({
        "name": "n", "validFrom": "2023-11-15T00:00:00", "validTo": "2023-11-16T00:00:00"
    });
    let (id, key) = it.key(times).await;
    assert_eq!(it.client.message(&key).await, 401);
    it.clock.set(auth_emulator::Timestamp::from_unix(1_700_006_400));
    assert_eq!(it.client.message(&key).await, 200);
    let longer = it.update(&id, json!({ "validTo": "2023-11-17T00:00:00" })).await;
    assert_eq!(longer.text("/validTo"), "2023-11-17T00:00:00");
    it.clock.advance(DAY);
    assert_eq!(it.client.message(&key).await, 200);
    it.clock.advance(DAY);
    assert_eq!(it.client.message(&key).await, 401);
}

#[tokio::test]
async fn a_key_is_good_at_its_addresses_alone_until_they_are_taken_off() {
    let it = stage().await;
    let elsewhere = Caller::from(it.infobip.base_url(), Ipv4Addr::new(127, 0, 0, 2));
    let (id, key) = it.key(json!({ "name": "n", "allowedIPs": ["127.0.0.2"] })).await;
    assert_eq!(it.client.message(&key).await, 401);
    assert_eq!(elsewhere.message(&key).await, 200);
    assert_eq!(it.update(&id, json!({ "allowedIPs": ["127.0.0.0/31"] })).await.status, 200);
    assert_eq!(it.client.message(&key).await, 200);
    assert_eq!(elsewhere.message(&key).await, 401);
    assert_eq!(it.update(&id, json!({ "allowedIPs": [] })).await.status, 200);
    assert_eq!(elsewhere.message(&key).await, 200);
}

#[tokio::test]
async fn an_update_changes_what_it_names_and_resets_what_it_empties() {
    let it = stage().await;
    let body = json!({ "name": "n", "permissions": ["WEB_SDK"], "scopeGuids": ["sms:manage"] });
    let (id, key) = it.key(body).await;
    assert_eq!(it.client.message(&key).await, 403);
    let named = it.update(&id, json!({ "name": "m", "permissions": [] })).await;
    assert_eq!(named.text("/name"), "m");
    assert_eq!(named.body["permissions"], json!(["PUBLIC_API"]));
    assert_eq!(named.body["scopeGuids"], json!(["sms:manage"]));
    assert_eq!(it.client.message(&key).await, 200);
    // The whole key, as it was seen, may be sent back.
    let mut whole = named.body.clone();
    whole["enabled"] = json!(true);
    assert_eq!(it.update(&id, whole).await.body, named.body);
    let clients = json!({ "permissions": ["WEB_SDK", "2FA_CLIENT"] });
    assert_eq!(it.update(&id, clients).await.status, 200);
    let scoped = it.update(&id, json!({ "scopeGuids": ["sms:manage", "2fa:manage"] })).await;
    assert_eq!(scoped.body["permissions"], json!(["2FA_CLIENT", "WEB_SDK"]));
    it.update(&id, json!({ "permissions": ["PUBLIC_API"] })).await;
    assert_eq!(it.client.message(&key).await, 200);
    let emptied = it.update(&id, json!({ "scopeGuids": [] })).await;
    assert_eq!(emptied.body["scopeGuids"], json!([]));
    assert_eq!(it.client.message(&key).await, 403);
    let moved = it.update(&id, json!({ "validFrom": "2024-01-01T00:00:00" })).await;
    assert_eq!(moved.text("/violations/0/property"), "validFrom");
    assert_eq!(it.update(&id, json!({ "name": "" })).await.status, 400);
}

#[tokio::test]
async fn keys_are_listed_in_pages_and_found_by_name_and_state() {
    let it = stage().await;
    for name in ["a", "b", "c"] {
        it.key(json!({ "name": name })).await;
    }
    let (id, _) = it.key(json!({ "name": "b" })).await;
    it.update(&id, json!({ "enabled": false })).await;
    let list = async |query: &str| {
        let listed = it.client.get(&format!("{PATH}?{query}"), &basic(USER, PASSWORD)).await;
        assert_eq!(listed.status, 200, "{listed:?}");
        let keys = listed.body["apiKeys"].as_array().unwrap().clone();
        let names: Vec<_> = keys.iter().map(|key| key["name"].as_str().unwrap()).collect();
        assert!(keys.iter().all(|key| key.get("apiKeySecret").is_none()));
        let paging = &listed.body["paging"];
        format!("{} {} {}", names.join(","), paging["totalCount"], paging["totalPages"])
    };
    assert_eq!(list("").await, "Default API key,a,b,c,b 5 1");
    assert_eq!(list("size=2&page=1").await, "b,c 5 3");
    assert_eq!(list("size=2&page=9").await, " 5 3");
    assert_eq!(list("name=b").await, "b,b 2 1");
    assert_eq!(list("name=b&enabled=true").await, "b 1 1");
    assert_eq!(list("enabled=false&orderBy=name").await, "b 1 1");
    for query in ["size=0", "size=101", "page=101", "page=-1", "enabled=yes"] {
        let refused = it.client.get(&format!("{PATH}?{query}"), &basic(USER, PASSWORD)).await;
        assert_eq!(refused.status, 400, "{query}");
    }
}

#[tokio::test]
async fn what_is_no_key_is_not_found() {
    let it = stage().await;
    let session = it.client.log_in().await;
    for id in ["x", "..", "%00", "a%20b"] {
        let path = format!("{PATH}/{id}");
        let refused = it.client.get(&path, &session).await;
        assert!(refused.error().starts_with("404 E404"), "{id} {refused:?}");
        assert_eq!(it.update(id, json!({ "enabled": false })).await.status, 404, "{id}");
    }
}

#[tokio::test]
async fn managing_keys_needs_its_scope_and_gives_no_more_than_the_creator_has() {
    let limited = ["account-management:manage", "sms:message:send"];
    let it = stage_of(|it| {
        it.with_limited_user("keeper", Secret::new("word"), limited).with_limited_user(
            "sender",
            Secret::new("word"),
            ["sms:manage"],
        )
    })
    .await;
    let refused = it.client.post(PATH, &basic("sender", "word"), r#"{"name":"n"}"#).await;
    assert_eq!(refused.status, 403);
    let keeper = basic("keeper", "word");
    let made = it.client.post(PATH, &keeper, r#"{"name":"n"}"#).await;
    assert_eq!(made.body["scopeGuids"], json!(limited));
    let none = it.client.post(PATH, &keeper, r#"{"name":"n","scopeGuids":[]}"#).await;
    assert_eq!(none.body["scopeGuids"], json!(limited));
    let key = format!("App {}", made.text("/apiKeySecret"));
    assert_eq!(it.client.message(&key).await, 200);
    assert_eq!(it.client.get("/sms/1/logs", &key).await.status, 403);
    let more = r#"{"name":"n","scopeGuids":["sms:manage"]}"#;
    assert_eq!(it.client.post(PATH, &keeper, more).await.status, 403);
    let path = format!("{PATH}/{}", made.text("/id"));
    assert_eq!(it.client.put(&path, &keeper, r#"{"scopeGuids":["sms:manage"]}"#).await.status, 403);
}
