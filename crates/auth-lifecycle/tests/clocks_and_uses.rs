//! What a clock that jumps, and callers from many addresses, must not change.
#![allow(clippy::unwrap_used)]

mod common;

use auth_core::{Event, Observer, Secret, Timestamp};
use auth_lifecycle::{
    GroupPolicy, Kind, MOST_SOURCES, MemoryLifecycleStore, NewSecret, Registry, RegistryKeys,
    Wanted,
    store_suite::{Fault, Faulty},
};
use auth_testing::ManualClock;
use common::{BEGIN, Platform, alice, ask, id, key_door, text};
use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context as Task, Waker},
    time::Duration,
};

const ANYWHERE: &str = "192.0.2.7";
const UNKNOWN: &str = "401 api_key_unknown";
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Nanoseconds since 1970 run out in the year 2554.
#[test]
fn a_key_without_an_end_is_good_after_the_year_2554() {
    let platform = Platform::new();
    let lasting = platform.make(Kind::ServiceKey, NewSecret::Generated);
    let door = key_door(&platform.registry, &[Kind::ServiceKey]);
    for year in [2553, 2555, 9999] {
        platform.clock.set(Timestamp::from_unix((year - 1970) * 31_556_952));
        assert_eq!(ask(&door, "key", &text(&lasting), ANYWHERE), id(&lasting), "{year}");
    }
}

#[test]
fn a_rotated_key_that_has_retired_does_not_revive_when_the_clock_is_set_back() {
    let policy = GroupPolicy { max_total: 3, ..GroupPolicy::two_in_rotation() };
    let platform = Platform::with(&[(Kind::ServiceKey, policy)]);
    let old = platform.make(Kind::ServiceKey, NewSecret::Generated);
    let door = key_door(&platform.registry, &[Kind::ServiceKey]);
    platform.by().rotate(&old.credential.id, HOUR, Wanted::default()).wait().unwrap().unwrap();
    platform.clock.advance(HOUR);
    assert_eq!(ask(&door, "key", &text(&old), ANYWHERE), UNKNOWN);
    // Nobody has written the retirement down yet.
    for back in [Duration::from_nanos(1), Duration::from_millis(500), HOUR, DAY] {
        platform.clock.set(Timestamp::from_unix(BEGIN).after(HOUR).before(back));
        assert_eq!(ask(&door, "key", &text(&old), ANYWHERE), UNKNOWN, "{back:?}");
    }
    platform.registry.trust_clock();
    assert_eq!(ask(&door, "key", &text(&old), ANYWHERE), id(&old), "an operator has said so");
}

/// What a process knows of time it forgets when it ends, and the ledger does not.
#[test]
fn a_process_that_begins_under_a_clock_that_was_set_back_revives_nothing() {
    let platform = Platform::new();
    let expires = Some(Timestamp::from_unix(BEGIN).after(HOUR));
    let ended = platform.create(Kind::ApiKey, Wanted { expires, ..Wanted::default() });
    platform.clock.advance(HOUR);
    // An event of this moment; nobody writes down that the key has ended.
    platform.make(Kind::ProfileKey, NewSecret::Generated);
    platform.clock.set(Timestamp::from_unix(BEGIN));
    let door = key_door(&platform.node(&[]), &[Kind::ApiKey]);
    assert_eq!(ask(&door, "key", &text(&ended), ANYWHERE), UNKNOWN);
}

/// A machine that starts with a wrong clock must not end for good what ends by it.
#[test]
fn a_process_that_begins_years_after_the_last_event_does_not_believe_its_clock() {
    let platform = Platform::new();
    let year = Some(Timestamp::from_unix(BEGIN).after(DAY * 366));
    let limited = platform.create(Kind::ApiKey, Wanted { expires: year, ..Wanted::default() });
    platform.clock.set(Timestamp::from_unix(BEGIN).after(DAY * 3660));
    let wrong = platform.node(&[]);
    let door = key_door(&wrong, &[Kind::ApiKey]);
    assert_eq!(ask(&door, "key", &text(&limited), ANYWHERE), UNKNOWN, "it would have ended");
    assert!(wrong.clock_suspicion().is_some());
    assert_eq!(wrong.retire_due().wait().unwrap().groups, 0);
    platform.clock.set(Timestamp::from_unix(BEGIN));
    let door = key_door(&platform.node(&[]), &[Kind::ApiKey]);
    assert_eq!(ask(&door, "key", &text(&limited), ANYWHERE), id(&limited));
    platform.clock.set(Timestamp::from_unix(BEGIN).after(DAY * 365));
    let quiet = platform.node(&[]);
    let door = key_door(&quiet, &[Kind::ApiKey]);
    assert_eq!(ask(&door, "key", &text(&limited), ANYWHERE), id(&limited));
    assert_eq!(quiet.clock_suspicion(), None, "a year without an event is quiet, and no more");
}

