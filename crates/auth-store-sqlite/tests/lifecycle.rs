//! The store in SQLite keeps what every store of credentials promises, in a file and in memory.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

mod common;

use auth_core::SystemClock;
use auth_lifecycle::{
    LifecycleStore, MemoryLifecycleStore,
    store_suite::{Bench, CLAIMS, same_outcomes},
};
use auth_store_sqlite::SqliteDatabase;
use common::Directory;
use std::{
    sync::{Arc, Mutex},
    thread,
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
