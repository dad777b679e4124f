use super::*;
use crate::{
    BodySigner, BodySigningKey, ConfiguredBy, DeliveryPlan, FieldValue, OutboundAuthorization,
    RuleUrls, SignatureForm, UrlRule, WebhookDelivery, WebhookSender, WebhookUrl,
};
use auth_core::{
    Authenticator, Body, Exchange, Flow, RequestView, Secret, SecretSource, Timestamp, send,
};
use auth_testing::{ManualClock, ScriptedTransport, SeededRandom};
use http::{Method, Request, Response, StatusCode};
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::Duration,
};

type Play = dyn Fn(&Request<Vec<u8>>) -> Response<Vec<u8>> + Send + Sync;

struct Stage {
    set: AuthorizationSet,
    acme: TenantAuthorizations,
    clock: ManualClock,
    /// Requests for tokens, and to receivers.
    counts: Arc<[AtomicUsize; 2]>,
}

fn answer(status: u16, body: &str) -> Response<Vec<u8>> {
    Response::builder().status(status).body(body.as_bytes().to_vec()).unwrap()
}

fn stage_of(play: Arc<Play>, sources: SecretSources) -> Stage {
    let counts: Arc<[AtomicUsize; 2]> = Arc::default();
    let counted = Arc::clone(&counts);
    let transport: Arc<dyn auth_core::Transport> =
        Arc::new(ScriptedTransport::new(move |request: &Request<Vec<u8>>| {
            let which = usize::from(request.uri().path() != "/token");
            counted[which].fetch_add(1, Ordering::Relaxed);
            Ok(play(request))
        }));
    let clock = ManualClock::at(1_000_000);
    let transports = move |_: &TenantId, certificate: Option<&str>| match certificate {
        Some("unknown") => Err(Error::config("test_certificate", "there is no such certificate")),
        _ => Ok(Arc::clone(&transport)),
    };
    let set = AuthorizationSet::builder(transports)
        .with_clock(clock.clone())
        .with_random(SeededRandom::new(1))
        .with_sources(sources)
        .build()
        .unwrap();
    let acme = set.of_tenant(&TenantId::new("acme"));
    Stage { set, acme, clock, counts }
}

fn stage() -> Stage {
    let play = |request: &Request<Vec<u8>>| match request.uri().path() {
        "/token" => answer(200, r#"{"access_token":"2YotnFZFEjr1zCsicMWpAA","expires_in":3600}"#),
        _ => answer(200, ""),
    };
    stage_of(Arc::new(play), SecretSources::new())
}

pub(crate) fn for_tests() -> AuthorizationSet {
    stage().set
}

fn read(json: &str) -> OutboundAuthorization {
    serde_json::from_str(json).unwrap()
}

const BASIC: &str = r#"{"type":"basic","username":"u","password":"p"}"#;
const OTHER_BASIC: &str = r#"{"type":"basic","username":"u","password":"q"}"#;
const AWS: &str = r#"{"type":"aws_signature","access_key":"AKID","secret_key":"s","region":"eu-west-1","service_name":"execute-api"}"#;
const OAUTH: &str = r#"{"type":"oauth2","grant_type":"client_credentials","client_id":"id","client_secret":"s3cret",
    "access_token_url":"https://login.example/token"}"#;

fn url(text: &str) -> WebhookUrl {
    WebhookUrl::parse(text).unwrap()
}

fn hook(name: &str) -> Subscription {
    Subscription::webhook(url("https://hooks.example/x")).under(name)
}

impl Stage {
    fn save(&self, name: &str, json: &str) -> Result<()> {
        self.acme.save(name, read(json), ConfiguredBy::Tenant)
    }

    fn send(&self, subscription: &str, delivery: &str) -> Result<StatusCode> {
        let chosen = self.acme.choose(subscription, delivery).wait()?;
        let request =
            Request::post(chosen.subscription().url.as_str()).body(b"{}".to_vec()).unwrap();
        let sent = send(chosen.transport(), &chosen, Exchange::new(request)).wait();
        sent.map(|answer| answer.status())
    }

    /// The credentials of a delivery, as text.
    fn field(&self, subscription: &str, delivery: &str) -> String {
        let chosen = self.acme.choose(subscription, delivery).wait().unwrap();
        field_of(&chosen)
    }

