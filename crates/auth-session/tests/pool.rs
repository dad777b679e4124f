//! Many sessions in bounded memory: who makes room for whom, and what is never lost with a session.

#![allow(clippy::unwrap_used)]

mod common;

use auth_core::{Context, Error, Flow, Lifespan, Renewal, Result, Secret, TokenSource};
use auth_session::{
    ConnectionId, Intent, Lease, MemoryTokenStore, SaveOutcome, Session, SessionPool,
    StorableToken, Stored, StoredEntry, TenantId, TokenStore,
};
use auth_testing::{Gate, ManualClock, ScriptedTransport, SeededRandom};
use common::{Badge, Issuer, down};
use proptest::prelude::*;
use std::{
    collections::{BTreeMap, HashSet},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, mpsc},
    task::{Context as Task, Waker},
    thread,
    time::Duration,
};

const TEN_SECONDS: Duration = Duration::from_secs(10);

/// The key of a connection of a tenant, written `tenant/connection`.
fn key(text: &str) -> ConnectionId {
    let (tenant, connection) = text.split_once('/').unwrap();
    ConnectionId::new(TenantId::new(tenant), connection)
}

fn text(key: &ConnectionId) -> String {
    format!("{}/{}", key.tenant, key.authorization)
}

fn is_pending<T>(flow: &mut Flow<'_, T>) -> bool {
    std::pin::Pin::new(flow).poll(&mut Task::from_waker(Waker::noop())).is_pending()
}

// Making and evicting.

/// Gives one token; whether it has something that only memory has is what the test says.
#[derive(Clone)]
struct Told {
    name: String,
    unsaved: Arc<Mutex<HashSet<String>>>,
}

impl TokenSource for Told {
    type Token = Badge;

    fn token<'a>(&'a self, _: &'a Context, _: Renewal<Badge>) -> Flow<'a, Badge> {
        Flow::ready(Badge { number: 1, lifespan: Lifespan::Unknown })
    }

    fn has_unsaved(&self) -> bool {
        self.unsaved.lock().unwrap().contains(&self.name)
    }
}

/// A pool that writes down for whom sessions were made and which left.
struct Watched {
    pool: SessionPool<ConnectionId, Told>,
    transport: ScriptedTransport,
    unsaved: Arc<Mutex<HashSet<String>>>,
    made: Arc<Mutex<Vec<String>>>,
    left: Arc<Mutex<Vec<String>>>,
}

fn watched(most: usize) -> Watched {
    let (unsaved, made, left) =
        <(Arc<Mutex<_>>, Arc<Mutex<Vec<_>>>, Arc<Mutex<Vec<_>>>)>::default();
    let (of, making, leaving) = (Arc::clone(&unsaved), Arc::clone(&made), Arc::clone(&left));
    let transport = scripted().with_background();
    let context = Context::new(transport.clone());
    let pool = SessionPool::new(most, move |key: &ConnectionId| {
        making.lock().unwrap().push(text(key));
        let source = Told { name: text(key), unsaved: Arc::clone(&of) };
        Ok(Session::new(source, context.clone()))
    })
    .with_retirement(move |session| {
        leaving.lock().unwrap().push(session.source().name.clone());
        Flow::ready(())
    });
    Watched { pool, transport, unsaved, made, left }
}

impl Watched {
    fn get(&self, wanted: &str) -> Result<Session<Told>> {
        let got = self.pool.get(&key(wanted)).wait();
        self.transport.run();
        got
    }

    fn left(&self) -> Vec<String> {
        self.left.lock().unwrap().clone()
    }
}

#[test]
fn the_session_that_was_wanted_longest_ago_makes_room() {
    let watched = watched(4);
    for wanted in ["a/1", "b/1", "c/1", "d/1", "a/1", "e/1", "c/1", "f/1"] {
        watched.get(wanted).unwrap();
    }
    assert_eq!(watched.left(), ["b/1", "d/1"]);
    assert_eq!(watched.made.lock().unwrap().len(), 6, "one for each key");
    assert_eq!(format!("{:?}", watched.pool), "SessionPool(4 of 4 sessions)");
    assert_eq!((watched.pool.drain().len(), watched.pool.is_empty()), (4, true));
}

#[test]
fn a_tenant_with_many_keys_evicts_its_own_sessions_and_not_those_of_others() {
    let watched = watched(8);
    watched.get("quiet/1").unwrap();
    for number in 0..100 {
        watched.get(&format!("busy/{number}")).unwrap();
    }
    let left: Vec<_> = (0..98).map(|number| format!("busy/{number}")).collect();
    assert_eq!((watched.left(), watched.pool.len()), (left, 3), "a quarter of eight, and one");
}

