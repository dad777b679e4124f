//! Several processes that share one store, played by sessions that share nothing else.

#![allow(clippy::unwrap_used)]

use auth_core::{
    Answer, Authenticator, Clock, Context, Credentials, Error, Flow, Lifespan, Need,
    PresentableToken, Refusal, Renewal, RequestView, Result, Secret, Token, TokenSource, Verdict,
};
use auth_session::{
    Intent, Lease, MemoryTokenStore, SaveOutcome, Session, StorableToken, Stored, StoredEntry,
    TokenNotSaved, TokenStore,
};
use auth_testing::{Gate, ManualClock, ScriptedTransport, SeededRandom};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context as Task, Waker},
    thread,
    time::Duration,
};

/// A refresh token that rotates: number `n` is renewed to `n + 1`, and once only.
#[derive(Clone, Debug)]
struct Rotating {
    number: u32,
    until: u64,
}

impl Token for Rotating {
    fn lifespan(&self) -> Lifespan {
        Lifespan::Until(auth_core::Timestamp::from_unix(self.until))
    }
}

impl PresentableToken for Rotating {
    fn credentials(&self) -> Result<Credentials> {
        Credentials::header(HeaderName::from_static("rotating"), HeaderValue::from(self.number))
    }

    fn refusal(answer: Answer<'_>) -> Option<Refusal> {
        (answer.status == StatusCode::UNAUTHORIZED).then(|| Refusal::new(answer.status))
    }

    fn reads(_: StatusCode, _: &HeaderMap) -> Need {
        Need::Bytes { limit: 77 }
    }
}

impl StorableToken for Rotating {
    fn to_rest(&self) -> Secret {
        Secret::new(format!("{} {}", self.number, self.until))
    }

    fn is_ended_by(error: &Error) -> bool {
        error.code() == "ended"
    }

    fn from_rest(bytes: &[u8]) -> Result<Self> {
        let text = std::str::from_utf8(bytes).unwrap_or_default();
        let read = text.split_once(' ').and_then(|(number, until)| {
            Some(Self { number: number.parse().ok()?, until: until.parse().ok()? })
        });
        let cause = || auth_core::Cause::new("rotating_at_rest", "expected two numbers");
        read.ok_or_else(|| Error::Protocol(cause()))
    }
}

/// The issuer: knows which token is the last of the family, and revokes it when another comes.
#[derive(Clone)]
struct Family(ManualClock, Arc<Mutex<Vec<String>>>);

impl TokenSource for Family {
    type Token = Rotating;

    fn token<'a>(&'a self, _: &'a Context, why: Renewal<Rotating>) -> Flow<'a, Rotating> {
        let mut asked = self.1.lock().unwrap();
        let number = match why {
            Renewal::First => 0,
            Renewal::Due(old) | Renewal::Refused(old, _) => old.number,
        };
        asked.push(format!("renew {number}"));
        assert!(asked.iter().filter(|one| **one == format!("renew {number}")).count() == 1);
        Flow::ready(Rotating { number: number + 1, until: self.0.now().unix() + 3600 })
    }
}

struct Fleet {
    clock: ManualClock,
    transport: ScriptedTransport,
    store: MemoryTokenStore,
    family: Family,
}

fn fleet() -> Fleet {
    let clock = ManualClock::at(1_000_000);
    Fleet {
        transport: ScriptedTransport::new(|_| Ok(http::Response::default())),
        store: MemoryTokenStore::new(clock.clone()),
        family: Family(clock.clone(), Arc::default()),
        clock,
    }
}

impl Fleet {
    /// A process: it has only the store in common with the others.
    fn process(&self, seed: u64) -> Session<Stored<Family, MemoryTokenStore>> {
        let source = Stored::new(self.family.clone(), self.store.clone(), "tenant");
        Session::new(source, self.context(seed))
    }

    fn context(&self, seed: u64) -> Context {
        Context::new(self.transport.clone())
            .with_clock(self.clock.clone())
            .with_random(SeededRandom::new(seed))
    }

    fn asked(&self) -> usize {
        self.family.1.lock().unwrap().len()
    }
}

fn number(session: &Session<Stored<Family, MemoryTokenStore>>) -> u32 {
    session.token().wait().unwrap().token.token().number
}

