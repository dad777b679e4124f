//! Processes that share a file work under the keys that the file was begun with, and under no others.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

mod common;

use auth_core::{Secret, SystemClock, TenantId};
use auth_lifecycle::{Actor, Registry, RegistryKeys, Role};
use auth_store_sqlite::SqliteDatabase;
use common::Directory;
use std::{
    env, fs,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

const DIRECTORY: &str = "AUTH_STORE_SQLITE_TEST_KEYS_DIRECTORY";
const KEY: &str = "AUTH_STORE_SQLITE_TEST_KEYS_KEY";

fn registry(file: &Path, key: u8) -> Registry {
    let store = SqliteDatabase::open(file, SystemClock).unwrap().credentials();
    let keys = RegistryKeys::from_master(&Secret::new([key; 32])).unwrap();
    Registry::build(store, keys).finish().unwrap()
}

fn polled(registry: &Registry) -> &'static str {
    registry.poll().wait().map_or_else(|error| error.code(), |()| "done")
}

#[test]
fn a_file_that_was_begun_with_another_key_is_not_used() {
    let directory = Directory::new();
    let file = directory.0.join("auth.db");
    let alice = Actor::new(TenantId::new("acme"), "alice", Role::Owner);
    registry(&file, 7).by(&alice).create_service("alerts").wait().unwrap().unwrap();
    let other = registry(&file, 8);
    assert_eq!(polled(&other), "lifecycle_keys_wrong");
    let refused = other.by(&alice).create_service("alerts").wait().unwrap_err();
    assert_eq!(refused.code(), "lifecycle_keys_wrong");
    assert_eq!(polled(&registry(&file, 7)), "done");
}

/// Does nothing unless this process was started by the test below: opens a file, which nobody has made yet, at the moment
/// at which all others do.
#[test]
fn one_of_the_processes() {
    let (Some(directory), Ok(key)) = (env::var_os(DIRECTORY), env::var(KEY)) else { return };
    let directory = Path::new(&directory);
    while !directory.join("begin").exists() {
        thread::sleep(Duration::from_micros(100));
    }
    let outcome = polled(&registry(&directory.join("auth.db"), key.parse().unwrap()));
    fs::write(directory.join(format!("told-{key}-{}", std::process::id())), outcome).unwrap();
}

fn start(directory: &Directory, key: u8) -> Child {
    let mut command = Command::new(env::current_exe().unwrap());
    let command = command.args(["--exact", "one_of_the_processes"]);
    let command = command.env(DIRECTORY, &directory.0).env(KEY, key.to_string());
    command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap()
}

#[test]
fn of_processes_that_begin_a_file_at_once_under_two_keys_those_of_one_key_go_on() {
    for _ in 0..5 {
        let directory = Directory::new();
        let processes: Vec<_> = [7, 8, 7, 8].map(|key| start(&directory, key)).into();
        thread::sleep(Duration::from_millis(100));
        fs::write(directory.0.join("begin"), "").unwrap();
        for mut process in processes {
            assert!(process.wait().unwrap().success());
        }
        let told = |key: u8| -> Vec<String> {
            let beginning = format!("told-{key}-");
            let is_of = |path: &&std::path::PathBuf| path.to_string_lossy().contains(&beginning);
            let files = directory.files();
            files.iter().filter(is_of).map(|path| fs::read_to_string(path).unwrap()).collect()
        };
        let (one, other) = (told(7), told(8));
        let both = |text: &str| vec![String::from(text); 2];
        let (done, wrong) = (both("done"), both("lifecycle_keys_wrong"));
        assert!(
            (&one, &other) == (&done, &wrong) || (&one, &other) == (&wrong, &done),
            "{one:?} {other:?}"
        );
    }
}
