//! Sessions of Infobip: a client of a platform that repeats everything it was sent, and a server of callers that send
//! secrets wherever they can.

use super::plant;
use auth_core::{
    Answer, Authenticator, Body, Error, Event, Flow, Lookup, Observer, Peer, RequestView, Result,
    Verifier,
};
use auth_ibsso::{
    Context, CreateOutcome, ErrorForm, IbssoSession, IbssoVerifier, LogIn, MemoryTokenStore,
    NewSession, Renewal, Secret, SessionEndpoint, SessionLifetime, SessionToken, Sessions,
    StorableToken as _, TokenSource as _, UserPassword,
};
use auth_testing::{Canary, CapturedOutput, ManualClock, ScriptedTransport};
use auth_tower::{TracingObserver, VerifyLayer};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri,
    header::AUTHORIZATION,
};
use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Duration,
};
use tower::{ServiceExt as _, service_fn};
use tracing_subscriber::filter::LevelFilter;

/// The secrets of one run.
struct Planted {
    password: Canary,
    token: Canary,
}

impl Planted {
    fn new() -> Self {
        Self { password: plant("password"), token: plant("token") }
    }

    fn all(&self) -> [&Canary; 2] {
        [&self.password, &self.token]
    }

    fn log_in(&self) -> LogIn {
        LogIn::new(BASE, "acme", self.password.text()).unwrap()
    }

    fn token(&self) -> SessionToken {
        let now = auth_core::Timestamp::from_unix(NOW);
        let token = Secret::new(self.token.text());
        SessionToken::new(token, now, SessionLifetime::default()).unwrap()
    }

    fn show_nothing(&self, shown: &CapturedOutput) {
        assert_eq!(shown.leaks(&self.all()), [""; 0], "in\n{:.1500}", shown.all());
    }