#[test]
fn a_tenant_below_its_share_makes_room_among_all() {
    let watched = watched(8);
    for wanted in ["a/1", "a/2", "b/1", "b/2", "c/1", "c/2", "d/1", "d/2", "a/1", "e/1"] {
        watched.get(wanted).unwrap();
    }
    assert_eq!(watched.left(), ["a/2"]);
}

#[test]
fn a_tenant_may_be_the_key() {
    let context = Context::new(scripted());
    let pool = SessionPool::new(2, move |_: &TenantId| {
        Ok(Session::new(Issuer::new(&ManualClock::at(1)), context.clone()))
    });
    for tenant in ["a", "b", "c"] {
        pool.get(&TenantId::new(tenant)).wait().unwrap();
    }
    assert_eq!(pool.len(), 2);
}

/// Whatever is wanted and whatever cannot be saved: the pool does what a list does that is searched from end to end.
#[derive(Clone, Debug)]
enum Step {
    Get(u8, u8),
    /// A store begins to fail, or works again.
    Flip(u8, u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        5 => (0..5_u8, 0..4_u8).prop_map(|(tenant, key)| Step::Get(tenant, key)),
        1 => (0..5_u8, 0..4_u8).prop_map(|(tenant, key)| Step::Flip(tenant, key)),
    ];
    prop::collection::vec(step, 0..300)
}

/// Keys by when they were last wanted, or held.
#[derive(Default)]
struct Model {
    leaving: Vec<String>,
    held: Vec<String>,
    unsaved: HashSet<String>,
}

impl Model {
    /// Is there a session, and which left?
    fn get(&mut self, most: usize, wanted: &str) -> (bool, Option<String>) {
        let was = |queue: &mut Vec<String>| {
            let at = queue.iter().position(|key| key == wanted);
            at.map(|at| queue.remove(at)).is_some()
        };
        if was(&mut self.leaving) || was(&mut self.held) {
            self.leaving.push(wanted.into());
            return (true, None);
        }
        let tenant = |key: &str| key.split_once('/').unwrap().0.to_owned();
        let all = || self.leaving.iter().chain(&self.held);
        let has_share =
            all().filter(|key| tenant(key) == tenant(wanted)).count() >= most.div_ceil(4);
        if !has_share && all().count() < most {
            self.leaving.push(wanted.into());
            return (true, None);
        }
        let among = |key: &&String| !has_share || tenant(key) == tenant(wanted);
        for look in 0.. {
            let held = self.held.iter().find(among).filter(|_| look < 2);
            let Some(key) = held.or_else(|| self.leaving.iter().find(among)).cloned() else {
                break;
            };
            self.leaving.retain(|other| *other != key);
            self.held.retain(|other| *other != key);
            if !self.unsaved.contains(&key) {
                self.leaving.push(wanted.into());
                return (true, Some(key));
            }
            self.held.push(key);
        }
        // It waits for one of eight, and looks again.
        let saved = self.held.iter().filter(among).take(8).any(|key| !self.unsaved.contains(key));
        if saved { self.get(most, wanted) } else { (false, None) }
    }
}

proptest! {
    #[test]
    fn is_a_list_in_which_the_first_with_nothing_to_lose_makes_room(
        most in 1..12_usize,
        steps in steps(),
    ) {
        let (watched, mut model) = (watched(most), Model::default());
        for step in steps {
            match step {
                Step::Flip(tenant, number) => {
                    let name = format!("{tenant}/{number}");
                    for unsaved in [&mut *watched.unsaved.lock().unwrap(), &mut model.unsaved] {
                        if !unsaved.remove(&name) {
                            unsaved.insert(name.clone());
                        }
                    }
                }
                Step::Get(tenant, number) => {
                    let wanted = format!("{tenant}/{number}");
                    let (given, left) = model.get(most, &wanted);
                    let got = watched.get(&wanted);
                    prop_assert_eq!(got.is_ok(), given, "{}", &wanted);
                    if let Err(error) = got {
                        prop_assert_eq!(error.code(), "session_pool_unsaved");
                    }
                    let gone: Vec<_> = watched.left.lock().unwrap().drain(..).collect();
                    prop_assert_eq!(gone, Vec::from_iter(left));
                    prop_assert_eq!(watched.pool.len(), model.leaving.len() + model.held.len());
                    prop_assert!(watched.pool.len() <= most);
                }
            }
        }
    }
}

