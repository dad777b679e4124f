//! A create whose answer was lost, at an issuer that lets only one session live: played by processes that share a store
//! and nothing else.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use auth_core::{
    Cause, Clock, Context, Error, Exchange, Flow, Lifespan, Renewal, Result, Secret, Succession,
    Timestamp, Token, TokenSource, Transport, finish_even_if_dropped,
};
use auth_session::{
    Intent, Lease, MemoryTokenStore, SaveOutcome, Session, SessionHeldElsewhere, StorableToken,
    Stored, StoredEntry, TokenStore,
};
use auth_testing::{Gate, ManualClock, ScriptedTransport, SeededRandom};
use http::Response;
use std::{
    error::Error as _,
    future::{Future, pending},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    task::{Context as Task, Waker},
    thread,
    time::Duration,
};

const LIFE: u64 = 3600;
const NOW: u64 = 1_000_000;

#[derive(Clone, Debug, PartialEq)]
struct Ticket(u32, Timestamp);

impl Token for Ticket {
    fn lifespan(&self) -> Lifespan {
        Lifespan::Until(self.1)
    }

    fn succession(&self) -> Succession {
        Succession::Exclusive { settle: Duration::ZERO }
    }
}

impl StorableToken for Ticket {
    fn to_rest(&self) -> Secret {
        Secret::new(format!("{} {}", self.0, self.1))
    }

    fn from_rest(bytes: &[u8]) -> Result<Self> {
        let text = std::str::from_utf8(bytes).unwrap();
        let (number, end) = text.split_once(' ').unwrap();
        Ok(Self(number.parse().unwrap(), Timestamp::from_unix(end.parse().unwrap())))
    }
}

/// The issuer and what becomes of its next answers; the session is created in any case but a refusal.
#[derive(Clone)]
struct Issuer(Arc<Mutex<Known>>, ManualClock, Gate);

#[derive(Default)]
struct Known {
    live: Option<(u32, Timestamp)>,
    created: u32,
    next: Vec<Becomes>,
    asked: Vec<String>,
}

#[derive(Clone)]
enum Becomes {
    /// It fails, and nothing was created.
    Refused(Error),
    /// It was created, and the answer fails.
    Lost(Error),
    Panic,
}

impl TokenSource for Issuer {
    type Token = Ticket;

    fn token<'a>(&'a self, _: &'a Context, why: Renewal<Ticket>) -> Flow<'a, Ticket> {
        self.2.pass().and_then(move |()| {
            let (mut known, now) = (self.0.lock().unwrap(), self.1.now());
            known.asked.push(match &why {
                Renewal::First => String::from("first"),
                Renewal::Due(old) => format!("due {}", old.0),
                Renewal::Refused(old, _) => format!("refused {}", old.0),
            });
            if let Renewal::Due(old) | Renewal::Refused(old, _) = why {
                known.live.take_if(|(live, _)| *live == old.0);
            }
            let becomes = known.next.pop();
            if let Some(Becomes::Refused(error)) = becomes {
                return Flow::failed(error);
            }
            assert!(known.live.is_none_or(|(_, end)| end <= now), "two would live");
            known.created += 1;
            let created = (known.created, now.after(Duration::from_secs(LIFE)));
            known.live = Some(created);
            drop(known);
            match becomes {
                Some(Becomes::Lost(error)) => Flow::failed(error),
                Some(Becomes::Panic) => panic!("a bug"),
                _ => Flow::ready(Ticket(created.0, created.1)),
            }
        })
    }
}

#[derive(Clone)]
struct Fleet {
    clock: ManualClock,
    issuer: Issuer,
    store: MemoryTokenStore,
}

fn fleet() -> Fleet {
    let clock = ManualClock::at(NOW);
    let store = MemoryTokenStore::new(clock.clone());
    Fleet { issuer: Issuer(Arc::default(), clock.clone(), Gate::opened()), store, clock }
}

type Process<K> = Session<Stored<Issuer, K>>;

