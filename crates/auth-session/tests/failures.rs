//! What goes wrong around a session, and what it makes of it: clocks that are set, sources that panic, tokens that are
//! none, leases that cannot be given back.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use auth_core::{
    Answer, Authenticator, Cause, Clock, Context, Credentials, Error, Flow, Lifespan,
    PresentableToken, Refusal, Renewal, RequestView, Result, Secret, Timestamp, Token, TokenSource,
};
use auth_session::{
    Intent, Lease, MemoryTokenStore, SaveOutcome, Session, StorableToken, Stored, StoredEntry,
    TokenStore,
};
use auth_testing::{Gate, ManualClock, ScriptedTransport, SeededRandom};
use common::{Background, Does, Told, answered, down, made, number, stage};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::Duration,
};

const DAY: u64 = 86_400;

/// A failure, a clock that somebody sets to any moment, and a pause that is as long as it was.
#[test]
fn a_clock_that_is_set_makes_no_pause_longer_or_shorter() {
    let busy = |said| Error::Unavailable {
        retry_after: Some(Duration::from_secs(said)),
        cause: Cause::new("busy", "later"),
    };
    for (error, pause) in [(down(), 1), (busy(90), 100), (busy(DAY), 3960)] {
        for set_to in [0, 1_000_000 - DAY, 1_000_000 + DAY] {
            let stage = stage(Background::None);
            stage.issuer.then(Does::Fails(error.clone()));
            assert_eq!(stage.sends(), Err(error.code()));
            stage.clock.set(Timestamp::from_unix(set_to));
            assert_eq!((stage.sends(), stage.issuer.times()), (Err(error.code()), 1), "{set_to}");
            stage.pass(pause);
            assert_eq!(stage.sends(), Ok(1), "{} after {pause} s, set to {set_to}", error.code());
        }
    }
}

/// An issuer that asks for no patience at all, or for some in the past, is asked once a second, not with each request.
#[test]
fn an_issuer_that_asks_for_no_patience_is_not_asked_in_a_tight_loop() {
    let stage = stage(Background::None);
    let busy = || Error::Unavailable {
        retry_after: Some(Duration::ZERO),
        cause: Cause::new("busy", "now"),
    };
    for _ in 0..600 {
        stage.issuer.then(Does::Fails(busy()));
    }
    for _ in 0..600 {
        assert_eq!(stage.sends(), Err("busy"));
        stage.clock.advance(Duration::from_millis(100));
    }
    assert!((50..=60).contains(&stage.issuer.times()), "{} in a minute", stage.issuer.times());
}

#[test]
fn a_caller_in_a_pause_is_told_what_is_left_of_it() {
    let stage = stage(Background::None);
    let told = || match made(&stage.session) {
        Err(Error::Unavailable { retry_after: Some(left), .. }) => left.as_secs(),
        other => panic!("{other:?}"),
    };
    let hour = Some(Duration::from_secs(3600));
    stage.issuer.then(Does::Fails(Error::unavailable("busy", hour, "later")));
    assert_eq!(told(), 3600, "the one who asked is told what the issuer said");
    stage.pass(3000);
    let left = told();
    assert!((600..=960).contains(&left), "of an hour and at most a tenth: {left}");
    stage.pass(left + 1);
    assert_eq!(stage.sends(), Ok(1));
}

/// Idle spans are spans too: what the clock is set to neither ends a token nor keeps one alive.
#[test]
fn a_clock_that_is_set_does_not_touch_an_idle_token() {
    let stage = stage(Background::None);
    stage.issuer.then(Does::Gives(Lifespan::Idle(Duration::from_secs(3600))));
    assert_eq!(stage.sends(), Ok(1));
    stage.clock.set(Timestamp::from_unix(1_000_000 + DAY));
    assert_eq!(stage.sends(), Ok(1));
    stage.clock.set(Timestamp::from_unix(1_000_000));
    stage.pass(3240);
    assert_eq!(stage.sends(), Ok(2), "nine tenths of its span have passed");
}

#[test]
fn an_idle_token_slides_when_it_is_taken_for_a_span() {
    let stage = stage(Background::None);
    stage.issuer.then(Does::Gives(Lifespan::Idle(Duration::from_secs(3600))));
    for _ in 0..10 {
        let needed = stage.clock.now().after(Duration::from_secs(60));
        assert_eq!(stage.session.token_until(needed).wait().unwrap().token.number, 1);
        stage.pass(3239);
    }
    stage.pass(1);
    assert_eq!(stage.sends(), Ok(2));
}

