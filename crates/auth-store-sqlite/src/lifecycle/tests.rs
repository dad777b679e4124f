//! What a store says when its file cannot take a commit.

use super::SqliteLifecycleStore;
use crate::{SqliteDatabase, fault::Fault};
use auth_core::{Error, RequestView, Secret, SystemClock, TenantId, Timestamp, Verifier};
use auth_lifecycle::{
    Actor, Commit, CommitOutcome, EventName, Happening, Kind, LifecycleStore, Registry,
    RegistryKeys, Role,
};
use auth_static::{ApiKeyVerifier, Placement};
use http::{HeaderMap, HeaderValue, Method, Uri};
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

/// Of a disk that an error has made read-only under a process that runs.
#[test]
fn a_read_only_disk_refuses_changes_of_state_and_verification_goes_on() {
    let directory = Directory::new("read-only-verification");
    let database = directory.open();
    let registry = platform(&database);
    let alice = Actor::new(TenantId::new("acme"), "alice", Role::Owner);
    let by = registry.by(&alice).once("req-1");
    let key = registry.by(&alice).create_service("alerts").wait().unwrap().unwrap().key;
    let placement = Placement::header("key").unwrap();
    let (hasher, tokens) = (registry.token_hasher(), registry.tokens(&[Kind::ServiceKey]));
    let door = ApiKeyVerifier::new("messages", placement, hasher, tokens).unwrap();
    let (uri, mut headers) = (Uri::from_static("/v1/messages"), HeaderMap::new());
    headers.insert("key", HeaderValue::from_bytes(key.secret.unwrap().expose()).unwrap());
    let lets_in = || door.verify(RequestView::new(&Method::POST, &uri, &headers)).wait().unwrap();
    set(&database, "query_only", 1);
    let before = position(&database.credentials());
    let id = &key.credential.id;
    let version = || by.dry_run(id).wait().unwrap().unwrap().version;
    for _ in 0..3 {
        let error = by.bind(id, "cron").wait().unwrap_err();
        check_refused(&directory, &error, "sqlite_read_only", "make it writable");
        let error = by.reveal(id).wait().unwrap_err();
        check_refused(&directory, &error, "sqlite_read_only", "make it writable");
        assert!(lets_in().is_ok(), "verification goes on");
    }
    assert_eq!(position(&database.credentials()), before);
    assert_eq!(version(), 1);
    // Another process, after the disk was mended; it gives the same command again.
    let database = directory.open();
    let registry = platform(&database);
    for _ in 0..2 {
        registry.by(&alice).once("req-1").bind(id, "cron").wait().unwrap().unwrap();
        assert_eq!(position(&database.credentials()), before + 1);
    }
    registry.verify_chain().wait().unwrap();
}

fn platform(database: &SqliteDatabase) -> Registry {
    let keys = RegistryKeys::from_master(&Secret::new([7; 32])).unwrap();
    Registry::build(database.credentials(), keys).finish().unwrap()
}