    fn counts(&self) -> [usize; 2] {
        [0, 1].map(|which| self.counts[which].load(Ordering::Relaxed))
    }
}

fn field_of(chosen: &Chosen) -> String {
    let (uri, headers) = (chosen.subscription().url.uri().unwrap(), http::HeaderMap::new());
    let view = RequestView::new(&Method::POST, &uri, &headers).with_body(Body::Bytes(b"{}"));
    let made = chosen.credentials(view).wait().unwrap();
    made.field(&http::header::AUTHORIZATION)
        .map(|it| it.to_str().unwrap().to_owned())
        .unwrap_or_default()
}

#[track_caller]
fn check<T>(result: Result<T>, code: &str, part: &str) {
    let error = result.map(drop).unwrap_err();
    assert_eq!(error.code(), code, "{error}");
    assert!(error.to_string().contains(part), "{error}, expected {part}");
}

#[test]
fn a_name_is_taken_once_and_in_its_tenant_alone() {
    let stage = stage();
    stage.save("crm", BASIC).unwrap();
    check(stage.save("crm", BASIC), "webhook_authorization_name_taken", "\"crm\"");
    stage
        .set
        .of_tenant(&TenantId::new("other"))
        .save("crm", read(BASIC), ConfiguredBy::Tenant)
        .unwrap();
    for name in ["", " crm", "a\nb", &"x".repeat(129)] {
        check(stage.save(name, BASIC), "webhook_authorization_name", "name of an authorization");
    }
}

#[test]
fn the_names_of_another_tenant_are_unknown_names() {
    let stage = stage();
    stage.save("crm", BASIC).unwrap();
    stage.acme.subscribe("hook", hook("crm")).unwrap();
    let other = stage.set.of_tenant(&TenantId::new("other"));
    let same = |one: Error, other: Error| assert_eq!(one.to_string(), other.to_string());
    same(
        other.authorization("crm").unwrap_err(),
        stage
            .acme
            .authorization("crm2")
            .map_err(|error| Error::config("x", error.cause().to_string().replace("crm2", "crm")))
            .unwrap_err(),
    );
    check(other.subscribe("hook", hook("crm")), "webhook_authorization_unknown", "crm");
    check(other.choose("hook", "1").wait(), "webhook_subscription_unknown", "hook");
    check(other.delete("crm").wait(), "webhook_authorization_unknown", "crm");
    assert!(other.list().is_empty());
}

#[test]
fn what_is_in_use_is_not_deleted_and_names_its_users() {
    let stage = stage();
    stage.save("crm", AWS).unwrap();
    stage.acme.subscribe("receipts", hook("crm")).unwrap();
    let policy = Subscription::contact_policy(url("https://hooks.example/policy")).under("crm");
    stage.acme.subscribe("groups", policy).unwrap();
    stage
        .acme
        .set_rules(vec![UrlRule { urls: RuleUrls::Default, authorization: "crm".into() }])
        .unwrap();
    let used = stage.acme.dependants("crm").unwrap();
    assert_eq!(used.len(), 3, "{used:?}");
    assert_eq!(stage.acme.list()[0].dependants, 3);
    for part in [
        "the webhook \"receipts\"",
        "the Contact Policy subscription \"groups\"",
        "the rule for all other URLs",
    ] {
        check(stage.acme.delete("crm").wait(), "webhook_authorization_in_use", part);
    }
    assert!(stage.acme.unsubscribe("receipts") && stage.acme.unsubscribe("groups"));
    stage.acme.set_rules(Vec::new()).unwrap();
    stage.acme.delete("crm").wait().unwrap();
    check(stage.acme.authorization("crm"), "webhook_authorization_unknown", "crm");
    check(stage.acme.subscribe("receipts", hook("crm")), "webhook_authorization_unknown", "crm");
}

