//! Every interleaving of a few threads over the flight and the session, under loom: the very source files, with loom's
//! mutexes for those of the standard library.
//!
//! What loom cannot look into is modelled by what promises less: `ArcSwapOption` by a value behind a mutex.

#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

#[path = "../src/flight.rs"]
mod flight;
#[path = "../src/kept_token.rs"]
mod kept_token;
#[path = "../src/obtain.rs"]
mod obtain;
#[path = "../src/present.rs"]
mod present;
#[path = "../src/refusers.rs"]
mod refusers;
#[path = "../src/schedule.rs"]
mod schedule;
#[path = "../src/session.rs"]
mod session;
#[path = "../src/state.rs"]
mod state;
#[path = "../src/uses.rs"]
mod uses;

mod sync {
    pub use loom::sync::{Mutex, MutexGuard};
    use std::{ops::Deref, sync::Arc};

    pub struct ArcSwapOption<T>(Mutex<Option<Arc<T>>>);

    pub struct Loaded<T>(Option<Arc<T>>);

    impl<T> ArcSwapOption<T> {
        pub fn new(value: Option<Arc<T>>) -> Self {
            Self(Mutex::new(value))
        }

        pub fn load(&self) -> Loaded<T> {
            Loaded(self.0.lock().unwrap().clone())
        }

        pub fn store(&self, value: Option<Arc<T>>) {
            let _ = self.swap(value);
        }

        pub fn swap(&self, value: Option<Arc<T>>) -> Option<Arc<T>> {
            std::mem::replace(&mut *self.0.lock().unwrap(), value)
        }
    }

    impl<T> Deref for Loaded<T> {
        type Target = Option<Arc<T>>;

        fn deref(&self) -> &Option<Arc<T>> {
            &self.0
        }
    }
}

use auth_core::{
    Answer, Authenticator, Context, Credentials, Exchange, Flow, Lifespan, PresentableToken,
    Refusal, Renewal, RequestView, Result, Succession, Timestamp, Token, TokenSource, Transport,
};
use auth_session::SessionHeldElsewhere;
use auth_testing::{ManualClock, SeededRandom};
use flight::{Flight, FlightWatch};
use http::{HeaderMap, Method, Response, StatusCode, Uri};
use loom::{
    future::block_on,
    model::Builder,
    sync::{
        Mutex as Modelled,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};
use session::Session;
use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    task::{Poll, Waker},
    time::Duration,
};

/// Runs it in every interleaving that takes at most so many preemptions.
fn check(preemptions: usize, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(model);
}

/// Work that waits for a word from elsewhere.
#[derive(Clone)]
struct Word(Arc<Modelled<(bool, Option<Waker>)>>);

impl Word {
    fn new() -> Self {
        Self(Arc::new(Modelled::new((false, None))))
    }

    fn say(&self) {
        let mut state = self.0.lock().unwrap();
        state.0 = true;
        let waker = state.1.take();
        drop(state);
        waker.into_iter().for_each(Waker::wake);
    }

    fn heard(&self) -> impl Future<Output = ()> + Send + 'static {
        let word = self.clone();
        poll_fn(move |context| {
            let mut state = word.0.lock().unwrap();
            if state.0 {
                return Poll::Ready(());
            }
            state.1 = Some(context.waker().clone());
            Poll::Pending
        })
    }
}

fn flight(word: &Word, runs: &Arc<AtomicUsize>) -> Flight<u32> {
    let (heard, runs) = (word.heard(), Arc::clone(runs));
    let work = async move {
        heard.await;
        runs.fetch_add(1, Ordering::SeqCst);
        7
    };
    Flight::new(work, || 0)
}

/// Polls once, then goes away.
async fn glance(watch: FlightWatch<u32>) {
    let mut watch = watch;
    poll_fn(|context| {
        let _ = Pin::new(&mut watch).poll(context);
        Poll::Ready(())
    })
    .await;
}

#[test]
fn all_who_watch_wake_up_with_the_one_outcome() {
    check(3, || {
        let (word, runs) = (Word::new(), Arc::new(AtomicUsize::new(0)));
        let flight = flight(&word, &runs);
        let watch = flight.watch();
        let other = thread::spawn(move || block_on(watch));
        let speaker = {
            let word = word.clone();
            thread::spawn(move || word.say())
        };
        assert_eq!(block_on(flight.watch()), 7);
        assert_eq!(other.join().unwrap(), 7);
        speaker.join().unwrap();
        assert_eq!(runs.load(Ordering::SeqCst), 1);
    });
}

