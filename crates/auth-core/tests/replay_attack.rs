//! A replay store under callers who choose moments of issue, and clocks that jump, to get more than their share.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use auth_core::{
    MemoryReplayStore, ReplayOutcome, ReplayStore, ReservationOutcome, Timestamp, Unique,
};
use auth_testing::ManualClock;
use std::time::Duration;

const NOW: u64 = 1_000_000_000;
/// Long after everything else in a test has ended.
const FAR: u64 = NOW + 1_000_000;
const LIMIT: usize = 1024 * 1024;

/// Issued and, with the allowance for clocks, remembered until then.
fn unique(owner: &str, id: u64, issued: u64, until: u64) -> Unique {
    undated(owner, id, until).issued_at(Timestamp::from_unix(issued))
}

fn undated(owner: &str, id: u64, until: u64) -> Unique {
    let last = Timestamp::from_unix(until - 120);
    Unique::new("test", owner.as_bytes(), &id.to_be_bytes(), last)
}

fn used(store: &MemoryReplayStore, unique: &Unique) -> ReplayOutcome {
    store.check_and_set(unique).wait().unwrap()
}

/// Else a store that has run for a while counts nothing any more, and grows without end.
#[test]
fn what_a_second_takes_is_counted_when_it_comes_as_when_it_goes() {
    let clock = ManualClock::at(NOW);
    let store = MemoryReplayStore::new(clock.clone());
    for id in 0..1000 {
        assert_eq!(used(&store, &unique("lasting", id, FAR, FAR + 300)), ReplayOutcome::Fresh);
    }
    let before = store.bytes();
    for second in 0..10_000 {
        assert_eq!(
            used(&store, &unique("a", 0, NOW + second, NOW + second + 1)),
            ReplayOutcome::Fresh
        );
        clock.advance(Duration::from_secs(1));
    }
    used(&store, &unique("late", 0, FAR + 1, FAR + 300));
    assert_eq!(store.len(), 1001);
    assert!(store.bytes() >= before, "{} bytes, {before} before", store.bytes());
}

/// One identifier in each second takes more than many in one: its owner is charged for it.
#[test]
fn one_owner_that_spreads_its_moments_takes_no_more_than_its_share() {
    for rising in [true, false] {
        let store = MemoryReplayStore::new(ManualClock::at(NOW)).with_limit(LIMIT);
        let mut most = 0;
        for id in 0..20_000 {
            let issued = if rising { NOW - 30_000 + id } else { NOW - id };
            used(&store, &unique("a", id, issued, FAR));
            most = most.max(store.bytes());
        }
        // Beside the share there is the small table that says whose it is.
        assert!(most <= LIMIT / 4 + 1024, "{most} of {LIMIT} bytes, rising: {rising}");
    }
}

#[test]
fn one_owner_raises_no_horizon_but_its_own() {
    let store = MemoryReplayStore::new(ManualClock::at(NOW)).with_limit(LIMIT);
    for id in 0..20_000 {
        used(&store, &unique("a", id, NOW - 30_000 + id, FAR));
    }
    assert_eq!(used(&store, &unique("b", 0, NOW - 29_000, FAR)), ReplayOutcome::Fresh);
}

/// What was released takes nothing, also where others used something in the same second.
#[test]
fn an_owner_does_not_pay_for_what_it_released() {
    let store = MemoryReplayStore::new(ManualClock::at(NOW)).with_limit(LIMIT);
    for id in 0..5000 {
        let mine = unique("a", id, NOW - 5000 + id, FAR);
        let told = store.reserve(&mine, Duration::from_secs(60)).wait().unwrap();
        let ReservationOutcome::Reserved(ticket) = told else { panic!("{told:?}") };
        used(&store, &unique("b", id, NOW - 5000 + id, FAR));
        assert!(store.release(&mine, ticket).wait().unwrap());
    }
    let mine = [unique("a", 5000, NOW - 1, FAR), unique("a", 5001, NOW, FAR)];
    for expected in [ReplayOutcome::Fresh, ReplayOutcome::Seen] {
        assert_eq!(mine.each_ref().map(|mine| used(&store, mine)), [expected; 2]);
    }
}

#[test]
fn what_an_owner_lost_stays_refused_though_the_clock_was_ahead_for_a_moment() {
    let clock = ManualClock::at(NOW);
    let store = MemoryReplayStore::new(clock.clone()).with_limit(LIMIT);
    let first = unique("a", 0, NOW, NOW + 300);
    // All in one second: past the share the owner loses all of them.
    for id in 0..10_000 {
        used(&store, &unique("a", id, NOW, NOW + 300));
    }
    assert_eq!(used(&store, &first), ReplayOutcome::TooOld);
    clock.advance(Duration::from_secs(2));
    clock.set(Timestamp::from_unix(NOW + 1000));
    // Others fill the store, so that it looks for what has ended.
    for id in 0..40_000 {
        used(&store, &unique(&format!("b{}", id % 16), id, NOW - 10, NOW + 2000));
    }
    clock.set(Timestamp::from_unix(NOW + 3));
    assert_eq!(used(&store, &first), ReplayOutcome::TooOld);
}

