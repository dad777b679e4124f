//! Documents 001 and 002: outbound webhooks under an authorization, and the notification of Contact Policy. Document 004:
//! the universal webhook.

mod webhooks;

use auth_core::{
    Body, Candidates, Error, Flow, RequestView, Result, Secret, SecretSource, TenantId, Timestamp,
    Verifier,
};
use auth_webhook::{
    BodySignatureVerifier, BodySigner, BodySigningKey, BodyVerifyingKey, ConfiguredBy, DeliveryEnd,
    DeliveryPlan, OutboundAuthorization, ReceiptChannel, SecretSources, SignableDelivery,
    SignatureForm, Subscription, WebhookDelivery, WebhookSender, WebhookUrl,
};
use http::Uri;
use std::sync::{Arc, Mutex};
use webhooks::{KINDS, SECRET, Stage};

const MESSAGE: &str = r#"{"channel":"message","transaction_id":"4711","status":"delivered"}"#;
const VOICE: &str = r#"{"channel":"voice","transaction_id":"4712","status":"answered"}"#;

fn stage() -> Stage {
    Stage::new(SecretSources::new())
}

fn read(json: &str) -> OutboundAuthorization {
    serde_json::from_str(json).unwrap()
}

fn webhook(kind: &str) -> Subscription {
    Subscription::webhook(
        WebhookUrl::parse(&format!("https://receiver.example/hooks/{kind}")).unwrap(),
    )
}

impl Stage {
    fn save(&self, name: &str, json: &str) -> Result<()> {
        self.acme.save(name, read(json), ConfiguredBy::Tenant)
    }

    fn deliver(&self, subscription: &str, body: &str) -> DeliveryEnd {
        let sender = WebhookSender::new(&self.set, DeliveryPlan::default());
        let delivery = WebhookDelivery::json("d1", body);
        sender.deliver(&TenantId::new("acme"), subscription, delivery).wait().unwrap().end
    }
}

#[track_caller]
fn check(result: Result<()>, code: &str, part: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.code(), code);
    assert!(error.to_string().contains(part), "{error}");
}

/// Receipts of messages and of voice calls, under each authorization.
#[test]
fn s001_04_receipts_reach_a_webhook_under_its_authorization() {
    let stage = stage();
    for (kind, outbound, _) in KINDS {
        stage.save(kind, &outbound.replace("SECRET", SECRET)).unwrap();
        stage.acme.subscribe(kind, webhook(kind).under(kind)).unwrap();
        for body in [MESSAGE, VOICE] {
            assert_eq!(stage.deliver(kind, body), DeliveryEnd::Delivered, "{kind}");
        }
    }
    let receipts = stage.receipts.lock().unwrap();
    let channels: Vec<_> = receipts.iter().map(|receipt| receipt.channel).collect();
    assert_eq!(channels, [ReceiptChannel::Message, ReceiptChannel::Voice].repeat(6));
}

/// The receiver tells from the header whether the sender is the authorized one: good and bad under each kind.
#[test]
fn s002_02_the_receiver_tells_the_authorized_sender_from_others() {
    for (kind, outbound, _) in KINDS {
        let stage = stage();
        stage.save("good", &outbound.replace("SECRET", SECRET)).unwrap();
        stage.acme.subscribe("good", webhook(kind).under("good")).unwrap();
        assert_eq!(stage.deliver("good", MESSAGE), DeliveryEnd::Delivered, "{kind}");
        if kind == "none" {
            continue;
        }
        stage.save("bad", &outbound.replace("SECRET", "a-guess")).unwrap();
        stage.acme.subscribe("bad", webhook(kind).under("bad")).unwrap();
        let accepted = stage.receipts.lock().unwrap().len();
        let end = stage.deliver("bad", MESSAGE);
        assert!(matches!(end, DeliveryEnd::Exhausted | DeliveryEnd::Held(_)), "{kind}: {end:?}");
        assert_eq!(stage.receipts.lock().unwrap().len(), accepted, "{kind}");
        stage.acme.subscribe("bare", webhook(kind)).unwrap();
        assert_eq!(
            stage.deliver("bare", MESSAGE),
            DeliveryEnd::Exhausted,
            "{kind}, without credentials"
        );
        assert_eq!(stage.receipts.lock().unwrap().len(), accepted, "{kind}, without credentials");
    }
}

