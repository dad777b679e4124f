//! Document 002: the form of an authorization as a person fills it in, field by field, and what of it goes over the wire.

use auth_core::{TenantId, Transport};
use auth_testing::{ManualClock, ScriptedTransport};
use auth_webhook::{
    AuthorizationSet, ConfiguredBy, DeliveryEnd, DeliveryPlan, SlotName, Subscription,
    TenantAuthorizations, WebhookDelivery, WebhookSender, WebhookUrl,
};
use http::{Request, Response, header::AUTHORIZATION};
use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

const BODY: &str = r#"{"channel":"message","transaction_id":"4711","status":"delivered"}"#;
const CURRENT: SlotName = SlotName::Current;

/// A platform that sends webhooks; all that it sends is kept. The receiver takes any credentials, and the path `/asks` asks
/// for Digest. The token endpoint does not say how long a token lasts.
struct Stage {
    set: AuthorizationSet,
    acme: TenantAuthorizations,
    clock: ManualClock,
    sent: Arc<Mutex<Vec<Request<Vec<u8>>>>>,
}

fn answer(requests: &[Request<Vec<u8>>]) -> Response<Vec<u8>> {
    let is_token = |request: &&Request<_>| ["/token", "/refresh"].contains(&request.uri().path());
    let request = requests.last().unwrap();
    if is_token(&request) {
        let n = requests.iter().filter(is_token).count();
        let token = json!({ "access_token": format!("t{n}"), "refresh_token": format!("r{n}") });
        return Response::new(token.to_string().into_bytes());
    }
    let is_asked =
        request.uri().path() == "/asks" && !request.headers().contains_key(AUTHORIZATION);
    let mut answer = Response::new(Vec::new());
    if is_asked {
        *answer.status_mut() = http::StatusCode::UNAUTHORIZED;
        let challenge = "Digest realm=\"bank\", nonce=\"n1\", algorithm=SHA-256, qop=\"auth\"";
        answer.headers_mut().insert("www-authenticate", challenge.parse().unwrap());
    }
    answer
}

fn stage() -> Stage {
    let (clock, sent) = (ManualClock::at(1_700_000_000), Arc::<Mutex<Vec<_>>>::default());
    let keeping = Arc::clone(&sent);
    let transport: Arc<dyn Transport> =
        Arc::new(ScriptedTransport::new(move |request: &Request<Vec<u8>>| {
            let mut kept = keeping.lock().unwrap();
            kept.push(request.clone());
            Ok(answer(&kept))
        }));
    let set = AuthorizationSet::builder(transport).with_clock(clock.clone()).build().unwrap();
    let acme = set.of_tenant(&TenantId::new("acme"));
    Stage { set, acme, clock, sent }
}

impl Stage {
    /// The form is saved, and the webhook of its name is sent under it.
    fn with(form: &Value, path: &str) -> Self {
        let stage = stage();
        let form = serde_json::from_value(form.clone()).unwrap();
        stage.acme.save("crm", form, ConfiguredBy::Tenant).unwrap();
        let url = WebhookUrl::parse(&format!("https://receiver.example{path}")).unwrap();
        stage.acme.subscribe("receipts", Subscription::webhook(url).under("crm")).unwrap();
        stage
    }

    fn deliver(&self) -> DeliveryEnd {
        let sender = WebhookSender::new(&self.set, DeliveryPlan::default());
        let delivery = WebhookDelivery::json("d1", BODY);
        sender.deliver(self.acme.tenant(), "receipts", delivery).wait().unwrap().end
    }

    /// Sends the webhook: the credentials that it had.
    fn credentials(&self) -> String {
        assert_eq!(self.deliver(), DeliveryEnd::Delivered);
        let sent = self.sent.lock().unwrap();
        sent.last().unwrap().headers()[AUTHORIZATION].to_str().unwrap().to_owned()
    }