// Makers and callers.

/// Making one session may take its time, and may need another one of the same pool: neither holds up anybody.
#[test]
fn a_maker_that_is_slow_for_one_key_holds_up_no_other() {
    let gate = Gate::closed();
    let (slow, context) = (gate.clone(), Context::new(scripted()));
    let issuer = Issuer::new(&ManualClock::at(1));
    let pool = Arc::new_cyclic(|pool: &std::sync::Weak<SessionPool<ConnectionId, Issuer>>| {
        let pool = pool.clone();
        SessionPool::new(100, move |wanted: &ConnectionId| {
            match &*wanted.authorization {
                "slow" => slow.pass().wait()?,
                "1" => {}
                _ => drop(pool.upgrade().unwrap().get(&key("a/1")).wait()?),
            }
            Ok(Session::new(issuer.clone(), context.clone()))
        })
    });
    let (done, finished) = mpsc::channel();
    for _ in 0..4 {
        let (pool, done) = (Arc::clone(&pool), done.clone());
        thread::spawn(move || done.send(pool.get(&key("a/slow")).wait().unwrap()).unwrap());
    }
    thread::scope(|scope| {
        for n in 0..8 {
            let pool = &pool;
            scope.spawn(move || pool.get(&key(&format!("a/{n}"))).wait().unwrap());
        }
    });
    assert!(finished.try_recv().is_err());
    gate.open();
    let sessions: Vec<_> = (0..4).map(|_| finished.recv_timeout(TEN_SECONDS).unwrap()).collect();
    let generation = |session: &Session<Issuer>| session.token().wait().unwrap().generation;
    assert!(sessions.iter().all(|session| generation(session) == 1), "one session for all");
    assert_eq!(pool.len(), 9);
}

#[test]
fn a_maker_that_fails_or_panics_leaves_the_key_to_the_next_caller() {
    let calls = Mutex::new(0);
    let context = Context::new(scripted());
    let pool = SessionPool::new(1, move |_: &TenantId| {
        let call = {
            *calls.lock().unwrap() += 1;
            *calls.lock().unwrap()
        };
        match call {
            2 => panic!("as it happens in a maker"),
            3 => Err(Error::config("tenant", "tenant is unknown")),
            _ => Ok(Session::new(Issuer::new(&ManualClock::at(1)), context.clone())),
        }
    });
    let get = |tenant: &str| pool.get(&TenantId::new(tenant)).wait().map(|_| pool.len());
    assert_eq!(get("a").unwrap(), 1);
    assert!(catch_unwind(AssertUnwindSafe(|| get("b"))).is_err());
    assert_eq!(get("b").unwrap_err().code(), "tenant");
    assert_eq!((get("a").unwrap(), get("b").unwrap()), (1, 1), "nothing was kept or evicted");
}

#[test]
fn many_callers_at_once_share_the_sessions_and_keep_to_every_limit() {
    let watched = watched(16);
    for round in 0..50 {
        thread::scope(|scope| {
            for caller in 0..16_u32 {
                let watched = &watched;
                scope.spawn(move || {
                    for step in 0..20_u32 {
                        // Some begin to fail and work again meanwhile.
                        let name = format!("{}/{}", caller % 5, (caller * 7 + step * 3) % 8);
                        let mut unsaved = watched.unsaved.lock().unwrap();
                        match (caller + step + round) % 9 {
                            0 => drop(unsaved.insert(name.clone())),
                            1 => unsaved.clear(),
                            _ => {}
                        }
                        drop(unsaved);
                        let got = watched.get(&name).map(|got| got.source().name.clone());
                        match got {
                            Ok(got) => assert_eq!(got, name),
                            Err(error) => assert_eq!(error.code(), "session_pool_unsaved"),
                        }
                        assert!(watched.pool.len() <= 16);
                    }
                });
            }
        });
        watched.unsaved.lock().unwrap().clear();
        // The order is whole: so many new keys push out everything that there was.
        let before = watched.pool.len();
        watched.left.lock().unwrap().clear();
        for n in 0..16 {
            watched.get(&format!("new-{round}-{n}/1")).unwrap();
        }
        assert_eq!(watched.pool.len(), 16);
        let left = watched.left();
        assert_eq!(left.len(), before, "{left:?}");
        assert_eq!(left.iter().collect::<HashSet<_>>().len(), before);
        let sessions = watched.pool.drain();
        let each = sessions.iter().fold(BTreeMap::<_, usize>::new(), |mut each, session| {
            *each.entry(session.source().name.clone()).or_default() += 1;
            each
        });
        assert!(each.values().all(|times| *times == 1), "{each:?}");
    }
}

