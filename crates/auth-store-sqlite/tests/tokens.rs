//! What is kept for a tenant, and how it is sealed.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

mod common;

use auth_core::{Secret, SystemRandom, Timestamp};
use auth_session::{Intent, Lease, SaveOutcome, TokenStore};
use auth_store_sqlite::{SqliteDatabase, SqliteTokenStore};
use auth_testing::{Canary, CapturedOutput, ManualClock, broken_promises_of_token_store};
use common::{Directory, bytes, close, foreign, tokens};
use std::time::Duration;

const HOLD: Duration = Duration::from_secs(60);
const INTENT: Intent =
    Intent { since: Timestamp::from_unix(1_000_000), retry_at: Timestamp::from_unix(1_003_600) };

fn clock() -> ManualClock {
    ManualClock::at(1_000_000)
}

fn lease(store: &SqliteTokenStore) -> Lease {
    store.lease("name", HOLD).wait().unwrap().unwrap()
}

fn save(store: &SqliteTokenStore, lease: Lease, token: &str) -> SaveOutcome {
    store.save("name", lease, Some(&Secret::from(token))).wait().unwrap()
}

/// The token, or the code of the error.
fn load(store: &SqliteTokenStore) -> Result<Option<String>, &'static str> {
    let entry = store.load("name").wait().map_err(|error| error.code())?;
    let token = entry.and_then(|entry| entry.token);
    Ok(token.map(|token| token.expose_text().unwrap().to_owned()))
}

#[test]
fn a_file_keeps_every_promise_of_a_token_store() {
    let (directory, clock) = (Directory::new(), clock());
    let open = || tokens(&directory.open(clock.clone()), "acme", 1);
    let broken = broken_promises_of_token_store(|| Box::new(open()), &clock);
    assert_eq!(broken, [""; 0]);
}

#[test]
fn memory_keeps_every_promise_of_a_token_store() {
    let clock = clock();
    let database = SqliteDatabase::in_memory(clock.clone()).unwrap();
    let open = || -> Box<dyn TokenStore> { Box::new(tokens(&database, "acme", 1)) };
    assert_eq!(broken_promises_of_token_store(open, &clock), [""; 0]);
}

#[test]
fn a_token_outlives_its_database() {
    let (directory, clock) = (Directory::new(), clock());
    let database = directory.open(clock.clone());
    let held = lease(&tokens(&database, "acme", 1));
    assert_eq!(save(&tokens(&database, "acme", 1), held, "one"), SaveOutcome::Kept);
    close(database, &directory);
    let store = tokens(&directory.open(clock), "acme", 1);
    assert_eq!(load(&store), Ok(Some("one".into())));
    assert_eq!(save(&store, held, "two"), SaveOutcome::Kept, "so does a lease");
}

/// The same name of two tenants is two names, and the rows of one do not open for the other.
#[test]
fn tenants_do_not_see_each_other() {
    let (directory, clock) = (Directory::new(), clock());
    let database = directory.open(clock.clone());
    let (acme, other) = (tokens(&database, "acme", 1), tokens(&database, "other", 1));
    let (held, theirs) = (lease(&acme), lease(&other));
    assert_eq!(save(&acme, held, "of acme"), SaveOutcome::Kept);
    assert_eq!(load(&other), Ok(None));
    assert_eq!(save(&other, theirs, "of other"), SaveOutcome::Kept);
    assert_eq!(
        (load(&acme), load(&other)),
        (Ok(Some("of acme".into())), Ok(Some("of other".into())))
    );
    drop((acme, other));
    close(database, &directory);
    let connection = foreign(&directory.file());
    let swapped = "UPDATE tokens SET token = (SELECT token FROM tokens WHERE tenant = 'acme')";
    connection.execute(swapped, []).unwrap();
    drop(connection);
    let other = tokens(&directory.open(clock), "other", 1);
    assert_eq!(load(&other), Err("seal_broken"));
}

#[test]
fn what_is_sealed_opens_with_its_key_and_in_its_place_alone() {
    for (name, change) in [
        ("another", "name = 'another'"),
        ("name", "token_fence = token_fence - 1, fence = fence - 1"),
        ("name", "token = intent"),
        ("name", "intent = token"),
        ("name", "token = x''"),
        ("name", "intent = x'', token = NULL"),
    ] {
        let (directory, clock) = (Directory::new(), clock());
        let database = directory.open(clock.clone());
        let store = tokens(&database, "acme", 1);
        store.release("name", lease(&store)).wait().unwrap();
        let held = lease(&store);
        assert_eq!(save(&store, held, "token"), SaveOutcome::Kept);
        let intended = store.intend("name", held, Some(INTENT)).wait().unwrap();
        assert_eq!(intended, SaveOutcome::Kept);
        assert_eq!(load(&store), Ok(Some("token".into())));
        assert_eq!(load(&tokens(&database, "acme", 2)), Err("seal_broken"));
        drop(store);
        close(database, &directory);
        let changed = format!("UPDATE tokens SET {change}");
        assert_eq!(foreign(&directory.file()).execute(&changed, []).unwrap(), 1);
        let moved = tokens(&directory.open(clock), "acme", 1).load(name).wait();
        assert_eq!(moved.map(drop).map_err(|error| error.code()), Err("seal_broken"), "{change}");
    }
}

/// A fence that no other can follow is an error: a second lease of that fence would break every promise.
#[test]
fn no_two_leases_have_the_last_fence() {
    let (directory, clock) = (Directory::new(), clock());
    let database = directory.open(clock.clone());
    lease(&tokens(&database, "acme", 1));
    close(database, &directory);
    let last = "UPDATE tokens SET fence = 9223372036854775807, leased_until = 0";
    foreign(&directory.file()).execute(last, []).unwrap();
    let error = tokens(&directory.open(clock), "acme", 1).lease("name", HOLD).wait().unwrap_err();
    assert_eq!(error.code(), "sqlite_corrupt");
}

/// Not in the file, what is beside it, what a handle shows, or any error.
#[test]
fn no_planted_secret_is_found() {
    let (directory, clock, shown) = (Directory::new(), clock(), CapturedOutput::default());
    let random = SystemRandom::new();
    let [token, removed, renewed] =
        ["token", "removed", "renewed"].map(|place| Canary::plant(place, &random).unwrap());
    let database = directory.open(clock.clone());
    let store = tokens(&database, "acme", 1);
    let held = lease(&store);
    for canary in [&removed, &token, &renewed] {
        assert_eq!(save(&store, held, canary.text()), SaveOutcome::Kept);
    }
    store.intend("name", held, Some(INTENT)).wait().unwrap();
    shown.debug(&database).debug(&store);
    shown.error(&tokens(&database, "acme", 2).load("name").wait().unwrap_err());
    let look = |when: &str| {
        let files = directory.files();
        for file in &files {
            let found = CapturedOutput::default();
            found.text(&String::from_utf8_lossy(&bytes(file)));
            assert_eq!(
                found.leaks(&[&token, &removed, &renewed]),
                [""; 0],
                "{when}: {}",
                file.display()
            );
        }
        files.len()
    };
    assert_eq!(look("while it is open"), 3, "the file, what was written ahead, and its index");
    drop(store);
    close(database, &directory);
    assert_eq!(look("closed"), 1);
    assert_eq!(shown.leaks(&[&token, &removed, &renewed]), [""; 0]);
}
