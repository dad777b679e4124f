//! Metadata of an authorization server, and who gets a secret because of it.
#![allow(clippy::unwrap_used, missing_docs)]

use auth_core::{Event, Observer};
use auth_jwt::JwsAlgorithm;
use auth_oauth2::{
    AssertionAudience, AuthorizationCallback, AuthorizationServerMetadata, ClientAuthentication,
    ClientCredentials, ConnectionId, Context, Error, RemoteAuthorizationServerMetadata, Result,
    Session, SigningKey, TenantId,
};
use auth_testing::{Gate, ManualClock, ScriptedTransport, SeededRandom};
use http::{Request, Response};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

const ISSUER: &str = "https://login.example/realms/a";
const OAUTH: &str = "https://login.example/.well-known/oauth-authorization-server/realms/a";
const OPENID: &str = "https://login.example/realms/a/.well-known/openid-configuration";

fn document(token_endpoint: &str) -> String {
    serde_json::json!({
        "issuer": ISSUER,
        "token_endpoint": token_endpoint,
        "authorization_endpoint": "https://login.example/authorize",
        "authorization_response_iss_parameter_supported": true,
    })
    .to_string()
}

type Answers = Box<dyn Fn(&str) -> (u16, String) + Send>;

/// An issuer that answers as it is told by then, and writes down what it is asked.
#[derive(Clone)]
struct Issuer {
    answers: Arc<Mutex<Answers>>,
    asked: Arc<Mutex<Vec<String>>>,
    clock: ManualClock,
}

impl Issuer {
    fn new(answers: impl Fn(&str) -> (u16, String) + Send + 'static) -> Self {
        let answers: Answers = Box::new(answers);
        let (answers, asked) = (Arc::new(Mutex::new(answers)), Arc::default());
        Self { answers, asked, clock: ManualClock::at(1_700_000_000) }
    }

    fn good() -> Self {
        Self::new(|_| (200, document("https://login.example/token")))
    }

    fn answers(&self, answers: impl Fn(&str) -> (u16, String) + Send + 'static) {
        *self.answers.lock().unwrap() = Box::new(answers);
    }

    fn transport(&self) -> ScriptedTransport {
        let issuer = self.clone();
        ScriptedTransport::new(move |request: &Request<Vec<u8>>| {
            let url = request.uri().to_string();
            issuer.asked.lock().unwrap().push(url.clone());
            let (status, body) = (issuer.answers.lock().unwrap())(&url);
            let answer = Response::builder().status(status).header("retry-after", "1");
            Ok(answer.body(body.into_bytes()).unwrap())
        })
    }

    fn context(&self, transport: ScriptedTransport) -> Context {
        Context::new(transport).with_clock(self.clock.clone()).with_random(SeededRandom::new(7))
    }