/// An API that answers 404 or 409 to what was wrong with the request itself proves nothing, but a week of use does.
#[test]
fn a_token_that_lived_for_long_was_not_fruitless() {
    for (lived, fruitless) in [(0, true), (59, true), (60, false), (7 * DAY, false)] {
        let stage = stage(Background::None);
        for _ in 0..9 {
            stage.issuer.then(Does::Gives(Lifespan::Unknown));
        }
        for generation in 1..=3 {
            let sent = made(&stage.session).unwrap();
            assert_eq!(number(&sent), generation);
            assert!(!answered(&stage.session, &sent, 409));
            stage.pass(lived);
            let worth_another = !(fruitless && generation >= 2);
            assert_eq!(answered(&stage.session, &sent, 401), worth_another, "lived for {lived} s");
            let expected = if worth_another { generation + 1 } else { generation };
            assert_eq!(stage.sends(), Ok(expected), "lived for {lived} s");
            if !worth_another {
                break;
            }
        }
    }
}

/// Panics as often as it is told to, when its gate is open.
struct Panics {
    times: AtomicU32,
    asked: AtomicU32,
    gate: Gate,
}

impl TokenSource for Panics {
    type Token = common::Badge;

    fn token<'a>(&'a self, _: &'a Context, _: Renewal<Self::Token>) -> Flow<'a, Self::Token> {
        let number = self.asked.fetch_add(1, Ordering::SeqCst);
        self.gate.pass().map(move |()| {
            let panics = number < self.times.load(Ordering::SeqCst);
            assert!(!panics, "a bug that shows {number} times");
            common::Badge { number, lifespan: Lifespan::Unknown }
        })
    }
}

fn panics(times: u32, transport: ScriptedTransport) -> (Session<Panics>, ManualClock, Told) {
    let (clock, told) = (ManualClock::at(1_000_000), Told::default());
    let context = Context::new(transport)
        .with_clock(clock.clone())
        .with_random(SeededRandom::new(1))
        .with_observer(told.clone());
    let times = AtomicU32::new(times);
    let source = Panics { times, asked: AtomicU32::new(0), gate: Gate::opened() };
    (Session::new(source, context), clock, told)
}

fn take(session: &Session<Panics>) -> std::result::Result<u32, &'static str> {
    let taken = catch_unwind(AssertUnwindSafe(|| session.token().wait()));
    let taken = taken.map_err(|_| "panicked")?;
    taken.map(|held| held.token.number).map_err(|error| error.code())
}

#[test]
fn a_source_that_panicked_is_asked_again_after_the_usual_pause() {
    let (session, clock, told) = panics(2, ScriptedTransport::new(|_| Err(down())));
    for (longest, asked) in [(1_u64, 1), (2, 2)] {
        assert_eq!(take(&session), Err("panicked"), "it reaches the caller that drove it");
        assert_eq!(take(&session), Err("session_source_panicked"));
        clock.advance(Duration::from_millis(longest * 500 - 1));
        assert_eq!(take(&session), Err("session_source_panicked"), "too early");
        assert_eq!(session.source().asked.load(Ordering::SeqCst), asked);
        clock.advance(Duration::from_millis(longest * 500 + 1));
    }
    assert_eq!((take(&session), take(&session)), (Ok(2), Ok(2)));
    let failed = "unnamed: session_source_panicked";
    assert_eq!(told.lines(), [failed, failed, "unnamed: renewed"]);
}

/// Sixteen callers wait when it panics: one of them has the panic, the others an error, and nobody is left asleep.
#[test]
fn nobody_is_left_asleep_by_a_source_that_panics() {
    for background in [false, true] {
        let transport = ScriptedTransport::new(|_| Err(down()));
        let transport = if background { transport.with_background() } else { transport };
        let (session, clock, _) = panics(1, transport.clone());
        session.source().gate.close();
        let mut outcomes = thread::scope(|scope| {
            let callers: Vec<_> = (0..16).map(|_| scope.spawn(|| take(&session))).collect();
            while session.source().asked.load(Ordering::SeqCst) == 0 {
                thread::yield_now();
            }
            session.source().gate.open();
            callers.into_iter().map(|caller| caller.join().unwrap()).collect::<Vec<_>>()
        });
        outcomes.sort_unstable();
        assert_eq!(outcomes[0], Err("panicked"));
        assert_eq!(outcomes[1..], [Err("session_source_panicked"); 15]);
        transport.run();
        clock.advance(Duration::from_secs(1));
        assert_eq!(take(&session), Ok(1));
    }
}

