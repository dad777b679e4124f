//! Webhooks under every kind of authorization, with servers that repeat everything they were sent, and configurations
//! with secrets wherever they can stand.

use super::{
    ibsso::{Seen, logged, note},
    plant,
};
use auth_core::{
    Authenticator, Body, Candidates, ConnectionId, Error, Event, MemoryReplayStore, Observer,
    RequestView, SystemClock, SystemRandom, Verifier,
};
use auth_jwt::JwtKeys;
use auth_static::{BasicAccounts, FixedKeys};
use auth_testing::{Canary, CapturedOutput, ScriptedTransport};
use auth_webhook::{
    AuthorizationSet, BodySignatureVerifier, BodySigner, BodySigningKey, BodyVerifyingKey,
    ConfiguredBy, DeliveryPlan, InboundAuthorization, InboundLookUps, KeyHasher,
    OutboundAuthorization, Secret, SecretSources, SignableDelivery, SignatureForm, SlotName,
    SlotTurn, Subscription, TenantAuthorizations, TenantId, Transport, WebhookDelivery,
    WebhookReceiver, WebhookSender, WebhookUrl,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, Method, Request, Response, Uri};
use serde_json::{Value, json};
use std::{collections::HashMap, sync::Arc};

/// The secrets of one run.
struct Planted {
    /// Password, secret key, key value and client secret: one stands in all of them.
    field: Canary,
    /// What a source gives.
    source: Canary,
    /// A header field of a token request, and one that was typed for a subscription.
    header: Canary,
    signature: Canary,
    access: Canary,
    refresh: Canary,
}