/// The one that drives gives up at any moment: the other one is not left asleep.
#[test]
fn who_gives_up_hands_the_work_on() {
    check(3, || {
        let (word, runs) = (Word::new(), Arc::new(AtomicUsize::new(0)));
        let flight = flight(&word, &runs);
        let watch = flight.watch();
        let leaver = thread::spawn(move || block_on(glance(watch)));
        let speaker = {
            let word = word.clone();
            thread::spawn(move || word.say())
        };
        assert_eq!(block_on(flight.watch()), 7);
        leaver.join().unwrap();
        speaker.join().unwrap();
    });
}

#[derive(Clone)]
struct Badge;

impl Token for Badge {
    fn lifespan(&self) -> Lifespan {
        Lifespan::Unknown
    }
}

/// Counts how often it is asked, and takes a moment to answer.
struct Issuer(Arc<AtomicUsize>);

impl TokenSource for Issuer {
    type Token = Badge;

    fn token<'a>(&'a self, _: &'a Context, _: Renewal<Badge>) -> Flow<'a, Badge> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Flow::new(async {
            thread::yield_now();
            Ok(Badge)
        })
    }
}

/// Without a background; nobody asks it for anything else.
struct Nowhere;

impl Transport for Nowhere {
    fn fetch(&self, _: Exchange) -> Flow<'_, Response<Vec<u8>>> {
        Flow::ready(Response::default())
    }

    /// It is never over.
    fn pause(&self, _: Duration) -> Flow<'_, ()> {
        Flow::new(std::future::pending())
    }

    fn detach(&self, work: Flow<'static, ()>) -> Option<Flow<'static, ()>> {
        Some(work)
    }
}

fn session() -> (Session<Issuer>, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let context = Context::new(Nowhere)
        .with_clock(ManualClock::at(1_000_000))
        .with_random(SeededRandom::new(1));
    (Session::new(Issuer(Arc::clone(&asked)), context), asked)
}

fn generation(session: &Session<Issuer>) -> u64 {
    block_on(session.token()).unwrap().generation
}

fn refusal() -> Refusal {
    Refusal::new(StatusCode::UNAUTHORIZED)
}

#[test]
fn those_who_find_no_token_make_one_log_in() {
    check(2, || {
        let (session, asked) = session();
        let other = {
            let session = session.clone();
            thread::spawn(move || generation(&session))
        };
        assert_eq!((generation(&session), other.join().unwrap()), (1, 1));
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    });
}

/// Two are refused with one token, and each asks for another: one renewal, in whatever order they come.
#[test]
fn one_generation_is_renewed_once() {
    check(2, || {
        let (session, asked) = session();
        assert_eq!(generation(&session), 1);
        let refused = |session: &Session<Issuer>| {
            session.condemn(1, refusal());
            generation(session)
        };
        let other = {
            let session = session.clone();
            thread::spawn(move || refused(&session))
        };
        assert_eq!((refused(&session), other.join().unwrap()), (2, 2));
        assert_eq!(asked.load(Ordering::SeqCst), 2);
    });
}

/// A session that is ended while a token is on its way gives that token back, and hands none out afterwards.
#[test]
fn what_was_on_its_way_is_given_back_when_it_ends() {
    check(2, || {
        let (session, asked) = session();
        let caller = {
            let session = session.clone();
            thread::spawn(move || block_on(session.token()).is_ok())
        };
        let last = block_on(session.end()).unwrap();
        let had_one = caller.join().unwrap();
        let asked = asked.load(Ordering::SeqCst);
        assert_eq!((had_one, last.is_some()), (asked == 1, asked == 1));
        assert!(block_on(session.token()).is_err());
    });
}

/// A token is put while another one is on its way: a caller gets the one that was put, or the other one if it
/// had landed before; afterwards only the one that was put is handed out.
#[test]
fn what_is_put_stays_whatever_lands() {
    check(2, || {
        let (session, asked) = session();
        let caller = {
            let session = session.clone();
            thread::spawn(move || generation(&session))
        };
        let put = session.put(Badge).unwrap();
        let taken = caller.join().unwrap();
        assert!(taken == put || (taken, put) == (1, 2), "taken {taken}, put {put}");
        assert_eq!(generation(&session), put);
        assert!(asked.load(Ordering::SeqCst) <= 1);
    });
}