#[test]
fn s002_03_an_authorization_has_a_name_of_its_own() {
    let stage = stage();
    stage.save("crm", r#"{"type":"none"}"#).unwrap();
    check(stage.save("crm", r#"{"type":"none"}"#), "webhook_authorization_name_taken", "\"crm\"");
    stage.save("CRM", r#"{"type":"none"}"#).unwrap();
    check(stage.save("", r#"{"type":"none"}"#), "webhook_authorization_name", "empty");
    check(
        stage.acme.subscribe("hook", webhook("none").under("unknown")),
        "webhook_authorization_unknown",
        "\"unknown\"",
    );
}

#[test]
fn s002_04_there_are_six_types_and_a_seventh_is_refused_by_naming_them() {
    assert_eq!(KINDS.len(), 6);
    for (kind, outbound, _) in KINDS {
        assert_eq!(read(outbound).scheme_name(), kind);
    }
    let seventh = serde_json::from_str::<OutboundAuthorization>(r#"{"type":"mutual_tls"}"#)
        .unwrap_err()
        .to_string();
    for (kind, ..) in KINDS {
        assert!(seventh.contains(&format!("`{kind}`")), "{seventh}");
    }
}

#[test]
fn s002_05_authorizations_are_listed_associated_and_kept_while_in_use() {
    let stage = stage();
    let basic = r#"{"type":"basic","username":"u","password":"SECRET"}"#.replace("SECRET", SECRET);
    stage.save("crm", &basic).unwrap();
    stage.save("unused", r#"{"type":"none"}"#).unwrap();
    stage.acme.subscribe("receipts", webhook("basic").under("crm")).unwrap();
    let listed = stage.acme.list();
    let listed: Vec<_> =
        listed.iter().map(|one| (&*one.name, one.scheme, one.dependants)).collect();
    assert_eq!(listed, [("crm", "basic", 1), ("unused", "none", 0)]);
    check(
        stage.acme.delete("crm").wait(),
        "webhook_authorization_in_use",
        "the webhook \"receipts\"",
    );
    assert_eq!(stage.deliver("receipts", MESSAGE), DeliveryEnd::Delivered);
    stage.acme.delete("unused").wait().unwrap();
    assert!(stage.acme.unsubscribe("receipts"));
    stage.acme.delete("crm").wait().unwrap();
    assert!(stage.acme.list().is_empty());
}

/// Contact Policy's group subscription notification refers to an authorization as webhooks do.
#[test]
fn s002_06_the_notification_of_contact_policy_is_sent_under_an_authorization() {
    let stage = stage();
    stage
        .save(
            "groups",
            &r#"{"type":"api_key","key":"X-Key","key_value":"SECRET"}"#.replace("SECRET", SECRET),
        )
        .unwrap();
    let url = WebhookUrl::parse("https://receiver.example/hooks/api_key").unwrap();
    stage.acme.subscribe("opt-outs", Subscription::contact_policy(url).under("groups")).unwrap();
    assert_eq!(stage.deliver("opt-outs", MESSAGE), DeliveryEnd::Delivered);
    assert_eq!(stage.seen.lock().unwrap().first().unwrap().0.headers()["x-key"], SECRET);
    let refused = stage.acme.delete("groups").wait();
    check(refused, "webhook_authorization_in_use", "the Contact Policy subscription \"opt-outs\"");
}

/// A secret that changes while the platform runs, and may be gone.
#[derive(Clone)]
struct Vault(Arc<Mutex<Option<&'static str>>>);

impl SecretSource for Vault {
    fn secret(&self) -> Flow<'_, Arc<Secret>> {
        match *self.0.lock().unwrap() {
            Some(secret) => Flow::ready(Arc::new(Secret::from(secret))),
            None => Flow::failed(Error::transport("vault_down", "vault does not answer")),
        }
    }
}

/// A value is static, or found at each send; one that cannot be found sends nothing.
#[test]
fn s002_09_a_value_is_static_or_found_at_each_send() {
    let vault = Vault(Arc::new(Mutex::new(Some(SECRET))));
    let sources = SecretSources::new().with("crm-password", vault.clone());
    let stage = Stage::new(sources.granting("crm-password", &TenantId::new("acme")));
    stage
        .save(
            "static",
            &r#"{"type":"basic","username":"u","password":"SECRET"}"#.replace("SECRET", SECRET),
        )
        .unwrap();
    stage
        .save("found", r#"{"type":"basic","username":"u","password":{"source":"crm-password"}}"#)
        .unwrap();
    for name in ["static", "found"] {
        stage.acme.subscribe(name, webhook("basic").under(name)).unwrap();
        assert_eq!(stage.deliver(name, MESSAGE), DeliveryEnd::Delivered);
    }
    *vault.0.lock().unwrap() = Some("another one");
    assert_eq!(stage.deliver("found", MESSAGE), DeliveryEnd::Exhausted);
    let sent = stage.statuses().len();
    *vault.0.lock().unwrap() = None;
    let DeliveryEnd::Held(error) = stage.deliver("found", MESSAGE) else { panic!("it was sent") };
    assert!(
        error
            .to_string()
            .contains("password could not be had from the secret source \"crm-password\""),
        "{error}"
    );
    assert_eq!(stage.statuses().len(), sent, "nothing is sent");
    assert_eq!(stage.deliver("static", MESSAGE), DeliveryEnd::Delivered);
}

/// Some fields belong to one grant, and are refused under the other by their names.
#[test]
fn s002_28_fields_of_one_grant_are_refused_under_the_other() {
    let client = r#""type":"oauth2","grant_type":"client_credentials","client_id":"i","client_secret":"s","access_token_url":"https://login.example/token""#;
    let code = r#""type":"oauth2","grant_type":"authorization_code","consumer_id":"i","consumer_secret":"s","callback_url":"https://platform.example/callback","authorization_url":"https://login.example/authorize","access_token_url":"https://login.example/token""#;
    let both = r#""scope":"a","refresh_token_url":"https://login.example/token","client_authentication":"basic""#;
    let read =
        |fields: &str| serde_json::from_str::<OutboundAuthorization>(&format!("{{{fields}}}"));
    for (grant, others) in [
        (client, ["consumer_secret", "callback_url", "authorization_url"].as_slice()),
        (code, &["client_id", "client_secret"]),
    ] {
        read(&format!("{grant},{both}")).unwrap();
        for field in others {
            let error = read(&format!(r#"{grant},"{field}":"x""#)).unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("{field} is a field of oauth2 with the grant")),
                "{error}"
            );
        }
    }
}

/// The vendor's vector.
#[test]
fn s004_13_the_universal_webhook_is_verified() {
    let form = SignatureForm::SymphonyUniversalWebhook { header: String::from("x-hub") };
    let secret = Secret::from("this is my secret");
    let signer =
        BodySigner::new(form.clone(), BodySigningKey::read(&form, &secret).unwrap()).unwrap();
    let uri = Uri::from_static("https://pod.example/webhook");
    let signed = signer
        .sign(SignableDelivery::new("1", Timestamp::from_unix(0), &uri, b"Hello world!"))
        .unwrap();
    assert_eq!(signed["x-hub"], "8de567399a49f3ed91ed55435c0887c7c935413e01cbd7a2ac06dab1b04cc1c6");
    let key = BodyVerifyingKey::read(&form, &secret).unwrap();
    let door = BodySignatureVerifier::new(form, Candidates::one(key, ())).unwrap();
    for (body, accepted) in
        [("Hello world!", true), ("<b>Hello</b> world!", true), ("Hello world", false)]
    {
        let view = RequestView::new(&http::Method::POST, &uri, &signed)
            .with_body(Body::Bytes(body.as_bytes()));
        assert_eq!(door.verify(view).wait().unwrap().is_ok(), accepted, "{body}");
    }
}