// Stores that fail.

impl StorableToken for Badge {
    fn to_rest(&self) -> Secret {
        let Lifespan::Until(end) = self.lifespan else { return Secret::from("") };
        Secret::new(format!("{} {}", self.number, end.unix()))
    }

    fn from_rest(bytes: &[u8]) -> Result<Self> {
        let (number, end) = std::str::from_utf8(bytes).unwrap().split_once(' ').unwrap();
        let end = auth_core::Timestamp::from_unix(end.parse().unwrap());
        Ok(Self { number: number.parse().unwrap(), lifespan: Lifespan::Until(end) })
    }
}

/// A store that takes nothing while it is told so, or is slow to save.
#[derive(Clone)]
struct Failing {
    store: MemoryTokenStore,
    fails: Arc<Mutex<bool>>,
    saving: Gate,
}

impl TokenStore for Failing {
    fn load(&self, name: &str) -> Flow<'_, Option<StoredEntry>> {
        self.store.load(name)
    }

    fn lease(&self, name: &str, hold: Duration) -> Flow<'_, Option<Lease>> {
        self.store.lease(name, hold)
    }

    fn save(&self, name: &str, lease: Lease, token: Option<&Secret>) -> Flow<'_, SaveOutcome> {
        if *self.fails.lock().unwrap() {
            return Flow::failed(Error::transport("full", "no space is left"));
        }
        let saved = self.store.save(name, lease, token);
        self.saving.pass().and_then(|()| saved)
    }

    fn intend(&self, name: &str, lease: Lease, intent: Option<Intent>) -> Flow<'_, SaveOutcome> {
        self.store.intend(name, lease, intent)
    }

    fn release(&self, name: &str, lease: Lease) -> Flow<'_, ()> {
        self.store.release(name, lease)
    }
}

type Kept = Stored<Issuer, Failing>;

/// Sessions whose tokens are kept in one store, each of an issuer of its own.
struct Shop {
    clock: ManualClock,
    transport: ScriptedTransport,
    store: Failing,
    issuers: Arc<Mutex<BTreeMap<String, Issuer>>>,
    pool: SessionPool<ConnectionId, Kept>,
}

fn shop(most: usize, transport: ScriptedTransport) -> Shop {
    let clock = ManualClock::at(1_000_000);
    let store = Failing {
        store: MemoryTokenStore::new(clock.clone()),
        fails: Arc::default(),
        saving: Gate::opened(),
    };
    let issuers = Arc::<Mutex<BTreeMap<String, Issuer>>>::default();
    let context =
        Context::new(transport.clone()).with_clock(clock.clone()).with_random(SeededRandom::new(7));
    let (of, kept, time) = (Arc::clone(&issuers), store.clone(), clock.clone());
    let pool = SessionPool::new(most, move |key: &ConnectionId| {
        let mut issuers = of.lock().unwrap();
        let issuer = issuers.entry(text(key)).or_insert_with(|| Issuer::new(&time));
        let stored = Stored::new(issuer.clone(), kept.clone(), &text(key));
        Ok(Session::new(stored, context.clone()))
    });
    Shop { clock, transport, store, issuers, pool }
}

fn scripted() -> ScriptedTransport {
    ScriptedTransport::new(|_| Err(down()))
}

impl Shop {
    fn get(&self, wanted: &str) -> Result<Session<Kept>> {
        self.pool.get(&key(wanted)).wait()
    }

    /// The number of the token, or the code of the error.
    fn number(&self, wanted: &str) -> Result<u32, &'static str> {
        let token = self.get(wanted).and_then(|session| session.token().wait());
        let token = token.map_err(|error| error.code())?;
        self.transport.run();
        Ok(token.token.token().number)
    }

    fn fails(&self, fails: bool) {
        *self.store.fails.lock().unwrap() = fails;
    }

    fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    fn issuer(&self, name: &str) -> Issuer {
        self.issuers.lock().unwrap().get(name).unwrap().clone()
    }

    fn saved(&self, name: &str) -> u32 {
        let entry = self.store.store.load(name).wait().unwrap().unwrap();
        Badge::from_rest(entry.token.unwrap().expose()).unwrap().number
    }

    /// A session whose token is rotated, and not saved.
    fn rotate_unsaved(&self, name: &str) {
        assert_eq!(self.number(name), Ok(1));
        self.pass(3600);
        self.fails(true);
        assert_eq!(self.number(name), Err("session_token_not_saved"));
        assert_eq!((self.saved(name), self.issuer(name).asked().len()), (1, 2));
    }

    /// The family lives: each of its tokens was renewed once, the last of them last.
    #[track_caller]
    fn family_survives(&self, name: &str) {
        let asked = self.issuer(name).asked();
        let renewed: Vec<_> = (1..asked.len()).map(|number| format!("due {number}")).collect();
        assert_eq!(asked.get(1..).unwrap(), renewed, "{name}");
    }
}