#[test]
fn the_second_process_uses_what_the_first_obtained() {
    let fleet = fleet();
    let (one, two) = (fleet.process(1), fleet.process(2));
    assert_eq!((number(&one), number(&two), fleet.asked()), (1, 1, 1));
}

/// A hundred renewals by the process that comes first: the family never sees an old token.
#[test]
fn a_rotating_token_is_renewed_by_one_of_them() {
    let fleet = fleet();
    let processes: Vec<_> = (0..4).map(|seed| fleet.process(seed)).collect();
    for round in 1..=100 {
        for process in &processes {
            assert_eq!(number(process), round);
        }
        fleet.clock.advance(Duration::from_secs(3571));
    }
    assert_eq!(fleet.asked(), 100);
}

#[test]
fn a_token_outlives_its_process() {
    let fleet = fleet();
    assert_eq!(number(&fleet.process(1)), 1);
    assert_eq!(number(&fleet.process(2)), 1);
    fleet.clock.advance(Duration::from_secs(3600));
    assert_eq!(number(&fleet.process(3)), 2, "dead, so it is renewed: not obtained anew");
}

/// A process that died with the lease is waited for until the lease runs out.
#[test]
fn the_lease_of_the_dead_runs_out() {
    let fleet = fleet();
    let hold = Duration::from_secs(60);
    assert!(fleet.store.lease("tenant", hold).wait().unwrap().is_some());
    assert!(fleet.store.lease("tenant", hold).wait().unwrap().is_none());
    fleet.clock.advance(hold);
    assert_eq!(number(&fleet.process(1)), 1);
}

/// Nor does it last longer when somebody sets the clock back.
#[test]
fn a_clock_that_is_set_makes_no_lease_longer_or_shorter() {
    for set_to in [0, 900_000, 1_100_000] {
        let fleet = fleet();
        let hold = Duration::from_secs(60);
        let taken = || fleet.store.lease("tenant", hold).wait().unwrap().is_none();
        assert!(!taken());
        fleet.clock.set(auth_core::Timestamp::from_unix(set_to));
        fleet.clock.advance(Duration::from_secs(59));
        assert!(taken());
        fleet.clock.advance(Duration::from_secs(1));
        assert!(!taken(), "set to {set_to}");
    }
}

/// A process that does not get the lease looks again after 50 to 150 ms, until it is free.
#[test]
fn who_waits_for_the_lease_looks_again_soon() {
    let fleet = fleet();
    let hold = Duration::from_secs(60);
    let lease = fleet.store.lease("tenant", hold).wait().unwrap().unwrap();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| number(&fleet.process(1)));
        while fleet.transport.pauses().len() < 50 {
            thread::yield_now();
        }
        fleet.store.release("tenant", lease).wait().unwrap();
        assert_eq!(waiting.join().unwrap(), 1);
    });
    let pauses = fleet.transport.pauses();
    let (least, most) = (Duration::from_millis(50), Duration::from_millis(150));
    assert!(pauses.iter().all(|pause| (least..=most).contains(pause)), "{pauses:?}");
    assert!(pauses.iter().max().unwrap().saturating_sub(*pauses.iter().min().unwrap()) > most / 3);
}

/// Notes for how long leases are taken.
#[derive(Clone)]
struct Noting(MemoryTokenStore, Arc<Mutex<Vec<Duration>>>);

impl TokenStore for Noting {
    fn load(&self, name: &str) -> Flow<'_, Option<StoredEntry>> {
        self.0.load(name)
    }

    fn lease(&self, name: &str, hold: Duration) -> Flow<'_, Option<Lease>> {
        self.1.lock().unwrap().push(hold);
        self.0.lease(name, hold)
    }

    fn save(&self, name: &str, lease: Lease, token: Option<&Secret>) -> Flow<'_, SaveOutcome> {
        self.0.save(name, lease, token)
    }

    fn intend(&self, name: &str, lease: Lease, intent: Option<Intent>) -> Flow<'_, SaveOutcome> {
        self.0.intend(name, lease, intent)
    }

    fn release(&self, name: &str, lease: Lease) -> Flow<'_, ()> {
        self.0.release(name, lease)
    }
}

