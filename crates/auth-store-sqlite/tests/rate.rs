//! How many changes are kept in a second, by one caller and by many, beside a bare insert with the same durability.
//!
//! `cargo test --release -p auth-store-sqlite --test rate -- --ignored --nocapture --test-threads 1`

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::indexing_slicing)]

mod common;

use auth_core::{KeyDigest, Scopes, Secret, SystemClock, TenantId, Timestamp};
use auth_lifecycle::{
    Actor, Commit, CommitOutcome, Credential, CredentialId, EventName, GroupChange, GroupId,
    Happening, Kept, Kind, LifecycleStore, Material, Registry, RegistryKeys, RememberedAnswer,
    Role, ServiceId, State, Update,
};
use auth_session::TokenStore;
use auth_store_sqlite::{SqliteLifecycleStore, SqliteTokenStore};
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

fn timed_once(call: impl FnOnce()) -> Duration {
    let began = Instant::now();
    call();
    began.elapsed()
}

fn timed(mut call: impl FnMut()) -> Vec<Duration> {
    (0..EACH).map(|_| timed_once(&mut call)).collect()
}

/// A database of another program with the same settings, and an insert of so many bytes into it.
fn bare(directory: &Directory, bytes: i64) -> impl FnMut() + use<> {
    let bare = foreign(&directory.0.join("bare.db"));
    let sql = "PRAGMA journal_mode = wal; PRAGMA synchronous = full; PRAGMA secure_delete = on;
        CREATE TABLE t (bytes BLOB)";
    bare.execute_batch(sql).unwrap();
    move || {
        let mut insert = bare.prepare_cached("INSERT INTO t VALUES (zeroblob(?))").unwrap();
        insert.execute([bytes]).unwrap();
    }
}

fn saves(store: &SqliteTokenStore, name: &str) -> Vec<Duration> {
    let lease = store.lease(name, Duration::from_secs(3600)).wait().unwrap().unwrap();
    let token = Secret::new([7; 200]);
    timed(|| {
        store.save(name, lease, Some(&token)).wait().unwrap();
    })
}

/// So many callers at once, each with its number.
fn all(what: &str, callers: usize, calls: impl Fn(usize) -> Vec<Duration> + Sync) {
    let began = Instant::now();
    let calls = thread::scope(|scope| {
        let calls = &calls;
        let calling: Vec<_> = (0..callers).map(|n| scope.spawn(move || calls(n))).collect();
        calling.into_iter().flat_map(|calling| calling.join().unwrap()).collect()
    });
    print(&format!("{callers} callers who {what}"), began.elapsed(), calls);
}

#[test]
#[ignore = "prints figures"]
fn changes_of_tokens_in_a_second() {
    let directory = Directory::new();
    let began = Instant::now();
    let calls = timed(bare(&directory, 229));
    print("a bare insert", began.elapsed(), calls);
    let store = tokens(&directory.open(SystemClock), "acme", 1);
    for callers in [1, 4, 32] {
        all("save", callers, |n| saves(&store, &format!("{callers} {n}")));
    }
    let began = Instant::now();
    let calls = timed(|| drop(store.load("1 0").wait().unwrap()));
    print("a load", began.elapsed(), calls);
}

/// A group of two credentials, of which each change updates one, tells one event and remembers one answer.
struct Changing {
    store: SqliteLifecycleStore,
    group: GroupId,
    version: u64,
}

impl Changing {
    fn new(store: &SqliteLifecycleStore, service: &str) -> Self {
        let service = ServiceId::new(service);
        let group = GroupId::of_service(TenantId::new("acme"), service, Kind::ServiceKey);
        let mut it = Self { store: store.clone(), group, version: 0 };
        it.change(&["first", "second"]);
        it
    }

    fn change(&mut self, names: &[&str]) {
        let credentials = names.iter().map(|name| self.credential(name)).collect();
        let change = GroupChange {
            id: self.group.clone(),
            expected: self.version,
            latest: Timestamp::from_unix(1_800_000_000),
            creations: Vec::new(),
            next_due: Some(Timestamp::from_unix(1_900_000_000)),
            credentials,
        };
        self.version += 1;
        let commit = Commit {
            changes: vec![change],
            service: None,
            events: vec![self.event()],
            answer: Some(self.answer()),
        };
        let outcome = self.store.commit(commit).wait().unwrap();
        assert!(matches!(outcome, CommitOutcome::Done { .. }), "{outcome:?}");
    }