/// A token is a line of text, which may be one that no field can hold.
#[derive(Clone, Debug)]
struct Line(String);

impl Token for Line {
    fn lifespan(&self) -> Lifespan {
        Lifespan::Unknown
    }
}

impl PresentableToken for Line {
    fn credentials(&self) -> Result<Credentials> {
        let value = HeaderValue::from_str(&self.0).map_err(|e| Error::protocol("line", e))?;
        Credentials::header(HeaderName::from_static("line"), value)
    }

    fn refusal(_: Answer<'_>) -> Option<Refusal> {
        None
    }
}

impl StorableToken for Line {
    fn to_rest(&self) -> Secret {
        Secret::from(self.0.as_str())
    }

    fn from_rest(bytes: &[u8]) -> Result<Self> {
        Ok(Self(String::from_utf8(bytes.to_vec()).unwrap()))
    }
}

/// Gives these lines one after the other, and then good ones; notes why it is asked.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<(Vec<&'static str>, Vec<String>)>>);

impl TokenSource for Lines {
    type Token = Line;

    fn token<'a>(&'a self, _: &'a Context, why: Renewal<Line>) -> Flow<'a, Line> {
        let mut state = self.0.lock().unwrap();
        let why = format!("{why:?}");
        state.1.push(why);
        let line = if state.0.is_empty() { "good" } else { state.0.remove(0) };
        Flow::ready(Line(line.into()))
    }
}

fn lines(bad: &[&'static str]) -> (Lines, Context, ManualClock, Told) {
    let (clock, told) = (ManualClock::at(1_000_000), Told::default());
    let context = Context::new(ScriptedTransport::new(|_| Err(down())))
        .with_clock(clock.clone())
        .with_random(SeededRandom::new(1))
        .with_observer(told.clone());
    (Lines(Arc::new(Mutex::new((bad.to_vec(), Vec::new())))), context, clock, told)
}

fn sends<S>(session: &Session<S>) -> std::result::Result<(), &'static str>
where
    S: TokenSource + 'static,
    S::Token: PresentableToken,
{
    let (uri, headers) = (Uri::from_static("https://a.example/"), HeaderMap::new());
    let sent = session.credentials(RequestView::new(&Method::GET, &uri, &headers)).wait();
    sent.map(|_| ()).map_err(|error| error.code())
}

#[test]
fn a_token_that_no_field_can_hold_is_not_kept() {
    let (source, context, clock, told) = lines(&["<html>\n", "two\nlines"]);
    let session = Session::new(source.clone(), context).with_name("acme");
    let asked = || source.0.lock().unwrap().1.len();
    for (longest, before) in [(1_u64, 1), (2, 2)] {
        assert_eq!((sends(&session), asked()), (Err("line"), before));
        clock.advance(Duration::from_millis(longest * 500 - 1));
        assert_eq!((sends(&session), asked()), (Err("line"), before), "no hot loop");
        clock.advance(Duration::from_millis(longest * 500 + 1));
    }
    assert_eq!((sends(&session), asked()), (Ok(()), 3));
    let asked = source.0.lock().unwrap().1.clone();
    assert_eq!(asked, ["First", r#"Due(Line("<html>\n"))"#, r#"Due(Line("two\nlines"))"#]);
    let [renewed, failed] = ["acme: renewed", "acme: line"];
    assert_eq!(told.lines(), [renewed, failed, renewed, failed, renewed]);
}

/// Neither when it is saved in a store: it is not loaded from there again and again.
#[test]
fn nor_is_one_that_was_saved() {
    let (source, context, clock, _) = lines(&["<html>\n"]);
    let store = MemoryTokenStore::new(clock.clone());
    let session = Session::new(Stored::new(source, store, "n"), context);
    assert_eq!(sends(&session), Err("line"));
    clock.advance(Duration::from_secs(1));
    assert_eq!(sends(&session), Ok(()));
}

/// Eight callers at once meet it: one failure, one pause.
#[test]
fn a_token_that_no_field_can_hold_fails_once_for_all() {
    let (source, context, _, told) = lines(&["<html>\n"]);
    let session = Session::new(source, context);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(sends(&session), Err("line")));
        }
    });
    assert_eq!(told.lines(), ["unnamed: renewed", "unnamed: line"]);
}

