//! A program that calls Infobip under each of its four methods, through every adapter, at the emulated platform.

use auth_core::{Context, Error, Transport};
use auth_emulator::{Endpoint, Fault, RunningInfobip, Secret};
use auth_infobip::{ApiKeyCalls, ApiKeyChanges, Infobip, InfobipAnswer, InfobipOutcome, NewApiKey};
use auth_testing::{ManualClock, SeededRandom};
use auth_tower::{AuthenticateLayer, OutgoingBody};
use auth_ureq::UreqTransport;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use hyper_util::{client::legacy, rt::TokioExecutor};
use std::time::Duration;
use tokio::runtime::Handle;
use tower::{Layer, ServiceExt as _};

const NOW: u64 = 1_700_000_000;
const SMS: &str = "/sms/3/messages";
const LOGS: &str = "/sms/1/logs";
const MESSAGE: &str = r#"{"messages":[{"destinations":[{"to":"41793026727"}]}]}"#;
const DAY: u64 = 24 * 3600;

/// Status, header fields and body of an answer.
type Answered = (StatusCode, HeaderMap, Vec<u8>);

/// Sends a request under a program's authorization.
trait Sends {
    async fn send(&self, by: &Infobip, request: Request<Vec<u8>>) -> Answered;
}

struct Reqwest(auth_reqwest::AuthClient);
struct Ureq(auth_ureq::AuthClient);
struct Tower;

impl Sends for Reqwest {
    async fn send(&self, by: &Infobip, request: Request<Vec<u8>>) -> Answered {
        let request = reqwest::Request::try_from(request).unwrap();
        let answer = self.0.send(by, request).await.unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        (status, headers, answer.bytes().await.unwrap().to_vec())
    }
}

impl Sends for Ureq {
    async fn send(&self, by: &Infobip, request: Request<Vec<u8>>) -> Answered {
        let (client, by) = (self.0.clone(), by.clone());
        // It blocks the thread that it is called on.
        let sending = tokio::task::spawn_blocking(move || {
            let mut answer = client.send(&by, request).unwrap();
            let body = answer.body_mut().read_to_vec().unwrap();
            (answer.status(), answer.headers().clone(), body)
        });
        sending.await.unwrap()
    }
}

impl Sends for Tower {
    async fn send(&self, by: &Infobip, request: Request<Vec<u8>>) -> Answered {
        let http = legacy::Client::builder(TokioExecutor::new()).build_http::<OutgoingBody>();
        let request = request.map(OutgoingBody::from);
        let answer = AuthenticateLayer::new(by.clone()).layer(http).oneshot(request).await.unwrap();
        let (head, body) = answer.into_parts();
        (head.status, head.headers, body.collect().await.unwrap().to_bytes().to_vec())
    }
}

/// A platform of its own, and what a program there has.
struct Through<S> {
    platform: RunningInfobip,
    clock: ManualClock,
    context: Context,
    sends: S,
}

impl<S: Sends> Through<S> {
    async fn new(transport: impl Transport + 'static, sends: S) -> Self {
        let clock = ManualClock::at(NOW);
        let platform = auth_emulator::Infobip::builder()
            .with_user("acme", Secret::new("pa55:word"))
            .with_limited_user("reader", Secret::new("word"), ["sms:logs:read"])
            .with_clock(clock.clone());
        let platform = platform.start().await.unwrap();
        let context = Context::new(transport).with_clock(clock.clone());
        let context = context.with_random(SeededRandom::new(1));
        Self { platform, clock, context, sends }
    }

    fn program(&self, configuration: &str) -> Infobip {
        let authorization = serde_json::from_str(configuration).unwrap();
        let base = self.platform.base_url();
        Infobip::new(&base, authorization, self.context.clone()).unwrap()
    }

