use super::*;
use crate::{
    BodySigner, BodySigningKey, ConfiguredBy, RetryPauses, SignatureForm, SlotName, SlotTurn,
    Subscription, WebhookUrl,
};
use auth_core::{Observer, Secret, Transport};
use auth_testing::{Gate, ScriptedTransport};
use http::Response;
use std::{sync::Mutex, time::Duration};

#[derive(Clone, Default)]
pub(super) struct Told(Arc<Mutex<Vec<String>>>);

impl Observer for Told {
    fn observe(&self, event: Event<'_>) {
        if let Event::WebhookAttempted { subscription, slot, outcome, status, error, .. } = event {
            let status = status.map(|status| status.as_u16()).unwrap_or_default();
            let error = error.map(Error::code).unwrap_or_default();
            self.0
                .lock()
                .unwrap()
                .push(format!("{subscription} {slot} {outcome} {status} {error}"));
        }
    }
}

pub(super) struct Stage {
    pub(super) sender: WebhookSender,
    pub(super) acme: TenantAuthorizations,
    transport: ScriptedTransport,
    told: Told,
    pub(super) seen: Arc<Mutex<Vec<Request<Vec<u8>>>>>,
}

/// A receiver that answers with these statuses, one after the other; 0 is no answer.
pub(super) fn stage(statuses: &[u16]) -> Stage {
    let seen: Arc<Mutex<Vec<Request<Vec<u8>>>>> = Arc::default();
    let (kept, statuses) = (Arc::clone(&seen), Mutex::new(statuses.to_vec()));
    let transport = ScriptedTransport::new(move |request: &Request<Vec<u8>>| {
        kept.lock().unwrap().push(request.clone());
        let mut left = statuses.lock().unwrap();
        match if left.len() > 1 { left.remove(0) } else { left[0] } {
            0 => Err(Error::transport("test_unreachable", "nobody answers")),
            status => Ok(Response::builder().status(status).body(Vec::new()).unwrap()),
        }
    });
    stage_over(transport, seen)
}

fn stage_over(transport: ScriptedTransport, seen: Arc<Mutex<Vec<Request<Vec<u8>>>>>) -> Stage {
    let shared: Arc<dyn Transport> = Arc::new(transport.clone());
    let told = Told::default();
    let set =
        AuthorizationSet::builder(move |_: &TenantId, _: Option<&str>| Ok(Arc::clone(&shared)));
    let set = set.with_observer(told.clone()).build().unwrap();
    let acme = set.of_tenant(&TenantId::new("acme"));
    acme.save("basic", serde_json::from_str(BASIC).unwrap(), ConfiguredBy::Tenant).unwrap();
    let hub = SignatureForm::HubSignature { algorithm: Default::default() };
    let key = BodySigningKey::read(&hub, &Secret::from("hub secret")).unwrap();
    let subscription =
        Subscription::webhook(WebhookUrl::parse("https://hooks.example/x?y=1").unwrap());
    let subscription = subscription.under("basic").signed_by(BodySigner::new(hub, key).unwrap());
    acme.subscribe("hook", subscription.with_header("x-more", "typed").unwrap()).unwrap();
    Stage { sender: WebhookSender::new(&set, DeliveryPlan::default()), acme, transport, told, seen }
}

const BASIC: &str = r#"{"type":"basic","username":"u","password":"p"}"#;

impl Stage {
    pub(super) fn deliver(&self) -> DeliveryReport {
        self.sender
            .deliver(self.acme.tenant(), "hook", WebhookDelivery::json("d1", "{}"))
            .wait()
            .unwrap()
    }

    fn told(&self) -> Vec<String> {
        self.told.0.lock().unwrap().clone()
    }

    /// The pauses between attempts: those of the deadline are left out.
    fn pauses(&self) -> Vec<u64> {
        let seconds = self.transport.pauses().into_iter().map(|pause| pause.as_secs());
        seconds.filter(|seconds| *seconds != 10).collect()
    }
}

#[track_caller]
fn check(statuses: &[u16], end: DeliveryEnd, attempts: usize) {
    let stage = stage(statuses);
    let report = stage.deliver();
    assert_eq!((report.end, report.attempts.len()), (end, attempts), "{statuses:?}");
    assert_eq!(stage.seen.lock().unwrap().len(), attempts);
    assert_eq!(stage.told().len(), attempts);
}