/// A session of an hour is one of an hour, whatever another process has written before.
#[test]
fn a_process_whose_clock_is_ahead_lengthens_no_life_that_another_one_gives() {
    for ahead in [Duration::from_secs(30), HOUR, DAY, DAY * 300] {
        let platform = Platform::new();
        platform.clock.set(Timestamp::from_unix(BEGIN).after(ahead));
        let wrong = platform.node(&[]);
        let service = Some(&platform.service);
        let create = |registry: &Registry| {
            let wanted = Wanted::default();
            registry.by(&alice()).create(service, Kind::IbssoSession, wanted).wait().unwrap()
        };
        let first = create(&wrong).unwrap();
        wrong.by(&alice()).destroy(&first.credential.id).wait().unwrap().unwrap();
        platform.clock.set(Timestamp::from_unix(BEGIN));
        let right = platform.node(&[]);
        right.poll().wait().unwrap();
        // Until somebody says which clock is right, this process refuses what ends by the later one.
        assert_eq!(right.clock_suspicion().is_some(), ahead > Duration::from_secs(30), "{ahead:?}");
        right.trust_clock();
        let session = create(&right).unwrap();
        let door = key_door(&right, &[Kind::IbssoSession]);
        assert_eq!(ask(&door, "key", &text(&session), ANYWHERE), id(&session), "{ahead:?}");
        let again = create(&right).map(drop).unwrap_err();
        assert_eq!(again.code(), "lifecycle_session_already_active", "{ahead:?}");
        platform.clock.advance(HOUR + GroupPolicy::USE_GRAIN);
        assert_eq!(ask(&door, "key", &text(&session), ANYWHERE), UNKNOWN, "{ahead:?}");
    }
}

/// One process under a wrong clock must not end the keys of all others for ever.
#[test]
fn an_event_from_the_far_future_ends_no_key_of_another_process() {
    let platform = Platform::new();
    let year = Some(Timestamp::from_unix(BEGIN).after(DAY * 366));
    let lasting = platform.create(Kind::ApiKey, Wanted { expires: year, ..Wanted::default() });
    platform.clock.set(Timestamp::from_unix(BEGIN).after(DAY * 36_600));
    let wrong = platform.node(&[]);
    wrong.by(&alice()).create(None, Kind::ProfileKey, Wanted::default()).wait().unwrap().unwrap();
    platform.clock.set(Timestamp::from_unix(BEGIN));
    let door = key_door(&platform.node(&[]), &[Kind::ApiKey]);
    assert_eq!(ask(&door, "key", &text(&lasting), ANYWHERE), id(&lasting));
}

#[test]
fn an_idle_time_counts_from_the_beginning_of_a_credential() {
    let policy =
        GroupPolicy { idle_timeout: Some(HOUR), ..GroupPolicy::symphony_sessions(DAY).unwrap() };
    let platform = Platform::with(&[(Kind::SymphonySession, policy)]);
    let begins = Timestamp::from_unix(BEGIN).after(HOUR * 3);
    let wanted = Wanted { not_before: Some(begins), ..Wanted::default() };
    let one = platform.create(Kind::SymphonySession, wanted);
    let door = key_door(&platform.registry, &[Kind::SymphonySession]);
    let check = |after: Duration, expected: &str| {
        platform.clock.set(begins.after(after));
        assert_eq!(ask(&door, "key", &text(&one), ANYWHERE), expected, "{after:?}");
    };
    check(HOUR - Duration::from_secs(1), &id(&one));
    check(HOUR * 2 - Duration::from_secs(2), &id(&one));
    check(HOUR * 2 + GroupPolicy::USE_GRAIN - Duration::from_secs(1), &id(&one));
    check(HOUR * 3 + GroupPolicy::USE_GRAIN * 2, UNKNOWN);
}