/// A store that takes no lease back.
#[derive(Clone)]
struct Leaky(MemoryTokenStore);

impl TokenStore for Leaky {
    fn load(&self, name: &str) -> Flow<'_, Option<StoredEntry>> {
        self.0.load(name)
    }

    fn lease(&self, name: &str, hold: Duration) -> Flow<'_, Option<Lease>> {
        self.0.lease(name, hold)
    }

    fn save(&self, name: &str, lease: Lease, token: Option<&Secret>) -> Flow<'_, SaveOutcome> {
        self.0.save(name, lease, token)
    }

    fn intend(&self, name: &str, lease: Lease, intent: Option<Intent>) -> Flow<'_, SaveOutcome> {
        self.0.intend(name, lease, intent)
    }

    fn release(&self, _: &str, _: Lease) -> Flow<'_, ()> {
        Flow::failed(Error::transport("release", "connection reset"))
    }
}

struct Refuses;

impl TokenSource for Refuses {
    type Token = Line;

    fn token<'a>(&'a self, _: &'a Context, _: Renewal<Line>) -> Flow<'a, Line> {
        Flow::failed(Error::refused("invalid_grant", "consent is needed"))
    }
}

#[test]
fn a_lease_that_cannot_be_given_back_hides_neither_a_token_nor_an_error() {
    let (source, context, clock, _) = lines(&[]);
    let store = || Leaky(MemoryTokenStore::new(clock.clone()));
    let good = Session::new(Stored::new(source.clone(), store(), "n"), context.clone());
    assert_eq!(sends(&good), Ok(()));
    let bad = Session::new(Stored::new(Refuses, store(), "n"), context.clone());
    assert_eq!(sends(&bad), Err("invalid_grant"));
    let stored = Stored::new(source, store(), "n");
    assert_eq!(stored.put(&context, Line("put".into())).wait().unwrap().token().0, "put");
}

/// Panics whenever it is told that something failed.
struct Broken;

impl auth_core::Observer for Broken {
    fn observe(&self, event: auth_core::Event<'_>) {
        assert!(!matches!(event, auth_core::Event::RenewalFailed { .. }), "a bug in an observer");
    }
}

#[test]
fn nobody_is_left_asleep_by_an_observer_that_panics() {
    let clock = ManualClock::at(1_000_000);
    let context = Context::new(ScriptedTransport::new(|_| Err(down())))
        .with_clock(clock.clone())
        .with_random(SeededRandom::new(1))
        .with_observer(Broken);
    let issuer = common::Issuer::new(&clock);
    issuer.then(Does::Fails(down()));
    issuer.gate().close();
    let session = Session::new(issuer.clone(), context);
    let (send, outcomes) = std::sync::mpsc::channel();
    for _ in 0..4 {
        let (session, send) = (session.clone(), send.clone());
        thread::spawn(move || {
            let taken = catch_unwind(AssertUnwindSafe(|| session.token().wait()));
            let _ = send.send(taken.map_or("panicked", |taken| taken.unwrap_err().code()));
        });
    }
    thread::sleep(Duration::from_millis(50));
    issuer.gate().open();
    for _ in 0..4 {
        assert_eq!(outcomes.recv_timeout(Duration::from_secs(5)), Ok("down"), "left asleep");
    }
}

/// By our clock, which is ahead of the issuer's by more than a token lives.
#[test]
fn tokens_that_have_ended_when_they_come_do_not_cause_an_exchange_each() {
    let stage = stage(Background::None);
    for _ in 0..40 {
        stage.issuer.then(Does::GivesFor(0));
    }
    for _ in 0..30 {
        assert!(stage.sends().is_ok());
        stage.pass(1);
    }
    assert_eq!(stage.issuer.times(), 3, "for 30 requests in 30 seconds");
}