#[test]
fn a_lease_is_taken_for_as_long_as_was_said() {
    let fleet = fleet();
    let store = Noting(fleet.store.clone(), Arc::default());
    let context = fleet.context(1);
    let stored = |name| Stored::new(fleet.family.clone(), store.clone(), name);
    let quick = stored("b").with_lease(Duration::from_secs(5));
    stored("a").token(&context, Renewal::First).wait().unwrap();
    fleet.family.1.lock().unwrap().clear();
    quick.token(&context, Renewal::First).wait().unwrap();
    assert_eq!(*store.1.lock().unwrap(), [60, 5].map(Duration::from_secs));
}

/// A token from a store is presented, refused and read as the token itself is.
#[test]
fn a_stored_token_is_presented_as_it_is() {
    let fleet = fleet();
    let (session, other) = (fleet.process(1), fleet.process(1));
    let (uri, headers) = (Uri::from_static("https://a.example/"), HeaderMap::new());
    let view = RequestView::new(&Method::GET, &uri, &headers);
    let sent = session.credentials(view).wait().unwrap();
    assert_eq!(format!("{sent:?}"), r#"["rotating"]"#);
    let answered =
        |status: StatusCode| session.assess(&sent, Answer::new(view, status, &HeaderMap::new()));
    assert!(matches!(answered(StatusCode::FORBIDDEN), Verdict::Accept));
    assert!(matches!(answered(StatusCode::UNAUTHORIZED), Verdict::Retry { .. }));
    assert_eq!((number(&session), number(&other)), (2, 2));
    let hashed = Need::Bytes { limit: 77 };
    assert_eq!(session.reads(StatusCode::FORBIDDEN, &HeaderMap::new()), hashed);
}

/// A process that was too slow cannot save over what another has saved since.
#[test]
fn a_lost_lease_saves_nothing() {
    let fleet = fleet();
    let hold = Duration::from_secs(60);
    let slow = fleet.store.lease("tenant", hold).wait().unwrap().unwrap();
    fleet.clock.advance(hold);
    let quick = fleet.store.lease("tenant", hold).wait().unwrap().unwrap();
    assert!(quick.fence > slow.fence);
    let save = |lease: Lease, token: &str| {
        fleet.store.save("tenant", lease, Some(&Secret::from(token))).wait().unwrap()
    };
    assert_eq!(save(quick, "quick"), SaveOutcome::Kept);
    assert_eq!(save(slow, "slow"), SaveOutcome::Lost);
    fleet.store.release("tenant", slow).wait().unwrap();
    assert!(fleet.store.lease("tenant", hold).wait().unwrap().is_none(), "it is not his to give");
    let kept = fleet.store.load("tenant").wait().unwrap().unwrap();
    assert!(kept.token.unwrap().matches(b"quick") && kept.fence == quick.fence);
}

/// What a newer version wrote and this one cannot read is its error: the newer one may be using it, and logging in anew
/// could end what it uses. Putting a token there is the way out.
#[test]
fn what_cannot_be_read_is_an_error_and_never_obtained_anew() {
    let fleet = fleet();
    let lease = fleet.store.lease("tenant", Duration::ZERO).wait().unwrap().unwrap();
    fleet.store.save("tenant", lease, Some(&Secret::from("gibberish"))).wait().unwrap();
    let process = fleet.process(1);
    assert_eq!(process.token().wait().unwrap_err().code(), "rotating_at_rest");
    assert_eq!(fleet.asked(), 0);
    let redeemed = Rotating { number: 7, until: fleet.clock.now().unix() + 3600 };
    process.source().put(process.context(), redeemed).wait().unwrap();
    fleet.clock.advance(Duration::from_secs(1));
    assert_eq!((number(&process), fleet.asked()), (7, 0));
}

/// A store that is full for a while.
#[derive(Clone)]
struct Full(MemoryTokenStore, Arc<Mutex<u32>>);

impl TokenStore for Full {
    fn load(&self, name: &str) -> Flow<'_, Option<StoredEntry>> {
        self.0.load(name)
    }

    fn lease(&self, name: &str, hold: Duration) -> Flow<'_, Option<Lease>> {
        self.0.lease(name, hold)
    }

    fn save(&self, name: &str, lease: Lease, token: Option<&Secret>) -> Flow<'_, SaveOutcome> {
        let mut times = self.1.lock().unwrap();
        if *times > 0 {
            *times -= 1;
            return Flow::failed(Error::transport("full", "no space is left"));
        }
        self.0.save(name, lease, token)
    }

    fn intend(&self, name: &str, lease: Lease, intent: Option<Intent>) -> Flow<'_, SaveOutcome> {
        self.0.intend(name, lease, intent)
    }

    fn release(&self, name: &str, lease: Lease) -> Flow<'_, ()> {
        self.0.release(name, lease)
    }
}

