//! The client's dialogues with a server that follows the platform's description: one session of a user lives at a time,
//! bound to an address, for 60 minutes, and only its own token ends it.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use auth_core::{
    Answer, Authenticator, Context, Credentials, Error, Event, Flow, Observer, RequestView, Result,
    Stamper, Verdict,
};
use auth_ibsso::{
    ErrorForm, IbssoSession, LogIn, MemoryTokenStore, Secret, SessionHeldElsewhere,
    SessionLifetime, TokenStore,
};
use auth_session::{Intent, Lease, SaveOutcome, StoredEntry};
use auth_testing::{ManualClock, ScriptedTransport, SeededRandom};
use http::{
    HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri,
    header::{AUTHORIZATION, RETRY_AFTER},
};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

const BASE: &str = "https://xyz123.api.infobip.com";
const NOW: u64 = 1_700_000_000;

/// What the server knows, and what becomes of its next answers.
#[derive(Default)]
struct Server {
    live: Option<(String, u8)>,
    created: u32,
    /// The address that requests come from.
    address: u8,
    /// Each request: its method, path, `Authorization` and body.
    asked: Vec<String>,
    /// Each answers one request before the server sees it (`Err`), or in place of what it did.
    faults: Vec<Fault>,
}

enum Fault {
    NotSent,
    /// The server does what is asked, and its answer is lost.
    Lost,
    Status(u16),
    Body(&'static [u8]),
    /// A 429 with this `Retry-After`.
    Patience(&'static str),
}

impl Server {
    fn answer(&mut self, request: &Request<Vec<u8>>) -> Result<Response<Vec<u8>>> {
        let field = request.headers().get(AUTHORIZATION).map(|field| field.to_str().unwrap());
        self.asked.push(format!(
            "{} {} {} {}",
            request.method(),
            request.uri(),
            field.unwrap_or("-"),
            String::from_utf8_lossy(request.body())
        ));
        let fault = (!self.faults.is_empty()).then(|| self.faults.remove(0));
        match fault {
            Some(Fault::NotSent) => return Err(Error::not_sent("connect", "connection refused")),
            Some(Fault::Status(status)) => return Ok(refusal(status)),
            Some(Fault::Patience(said)) => {
                let mut busy = refusal(429);
                busy.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(said));
                return Ok(busy);
            }
            Some(Fault::Body(body)) => return Ok(Response::new(body.into())),
            Some(Fault::Lost) => {
                self.done(request, field);
                return Err(Error::transport("reset", "connection reset"));
            }
            None => {}
        }
        Ok(self.done(request, field))
    }

    fn done(&mut self, request: &Request<Vec<u8>>, field: Option<&str>) -> Response<Vec<u8>> {
        let is_theirs = |live: &(String, u8)| {
            field == Some(&format!("IBSSO {}", live.0)) && (live.1 == self.address || live.1 == 0)
        };
        if *request.method() == Method::DELETE {
            if !self.live.as_ref().is_some_and(is_theirs) {
                return refusal(401);
            }
            self.live = None;
            return Response::new(Vec::new());
        }
        let body: serde_json::Value = serde_json::from_slice(request.body()).unwrap();
        if body["password"] != "pa55word" {
            return refusal(401);
        }
        if self.live.is_some() {
            return refusal(400);
        }
        self.created += 1;
        let address = if body["unsafe"] == true { 0 } else { self.address };
        self.live = Some((format!("token-{}", self.created), address));
        Response::new(format!(r#"{{"token":"token-{}"}}"#, self.created).into_bytes())
    }
}

fn refusal(status: u16) -> Response<Vec<u8>> {
    let status = StatusCode::from_u16(status).unwrap();
    let body = ErrorForm::ServiceException.body(status, "see pa55word and token-1");
    Response::builder().status(status).body(body).unwrap()
}

#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<String>>>);

impl Observer for Told {
    fn observe(&self, event: Event<'_>) {
        let line = match event {
            Event::FellBack { session, error } => format!("{session} fell back: {}", error.code()),
            Event::Renewed { .. } => "renewed".into(),
            Event::RenewalFailed { error, .. } => format!("failed: {}", error.code()),
            Event::Condemned { .. } => "condemned".into(),
            _ => return,
        };
        self.0.lock().unwrap().push(line);
    }
}

struct Stage {
    transport: ScriptedTransport,
    server: Arc<Mutex<Server>>,
    clock: ManualClock,
    context: Context,
    told: Told,
}

fn stage() -> Stage {
    with_transport(|transport| transport)
}

fn with_transport(change: impl FnOnce(ScriptedTransport) -> ScriptedTransport) -> Stage {
    let server = Arc::new(Mutex::new(Server { address: 1, ..Server::default() }));
    let answering = Arc::clone(&server);
    let transport =
        ScriptedTransport::new(move |request| answering.lock().unwrap().answer(request));
    let transport = change(transport);
    let (clock, told) = (ManualClock::at(NOW), Told::default());
    let context = Context::new(transport.clone())
        .with_clock(clock.clone())
        .with_random(SeededRandom::new(1))
        .with_observer(told.clone());
    Stage { transport, server, clock, context, told }
}

fn log_in() -> LogIn {
    LogIn::new(BASE, "acme", "pa55word").unwrap()
}

impl Stage {
    fn session(&self) -> IbssoSession {
        IbssoSession::new(log_in(), self.context.clone())
    }

    fn then(&self, faults: impl IntoIterator<Item = Fault>) {
        self.server.lock().unwrap().faults.extend(faults);
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.server.lock().unwrap().asked)
    }

    fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    fn told(&self) -> Vec<String> {
        std::mem::take(&mut self.told.0.lock().unwrap())
    }
}

fn view<T>(url: &'static str, with: impl FnOnce(RequestView<'_>) -> T) -> T {
    let (uri, headers) = (Uri::from_static(url), HeaderMap::new());
    with(RequestView::new(&Method::POST, &uri, &headers))
}

fn sms<T>(with: impl FnOnce(RequestView<'_>) -> T) -> T {
    view("https://xyz123.api.infobip.com/sms/3/messages", with)
}

fn credentials(session: &impl Authenticator) -> Result<Credentials> {
    sms(|view| session.credentials(view).wait())
}

/// The `Authorization` field of the next request, or the code of the error.
fn sent(session: &impl Authenticator) -> String {
    credentials(session).map_or_else(
        |error| error.code().to_owned(),
        |made| made.field(&AUTHORIZATION).unwrap().to_str().unwrap().to_owned(),
    )
}

fn answered(session: &impl Authenticator, sent: &Credentials, status: u16) -> Verdict {
    let (status, headers) = (StatusCode::from_u16(status).unwrap(), HeaderMap::new());
    sms(|view| session.assess(sent, Answer::new(view, status, &headers)))
}

const CREATE: &str = "POST https://xyz123.api.infobip.com/auth/1/session - \
                      {\"username\":\"acme\",\"password\":\"pa55word\",\"unsafe\":false}";

fn destroy(number: u32) -> String {
    format!("DELETE https://xyz123.api.infobip.com/auth/1/session IBSSO token-{number} ")
}

#[test]
fn one_session_carries_all_requests_and_is_destroyed_before_the_next() {
    let stage = stage();
    let session = stage.session();
    for _ in 0..3 {
        assert_eq!(sent(&session), "IBSSO token-1");
    }
    assert_eq!(stage.asked(), [CREATE]);
    stage.pass(3599);
    assert_eq!(sent(&session), "IBSSO token-2", "renewed before it ends");
    assert_eq!(stage.asked(), [destroy(1), CREATE.to_owned()]);
    assert_eq!(stage.told(), ["renewed", "renewed"]);
}

#[test]
fn a_401_renews_it_whatever_the_timer_says_and_a_403_does_not() {
    let stage = stage();
    let session = stage.session();
    let first = credentials(&session).unwrap();
    assert!(matches!(answered(&session, &first, 403), Verdict::Accept));
    stage.server.lock().unwrap().live = None;
    let first = credentials(&session).unwrap();
    assert!(matches!(answered(&session, &first, 401), Verdict::Retry { after: None }));
    assert_eq!(sent(&session), "IBSSO token-2");
    // The answer to the destruction, a 401 here, changed nothing.
    assert_eq!(stage.asked(), [CREATE.to_owned(), destroy(1), CREATE.to_owned()]);
}

#[test]
fn a_sliding_session_lives_while_it_is_used() {
    let stage = stage();
    let hour = SessionLifetime::Sliding(Duration::from_secs(3600));
    let session = IbssoSession::new(log_in().with_lifetime(hour), stage.context.clone());
    for _ in 0..5 {
        assert_eq!(sent(&session), "IBSSO token-1");
        stage.pass(3000);
    }
    stage.pass(600);
    assert_eq!(sent(&session), "IBSSO token-2");
}

#[test]
fn the_protocols_unsafe_is_sent_when_it_is_asked_for_by_name() {
    let stage = stage();
    let session = IbssoSession::new(log_in().with_unsafe_sessions(), stage.context.clone());
    assert_eq!(sent(&session), "IBSSO token-1");
    assert_eq!(stage.asked(), [CREATE.replace("false", "true")]);
}

#[test]
fn a_session_that_another_address_made_is_named_in_the_error() {
    let stage = stage();
    let session = stage.session();
    let first = credentials(&session).unwrap();
    stage.server.lock().unwrap().address = 2;
    answered(&session, &first, 401);
    let error = credentials(&session).unwrap_err();
    assert_eq!(error.code(), "ibsso_bound_to_other_address");
    let shown = format!("{error} {error:?}");
    assert!(shown.contains("egress") && shown.contains("(by 1700003600"), "{shown}");
    assert!(shown.contains("401 UNAUTHORIZED") && shown.contains("400 BAD_REQUEST"), "{shown}");
    assert!(!shown.contains("pa55word") && !shown.contains("token-1"), "{shown}");
    // Back at the former address it recovers by itself, after its pause.
    stage.server.lock().unwrap().address = 1;
    assert_eq!(sent(&session), "ibsso_bound_to_other_address", "no tight loop");
    stage.pass(2);
    assert_eq!(sent(&session), "IBSSO token-2");
}

/// What a creation is answered with, the code of the error, and whether others may ask again at once.
#[track_caller]
fn check_creation(fault: Fault, code: &str, retries: bool) {
    let stage = stage();
    let session = stage.session();
    stage.then([fault]);
    let error = credentials(&session).unwrap_err();
    let held = error.cause().error().downcast_ref::<SessionHeldElsewhere>();
    let outer: &dyn std::error::Error = held.map_or(&error, |held| held);
    let beneath = outer.source();
    let said = beneath.and_then(|error| error.downcast_ref::<Error>()).unwrap_or(&error);
    assert_eq!((said.code(), held.is_none()), (code, retries));
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("pa55word"), "{shown}");
    stage.pass(2);
    let next = if retries { "IBSSO token-1" } else { "session_held_elsewhere" };
    assert_eq!(sent(&session), next);
    stage.pass(4000);
    if !retries {
        // The session that may have been made lives at the server until now.
        stage.server.lock().unwrap().live = None;
        assert!(sent(&session).starts_with("IBSSO "));
    }
}

#[test]
fn each_answer_to_a_creation_says_whether_a_session_may_live() {
    check_creation(Fault::NotSent, "connect", true);
    check_creation(Fault::Status(400), "ibsso_session_not_created", true);
    check_creation(Fault::Status(401), "ibsso_log_in", true);
    check_creation(Fault::Status(429), "ibsso_busy", true);
    check_creation(Fault::Status(503), "ibsso_busy", true);
    check_creation(Fault::Status(307), "ibsso_redirected", true);
    check_creation(Fault::Status(500), "ibsso_failed", false);
    check_creation(Fault::Status(502), "ibsso_failed", false);
    check_creation(Fault::Lost, "reset", false);
    check_creation(Fault::Body(b"{}"), "ibsso_session_answer", false);
    check_creation(Fault::Body(br#"{"token":7}"#), "ibsso_session_answer", false);
    check_creation(Fault::Body(br#"["token-1"]"#), "ibsso_session_answer", false);
    let no_utf_8 = b"{\"a\":\"\xff\",\"token\":\"t\"}";
    check_creation(Fault::Body(no_utf_8), "ibsso_session_answer", false);
    check_creation(Fault::Body(br#"{"token":""}"#), "ibsso_token", false);
    check_creation(Fault::Body(br#"{"token":"a b"}"#), "ibsso_token", false);
    check_creation(Fault::Body(br#"{"token":"a","token":"b"}"#), "ibsso_session_answer", false);
}

/// The code of an error is told, so a platform could have a secret told by writing it there.
#[test]
fn a_code_that_repeats_what_was_sent_is_not_told() {
    let echo = |form: ErrorForm, secret: &str| {
        let body = String::from_utf8(form.body(StatusCode::BAD_REQUEST, "")).unwrap();
        let body = body.replace("BAD_REQUEST", secret).replace("E400", &format!("E_{secret}"));
        let answer = move |_: &Request<Vec<u8>>| {
            Ok(Response::builder().status(400).body(body.clone().into_bytes()).unwrap())
        };
        Context::new(ScriptedTransport::new(answer))
    };
    let (password, token) = ("PA55WORD_OF_ACME", "2F9B4D312D0D49A885F0");
    let log_in = LogIn::new(BASE, "acme", password).unwrap();
    let secret = Secret::new(token);
    let created = auth_ibsso::Timestamp::from_unix(NOW);
    let session =
        auth_ibsso::SessionToken::new(secret, created, SessionLifetime::default()).unwrap();
    for form in [ErrorForm::ServiceException, ErrorForm::ErrorCode] {
        let error = log_in.create(&echo(form, password)).wait().unwrap_err();
        assert!(!format!("{error} {error:?}").contains(password), "{error}");
        assert!(error.to_string().contains("(400)"), "{error}");
        let error = log_in.destroy(&echo(form, token), &session).wait().unwrap_err();
        assert!(!format!("{error} {error:?}").contains(token), "{error}");
        assert!(error.to_string().contains("(400)"), "{error}");
        let others = log_in.create(&echo(form, "ANOTHER")).wait().unwrap_err();
        assert!(others.to_string().contains("ANOTHER)"), "{others}");
    }
}

/// An outage while the session is renewed must not lock anybody out: a creation whose answer is lost would.
#[test]
fn without_an_answer_to_the_destruction_no_session_is_created() {
    let stage = stage();
    let session = stage.session();
    assert_eq!(sent(&session), "IBSSO token-1");
    stage.pass(3590);
    stage.then([Fault::Lost]);
    assert_eq!(sent(&session), "ibsso_unreachable");
    assert_eq!(stage.asked(), [CREATE.to_owned(), destroy(1)]);
    stage.pass(2);
    assert_eq!(sent(&session), "IBSSO token-2");
}

/// What the platform had no time to end keeps another session from being made: its own pause is what to wait for.
#[test]
fn patience_that_is_asked_for_at_the_destruction_is_what_callers_are_told() {
    let stage = stage();
    let session = stage.session();
    assert_eq!(sent(&session), "IBSSO token-1");
    stage.pass(3590);
    stage.then([Fault::Status(429)]);
    let error = credentials(&session).unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error}");
    assert_eq!(error.code(), "ibsso_busy");
    assert_eq!(stage.asked(), [CREATE.to_owned(), destroy(1), CREATE.to_owned()]);
    stage.pass(2);
    assert_eq!(sent(&session), "IBSSO token-2");
}

#[test]
fn a_lost_answer_keeps_everybody_from_creating_until_that_session_has_ended() {
    let stage = stage();
    let store = MemoryTokenStore::new(stage.clock.clone());
    let process = || IbssoSession::stored(log_in(), store.clone(), "acme", stage.context.clone());
    stage.then([Fault::Lost]);
    let (first, second) = (process(), process());
    let error = credentials(&first).unwrap_err();
    let held = error.cause().error().downcast_ref::<SessionHeldElsewhere>().unwrap();
    assert_eq!(held.retry_at.unix(), NOW + 3600);
    for _ in 0..100 {
        assert_eq!(sent(&second), "session_held_elsewhere");
        stage.pass(30);
    }
    assert_eq!(stage.asked(), [CREATE], "nobody has asked again");
    stage.server.lock().unwrap().live = None;
    // The rest of the hour, and the minute in which those who waited look into the store again.
    stage.pass(1000);
    assert_eq!(sent(&second), "IBSSO token-2");

    assert_eq!(sent(&first), "IBSSO token-2", "one session for both");
    assert_eq!(stage.asked(), [CREATE]);
}

struct Weaker;

impl Authenticator for Weaker {
    fn credentials<'a>(&'a self, _: RequestView<'a>) -> Flow<'a, Credentials> {
        Credentials::header(AUTHORIZATION, HeaderValue::from_static("Basic weaker")).into()
    }
}

#[test]
fn the_fallback_is_sent_only_where_it_is_named_and_a_session_is_held_elsewhere() {
    let stage = stage();
    let session = stage.session().with_fallback(Weaker);
    stage.then([Fault::Status(429), Fault::Status(401)]);
    assert_eq!(sent(&session), "ibsso_busy");
    stage.pass(2);
    assert_eq!(sent(&session), "ibsso_log_in");
    stage.pass(4);
    stage.told();
    stage.then([Fault::Lost]);
    assert_eq!(sent(&session), "Basic weaker");
    assert_eq!(sent(&session), "Basic weaker");
    let fell = "ibsso fell back: session_held_elsewhere";
    assert_eq!(stage.told(), ["failed: session_held_elsewhere", fell, fell]);
    let elsewhere = view("https://evil.example/", |view| session.credentials(view).wait());
    assert_eq!(elsewhere.unwrap_err().code(), "only_other_origin");
}

#[test]
fn destroying_ends_it_at_the_platform_in_the_store_and_here() {
    let stage = stage();
    let store = MemoryTokenStore::new(stage.clock.clone());
    let process = || IbssoSession::stored(log_in(), store.clone(), "acme", stage.context.clone());
    let (first, second) = (process(), process());
    assert_eq!(sent(&first), "IBSSO token-1");
    // The second process has not sent anything, and destroys what the first one created.
    second.destroy().wait().unwrap();
    assert_eq!(stage.asked(), [CREATE.to_owned(), destroy(1)]);
    assert_eq!(sent(&second), "session_ended");
    assert_eq!(sent(&process()), "IBSSO token-2", "nothing was left in the store");
    assert_eq!(stage.asked(), [CREATE]);
}

#[test]
fn destroying_what_never_was_asks_nobody() {
    let stage = stage();
    stage.session().destroy().wait().unwrap();
    assert_eq!(stage.asked(), [""; 0]);
}

#[test]
fn a_value_that_is_dropped_destroys_it_in_the_background() {
    let stage = with_transport(ScriptedTransport::with_background);
    let session = stage.session();
    let sent = || {
        sms(|view| {
            let made = session.credentials(view);
            stage.transport.run();
            made.wait().map(drop).map_err(|error| error.code())
        })
    };
    {
        let _ends = session.destroy_on_drop();
        assert_eq!(sent(), Ok(()));
    }
    assert_eq!(stage.asked(), [CREATE], "nobody waits for the rest");
    // What is detached detaches more, and waits for it: so there are threads enough, until none of them has work.
    let (busy, done) = (AtomicUsize::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                while !done.load(Ordering::SeqCst) {
                    busy.fetch_add(1, Ordering::SeqCst);
                    stage.transport.run();
                    busy.fetch_sub(1, Ordering::SeqCst);
                    thread::sleep(Duration::from_millis(1));
                }
            });
        }
        while stage.transport.exchanges() < 2 || busy.load(Ordering::SeqCst) > 0 {
            thread::yield_now();
        }
        done.store(true, Ordering::SeqCst);
    });
    assert_eq!(stage.asked(), [destroy(1)]);
    assert_eq!(sent(), Err("session_ended"));
}

#[test]
fn the_token_goes_to_the_base_url_alone() {
    let stage = stage();
    let session = stage.session();
    for url in
        ["https://api.infobip.com/", "http://xyz123.api.infobip.com/", "https://evil.example/"]
    {
        let made = view(url, |view| session.credentials(view).wait());
        assert_eq!(made.unwrap_err().code(), "only_other_origin", "{url}");
    }
    assert_eq!(stage.asked(), [""; 0]);
}

#[track_caller]
fn check_config(base: &str, user: &str, password: &str, code: &str) {
    assert_eq!(LogIn::new(base, user, password).unwrap_err().code(), code);
}

#[test]
fn what_is_typed_wrong_is_named() {
    check_config("http://xyz123.api.infobip.com", "u", "p", "ibsso_plain_http");
    check_config("https://xyz123.api.infobip.com/sms", "u", "p", "origin_path");
    check_config("xyz123.api.infobip.com", "u", "p", "origin_scheme");
    check_config("https://u@xyz123.api.infobip.com", "u", "p", "origin_user");
    check_config(BASE, "", "p", "ibsso_empty");
    check_config(BASE, "u", "", "ibsso_empty");
    LogIn::new("http://127.0.0.1:8080", "u", "p").unwrap();
    let shown = format!("{:?}", log_in());
    assert!(shown.contains("acme") && !shown.contains("pa55word"), "{shown}");
}

/// The timer of the session is over, so it has ended: another one of the user is what keeps it from being created.
#[test]
fn a_session_whose_time_is_over_is_not_said_to_be_alive_elsewhere() {
    let stage = stage();
    let session = stage.session();
    assert_eq!(sent(&session), "IBSSO token-1");
    stage.pass(3600);
    stage.server.lock().unwrap().live = Some(("of-another-program".to_owned(), 1));
    let error = credentials(&session).unwrap_err();
    assert_eq!(error.code(), "ibsso_session_not_created", "{error}");
}

/// A store of which the saving fails, and if it is all down the reading too.
#[derive(Clone)]
struct Failing {
    store: MemoryTokenStore,
    down: Arc<Mutex<&'static str>>,
}

impl Failing {
    fn over<T>(&self, what: &str, flow: impl FnOnce() -> T) -> Result<T> {
        let down = *self.down.lock().unwrap();
        if down == what || down == "all" {
            return Err(Error::transport("disk", "the disk failed"));
        }
        Ok(flow())
    }
}

impl TokenStore for Failing {
    fn load(&self, name: &str) -> Flow<'_, Option<StoredEntry>> {
        self.over("load", || self.store.load(name)).unwrap_or_else(Flow::failed)
    }

    fn lease(&self, name: &str, hold: Duration) -> Flow<'_, Option<Lease>> {
        self.over("lease", || self.store.lease(name, hold)).unwrap_or_else(Flow::failed)
    }

    fn save(&self, name: &str, lease: Lease, token: Option<&Secret>) -> Flow<'_, SaveOutcome> {
        self.over("save", || self.store.save(name, lease, token)).unwrap_or_else(Flow::failed)
    }

    fn intend(&self, name: &str, lease: Lease, intent: Option<Intent>) -> Flow<'_, SaveOutcome> {
        self.over("intend", || self.store.intend(name, lease, intent)).unwrap_or_else(Flow::failed)
    }

    fn release(&self, name: &str, lease: Lease) -> Flow<'_, ()> {
        self.over("release", || self.store.release(name, lease)).unwrap_or_else(Flow::failed)
    }
}

/// The store could not take a session, and the program gives up: whatever of the store works by then.
#[track_caller]
fn check_destroyed(down: &'static str, then: &'static str, outcome: Result<(), &str>) {
    let stage = stage();
    let store = Failing {
        store: MemoryTokenStore::new(stage.clock.clone()),
        down: Arc::new(Mutex::new("nothing")),
    };
    let session = IbssoSession::stored(log_in(), store.clone(), "acme", stage.context.clone());
    assert_eq!(sent(&session), "IBSSO token-1");
    stage.pass(3590);
    *store.down.lock().unwrap() = down;
    assert_eq!(sent(&session), "session_token_not_saved");
    assert_eq!(stage.asked(), [CREATE.to_owned(), destroy(1), CREATE.to_owned()]);
    *store.down.lock().unwrap() = then;
    let told = session.destroy().wait();
    assert_eq!(told.map_err(|error| error.code()), outcome);
    assert_eq!(stage.asked(), [destroy(2)], "{then}");
    assert_eq!(stage.server.lock().unwrap().live, None);
    *store.down.lock().unwrap() = "nothing";
    if outcome.is_ok() {
        let next = IbssoSession::stored(log_in(), store, "acme", stage.context.clone());
        assert_eq!(sent(&next), "IBSSO token-3");
        assert_eq!(stage.asked(), [CREATE], "nothing was left");
    }
}

#[test]
fn a_session_that_no_store_could_take_is_destroyed_all_the_same() {
    check_destroyed("save", "nothing", Ok(()));
    check_destroyed("save", "save", Err("disk"));
    check_destroyed("save", "all", Err("disk"));
}

/// A store that cannot be read leaves nobody's session alive that this process knows.
#[test]
fn a_session_is_destroyed_though_the_store_fails() {
    let stage = stage();
    let store = Failing {
        store: MemoryTokenStore::new(stage.clock.clone()),
        down: Arc::new(Mutex::new("nothing")),
    };
    let session = IbssoSession::stored(log_in(), store.clone(), "acme", stage.context.clone());
    assert_eq!(sent(&session), "IBSSO token-1");
    *store.down.lock().unwrap() = "all";
    assert_eq!(session.destroy().wait().unwrap_err().code(), "disk");
    assert_eq!(stage.asked(), [CREATE.to_owned(), destroy(1)]);
}

/// Credentials that cannot be made are not sent, so there is nothing to tell.
#[test]
fn a_fallback_that_has_nothing_to_send_is_not_told_of() {
    struct Broken;

    impl Authenticator for Broken {
        fn credentials<'a>(&'a self, _: RequestView<'a>) -> Flow<'a, Credentials> {
            Flow::failed(Error::config("broken", "nothing to send"))
        }
    }

    let stage = stage();
    let session = stage.session().with_fallback(Broken);
    stage.then([Fault::Lost]);
    assert_eq!(sent(&session), "broken");
    assert_eq!(stage.told(), ["failed: session_held_elsewhere"]);
}

/// How many requests reach the platform in one minute in which a program sends ten a second, whatever the platform says.
#[track_caller]
fn check_pace(what: &str, fault: impl Fn() -> Fault + Send + 'static, most: usize) {
    let stage = stage();
    let session = stage.session();
    for _ in 0..600 {
        stage.then((0..4).map(|_| fault()));
        assert!(credentials(&session).is_err(), "{what}");
        stage.server.lock().unwrap().faults.clear();
        stage.clock.advance(Duration::from_millis(100));
    }
    let asked = stage.asked().len();
    assert!((1..=most).contains(&asked), "{what}: {asked} in a minute");
}

#[test]
fn whatever_the_platform_says_it_is_not_asked_in_a_tight_loop() {
    check_pace("not sent", || Fault::NotSent, 10);
    check_pace("lost", || Fault::Lost, 1);
    check_pace("no token", || Fault::Body(b"{}"), 1);
    for status in [400, 401, 403, 404, 429, 503, 307] {
        check_pace(&status.to_string(), move || Fault::Status(status), 10);
    }
    for status in [500, 502, 504] {
        check_pace(&status.to_string(), move || Fault::Status(status), 1);
    }
    for said in ["0", "-1", "soon", "Sun, 06 Nov 1994 08:49:37 GMT"] {
        check_pace(said, move || Fault::Patience(said), 60);
    }
    check_pace("for ever", || Fault::Patience("99999999999999999999"), 1);
}

/// A lifetime that nobody means makes neither a panic nor a tight loop.
#[test]
fn any_lifetime_is_taken() {
    let longest = Duration::MAX;
    for lifetime in [
        SessionLifetime::Fixed(Duration::ZERO),
        SessionLifetime::Sliding(Duration::ZERO),
        SessionLifetime::Fixed(longest),
        SessionLifetime::Sliding(longest),
    ] {
        let stage = stage();
        let log_in = log_in().with_lifetime(lifetime);
        let session = IbssoSession::new(log_in, stage.context.clone());
        stage.then([Fault::Lost]);
        assert!(credentials(&session).is_err(), "{lifetime:?}");
        stage.server.lock().unwrap().live = None;
        for _ in 0..600 {
            stage.clock.advance(Duration::from_millis(100));
            let _ = credentials(&session);
        }
        let asked = stage.asked().len();
        assert!((1..=130).contains(&asked), "{lifetime:?}: {asked} in a minute");
    }
}

/// A fallback that counts the refusals of what it made itself.
#[derive(Clone, Default)]
struct Stamped(Arc<(Stamper, Mutex<u32>)>);

impl Authenticator for Stamped {
    fn credentials<'a>(&'a self, _: RequestView<'a>) -> Flow<'a, Credentials> {
        let made = Credentials::header(AUTHORIZATION, HeaderValue::from_static("Basic weaker"));
        made.map(|made| made.stamped(self.0.0.stamp(1))).into()
    }