#[test]
fn what_an_owner_lost_stays_refused_when_the_clock_is_set_back() {
    let clock = ManualClock::at(NOW);
    let store = MemoryReplayStore::new(clock.clone()).with_limit(LIMIT);
    for id in 0..10_000 {
        used(&store, &unique("a", id, NOW, NOW + 300));
    }
    clock.advance(Duration::from_secs(301));
    for id in 0..40_000 {
        used(&store, &unique(&format!("b{}", id % 16), id, NOW - 10, NOW + 2000));
    }
    clock.set(Timestamp::from_unix(NOW + 1));
    assert_eq!(used(&store, &unique("a", 0, NOW, NOW + 300)), ReplayOutcome::TooOld);
}

#[test]
fn a_clock_that_was_ahead_for_a_moment_keeps_no_full_store_full() {
    let clock = ManualClock::at(NOW);
    let store = MemoryReplayStore::new(clock.clone()).with_limit(LIMIT);
    let fill = |until| {
        let owners = (0..16).map(|owner| format!("{owner}"));
        for owner in owners {
            let told = (0..10_000)
                .find(|id| used(&store, &undated(&owner, *id, until)) == ReplayOutcome::Full);
            assert!(told.is_some());
        }
    };
    fill(NOW + 300);
    clock.set(Timestamp::from_unix(NOW + 100_000_000));
    used(&store, &undated("late", 0, NOW + 200_000_000));
    clock.set(Timestamp::from_unix(NOW));
    clock.advance(Duration::from_secs(600));
    assert_eq!(used(&store, &undated("a", 0, NOW + 900)), ReplayOutcome::Fresh);
}

/// So a form that signs each attempt anew gives no moment.
#[test]
fn an_id_is_the_same_only_with_the_same_moment_of_issue() {
    let store = MemoryReplayStore::new(ManualClock::at(NOW));
    assert_eq!(used(&store, &unique("a", 0, NOW, NOW + 300)), ReplayOutcome::Fresh);
    assert_eq!(used(&store, &unique("a", 0, NOW + 1, NOW + 301)), ReplayOutcome::Fresh);
    for (until, expected) in [(NOW + 300, ReplayOutcome::Fresh), (NOW + 301, ReplayOutcome::Seen)] {
        assert_eq!(used(&store, &undated("a", 0, until)), expected);
    }
}

/// Of several parts with a lock each. Whatever is forgotten in any of them stays refused.
#[test]
fn a_large_store_keeps_its_limit_its_shares_and_its_horizons_in_all_parts() {
    const LARGE: usize = 8 * LIMIT;
    let clock = ManualClock::at(NOW);
    let store = MemoryReplayStore::new(clock.clone()).with_limit(LARGE);
    let one = |id: u64| unique(&format!("{}", id % 64), id, NOW + id / 10_000, FAR);
    for id in 0..300_000 {
        assert_eq!(used(&store, &one(id)), ReplayOutcome::Fresh, "never an outage");
        if id % 1000 == 0 {
            assert!(store.bytes() <= LARGE, "{} bytes", store.bytes());
        }
    }
    let again = |id| used(&store, &one(id));
    assert!((0..300_000).all(|id| again(id) != ReplayOutcome::Fresh));
    let forgotten = (0..300_000).filter(|id| again(*id) == ReplayOutcome::TooOld).count();
    assert!((100_000..280_000).contains(&forgotten), "{forgotten} forgotten");

    let store = MemoryReplayStore::new(clock).with_limit(LARGE);
    for id in 0..200_000 {
        used(&store, &unique("a", id, NOW + id / 10_000, FAR));
    }
    assert!(store.bytes() <= LARGE / 3, "{} bytes", store.bytes());
    assert_eq!(used(&store, &unique("b", 0, NOW, FAR)), ReplayOutcome::Fresh);
}

/// The parts that nobody uses just then included.
#[test]
fn what_has_ended_is_forgotten_in_all_parts() {
    let clock = ManualClock::at(NOW);
    let store = MemoryReplayStore::new(clock.clone());
    for id in 0..1000 {
        used(&store, &unique("a", id, NOW, NOW + 300));
    }
    clock.advance(Duration::from_secs(301));
    assert_eq!(used(&store, &unique("a", 0, NOW + 300, NOW + 600)), ReplayOutcome::Fresh);
    assert_eq!(store.len(), 1);
}

/// Callers that ask at once for the same identifiers, in parts of their own and in the same: one of them is served.
#[test]
fn of_many_callers_at_once_one_is_served_in_every_part() {
    let clock = ManualClock::at(NOW);
    let store = MemoryReplayStore::new(clock.clone());
    let fresh = std::sync::atomic::AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for id in 0..5000 {
                    if id % 1000 == 0 {
                        clock.advance(Duration::from_millis(700));
                    }
                    if used(&store, &unique("a", id, NOW, NOW + 9000)) == ReplayOutcome::Fresh {
                        fresh.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    }
                }
            });
        }
    });
    assert_eq!((fresh.into_inner(), store.len()), (5000, 5000));
}