/// The table of the vendor's documentation, status by status.
#[test]
fn a_status_delivers_ends_or_is_tried_again() {
    for status in 200..600 {
        let (end, attempts) = match status {
            200 => (DeliveryEnd::Delivered, 1),
            202..=208 | 226 | 300..=308 | 400 | 402 | 404..=411 | 414..=416 | 418 | 505 => {
                (DeliveryEnd::Ended, 1)
            }
            _ => (DeliveryEnd::Exhausted, 4),
        };
        check(&[status], end, attempts);
    }
    check(&[0], DeliveryEnd::Exhausted, 4);
    let stage = stage(&[0]);
    stage.deliver();
    assert_eq!(stage.told()[0], "hook current not_reached 0 test_unreachable");
    check(&[500, 0, 401, 200], DeliveryEnd::Delivered, 4);
    check(&[500, 404], DeliveryEnd::Ended, 2);
}

#[test]
fn an_attempt_has_everything_that_is_configured() {
    let stage = stage(&[200]);
    let report = stage.deliver();
    let seen = stage.seen.lock().unwrap();
    let (request, attempt) = (&seen[0], &report.attempts[0]);
    assert_eq!(request.uri(), "https://hooks.example/x?y=1");
    assert_eq!((request.method(), &**request.body()), (&Method::POST, b"{}".as_slice()));
    for (name, value) in [
        ("authorization", "Basic dTpw"),
        ("content-type", "application/json"),
        ("x-more", "typed"),
        ("x-wx-gtrid", "d1"),
    ] {
        assert_eq!(request.headers()[name], value);
    }
    assert!(request.headers()["x-hub-signature"].to_str().unwrap().starts_with("sha256="));
    assert_eq!(
        (attempt.number, attempt.slot, attempt.authorization.as_deref()),
        (1, SlotName::Current, Some("basic"))
    );
    assert_eq!(stage.told(), ["hook current delivered 200 "]);
}

#[test]
fn the_pauses_are_those_of_the_plan() {
    let even = stage(&[503]);
    even.deliver();
    assert_eq!(even.pauses(), [60, 60, 60]);
    let mut growing = stage(&[503]);
    growing.sender.plan = DeliveryPlan::default().with_pauses(RetryPauses::Growing);
    growing.deliver();
    assert_eq!(growing.pauses(), [30, 60, 120]);
    for wrong in [Duration::ZERO, Duration::from_millis(999), Duration::from_secs(301)] {
        assert_eq!(
            DeliveryPlan::default().with_deadline(wrong).unwrap_err().code(),
            "webhook_deadline"
        );
    }
}

#[test]
fn a_401_under_basic_is_told_each_time_and_switches_nothing_off() {
    let stage = stage(&[401]);
    for _ in 0..3 {
        assert_eq!(stage.deliver().end, DeliveryEnd::Exhausted);
    }
    assert_eq!(stage.told().len(), 12);
    assert!(stage.told().iter().all(|told| told == "hook current refused 401 "));
}

#[test]
fn what_comes_too_late_was_not_reached() {
    let (gate, answered) = (Gate::closed(), |_: &Request<Vec<u8>>| Ok(Response::new(Vec::new())));
    let stage = stage_over(ScriptedTransport::new(answered).with_gate(gate), Arc::default());
    let report = stage.deliver();
    assert_eq!((report.end, report.attempts.len()), (DeliveryEnd::Exhausted, 4));
    let DeliveryOutcome::NotReached(error) = &report.attempts[0].outcome else {
        panic!("it was reached")
    };
    assert_eq!(error.code(), "webhook_receiver_silent");
    assert_eq!(stage.told()[0], "hook current not_reached 0 webhook_receiver_silent");
    assert_eq!(stage.transport.pauses().iter().filter(|pause| pause.as_secs() == 10).count(), 4);
}

const OAUTH: &str = r#"{"type":"oauth2","grant_type":"client_credentials","client_id":"id","client_secret":"s3cret",
    "access_token_url":"https://login.example/token"}"#;

