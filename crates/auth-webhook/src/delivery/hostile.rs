//! Sources, servers and transports that hang or fail.

use super::{tests::*, *};
use crate::{ConfiguredBy, ProbeOutcome, SecretSources, Subscription, WebhookUrl};
use auth_core::{Secret, SecretSource, Transport};
use auth_testing::ScriptedTransport;
use http::Response;
use std::{
    future::pending,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

/// Never answers.
struct Hanging;

impl SecretSource for Hanging {
    fn secret(&self) -> Flow<'_, Arc<Secret>> {
        Flow::new(pending())
    }
}

/// Answers at this path, and nowhere else; its pauses last no time, so deadlines pass at once, or fail.
struct Reluctant {
    answers: &'static str,
    can_pause: bool,
    sent: AtomicUsize,
    over: ScriptedTransport,
}

impl Transport for Reluctant {
    fn fetch(&self, request: Exchange) -> Flow<'_, Response<Vec<u8>>> {
        let is_answered = request.request().uri().path() == self.answers;
        if request.request().uri().path() == "/x" {
            self.sent.fetch_add(1, Ordering::Relaxed);
        }
        if is_answered { self.over.fetch(request) } else { Flow::new(pending()) }
    }

    fn pause(&self, duration: Duration) -> Flow<'_, ()> {
        if self.can_pause {
            return self.over.pause(duration);
        }
        Flow::failed(Error::transport("test_no_time", "nobody can tell the time"))
    }

    fn detach(&self, work: Flow<'static, ()>) -> Option<Flow<'static, ()>> {
        Some(work)
    }
}

fn reluctant(
    answers: &'static str,
    can_pause: bool,
    authorization: &str,
) -> (WebhookSender, Arc<Reluctant>) {
    let over = ScriptedTransport::new(|_: &Request<Vec<u8>>| {
        Ok(Response::builder().status(500).body(Vec::new()).unwrap())
    });
    let transport = Arc::new(Reluctant { answers, can_pause, sent: AtomicUsize::new(0), over });
    let shared: Arc<dyn Transport> = transport.clone();
    let sources = SecretSources::new().with("vault", Hanging);
    let set =
        AuthorizationSet::builder(move |_: &TenantId, _: Option<&str>| Ok(Arc::clone(&shared)));
    let set = set.with_sources(sources).build().unwrap();
    let acme = set.of_tenant(&TenantId::new("acme"));
    let authorization = serde_json::from_str(authorization).unwrap();
    acme.save("any", authorization, ConfiguredBy::Operator).unwrap();
    let url = WebhookUrl::parse("https://hooks.example/x").unwrap();
    acme.subscribe("hook", Subscription::webhook(url).under("any")).unwrap();
    (WebhookSender::new(&set, DeliveryPlan::default()), transport)
}

const OAUTH: &str = r#"{"type":"oauth2","grant_type":"client_credentials","client_id":"id","client_secret":"s3cret",
    "access_token_url":"https://login.example/token"}"#;
const SOURCE: &str = r#"{"type":"basic","username":"u","password":{"source":"vault"}}"#;

/// A deadline is for the whole attempt: for a source and a token endpoint that hang, too.
#[test]
fn a_delivery_whose_credentials_do_not_come_is_held_in_time_and_spends_no_attempt() {
    for authorization in [OAUTH, SOURCE] {
        let (sender, transport) = reluctant("/x", true, authorization);
        let acme = TenantId::new("acme");
        let report = sender.deliver(&acme, "hook", WebhookDelivery::json("d1", "{}")).wait();
        let report = report.unwrap();
        let DeliveryEnd::Held(error) = &report.end else { panic!("{report:?}") };
        assert_eq!((error.code(), report.spent), ("webhook_credentials_late", 0));
        assert_eq!(
            sender.set.of_tenant(&acme).probe("hook").wait().unwrap(),
            ProbeOutcome::NoToken
        );
        assert_eq!(transport.sent.load(Ordering::Relaxed), 0);
    }
}