/// The old refresh token is spent: to come again with it would end the family.
#[test]
fn a_rotated_token_that_could_not_be_saved_is_saved_with_the_next_attempt() {
    for intents in [None, Some(Duration::from_secs(7200))] {
        // The second time, it has ended before it can be saved, and is what is renewed.
        for (pause, expected, asked) in [(0, 2, 2), (4000, 3, 3)] {
            let fleet = fleet();
            let store = Full(fleet.store.clone(), Arc::default());
            let stored = || {
                let stored = Stored::new(fleet.family.clone(), store.clone(), "tenant");
                intents.into_iter().fold(stored, Stored::with_intents)
            };
            let (stored, context) = (stored(), fleet.context(1));
            let first = stored.token(&context, Renewal::First).wait().unwrap();
            fleet.clock.advance(Duration::from_secs(3600));
            *store.1.lock().unwrap() = 2;
            for _ in 0..2 {
                let failed = stored.token(&context, Renewal::Due(first.clone())).wait();
                let error = failed.unwrap_err();
                assert_eq!(error.code(), "session_token_not_saved");
                let not_saved = error.cause().error().downcast_ref::<TokenNotSaved>().unwrap();
                assert_eq!(not_saved.store.code(), "full");
            }
            fleet.clock.advance(Duration::from_secs(pause));
            let next = stored.token(&context, Renewal::Due(first)).wait().unwrap();
            assert_eq!((next.token().number, fleet.asked()), (expected, asked));
        }
    }
}

/// What it would have replaced is gone by then.
#[test]
fn a_token_that_could_not_be_saved_gives_way_to_what_another_process_saved() {
    let fleet = fleet();
    let store = Full(fleet.store.clone(), Arc::new(Mutex::new(1)));
    let (context, stored) =
        (fleet.context(1), Stored::new(fleet.family.clone(), store.clone(), "tenant"));
    let failed = stored.token(&context, Renewal::First).wait();
    assert_eq!(failed.unwrap_err().code(), "session_token_not_saved");
    let newest = || stored.kept_or_unsaved().wait().unwrap().map(|newest| newest.token().number);
    assert_eq!((newest(), stored.kept().wait().unwrap().map(drop)), (Some(1), None));
    let lease = fleet.store.lease("tenant", Duration::from_secs(9)).wait().unwrap().unwrap();
    let other = Rotating { number: 70, until: 1_000_000 };
    let _ = fleet.store.save("tenant", lease, Some(&other.to_rest())).wait().unwrap();
    fleet.store.release("tenant", lease).wait().unwrap();
    assert_eq!(newest(), Some(70));
    let next = stored.token(&context, Renewal::First).wait().unwrap();
    assert_eq!(next.token().number, 71, "an older token was saved over a later one");
}

/// Whoever ends a token at its issuer has to be given the one that is good, wherever it is.
#[test]
fn what_is_taken_is_the_newest_token_and_nothing_of_it_stays() {
    for (fails, saved_by_another, expected) in [(0, false, 1), (1, false, 1), (1, true, 70)] {
        let fleet = fleet();
        let store = Full(fleet.store.clone(), Arc::new(Mutex::new(0)));
        let (context, stored) =
            (fleet.context(1), Stored::new(fleet.family.clone(), store.clone(), "tenant"));
        assert_eq!(stored.take(&context).wait().unwrap().map(drop), None);
        *store.1.lock().unwrap() = fails;
        assert_eq!(stored.token(&context, Renewal::First).wait().is_err(), fails > 0);
        if saved_by_another {
            let lease =
                fleet.store.lease("tenant", Duration::from_secs(9)).wait().unwrap().unwrap();
            let other = Rotating { number: 70, until: 1_000_000 };
            let _ = fleet.store.save("tenant", lease, Some(&other.to_rest())).wait().unwrap();
            fleet.store.release("tenant", lease).wait().unwrap();
        }
        let taken = stored.take(&context).wait().unwrap().map(|token| token.number);
        assert_eq!(taken, Some(expected), "{fails} {saved_by_another}");
        assert_eq!(stored.kept_or_unsaved().wait().unwrap().map(drop), None);
        assert_eq!(stored.take(&context).wait().unwrap().map(drop), None);
    }
}