impl Planted {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            field: plant("field"),
            source: plant("source"),
            header: plant("header"),
            signature: plant("a-signature-key"),
            access: plant("access"),
            refresh: plant("refresh"),
        })
    }

    fn all(&self) -> [&Canary; 6] {
        [&self.field, &self.source, &self.header, &self.signature, &self.access, &self.refresh]
    }

    /// Every kind, with this in place of each secret.
    fn kinds(&self, secret: &Value) -> Vec<Value> {
        let header = self.header.text();
        let login = "https://login.example";
        vec![
            json!({ "type": "none" }),
            json!({ "type": "basic", "username": "acme", "password": secret }),
            json!({ "type": "digest", "username": "acme", "password": secret }),
            json!({
                "type": "digest", "username": "acme", "password": secret, "realm": "r", "nonce": "n", "qop": "auth",
            }),
            json!({
                "type": "digest", "username": "acme", "password": secret, "proving_first": true,
            }),
            json!({
                "type": "aws_signature", "access_key": "AKIDEXAMPLE", "secret_key": secret, "region": "eu-west-1",
                "service_name": "execute-api",
            }),
            json!({ "type": "api_key", "key": "x-key", "key_value": secret }),
            json!({
                "type": "oauth2", "grant_type": "client_credentials", "client_id": "acme", "client_secret": secret,
                "access_token_url": format!("{login}/token"),
                "advanced_settings": {
                    "enabled": true, "access_token_url_headers": { "x-more": header },
                    "revocation_url": format!("{login}/revoke"),
                },
            }),
            json!({
                "type": "oauth2", "grant_type": "client_credentials", "client_id": "acme", "client_secret": secret,
                "access_token_url": format!("{login}/token"), "client_authentication": "basic",
                "advanced_settings": {
                    "enabled": true, "access_token_url_method": "GET", "access_token_url_parameter_type": "url",
                    "allow_secrets_in_url": true,
                },
            }),
            json!({
                "type": "oauth2", "grant_type": "authorization_code", "consumer_id": "acme", "consumer_secret": secret,
                "callback_url": "https://platform.example/callback", "authorization_url": format!("{login}/authorize"),
                "access_token_url": format!("{login}/token"),
            }),
        ]
    }

    /// The key of a signature; that of Standard Webhooks holds it as Base64.
    fn key(&self, form: &SignatureForm) -> Secret {
        match form {
            SignatureForm::StandardWebhooks {} => {
                Secret::from(format!("whsec_{}", STANDARD.encode(self.signature.text())))
            }
            _ => Secret::from(self.signature.text()),
        }
    }

    /// A server of tokens, which gives them or repeats what it was sent, and a receiver, which repeats that and all other
    /// secrets, under this status.
    fn server(self: &Arc<Self>, status: u16) -> Arc<dyn Transport> {
        let planted = Arc::clone(self);
        let transport = ScriptedTransport::new(move |request: &Request<Vec<u8>>| {
            let shown = format!("{request:?}");
            let leaked = planted.all().map(|secret| shown.contains(secret.text()));
            assert!(!leaked.contains(&true) || request.uri().query().is_some(), "{shown}");
            let text = planted.all().map(Canary::text).join(" ");
            let sent = String::from_utf8_lossy(request.body()).into_owned();
            let fields: Vec<_> = request.headers().values().map(|it| it.as_bytes()).collect();
            let sent = format!("{sent} {}", String::from_utf8_lossy(&fields.concat()));
            match (request.uri().path(), status) {
                (_, 0) => Err(Error::transport("test_unreachable", "nobody answers")),
                ("/token", 200 | 401) => Ok(Response::new(
                    json!({
                        "access_token": planted.access.text(), "refresh_token": planted.refresh.text(),
                        "expires_in": 3600,
                    })
                    .to_string()
                    .into_bytes(),
                )),
                ("/token", _) => Ok(Response::builder()
                    .status(status)
                    .header("retry-after", &sent)
                    .body(json!({ "error": sent, "error_description": sent }).to_string().into_bytes())
                    .unwrap()),
                _ => Ok(Response::builder()
                    .status(status)
                    .header("www-authenticate", format!("Digest realm=\"{text}\", nonce=\"{text}\", qop=\"auth\""))
                    .header("location", format!("https://elsewhere.example/{}", planted.field.text()))
                    .body(format!("{text} {sent}").into_bytes())
                    .unwrap()),
            }
        });
        Arc::new(transport)
    }

    fn set(self: &Arc<Self>, status: u16, shown: &CapturedOutput) -> AuthorizationSet {
        let acme = TenantId::new("acme");
        let sources = SecretSources::new()
            .with("crm", Secret::from(self.source.text()))
            .granting("crm", &acme)
            .with("other", Secret::from(self.source.text()))
            .with("broken", Secret::new(format!("{}\n\u{0}", self.source.text())))
            .granting("broken", &acme);
        shown.debug(&sources);
        let transport = self.server(status);
        let builder = AuthorizationSet::builder(move |_: &TenantId, _: Option<&str>| {
            Ok(Arc::clone(&transport))
        })
        .with_sources(sources)
        .with_observer(Told(shown.clone()));
        shown.debug(&builder);
        let set = builder.build().unwrap();
        shown.debug(&set);
        set
    }

    fn subscription(&self, form: &SignatureForm) -> Subscription {
        let url = WebhookUrl::parse("https://hooks.example/receipts").unwrap();
        let key = BodySigningKey::read(form, &self.key(form)).unwrap();
        let signer = BodySigner::new(form.clone(), key).unwrap();
        let subscription = Subscription::webhook(url).under("crm").signed_by(signer);
        subscription.with_header("x-typed", self.header.text()).unwrap()
    }

    #[track_caller]
    fn show_nothing(&self, shown: &CapturedOutput) {
        let all = shown.all();
        let has_one = |line: &&str| self.all().iter().any(|secret| line.contains(secret.text()));
        let lines: Vec<_> = all.lines().filter(has_one).take(9).collect();
        assert_eq!(shown.leaks(&self.all()), [""; 0], "in {lines:#?}");
    }
}

/// What an owner is told, with the errors in it.
struct Told(CapturedOutput);

impl Observer for Told {
    fn observe(&self, event: Event<'_>) {
        if let Event::WebhookAttempted { error: Some(error), .. } = event {
            self.0.error(error);
        }
        Seen(self.0.clone()).observe(event);
    }
}

const FORMS: [&str; 3] = [
    r#"{"form":"hub_signature"}"#,
    r#"{"form":"standard_webhooks"}"#,
    r#"{"form":"body_hmac","header":"x-sig"}"#,
];