    /// The program of this user under a method that has a user name and a password.
    fn of_user(&self, method: &str, user: &str, password: &str) -> Infobip {
        let names = if method == "oauth2" {
            ["client_id", "client_secret"]
        } else {
            ["username", "password"]
        };
        let members = [(names[0], user), (names[1], password)];
        let members = members.map(|(name, value)| format!(r#""{name}":"{value}""#));
        self.program(&format!(r#"{{"method":"{method}",{}}}"#, members.join(",")))
    }

    fn of_key(&self, key: &Secret) -> Infobip {
        let key = key.expose_text().unwrap();
        self.program(&format!(r#"{{"method":"api_key","key":"{key}"}}"#))
    }

    async fn message(&self, by: &Infobip) -> InfobipAnswer {
        let request = Request::post(by.url(SMS)).header("content-type", "application/json");
        self.asked(by, request.body(MESSAGE.into()).unwrap()).await
    }

    async fn logs(&self, by: &Infobip) -> InfobipAnswer {
        self.asked(by, Request::get(by.url(LOGS)).body(Vec::new()).unwrap()).await
    }

    async fn asked(&self, by: &Infobip, request: Request<Vec<u8>>) -> InfobipAnswer {
        let (status, headers, body) = self.sends.send(by, request).await;
        by.read_answer(status, &headers, &body)
    }

    /// Sessions and tokens that were issued, and refusals of a credential.
    fn issued(&self) -> (u64, u64) {
        let counts = self.platform.counts();
        (counts.sessions_created + counts.tokens_issued, counts.unauthorized)
    }

    async fn everything(&self) {
        for method in ["basic", "ibsso", "oauth2"] {
            self.good_calls(&self.of_user(method, "acme", "pa55:word"), method).await;
        }
        self.good_calls(&self.of_key(self.platform.api_key()), "api_key").await;
        for method in ["basic", "ibsso", "oauth2"] {
            self.missing_scope(method).await;
        }
        self.ended_session().await;
        self.keys().await;
    }

    /// A method sends, goes on sending with the session or token that it has, and is renewed once where that is ended.
    async fn good_calls(&self, by: &Infobip, method: &str) {
        let renews = matches!(method, "ibsso" | "oauth2");
        let (issued, refused) = self.issued();
        for _ in 0..3 {
            assert_eq!(self.message(by).await.outcome, InfobipOutcome::Accepted, "{method}");
        }
        assert_eq!(self.issued(), (issued + u64::from(renews), refused), "{method}");
        let last = self.platform.requests().pop().unwrap();
        let scheme = match method {
            "api_key" => "App",
            "basic" => "Basic",
            "ibsso" => "IBSSO",
            _ => "Bearer",
        };
        assert_eq!(last.scheme, Some(scheme), "{method}");
        self.platform.faults().arm(Fault::ExpireNow, Endpoint::Messages, 1);
        assert_eq!(self.message(by).await.outcome, InfobipOutcome::Accepted, "{method}");
        // One log-in more, after one 401; the session that has ended cannot be destroyed, which is another.
        let refusals = match method {
            "ibsso" => 2,
            "oauth2" => 1,
            _ => 0,
        };
        let expected = (issued + 2 * u64::from(renews), refused + refusals);
        assert_eq!(self.issued(), expected, "{method}");
        // A platform that refuses whatever comes is asked once more, and no more.
        let before = self.issued().1;
        self.clock.advance(Duration::from_secs(60));
        self.platform.faults().arm(Fault::Unauthorized, Endpoint::Messages, 10);
        let answer = self.message(by).await;
        assert_eq!(answer.error().unwrap().code(), "infobip_credential", "{method}");
        let at_messages = if renews { 2 } else { 1 };
        assert_eq!(self.issued().1 - before, at_messages, "{method}");
        self.platform.faults().clear();
        if let Some(session) = by.session() {
            session.destroy().await.unwrap();
        }
    }

    /// A 403 is the answer, and no reason to log in.
    async fn missing_scope(&self, method: &str) {
        let by = self.of_user(method, "reader", "word");
        assert_eq!(self.logs(&by).await.outcome, InfobipOutcome::Accepted, "{method}");
        let before = self.issued();
        for _ in 0..2 {
            let answer = self.message(&by).await;
            assert_eq!(answer.error().unwrap().code(), "infobip_scope", "{method}");
        }
        assert_eq!(self.logs(&by).await.outcome, InfobipOutcome::Accepted, "{method}");
        assert_eq!(self.issued(), before, "{method}");
    }

    /// A session that its program has ended is ended at the platform, and another program can log in.
    async fn ended_session(&self) {
        let (one, other) = (
            self.of_user("ibsso", "acme", "pa55:word"),
            self.of_user("ibsso", "acme", "pa55:word"),
        );
        assert_eq!(self.message(&one).await.outcome, InfobipOutcome::Accepted);
        let destroyed = self.platform.counts().sessions_destroyed;
        one.session().unwrap().destroy().await.unwrap();
        assert_eq!(self.platform.counts().sessions_destroyed, destroyed + 1);
        assert_eq!(self.message(&other).await.outcome, InfobipOutcome::Accepted);
        other.session().unwrap().destroy().await.unwrap();
    }

    /// Keys are listed, created, updated and revoked under each method that may, until the day has its 40.
    async fn keys(&self) {
        let own = self.of_key(self.platform.api_key());
        assert_eq!(own.api_keys().unwrap_err().code(), "infobip_api_key_cannot");
        for method in ["basic", "ibsso", "oauth2"] {
            let by = self.of_user(method, "acme", "pa55:word");
            let calls = by.api_keys().unwrap();
            let before = self.list(&by, &calls).await.len();
            let mut new = NewApiKey::named(method);
            new.scope_guids = vec!["sms:message:send".to_owned()];
            let (status, headers, body) = self.sends.send(&by, calls.create(&new).unwrap()).await;
            let made = calls.read_key(status, &headers, &body).unwrap();
            let key = self.of_key(&made.secret().unwrap());
            assert_eq!(self.message(&key).await.outcome, InfobipOutcome::Accepted, "{method}");
            assert_eq!(self.logs(&key).await.outcome, InfobipOutcome::ScopeMissing, "{method}");
            let mut changes = ApiKeyChanges::default();
            changes.scope_guids = Some(vec!["sms:logs:read".to_owned()]);
            let update = calls.update(&made.id, &changes).unwrap();
            let (status, headers, body) = self.sends.send(&by, update).await;
            let updated = calls.read_key(status, &headers, &body).unwrap();
            assert!(updated.secret().is_none() && updated.name == method, "{updated:?}");
            assert_eq!(self.logs(&key).await.outcome, InfobipOutcome::Accepted, "{method}");
            let revoke = calls.revoke(&made.id).unwrap();
            let (status, headers, body) = self.sends.send(&by, revoke).await;
            assert!(!calls.read_key(status, &headers, &body).unwrap().enabled, "{method}");
            let refused = self.logs(&key).await;
            assert_eq!(refused.outcome, InfobipOutcome::CredentialRefused, "{method}");
            let listed = self.list(&by, &calls).await;
            assert_eq!(listed.len(), before + 1, "{method}");
            assert!(listed.iter().any(|(name, enabled)| name == method && !enabled), "{method}");
            if let Some(session) = by.session() {
                session.destroy().await.unwrap();
            }
        }
        self.limit_of_a_day().await;
    }

    async fn limit_of_a_day(&self) {
        let by = self.of_user("basic", "acme", "pa55:word");
        let calls = by.api_keys().unwrap();
        let create = async || {
            let request = calls.create(&NewApiKey::named("more")).unwrap();
            let (status, headers, body) = self.sends.send(&by, request).await;
            calls.read_key(status, &headers, &body)
        };
        // Three were made above.
        for n in 3..40 {
            assert!(create().await.is_ok(), "{n}");
        }
        let error = create().await.unwrap_err();
        assert_eq!(error.code(), "infobip_api_key_limit");
        let Error::Unavailable { retry_after: Some(pause), .. } = error else { panic!("{error}") };
        assert!((DAY - 600..=DAY).contains(&pause.as_secs()), "{pause:?}");
        self.clock.advance(pause);
        assert!(create().await.is_ok(), "after the pause that it named");
    }

    /// Name and state of each key.
    async fn list(&self, by: &Infobip, calls: &ApiKeyCalls) -> Vec<(String, bool)> {
        let (status, headers, body) = self.sends.send(by, calls.list(0).unwrap()).await;
        let listed = calls.read_list(status, &headers, &body).unwrap();
        listed.into_iter().map(|key| (key.name, key.enabled)).collect()
    }
}

fn reqwest_transport() -> impl Transport {
    let transport = auth_reqwest::ReqwestTransport::builder(Handle::current());
    transport.allowing_loopback().build().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_method_is_called_through_reqwest() {
    let client = Reqwest(auth_reqwest::AuthClient::builder().build().unwrap());
    Through::new(reqwest_transport(), client).await.everything().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_method_is_called_through_ureq() {
    let client = Ureq(auth_ureq::AuthClient::builder().build().unwrap());
    let transport = UreqTransport::builder().allowing_loopback().build().unwrap();
    Through::new(transport, client).await.everything().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_method_is_called_through_tower() {
    Through::new(reqwest_transport(), Tower).await.everything().await;
}
