//! Two processes on one file discard the last two keys of a group at once.
//!
//! `MESSAGING_AUTH_LONG=1` lets them do so 10,000 times.

#![cfg(target_os = "linux")]
#![allow(clippy::unreachable, clippy::unwrap_used, clippy::print_stdout, clippy::panic)]

mod common;

use auth_core::{Secret, SystemClock, TenantId};
use auth_lifecycle::{
    Actor, Commit, CommitOutcome, Credential, CredentialId, GroupChange, GroupId, Kind,
    LifecycleStore, Registry, RegistryKeys, Role, ServiceId, State, Status, Wanted,
};
use auth_store_sqlite::{SqliteDatabase, SqliteLifecycleStore};
use common::Directory;
use std::{
    env,
    io::{self, BufRead, BufReader, Lines, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

const DIRECTORY: &str = "AUTH_STORE_SQLITE_LAST_KEYS_IN";
const NAIVE: &str = "AUTH_STORE_SQLITE_NAIVE";

/// What a process says begins with this; the rest is the harness of the test.
const REPLY: &str = "reply: ";

fn alice() -> Actor {
    Actor::new(TenantId::new("acme"), "alice", Role::Owner)
}

fn open(directory: &Path) -> (SqliteLifecycleStore, Registry) {
    let database = SqliteDatabase::open(&directory.join("auth.db"), SystemClock).unwrap();
    let keys = RegistryKeys::from_master(&Secret::new([7; 32])).unwrap();
    let store = database.credentials();
    let registry = Registry::build(store.clone(), keys).finish().unwrap();
    (store, registry)
}

/// Looks, and discards what it has seen, as often as the group has changed in between: how often that was, and what came
/// of it.
fn discard(registry: &Registry, id: &CredentialId) -> String {
    let by = registry.by(&alice());
    for changed in 0.. {
        let seen = by.dry_run(id).wait().unwrap().unwrap();
        if let Some(refusal) = seen.refused {
            return format!("{changed} {}", refusal.code());
        }
        match by.discard(id, seen.version).wait().unwrap() {
            Ok(_) => return format!("{changed} discarded"),
            Err(refusal) if refusal.code() == "lifecycle_version_changed" => {}
            Err(refusal) => return format!("{changed} {}", refusal.code()),
        }
    }
    unreachable!()
}

/// Looks, and writes the one credential whatever became of the group in between, as a store would do that compares
/// credentials and not groups.
fn discard_naively(store: &SqliteLifecycleStore, group: &GroupId, id: &CredentialId) -> String {
    let seen = store.load(group).wait().unwrap();
    let active = |it: &&Credential| it.state == State::Active;
    if seen.credentials.iter().filter(active).count() < 2 {
        return String::from("0 lifecycle_last_active");
    }
    let it = Credential { state: State::Inactive, ..seen.credential(id).unwrap().clone() };
    let mut change = GroupChange {
        id: group.clone(),
        expected: seen.version,
        latest: seen.latest,
        creations: seen.creations,
        next_due: None,
        credentials: vec![it],
    };
    for changed in 0.. {
        let commit = Commit { changes: vec![change.clone()], ..Commit::default() };
        match store.commit(commit).wait().unwrap() {
            CommitOutcome::Done { .. } => return format!("{changed} discarded"),
            CommitOutcome::Conflict => {
                change.expected = store.load(group).wait().unwrap().version;
            }
            other => panic!("{other:?}"),
        }
    }
    unreachable!()
}

/// Does nothing unless this process was started by a test below: answers each line, a service and a key of it, with what
/// came of discarding the key.
#[test]
fn one_of_the_two() {
    let Some(directory) = env::var_os(DIRECTORY) else { return };
    let (store, registry) = open(Path::new(&directory));
    for line in io::stdin().lines() {
        let line = line.unwrap();
        let (service, id) = line.split_once(' ').unwrap();
        let (group, id) = (group(&ServiceId::new(service)), CredentialId::new(id));
        let reply = match env::var_os(NAIVE) {
            Some(_) => discard_naively(&store, &group, &id),
            None => discard(&registry, &id),
        };
        println!("{REPLY}{reply}");
    }
}

fn group(service: &ServiceId) -> GroupId {
    GroupId::of_service(TenantId::new("acme"), service.clone(), Kind::ServiceKey)
}

struct Process {
    child: Child,
    ask: ChildStdin,
    replies: Lines<BufReader<ChildStdout>>,
}

impl Process {
    fn start(directory: &Directory, is_naive: bool) -> Self {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", "one_of_the_two", "--nocapture"]).env(DIRECTORY, &directory.0);
        if is_naive {
            command.env(NAIVE, "");
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let ask = child.stdin.take().unwrap();
        let replies = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, ask, replies }
    }

    fn reply(&mut self) -> (u32, String) {
        loop {
            let line = self.replies.next().unwrap().unwrap();
            if let Some((_, reply)) = line.split_once(REPLY) {
                let (changed, outcome) = reply.split_once(' ').unwrap();
                return (changed.parse().unwrap(), outcome.into());
            }
        }
    }

    fn end(self) {
        let Self { mut child, ask, replies } = self;
        drop(ask);
        replies.for_each(drop);
        assert!(child.wait().unwrap().success());
    }
}

#[derive(Debug, Default)]
struct Counted {
    /// Both keys of a group were discarded.
    emptied: u32,
    /// One discard came between another one's look and its write.
    overlapped: u32,
}

fn race(rounds: u32, is_naive: bool) -> Counted {
    let directory = Directory::new();
    let (_, registry) = open(&directory.0);
    let by = registry.by(&alice());
    let mut processes = [(); 2].map(|()| Process::start(&directory, is_naive));
    let mut counted = Counted::default();
    for _ in 0..rounds {
        let made = by.create_service("alerts").wait().unwrap().unwrap();
        let service = made.service.id;
        let second = by.create(Some(&service), Kind::ServiceKey, Wanted::default());
        let keys = [made.key, second.wait().unwrap().unwrap()];
        for (process, key) in processes.iter_mut().zip(&keys) {
            writeln!(process.ask, "{service} {}", key.credential.id).unwrap();
        }
        let replies = processes.each_mut().map(Process::reply);
        let discarded = replies.iter().filter(|(_, outcome)| outcome == "discarded").count();
        let views = by.list(Some(&service)).wait().unwrap().unwrap();
        let keys = views.iter().find(|view| view.id == group(&service)).unwrap();
        let left = keys.credentials.iter().filter(|it| it.status == Status::Usable).count();
        assert_eq!(left + discarded, 2, "{replies:?}");
        assert!(discarded > 0, "{replies:?}");
        if !is_naive {
            let refused = replies.iter().find(|(_, outcome)| outcome != "discarded");
            assert_eq!(refused.unwrap().1, "lifecycle_last_active", "{replies:?}");
        }
        counted.emptied += u32::from(left == 0);
        counted.overlapped += u32::from(replies.iter().any(|(changed, _)| *changed > 0));
    }
    registry.verify_chain().wait().unwrap();
    processes.into_iter().for_each(Process::end);
    counted
}

fn rounds() -> u32 {
    if env::var_os("MESSAGING_AUTH_LONG").is_some() { 10_000 } else { 300 }
}

#[test]
fn of_two_processes_that_discard_the_last_two_keys_one_wins_each_time() {
    let rounds = rounds();
    let counted = race(rounds, false);
    println!("{rounds} rounds, one winner in each, {counted:?}");
    assert_eq!(counted.emptied, 0);
    assert!(counted.overlapped > rounds / 100, "hardly any were at once: {counted:?}");
}

/// What the version of the group is there for.
#[test]
fn catches_discards_that_do_not_compare_the_version_of_the_group() {
    let rounds = rounds() / 3;
    let counted = race(rounds, true);
    println!("{rounds} rounds without the version of the group, {counted:?}");
    assert!(counted.emptied > 0, "{counted:?}");
}
