//! How many changes are kept in a second, by one caller and by many, beside a bare insert with the same durability.
//!
//! `cargo test --release -p auth-store-sqlite --test rate -- --ignored --nocapture`

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::indexing_slicing)]

mod common;

use auth_core::{Secret, SystemClock};
use auth_session::TokenStore;
use auth_store_sqlite::SqliteTokenStore;
use common::{Directory, foreign, tokens};
use std::{
    thread,
    time::{Duration, Instant},
};

const EACH: usize = 300;

/// Of all calls: how many in a second, the median and the 99th of a hundred.
fn print(what: &str, took: Duration, mut calls: Vec<Duration>) {
    calls.sort_unstable();
    let at = |percent: usize| calls[(calls.len() - 1) * percent / 100];
    let rate = f64::from(u32::try_from(calls.len()).unwrap()) / took.as_secs_f64();
    println!("{what}: {rate:.0}/s, p50 {:?}, p99 {:?}", at(50), at(99));
}

fn timed(mut call: impl FnMut()) -> Vec<Duration> {
    let one = |_| {
        let began = Instant::now();
        call();
        began.elapsed()
    };
    (0..EACH).map(one).collect()
}

fn saves(store: &SqliteTokenStore, name: &str) -> Vec<Duration> {
    let lease = store.lease(name, Duration::from_secs(3600)).wait().unwrap().unwrap();
    let token = Secret::new([7; 200]);
    timed(|| {
        store.save(name, lease, Some(&token)).wait().unwrap();
    })
}

fn all(store: &SqliteTokenStore, callers: usize) {
    let began = Instant::now();
    let calls = thread::scope(|scope| {
        let saving: Vec<_> = (0..callers)
            .map(|n| scope.spawn(move || saves(store, &format!("{callers} {n}"))))
            .collect();
        saving.into_iter().flat_map(|saving| saving.join().unwrap()).collect()
    });
    print(&format!("{callers} callers who save"), began.elapsed(), calls);
}

#[test]
#[ignore = "prints figures"]
fn changes_in_a_second() {
    let directory = Directory::new();
    let bare = foreign(&directory.0.join("bare.db"));
    let sql = "PRAGMA journal_mode = wal; PRAGMA synchronous = full; PRAGMA secure_delete = on;
        CREATE TABLE t (bytes BLOB)";
    bare.execute_batch(sql).unwrap();
    let began = Instant::now();
    let calls = timed(|| {
        bare.execute("INSERT INTO t VALUES (zeroblob(229))", []).unwrap();
    });
    print("a bare insert", began.elapsed(), calls);
    let store = tokens(&directory.open(SystemClock), "acme", 1);
    for callers in [1, 4, 32] {
        all(&store, callers);
    }
    let began = Instant::now();
    let calls = timed(|| drop(store.load("1 0").wait().unwrap()));
    print("a load", began.elapsed(), calls);
}