impl Fleet {
    fn over<K: TokenStore + 'static>(&self, store: K) -> Process<K> {
        let context = Context::new(ScriptedTransport::new(|_| panic!("nobody asks")))
            .with_clock(self.clock.clone())
            .with_random(SeededRandom::new(1));
        let stored = Stored::new(self.issuer.clone(), store, "acme");
        Session::new(stored.with_intents(Duration::from_secs(LIFE)), context)
    }

    fn process(&self) -> Process<MemoryTokenStore> {
        self.over(self.store.clone())
    }

    fn then(&self, becomes: Becomes) {
        self.issuer.0.lock().unwrap().next.push(becomes);
    }

    fn created(&self) -> u32 {
        self.issuer.0.lock().unwrap().created
    }

    fn intent(&self) -> Option<Intent> {
        self.store.load("acme").wait().unwrap().and_then(|entry| entry.intent)
    }

    fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

fn take<K: TokenStore + 'static>(process: &Process<K>) -> Result<u32> {
    process.token().wait().map(|held| held.token.token().0)
}

#[track_caller]
fn code<K: TokenStore + 'static>(process: &Process<K>) -> &'static str {
    take(process).map_or_else(|error| error.code(), |number| panic!("it has number {number}"))
}

/// The error of a process that may not ask, and how long it says to wait.
#[track_caller]
fn held_elsewhere(error: &Error, retry_at: u64, wait: u64) -> SessionHeldElsewhere {
    assert_eq!(error.code(), "session_held_elsewhere", "{error}");
    let Error::Unavailable { retry_after, cause } = error else { panic!("{error}") };
    assert_eq!(*retry_after, Some(Duration::from_secs(wait)));
    assert!(error.to_string().contains(&retry_at.to_string()), "{error}");
    let held: &SessionHeldElsewhere = cause.error().downcast_ref().unwrap();
    assert_eq!(held.retry_at, Timestamp::from_unix(retry_at));
    held.clone()
}

/// Runs nothing of what it is handed, as a runtime that is shutting down.
struct Ends;

impl Transport for Ends {
    fn fetch(&self, _: Exchange) -> Flow<'_, Response<Vec<u8>>> {
        Flow::failed(Error::transport("ends", "it is shutting down"))
    }

    fn pause(&self, _: Duration) -> Flow<'_, ()> {
        Flow::ready(())
    }

    fn detach(&self, _: Flow<'static, ()>) -> Option<Flow<'static, ()>> {
        None
    }
}

#[test]
fn after_a_lost_answer_nobody_asks_before_the_session_has_ended() {
    let lost = [
        Error::transport("reset", "connection reset"),
        Error::protocol("garbled", "no token in the answer"),
        // A source that sees its exchange through, and what ran it ended before it did.
        finish_even_if_dropped(&Ends, Flow::<()>::new(pending())).wait().unwrap_err(),
    ];
    for error in lost {
        let fleet = fleet();
        let process = fleet.process();
        assert_eq!(take(&process).unwrap(), 1);
        fleet.pass(LIFE - 30);
        fleet.then(Becomes::Lost(error.clone()));
        let (since, retry_at) = (NOW + LIFE - 30, NOW + 2 * LIFE - 30);
        let told = held_elsewhere(&take(&process).unwrap_err(), retry_at, LIFE);
        assert_eq!(told.source().unwrap().to_string(), error.to_string());
        assert_eq!(fleet.intent().unwrap().since, Timestamp::from_unix(since));
        let others = [fleet.process(), fleet.process()];
        // Nor does anybody use what may be dead: the token beside the intent has half a minute to live by its own time.
        held_elsewhere(&take(&fleet.process()).unwrap_err(), retry_at, LIFE);
        fleet.pass(LIFE - 1);
        for process in others.iter().chain([&fleet.process()]) {
            assert!(held_elsewhere(&take(process).unwrap_err(), retry_at, 1).source().is_none());
        }
        assert_eq!(fleet.created(), 2);
        fleet.pass(1);
        let late = fleet.process();
        assert_eq!((take(&late).unwrap(), fleet.created(), fleet.intent()), (3, 3, None));
        // The process that lost the answer waits for as long as it was told, and finds what the other created.
        fleet.pass(LIFE / 10);
        assert_eq!(take(&process).unwrap(), 3);
        let asked = fleet.issuer.0.lock().unwrap().asked.clone();
        assert_eq!(asked, ["first", "due 1", "due 1"]);
    }
}