/// A store that is slow to say that it took a lease, or saved: both are done, and their answers wait at a gate.
#[derive(Clone)]
struct Slow {
    store: MemoryTokenStore,
    lease: Gate,
    save: Gate,
}

impl TokenStore for Slow {
    fn load(&self, name: &str) -> Flow<'_, Option<StoredEntry>> {
        self.store.load(name)
    }

    fn lease(&self, name: &str, hold: Duration) -> Flow<'_, Option<Lease>> {
        let lease = self.store.lease(name, hold);
        self.lease.pass().and_then(|()| lease)
    }

    fn save(&self, name: &str, lease: Lease, token: Option<&Secret>) -> Flow<'_, SaveOutcome> {
        let saved = self.store.save(name, lease, token);
        self.save.pass().and_then(|()| saved)
    }

    fn intend(&self, name: &str, lease: Lease, intent: Option<Intent>) -> Flow<'_, SaveOutcome> {
        self.store.intend(name, lease, intent)
    }

    fn release(&self, name: &str, lease: Lease) -> Flow<'_, ()> {
        self.store.release(name, lease)
    }
}

fn is_pending<T>(flow: &mut Flow<'_, T>) -> bool {
    Pin::new(flow).poll(&mut Task::from_waker(Waker::noop())).is_pending()
}

/// Its caller gives up while the lease is being taken, or while the token is being saved.
#[test]
fn a_token_that_is_put_there_is_kept_and_the_lease_given_back_though_the_caller_gives_up() {
    for closed in ["lease", "save"] {
        let (lease, save) = match closed {
            "lease" => (Gate::closed(), Gate::opened()),
            _ => (Gate::opened(), Gate::closed()),
        };
        let fleet = fleet();
        let transport = ScriptedTransport::new(|_| Ok(http::Response::default())).with_background();
        let context = Context::new(transport.clone()).with_clock(fleet.clock.clone());
        let store = Slow { store: fleet.store.clone(), lease: lease.clone(), save: save.clone() };
        let stored = Stored::new(fleet.family.clone(), store, "tenant");
        let found = Rotating { number: 7, until: fleet.clock.now().unix() + 3600 };
        let mut putting = stored.put(&context, found);
        assert!(is_pending(&mut putting), "{closed}");
        drop(putting);
        lease.open();
        save.open();
        transport.run();
        let free = fleet.store.lease("tenant", Duration::ZERO).wait().unwrap();
        assert!(free.is_some(), "the lease was left behind during {closed}");
        assert_eq!(number(&fleet.process(1)), 7, "what began was seen through");
    }
}

/// Nothing has begun while another process has the lease.
#[test]
fn a_token_whose_caller_gives_up_the_wait_for_the_lease_is_not_put_there() {
    let fleet = fleet();
    let gate = Gate::closed();
    let transport = ScriptedTransport::new(|_| Ok(http::Response::default()));
    let transport = transport.with_background().with_pause_gate(gate.clone());
    let context = Context::new(transport.clone()).with_clock(fleet.clock.clone());
    let lease = fleet.store.lease("tenant", Duration::from_secs(60)).wait().unwrap().unwrap();
    let stored = Stored::new(fleet.family.clone(), fleet.store.clone(), "tenant");
    let found = Rotating { number: 7, until: fleet.clock.now().unix() + 3600 };
    let mut putting = stored.put(&context, found);
    while transport.pauses().is_empty() {
        assert!(is_pending(&mut putting));
        transport.run();
    }
    drop(putting);
    gate.open();
    fleet.store.release("tenant", lease).wait().unwrap();
    assert_eq!(transport.run(), 0);
    assert!(fleet.store.load("tenant").wait().unwrap().is_none());
}