#[test]
fn a_rotated_token_that_could_not_be_saved_is_saved_before_its_session_makes_room() {
    let shop = shop(2, scripted().with_background());
    shop.rotate_unsaved("a/1");
    // The oldest is held, and the next one makes room.
    shop.get("b/1").unwrap();
    shop.get("c/1").unwrap();
    assert_eq!((shop.pool.len(), shop.saved("a/1")), (2, 1));
    shop.fails(false);
    shop.pass(60);
    // It is saved in the background, which a miss begins; then it makes room.
    shop.get("d/1").unwrap();
    shop.transport.run();
    assert_eq!(shop.saved("a/1"), 2);
    shop.get("e/1").unwrap();
    shop.pass(3600);
    assert_eq!(shop.number("a/1"), Ok(3));
    shop.family_survives("a/1");
}

/// The old token is good for a while: nobody notices, and the new one is saved all the same.
#[test]
fn a_token_that_was_renewed_early_is_saved_before_its_session_makes_room() {
    let shop = shop(1, scripted().with_background());
    assert_eq!(shop.number("a/1"), Ok(1));
    shop.pass(3100);
    shop.fails(true);
    assert_eq!((shop.number("a/1"), shop.issuer("a/1").asked().len()), (Ok(1), 2));
    shop.fails(false);
    shop.pass(2);
    shop.get("b/1").unwrap();
    assert_eq!(shop.saved("a/1"), 2);
}

#[test]
fn a_session_that_is_held_is_found_under_its_key() {
    let shop = shop(2, scripted().with_background());
    shop.rotate_unsaved("a/1");
    shop.get("b/1").unwrap();
    shop.get("c/1").unwrap();
    shop.fails(false);
    shop.pass(60);
    assert_eq!((shop.number("a/1"), shop.issuer("a/1").asked().len()), (Ok(2), 2), "saved at last");
    shop.family_survives("a/1");
}

#[test]
fn a_store_that_fails_for_long_costs_new_keys_and_no_token() {
    for transport in [scripted(), scripted().with_background()] {
        let shop = shop(8, transport);
        let names: Vec<_> = (0..8).map(|n| format!("{}/{}", n / 2, n % 2)).collect();
        for name in &names {
            assert_eq!(shop.number(name), Ok(1));
        }
        shop.pass(3600);
        shop.fails(true);
        for name in &names {
            assert_eq!(shop.number(name), Err("session_token_not_saved"));
        }
        for _ in 0..3 {
            for name in ["new/1", "0/new"] {
                let error = shop.get(name).unwrap_err();
                assert_eq!(error.code(), "session_pool_unsaved");
                assert!(error.to_string().contains("no space is left"), "{error}");
            }
            shop.transport.run();
            shop.pass(1);
        }
        assert_eq!(shop.pool.len(), 8);
        shop.fails(false);
        shop.pass(60);
        // Whoever comes first waits until one of them is saved.
        let (new, gate) = (key("new/1"), shop.store.saving.clone());
        gate.close();
        let mut waiting = shop.pool.get(&new);
        assert!(is_pending(&mut waiting));
        gate.open();
        shop.transport.run();
        waiting.wait().unwrap();
        shop.get("0/new").unwrap();
        for name in &names {
            shop.pass(3600);
            assert!(shop.number(name).unwrap() >= 2);
            shop.family_survives(name);
        }
        assert_eq!(shop.pool.len(), 8);
    }
}

