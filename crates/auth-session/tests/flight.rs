//! Work that is shared: what holds for a flight by itself, and for a probe that several sessions hang on.

#![allow(clippy::unwrap_used, clippy::panic)]

use auth_core::{
    Answer, Authenticator, Context, Credentials, Flow, Lifespan, NextStep, PresentableToken,
    Refusal, Renewal, RequestView, Result, RetryBudget, Token, TokenSource, Verdict,
};
use auth_session::{Flight, FlightWatch, Session};
use auth_testing::{Gate, ManualClock, ScriptedTransport};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};
use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{
        Arc, Barrier, Mutex,
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
    task::{Context as Task, Poll, Wake, Waker},
    thread,
    time::Duration,
};

/// A flight that counts how often its work ran, behind a gate.
fn flight(gate: &Gate) -> (Arc<Flight<u32>>, Arc<AtomicU32>) {
    let (passed, runs) = (gate.pass(), Arc::new(AtomicU32::new(0)));
    let ran = Arc::clone(&runs);
    let work = async move {
        let _ = passed.await;
        ran.fetch_add(1, Ordering::SeqCst) + 7
    };
    (Arc::new(Flight::new(work, || 0)), runs)
}

fn wait(watch: FlightWatch<u32>) -> u32 {
    Flow::new(async move { Ok(watch.await) }).wait().unwrap()
}

fn poll(watch: &mut FlightWatch<u32>, waker: &Waker) -> Poll<u32> {
    Pin::new(watch).poll(&mut Task::from_waker(waker))
}

#[test]
fn it_runs_once_for_all_who_watch_and_for_who_comes_late() {
    let gate = Gate::closed();
    let (flight, runs) = flight(&gate);
    thread::scope(|scope| {
        for n in 0..16 {
            let flight = Arc::clone(&flight);
            scope.spawn(move || {
                let mut watch = flight.watch();
                // Every other one gives up after a look.
                if n % 2 == 0 {
                    let _ = poll(&mut watch, Waker::noop());
                } else {
                    assert_eq!(wait(watch), 7);
                }
            });
        }
        thread::sleep(Duration::from_millis(20));
        gate.open();
    });
    assert_eq!((wait(flight.watch()), runs.load(Ordering::SeqCst)), (7, 1));
    assert_eq!(format!("{flight:?}"), "Flight(landed, 0 watches)");
}

/// It stands still while nobody watches, says so, and goes on where it stopped.
#[test]
fn the_next_watch_goes_on_where_the_last_one_stopped() {
    let gate = Gate::closed();
    let (flight, runs) = flight(&gate);
    assert!(!flight.is_watched());
    let mut watch = flight.watch();
    assert!(flight.is_watched() && poll(&mut watch, Waker::noop()).is_pending());
    drop(watch);
    assert!(!flight.is_watched() && !flight.has_landed());
    gate.open();
    assert_eq!((wait(flight.watch()), runs.load(Ordering::SeqCst)), (7, 1));
    assert!(flight.has_landed());
}

#[test]
fn a_panic_reaches_one_watch_and_the_fallback_all_others() {
    let fell = Arc::new(AtomicU32::new(0));
    let falls = Arc::clone(&fell);
    let work = async { panic!("a bug") };
    let flight = Flight::new(work, move || falls.fetch_add(1, Ordering::SeqCst) + 1);
    let mut waiting = flight.watch();
    let driving = flight.watch();
    assert!(catch_unwind(AssertUnwindSafe(|| wait(driving))).is_err());
    assert_eq!(poll(&mut waiting, Waker::noop()), Poll::Ready(1));
    assert_eq!((wait(flight.watch()), fell.load(Ordering::SeqCst)), (1, 1));
}