#[test]
fn a_probe_of_a_receiver_that_hangs_ends() {
    let (sender, transport) = reluctant("/nowhere", true, r#"{"type":"none"}"#);
    let probed = sender.set.of_tenant(&TenantId::new("acme")).probe("hook").wait().unwrap();
    assert_eq!((probed, transport.sent.load(Ordering::Relaxed)), (ProbeOutcome::NotReached, 1));
}

/// An error in place of the report would have the caller attempt all of it again.
#[test]
fn attempts_are_reported_though_a_pause_fails() {
    let (sender, _) = reluctant("/x", false, r#"{"type":"none"}"#);
    let delivery = WebhookDelivery::json("d1", "{}").with_attempts_spent(1);
    let report = sender.deliver(&TenantId::new("acme"), "hook", delivery).wait().unwrap();
    let DeliveryEnd::Held(error) = &report.end else { panic!("{report:?}") };
    assert_eq!((error.code(), report.spent, report.attempts.len()), ("test_no_time", 2, 1));
}

#[test]
fn numbers_of_attempts_do_not_overflow() {
    let stage = stage(&[500]);
    let delivery = WebhookDelivery::json("d1", "{}").with_attempts_spent(u32::MAX);
    let report = stage.sender.deliver(stage.acme.tenant(), "hook", delivery).wait().unwrap();
    assert_eq!((report.end, report.spent), (DeliveryEnd::Exhausted, u32::MAX));
    assert_eq!(report.attempts[0].number, u32::MAX);
}

/// Its receiver verifies the signature over the body, too.
#[test]
fn a_probe_and_a_preview_have_the_signature_of_the_body() {
    let stage = stage(&[200]);
    assert_eq!(stage.acme.probe("hook").wait().unwrap(), ProbeOutcome::Accepted);
    let seen: &Mutex<Vec<Request<Vec<u8>>>> = &stage.seen;
    let probe = seen.lock().unwrap()[0].clone();
    stage.deliver();
    let delivered = seen.lock().unwrap()[1].clone();
    for name in delivered.headers().keys() {
        assert!(probe.headers().contains_key(name), "{name}");
    }
    assert_eq!(probe.headers()["x-hub-signature"], delivered.headers()["x-hub-signature"]);
    let preview = stage.acme.preview("hook", &WebhookDelivery::json("d1", "{}")).wait().unwrap();
    let shown: Vec<_> = preview.fields.iter().map(|field| (&*field.name, &*field.value)).collect();
    assert!(shown.contains(&("x-hub-signature", "****")), "{shown:?}");
}

#[test]
fn a_form_is_signed_as_one_however_its_type_is_written() {
    use crate::{BodySigner, BodySigningKey, SignatureForm};
    let stage = stage(&[200]);
    let twilio: SignatureForm = serde_json::from_str(
        r#"{"form":"url_and_parameters","public_url":"https://hooks.example"}"#,
    )
    .unwrap();
    let key = BodySigningKey::read(&twilio, &Secret::from("token")).unwrap();
    let to = Subscription::webhook(WebhookUrl::parse("https://hooks.example/x").unwrap());
    stage.acme.subscribe("hook", to.signed_by(BodySigner::new(twilio, key).unwrap())).unwrap();
    for (media, is_form) in [
        ("Application/X-WWW-Form-Urlencoded; charset=utf-8", true),
        ("application/x-www-form-urlencoded-not", false),
    ] {
        let delivery = WebhookDelivery::new("d1", HeaderValue::from_static(media), "a=1");
        let sent = stage.sender.deliver(stage.acme.tenant(), "hook", delivery).wait();
        assert_eq!(sent.is_ok(), is_form, "{media}");
    }
}

/// Nothing can be ended that was made with secrets that nobody knows any more; the flow ends all the same.
#[test]
fn a_deletion_does_not_wait_for_a_source_without_end() {
    let of_source = OAUTH.replace("\"s3cret\"", r#"{"source":"vault"}"#);
    let (sender, _) = reluctant("/x", true, &of_source);
    let acme = sender.set.of_tenant(&TenantId::new("acme"));
    acme.unsubscribe("hook");
    let ended = acme.delete("any").wait().unwrap_err();
    assert_eq!(ended.code(), "webhook_credentials_late");
    assert!(acme.list().is_empty());
}
