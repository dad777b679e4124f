//! A session whose issuer lets only one token live at a time, before a server that knows which one that is.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use auth_core::{
    Answer, Authenticator, Clock, Context, Credentials, Error, Flow, Lifespan, PresentableToken,
    Refusal, Renewal, RequestView, Result, Stack, Succession, Token, TokenSource,
};
use auth_session::Session;
use auth_testing::{Gate, ManualClock, ScriptedTransport, SeededRandom};
use common::{Told, down};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};
use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    task::{Context as Task, Poll, Waker},
    thread,
    time::Duration,
};

const SETTLE: Duration = Duration::from_secs(10);

#[derive(Clone, Debug)]
struct Ticket(u32, Lifespan, &'static str);

impl Token for Ticket {
    fn lifespan(&self) -> Lifespan {
        self.1
    }

    fn succession(&self) -> Succession {
        Succession::Exclusive { settle: SETTLE }
    }
}

impl PresentableToken for Ticket {
    fn credentials(&self) -> Result<Credentials> {
        Credentials::header(HeaderName::from_static(self.2), HeaderValue::from(self.0))
    }

    fn refusal(answer: Answer<'_>) -> Option<Refusal> {
        (answer.status == StatusCode::UNAUTHORIZED).then(|| Refusal::new(answer.status))
    }
}

/// Destroys the old one, creates the next; they are presented in a field of this name.
struct LogIn(&'static str);

impl TokenSource for LogIn {
    type Token = Ticket;

    fn token<'a>(&'a self, context: &'a Context, why: Renewal<Ticket>) -> Flow<'a, Ticket> {
        let call = move |request: http::request::Builder| {
            context.transport.fetch(request.body(Vec::new()).unwrap().into())
        };
        Flow::new(async move {
            if let Renewal::Due(old) | Renewal::Refused(old, _) = why {
                call(Request::delete(format!("https://x.example/{}", old.0))).await?;
            }
            let answer = call(Request::post("https://x.example/")).await?;
            let number = String::from_utf8(answer.into_body()).unwrap().parse().unwrap();
            let end = context.clock.now().after(Duration::from_secs(3600));
            Ok(Ticket(number, Lifespan::Until(end), self.0))
        })
    }
}

/// What the server knows.
#[derive(Default)]
struct Server {
    /// The one that lives.
    live: Option<u32>,
    created: u32,
    is_down: bool,
    asked: Vec<String>,
}

struct Stage {
    server: Arc<Mutex<Server>>,
    clock: ManualClock,
    transport: ScriptedTransport,
    session: Session<LogIn>,
    told: Told,
}

fn stage(change: impl FnOnce(ScriptedTransport) -> ScriptedTransport) -> Stage {
    named("ibsso", change)
}

fn named(
    field: &'static str,
    change: impl FnOnce(ScriptedTransport) -> ScriptedTransport,
) -> Stage {
    let server = Arc::new(Mutex::new(Server::default()));
    let answering = Arc::clone(&server);
    let transport = change(ScriptedTransport::new(move |request| {
        let mut server = answering.lock().unwrap();
        server.asked.push(format!("{} {}", request.method(), request.uri().path()));
        if *request.method() == Method::DELETE {
            server.live = None;
            return Ok(Response::new(Vec::new()));
        }
        if server.is_down {
            return Err(down());
        }
        assert_eq!(server.live, None, "two would live");
        server.created += 1;
        server.live = Some(server.created);
        Ok(Response::new(server.created.to_string().into_bytes()))
    }));
    let (clock, told) = (ManualClock::at(1_000_000), Told::default());
    let context = Context::new(transport.clone())
        .with_clock(clock.clone())
        .with_random(SeededRandom::new(1))
        .with_observer(told.clone());
    Stage { session: Session::new(LogIn(field), context), server, clock, transport, told }
}

fn view<T>(with: impl FnOnce(RequestView<'_>) -> T) -> T {
    let (uri, headers) = (Uri::from_static("https://x.example/"), HeaderMap::new());
    with(RequestView::new(&Method::GET, &uri, &headers))
}

fn number(sent: &Credentials) -> u32 {
    let (mut uri, mut headers) = (Uri::from_static("https://x.example/"), HeaderMap::new());
    sent.commit(&mut uri, &mut headers).unwrap();
    headers.get("ibsso").unwrap().to_str().unwrap().parse().unwrap()
}

fn assess(by: &dyn Authenticator, sent: &Credentials, status: u16) {
    let (status, headers) = (StatusCode::from_u16(status).unwrap(), HeaderMap::new());
    view(|view| drop(by.assess(sent, Answer::new(view, status, &headers))));
}

fn poll<T>(flow: &mut Flow<'_, T>) -> Poll<Result<T>> {
    Pin::new(flow).poll(&mut Task::from_waker(Waker::noop()))
}

impl Stage {
    fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    fn credentials(&self) -> Credentials {
        view(|view| self.session.credentials(view).wait()).unwrap()
    }

    fn takes(&self) -> std::result::Result<u32, &'static str> {
        let held = self.session.token().wait();
        held.map(|held| held.token.0).map_err(|error: Error| error.code())
    }

    fn is_live(&self, number: u32) -> bool {
        self.server.lock().unwrap().live == Some(number)
    }

    fn asked(&self) -> Vec<String> {
        self.server.lock().unwrap().asked.clone()
    }
}

#[test]
fn nothing_is_renewed_ahead_of_time() {
    for change in [ScriptedTransport::with_background, |transport| transport] {
        let stage = stage(change);
        assert_eq!(stage.takes(), Ok(1));
        stage.transport.run();
        stage.pass(3569);
        assert_eq!((stage.takes(), stage.transport.run()), (Ok(1), 0));
        assert!(stage.is_live(1));
        stage.pass(1);
        assert_eq!(stage.takes(), Ok(2));
        assert_eq!(stage.asked(), ["POST /", "DELETE /1", "POST /"]);
    }
}

#[test]
fn it_is_not_handed_out_once_its_end_has_begun_not_even_if_that_fails() {
    let stage = stage(|transport| transport);
    assert_eq!(stage.takes(), Ok(1));
    stage.pass(3570);
    stage.server.lock().unwrap().is_down = true;
    for times in 1..=3 {
        assert_eq!(stage.takes(), Err("down"), "1 was destroyed, though its time is not over");
        assert_eq!(stage.takes(), Err("down"), "and a pause is kept");
        assert_eq!(stage.asked().len(), 1 + 2 * times);
        stage.pass(4);
    }
    stage.server.lock().unwrap().is_down = false;
    assert_eq!(stage.takes(), Ok(2));
    assert_eq!(stage.asked().last_chunk(), Some(&["DELETE /1", "POST /"].map(String::from)));
    assert_eq!(stage.told.lines()[..2], ["unnamed: renewed", "unnamed: down"]);
}

/// What keeps the renewal waiting, and what ends that.
#[track_caller]
fn check_settles(what: &str, uses: impl FnOnce(&Stage) -> Box<dyn FnOnce(&Stage)>) {
    let pausing = Gate::closed();
    let stage = stage(|transport| transport.with_pause_gate(pausing.clone()));
    let ends = uses(&stage);
    stage.pass(3570);
    let mut waiting = stage.session.token();
    assert!(poll(&mut waiting).is_pending(), "{what}: it waits");
    assert_eq!(stage.transport.pauses(), [SETTLE]);
    assert!(poll(&mut waiting).is_pending() && stage.is_live(1), "{what}: nothing is destroyed");
    ends(&stage);
    assert_eq!(waiting.wait().unwrap().token.0, 2, "{what}");
}

#[test]
fn the_exchange_begins_when_every_use_is_over() {
    check_settles("dropped", |stage| {
        let sent = stage.credentials();
        Box::new(move |_| drop(sent))
    });
    check_settles("the last clone is dropped", |stage| {
        let sent = stage.credentials();
        let other = sent.clone();
        drop(sent);
        Box::new(move |_| drop(other))
    });
    for status in [200, 401, 500] {
        check_settles("assessed while the adapter still holds them", move |stage| {
            let sent = stage.credentials();
            Box::new(move |stage| {
                assess(&stage.session, &sent, status);
                // Twice counts once.
                assess(&stage.session, &sent, status);
                Box::leak(Box::new(sent));
            })
        });
    }
    check_settles("two of them", |stage| {
        let (one, other) = (stage.credentials(), stage.credentials());
        Box::new(move |stage| {
            assess(&stage.session, &one, 200);
            drop(one);
            let mut waiting = stage.session.token();
            assert!(poll(&mut waiting).is_pending(), "the other one is still under way");
            drop(other);
        })
    });
    check_settles("with others' credentials", |stage| {
        let key = || {
            let name = HeaderName::from_static("key");
            Credentials::header(name, HeaderValue::from_static("k")).unwrap()
        };
        let sent = key().and(stage.credentials()).unwrap().and(Credentials::none()).unwrap();
        Box::new(move |stage| {
            assess(&stage.session, &sent, 200);
            Box::leak(Box::new(sent));
        })
    });
    check_settles("a token that a scheme computes with", |stage| {
        let held = stage.session.token().wait().unwrap();
        Box::new(move |_| drop(held))
    });
}

/// Two sessions whose tokens are presented together: each knows its own uses, and the answer is one.
#[test]
fn two_of_them_on_one_request_do_not_disturb_each_other() {
    let (one, other) = (stage(|transport| transport), named("other", |transport| transport));
    let both = Stack(one.session.clone(), other.session.clone());
    let sent = view(|view| both.credentials(view).wait()).unwrap();
    let pausing = |stage: &Stage| stage.transport.pauses().len();
    assess(&both, &sent, 200);
    for stage in [&one, &other] {
        stage.pass(3570);
        assert_eq!((stage.takes(), pausing(stage)), (Ok(2), 0), "nothing to wait for");
    }
}

/// A request that hangs keeps a renewal from nothing but its settling time.
#[test]
fn after_the_settling_time_it_begins_whatever_is_under_way() {
    let pausing = Gate::closed();
    let stage = stage(|transport| transport.with_pause_gate(pausing.clone()));
    let hangs = stage.credentials();
    stage.pass(3570);
    let mut waiting = stage.session.token();
    assert!(poll(&mut waiting).is_pending() && stage.is_live(1));
    pausing.open();
    assert_eq!(waiting.wait().unwrap().token.0, 2);
    assert_eq!(stage.transport.pauses(), [SETTLE]);
    drop(hangs);
    assert_eq!(stage.takes(), Ok(2));
}

/// All who wait for it give up: the session is where it was, and the next caller drives the renewal on.
#[test]
fn callers_that_give_up_while_it_settles_take_nothing_with_them() {
    let pausing = Gate::closed();
    let stage = stage(|transport| transport.with_pause_gate(pausing.clone()));
    let sent = stage.credentials();
    stage.pass(3570);
    for _ in 0..9 {
        assert!(poll(&mut stage.session.token()).is_pending());
    }
    assert!(stage.is_live(1));
    drop(sent);
    assert_eq!((stage.takes(), stage.asked().len()), (Ok(2), 3));
}

/// A token is put while the renewal still waits: nothing has been asked for, and nothing is, since it would end that one.
#[test]
fn what_is_put_while_it_settles_is_not_ended_by_the_renewal() {
    let stage = stage(|transport| transport.with_pause_gate(Gate::closed()));
    let sent = stage.credentials();
    stage.pass(3570);
    let mut waiting = stage.session.token();
    assert!(poll(&mut waiting).is_pending());
    let end = Lifespan::Until(stage.clock.now().after(Duration::from_secs(3600)));
    stage.session.put(Ticket(77, end, "ibsso")).unwrap();
    drop(sent);
    assert_eq!((waiting.wait().unwrap().token.0, stage.takes()), (77, Ok(77)));
    assert_eq!(stage.asked(), ["POST /"]);
}

/// The last who had the session drops it while the renewal waits in the background: nothing is destroyed or created for
/// nobody.
#[test]
fn a_session_that_is_dropped_while_it_settles_asks_for_nothing() {
    let stage = stage(|transport| transport.with_pause_gate(Gate::closed()).with_background());
    assert_eq!(stage.takes(), Ok(1));
    stage.transport.run();
    let sent = stage.credentials();
    stage.pass(3570);
    assert!(poll(&mut stage.session.token()).is_pending());
    let Stage { session, transport, server, .. } = stage;
    drop((session, sent));
    transport.run();
    assert_eq!(server.lock().unwrap().asked, ["POST /"]);
}

/// A session that is ended after a renewal that failed gives back the token that the renewal may not have ended.
#[test]
fn an_ended_session_gives_back_a_token_whose_end_had_only_begun() {
    let stage = stage(|transport| transport);
    assert_eq!(stage.takes(), Ok(1));
    stage.pass(3570);
    stage.server.lock().unwrap().is_down = true;
    assert_eq!(stage.takes(), Err("down"));
    assert_eq!(stage.session.end().wait().unwrap().unwrap().0, 1);
}

/// A session is ended while the renewal still waits: nothing has been asked for, and the old token is given back alive.
#[test]
fn a_session_that_is_ended_while_it_settles_asks_for_nothing() {
    let stage = stage(|transport| transport.with_pause_gate(Gate::closed()));
    let sent = stage.credentials();
    stage.pass(3570);
    let mut waiting = stage.session.token();
    assert!(poll(&mut waiting).is_pending());
    let ending = stage.session.end();
    drop(sent);
    assert_eq!(ending.wait().unwrap().unwrap().0, 1);
    assert_eq!(waiting.wait().unwrap_err().code(), "session_ended");
    assert_eq!(stage.asked(), ["POST /"], "a token was ended and another one made for nobody");
}

/// Says why it was asked, and fails the first time.
struct Asked(Mutex<Vec<&'static str>>);

impl TokenSource for Asked {
    type Token = Ticket;

    fn token<'a>(&'a self, _: &'a Context, why: Renewal<Ticket>) -> Flow<'a, Ticket> {
        let mut asked = self.0.lock().unwrap();
        asked.push(match why {
            Renewal::First => "first",
            Renewal::Due(_) => "due",
            Renewal::Refused(..) => "refused",
        });
        match asked.len() {
            2 => Flow::failed(down()),
            number => Flow::ready(Ticket(
                u32::try_from(number).unwrap(),
                Lifespan::Idle(Duration::from_secs(100)),
                "ibsso",
            )),
        }
    }
}

/// The last answer to it says that it is dead: a renewal that failed with it is not tried with it again.
#[test]
fn a_token_that_was_refused_while_it_settles_is_dead_for_the_next_attempt() {
    let clock = ManualClock::at(1_000_000);
    let transport =
        ScriptedTransport::new(|_| Ok(Response::default())).with_pause_gate(Gate::closed());
    let context =
        Context::new(transport).with_clock(clock.clone()).with_random(SeededRandom::new(1));
    let session = Session::new(Asked(Mutex::default()), context);
    let sent = view(|request| session.credentials(request).wait().unwrap());
    clock.advance(Duration::from_secs(95));
    let mut waiting = session.token();
    assert!(poll(&mut waiting).is_pending());
    assess(&session, &sent, 401);
    assert_eq!(waiting.wait().unwrap_err().code(), "down");
    clock.advance(Duration::from_secs(2));
    assert_eq!(session.token().wait().unwrap().token.0, 3);
    assert_eq!(*session.source().0.lock().unwrap(), ["first", "due", "refused"]);
}

/// A refused one is dead already: nobody waits for those who use it.
#[test]
fn a_refused_one_is_renewed_at_once() {
    let pausing = Gate::closed();
    let stage = stage(|transport| transport.with_pause_gate(pausing.clone()));
    let (sent, _hangs) = (stage.credentials(), stage.credentials());
    assess(&stage.session, &sent, 401);
    assert_eq!((stage.takes(), stage.transport.pauses().len()), (Ok(2), 0));
    assert_eq!(stage.asked(), ["POST /", "DELETE /1", "POST /"]);
}

/// A planned renewal under load from eight threads, some of which give up: not one request is refused. Twenty times.
#[test]
fn a_planned_renewal_refuses_no_request() {
    // The settling time is never over: only the uses tell when the exchange may begin.
    let stage = stage(|transport| transport.with_pause_gate(Gate::closed()));
    let (refused, sent) = (AtomicU32::new(0), AtomicU32::new(0));
    let over = AtomicBool::new(false);
    let call = |n: u32| {
        let made = stage.credentials();
        sent.fetch_add(1, Ordering::SeqCst);
        if n % 7 == 0 {
            return; // Gives up before it sends.
        }
        if n % 3 == 0 {
            thread::yield_now();
        }
        let is_live = stage.is_live(number(&made));
        refused.fetch_add(u32::from(!is_live), Ordering::SeqCst);
        if n % 5 != 0 {
            assess(&stage.session, &made, if is_live { 200 } else { 401 });
        }
    };
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..).take_while(|_| !over.load(Ordering::SeqCst)).for_each(call));
        }
        for _ in 0..20 {
            let before = sent.load(Ordering::SeqCst);
            while sent.load(Ordering::SeqCst) < before + 200 {
                thread::yield_now();
            }
            let created = stage.server.lock().unwrap().created;
            stage.pass(3570);
            while stage.server.lock().unwrap().created == created {
                thread::yield_now();
            }
        }
        over.store(true, Ordering::SeqCst);
    });
    let created = stage.server.lock().unwrap().created;
    assert!(created >= 21, "{created}");
    assert_eq!(refused.into_inner(), 0);
}