    /// The requests of the token endpoint: method, URL, the fields that a form can say something about, body.
    fn token_requests(&self) -> Vec<String> {
        let sent = self.sent.lock().unwrap();
        let of_tokens = sent.iter().filter(|request| request.uri().host() == Some("login.example"));
        let shown = of_tokens.map(|request| {
            let field = |name: &str| match request.headers().get(name) {
                Some(value) => value.to_str().unwrap().to_owned(),
                None => "-".to_owned(),
            };
            let (tenant, client) = (field("x-tenant"), field("authorization"));
            let body = String::from_utf8_lossy(request.body());
            format!("{} {} {tenant} {client} {body}", request.method(), request.uri())
        });
        shown.collect()
    }
}

/// A form with these fields beside those that it needs.
fn form(mut form: Value, fields: &Value) -> Value {
    form.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    form
}

fn digest(fields: &Value) -> Value {
    form(json!({ "type": "digest", "username": "u", "password": "s3cret" }), fields)
}

fn client_credentials(fields: &Value) -> Value {
    let needed = json!({
        "type": "oauth2", "grant_type": "client_credentials", "client_id": "me", "client_secret": "s3cret",
        "access_token_url": "https://login.example/token",
    });
    form(needed, fields)
}

fn authorization_code(fields: &Value) -> Value {
    let needed = json!({
        "type": "oauth2", "grant_type": "authorization_code", "consumer_id": "me", "consumer_secret": "s3cret",
        "callback_url": "https://platform.example/callback", "authorization_url": "https://login.example/authorize",
        "access_token_url": "https://login.example/token",
    });
    form(needed, fields)
}

/// The one token request under this form.
fn asked(form: &Value) -> String {
    let stage = Stage::with(form, "/hooks");
    assert_eq!(stage.credentials(), "Bearer t1");
    let mut asked = stage.token_requests();
    assert_eq!(asked.len(), 1, "{asked:?}");
    asked.remove(0)
}

const ALL: &str = "grant_type=client_credentials&client_id=me&client_secret=s3cret";

/// Every field of a challenge can be typed. What was typed goes out with the first request, and the count rises from there.
#[test]
fn s002_12_s002_13_s002_14_s002_16_s002_20_what_is_typed_of_a_challenge_is_sent() {
    let typed = digest(&json!({
        "realm": "bank", "nonce": "n1", "algorithm": "SHA-256", "qop": "auth", "nonce_count": "0000000f",
        "client_nonce": "c", "opaque": "b3BhcXVl",
    }));
    let stage = Stage::with(&typed, "/hooks/digest");
    // SHA-256 of HA1:n1:nc:c:auth:HA2, which Python has computed.
    for (count, response) in [
        ("0000000f", "70111ba52fefd51b1298e880726426674319cc7cfde588614c04dcae7a431066"),
        ("00000010", "a91f78509d086090980e37adced6cafaf1706463c0fe96bbdd3acdd3337a2cfb"),
    ] {
        let field = stage.credentials();
        let mut sent: Vec<_> = field.strip_prefix("Digest ").unwrap().split(", ").collect();
        sent.sort_unstable();
        let (nc, response) = (format!("nc={count}"), format!("response=\"{response}\""));
        let expected = [
            "algorithm=SHA-256",
            "cnonce=\"c\"",
            &nc,
            "nonce=\"n1\"",
            "opaque=\"b3BhcXVl\"",
            "qop=auth",
            "realm=\"bank\"",
            &response,
            "uri=\"/hooks/digest\"",
            "username=\"u\"",
        ];
        assert_eq!(sent, expected);
    }
    assert_eq!(stage.sent.lock().unwrap().len(), 2, "the receiver was never asked for a challenge");
}

/// The form has a field for it: nothing of the body is sent before the receiver has asked, and the proof goes with it.
#[test]
fn s002_10_the_form_holds_the_body_back_until_the_receiver_has_asked() {
    for (form, bodies) in [
        (digest(&json!({ "proving_first": true })), ["", BODY]),
        (digest(&json!({})), [BODY, BODY]),
    ] {
        let stage = Stage::with(&form, "/asks");
        assert!(stage.credentials().starts_with("Digest username=\"u\""));
        let sent = stage.sent.lock().unwrap();
        let sent: Vec<_> = sent.iter().map(|it| std::str::from_utf8(it.body()).unwrap()).collect();
        assert_eq!(sent, bodies, "{form}");
    }
}