#[test]
fn an_error_that_says_that_nothing_was_created_leaves_no_intent() {
    let busy = Error::Unavailable {
        retry_after: Some(Duration::from_secs(1)),
        cause: Cause::new("busy", "429"),
    };
    let not_sent = Error::not_sent("connect", "connection refused");
    let refused = Error::refused("denied", "no");
    for error in [busy, not_sent, refused, Error::config("config", "wrong")] {
        let fleet = fleet();
        let process = fleet.process();
        fleet.then(Becomes::Refused(error.clone()));
        assert_eq!((code(&process), fleet.intent()), (error.code(), None));
        fleet.pass(2);
        assert_eq!((take(&process).unwrap(), fleet.created()), (1, 1));
    }
}

/// An intent ends at a moment, since processes share it. When the clock is set back by a day that moment is a day further
/// away, so its span begins again with the first process that notices.
#[test]
fn a_clock_that_is_set_back_by_a_day_makes_nobody_wait_for_longer_than_a_session_lives() {
    let fleet = fleet();
    fleet.then(Becomes::Lost(Error::transport("reset", "connection reset")));
    assert_eq!(code(&fleet.process()), "session_held_elsewhere");
    let set_to = NOW - 86_400;
    fleet.clock.set(Timestamp::from_unix(set_to));
    for wait in [LIFE, LIFE - 1, LIFE - 2] {
        held_elsewhere(&take(&fleet.process()).unwrap_err(), set_to + LIFE, wait);
        fleet.pass(1);
    }
    fleet.pass(LIFE - 3);
    fleet.issuer.0.lock().unwrap().live = None;
    assert_eq!((take(&fleet.process()).unwrap(), fleet.intent()), (2, None));
}

/// The clock of another process is a minute behind: that is no clock that was set back, and the span goes on.
#[test]
fn clocks_of_processes_that_differ_a_little_do_not_begin_the_span_again() {
    let fleet = fleet();
    fleet.then(Becomes::Lost(Error::transport("reset", "connection reset")));
    assert_eq!(code(&fleet.process()), "session_held_elsewhere");
    fleet.clock.set(Timestamp::from_unix(NOW - 60));
    held_elsewhere(&take(&fleet.process()).unwrap_err(), NOW + LIFE, LIFE + 60);
    fleet.pass(60);
    held_elsewhere(&take(&fleet.process()).unwrap_err(), NOW + LIFE, LIFE);
}

/// One that is behind by no more than a token lives: its process waits for longer. If the end were moved for it, the
/// others would ask while the token of the lost answer lives.
#[test]
fn a_process_whose_clock_is_far_behind_moves_the_end_for_nobody() {
    for behind in [121, LIFE / 2, LIFE] {
        let fleet = fleet();
        fleet.then(Becomes::Lost(Error::transport("reset", "connection reset")));
        assert_eq!(code(&fleet.process()), "session_held_elsewhere");
        fleet.clock.set(Timestamp::from_unix(NOW - behind));
        held_elsewhere(&take(&fleet.process()).unwrap_err(), NOW + LIFE, LIFE + behind);
        // The clock of this one is right.
        fleet.clock.set(Timestamp::from_unix(NOW + LIFE - 1));
        held_elsewhere(&take(&fleet.process()).unwrap_err(), NOW + LIFE, 1);
        assert_eq!(fleet.created(), 1);
    }
}

/// The intent is there before the exchange begins, and the death of the process leaves it.
#[test]
fn a_process_that_dies_during_the_exchange_leaves_the_intent() {
    let fleet = fleet();
    fleet.issuer.2.close();
    let process = fleet.process();
    let mut dying = process.token();
    assert!(Pin::new(&mut dying).poll(&mut Task::from_waker(Waker::noop())).is_pending());
    assert!(fleet.intent().is_some() && fleet.created() == 0);
    drop(dying);
    drop(process);
    fleet.issuer.2.open();
    // Its lease runs out first; memory does not notice that its holder is dead.
    fleet.pass(60);
    held_elsewhere(&take(&fleet.process()).unwrap_err(), NOW + LIFE, LIFE - 60);
    assert_eq!(fleet.created(), 0);
    fleet.pass(LIFE - 60);
    assert_eq!(take(&fleet.process()).unwrap(), 1);
}

