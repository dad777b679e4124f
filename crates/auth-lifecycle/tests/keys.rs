//! A registry works under the keys that its store was begun with, and under no others.
#![allow(clippy::unwrap_used)]

mod common;

use auth_core::{Clock, Error, Flow, Secret, SystemRandom, TenantId};
use auth_lifecycle::{
    Actor, Kind, LifecycleStore, LocalKeyWrapper, MemoryLifecycleStore, Registry, RegistryKeys,
    store_suite::{Fault, Faulty},
};
use auth_static::{ApiKeyVerifier, Placement};
use auth_testing::ManualClock;
use common::{alice, ask, text};
use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Barrier},
    task::{Context, Waker},
    thread,
    time::Duration,
};

fn registry(store: impl LifecycleStore + 'static, keys: RegistryKeys) -> Registry {
    Registry::build(store, keys).finish().unwrap()
}

fn master(byte: u8) -> RegistryKeys {
    RegistryKeys::from_master(&Secret::new([byte; 32])).unwrap()
}

fn code<T>(outcome: Result<T, Error>) -> &'static str {
    outcome.map_or_else(|error| error.code(), |_| "done")
}

#[test]
fn a_master_key_has_32_bytes_and_no_others() {
    assert!(RegistryKeys::from_master(&Secret::new([7; 32])).is_ok());
    for bytes in [0, 16, 31, 33, 44, 64, 65] {
        let error = RegistryKeys::from_master(&Secret::new(vec![7; bytes])).unwrap_err();
        assert_eq!(error.code(), "lifecycle_master_key_length", "{bytes}");
        let text = error.to_string();
        assert!(
            text.contains(&format!("{bytes} bytes")) && text.contains("openssl rand"),
            "{text}"
        );
    }
}

#[test]
fn nothing_is_asked_of_a_store_that_was_begun_with_another_key() {
    let store = MemoryLifecycleStore::new();
    let made = registry(store.clone(), master(7)).by(&alice()).create_service("alerts");
    let made = made.wait().unwrap().unwrap();
    let position = store.position().wait().unwrap();

    let other = registry(store.clone(), master(8));
    let (by, key) = (other.by(&alice()), made.key.secret.as_ref().unwrap());
    let (hasher, tokens) = (other.token_hasher(), other.tokens(&[Kind::ServiceKey]));
    let door = ApiKeyVerifier::new("api", Placement::header("key").unwrap(), hasher, tokens);
    let door = other.admit(door.unwrap());
    assert_eq!(ask(&door, "key", &text(&made.key), "192.0.2.1"), "503 lifecycle_keys_wrong");
    for (asked, outcome) in [
        ("poll", code(other.poll().wait())),
        ("create a service", code(by.create_service("alerts").wait())),
        ("list", code(by.list(Some(&made.service.id)).wait())),
        ("retire what is due", code(other.retire_due().wait())),
        (
            "report a leak",
            code(other.report_leaked(&[Secret::new(key.expose())], "a scanner").wait()),
        ),
        ("destroy a session", code(other.destroy_session(key).wait())),
    ] {
        assert_eq!(outcome, "lifecycle_keys_wrong", "{asked}");
    }
    assert_eq!(store.position().wait().unwrap(), position, "something was written");

    let again = registry(store, master(7));
    again.poll().wait().unwrap();
    assert!(again.by(&alice()).create_service("alerts").wait().unwrap().is_ok());
}

#[test]
fn the_key_that_seals_may_be_replaced_and_the_one_that_hashes_may_not() {
    let keys = |hashing: u8, newest: (&str, u8), older: Option<(&str, u8)>| {
        let wrapper =
            LocalKeyWrapper::new(newest.0, &Secret::new([newest.1; 32]), SystemRandom::new());
        let wrapper = match older {
            Some((id, key)) => wrapper.unwrap().with_older_key(id, &Secret::new([key; 32])),
            None => wrapper,
        };
        RegistryKeys::new(Secret::new([hashing; 32]), wrapper.unwrap()).unwrap()
    };
    let store = MemoryLifecycleStore::new();
    for (keys, expected) in [
        (keys(1, ("2026", 2), None), "done"),
        (keys(1, ("2027", 3), Some(("2026", 2))), "done"),
        (keys(1, ("2027", 3), None), "done"),
        (keys(4, ("2027", 3), None), "lifecycle_keys_wrong"),
    ] {
        assert_eq!(code(registry(store.clone(), keys).poll().wait()), expected);
    }
}

#[test]
fn of_two_keys_that_begin_at_once_one_stays() {
    for _ in 0..50 {
        let (store, begin) = (MemoryLifecycleStore::new(), Barrier::new(8));
        let outcomes: Vec<_> = thread::scope(|scope| {
            let start = |process: u8| {
                let (store, begin) = (store.clone(), &begin);
                scope.spawn(move || {
                    let registry = registry(store, master(process % 2));
                    begin.wait();
                    (process % 2, code(registry.poll().wait()))
                })
            };
            let all: Vec<_> = (0..8).map(start).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let (stays, _) = outcomes.iter().find(|one| one.1 == "done").unwrap();
        for (key, outcome) in &outcomes {
            assert_eq!(*outcome, if key == stays { "done" } else { "lifecycle_keys_wrong" });
        }
    }
}

#[test]
fn a_store_that_fails_while_keys_are_compared_is_asked_again() {
    for fault in
        [Fault::Fails, Fault::FailsAfter, Fault::UnknownBefore, Fault::UnknownAfter, Fault::Late(3)]
    {
        for of_a_commit in [true, false] {
            let store = Arc::new(Faulty::new(MemoryLifecycleStore::new()));
            if of_a_commit {
                store.next_commit(fault)
            } else {
                store.next(fault)
            }
            let first = registry(Arc::clone(&store), master(7));
            let by = first.by(&alice());
            let _ = by.services(None, 10).wait();
            assert_eq!(code(by.services(None, 10).wait()), "done", "{fault:?}");
            let other = registry(Arc::clone(&store), master(8));
            assert_eq!(code(other.poll().wait()), "lifecycle_keys_wrong", "{fault:?}");
        }
    }
}

#[test]
fn a_caller_that_gives_up_keeps_nobody_from_comparing() {
    let store = Arc::new(Faulty::new(MemoryLifecycleStore::new()));
    store.next(Fault::Late(3));
    let registry = registry(Arc::clone(&store), master(7));
    let mut given_up = registry.by(&alice()).services(None, 10);
    assert!(Pin::new(&mut given_up).poll(&mut Context::from_waker(Waker::noop())).is_pending());
    drop::<Flow<'_, _>>(given_up);
    assert!(registry.by(&alice()).create_service("alerts").wait().unwrap().is_ok());
}

#[test]
fn keys_are_known_however_far_the_clock_leaps() {
    let (store, clock) = (MemoryLifecycleStore::new(), ManualClock::at(1_800_000_000));
    let built = |byte| {
        Registry::build(store.clone(), master(byte)).with_clock(clock.clone()).finish().unwrap()
    };
    built(7)
        .by(&Actor::new(TenantId::new("acme"), "alice", auth_lifecycle::Role::Owner))
        .create_service("alerts")
        .wait()
        .unwrap()
        .unwrap();
    clock.advance(Duration::from_secs(500 * 365 * 24 * 60 * 60));
    let before = clock.now();
    // Commits forget the answers that have ended.
    assert!(built(7).by(&alice()).create_service("more").wait().unwrap().is_ok());
    assert_eq!(code(built(8).poll().wait()), "lifecycle_keys_wrong", "at {before}");
}