/// The toggle: while it is off nothing changes, whatever is filled in behind it.
#[test]
fn s002_36_what_is_filled_in_behind_the_toggle_counts_only_while_it_is_on() {
    let settings = |enabled: bool| {
        let settings = json!({
            "enabled": enabled, "access_token_url_method": "GET", "access_token_url_parameter_type": "url",
            "access_token_url_headers": { "x-tenant": "acme" }, "allow_secrets_in_url": true,
        });
        client_credentials(&json!({ "advanced_settings": settings }))
    };
    let plain = format!("POST https://login.example/token - - {ALL}");
    assert_eq!(asked(&client_credentials(&json!({}))), plain);
    assert_eq!(asked(&settings(false)), plain);
    assert_eq!(asked(&settings(true)), format!("GET https://login.example/token?{ALL} acme - "));
}

/// Method, parameter type and headers of the access token URL, each by itself; the client in the body unless Basic is
/// chosen, which needs no toggle.
#[test]
fn s002_37_s002_38_s002_39_s002_42_each_setting_of_the_form_is_on_the_wire() {
    let url = "https://login.example/token";
    let advanced = |setting: &Value| {
        let enabled = form(json!({ "enabled": true }), setting);
        asked(&client_credentials(&json!({ "advanced_settings": enabled })))
    };
    for (setting, expected) in [
        (json!({}), format!("POST {url} - - {ALL}")),
        (json!({ "access_token_url_method": "POST" }), format!("POST {url} - - {ALL}")),
        (json!({ "access_token_url_method": "GET" }), format!("GET {url} - - {ALL}")),
        (json!({ "access_token_url_parameter_type": "body" }), format!("POST {url} - - {ALL}")),
        (
            json!({ "access_token_url_parameter_type": "url", "allow_secrets_in_url": true }),
            format!("POST {url}?{ALL} - - "),
        ),
        (
            json!({ "access_token_url_headers": { "X-Tenant": "acme" } }),
            format!("POST {url} acme - {ALL}"),
        ),
    ] {
        assert_eq!(advanced(&setting), expected, "{setting}");
    }
    let basic = client_credentials(&json!({ "client_authentication": "basic" }));
    let expected = format!("POST {url} - Basic bWU6czNjcmV0 grant_type=client_credentials");
    assert_eq!(asked(&basic), expected);
    let body = client_credentials(&json!({ "client_authentication": "body" }));
    assert_eq!(asked(&body), format!("POST {url} - - {ALL}"));
}

/// Consumer ID is another name of the client's; a scope that is empty is none.
#[test]
fn s002_29_s002_32_consumer_id_and_scope_are_sent_as_filled_in() {
    let mut consumer = client_credentials(&json!({ "consumer_id": "me" }));
    consumer.as_object_mut().unwrap().remove("client_id");
    let plain = format!("POST https://login.example/token - - {ALL}");
    assert_eq!(asked(&consumer), plain);
    assert_eq!(asked(&client_credentials(&json!({ "scope": "" }))), plain);
    let scoped = asked(&client_credentials(&json!({ "scope": "sms:send a" })));
    assert!(scoped.contains("scope=sms%3Asend+a"), "{scoped}");
}