/// An issuer that will never renew: it says so, and notes what it was asked with.
#[derive(Clone, Default)]
struct Ending(Arc<Mutex<Vec<&'static str>>>);

impl TokenSource for Ending {
    type Token = Rotating;

    fn token<'a>(&'a self, _: &'a Context, why: Renewal<Rotating>) -> Flow<'a, Rotating> {
        let why = match why {
            Renewal::First => "first",
            Renewal::Due(_) | Renewal::Refused(..) => "again",
        };
        self.0.lock().unwrap().push(why);
        Flow::failed(Error::refused("ended", "what it was granted for has ended"))
    }
}

/// Nobody asks twice with a token that has ended, also not a process that had it before.
#[test]
fn a_token_that_has_ended_is_removed_and_no_process_asks_with_it_again() {
    let fleet = fleet();
    let ending = Ending::default();
    let context = fleet.context(1);
    let process = || Stored::new(ending.clone(), fleet.store.clone(), "tenant");
    let (one, other) = (process(), process());
    let first = Rotating { number: 7, until: fleet.clock.now().unix() + 3600 };
    let had = one.put(&context, first).wait().unwrap();
    for stored in [&one, &other, &one] {
        let failed = stored.token(&context, Renewal::Due(had.clone())).wait();
        assert_eq!(failed.unwrap_err().code(), "ended");
    }
    assert_eq!(*ending.0.lock().unwrap(), ["again", "first", "first"]);
    let removed = fleet.store.load("tenant").wait().unwrap().unwrap();
    assert!(removed.token.is_none() && removed.fence > 0);
    // What is put there later is everybody's again.
    let redeemed = Rotating { number: 8, until: fleet.clock.now().unix() + 3600 };
    one.put(&context, redeemed).wait().unwrap();
    let found = other.token(&context, Renewal::Due(had)).wait().unwrap();
    assert_eq!((found.token().number, ending.0.lock().unwrap().len()), (8, 3));
}

/// A store that lost what it had says nothing about a token.
#[test]
fn a_token_that_the_store_has_lost_is_still_renewed() {
    let fleet = fleet();
    let (ending, context) = (Ending::default(), fleet.context(1));
    let first = Rotating { number: 7, until: fleet.clock.now().unix() + 3600 };
    let had = Stored::new(ending.clone(), fleet.store.clone(), "one").put(&context, first).wait();
    let lost = Stored::new(ending.clone(), fleet.store.clone(), "other");
    lost.token(&context, Renewal::Due(had.unwrap())).wait().unwrap_err();
    assert_eq!(*ending.0.lock().unwrap(), ["again"]);
}

/// A process that was so slow that another took over removes nothing of that one's.
#[test]
fn what_another_process_has_saved_since_is_not_removed() {
    let fleet = fleet();
    let (ending, context) = (Ending::default(), fleet.context(1));
    let (clock, store) = (fleet.clock.clone(), fleet.store.clone());
    let stored =
        Stored::new(Overtaken(ending.clone(), clock, store), fleet.store.clone(), "tenant");
    let first = Rotating { number: 7, until: fleet.clock.now().unix() + 3600 };
    let had = stored.put(&context, first).wait().unwrap();
    let found = stored.token(&context, Renewal::Due(had)).wait().unwrap();
    assert_eq!((found.token().number, ending.0.lock().unwrap().len()), (70, 1));
}

/// Takes so long that another process has taken the lease and saved meanwhile.
struct Overtaken(Ending, ManualClock, MemoryTokenStore);

impl TokenSource for Overtaken {
    type Token = Rotating;

    fn token<'a>(&'a self, context: &'a Context, why: Renewal<Rotating>) -> Flow<'a, Rotating> {
        self.1.advance(Duration::from_secs(61));
        let lease = self.2.lease("tenant", Duration::from_secs(9)).wait().unwrap().unwrap();
        let other = Rotating { number: 70, until: self.1.now().unix() + 3600 };
        let _ = self.2.save("tenant", lease, Some(&other.to_rest())).wait().unwrap();
        self.2.release("tenant", lease).wait().unwrap();
        self.0.token(context, why)
    }
}

#[test]
fn memory_keeps_every_promise_of_a_token_store() {
    let clock = ManualClock::at(0);
    let store = MemoryTokenStore::new(clock.clone());
    let broken = auth_testing::broken_promises_of_token_store(|| Box::new(store.clone()), &clock);
    assert_eq!(broken, [""; 0]);
}