    fn metadata(&self) -> RemoteAuthorizationServerMetadata {
        let context = self.context(self.transport());
        RemoteAuthorizationServerMetadata::new(ISSUER, context).unwrap()
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

fn told(server: &RemoteAuthorizationServerMetadata) -> Result<String> {
    server.metadata().wait().map(|metadata| metadata.token_endpoint.url().to_owned())
}

#[track_caller]
fn check_places(answers: fn(&str) -> (u16, String), asked: &[&str], expected: Result<(), &str>) {
    let issuer = Issuer::new(answers);
    let got = told(&issuer.metadata()).map(drop);
    assert_eq!(
        got.as_ref().map_err(Error::code),
        expected.as_ref().map(|()| &()).map_err(|code| *code)
    );
    assert_eq!(issuer.asked(), asked);
}

#[test]
fn the_second_place_is_asked_where_nothing_is_at_the_first() {
    check_places(|_| (200, document("https://login.example/token")), &[OAUTH], Ok(()));
    check_places(
        |url| {
            if url == OAUTH {
                (404, String::new())
            } else {
                (200, document("https://login.example/token"))
            }
        },
        &[OAUTH, OPENID],
        Ok(()),
    );
    check_places(|_| (404, String::new()), &[OAUTH, OPENID], Err("oauth2_metadata_status"));
    check_places(|_| (500, String::new()), &[OAUTH], Err("oauth2_metadata_status"));
    check_places(|_| (503, String::new()), &[OAUTH], Err("oauth2_metadata_unavailable"));
    check_places(|_| (429, String::new()), &[OAUTH], Err("oauth2_metadata_unavailable"));
    check_places(|_| (302, String::new()), &[OAUTH], Err("oauth2_metadata_status"));
    check_places(|_| (200, "<html>".into()), &[OAUTH], Err("oauth2_answer"));
    // Another issuer, though by a slash alone: that is no reason to look elsewhere.
    check_places(
        |_| (200, document("https://login.example/token").replace("realms/a", "realms/a/")),
        &[OAUTH],
        Err("oauth2_metadata"),
    );
}

#[test]
fn many_callers_ask_once() {
    let (issuer, gate) = (Issuer::good(), Gate::closed());
    let context = issuer.context(issuer.transport().with_gate(gate.clone()));
    let server = RemoteAuthorizationServerMetadata::new(ISSUER, context).unwrap();
    let callers: Vec<_> = (0..50)
        .map(|_| {
            let server = server.clone();
            thread::spawn(move || told(&server))
        })
        .collect();
    thread::sleep(Duration::from_millis(50));
    gate.open();
    for caller in callers {
        assert_eq!(caller.join().unwrap().unwrap(), "https://login.example/token");
    }
    assert_eq!(issuer.asked(), [OAUTH]);
}

#[test]
fn a_caller_that_gives_up_takes_nothing_with_it() {
    let (issuer, gate) = (Issuer::good(), Gate::closed());
    let context = issuer.context(issuer.transport().with_gate(gate.clone()));
    let server = RemoteAuthorizationServerMetadata::new(ISSUER, context).unwrap();
    for _ in 0..3 {
        let mut caller = server.metadata();
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(std::pin::Pin::new(&mut caller).poll(&mut context).is_pending());
    }
    gate.open();
    assert_eq!(told(&server).unwrap(), "https://login.example/token");
    assert_eq!(issuer.asked(), [OAUTH]);
}

#[test]
fn what_is_kept_outlives_an_outage_until_its_day_is_over() {
    let issuer = Issuer::good();
    let server = issuer.metadata();
    let hours = |hours: u64| issuer.clock.advance(Duration::from_secs(hours * 3600));
    told(&server).unwrap();
    hours(14);
    told(&server).unwrap();
    assert_eq!(issuer.asked().len(), 1, "14 hours");
    issuer.answers(|_| (500, String::new()));
    for _ in 0..9 {
        hours(1);
        assert_eq!(told(&server).unwrap(), "https://login.example/token");
    }
    assert!(!issuer.asked().is_empty(), "it is asked again before the day is over");
    hours(1);
    assert_eq!(told(&server).unwrap_err().code(), "oauth2_metadata_status");
    issuer.answers(|_| (200, document("https://login.example/moved")));
    hours(1);
    assert_eq!(told(&server).unwrap(), "https://login.example/moved");
}

#[test]
fn an_issuer_that_answers_again_with_something_else_is_believed() {
    let issuer = Issuer::good();
    let server = issuer.metadata();
    told(&server).unwrap();
    issuer.answers(|_| (200, document("https://login.example/moved")));
    issuer.clock.advance(Duration::from_secs(20 * 3600));
    told(&server).unwrap();
    assert_eq!(told(&server).unwrap(), "https://login.example/moved");
    assert_eq!(issuer.asked().len(), 2);
}

#[test]
fn a_transport_that_panics_keeps_nobody_from_asking_again() {
    let issuer = Issuer::new(|_| panic!("the transport panics"));
    let server = issuer.metadata();
    assert!(catch_unwind(AssertUnwindSafe(|| told(&server))).is_err());
    let issuer_is_back = issuer.clone();
    // The panic poisoned the script's own lock.
    issuer_is_back.answers.clear_poison();
    issuer.answers(|_| (200, document("https://login.example/token")));
    issuer.clock.advance(Duration::from_secs(60));
    assert_eq!(told(&server).unwrap(), "https://login.example/token");
}

#[test]
fn the_observer_hears_of_each_fetch_under_the_issuers_name() {
    #[derive(Clone, Default)]
    struct Heard(Arc<Mutex<Vec<String>>>);
    impl Observer for Heard {
        fn observe(&self, event: Event<'_>) {
            let text = match event {
                Event::Renewed { session, .. } => format!("renewed {session}"),
                Event::RenewalFailed { session, error, .. } => {
                    format!("failed {session} {}", error.code())
                }
                _ => String::from("something else"),
            };
            self.0.lock().unwrap().push(text);
        }
    }
    let (issuer, heard) = (Issuer::new(|_| (500, String::new())), Heard::default());
    let context = issuer.context(issuer.transport()).with_observer(heard.clone());
    let server = RemoteAuthorizationServerMetadata::new(ISSUER, context).unwrap();
    told(&server).unwrap_err();
    issuer.answers(|_| (200, document("https://login.example/token")));
    issuer.clock.advance(Duration::from_secs(60));
    told(&server).unwrap();
    let expected = [format!("failed {ISSUER} oauth2_metadata_status"), format!("renewed {ISSUER}")];
    assert_eq!(*heard.0.lock().unwrap(), expected);
}

#[test]
fn an_issuer_that_is_none_is_refused_before_anybody_is_asked() {
    for issuer in ["", "login.example", "http://login.example", "https://login.example?x=1"] {
        let context = Issuer::good().context(ScriptedTransport::new(|_| panic!("asked")));
        assert!(RemoteAuthorizationServerMetadata::new(issuer, context).is_err(), "{issuer}");
    }
}

fn metadata() -> AuthorizationServerMetadata {
    let answer = Response::new(document("https://tokens.example/").into_bytes());
    AuthorizationServerMetadata::read(&answer, ISSUER).unwrap()
}

fn post() -> ClientAuthentication {
    ClientAuthentication::client_secret_post("me", "s3cret").unwrap()
}

fn signing(audience: AssertionAudience) -> ClientAuthentication {
    let key = SigningKey::from_secret(JwsAlgorithm::HS256, &[7; 32]).unwrap();
    ClientAuthentication::private_key_jwt("me", key, audience).unwrap()
}

/// A secret is for one issuer, and the metadata of another one gets no endpoint for it.
#[test]
fn a_secret_goes_to_the_issuer_that_it_is_for() {
    let other = "https://evil.example";
    let nobody = || ClientAuthentication::none("me").unwrap();
    for (client, is_given) in [
        (post().with_issuer(ISSUER), true),
        (post(), false),
        (post().with_issuer(other), false),
        (post().with_issuer("https://login.example/realms/a/"), false),
        (post().with_issuer("https://LOGIN.example/realms/a"), false),
        (signing(AssertionAudience::issuer(ISSUER)), true),
        (signing(AssertionAudience::issuer(ISSUER)).with_issuer(ISSUER), true),
        (signing(AssertionAudience::issuer(other)), false),
        (signing(AssertionAudience::issuer(other)).with_issuer(ISSUER), false),
        (signing(AssertionAudience::issuer(ISSUER)).with_issuer(other), false),
        (signing(AssertionAudience::Endpoint), false),
        (signing(AssertionAudience::Endpoint).with_issuer(ISSUER), true),
        (nobody(), true),
        (nobody().with_issuer(other), false),
    ] {
        let shown = format!("{client:?}");
        let made = metadata().registration(client.clone()).map(drop);
        let grant = metadata().authorization_code(client, "https://me.example/callback").map(drop);
        let expected = if is_given { Ok(()) } else { Err("oauth2_client_issuer") };
        for made in [made, grant] {
            assert_eq!(made.map_err(|error| error.code()), expected, "{shown}");
        }
    }
}

#[test]
fn a_token_endpoint_on_another_origin_is_asked_when_its_issuer_names_it() {
    let issuer = Issuer::new(|url| match url {
        OAUTH => (200, document("https://tokens.example/")),
        _ => (200, r#"{"access_token":"t"}"#.into()),
    });
    let server = issuer.metadata();
    let registration = server.metadata().wait().unwrap().registration(post().with_issuer(ISSUER));
    let grant = ClientCredentials::new(registration.unwrap());
    Session::new(grant, issuer.context(issuer.transport())).token().wait().unwrap();
    assert_eq!(issuer.asked(), [OAUTH, "https://tokens.example/"]);
}

#[test]
fn a_grant_made_of_metadata_holds_the_callback_to_the_issuer() {
    let context = Issuer::new(|_| (200, r#"{"access_token":"t"}"#.into()));
    let context = context.context(context.transport());
    let client = post().with_issuer(ISSUER);
    let grant = metadata().authorization_code(client, "https://me.example/callback").unwrap();
    let connection = ConnectionId::new(TenantId::new("acme"), "crm");
    for (iss, expected) in [
        ("", Err("oauth2_issuer")),
        ("&iss=https://evil.example", Err("oauth2_issuer")),
        ("&iss=https://login.example/realms/a", Ok(())),
    ] {
        let (url, pending) = grant.begin(&connection, &context).unwrap();
        assert!(url.starts_with("https://login.example/authorize?"), "{url}");
        let state = pending.state().expose_text().unwrap_or_default().to_owned();
        let callback = AuthorizationCallback::parse(&format!("code=c&state={state}{iss}")).unwrap();
        let token = grant.redeem(pending, callback, &connection, &context).wait().map(drop);
        assert_eq!(token.map_err(|error| error.code()), expected, "{iss}");
    }
    let without = AuthorizationServerMetadata::read(
        &Response::new(
            format!(r#"{{"issuer":"{ISSUER}","token_endpoint":"https://login.example/token"}}"#)
                .into_bytes(),
        ),
        ISSUER,
    );
    let client = post().with_issuer(ISSUER);
    let made = without.unwrap().authorization_code(client, "https://me.example/callback");
    assert_eq!(made.unwrap_err().code(), "oauth2_metadata");
}
