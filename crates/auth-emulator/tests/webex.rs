//! Every family of APIs of the emulated Webex Connect, under every credential.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use auth_emulator::{
    AddressList, Endpoint, Fault, WebexFamily,
    auth_lifecycle::{Kind, NewSecret, Role, ServiceId, Wanted},
};
use common::webex::{EVENT, EVENT_PATH, MESSAGE, Stage, bearer, stage, stage_of, text};
use http::Method;
use std::time::Duration;

/// Each path of the first document with what a good call of it is answered.
const OF_SERVICES: [(&str, &str, &str); 7] = [
    ("/resources/v1/messaging", MESSAGE, "200 1001"),
    ("/v2/messages", MESSAGE, "201 none"),
    (EVENT_PATH, EVENT, "200 1002"),
    ("/resources/v1/events/externalevent/", EVENT, "200 1002"),
    ("/events/AB12", "{}", "200 1002"),
    ("/v1/rcs", "", "200 none"),
    ("/v1/rcs/capabilities", "", "200 none"),
];

/// What a path answers a credential that it refuses, and what it answers none.
fn refusals(path: &str) -> [&'static str; 2] {
    match path {
        "/resources/v1/messaging" => ["400 7001", "400 7002"],
        _ if path.starts_with(EVENT_PATH) => ["200 7001", "200 7002"],
        "/v1/sms/messages" => ["403 7001", "403 7002"],
        _ => ["401 7001", "401 7002"],
    }
}