fn form(json: &str) -> SignatureForm {
    serde_json::from_str(json).unwrap()
}

/// Everything that a person and a program see of an authorization: configured, listed, previewed, probed, sent under,
/// rotated, edited and deleted, while its servers do as they are told or repeat what they were sent.
#[test]
fn no_authorization_of_webhooks_shows_a_secret() {
    let (planted, shown) = (Planted::new(), CapturedOutput::default());
    logged(&shown, || {
        for status in [200, 302, 401, 429, 500, 0] {
            let literal = Value::from(planted.field.text());
            for secret in [literal, json!({ "source": "crm" })] {
                for kind in planted.kinds(&secret) {
                    live(&planted, &shown, status, &kind);
                }
            }
        }
    });
    for told in ["Delivered", "Exhausted", "Held", "NoToken", "webhook has ended", "Bearer ****"] {
        assert!(shown.all().contains(told), "{told:?} is not in what was shown");
    }
    planted.show_nothing(&shown);
}

fn live(planted: &Arc<Planted>, shown: &CapturedOutput, status: u16, kind: &Value) {
    let set = planted.set(status, shown);
    let acme = set.of_tenant(&TenantId::new("acme"));
    let read: OutboundAuthorization = serde_json::from_value(kind.clone()).unwrap();
    let revealed = serde_json::to_string(&read.revealed()).unwrap();
    assert_eq!(
        revealed.contains(planted.field.text()),
        kind.to_string().contains(planted.field.text())
    );
    written(shown, &read);
    shown.debug(&acme).debug(&read.revealed());
    acme.save("crm", read.clone(), ConfiguredBy::Tenant).unwrap();
    note(shown, acme.save("crm", read.clone(), ConfiguredBy::Tenant));
    let forms = FORMS.map(form);
    let subscription = planted.subscription(&forms[usize::from(status) % forms.len()]);
    shown.debug(&subscription).debug(&subscription.signer());
    acme.subscribe("receipts", subscription).unwrap();
    sent(shown, &set, &acme);
    tokens(shown, &acme, SlotName::Current);
    note(
        shown,
        acme.begin_rotation("crm", read.clone(), SlotTurn::Share(100), ConfiguredBy::Tenant),
    );
    sent(shown, &set, &acme);
    tokens(shown, &acme, SlotName::Next);
    note(shown, acme.finish_rotation("crm"));
    // An edit without its secrets keeps them.
    let hidden = serde_json::from_value(serde_json::to_value(&read).unwrap()).unwrap();
    note(shown, acme.edit("crm", hidden, ConfiguredBy::Tenant));
    assert_eq!(acme.authorization("crm").unwrap(), read);
    written(shown, &acme.authorization("crm").unwrap());
    note(shown, acme.delete("crm").wait());
    acme.unsubscribe("receipts");
    note(shown, acme.delete("crm").wait());
}

fn written(shown: &CapturedOutput, authorization: &OutboundAuthorization) {
    shown.debug(authorization).debug(&authorization.scheme);
    shown.text(&serde_json::to_string_pretty(authorization).unwrap());
    shown.text(&toml::to_string(authorization).unwrap());
}