/// Runs when it is polled for the second time, so that the first watch is asleep by then.
async fn at_the_second_poll<T>(run: impl FnOnce() -> T) -> T {
    let mut polls = 0;
    std::future::poll_fn(|_| {
        polls += 1;
        if polls > 1 { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    run()
}

fn panics<T>(run: impl FnOnce() -> T) -> bool {
    catch_unwind(AssertUnwindSafe(run)).is_err()
}

#[test]
fn a_fallback_that_panics_leaves_nobody_asleep() {
    let work = at_the_second_poll(|| panic!("a bug"));
    let flight = Flight::<u32>::new(work, || panic!("another one"));
    let woken = Arc::new(Woken::default());
    let (mut waiting, driving) = (flight.watch(), flight.watch());
    assert!(poll(&mut waiting, &Arc::clone(&woken).into()).is_pending());
    assert!(panics(|| wait(driving)));
    assert_eq!(woken.0.load(Ordering::SeqCst), 1, "it was left asleep");
    assert!(panics(|| poll(&mut waiting, Waker::noop())), "there is nothing to wait for");
    let mut late = flight.watch();
    assert!(panics(move || poll(&mut late, Waker::noop())));
    assert!(flight.has_landed(), "its owner would keep it for ever");
    assert_eq!(format!("{flight:?}"), "Flight(landed, 1 watches)");
}

/// An outcome whose clone panics once.
struct Fragile(Arc<AtomicU32>);

impl Clone for Fragile {
    fn clone(&self) -> Self {
        assert!(self.0.fetch_add(1, Ordering::SeqCst) > 0, "a bug in a clone");
        Self(Arc::clone(&self.0))
    }
}

#[test]
fn an_outcome_whose_clone_panics_leaves_nobody_asleep() {
    let clones = Arc::new(AtomicU32::new(0));
    let outcome = Fragile(Arc::clone(&clones));
    let flight = Flight::new(at_the_second_poll(move || outcome), || panic!("not asked"));
    let woken = Arc::new(Woken::default());
    let (mut waiting, mut driving) = (flight.watch(), flight.watch());
    let mut task = Waker::from(Arc::clone(&woken));
    assert!(Pin::new(&mut waiting).poll(&mut Task::from_waker(&task)).is_pending());
    task = Waker::noop().clone();
    assert!(panics(|| Pin::new(&mut driving).poll(&mut Task::from_waker(&task)).is_ready()));
    assert_eq!(woken.0.load(Ordering::SeqCst), 1, "it was left asleep");
    assert!(Pin::new(&mut waiting).poll(&mut Task::from_waker(&task)).is_ready());
}

/// A waker that owns a watch of the same flight: dropping the one drops the other, and that must not happen under the
/// flight's lock.
struct Owner(Mutex<Option<FlightWatch<u32>>>);

impl Wake for Owner {
    fn wake(self: Arc<Self>) {
        // Woken, it looks at the flight once more.
        if let Some(watch) = self.0.lock().unwrap().as_mut() {
            let _ = poll(watch, Waker::noop());
        }
    }
}

/// Runs on a thread of its own; fails when that hangs.
#[track_caller]
fn does_not_hang(what: &str, run: impl FnOnce() + Send + 'static) {
    let (send, done) = mpsc::channel();
    thread::spawn(move || {
        run();
        send.send(()).unwrap();
    });
    assert!(done.recv_timeout(Duration::from_secs(10)).is_ok(), "{what}: dead lock");
}

#[test]
fn a_waker_that_owns_another_watch_does_not_dead_lock() {
    for ends in ["is replaced", "is dropped with its watch", "is woken", "is there at the end"] {
        does_not_hang(ends, move || {
            let gate = Gate::closed();
            let (flight, _) = flight(&gate);
            let (mut one, mut other) = (flight.watch(), flight.watch());
            let _ = poll(&mut other, Waker::noop());
            let owner = Waker::from(Arc::new(Owner(Mutex::new(Some(other)))));
            let _ = poll(&mut one, &owner);
            drop(owner);
            match ends {
                "is replaced" => drop(poll(&mut one, Waker::noop())),
                "is dropped with its watch" => drop(one),
                "is woken" => gate.open(),
                _ => {
                    gate.open();
                    assert_eq!(wait(flight.watch()), 7);
                    assert_eq!(poll(&mut one, Waker::noop()), Poll::Ready(7));
                }
            }
        });
    }
}

/// A token of one of two sessions, both of which are presented on every request; only a probe tells which was refused.
#[derive(Clone)]
struct Mark(&'static str, u32);

impl Token for Mark {
    fn lifespan(&self) -> Lifespan {
        Lifespan::Unknown
    }
}

impl PresentableToken for Mark {
    fn credentials(&self) -> Result<Credentials> {
        Credentials::header(HeaderName::from_static(self.0), HeaderValue::from(self.1))
    }

    fn refusal(_: Answer<'_>) -> Option<Refusal> {
        None
    }
}

struct LogIn(&'static str, AtomicU32);

impl TokenSource for LogIn {
    type Token = Mark;

    fn token<'a>(&'a self, _: &'a Context, _: Renewal<Mark>) -> Flow<'a, Mark> {
        Flow::ready(Mark(self.0, self.1.fetch_add(1, Ordering::SeqCst) + 1))
    }
}

/// The generations of both.
type Pair = (u64, u64);

#[derive(Clone)]
struct Two(Arc<Inner>);

struct Inner {
    pod: Session<LogIn>,
    agent: Session<LogIn>,
    context: Context,
    probe: Mutex<Probe>,
}

#[derive(Default)]
struct Probe {
    under_way: Option<(Pair, Flight<Result<()>>)>,
    settled: Option<Pair>,
}

impl Two {
    fn new(context: Context) -> Self {
        let log_in =
            |name| Session::new(LogIn(name, AtomicU32::new(0)), context.clone()).with_name(name);
        let (pod, agent) = (log_in("sessiontoken"), log_in("keymanagertoken"));
        Self(Arc::new(Inner { pod, agent, context, probe: Mutex::default() }))
    }

    fn settled(&self) -> Flow<'static, ()> {
        let probe = self.0.probe.lock().unwrap();
        let watch = probe.under_way.as_ref().map(|(_, flight)| flight.watch());
        watch.map_or_else(|| Flow::ready(()), Flow::new)
    }

    fn probe(&self, pair: Pair, refusal: Refusal) -> Flight<Result<()>> {
        let owner = Arc::downgrade(&self.0);
        let work = async move {
            let Some(inner) = owner.upgrade() else { return Ok(()) };
            let request = Request::get("https://pod.example/pod/v2/sessioninfo").body(Vec::new());
            let told = inner.context.transport.fetch(request.unwrap().into()).await;
            // First condemned, then taken down: a caller that finds no probe finds what it brought.
            match &told {
                Ok(answer) if answer.status() == 401 => inner.pod.condemn(pair.0, refusal),
                Ok(_) => inner.agent.condemn(pair.1, refusal),
                Err(_) => {}
            }
            thread::yield_now();
            let mut probe = inner.probe.lock().unwrap();
            (probe.settled, probe.under_way) = (told.is_ok().then_some(pair), None);
            told.map(drop)
        };
        Flight::new(work, || Ok(()))
    }
}

impl Authenticator for Two {
    fn credentials<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Credentials> {
        let both = move |one: Credentials| {
            self.0.agent.credentials(request).and_then(move |other| one.and(other).into())
        };
        self.settled().and_then(move |()| self.0.pod.credentials(request)).and_then(both)
    }

    fn assess(&self, sent: &Credentials, answer: Answer<'_>) -> Verdict {
        let generations = (self.0.pod.generation(sent), self.0.agent.generation(sent));
        let (StatusCode::UNAUTHORIZED, (Some(pod), Some(agent))) = (answer.status, generations)
        else {
            return Verdict::Accept;
        };
        let (pair, mut probe) = ((pod, agent), self.0.probe.lock().unwrap());
        let known = probe.under_way.as_ref().is_some_and(|(asked, _)| *asked == pair);
        if !known && probe.settled != Some(pair) {
            probe.under_way = Some((pair, self.probe(pair, Refusal::new(answer.status))));
        }
        Verdict::Retry { after: None }
    }
}

/// Eight callers of one agent are refused together: one probe, one renewal of the token that was dead, and nobody gets
/// the 401.
#[test]
fn eight_callers_that_are_refused_together_make_one_probe() {
    for (round, (pod_says, dead)) in (0..100)
        .flat_map(|round| [(round, (200, "keymanagertoken")), (round, (401, "sessiontoken"))])
    {
        let gate = Gate::closed();
        let transport = ScriptedTransport::new(move |_| {
            Ok(Response::builder().status(pod_says).body(Vec::new()).unwrap())
        });
        let transport = transport.with_gate(gate.clone());
        let context = Context::new(transport.clone()).with_clock(ManualClock::at(1000));
        let two = Two::new(context);
        let refused = AtomicU32::new(0);
        let together = Barrier::new(9);
        let call = || {
            let (uri, none) = (Uri::from_static("https://agent.example/"), HeaderMap::new());
            let view = RequestView::new(&Method::GET, &uri, &none);
            let mut attempts = RetryBudget::default();
            for attempt in 0.. {
                let made = two.credentials(view).wait().unwrap();
                let (mut uri, mut sent) = (uri.clone(), HeaderMap::new());
                made.commit(&mut uri, &mut sent).unwrap();
                if attempt == 0 {
                    together.wait();
                }
                let status = if sent[dead] == "1" { 401 } else { 200 };
                let answer = Answer::new(view, StatusCode::from_u16(status).unwrap(), &none);
                if let NextStep::Deliver = attempts.next(&made, two.assess(&made, answer)).unwrap()
                {
                    refused.fetch_add(u32::from(status == 401), Ordering::SeqCst);
                    return;
                }
            }
        };
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(call);
            }
            together.wait();
            if round % 2 == 0 {
                thread::sleep(Duration::from_millis(1));
            }
            gate.open();
        });
        let log_ins = |session: &Session<LogIn>| session.source().1.load(Ordering::SeqCst);
        let counted = (log_ins(&two.0.pod), log_ins(&two.0.agent), transport.exchanges());
        let expected = if pod_says == 401 { (2, 1, 1) } else { (1, 2, 1) };
        assert_eq!((counted, refused.into_inner()), (expected, 0), "round {round}, {dead}");
    }
}

/// Panics whenever it is woken, and when it is dropped if it is told to.
struct Panics {
    when_dropped: bool,
}

/// Counts how often it is woken.
#[derive(Default)]
struct Woken(AtomicU32);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Wake for Panics {
    fn wake(self: Arc<Self>) {
        panic!("a bug in a waker");
    }
}

impl Drop for Panics {
    fn drop(&mut self) {
        assert!(!self.when_dropped || thread::panicking(), "a bug in what a waker owns");
    }
}

#[test]
fn a_waker_that_panics_leaves_nobody_asleep() {
    let gate = Gate::closed();
    let (flight, _) = flight(&gate);
    let woken = Arc::new(Woken::default());
    let (mut first, mut second, driving) = (flight.watch(), flight.watch(), flight.watch());
    assert!(poll(&mut first, &Arc::new(Panics { when_dropped: false }).into()).is_pending());
    assert!(poll(&mut second, &Arc::clone(&woken).into()).is_pending());
    let driven = thread::spawn(move || wait(driving));
    thread::sleep(Duration::from_millis(20));
    gate.open();
    assert_eq!(driven.join().unwrap(), 7, "the panic reached a caller that has no part in it");
    assert!(woken.0.load(Ordering::SeqCst) > 0, "left asleep");
    assert_eq!(poll(&mut second, Waker::noop()), Poll::Ready(7));
}

#[test]
fn a_waker_that_panics_when_it_is_dropped_takes_no_work_along() {
    let gate = Gate::closed();
    let (flight, runs) = flight(&gate);
    let mut watch = flight.watch();
    assert!(poll(&mut watch, &Arc::new(Panics { when_dropped: true }).into()).is_pending());
    // Another waker replaces it.
    let again = catch_unwind(AssertUnwindSafe(|| poll(&mut watch, Waker::noop())));
    assert!(again.is_err());
    gate.open();
    let (send, landed) = mpsc::channel();
    let next = flight.watch();
    thread::spawn(move || send.send(wait(next)));
    assert_eq!(landed.recv_timeout(Duration::from_secs(5)), Ok(7), "the work is lost");
    assert_eq!(runs.load(Ordering::SeqCst), 1);
}
