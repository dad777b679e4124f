//! Passwords that were imported under another hash are hashed anew when their owner brings them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use auth_core::{Attempt, Error, Flow, InlineWorkers, Lookup, Observer, Secret, Workers};
use auth_lifecycle::{
    BasicPasswords, EventName, Issued, Kind, NewSecret, Registry, RegistryKeys, Wanted,
    store_suite::{Fault, Faulty},
};
use auth_static::{Argon2Concurrency, Argon2Cost, PasswordHash, Passwords, UserPass};
use common::Platform;
use std::{
    future::{Future, pending},
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
    thread,
};

/// Of "open sesame", made by htpasswd of Apache.
const BCRYPT: &str = "$2y$04$pjrQGoUIRqwwoi9HpO9C5uNHCRY2RUJT.bwQaWY08h1u6CbPQ/avS";
const RIGHT: &str = "open sesame";

fn cost() -> Argon2Cost {
    Argon2Cost::new(7168, 5, 1).unwrap()
}

fn imported(platform: &Platform, hash: &str) -> Issued {
    let secret = NewSecret::Password { user: "alice".into(), hash: hash.into() };
    let wanted = Wanted { secret, ..Wanted::default() };
    let by = platform.by();
    by.import(Some(&platform.service), Kind::BasicPassword, wanted).wait().unwrap().unwrap()
}

fn passwords(registry: &Registry, workers: impl Workers + 'static) -> BasicPasswords {
    let concurrency = Argon2Concurrency { running: 2, waiting: 64 };
    registry.basic_passwords(cost(), concurrency, workers).unwrap()
}

fn check<'a>(passwords: &'a BasicPasswords, password: &str) -> Flow<'a, bool> {
    let checked = passwords.check(UserPass::new("alice", password), Attempt::UNLIMITED);
    checked.map(|found| found.is_some())
}

fn is_right(passwords: &BasicPasswords, password: &str) -> bool {
    check(passwords, password).wait().unwrap()
}

/// How often a password was hashed anew, and whether the one of alice would be again.
fn told(platform: &Platform) -> (usize, bool) {
    let (events, _) = platform.by().events(0, 1000).wait().unwrap().unwrap();
    let times = events.iter().filter(|event| event.what.name == EventName::Rehashed).count();
    let found = platform.registry.basic_users().lookup("alice").wait().unwrap().unwrap();
    (times, found.secrets().any(|hash| hash.needs_rehash(cost())))
}

type Work = Box<dyn FnOnce() + Send>;

/// Workers that treat one computation in a way of its own: the first is the check, the second the new hash.
struct Special<F>(Mutex<(usize, Option<F>)>);

impl<F> Special<F> {
    fn new(number: usize, treat: F) -> Self {
        Self(Mutex::new((number, Some(treat))))
    }
}

impl<F: FnOnce(Work) -> Flow<'static, ()> + Send> Workers for Special<F> {
    fn run(&self, work: Work) -> Flow<'static, ()> {
        let treat = {
            let mut state = self.0.lock().unwrap();
            state.0 = state.0.saturating_sub(1);
            if state.0 == 0 { state.1.take() } else { None }
        };
        match treat {
            Some(treat) => treat(work),
            None => InlineWorkers.run(work),
        }
    }
}

#[test]
fn the_first_use_hashes_an_imported_password_anew_and_the_second_finds_it() {
    let platform = Platform::new();
    let made = imported(&platform, BCRYPT);
    let passwords = passwords(&platform.registry, InlineWorkers);
    assert_eq!(told(&platform), (0, true));
    assert!(is_right(&passwords, RIGHT));
    assert_eq!(told(&platform), (1, false));
    for (password, expected) in [(RIGHT, true), ("close sesame", false), (RIGHT, true)] {
        assert_eq!(is_right(&passwords, password), expected);
    }
    assert_eq!(told(&platform), (1, false));
    let seen = platform.by().credential(&made.credential.id).wait().unwrap().unwrap();
    assert_eq!(seen.generation, 1, "it is the same password");
    let other = self::passwords(&platform.node(&[]), InlineWorkers);
    assert!(is_right(&other, RIGHT) && !is_right(&other, "close sesame"));
}

#[test]
fn an_argon2id_hash_of_another_cost_is_made_anew_and_one_of_this_cost_is_not() {
    let random = auth_core::SystemRandom::new();
    for (stored, times) in [(cost(), 0), (Argon2Cost::new(7168, 6, 1).unwrap(), 1)] {
        let platform = Platform::new();
        imported(&platform, &PasswordHash::of(RIGHT, stored, &random).unwrap().to_phc());
        assert!(is_right(&passwords(&platform.registry, InlineWorkers), RIGHT));
        assert_eq!(told(&platform), (times, false));
    }
}

#[test]
fn many_callers_at_once_hash_it_once() {
    for _ in 0..5 {
        let platform = Platform::new();
        imported(&platform, BCRYPT);
        let passwords = passwords(&platform.registry, InlineWorkers);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..3 {
                        assert!(is_right(&passwords, RIGHT));
                    }
                });
            }
        });
        assert_eq!(told(&platform), (1, false));
    }
}

#[test]
fn a_wrong_password_changes_nothing() {
    let platform = Platform::new();
    imported(&platform, BCRYPT);
    let passwords = passwords(&platform.registry, InlineWorkers);
    for wrong in ["", "open sesam", "open sesame "] {
        assert!(!is_right(&passwords, wrong), "{wrong}");
    }
    assert_eq!(told(&platform), (0, true));
}