fn sent(shown: &CapturedOutput, set: &AuthorizationSet, acme: &TenantAuthorizations) {
    shown.debug(&acme.list()).debug(&acme.dependants("crm").unwrap());
    note(shown, acme.preview("receipts", &WebhookDelivery::json("d1", "{}")).wait());
    note(shown, acme.probe("receipts").wait());
    let chosen = acme.choose("receipts", "d1").wait().unwrap();
    let (uri, headers) =
        (chosen.subscription().url.as_str().parse::<Uri>().unwrap(), HeaderMap::new());
    let view = RequestView::new(&Method::POST, &uri, &headers).with_body(Body::Bytes(b"{}"));
    note(shown, chosen.credentials(view).wait());
    shown.debug(&chosen).debug(&chosen.fields()).debug(&chosen.credentials_error());
    let delivery = || WebhookDelivery::json("d1", r#"{"event":"delivered"}"#);
    let sender = WebhookSender::new(set, DeliveryPlan::default());
    shown.debug(&sender).debug(&delivery());
    note(shown, sender.deliver(acme.tenant(), "receipts", delivery()).wait());
    note(shown, sender.attempt(acme.tenant(), "receipts", delivery()).wait());
    note(shown, acme.preview("receipts", &WebhookDelivery::json("d1", "{}")).wait());
}

fn tokens(shown: &CapturedOutput, acme: &TenantAuthorizations, slot: SlotName) {
    note(shown, acme.fetch_token("crm", slot).wait());
    note(shown, acme.masked_token("crm", slot).wait());
    note(shown, acme.reveal_token("crm", slot).wait());
    if let Ok(url) = acme.begin_consent("crm", slot, "alice").wait() {
        let state = url.split("state=").nth(1).unwrap().split('&').next().unwrap();
        let query = format!("code=4711&state={state}");
        note(shown, acme.finish_consent("crm", slot, "alice", &query).wait());
        note(shown, acme.masked_token("crm", slot).wait());
        note(shown, acme.finish_consent("crm", slot, "alice", &query).wait());
    }
}

/// Secrets that no field takes, and secrets in the wrong place.
#[test]
fn no_configuration_that_is_refused_shows_its_secrets() {
    let (planted, shown) = (Planted::new(), CapturedOutput::default());
    let set = planted.set(200, &shown);
    let acme = set.of_tenant(&TenantId::new("acme"));
    let secret = planted.field.text();
    let mut refused = 0;
    for wrong in [
        json!(format!("{secret}\r\n")),
        json!(format!("é{secret}\u{0}")),
        json!([secret]),
        json!({ "literal": secret }),
        json!({ "source": [secret] }),
        json!({ "source": "other" }),
        json!({ "source": "broken" }),
        json!({ "hidden": true }),
    ] {
        for kind in planted.kinds(&wrong) {
            let read = serde_json::from_value::<OutboundAuthorization>(kind.clone());
            let read =
                read.and_then(|_| serde_json::from_str::<OutboundAuthorization>(&kind.to_string()));
            match read {
                Err(error) => {
                    refused += 1;
                    shown.error(&error);
                }
                Ok(read) => {
                    written(&shown, &read);
                    if let Err(error) = acme.save("crm", read, ConfiguredBy::Tenant) {
                        refused += 1;
                        assert!(error.to_string().contains("\"crm\""), "{error}");
                        shown.error(&error);
                        continue;
                    }
                    let hook = WebhookUrl::parse("https://hooks.example/receipts").unwrap();
                    acme.subscribe("receipts", Subscription::webhook(hook).under("crm")).unwrap();
                    note(&shown, acme.choose("receipts", "d1").wait());
                    note(
                        &shown,
                        acme.preview("receipts", &WebhookDelivery::json("d1", "{}")).wait(),
                    );
                    acme.unsubscribe("receipts");
                    note(&shown, acme.delete("crm").wait());
                }
            }
        }
    }
    assert!(refused > 40, "{refused} were refused");
    let url = format!("https://acme:{secret}@hooks.example/");
    shown.error(&WebhookUrl::parse(&url).unwrap_err());
    shown.debug(
        &WebhookUrl::parse(&format!("https://hooks.example/{secret}?key={secret}")).unwrap(),
    );
    let hook = Subscription::webhook(WebhookUrl::parse("https://hooks.example/").unwrap());
    let broken = format!("{}\n", planted.header.text());
    shown.error(&hook.with_header("x-typed", &*broken).unwrap_err());
    planted.show_nothing(&shown);
}

/// Keys of signatures and what is made with them, on both ends, and what a receiver says of every webhook.
#[test]
fn no_signature_or_receiver_shows_a_secret() {
    let (planted, shown) = (Planted::new(), CapturedOutput::default());
    let uri = Uri::from_static("https://hooks.example/receipts");
    for json in FORMS {
        let form = form(json);
        let key = planted.key(&form);
        let signing = BodySigningKey::read(&form, &key).unwrap();
        let verifying = BodyVerifyingKey::read(&form, &key).unwrap();
        shown.debug(&signing).debug(&verifying).debug(&form);
        let signer = BodySigner::new(form.clone(), signing).unwrap();
        let delivery =
            SignableDelivery::new("d1", auth_core::Clock::now(&SystemClock), &uri, b"{}");
        let headers = signer.sign(delivery).unwrap();
        let verifier =
            BodySignatureVerifier::new(form, Candidates::one(verifying, "acme")).unwrap();
        shown.debug(&signer).debug(&delivery).debug(&headers).debug(&verifier);
        let id = ConnectionId::new(TenantId::new("acme"), "crm");
        let receiver =
            WebhookReceiver::signed(id, verifier).once(MemoryReplayStore::new(SystemClock));
        shown.debug(&receiver);
        for body in [&b"{}"[..], planted.field.text().as_bytes()] {
            let view = RequestView::new(&Method::POST, &uri, &headers).with_body(Body::Bytes(body));
            shown.debug(&receiver.verify(view).wait().unwrap());
        }
    }
    let secret = planted.signature.text();
    let jws = form(r#"{"form":"detached_jws","header":"x-jws","algorithm":"ES256"}"#);
    let standard = form(FORMS[1]);
    for (form, text) in [
        (form(FORMS[0]), format!("{secret}\n")),
        (standard.clone(), secret.to_owned()),
        (standard.clone(), format!("whsec_{secret}!")),
        (standard.clone(), format!("whsk_{}", STANDARD.encode(secret))),
        (standard, format!("whpk_{}", STANDARD.encode(secret))),
        (jws.clone(), secret.to_owned()),
        (jws, format!("-----BEGIN PRIVATE KEY-----\n{secret}\n-----END PRIVATE KEY-----")),
    ] {
        let key = Secret::from(&*text);
        shown.error(&BodySigningKey::read(&form, &key).unwrap_err());
        shown.error(&BodyVerifyingKey::read(&form, &key).unwrap_err());
    }
    doors(&planted, &shown);
    planted.show_nothing(&shown);
}

/// A receiver of each kind, asked with secrets that are nearly right.
fn doors(planted: &Planted, shown: &CapturedOutput) {
    let hasher = KeyHasher::random(&SystemRandom::new()).unwrap();
    let field = planted.field.text();
    let keys: HashMap<auth_jwt::KeyId, JwtKeys<&str>> = HashMap::new();
    let known = || {
        InboundLookUps::new()
            .with_passwords(BasicAccounts::new(&hasher, [("acme", field, "acme")]))
            .with_api_keys(hasher.clone(), FixedKeys::new(&hasher, [(field, "acme")]))
            .with_issuer_keys(keys.clone())
    };
    shown.debug(&known());
    let uri = Uri::from_static("https://hooks.example/receipts");
    for (inbound, header, value, accepted) in [
        (json!({ "type": "basic", "realm": "r" }), "authorization", basic(field), true),
        (
            json!({ "type": "basic", "realm": "r" }),
            "authorization",
            basic(&format!("{field}x")),
            false,
        ),
        (json!({ "type": "api_key", "key": "x-key" }), "x-key", field.to_owned(), true),
        (json!({ "type": "api_key", "key": "x-key" }), "x-key", format!("{field}x"), false),
        (
            json!({ "type": "oauth2", "issuer": "i", "audience": "a" }),
            "authorization",
            format!("Bearer {field}.{field}.{field}"),
            false,
        ),
    ] {
        let inbound: InboundAuthorization = serde_json::from_value(inbound).unwrap();
        let verifier = inbound.verifier(known()).unwrap();
        let mut value = http::HeaderValue::from_str(&value).unwrap();
        value.set_sensitive(true);
        let headers = HeaderMap::from_iter([(header.parse().unwrap(), value)]);
        let view = RequestView::new(&Method::POST, &uri, &headers).with_body(Body::Bytes(b"{}"));
        let outcome = verifier.verify(view).wait().unwrap();
        assert_eq!(outcome.is_ok(), accepted);
        shown.debug(&inbound).debug(&verifier).debug(&outcome);
    }
}

fn basic(password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("acme:{password}")))
}