#[test]
fn a_source_that_panics_leaves_the_intent() {
    let fleet = fleet();
    let process = fleet.process();
    fleet.then(Becomes::Panic);
    assert!(catch_unwind(AssertUnwindSafe(|| take(&process))).is_err());
    assert!(fleet.intent().is_some());
    fleet.pass(61);
    assert_eq!((code(&process), fleet.created()), ("session_held_elsewhere", 1));
}

/// Four processes at once, and none of them a second time.
#[test]
fn one_process_creates_and_the_others_find_it() {
    let fleet = fleet();
    for generation in 1..=10 {
        let numbers: Vec<_> = thread::scope(|scope| {
            let processes: Vec<_> =
                (0..4).map(|_| scope.spawn(|| take(&fleet.process()).unwrap())).collect();
            processes.into_iter().map(|process| process.join().unwrap()).collect()
        });
        assert_eq!((numbers, fleet.created()), (vec![generation; 4], generation));
        fleet.pass(LIFE);
    }
}

/// A store that takes the lease away, as it happens to a process that is too slow, so many times.
#[derive(Clone)]
struct Taking {
    store: MemoryTokenStore,
    clock: ManualClock,
    /// How often before an intent is written.
    intending: Arc<Mutex<u32>>,
    /// And how often before a token is saved.
    saving: Arc<Mutex<u32>>,
}

impl Taking {
    fn take_away(&self, name: &str, lease: Lease, times: &Mutex<u32>) {
        let mut times = times.lock().unwrap();
        if *times > 0 {
            *times -= 1;
            self.clock.advance(Duration::from_secs(60));
            let other = self.store.lease(name, Duration::ZERO).wait().unwrap();
            assert!(other.is_some_and(|other| other.fence > lease.fence));
        }
    }
}

impl TokenStore for Taking {
    fn load(&self, name: &str) -> Flow<'_, Option<StoredEntry>> {
        self.store.load(name)
    }

    fn lease(&self, name: &str, hold: Duration) -> Flow<'_, Option<Lease>> {
        self.store.lease(name, hold)
    }

    fn save(&self, name: &str, lease: Lease, token: Option<&Secret>) -> Flow<'_, SaveOutcome> {
        self.take_away(name, lease, &self.saving);
        self.store.save(name, lease, token)
    }

    fn intend(&self, name: &str, lease: Lease, intent: Option<Intent>) -> Flow<'_, SaveOutcome> {
        self.take_away(name, lease, &self.intending);
        self.store.intend(name, lease, intent)
    }

    fn release(&self, name: &str, lease: Lease) -> Flow<'_, ()> {
        self.store.release(name, lease)
    }
}

/// A store that fails so many times: when a token is to be saved, and when an intent was kept and nobody is told so.
#[derive(Clone)]
struct Slow {
    store: MemoryTokenStore,
    failing: Arc<AtomicU32>,
    silent: Arc<AtomicU32>,
}

fn slow(fleet: &Fleet, failing: u32, silent: u32) -> Slow {
    let [failing, silent] = [failing, silent].map(|times| Arc::new(times.into()));
    Slow { store: fleet.store.clone(), failing, silent }
}

/// Does it fail this time?
fn fails(times: &AtomicU32) -> Result<()> {
    let less = |times: u32| times.checked_sub(1);
    match times.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less) {
        Ok(_) => Err(Error::transport("disk", "the disk failed")),
        Err(_) => Ok(()),
    }
}