    /// Everything that a platform can answer with both secrets in it.
    fn answers(&self) -> Vec<Response<Vec<u8>>> {
        let (password, token) = (self.password.text(), self.token.text());
        let text = format!("{password} {token} IBSSO {token}");
        let of_codes = |secret: &str| {
            [
                format!(r#"{{"requestError":{{"serviceException":{{"messageId":"{secret}"}}}}}}"#),
                format!(r#"{{"errorCode":"{secret}","violations":["{text}"]}}"#),
                format!(r#"{{"{secret}":"{secret}","token":7}}"#),
                format!(r#"{{"token":"{secret} {secret}"}}"#),
                format!("{secret}{{"),
            ]
        };
        let mut answers = Vec::new();
        for status in [200, 302, 400, 401, 403, 404, 429, 500, 503] {
            let status = StatusCode::from_u16(status).unwrap();
            let forms = [ErrorForm::ServiceException, ErrorForm::ErrorCode];
            let mut bodies = forms.map(|form| form.body(status, &text)).to_vec();
            bodies.extend(of_codes(password).map(String::into_bytes));
            bodies.extend(of_codes(token).map(String::into_bytes));
            for body in bodies {
                let answer = Response::builder().status(status).header("retry-after", &text);
                answers.push(answer.header("location", &text).body(body).unwrap());
            }
        }
        answers
    }
}

const BASE: &str = "https://xyz123.api.infobip.com";
const NOW: u64 = 1_700_000_000;

#[derive(Clone, Default)]
pub struct Seen(pub CapturedOutput);

impl Observer for Seen {
    fn observe(&self, event: Event<'_>) {
        self.0.debug(&event);
        if let Event::RenewalFailed { error, .. } | Event::FellBack { error, .. } = event {
            self.0.error(error);
        }
        TracingObserver.observe(event);
    }
}

pub fn note<T: std::fmt::Debug>(shown: &CapturedOutput, outcome: Result<T>) {
    match outcome {
        Ok(made) => drop(shown.debug(&made)),
        Err(error) => drop(shown.error(&error)),
    }
}

/// All log lines of a run, at the most talkative level.
pub fn logged(shown: &CapturedOutput, run: impl FnOnce()) {
    let writer = shown.clone();
    let logs = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::with_default(logs, run);
}

/// What the plain exchanges say of each answer.
#[test]
fn no_exchange_of_a_session_repeats_what_was_sent() {
    let (planted, shown) = (Planted::new(), CapturedOutput::default());
    let log_in = planted.log_in();
    shown.debug(&log_in).debug(&planted.token()).debug(planted.token().secret());
    for answer in planted.answers() {
        let answering = answer.clone();
        let transport = ScriptedTransport::new(move |request| {
            let sent = format!("{request:?} {:?}", request.headers());
            assert!(!sent.contains("IBSSO"), "a field is not sensitive: {sent}");
            Ok(answering.clone())
        });
        let context = Context::new(transport);
        note(&shown, log_in.create(&context).wait());
        note(&shown, log_in.destroy(&context, &planted.token()).wait());
        note(&shown, log_in.token(&context, Renewal::Due(planted.token())).wait());
    }
    for broken in planted.all().map(Canary::text) {
        for base in [format!("{BASE}/{broken}"), format!("http://{broken}@x.example")] {
            note(&shown, LogIn::new(&base, "acme", broken));
        }
        let token = Secret::new(format!("{broken} {broken}"));
        let now = auth_core::Timestamp::from_unix(NOW);
        note(&shown, SessionToken::new(token, now, SessionLifetime::default()));
        note(&shown, SessionToken::from_rest(broken.as_bytes()));
        note(&shown, SessionToken::from_rest(format!("\u{1}\u{0}{broken}").as_bytes()));
    }
    assert!(shown.all().contains("ibsso_not_destroyed"), "nothing was refused");
    planted.show_nothing(&shown);
}

/// A session from its creation to its end, with each answer in the place of each of its exchanges.
#[test]
fn no_session_of_infobip_shows_or_tells_a_secret() {
    let (planted, seen) = (Planted::new(), Seen::default());
    logged(&seen.0, || {
        let answers = planted.answers();
        for answer in &answers {
            for at in 0..3 {
                live(&planted, &seen, answer, at);
            }
        }
    });
    for told in ["FellBack", "RenewalFailed", "Renewed", "session obtained a token", "ibsso_log_in"]
    {
        assert!(seen.0.all().contains(told), "{told:?} was never told");
    }
    planted.show_nothing(&seen.0);
}

/// Created, refused by the receiver, destroyed and created again; the exchange of this number goes wrong.
fn live(planted: &Planted, seen: &Seen, wrong: &Response<Vec<u8>>, at: u32) {
    let shown = &seen.0;
    let (wrong, token) = (wrong.clone(), planted.token.text().to_owned());
    let number = Mutex::new(0);
    let transport = ScriptedTransport::new(move |_| {
        let mut number = number.lock().unwrap();
        *number += 1;
        if *number == at + 1 {
            return Ok(wrong.clone());
        }
        Ok(Response::new(format!(r#"{{"token":"{token}"}}"#).into_bytes()))
    });
    let clock = ManualClock::at(NOW);
    let context = Context::new(transport).with_clock(clock.clone()).with_observer(seen.clone());
    let store = MemoryTokenStore::new(clock.clone());
    let session = IbssoSession::stored(planted.log_in(), store.clone(), "acme", context);
    let session =
        session.with_fallback(auth_static::Basic::new("acme", planted.password.text()).unwrap());
    shown.debug(&session);
    let (uri, headers) = (Uri::from_static("https://xyz123.api.infobip.com/sms"), HeaderMap::new());
    let view = RequestView::new(&Method::POST, &uri, &headers);
    for _ in 0..2 {
        match session.credentials(view).wait() {
            Err(error) => drop(shown.error(&error)),
            Ok(made) => {
                let (mut uri, mut sent) = (uri.clone(), HeaderMap::new());
                made.commit(&mut uri, &mut sent).unwrap();
                let value = HeaderValue::from_str(planted.token.text()).unwrap();
                let answer = HeaderMap::from_iter([(http::header::WWW_AUTHENTICATE, value)]);
                let answer = Answer::new(view, StatusCode::UNAUTHORIZED, &answer);
                shown.debug(&made).debug(&sent).debug(&session.assess(&made, answer));
            }
        }
        clock.advance(Duration::from_secs(2));
    }
    note(shown, session.token().wait());
    shown.debug(&store).debug(&session.destroy_on_drop());
    note(shown, session.destroy().wait());
}

/// The users and sessions of a server.
#[derive(Clone)]
struct Platform(Arc<Planted>);

impl Lookup<UserPassword> for Platform {
    type Found = &'static str;

    fn lookup(&self, login: &UserPassword) -> Flow<'_, Option<&'static str>> {
        let is_right = login.password.matches(self.0.password.text().as_bytes());
        Flow::ready(is_right.then_some("acme"))
    }
}

impl Sessions for Platform {
    type User = &'static str;
    type Principal = &'static str;

    fn create(&self, _: &'static str, new: NewSession) -> Flow<'_, CreateOutcome> {
        Flow::ready(match (new.replaces, new.idempotency_key) {
            (_, Some(_)) => CreateOutcome::KeyReused,
            (true, _) => CreateOutcome::AlreadyAlive,
            (false, None) => CreateOutcome::Created(Secret::new(self.0.token.text())),
        })
    }

    fn find(&self, token: &[u8]) -> Flow<'_, Option<&'static str>> {
        if token == b"outage" {
            return Flow::failed(Error::transport("store_down", "nobody could tell"));
        }
        Flow::ready((token == self.0.token.text().as_bytes()).then_some("acme"))
    }

    fn destroy(&self, token: &[u8]) -> Flow<'_, bool> {
        Flow::ready(token == self.0.token.text().as_bytes())
    }
}

/// What both endpoints and the verifier show, whatever callers send; of what goes to them, the refusals.
#[test]
fn no_server_of_sessions_shows_or_tells_a_secret() {
    let (planted, shown) = (Arc::new(Planted::new()), CapturedOutput::default());
    let platform = Platform(Arc::clone(&planted));
    let (password, token) = (planted.password.text(), planted.token.text());
    let door = || IbssoVerifier::new(platform.clone());
    let endpoint = || SessionEndpoint::new(platform.clone(), platform.clone(), door());
    let endpoints = [endpoint(), endpoint().with_error_form(ErrorForm::ErrorCode)];
    shown.debug(&door()).debug(&endpoints);
    let login = UserPassword { user: "acme".into(), password: Arc::new(Secret::new(password)) };
    shown.debug(&login).debug(&CreateOutcome::Created(Secret::new(token)));
    let good = format!(r#"{{"username":"acme","password":"{password}"}}"#);
    let replacing = good.replace('}', r#","replace":true}"#);
    let bodies = [
        good.clone(),
        replacing,
        format!(r#"{{"username":"{password}","password":"{token}"}}"#),
        format!(r#"{{"username":"acme","password":"{password}","password":"{password}"}}"#),
        format!(r#"{{"username":"acme","password":{{"{password}":1}}}}"#),
        format!(r#"{{"username":"acme","password":"{password}"#),
        format!(r#"{{"username":"acme","password":"{password}","unsafe":"{token}"}}"#),
        password.repeat(1000),
    ];
    let fields = ["IBSSO {}", "IBBSO {}", "IBSSO {}x", "IBSSO {} {}", "Bearer {}", "{}", "{}, {}"];
    let mut fields = fields.map(|field| field.replace("{}", token)).to_vec();
    fields.push("IBSSO outage".into());
    let mut created = 0;
    logged(&shown, || {
        for (body, field) in
            bodies.iter().flat_map(|body| fields.iter().map(move |field| (body, field)))
        {
            let (uri, mut headers) = (Uri::from_static("/auth/1/session"), HeaderMap::new());
            headers.insert(AUTHORIZATION, HeaderValue::from_str(field).unwrap());
            for key in [None, Some(password)] {
                let name = HeaderName::from_static("idempotency-key");
                headers.extend(key.map(|key| (name, HeaderValue::from_str(key).unwrap())));
                let view = RequestView::new(&Method::POST, &uri, &headers)
                    .with_body(Body::Bytes(body.as_bytes()))
                    .with_peer(Peer { address: "192.0.2.7".parse().ok(), ..Peer::UNKNOWN });
                for endpoint in &endpoints {
                    for answer in [endpoint.create(view).wait(), endpoint.destroy(view).wait()] {
                        if let Ok(answer) = &answer {
                            let body = String::from_utf8_lossy(answer.response.body());
                            shown.debug(&answer.refused).debug(answer.response.headers());
                            match answer.refused {
                                Some(_) => drop(shown.text(&body)),
                                None => created += usize::from(body.contains(token)),
                            }
                        }
                        note(&shown, answer);
                    }
                }
                note(&shown, door().verify(view).wait());
            }
            served(platform.clone(), field, &shown);
        }
    });
    assert!(created > 0, "no session was created");
    let told = ["request accepted", "request rejected", "ibsso_misspelt", "store_down", "E401"];
    for told in told {
        assert!(shown.all().contains(told), "{told:?} was never told");
    }
    planted.show_nothing(&shown);
}

/// Behind the layer of a server, with what its owner is told.
fn served(platform: Platform, field: &str, shown: &CapturedOutput) {
    let layer = VerifyLayer::new(IbssoVerifier::new(platform)).with_observer(Seen(shown.clone()));
    let inner =
        service_fn(|_: Request<_>| async { Ok::<_, Infallible>(Response::new(String::new())) });
    let request = Request::get("/sms").header(AUTHORIZATION, field).body(String::new()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let answer = runtime.block_on(tower::Layer::layer(&layer, inner).oneshot(request)).unwrap();
    shown.text(&format!("{} {:?}", answer.status(), answer.headers()));
}