/// Limited validity is a field, and how long is another; the token is then refreshed at the URL of a third.
#[test]
fn s002_34_s002_35_a_token_of_limited_validity_is_refreshed_at_the_refresh_url() {
    let fields = |is_limited: bool| {
        json!({
            "access_token_limited_validity": is_limited, "validity": "300s",
            "refresh_token_url": "https://login.example/refresh",
        })
    };
    for (is_limited, later, paths) in
        [(true, "Bearer t2", &["/token", "/refresh"][..]), (false, "Bearer t1", &["/token"])]
    {
        let stage = Stage::with(&client_credentials(&fields(is_limited)), "/hooks");
        assert_eq!(stage.credentials(), "Bearer t1");
        stage.clock.advance(Duration::from_secs(300));
        assert_eq!(stage.credentials(), later);
        let asked = stage.token_requests();
        let urls: Vec<_> = asked.iter().map(|it| it.split(' ').nth(1).unwrap()).collect();
        let expected: Vec<_> =
            paths.iter().map(|it| format!("https://login.example{it}")).collect();
        assert_eq!(urls, expected);
        let refreshed = asked.iter().any(|it| it.contains("refresh_token=r1"));
        assert_eq!(refreshed, is_limited, "{asked:?}");
    }
    let endless = client_credentials(&json!({ "access_token_limited_validity": true }));
    let endless = serde_json::from_value(endless).unwrap();
    let error = stage().acme.save("crm", endless, ConfiguredBy::Tenant).unwrap_err();
    assert_eq!(error.code(), "webhook_validity");
}

/// Under the grant authorization code a webhook is sent once a user has agreed, in that user's context, and goes on being
/// sent while the tokens expire.
#[test]
fn s002_26_s002_30_s002_31_s002_33_a_webhook_is_sent_in_the_context_of_the_user_who_agreed() {
    let fields = json!({
        "scope": "a b", "access_token_limited_validity": true, "validity": "300s",
        "refresh_token_url": "https://login.example/refresh",
    });
    let stage = Stage::with(&authorization_code(&fields), "/hooks");
    let DeliveryEnd::Held(error) = stage.deliver() else { panic!("nobody has agreed") };
    assert_eq!(error.code(), "oauth2_consent_needed");
    assert!(stage.sent.lock().unwrap().is_empty());
    let url = stage.acme.begin_consent("crm", CURRENT, "alice").wait().unwrap();
    assert!(url.starts_with("https://login.example/authorize?response_type=code&client_id=me&"));
    assert!(url.contains("redirect_uri=https%3A%2F%2Fplatform.example%2Fcallback"), "{url}");
    assert!(url.contains("scope=a+b"), "{url}");
    let state = url.split("state=").nth(1).unwrap().split('&').next().unwrap();
    let query = format!("code=c0de&state={state}");
    let finish = |user: &str, query: &str| stage.acme.finish_consent("crm", CURRENT, user, query);
    assert!(finish("alice", "").wait().is_err(), "the callback URL is opened by itself");
    assert!(stage.sent.lock().unwrap().is_empty());
    finish("alice", &query).wait().unwrap();
    assert_eq!(stage.credentials(), "Bearer t1");
    stage.clock.advance(Duration::from_secs(300));
    assert_eq!(stage.credentials(), "Bearer t2");
    let asked = stage.token_requests();
    assert!(asked[0].starts_with(
        "POST https://login.example/token - - grant_type=authorization_code&code=c0de&"
    ));
    assert!(
        asked[1].starts_with("POST https://login.example/refresh - - grant_type=refresh_token&")
    );
    assert_eq!(asked.len(), 2);
}

/// The button "Get Access Token", and the two fields behind it.
#[test]
fn s002_40_s002_41_the_tokens_of_a_form_are_fetched_shown_and_revealed() {
    let stage = Stage::with(&client_credentials(&json!({})), "/hooks");
    assert!(stage.acme.masked_token("crm", CURRENT).wait().unwrap().is_none());
    let shown = stage.acme.fetch_token("crm", CURRENT).wait().unwrap();
    assert_eq!(stage.token_requests().len(), 1);
    assert!(!format!("{shown:?}").contains("t1") && shown.refresh_token.is_some());
    let revealed = stage.acme.reveal_token("crm", CURRENT).wait().unwrap().unwrap();
    assert!(revealed.access_token().matches(b"t1"));
    assert!(revealed.refresh_token().unwrap().matches(b"r1"));
    assert_eq!(stage.credentials(), "Bearer t1");
    assert_eq!(stage.token_requests().len(), 1, "the webhook has the token that is shown");
}