impl TokenStore for Slow {
    fn load(&self, name: &str) -> Flow<'_, Option<StoredEntry>> {
        self.store.load(name)
    }

    fn lease(&self, name: &str, hold: Duration) -> Flow<'_, Option<Lease>> {
        self.store.lease(name, hold)
    }

    fn save(&self, name: &str, lease: Lease, token: Option<&Secret>) -> Flow<'_, SaveOutcome> {
        match fails(&self.failing) {
            Ok(()) => self.store.save(name, lease, token),
            Err(error) => Flow::failed(error),
        }
    }

    fn intend(&self, name: &str, lease: Lease, intent: Option<Intent>) -> Flow<'_, SaveOutcome> {
        let kept = self.store.intend(name, lease, intent);
        fails(&self.silent).map_or_else(Flow::failed, |()| kept)
    }

    fn release(&self, name: &str, lease: Lease) -> Flow<'_, ()> {
        self.store.release(name, lease)
    }
}

fn taking(fleet: &Fleet, intending: u32, saving: u32) -> Taking {
    let [intending, saving] = [intending, saving].map(|times| Arc::new(Mutex::new(times)));
    Taking { store: fleet.store.clone(), clock: fleet.clock.clone(), intending, saving }
}

/// Another process has the lease, and perhaps asks already.
#[test]
fn nobody_asks_the_issuer_without_a_lease() {
    let fleet = fleet();
    let store = taking(&fleet, 3, 0);
    fleet.then(Becomes::Refused(Error::refused("denied", "no")));
    assert_eq!(code(&fleet.over(store.clone())), "denied");
    assert_eq!(*store.intending.lock().unwrap(), 0);
    assert_eq!(fleet.issuer.0.lock().unwrap().asked, ["first"], "once, under the fourth lease");
}

/// It has the only session that may live in its hands: it saves it under its next lease.
#[test]
fn a_token_that_came_too_late_for_its_lease_is_not_thrown_away() {
    let fleet = fleet();
    let store = taking(&fleet, 0, 3);
    let process = fleet.over(store.clone());
    assert_eq!((take(&process).unwrap(), fleet.created(), fleet.intent()), (1, 1, None));
    assert_eq!((*store.saving.lock().unwrap(), take(&fleet.process()).unwrap()), (0, 1));
}

/// A token that was obtained in another way removes the intent: the way out before its time.
#[test]
fn a_token_that_is_put_there_removes_the_intent() {
    let fleet = fleet();
    let process = fleet.process();
    fleet.then(Becomes::Lost(Error::transport("reset", "connection reset")));
    assert_eq!((code(&process), fleet.created()), ("session_held_elsewhere", 1));
    let found = Ticket(1, Timestamp::from_unix(NOW + LIFE));
    let stored = process.source().put(process.context(), found).wait().unwrap();
    process.put(stored).unwrap();
    assert_eq!((take(&process).unwrap(), take(&fleet.process()).unwrap()), (1, 1));
    assert_eq!((fleet.intent(), fleet.created()), (None, 1));
}

/// The note of a process that is slow, or whose store fails for a moment, looks like that of one that died. The others use
/// the token as soon as it is there, and not when a lost one would have ended.
#[test]
fn a_token_that_is_saved_late_is_used_by_all_within_a_minute() {
    let check = |slow: &dyn Fn(&Fleet) -> Process<Slow>| {
        let fleet = fleet();
        let slow = slow(&fleet);
        let mut taking = slow.token();
        let _ = Pin::new(&mut taking).poll(&mut Task::from_waker(Waker::noop()));
        fleet.pass(60);
        let other = fleet.process();
        held_elsewhere(&take(&other).unwrap_err(), NOW + LIFE, LIFE - 60);
        fleet.issuer.2.open();
        drop(taking);
        assert_eq!(take(&slow).unwrap(), 1);
        fleet.pass(60);
        assert_eq!((take(&other).unwrap(), fleet.created()), (1, 1));
    };
    check(&|fleet| {
        fleet.issuer.2.close();
        fleet.over(slow(fleet, 0, 0))
    });
    check(&|fleet| fleet.over(slow(fleet, 1, 0)));
}

/// Nothing was asked for: that an intent is there all the same keeps nobody out.
#[test]
fn an_intent_that_was_kept_though_the_store_failed_shuts_nobody_out() {
    let fleet = fleet();
    let process = fleet.over(slow(&fleet, 0, 1));
    assert_eq!((code(&process), fleet.created()), ("disk", 0));
    assert_eq!((take(&fleet.process()).unwrap(), fleet.created()), (1, 1));
    fleet.pass(2);
    assert_eq!(take(&process).unwrap(), 1);
}