    fn digest(&self, of: &str) -> KeyDigest {
        let mut bytes = [0; 32];
        let text = format!("{of} {}", self.group.service_text());
        bytes.iter_mut().zip(text.bytes()).for_each(|(to, from)| *to = from);
        KeyDigest::from_bytes(bytes)
    }

    fn credential(&self, name: &str) -> Credential {
        let digest = self.digest(name);
        Credential {
            id: CredentialId::new(format!("{name} {}", self.group.service_text())),
            state: State::Active,
            generation: 1,
            created: Timestamp::from_unix(1_700_000_000),
            secret_since: Timestamp::from_unix(1_700_000_000),
            created_by: "alice".into(),
            not_before: None,
            expires: Some(Timestamp::from_unix(1_900_000_000)),
            retire_at: None,
            idle_timeout: None,
            last_used: None,
            ended: false,
            notices_told: 0,
            rotation_told: false,
            scopes: Scopes::default(),
            allowed_addresses: None,
            label: format!("change {}", self.version).into(),
            dependants: Vec::new(),
            kept: Kept {
                found_by: digest,
                fingerprint: digest,
                name: Some("sk_live_....x7Qb".into()),
                material: Material::Sealed([7; 140].into()),
            },
        }
    }

    fn event(&self) -> Happening {
        Happening {
            tenant: self.group.tenant.clone(),
            service: self.group.service.clone(),
            group: Some((self.group.clone(), self.version)),
            credential: Some(CredentialId::new("first")),
            name: EventName::Updated,
            at: Timestamp::from_unix(1_800_000_000),
            actor: "alice".into(),
            role: Role::Owner,
            cause: "".into(),
            states: Some((State::Active, State::Active)),
            detail: "label".into(),
            touched: vec![self.digest("first")],
        }
    }

    fn answer(&self) -> RememberedAnswer {
        RememberedAnswer {
            name: self.digest(&format!("{:08}", self.version)),
            command: self.digest("command"),
            answer: vec![7; 180],
            now: Timestamp::from_unix(1_800_000_000),
            until: Timestamp::from_unix(1_800_086_400),
        }
    }
}

/// One after the other, so that both see the same disk.
#[test]
#[ignore = "prints figures"]
fn commits_of_credentials_in_a_second() {
    let directory = Directory::new();
    let store = directory.open(SystemClock).credentials();
    let mut changing = Changing::new(&store, "alternating");
    let mut insert = bare(&directory, 1200);
    let (mut inserts, mut commits) = (Vec::new(), Vec::new());
    for _ in 0..EACH * 4 {
        inserts.push(timed_once(&mut insert));
        commits.push(timed_once(|| changing.change(&["first"])));
    }
    print("a bare insert", inserts.iter().sum(), inserts);
    print("a commit", commits.iter().sum(), commits);
    for callers in [1, 4, 32] {
        all("commit", callers, |n| {
            let mut changing = Changing::new(&store, &format!("{callers} {n}"));
            timed(|| changing.change(&["first"]))
        });
    }
    let began = Instant::now();
    let found = changing.digest("first");
    let calls = timed(|| assert_eq!(store.find(&found).wait().unwrap().credentials.len(), 1));
    print("a find", began.elapsed(), calls);
    let began = Instant::now();
    let calls =
        timed(|| assert_eq!(store.load(&changing.group).wait().unwrap().credentials.len(), 2));
    print("a load of a group", began.elapsed(), calls);
}

/// A whole command: look, decide, seal the answer, commit, look again.
#[test]
#[ignore = "prints figures"]
fn commands_in_a_second() {
    let directory = Directory::new();
    let store = directory.open(SystemClock).credentials();
    let keys = RegistryKeys::from_master(&Secret::new([7; 32])).unwrap();
    let registry = Registry::build(store, keys).finish().unwrap();
    let alice = Actor::new(TenantId::new("acme"), "alice", Role::Owner);
    for callers in [1, 32] {
        all("update a label through a registry", callers, |n| {
            let by = registry.by(&alice);
            let id = by.create_service(&format!("{n}")).wait().unwrap().unwrap().key.credential.id;
            timed(|| {
                let update = Update { label: Some("new".into()), ..Update::default() };
                by.update(&id, update).wait().unwrap().unwrap();
            })
        });
    }
}