    fn assess(&self, sent: &Credentials, answer: Answer<'_>) -> Verdict {
        let is_refused = answer.status == StatusCode::UNAUTHORIZED;
        *self.0.1.lock().unwrap() += u32::from(is_refused && self.0.0.find(sent).is_some());
        Verdict::Accept
    }
}

#[test]
fn a_401_is_held_against_what_was_sent_be_it_the_session_or_the_fallback() {
    let (stage, weaker) = (stage(), Stamped::default());
    let session = stage.session().with_fallback(weaker.clone());
    let refusals = || *weaker.0.1.lock().unwrap();
    let first = credentials(&session).unwrap();
    stage.server.lock().unwrap().live = None;
    assert!(matches!(answered(&session, &first, 401), Verdict::Retry { .. }));
    assert_eq!((stage.told(), refusals()), (vec!["renewed".to_owned(), "condemned".to_owned()], 0));
    stage.then([Fault::Status(401), Fault::Lost]);
    let fallen = credentials(&session).unwrap();
    stage.told();
    assert!(matches!(answered(&session, &fallen, 401), Verdict::Accept));
    assert_eq!((stage.told(), refusals()), (vec![], 1));
    // An answer to the session that comes late is no reason to renew, and none for the fallback.
    assert!(matches!(answered(&session, &first, 401), Verdict::Accept | Verdict::Retry { .. }));
    assert_eq!((stage.told(), refusals()), (vec![], 1));
}