#[test]
fn passwords_and_keys_are_refused_on_the_default() {
    let stage = stage();
    stage.save("basic", BASIC).unwrap();
    stage.save("key", r#"{"type":"api_key","key":"x-key","key_value":"v"}"#).unwrap();
    stage.save("aws", AWS).unwrap();
    let default =
        |name: &str| vec![UrlRule { urls: RuleUrls::Default, authorization: name.into() }];
    check(stage.acme.set_rules(default("basic")), "webhook_rule", "type basic");
    check(stage.acme.set_rules(default("key")), "webhook_rule", "type api_key");
    stage.acme.set_rules(default("aws")).unwrap();
    // Nor by an edit, or a rotation, of what the default names.
    check(stage.acme.edit("aws", read(BASIC), ConfiguredBy::Tenant), "webhook_rule", "type basic");
    let turn = SlotTurn::Share(1);
    check(
        stage.acme.begin_rotation("aws", read(BASIC), turn, ConfiguredBy::Tenant),
        "webhook_rule",
        "type basic",
    );
    assert_eq!(stage.acme.authorization("aws").unwrap(), read(AWS));
    let twice = [default("aws"), default("aws")].concat();
    check(stage.acme.set_rules(twice), "webhook_rule", "two rules");
    let prefix = UrlRule {
        urls: RuleUrls::Prefix(url("https://a.example/x?q")),
        authorization: "aws".into(),
    };
    check(stage.acme.set_rules(vec![prefix]), "webhook_rule", "query");
    check(stage.acme.set_rules(default("none")), "webhook_authorization_unknown", "none");
}

#[test]
fn a_field_that_was_typed_never_stands_beside_the_authorization() {
    let stage = stage();
    stage.save("basic", BASIC).unwrap();
    stage.save("key", r#"{"type":"api_key","key":"X-Key","key_value":"v"}"#).unwrap();
    stage.save("none", r#"{"type":"none"}"#).unwrap();
    let with = |name: &str, field: &str| hook(name).with_header(field, "typed");
    for name in [
        "Host",
        "content-length",
        "Transfer-Encoding",
        "connection",
        "TE",
        "trailer",
        "upgrade",
        "Proxy-Authorization",
    ] {
        check(with("basic", name), "webhook_header", "routes or frames");
    }
    check(with("basic", "x-hub-signature"), "webhook_header", "written by the sender");
    check(with("basic", "a b"), "webhook_header", "no name");
    check(
        hook("basic").with_header("x", "1").unwrap().with_header("X", "2"),
        "webhook_header",
        "twice",
    );
    let beside = |name, field| stage.acme.subscribe("hook", with(name, field).unwrap());
    check(beside("basic", "Authorization"), "webhook_header_beside", "type basic");
    check(beside("key", "authorization"), "webhook_header_beside", "type api_key");
    check(beside("key", "x-key"), "webhook_header_beside", "type api_key");
    beside("none", "Authorization").unwrap();
    // What was accepted beside one authorization keeps it from becoming another.
    check(
        stage.acme.edit("none", read(BASIC), ConfiguredBy::Tenant),
        "webhook_header_beside",
        "type basic",
    );
    let chosen = stage.acme.choose("hook", "1").wait().unwrap();
    assert_eq!(chosen.fields()["authorization"], "typed");
    assert!(chosen.fields()["authorization"].is_sensitive());
}

#[test]
fn a_thousand_webhooks_under_oauth_make_one_token_request() {
    let stage = stage();
    stage.save("crm", OAUTH).unwrap();
    for number in 0..1000 {
        let to = url(&format!("https://hooks.example/{number}"));
        stage.acme.subscribe(&number.to_string(), Subscription::webhook(to).under("crm")).unwrap();
    }
    thread::scope(|scope| {
        for part in 0..4 {
            let stage = &stage;
            scope.spawn(move || {
                for number in (part..1000).step_by(4) {
                    assert_eq!(stage.send(&number.to_string(), "1").unwrap(), 200);
                }
            });
        }
    });
    assert_eq!(stage.counts(), [1, 1000]);
}

#[test]
fn a_thousand_webhooks_under_digest_meet_one_challenge() {
    let play = |request: &Request<Vec<u8>>| match request.headers().get("authorization") {
        Some(_) => answer(200, ""),
        None => {
            let mut asked = answer(401, "");
            let challenge = r#"Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256"#;
            asked.headers_mut().insert("www-authenticate", challenge.parse().unwrap());
            asked
        }
    };
    let stage = stage_of(Arc::new(play), SecretSources::new());
    stage.save("crm", r#"{"type":"digest","username":"u","password":"p"}"#).unwrap();
    for number in 0..1000 {
        let to = url(&format!("https://hooks.example/{number}"));
        stage.acme.subscribe(&number.to_string(), Subscription::webhook(to).under("crm")).unwrap();
        assert_eq!(stage.send(&number.to_string(), "1").unwrap(), 200);
    }
    assert_eq!(stage.counts(), [0, 1001]);
    // Typed beforehand: not even one.
    stage.save("typed", r#"{"type":"digest","username":"u","password":"p","realm":"r","nonce":"n","qop":"auth"}"#).unwrap();
    stage.acme.subscribe("typed", hook("typed")).unwrap();
    let counts: Vec<_> = (0..3).map(|_| stage.field("typed", "1")).collect();
    for (nth, field) in counts.iter().enumerate() {
        assert!(field.contains(&format!("nc=0000000{}", nth + 1)), "{field}");
    }
}

#[test]
fn digest_fields_that_say_nothing_are_named() {
    let stage = stage();
    let digest = |fields: &str| {
        stage.save("x", &format!(r#"{{"type":"digest","username":"u","password":"p",{fields}}}"#))
    };
    check(digest(r#""realm":"r""#), "webhook_digest_typed", "realm is typed without");
    check(digest(r#""nonce_count":"1""#), "webhook_digest_typed", "nonce_count is typed without");
    check(
        digest(r#""realm":"r","nonce":"n","algorithm":"SHA1""#),
        "webhook_digest_typed",
        "algorithm is \"SHA1\"",
    );
    check(
        digest(r#""realm":"r","nonce":"n","qop":"conf""#),
        "webhook_digest_typed",
        "qop is \"conf\"",
    );
    check(
        digest(r#""realm":"r","nonce":"n","client_nonce":"c""#),
        "digest_typed_client_nonce",
        "client nonce",
    );
    check(
        digest(r#""realm":"r","nonce":"n","nonce_count":"1""#),
        "digest_typed_nonce_count",
        "nonce count",
    );
    digest(r#""qop":"auth-int""#).unwrap();
}

#[test]
fn errors_of_a_key_name_the_field_of_the_form() {
    let stage = stage();
    let key = |name: &str, value: &str| {
        stage.save("x", &format!(r#"{{"type":"api_key","key":"{name}","key_value":"{value}"}}"#))
    };
    check(key("a b", "v"), "api_key_header_name", "authorization \"x\": key: header name");
    check(
        key("x-key", "v\\n"),
        "api_key_malformed",
        "authorization \"x\": key_value: key ends with",
    );
}

#[test]
fn an_edit_is_for_all_webhooks_at_once_and_a_wrong_one_changes_nothing() {
    let stage = stage();
    stage.save("crm", BASIC).unwrap();
    stage.acme.subscribe("hook", hook("crm")).unwrap();
    assert_eq!(stage.field("hook", "1"), "Basic dTpw");
    let wrong = r#"{"type":"basic","username":"a:b","password":"p"}"#;
    check(
        stage.acme.edit("crm", read(wrong), ConfiguredBy::Tenant),
        "basic_user_name_colon",
        "authorization \"crm\": ",
    );
    assert_eq!(stage.field("hook", "1"), "Basic dTpw");
    stage.acme.edit("crm", read(OTHER_BASIC), ConfiguredBy::Tenant).unwrap();
    assert_eq!(stage.field("hook", "1"), "Basic dTpx");
    let hidden = r#"{"type":"basic","username":"v","password":{"hidden":true}}"#;
    stage.acme.edit("crm", read(hidden), ConfiguredBy::Tenant).unwrap();
    assert_eq!(stage.field("hook", "1"), "Basic djpx");
    check(stage.save("new", hidden), "webhook_field_hidden", "password is hidden");
    let certificate = read(BASIC).with_client_certificate("unknown");
    check(stage.acme.edit("crm", certificate, ConfiguredBy::Tenant), "test_certificate", "no such");
}

#[test]
fn credentials_go_to_the_receiver_alone() {
    let stage = stage();
    stage.save("crm", BASIC).unwrap();
    stage.acme.subscribe("hook", hook("crm")).unwrap();
    let chosen = stage.acme.choose("hook", "1").wait().unwrap();
    let (uri, headers) = ("https://evil.example/x".parse().unwrap(), http::HeaderMap::new());
    let made = chosen.credentials(RequestView::new(&Method::POST, &uri, &headers)).wait();
    check(made, "only_other_origin", "hooks.example");
}

struct Vault(Mutex<Option<&'static str>>);

impl SecretSource for Vault {
    fn secret(&self) -> Flow<'_, Arc<Secret>> {
        match *self.0.lock().unwrap() {
            Some(text) => Flow::ready(Arc::new(Secret::from(text))),
            None => Flow::failed(Error::transport("vault_down", "vault does not answer")),
        }
    }
}

#[test]
fn a_source_is_asked_at_each_send_and_without_it_nothing_is_sent() {
    let vault = Arc::new(Vault(Mutex::new(Some("p"))));
    let acme = TenantId::new("acme");
    let sources = SecretSources::new().with("crm", Arc::clone(&vault)).granting("crm", &acme);
    let stage = stage_of(Arc::new(|_| answer(200, "")), sources);
    stage.save("crm", r#"{"type":"basic","username":"u","password":{"source":"crm"}}"#).unwrap();
    stage
        .acme
        .subscribe(
            "hook",
            hook("crm").with_header("x-more", FieldValue::from_source("crm")).unwrap(),
        )
        .unwrap();
    assert_eq!(stage.field("hook", "1"), "Basic dTpw");
    *vault.0.lock().unwrap() = Some("q");
    assert_eq!(stage.field("hook", "1"), "Basic dTpx");
    assert_eq!(stage.acme.choose("hook", "1").wait().unwrap().fields()["x-more"], "q");
    *vault.0.lock().unwrap() = None;
    check(
        stage.send("hook", "1"),
        "vault_down",
        "password could not be had from the secret source \"crm\"",
    );
    assert_eq!(stage.counts(), [0, 0]);
    assert_eq!(stage.acme.probe("hook").wait().unwrap(), ProbeOutcome::NoToken);
    *vault.0.lock().unwrap() = Some("a\nb");
    check(stage.send("hook", "1"), "basic_password_control", "");
}

#[test]
fn a_tenant_names_what_was_granted_to_it_and_the_operator_names_all() {
    let other = TenantId::new("other");
    let sources = SecretSources::new().with("crm", Secret::from("p")).granting("crm", &other);
    let stage = stage_of(Arc::new(|_| answer(200, "")), sources);
    let named = |source: &str| {
        read(&format!(r#"{{"type":"basic","username":"u","password":{{"source":"{source}"}}}}"#))
    };
    let save = |source: &str, by| stage.acme.save("x", named(source), by);
    check(
        save("crm", ConfiguredBy::Tenant),
        "webhook_source_unknown",
        "password names the secret source \"crm\"",
    );
    check(
        save("env:HOME", ConfiguredBy::Tenant),
        "webhook_source_unknown",
        "does not exist or was not granted",
    );
    check(save("none", ConfiguredBy::Operator), "webhook_source_unknown", "none");
    save("crm", ConfiguredBy::Operator).unwrap();
    stage.set.of_tenant(&other).save("x", named("crm"), ConfiguredBy::Tenant).unwrap();
}

#[test]
fn a_change_is_made_at_a_moment() {
    let stage = stage();
    stage.save("crm", BASIC).unwrap();
    stage.acme.subscribe("hook", hook("crm")).unwrap();
    let turn = SlotTurn::At(Timestamp::from_unix(1_000_100));
    stage.acme.begin_rotation("crm", read(OTHER_BASIC), turn, ConfiguredBy::Tenant).unwrap();
    check(
        stage.acme.begin_rotation("crm", read(OTHER_BASIC), turn, ConfiguredBy::Tenant),
        "webhook_rotation_under_way",
        "crm",
    );
    assert_eq!(stage.field("hook", "1"), "Basic dTpw");
    stage.clock.set(Timestamp::from_unix(1_000_100));
    assert_eq!(stage.field("hook", "1"), "Basic dTpx");
    assert_eq!(stage.acme.choose("hook", "1").wait().unwrap().slot(), SlotName::Next);
    stage.acme.cancel_rotation("crm").unwrap();
    assert_eq!(stage.field("hook", "1"), "Basic dTpw");
    check(stage.acme.finish_rotation("crm"), "webhook_rotation_none", "crm");
    stage.acme.begin_rotation("crm", read(OTHER_BASIC), turn, ConfiguredBy::Tenant).unwrap();
    stage.acme.finish_rotation("crm").unwrap();
    let chosen = stage.acme.choose("hook", "1").wait().unwrap();
    assert_eq!((chosen.slot(), &*field_of(&chosen)), (SlotName::Current, "Basic dTpx"));
}

#[test]
fn a_share_of_deliveries_has_the_next_slot_and_all_attempts_of_one_the_same() {
    let stage = stage();
    stage.save("crm", BASIC).unwrap();
    stage.acme.subscribe("hook", hook("crm")).unwrap();
    stage
        .acme
        .begin_rotation("crm", read(OTHER_BASIC), SlotTurn::Share(0), ConfiguredBy::Tenant)
        .unwrap();
    let next = || {
        (0..1000).filter(|number| stage.field("hook", &number.to_string()) == "Basic dTpx").count()
    };
    assert_eq!(next(), 0);
    stage.acme.set_turn("crm", SlotTurn::Share(20)).unwrap();
    let some = next();
    assert!((140..260).contains(&some), "{some}");
    assert_eq!(next(), some);
    stage.acme.set_turn("crm", SlotTurn::Share(100)).unwrap();
    assert_eq!(next(), 1000);
    check(stage.acme.set_turn("crm", SlotTurn::Share(101)), "webhook_rotation_share", "101");
}

#[test]
fn tokens_are_fetched_now_shown_masked_and_survive_the_process() {
    let stage = stage();
    stage.save("crm", OAUTH).unwrap();
    let current = SlotName::Current;
    assert!(stage.acme.masked_token("crm", current).wait().unwrap().is_none());
    let masked = stage.acme.fetch_token("crm", current).wait().unwrap();
    assert_eq!((&*masked.access_token, stage.counts()), ("WpAA", [1, 0]));
    let whole = stage.acme.reveal_token("crm", current).wait().unwrap().unwrap();
    assert!(whole.access_token().matches(b"2YotnFZFEjr1zCsicMWpAA"));
    // The same configuration, loaded again by a process that shares the store, has it; another secret has not.
    stage.acme.edit("crm", read(OAUTH), ConfiguredBy::Tenant).unwrap();
    assert!(stage.acme.masked_token("crm", current).wait().unwrap().is_some());
    stage.acme.edit("crm", read(&OAUTH.replace("s3cret", "other")), ConfiguredBy::Tenant).unwrap();
    assert!(stage.acme.masked_token("crm", current).wait().unwrap().is_none());
    stage.acme.edit("crm", read(OAUTH), ConfiguredBy::Tenant).unwrap();
    stage.acme.delete("crm").wait().unwrap();
    stage.save("crm", OAUTH).unwrap();
    stage.save("basic", BASIC).unwrap();
    check(stage.acme.fetch_token("basic", current).wait(), "webhook_no_tokens", "type basic");
    check(stage.acme.fetch_token("crm", SlotName::Next).wait(), "webhook_rotation_none", "crm");
    check(
        stage.acme.begin_consent("crm", current, "alice").wait(),
        "webhook_no_consent",
        "client_credentials",
    );
}

#[test]
fn a_preview_sends_and_spends_nothing_and_shows_no_secret() {
    let stage = stage();
    let digest =
        r#"{"type":"digest","username":"u","password":"p","realm":"r","nonce":"n","qop":"auth"}"#;
    let all =
        [BASIC, digest, AWS, OAUTH, r#"{"type":"api_key","key":"X-Key","key_value":"v4lue"}"#];
    let mut shown = Vec::new();
    for (number, json) in all.into_iter().enumerate() {
        let name = number.to_string();
        stage.save(&name, json).unwrap();
        stage.acme.subscribe(&name, hook(&name).with_header("x-typed", "s3cret").unwrap()).unwrap();
        let preview = stage.acme.preview(&name, &WebhookDelivery::json("1", "{}")).wait().unwrap();
        assert_eq!((&preview.matched_by, preview.slot), (&MatchedBy::Name, SlotName::Current));
        let text = format!("{preview:?}");
        for secret in ["dTpw", "s3cret", "v4lue"] {
            assert!(!text.contains(secret), "{text}");
        }
        shown.push(preview);
    }
    assert_eq!(stage.counts(), [0, 0]);
    let value = |number: usize, name: &str| {
        shown[number].fields.iter().find(|field| field.name == name).unwrap().value.clone()
    };
    assert_eq!(value(0, "authorization"), "Basic ****");
    assert_eq!(
        value(1, "authorization"),
        r#"Digest username="u", realm="r", nonce="n", response="****""#
    );
    assert!(value(2, "authorization").ends_with("Signature=****"));
    assert!(value(2, "authorization").contains("content-type;host"), "as it is sent");
    assert_eq!(value(3, "authorization"), "Bearer ****");
    assert!(shown[3].notes[0].contains("https://login.example/token"));
    assert_eq!(value(4, "x-key"), "****");
    // No nonce was counted.
    assert!(stage.field("1", "1").contains("nc=00000001"));
    stage.acme.fetch_token("3", SlotName::Current).wait().unwrap();
    let preview = stage.acme.preview("3", &WebhookDelivery::json("1", "{}")).wait().unwrap();
    assert_eq!(preview.fields[0].value, "Bearer ****WpAA");
    // A rule that matched is shown.
    stage
        .acme
        .set_rules(vec![UrlRule { urls: RuleUrls::Default, authorization: "2".into() }])
        .unwrap();
    stage.acme.subscribe("ruled", Subscription::webhook(url("https://c.example/"))).unwrap();
    let preview = stage.acme.preview("ruled", &WebhookDelivery::json("1", "")).wait().unwrap();
    assert_eq!(preview.matched_by, MatchedBy::Rule(RuleUrls::Default));
}

#[track_caller]
fn check_probe(status: Result<u16, Error>, expected: ProbeOutcome) {
    let play = Arc::new(move |_: &Request<Vec<u8>>| Ok(answer(status.clone()?, "not for tenants")));
    let transport: Arc<dyn auth_core::Transport> =
        Arc::new(ScriptedTransport::new(move |request: &Request<Vec<u8>>| play(request)));
    let set =
        AuthorizationSet::builder(move |_: &TenantId, _: Option<&str>| Ok(Arc::clone(&transport)));
    let acme = set.build().unwrap().of_tenant(&TenantId::new("acme"));
    acme.save("crm", read(BASIC), ConfiguredBy::Tenant).unwrap();
    acme.subscribe("hook", hook("crm")).unwrap();
    assert_eq!(acme.probe("hook").wait().unwrap(), expected);
}

#[test]
fn a_probe_tells_one_of_five() {
    check_probe(Ok(204), ProbeOutcome::Accepted);
    check_probe(Ok(401), ProbeOutcome::Refused);
    check_probe(Ok(403), ProbeOutcome::Refused);
    check_probe(Ok(302), ProbeOutcome::OtherAnswer);
    check_probe(Ok(500), ProbeOutcome::OtherAnswer);
    check_probe(Err(Error::transport("connect", "refused")), ProbeOutcome::NotReached);
    check_probe(Err(Error::config("address_denied", "blocked")), ProbeOutcome::NotReached);
    check_probe(Err(Error::unavailable("timed_out", None, "late")), ProbeOutcome::NotReached);
    let play = |request: &Request<Vec<u8>>| {
        answer(if request.uri().path() == "/token" { 400 } else { 200 }, "")
    };
    let stage = stage_of(Arc::new(play), SecretSources::new());
    stage.save("crm", OAUTH).unwrap();
    stage.acme.subscribe("hook", hook("crm")).unwrap();
    assert_eq!(stage.acme.probe("hook").wait().unwrap(), ProbeOutcome::NoToken);
    assert_eq!(stage.counts()[1], 0, "the receiver was not asked");
}

/// A receiver that asks for more than the authorization would refuse it else.
#[test]
fn a_probe_has_what_a_delivery_has() {
    let seen: Arc<Mutex<Vec<Request<Vec<u8>>>>> = Arc::default();
    let kept = Arc::clone(&seen);
    let play = move |request: &Request<Vec<u8>>| {
        kept.lock().unwrap().push(request.clone());
        answer(200, "")
    };
    let stage = stage_of(Arc::new(play), SecretSources::new());
    stage.save("crm", BASIC).unwrap();
    let form = SignatureForm::HubSignature { algorithm: Default::default() };
    let secret = Secret::from("hub secret");
    let key = BodySigningKey::read(&form, &secret).unwrap();
    let signer = BodySigner::new(form, key).unwrap();
    let subscription = hook("crm").signed_by(signer).with_header("x-more", "typed").unwrap();
    stage.acme.subscribe("hook", subscription).unwrap();
    assert_eq!(stage.acme.probe("hook").wait().unwrap(), ProbeOutcome::Accepted);
    let sender = WebhookSender::new(&stage.set, DeliveryPlan::default());
    let delivery = WebhookDelivery::json("probe", "{}");
    sender.deliver(stage.acme.tenant(), "hook", delivery).wait().unwrap();
    let seen = seen.lock().unwrap();
    let [probe, delivery] = &**seen else { panic!("{} requests", seen.len()) };
    assert!(probe.headers()["x-hub-signature"].to_str().unwrap().starts_with("sha256="));
    assert_eq!((probe.headers(), probe.body()), (delivery.headers(), delivery.body()));
}

#[test]
fn a_tenant_probes_ten_times_a_minute() {
    let stage = stage();
    stage.save("crm", BASIC).unwrap();
    stage.acme.subscribe("hook", hook("crm")).unwrap();
    check(stage.acme.probe("other").wait(), "webhook_subscription_unknown", "other");
    for _ in 0..10 {
        assert_eq!(stage.acme.probe("hook").wait().unwrap(), ProbeOutcome::Accepted);
    }
    check(stage.acme.probe("hook").wait(), "webhook_probe_limit", "too often");
    let other = stage.set.of_tenant(&TenantId::new("other"));
    other.save("crm", read(BASIC), ConfiguredBy::Tenant).unwrap();
    other.subscribe("hook", hook("crm")).unwrap();
    assert_eq!(other.probe("hook").wait().unwrap(), ProbeOutcome::Accepted);
    stage.clock.advance(Duration::from_secs(60));
    assert_eq!(stage.acme.probe("hook").wait().unwrap(), ProbeOutcome::Accepted);
}

#[test]
fn a_deletion_ends_the_authorization_and_revokes_its_token() {
    let revoked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&revoked);
    let play = move |request: &Request<Vec<u8>>| match request.uri().path() {
        "/token" => answer(200, r#"{"access_token":"2YotnFZFEjr1zCsicMWpAA","expires_in":3600}"#),
        "/revoke" => {
            counted.fetch_add(1, Ordering::Relaxed);
            answer(200, "")
        }
        _ => answer(200, ""),
    };
    let stage = stage_of(Arc::new(play), SecretSources::new());
    let settings =
        r#","advanced_settings":{"enabled":true,"revocation_url":"https://login.example/revoke"}}"#;
    let json = OAUTH.replace('}', settings);
    stage.save("crm", &json).unwrap();
    stage.acme.subscribe("hook", hook("crm")).unwrap();
    let before = stage.acme.choose("hook", "1").wait().unwrap();
    assert_eq!(field_of(&before), "Bearer 2YotnFZFEjr1zCsicMWpAA");
    assert!(stage.acme.unsubscribe("hook"));
    stage.acme.delete("crm").wait().unwrap();
    assert_eq!(revoked.load(Ordering::Relaxed), 1);
    // What was chosen before it was deleted sends nothing any more.
    let (uri, headers) = (before.subscription().url.uri().unwrap(), http::HeaderMap::new());
    let made = before.credentials(RequestView::new(&Method::POST, &uri, &headers)).wait();
    assert_eq!(made.unwrap_err().code(), "session_ended");
    // Switched off, they change nothing.
    stage.save("crm", &json.replace("true,\"rev", "false,\"rev")).unwrap();
    stage.acme.fetch_token("crm", SlotName::Current).wait().unwrap();
    stage.acme.delete("crm").wait().unwrap();
    assert_eq!(revoked.load(Ordering::Relaxed), 1);
}

mod hostile;