/// The generation that is on its way may be condemned in the moment in which it lands: a caller that asks afterwards gets the
/// next one, and no renewal is lost or made twice.
#[test]
fn a_generation_is_condemned_before_or_after_it_lands_and_never_half() {
    check(2, || {
        let (session, asked) = session();
        let condemning = {
            let session = session.clone();
            thread::spawn(move || session.condemn(1, refusal()))
        };
        let taken = generation(&session);
        condemning.join().unwrap();
        let (after, asked) = (generation(&session), asked.load(Ordering::SeqCst));
        // It was condemned when it was there, or not at all.
        let consistent = [(1, 1, 1), (1, 2, 2), (2, 2, 2)];
        let seen = (taken, after, u64::try_from(asked).unwrap());
        assert!(consistent.contains(&seen), "{seen:?}");
    });
}

/// A token whose successor ends it; the issuer knows which one lives.
#[derive(Clone)]
struct Ticket(usize);

impl Token for Ticket {
    fn lifespan(&self) -> Lifespan {
        Lifespan::Until(Timestamp::from_unix(if self.0 == 1 { 1_000_000 } else { 2_000_000 }))
    }

    fn succession(&self) -> Succession {
        Succession::Exclusive { settle: Duration::from_secs(10) }
    }
}

impl PresentableToken for Ticket {
    fn credentials(&self) -> Result<Credentials> {
        Ok(Credentials::none())
    }

    fn refusal(_: Answer<'_>) -> Option<Refusal> {
        None
    }
}

/// The number of the ticket that lives.
struct Exclusive(Arc<AtomicUsize>);

impl TokenSource for Exclusive {
    type Token = Ticket;

    fn token<'a>(&'a self, _: &'a Context, _: Renewal<Ticket>) -> Flow<'a, Ticket> {
        Flow::ready(Ticket(self.0.fetch_add(1, Ordering::SeqCst) + 1))
    }
}

/// The number of the ticket that lives, a clock, and a session over the source of such tickets.
fn exclusive() -> (Arc<AtomicUsize>, ManualClock, Session<Exclusive>) {
    let (live, clock) = (Arc::new(AtomicUsize::new(0)), ManualClock::at(900_000));
    let context = Context::new(Nowhere).with_clock(clock.clone()).with_random(SeededRandom::new(1));
    (Arc::clone(&live), clock, Session::new(Exclusive(live), context))
}

/// The renewal of a token that it ends, against two who use that token: one assesses its answer, the other gives up. The
/// settling time is never over, so the exchange begins when both are done, not before and not never.
#[test]
fn a_renewal_that_settles_waits_for_every_use_and_misses_none() {
    check(2, || {
        let (live, clock, session) = exclusive();
        let request = (Method::GET, Uri::from_static("/"), HeaderMap::new());
        let head = |request: &(Method, Uri, HeaderMap)| {
            let (method, uri, headers) = request;
            block_on(session.credentials(RequestView::new(method, uri, headers))).unwrap()
        };
        let (answered, given_up) = (head(&request), head(&request));
        clock.set(Timestamp::from_unix(999_999));
        let uses = {
            let (session, live) = (session.clone(), Arc::clone(&live));
            thread::spawn(move || {
                assert_eq!(live.load(Ordering::SeqCst), 1, "ended while it was in use");
                let (method, uri, headers) = &request;
                let view = RequestView::new(method, uri, headers);
                drop(session.assess(&answered, Answer::new(view, StatusCode::OK, headers)));
                assert_eq!(live.load(Ordering::SeqCst), 1, "ended while it was in use");
                drop(given_up);
                answered
            })
        };
        assert_eq!(block_on(session.token()).unwrap().token.0, 2);
        drop(uses.join().unwrap());
    });
}

/// A token that is taken in the moment in which its end begins is counted, or not handed out.
#[test]
fn a_use_begins_before_the_end_of_its_token_or_not_at_all() {
    check(2, || {
        let (live, clock, session) = exclusive();
        assert_eq!(block_on(session.token()).unwrap().token.0, 1);
        let taking = {
            let (session, live) = (session.clone(), Arc::clone(&live));
            thread::spawn(move || {
                let held = block_on(session.token()).unwrap();
                assert_eq!(live.load(Ordering::SeqCst), held.token.0, "it is dead already");
            })
        };
        // The other one may be anywhere when the end comes: the model checker switches at what it knows.
        assert_eq!(live.load(Ordering::SeqCst), 1);
        clock.set(Timestamp::from_unix(999_999));
        assert_eq!(block_on(session.token()).unwrap().token.0, 2);
        taking.join().unwrap();
    });
}
