//! What a store says when its file cannot take a commit.

use super::SqliteLifecycleStore;
use crate::{SqliteDatabase, fault::Fault};
use auth_core::{Error, SystemClock, TenantId, Timestamp};
use auth_lifecycle::{Commit, CommitOutcome, EventName, Happening, LifecycleStore, Role};
use std::{
    fs,
    future::Future,
    path::PathBuf,
    pin::pin,
    process,
    sync::mpsc,
    task::{Context, Waker},
};

struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let name = format!("auth-store-sqlite-{name}-{}", process::id());
        let directory = std::env::temp_dir().join(name);
        fs::create_dir(&directory).unwrap();
        Self(directory)
    }

    fn open(&self) -> SqliteDatabase {
        SqliteDatabase::open(&self.0.join("auth.db"), SystemClock).unwrap()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn events(many: usize) -> Commit {
    let event = Happening {
        tenant: TenantId::new("acme"),
        service: None,
        group: None,
        credential: None,
        name: EventName::ActedAsService,
        at: Timestamp::from_unix(1),
        actor: "alice".into(),
        role: Role::Owner,
        cause: "because ".repeat(100).into(),
        states: None,
        detail: String::new(),
        touched: Vec::new(),
    };
    Commit { events: vec![event; many], ..Commit::default() }
}

fn set(database: &SqliteDatabase, name: &'static str, value: i64) {
    let set = move |connection: &rusqlite::Connection| {
        connection.pragma(None, name, value, |_| Ok(()))?;
        Ok(())
    };
    database.write(set).wait().unwrap().unwrap();
}

fn position(store: &SqliteLifecycleStore) -> u64 {
    store.position().wait().unwrap()
}

#[test]
fn a_commit_that_shares_one_that_fails_is_unknown() {
    let directory = Directory::new("unknown");
    let database = directory.open();
    let store = database.credentials();
    let deferred = "CREATE TABLE numbers (n INTEGER PRIMARY KEY); CREATE TABLE deferred
        (n INTEGER REFERENCES numbers DEFERRABLE INITIALLY DEFERRED)";
    database.write(|it| Ok(it.execute_batch(deferred)?)).wait().unwrap().unwrap();
    let (open, gate) = mpsc::channel::<()>();
    let (began, begun) = mpsc::channel();
    let mut held = pin!(database.write(move |_| {
        began.send(()).unwrap();
        gate.recv().unwrap();
        Ok(())
    }));
    let mut context = Context::from_waker(Waker::noop());
    assert!(held.as_mut().poll(&mut context).is_pending());
    begun.recv().unwrap();
    let mut fails = pin!(database.write(|it| -> Result<(), Fault> {
        it.execute("INSERT INTO deferred VALUES (9)", [])?;
        Ok(())
    }));
    assert!(fails.as_mut().poll(&mut context).is_pending());
    let mut shares = store.commit(events(1));
    assert!(std::pin::Pin::new(&mut shares).poll(&mut context).is_pending());
    open.send(()).unwrap();
    assert_eq!(shares.wait().unwrap(), CommitOutcome::Unknown);
    assert_eq!(position(&store), 0);
    assert_eq!(store.commit(events(1)).wait().unwrap(), CommitOutcome::Done { position: 1 });
}

#[track_caller]
fn check_refused(directory: &Directory, error: &Error, code: &str, says: &str) {
    assert_eq!(error.code(), code, "{error}");
    let (text, file) = (error.to_string(), directory.0.join("auth.db"));
    assert!(text.contains(&*file.to_string_lossy()) && text.contains(says), "{text}");
}

#[test]
fn a_full_file_is_named_keeps_nothing_half_done_and_goes_on_once_there_is_room() {
    let directory = Directory::new("full");
    let database = directory.open();
    let store = database.credentials();
    store.commit(events(1)).wait().unwrap();
    set(&database, "max_page_count", 1);
    let error = loop {
        match store.commit(events(1)).wait() {
            Ok(CommitOutcome::Done { .. }) => {}
            Ok(outcome) => panic!("{outcome:?}"),
            Err(error) => break error,
        }
    };
    check_refused(&directory, &error, "sqlite_disk_full", "make room");
    let before = position(&store);
    for _ in 0..3 {
        let error = store.commit(events(200)).wait().unwrap_err();
        check_refused(&directory, &error, "sqlite_disk_full", "make room");
        assert_eq!(position(&store), before);
    }
    let page = store.changes_since(0, usize::MAX).wait().unwrap();
    assert_eq!(page.events.last().map(|event| event.seq), Some(before));
    set(&database, "max_page_count", 100_000);
    let done = store.commit(events(200)).wait().unwrap();
    assert_eq!(done, CommitOutcome::Done { position: before + 200 });
}

#[test]
fn a_file_that_cannot_be_written_is_named_and_goes_on_once_it_can() {
    let directory = Directory::new("read-only");
    let database = directory.open();
    let store = database.credentials();
    store.commit(events(1)).wait().unwrap();
    set(&database, "query_only", 1);
    let error = store.commit(events(1)).wait().unwrap_err();
    check_refused(&directory, &error, "sqlite_read_only", "make it writable");
    assert_eq!(position(&store), 1);
    drop((store, database));
    let store = directory.open().credentials();
    assert_eq!(store.commit(events(1)).wait().unwrap(), CommitOutcome::Done { position: 2 });
}
