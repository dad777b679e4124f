//! The store in SQLite keeps what every store of credentials promises, in a file and in memory.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

mod common;

use auth_core::{Error, Flow, SystemClock, TenantId, Timestamp};
use auth_lifecycle::{
    Commit, CommitOutcome, CredentialId, EventName, Happening, LifecycleStore,
    MemoryLifecycleStore, Role, Use,
    store_suite::{Bench, CLAIMS, same_outcomes},
};
use auth_store_sqlite::SqliteDatabase;
use common::Directory;
use std::{
    future::Future,
    pin::{Pin, pin},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    task::{Context, Poll, Wake, Waker},
    thread,
    time::{Duration, Instant},
};

fn check(fresh: &dyn Fn() -> Arc<dyn LifecycleStore>) {
    let together = |many, work: &(dyn Fn(usize) + Sync)| {
        thread::scope(|scope| {
            (0..many).for_each(|one| {
                scope.spawn(move || work(one));
            });
        });
    };
    let bench = Bench { fresh, together: &together };
    let faults: Vec<_> = CLAIMS
        .iter()
        .filter_map(|claim| (claim.check)(&bench).err().map(|fault| format!("{claim:?}: {fault}")))
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_file_keeps_every_promise_of_a_store() {
    let directories = Mutex::new(Vec::new());
    check(&|| {
        let directory = Directory::new();
        let store = Arc::new(directory.open(SystemClock).credentials());
        directories.lock().unwrap().push(directory);
        store
    });
}

#[test]
fn a_database_in_memory_keeps_every_promise_of_a_store() {
    check(&|| Arc::new(SqliteDatabase::in_memory(SystemClock).unwrap().credentials()));
}

#[test]
fn a_file_and_the_store_in_memory_are_the_same_to_the_same_commands() {
    for seed in 1..=5 {
        let directory = Directory::new();
        let (one, other) = (MemoryLifecycleStore::new(), directory.open(SystemClock).credentials());
        let met = same_outcomes(&one, &other, seed, 200).unwrap();
        let many = [met.done, met.conflicts, met.duplicates, met.taken];
        assert!(many.iter().all(|many| *many > 0), "seed {seed}: {met:?}");
    }
}

#[test]
fn a_database_in_memory_and_the_store_in_memory_are_the_same_to_the_same_commands() {
    for seed in 100..120 {
        let database = SqliteDatabase::in_memory(SystemClock).unwrap();
        same_outcomes(&MemoryLifecycleStore::new(), &database.credentials(), seed, 500).unwrap();
    }
}

fn event() -> Happening {
    Happening {
        tenant: TenantId::new("acme"),
        service: None,
        group: None,
        credential: None,
        name: EventName::ActedAsService,
        at: Timestamp::from_unix(1),
        actor: "alice".into(),
        role: Role::Owner,
        cause: "".into(),
        states: None,
        detail: String::new(),
        touched: Vec::new(),
    }
}

fn commit(store: &impl LifecycleStore) {
    let commit = Commit { events: vec![event()], ..Commit::default() };
    assert!(matches!(store.commit(commit).wait().unwrap(), CommitOutcome::Done { .. }));
}

#[test]
fn a_watch_is_done_when_something_is_committed_and_not_before() {
    let directory = Directory::new();
    let store = directory.open(SystemClock).credentials();
    // Another one over the same database: what it commits is told too.
    let other = store.clone();
    store.touch(Vec::new()).wait().unwrap();
    let mut watch = store.watch(0);
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(50) {
        assert!(poll(&mut watch).is_pending(), "nothing was committed");
    }
    let waiting = thread::spawn(|| watch.wait());
    commit(&other);
    waiting.join().unwrap().unwrap();
    store.watch(0).wait().unwrap();
    assert!(poll(&mut store.watch(1)).is_pending());
    // Those who give up keep nobody from being told.
    (0..100).for_each(|_| drop(poll(&mut store.watch(1))));
    let waiting = thread::spawn(move || store.watch(1).wait());
    thread::sleep(Duration::from_millis(20));
    commit(&other);
    waiting.join().unwrap().unwrap();
}

/// Dropped, or kept and never polled again: who gave up is not there to tell anybody.
#[test]
fn a_watch_is_done_by_a_commit_whose_caller_gave_up() {
    for is_in_memory in [false, true] {
        let directory = Directory::new();
        let database = match is_in_memory {
            true => SqliteDatabase::in_memory(SystemClock).unwrap(),
            false => directory.open(SystemClock),
        };
        let (store, mut kept) = (database.credentials(), Vec::new());
        for position in 0..20 {
            let watch = store.watch(position);
            let (tell, told) = mpsc::channel();
            let waiting = thread::spawn(move || tell.send(watch.wait()));
            thread::sleep(Duration::from_millis(5));
            let event = Commit { events: vec![event()], ..Commit::default() };
            let mut flow = store.commit(event);
            let polled = Pin::new(&mut flow).poll(&mut Context::from_waker(Waker::noop()));
            if position % 2 == 0 {
                drop(flow);
            } else if polled.is_pending() {
                kept.push(flow);
            }
            let told = told.recv_timeout(Duration::from_secs(5));
            assert!(told.is_ok_and(|told| told.is_ok()), "position {position}");
            waiting.join().unwrap().unwrap();
        }
    }
}

fn poll(watch: &mut Flow<'static, ()>) -> Poll<Result<(), Error>> {
    Pin::new(watch).poll(&mut Context::from_waker(Waker::noop()))
}

#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// It reads the position itself, on the thread that writes where no other reads: being woken by that, it would never rest.
#[test]
fn a_watch_is_not_woken_by_what_is_only_read() {
    for is_in_memory in [false, true] {
        let directory = Directory::new();
        let database = match is_in_memory {
            true => SqliteDatabase::in_memory(SystemClock).unwrap(),
            false => directory.open(SystemClock),
        };
        let (store, woken) = (database.credentials(), Arc::new(Woken::default()));
        let waker = Waker::from(Arc::clone(&woken));
        let mut watch = store.watch(0);
        let mut polled = || Pin::new(&mut watch).poll(&mut Context::from_waker(&waker));
        let times = || woken.0.load(Ordering::SeqCst);
        // It has looked, and waits for a commit.
        for _ in 0..5 {
            assert!(polled().is_pending());
            thread::sleep(Duration::from_millis(10));
        }
        let before = times();
        (0..20).for_each(|_| assert_eq!(store.position().wait().unwrap(), 0));
        assert_eq!(times(), before);
        commit(&store);
        watch.wait().unwrap();
        assert!(times() > before);
    }
}

#[test]
fn uses_of_more_credentials_than_are_noted_at_once_are_all_noted() {
    let directory = Directory::new();
    let store = directory.open(SystemClock).credentials();
    let id = |n: u64| CredentialId::new(format!("c{n}"));
    let one = |n| Use { credential: id(n), at: Timestamp::from_unix(n), source: None };
    store.touch((0..=200).map(one).collect()).wait().unwrap();
    for n in 0..=200 {
        assert_eq!(store.uses(&id(n)).wait().unwrap(), [one(n)], "{n}");
    }
}

/// A command that was given up is done whole or not at all, and those of others go on.
#[test]
fn a_commit_whose_caller_gives_up_is_written_whole_or_not_at_all() {
    let directory = Directory::new();
    let store = directory.open(SystemClock).credentials();
    thread::scope(|scope| {
        for _ in 0..8 {
            let store = store.clone();
            scope.spawn(move || {
                for n in 0..50 {
                    if n % 2 == 0 {
                        commit(&store);
                    } else {
                        let two = Commit { events: vec![event(), event()], ..Commit::default() };
                        let mut flow = pin!(store.commit(two));
                        let _ = flow.as_mut().poll(&mut Context::from_waker(Waker::noop()));
                    }
                }
            });
        }
    });
    // Those that were begun are done before this one.
    commit(&store);
    let page = store.changes_since(0, usize::MAX).wait().unwrap();
    assert_eq!(page.events.len(), 8 * 25 + 8 * 25 * 2 + 1);
    let mut last = (0, [0; 32]);
    for event in page.events {
        assert!(event.follows(last.0, &last.1));
        last = (event.seq, event.hash);
    }
}