/// An answer is given up when its time is over, and what it was about may have been made just before.
#[test]
fn a_lost_session_has_ended_for_sure_when_others_may_ask_though_its_answer_was_waited_for() {
    let fleet = fleet();
    fleet.issuer.2.close();
    let process = fleet.process();
    let mut taking = process.token();
    assert!(Pin::new(&mut taking).poll(&mut Task::from_waker(Waker::noop())).is_pending());
    fleet.pass(30);
    fleet.then(Becomes::Lost(Error::transport("timeout", "no answer after 30 s")));
    fleet.issuer.2.open();
    held_elsewhere(&taking.wait().unwrap_err(), NOW + 30 + LIFE, LIFE);
    let ends = fleet.issuer.0.lock().unwrap().live.unwrap().1;
    assert!(fleet.intent().unwrap().retry_at >= ends);
    fleet.pass(LIFE - 1);
    assert_eq!(code(&fleet.process()), "session_held_elsewhere");
    fleet.pass(1);
    assert_eq!(take(&fleet.process()).unwrap(), 2);
}

/// It has ended before it could be saved, and another process has asked since: saving it would remove the note of that.
#[test]
fn a_token_that_could_not_be_saved_removes_no_later_intent() {
    let fleet = fleet();
    let process = fleet.over(slow(&fleet, 1, 0));
    assert_eq!((code(&process), fleet.created()), ("session_token_not_saved", 1));
    fleet.pass(LIFE);
    fleet.then(Becomes::Lost(Error::transport("reset", "connection reset")));
    assert_eq!((code(&fleet.process()), fleet.created()), ("session_held_elsewhere", 2));
    for process in [&process, &fleet.over(slow(&fleet, 0, 0))] {
        held_elsewhere(&take(process).unwrap_err(), NOW + 2 * LIFE, LIFE);
    }
    assert_eq!(fleet.created(), 2);
    fleet.pass(LIFE);
    assert_eq!((take(&process).unwrap(), fleet.created()), (3, 3));
}

/// It is asked in the store whether a lost session is still waited for, not at the issuer, and that is told once.
#[test]
fn while_a_lost_session_is_waited_for_the_issuer_is_not_asked_and_the_observer_is_told_once() {
    let (fleet, told) = (fleet(), common::Told::default());
    fleet.then(Becomes::Lost(Error::transport("reset", "connection reset")));
    assert_eq!(code(&fleet.process()), "session_held_elsewhere");
    let context = fleet.process().context().clone().with_observer(told.clone());
    let stored = Stored::new(fleet.issuer.clone(), fleet.store.clone(), "acme");
    let other = Session::new(stored.with_intents(Duration::from_secs(LIFE)), context);
    for _ in 0..LIFE {
        assert_eq!(code(&other), "session_held_elsewhere");
        fleet.pass(1);
    }
    assert_eq!(fleet.issuer.0.lock().unwrap().asked, ["first"]);
    assert_eq!(told.lines(), ["unnamed: session_held_elsewhere"]);
    fleet.pass(60);
    assert_eq!(take(&other).unwrap(), 2);
}

/// A source that did not ask for intents writes none, and heeds those of others.
#[test]
fn without_intents_none_is_written_but_one_that_is_there_holds() {
    let fleet = fleet();
    let plain = || Stored::new(fleet.issuer.clone(), fleet.store.clone(), "acme");
    let session = Session::new(plain(), fleet.process().context().clone());
    fleet.then(Becomes::Refused(Error::transport("reset", "before anything was sent")));
    assert_eq!((code(&session), fleet.intent()), ("reset", None));
    fleet.then(Becomes::Lost(Error::transport("reset", "connection reset")));
    assert_eq!(code(&fleet.process()), "session_held_elsewhere");
    fleet.pass(2);
    assert_eq!((code(&session), fleet.created()), ("session_held_elsewhere", 1));
}