#[test]
fn nothing_is_lost_with_a_caller_that_gives_up_its_wait_for_room() {
    for transport in [scripted(), scripted().with_background()] {
        let shop = shop(1, transport);
        shop.rotate_unsaved("a/1");
        shop.fails(false);
        shop.pass(60);
        let (new, gate) = (key("b/1"), shop.store.saving.clone());
        gate.close();
        for _ in 0..3 {
            let mut waiting = shop.pool.get(&new);
            assert!(is_pending(&mut waiting));
            drop(waiting);
        }
        gate.open();
        shop.transport.run();
        shop.get("b/1").unwrap();
        assert_eq!(shop.saved("a/1"), 2);
        shop.pass(3600);
        assert_eq!(shop.number("a/1"), Ok(3));
        shop.family_survives("a/1");
    }
}

#[test]
fn a_session_that_is_being_renewed_makes_no_room_and_delays_nobody() {
    let shop = shop(4, scripted().with_background());
    shop.get("slow/1").unwrap();
    let (slow, gate) = (shop.get("slow/1").unwrap(), shop.issuer("slow/1").gate().clone());
    gate.close();
    let mut renewal = slow.token();
    assert!(is_pending(&mut renewal));
    drop(renewal);
    drop(slow);
    for tenant in 0..20 {
        assert!(shop.pool.get(&key(&format!("{tenant}/1"))).is_ready(), "{tenant}");
    }
    gate.open();
    shop.transport.run();
    let session = shop.get("slow/1").unwrap();
    assert_eq!(format!("{session:?}"), "Session(generation Some(1))", "it was made anew");
}

#[test]
fn a_drained_session_saves_what_only_its_memory_has() {
    let shop = shop(1, scripted());
    shop.rotate_unsaved("a/1");
    let [session] = <[_; 1]>::try_from(shop.pool.drain()).unwrap();
    let unsaved = session.save_unsaved().wait().unwrap_err();
    assert_eq!(unsaved.code(), "session_unsaved");
    shop.fails(false);
    assert_eq!(session.save_unsaved().wait().unwrap_err().code(), "session_unsaved", "a pause");
    shop.pass(60);
    session.save_unsaved().wait().unwrap();
    assert!(session.save_unsaved().is_ready());
    assert_eq!(shop.saved("a/1"), 2);
}

#[test]
fn a_session_that_was_ended_has_nothing_to_lose() {
    let shop = shop(1, scripted());
    shop.rotate_unsaved("a/1");
    let session = shop.get("a/1").unwrap();
    assert!(!session.save_unsaved().is_ready());
    session.end().wait().unwrap();
    assert!(session.save_unsaved().is_ready());
    shop.get("b/1").unwrap();
}

/// What it could not save was replaced by another process: there is nothing left to lose.
#[test]
fn a_token_that_another_process_has_replaced_holds_no_session() {
    let shop = shop(1, scripted());
    shop.rotate_unsaved("a/1");
    let store = &shop.store.store;
    let lease = store.lease("a/1", TEN_SECONDS).wait().unwrap().unwrap();
    let end = Lifespan::Until(auth_core::Timestamp::from_unix(1_010_000));
    let _ = store.save("a/1", lease, Some(&Badge { number: 70, lifespan: end }.to_rest())).wait();
    store.release("a/1", lease).wait().unwrap();
    shop.pass(60);
    assert_eq!(shop.number("a/1"), Ok(70));
    assert!(shop.get("a/1").unwrap().save_unsaved().is_ready());
    shop.get("b/1").unwrap();
}

// Retirement.

#[test]
fn a_retirement_is_run_by_the_background_or_carried_by_the_caller_that_needed_the_room() {
    for background in [false, true] {
        let transport = if background { scripted().with_background() } else { scripted() };
        let (context, gate) = (Context::new(transport.clone()), Gate::closed());
        let issuer = Issuer::new(&ManualClock::at(1));
        let (ended, held) = (Arc::new(Mutex::new(0)), gate.clone());
        let counted = Arc::clone(&ended);
        let pool = SessionPool::new(1, move |_: &TenantId| {
            Ok(Session::new(issuer.clone(), context.clone()))
        })
        .with_retirement(move |session| {
            let (held, counted) = (held.pass(), Arc::clone(&counted));
            Flow::new(async move {
                held.await?;
                session.end().await?;
                *counted.lock().unwrap() += 1;
                Err(down())
            })
        });
        let first = pool.get(&TenantId::new("a")).wait().unwrap();
        let mut second = pool.get(&TenantId::new("b"));
        assert_eq!(is_pending(&mut second), !background);
        gate.open();
        transport.run();
        if !background {
            second.wait().unwrap();
        }
        assert_eq!(*ended.lock().unwrap(), 1);
        assert_eq!(first.token().wait().unwrap_err().code(), "session_ended");
    }
}
