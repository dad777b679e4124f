//! The threads of a database, counted in a process that has no others.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

mod common;

use auth_core::SystemClock;
use auth_session::TokenStore;
use common::{Directory, tokens, wait_until};
use std::{fs, time::Duration};

fn threads() -> usize {
    let tasks = fs::read_dir("/proc/self/task").unwrap().flatten();
    let names = tasks.filter_map(|task| fs::read_to_string(task.path().join("comm")).ok());
    names.filter(|name| name.starts_with("sqlite-")).count()
}

#[test]
fn a_database_has_three_threads_until_its_last_handle_is_dropped() {
    let directory = Directory::new();
    for _ in 0..20 {
        let database = directory.open(SystemClock);
        let store = tokens(&database, "acme", 1);
        let (other, flow) = (store.clone(), store.load("name"));
        flow.wait().unwrap();
        wait_until("all threads have begun", || threads() == 3);
        drop((database, store));
        other.lease("name", Duration::from_secs(1)).wait().unwrap();
        assert_eq!(threads(), 3);
        drop(other);
        wait_until("all threads have ended", || threads() == 0);
    }
}