#[test]
fn without_a_token_a_delivery_is_held_and_spends_no_attempt() {
    let down = Arc::new(Mutex::new(true));
    let is_down = Arc::clone(&down);
    let transport = ScriptedTransport::new(move |request: &Request<Vec<u8>>| {
        let body = r#"{"access_token":"2YotnFZFEjr1zCsicMWpAA","expires_in":3600}"#;
        match (request.uri().path(), *is_down.lock().unwrap()) {
            ("/token", true) => Ok(Response::builder().status(503).body(Vec::new()).unwrap()),
            ("/token", false) => Ok(Response::new(body.as_bytes().to_vec())),
            _ => Ok(Response::builder().status(500).body(Vec::new()).unwrap()),
        }
    });
    let stage = stage_over(transport, Arc::default());
    stage.acme.edit("basic", serde_json::from_str(OAUTH).unwrap(), ConfiguredBy::Tenant).unwrap();
    let delivery = WebhookDelivery::json("d1", "{}").with_attempts_spent(2);
    let deliver =
        |delivery| stage.sender.deliver(stage.acme.tenant(), "hook", delivery).wait().unwrap();
    let report = deliver(delivery.clone());
    assert!(matches!(report.end, DeliveryEnd::Held(_)), "{report:?}");
    assert_eq!((report.spent, report.attempts[0].number, stage.pauses().len()), (2, 3, 0));
    assert!(stage.told()[0].starts_with("hook current no_token 0 oauth2_"), "{:?}", stage.told());
    *down.lock().unwrap() = false;
    stage.acme.fetch_token("basic", SlotName::Current).wait().unwrap();
    // Two of four were spent, and two are left.
    let report = deliver(delivery.with_attempts_spent(report.spent));
    assert_eq!((report.end, report.attempts.len(), report.spent), (DeliveryEnd::Exhausted, 2, 4));
}

/// A token endpoint that does not answer takes no attempt from the receiver, which was not asked.
#[test]
fn without_a_token_in_time_a_delivery_is_held_and_spends_no_attempt() {
    let answered = |request: &Request<Vec<u8>>| panic!("{} was asked", request.uri());
    let transport = ScriptedTransport::new(answered).with_gate(Gate::closed());
    let stage = stage_over(transport, Arc::default());
    stage.acme.edit("basic", serde_json::from_str(OAUTH).unwrap(), ConfiguredBy::Tenant).unwrap();
    let report = stage.deliver();
    assert!(
        matches!(&report.end, DeliveryEnd::Held(error) if error.code() == "webhook_credentials_late"),
        "{report:?}"
    );
    assert_eq!((report.spent, report.attempts.len()), (0, 1));
    assert_eq!(stage.told(), ["hook current no_token 0 webhook_credentials_late"]);
}

#[test]
fn each_attempt_is_under_what_is_there_at_that_moment() {
    let stage = stage(&[500]);
    let attempt = |spent| {
        let delivery = WebhookDelivery::json("d1", "{}").with_attempts_spent(spent);
        stage.sender.attempt(stage.acme.tenant(), "hook", delivery).wait().unwrap()
    };
    assert_eq!((attempt(0).number, attempt(1).number), (1, 2));
    let next = serde_json::from_str(r#"{"type":"basic","username":"u","password":"q"}"#).unwrap();
    stage.acme.begin_rotation("basic", next, SlotTurn::Share(100), ConfiguredBy::Tenant).unwrap();
    assert_eq!(attempt(2).slot, SlotName::Next);
    assert_eq!(stage.seen.lock().unwrap()[2].headers()["authorization"], "Basic dTpx");
    assert_eq!(stage.told()[2], "hook next refused 500 ");
    stage.acme.unsubscribe("hook");
    let gone =
        stage.sender.attempt(stage.acme.tenant(), "hook", WebhookDelivery::json("d1", "{}")).wait();
    assert_eq!(gone.unwrap_err().code(), "webhook_subscription_unknown");
}

#[test]
fn a_delivery_that_cannot_be_signed_is_an_error() {
    let stage = stage(&[200]);
    let form = SignatureForm::StandardWebhooks {};
    let key = BodySigningKey::read(&form, &Secret::from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
        .unwrap();
    let subscription = Subscription::webhook(WebhookUrl::parse("https://hooks.example").unwrap());
    stage
        .acme
        .subscribe("hook", subscription.signed_by(BodySigner::new(form, key).unwrap()))
        .unwrap();
    let sent = stage
        .sender
        .deliver(stage.acme.tenant(), "hook", WebhookDelivery::json("a.b", "{}"))
        .wait();
    assert_eq!(sent.unwrap_err().code(), "webhook_signature_delivery");
    assert!(stage.seen.lock().unwrap().is_empty());
}