/// A network of its own gives a caller more addresses than any memory holds.
#[test]
fn one_caller_from_many_addresses_takes_no_use_from_another() {
    let platform = Platform::new();
    let busy = platform.make(Kind::ServiceKey, NewSecret::Generated);
    let quiet = platform.make(Kind::ApiKey, NewSecret::Generated);
    let door = key_door(&platform.registry, &[Kind::ServiceKey, Kind::ApiKey]);
    for number in 0..120_000_u32 {
        let from = format!("2001:db8::{:x}:{:x}", number >> 16, number & 0xffff);
        assert_eq!(ask(&door, "key", &text(&busy), &from), id(&busy));
    }
    platform.clock.advance(Duration::from_secs(30));
    assert_eq!(ask(&door, "key", &text(&busy), ANYWHERE), id(&busy));
    assert_eq!(ask(&door, "key", &text(&quiet), ANYWHERE), id(&quiet));
    platform.registry.flush_uses().wait().unwrap();
    let now = Some(Timestamp::from_unix(BEGIN + 30));
    for (one, sources) in [(&busy, MOST_SOURCES), (&quiet, 1)] {
        let seen = platform.by().dry_run(&one.credential.id).wait().unwrap().unwrap();
        assert_eq!((seen.credential.last_used, seen.uses.len()), (now, sources));
    }
}

#[test]
fn uses_are_kept_when_the_program_that_writes_them_down_gives_up() {
    let clock = ManualClock::at(BEGIN);
    let store = Arc::new(Faulty::new(MemoryLifecycleStore::new()));
    let keys = RegistryKeys::from_master(&Secret::new([7; 32])).unwrap();
    let builder = Registry::build(Arc::clone(&store), keys).with_clock(clock.clone());
    let registry = builder.finish().unwrap();
    let by = registry.by(&alice());
    let one = by.create(None, Kind::ProfileKey, Wanted::default()).wait().unwrap().unwrap();
    let door = key_door(&registry, &[Kind::ProfileKey]);
    assert_eq!(ask(&door, "key", &text(&one), ANYWHERE), id(&one));
    store.next(Fault::Late(100));
    let mut flush = registry.flush_uses();
    let polled = Pin::new(&mut flush).poll(&mut Task::from_waker(Waker::noop()));
    assert!(polled.is_pending());
    drop(flush);
    registry.flush_uses().wait().unwrap();
    let seen = by.dry_run(&one.credential.id).wait().unwrap().unwrap();
    assert_eq!(seen.credential.last_used, Some(Timestamp::from_unix(BEGIN)));
}

#[derive(Clone, Default)]
struct Forgotten(Arc<Mutex<Vec<String>>>);

impl Observer for Forgotten {
    fn observe(&self, event: Event<'_>) {
        if let Event::InactiveCredentialUsed { tenant, credential } = event {
            self.0.lock().unwrap().push(format!("{tenant} {credential}"));
        }
    }
}

#[test]
fn the_owner_is_told_of_a_forgotten_caller_once_a_minute() {
    let (clock, told) = (ManualClock::at(BEGIN), Forgotten::default());
    let keys = RegistryKeys::from_master(&Secret::new([7; 32])).unwrap();
    let builder = Registry::build(MemoryLifecycleStore::new(), keys).with_clock(clock.clone());
    let registry = builder.with_observer(told.clone()).finish().unwrap();
    let by = registry.by(&alice());
    let make = || by.create(None, Kind::ProfileKey, Wanted::default()).wait().unwrap().unwrap();
    let (old, _) = (make(), make());
    let door = key_door(&registry, &[Kind::ProfileKey]);
    let version = by.dry_run(&old.credential.id).wait().unwrap().unwrap().version;
    by.discard(&old.credential.id, version).wait().unwrap().unwrap();
    for minute in 1..=3 {
        for _ in 0..100 {
            assert_eq!(ask(&door, "key", &text(&old), ANYWHERE), UNKNOWN);
        }
        assert_eq!(*told.0.lock().unwrap(), vec![format!("acme {}", id(&old)); minute]);
        clock.advance(Duration::from_secs(60));
    }
}