/// bcrypt does not see the end of it, so what was brought may be another password than its owner's.
#[test]
fn a_password_that_bcrypt_does_not_see_whole_stays_as_it_is() {
    let longest = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let stored = "$2y$04$abcdefghijklmnopqrstuuRAip/W0RPQX4QKkqYqXE3GIXWH518Sm";
    let platform = Platform::new();
    imported(&platform, stored);
    let passwords = passwords(&platform.registry, InlineWorkers);
    for password in [longest, &format!("{longest} and more")] {
        assert!(is_right(&passwords, password));
    }
    assert_eq!(told(&platform), (0, true));
}

#[test]
fn a_password_that_was_replaced_meanwhile_is_not_overwritten() {
    for (number, when) in [(1, "while it was checked"), (2, "while it was hashed")] {
        // The new hash is of another cost too, so that nothing but its generation tells it from the old one.
        let cost = Argon2Cost::new(7168, 6, 1).unwrap();
        let new = PasswordHash::of("new", cost, &auth_core::SystemRandom::new()).unwrap();
        let platform = Platform::new();
        let made = imported(&platform, BCRYPT);
        let (by, id) = (platform.by(), made.credential.id.clone());
        let replace = move |work: Work| {
            let hash = new.to_phc().into();
            let secret = NewSecret::Password { user: "alice".into(), hash };
            by.regenerate(&id, secret).wait().unwrap().unwrap();
            InlineWorkers.run(work)
        };
        let passwords = passwords(&platform.registry, Special::new(number, replace));
        assert!(is_right(&passwords, RIGHT), "it was right when it was looked up");
        assert_eq!(told(&platform).0, 0, "{when}");
        assert!(!is_right(&passwords, RIGHT) && is_right(&passwords, "new"), "{when}");
    }
}

#[test]
fn a_hash_that_fails_refuses_nobody_and_the_next_use_tries_again() {
    let platform = Platform::new();
    imported(&platform, BCRYPT);
    let fail = |_| Flow::failed(Error::unavailable("test_workers", None, "no workers today"));
    let passwords = passwords(&platform.registry, Special::new(2, fail));
    assert!(is_right(&passwords, RIGHT));
    assert_eq!(told(&platform), (0, true));
    assert!(is_right(&passwords, RIGHT));
    assert_eq!(told(&platform), (1, false));
}

/// Keeps what failed: the credential, and the code.
#[derive(Clone, Default)]
struct Failures(Arc<Mutex<Vec<(String, &'static str)>>>);

impl Observer for Failures {
    fn observe(&self, event: auth_core::Event<'_>) {
        if let auth_core::Event::PasswordNotRehashed { credential, error, .. } = event {
            self.0.lock().unwrap().push((credential.into(), error.code()));
        }
    }
}

#[test]
fn a_hash_that_fails_is_told_to_the_observer_each_time_and_one_that_succeeds_is_not() {
    let (platform, failures) = (Platform::new(), Failures::default());
    let made = imported(&platform, BCRYPT);
    let keys = RegistryKeys::from_master(&Secret::new([7; 32])).unwrap();
    let store = Arc::new(Faulty::new(platform.store.clone()));
    let registry = Registry::build(Arc::clone(&store), keys).with_clock(platform.clock.clone());
    let registry = registry.with_observer(failures.clone()).finish().unwrap();
    registry.poll().wait().unwrap();

    let fail = |_| Flow::failed(Error::unavailable("test_workers", None, "no workers today"));
    assert!(is_right(&passwords(&registry, Special::new(2, fail)), RIGHT));
    let passwords = passwords(&registry, InlineWorkers);
    store.next_commit(Fault::Fails);
    assert!(is_right(&passwords, RIGHT));
    let told = |code| (made.credential.id.to_string(), code);
    let both = [told("test_workers"), told("store_faulty")];
    assert_eq!(*failures.0.lock().unwrap(), both);
    for password in [RIGHT, "close sesame", RIGHT] {
        let _ = is_right(&passwords, password);
    }
    assert_eq!(*failures.0.lock().unwrap(), both);
}

#[test]
fn a_caller_that_gives_up_leaves_it_to_the_next() {
    let platform = Platform::new();
    imported(&platform, BCRYPT);
    let never = |work| {
        drop(work);
        Flow::new(pending())
    };
    let passwords = passwords(&platform.registry, Special::new(2, never));
    let mut given_up = check(&passwords, RIGHT);
    let polled = Pin::new(&mut given_up).poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(polled, Poll::Pending));
    assert!(is_right(&passwords, RIGHT), "another caller is not held up");
    assert_eq!(told(&platform), (0, true));
    drop(given_up);
    assert!(is_right(&passwords, RIGHT));
    assert_eq!(told(&platform), (1, false));
}

#[test]
fn a_hash_of_another_program_is_taken_over_by_an_import_alone() {
    let platform = Platform::new();
    let (by, service) = (platform.by(), Some(&platform.service));
    let wanted = |user: &str| {
        let secret = NewSecret::Password { user: user.into(), hash: BCRYPT.into() };
        Wanted { secret, ..Wanted::default() }
    };
    let id = imported(&platform, BCRYPT).credential.id;
    let overlap = std::time::Duration::from_secs(60);
    for (name, made) in [
        ("create", by.create(service, Kind::BasicPassword, wanted("bob"))),
        ("rotate", by.rotate(&id, overlap, wanted("bob"))),
        ("regenerate", by.regenerate(&id, wanted("bob").secret)),
    ] {
        let refusal = made.wait().unwrap().unwrap_err();
        assert_eq!(refusal.code(), "lifecycle_invalid", "{name}");
        assert!(
            refusal
                .to_string()
                .starts_with("secret is wrong, expected a hash that begins with $argon2id$")
        );
    }
}