/// What a call is answered that has one field, or none where its name is empty.
async fn check(it: &Stage, path: &str, field: (&str, &str), body: &str, expected: &str) {
    let answered = it.post(path, field, body).await;
    assert_eq!(answered.code(), expected, "{path} {field:?} {answered:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn apis_of_services_take_a_service_key_or_a_service_jwt() {
    let it = stage().await;
    let (key, jwt, profile) =
        (it.key("alerts"), bearer(&it.jwt("alerts")), text(it.webex.profile_key()).to_owned());
    for (path, body, good) in OF_SERVICES {
        let [refused, missing] = refusals(path);
        check(&it, path, ("key", &key), body, good).await;
        check(&it, path, ("authorization", &jwt), body, good).await;
        check(&it, path, ("key", "sk_nobody"), body, refused).await;
        check(&it, path, ("key", &profile), body, refused).await;
        check(&it, path, ("authorization", &bearer(&it.app_jwt("shop"))), body, refused).await;
        check(&it, path, ("", ""), body, missing).await;
        // The service key is no Bearer token here.
        check(&it, path, ("authorization", &bearer(&key)), body, refused).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sandbox_takes_both_as_bearer() {
    let it = stage().await;
    let [refused, missing] = refusals("/v1/sms/messages");
    let path = "/v1/sms/messages";
    for (token, expected) in [
        (it.key("alerts"), "202 none"),
        (it.jwt("alerts"), "202 none"),
        ("sk_nobody".into(), refused),
        (it.app_jwt("shop"), refused),
    ] {
        check(&it, path, ("authorization", &bearer(&token)), MESSAGE, expected).await;
    }
    check(&it, path, ("key", &it.key("alerts")), MESSAGE, missing).await;
    let answered = it.post(path, ("authorization", &bearer(&it.jwt("alerts"))), MESSAGE).await;
    assert_eq!(answered.headers["request-id"], answered.text("/messageId"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_jwt_decides_though_a_good_key_stands_beside_it() {
    let it = stage().await;
    let (key, good, bad) = (it.key("alerts"), bearer(&it.jwt("alerts")), bearer("a.b.c"));
    for (token, key, expected) in [
        (&good, "sk_nobody", "200 1001"),
        (&bad, &*key, "400 7001"),
        (&bearer(&it.jwt("other")), &*key, "200 1001"),
    ] {
        let fields = [("authorization", token.as_str()), ("key", key)];
        let path = "/resources/v1/messaging";
        let answered = it.caller.try_send(Method::POST, path, &fields, MESSAGE).await.unwrap();
        assert_eq!(answered.code(), expected);
    }
    assert_eq!(it.webex.requests()[0].scheme, Some("Authorization, key"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_profile_key_opens_profile_and_contact_policy_each_in_its_field() {
    let it = stage().await;
    let (profile, key) = (text(it.webex.profile_key()).to_owned(), it.key("alerts"));
    for path in [
        "/resources/v2/customerprofile",
        "/resources/v2/customerprofile/7",
        "/resources/v2/customerappprofile/a",
        "/resources/v2/profile/status/t",
    ] {
        check(&it, path, ("key", &profile), "{}", "200 1001").await;
        check(&it, path, ("key", &key), "{}", "401 7001").await;
        check(&it, path, ("authorization", &bearer(&profile)), "{}", "401 7002").await;
    }
    for path in ["/v1/groups", "/v1/groups/7/contacts"] {
        check(&it, path, ("authorization", &bearer(&profile)), "{}", "200 none").await;
        check(&it, path, ("authorization", &bearer(&key)), "{}", "401 7001").await;
        check(&it, path, ("authorization", &bearer(&it.jwt("alerts"))), "{}", "401 7001").await;
        check(&it, path, ("key", &profile), "{}", "401 7002").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_jwt_of_an_app_opens_the_paths_of_that_app() {
    let it = stage().await;
    let token = bearer(&it.app_jwt("shop"));
    let threads = it.threads("shop");
    for path in [
        threads.clone(),
        threads.replace("threads", "segments"),
        threads.replace("threads", "topics/7"),
    ] {
        let answered = it.post(&path, ("authorization", &token), "{}").await;
        assert_eq!((answered.code().as_str(), answered.text("/userId")), ("200 0", "u1"));
    }
    check(&it, &it.threads("game"), ("authorization", &token), "{}", "403 7001").await;
    check(&it, &threads, ("authorization", &bearer(&it.app_jwt("game"))), "{}", "403 7001").await;
    check(&it, &threads, ("authorization", &bearer(&it.jwt("alerts"))), "{}", "401 7001").await;
    check(&it, &threads, ("key", &it.key("alerts")), "{}", "401 7002").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_another_service_is_refused_or_accepted_and_not_triggered() {
    let body = r#"{"events":[{"evtid":"4451"},{"evtid":"4452"}]}"#;
    for (of_others, expected, triggered) in
        [(false, ["200 7001", "401 7001"], 0), (true, ["200 1002", "200 1002"], 1)]
    {
        let it = stage_of(|builder| match of_others {
            true => builder.accepting_events_of_other_services(),
            false => builder,
        })
        .await;
        let (key, other) = (it.key("alerts"), it.key("other"));
        check(&it, EVENT_PATH, ("key", &key), body, expected[0]).await;
        check(&it, "/events/AB12", ("key", &other), "{}", expected[1]).await;
        assert_eq!(it.webex.counts().flows_triggered, triggered);
        check(&it, EVENT_PATH, ("key", &key), EVENT, "200 1002").await;
        check(&it, "/events/AB12", ("key", &key), "{}", "200 1002").await;
        check(&it, "/events/OPEN", ("", ""), "{}", "200 1002").await;
        // No flow is associated with it.
        check(&it, "/events/NONE", ("", ""), "{}", "200 1002").await;
        assert_eq!(it.webex.counts().flows_triggered, triggered + 3);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_allow_list_is_that_of_its_family() {
    let list: AddressList = "192.0.2.0/24".parse().unwrap();
    let it = stage_of(|builder| {
        builder
            .with_allowed_addresses(WebexFamily::CustomEvent, list.clone())
            .with_allowed_addresses(WebexFamily::Rtm, list)
    })
    .await;
    let key = it.key("alerts");
    check(&it, EVENT_PATH, ("key", &key), EVENT, "200 7010").await;
    check(&it, EVENT_PATH, ("key", "sk_nobody"), EVENT, "200 7001").await;
    check(&it, "/resources/v1/messaging", ("key", &key), MESSAGE, "200 1001").await;
    let (path, token) = (it.threads("shop"), bearer(&it.app_jwt("shop")));
    check(&it, &path, ("authorization", &token), "{}", "403 7010").await;
    assert_eq!(it.webex.counts().refused, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn transactions_beyond_the_limit_have_a_code_of_their_own() {
    let it = stage_of(|builder| builder.with_most_transactions(2)).await;
    let key = it.key("alerts");
    let path = "/resources/v1/messaging";
    check(&it, path, ("key", &key), MESSAGE, "200 1001").await;
    check(&it, EVENT_PATH, ("key", &key), EVENT, "200 1002").await;
    let answered = it.post(path, ("key", &key), MESSAGE).await;
    assert_eq!(answered.code(), "400 7020");
    assert_eq!(answered.headers["retry-after"], "40");
    check(&it, path, ("key", &it.key("other")), MESSAGE, "200 1001").await;
    it.clock.advance(Duration::from_secs(40));
    check(&it, path, ("key", &key), MESSAGE, "200 1001").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_wrong_is_told_to_a_good_credential() {
    let it = stage().await;
    let key = it.key("alerts");
    for (path, body, expected) in [
        ("/resources/v1/messaging", "{", "400 7000"),
        ("/resources/v1/messaging", "{}", "400 7003"),
        ("/v2/messages", "", "400 7000"),
        (EVENT_PATH, "[", "200 7000"),
        (EVENT_PATH, r#"{"events":[]}"#, "200 7003"),
        (EVENT_PATH, r#"{"events":[{"correlationid":"c"}]}"#, "200 7003"),
        (EVENT_PATH, r#"{"events":[{"evtid":"none"}]}"#, "200 7008"),
    ] {
        check(&it, path, ("key", &key), body, expected).await;
        let refused = refusals(path)[0];
        check(&it, path, ("key", "sk_nobody"), body, refused).await;
    }
    assert_eq!(it.webex.counts().flows_triggered, 0);
}

/// A rotation: both keys are good, then the old one is discarded, reactivated, and regenerated. The doors follow at once.
#[tokio::test(flavor = "multi_thread")]
async fn the_owner_rotates_credentials_and_the_doors_follow() {
    let it = stage().await;
    let (owner, old) = (it.webex.by(Role::Owner), it.key("alerts"));
    let service = ServiceId::new(&*it.webex.service("alerts").unwrap().id);
    let made = owner.create(Some(&service), Kind::ServiceKey, Wanted::default());
    let new = text(made.await.unwrap().unwrap().secret.as_ref().unwrap()).to_owned();
    let id = it.webex.service("alerts").unwrap().key_id.clone();
    let path = "/resources/v1/messaging";
    check(&it, path, ("key", &old), MESSAGE, "200 1001").await;
    check(&it, path, ("key", &new), MESSAGE, "200 1001").await;
    let dry_run = owner.dry_run(&id).await.unwrap().unwrap();
    owner.discard(&id, dry_run.version).await.unwrap().unwrap();
    check(&it, path, ("key", &old), MESSAGE, "400 7001").await;
    check(&it, path, ("key", &new), MESSAGE, "200 1001").await;
    owner.reactivate(&id).await.unwrap().unwrap();
    check(&it, path, ("key", &old), MESSAGE, "200 1001").await;
    owner.regenerate(&id, NewSecret::Generated).await.unwrap().unwrap();
    check(&it, path, ("key", &old), MESSAGE, "400 7001").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_is_refused_as_its_family_does_it() {
    let it = stage().await;
    let key = it.key("alerts");
    let second = Duration::from_secs(1);
    for (fault, event, message) in [
        (Fault::Unauthorized, "200 7001", "400 7001"),
        (Fault::Forbidden, "200 7010", "400 7010"),
        (Fault::TooManyRequests(second), "200 7020", "400 7020"),
        (Fault::ExpireNow, "200 1002", "200 1001"),
    ] {
        for (family, path, body, expected) in [
            (WebexFamily::CustomEvent, EVENT_PATH, EVENT, event),
            (WebexFamily::MessagingV1, "/resources/v1/messaging", MESSAGE, message),
        ] {
            it.webex.faults().arm(fault, Endpoint::Webex(family), 1);
            check(&it, path, ("key", &key), body, expected).await;
        }
    }
    let faults = common::Caller::from(it.webex.faults_url(), std::net::Ipv4Addr::LOCALHOST);
    for (body, expected) in [
        (r#"{"fault":"unauthorized","endpoint":"custom_event"}"#, 201),
        (r#"{"fault":"expire_now","endpoint":"custom_event"}"#, 400),
        (r#"{"fault":"unauthorized","endpoint":"pod"}"#, 400),
    ] {
        assert_eq!(faults.post("/faults", "", body).await.status, expected, "{body}");
    }
}

#[tokio::test]
async fn what_cannot_be_set_up_is_told() {
    use auth_emulator::Webex;
    for (builder, expected) in [
        (Webex::builder().with_event("none", "1"), "emulator_webex_service"),
        (
            Webex::builder().with_service("a").with_event("a", "1").with_event("a", "1"),
            "emulator_webex_id",
        ),
        (Webex::builder().with_app_key("none", "k", "x"), "emulator_webex_app"),
        (Webex::builder().with_app("a").with_app_key("a", "k", "x"), "emulator_webex"),
    ] {
        assert_eq!(builder.build().await.map(drop).unwrap_err().code(), expected);
    }
}
