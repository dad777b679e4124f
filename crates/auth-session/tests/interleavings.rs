//! Every interleaving of a few threads over the flight and the session, under loom: the very source files, with loom's
//! mutexes for those of the standard library.
//!
//! What loom cannot look into is modelled by what promises less: `ArcSwapOption` by a value behind a mutex.

#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

#[path = "../src/flight.rs"]
mod flight;
#[path = "../src/kept.rs"]
mod kept;
#[path = "../src/landing.rs"]
mod landing;
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
    Context, Exchange, Flow, Lifespan, Refusal, Renewal, Token, TokenSource, Transport,
};
use auth_testing::{ManualClock, SeededRandom};
use flight::{Flight, Watch};
use http::{Response, StatusCode};
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
async fn glance(watch: Watch<u32>) {
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

    fn pause(&self, _: Duration) -> Flow<'_, ()> {
        Flow::ready(())
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
