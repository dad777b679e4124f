//! A replay store by itself, with clocks that jump and room that runs out.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use auth_core::{
    Clock, Event, HorizonOwner, MemoryReplayStore, Observer, ReplayOutcome, ReplayStore,
    ReservationOutcome, TenantId, Timestamp, Unique,
};
use auth_testing::ManualClock;
use proptest::prelude::*;
use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

const fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix(seconds)
}

const NOW: u64 = 1_000_000;

/// Issued and, with the allowance for clocks, remembered until then.
fn unique(owner: &str, id: u64, issued: u64, until: u64) -> Unique {
    undated(owner, id, until).issued_at(at(issued))
}

fn undated(owner: &str, id: u64, until: u64) -> Unique {
    Unique::new("test", owner.as_bytes(), &id.to_be_bytes(), at(until - 120))
}

fn used(store: &MemoryReplayStore, unique: &Unique) -> ReplayOutcome {
    store.check_and_set(unique).wait().unwrap()
}

#[test]
fn is_fresh_once_for_each_owner_scheme_and_tenant() {
    let store = MemoryReplayStore::new(ManualClock::at(NOW));
    let one = unique("a", 1, NOW, NOW + 300);
    let other = |unique: Unique, scheme| {
        Unique::new(scheme, unique.owner(), unique.id(), at(NOW + 180)).issued_at(at(NOW))
    };
    let all = [
        one.clone(),
        unique("b", 1, NOW, NOW + 300),
        unique("a", 2, NOW, NOW + 300),
        other(one.clone(), "other"),
        one.clone().with_tenant(TenantId::new("a")),
        one.with_tenant(TenantId::new("b")),
    ];
    for expected in [ReplayOutcome::Fresh, ReplayOutcome::Seen] {
        for unique in &all {
            assert_eq!(used(&store, unique), expected, "{unique:?}");
        }
    }
}

#[test]
fn remembers_to_the_end_and_refuses_what_is_past_it() {
    let clock = ManualClock::at(NOW);
    let store = MemoryReplayStore::new(clock.clone());
    let one = unique("a", 1, NOW, NOW + 300);
    assert_eq!(used(&store, &one), ReplayOutcome::Fresh);
    clock.advance(Duration::from_secs(299));
    assert_eq!(used(&store, &one), ReplayOutcome::Seen);
    clock.advance(Duration::from_secs(1));
    for _ in 0..2 {
        assert_eq!(used(&store, &one), ReplayOutcome::TooOld);
    }
    assert_eq!(used(&store, &unique("a", 2, NOW + 300, NOW + 600)), ReplayOutcome::Fresh);
    assert_eq!(store.len(), 1, "what has ended makes room");
}

#[test]
fn an_end_that_is_past_is_refused_every_time() {
    let store = MemoryReplayStore::new(ManualClock::at(NOW));
    for unique in [unique("a", 1, NOW - 300, NOW - 1), undated("a", 1, NOW)] {
        for _ in 0..2 {
            assert_eq!(used(&store, &unique), ReplayOutcome::TooOld);
        }
    }
}

#[test]
fn a_clock_that_was_ahead_for_a_moment_forgets_nothing() {
    let clock = ManualClock::at(NOW);
    let store = MemoryReplayStore::new(clock.clone());
    let dated = unique("a", 1, NOW, NOW + 300);
    let undated = undated("a", 2, NOW + 300);
    for unique in [&dated, &undated] {
        assert_eq!(used(&store, unique), ReplayOutcome::Fresh);
    }
    clock.set(at(NOW + 3600));
    assert_eq!(used(&store, &unique("a", 3, NOW + 3600, NOW + 3900)), ReplayOutcome::Fresh);
    clock.set(at(NOW + 100));
    for unique in [&dated, &undated] {
        assert_eq!(used(&store, unique), ReplayOutcome::Seen, "{unique:?}");
    }
}

/// Each part of the store looks for what has ended when somebody comes to it, so many come while the clock is ahead.
#[test]
fn a_clock_that_was_ahead_for_a_moment_forgets_nothing_in_any_part() {
    let clock = ManualClock::at(NOW);
    let store = MemoryReplayStore::new(clock.clone());
    let all: Vec<_> = (0..200).map(|n| unique("a", n, NOW, NOW + 300)).collect();
    assert!(all.iter().all(|one| used(&store, one) == ReplayOutcome::Fresh));
    clock.set(at(NOW + 3600));
    for n in 0..200 {
        let later = unique("b", n, NOW + 3600, NOW + 3900);
        assert_eq!(used(&store, &later), ReplayOutcome::Fresh);
    }
    clock.set(at(NOW + 100));
    assert!(all.iter().all(|one| used(&store, one) == ReplayOutcome::Seen));
}

/// An end within a second is not the beginning of that second.
#[test]
fn remembers_to_an_end_between_two_seconds() {
    let half = Duration::from_millis(500);
    let end = at(NOW + 180).after(half);
    let dated = Unique::new("test", b"a", b"1", end).issued_at(at(NOW));
    for one in [dated, Unique::new("test", b"a", b"2", end)] {
        let clock = ManualClock::at(NOW);
        let store = MemoryReplayStore::new(clock.clone());
        assert_eq!(used(&store, &one), ReplayOutcome::Fresh);
        clock.advance(Duration::from_millis(300_400));
        assert_eq!(used(&store, &one), ReplayOutcome::Seen, "{one:?}");
        clock.advance(half);
        assert_eq!(used(&store, &one), ReplayOutcome::TooOld, "{one:?}");
    }
}

/// Limit and share may be set in either order, and both count.
#[test]
fn a_limit_and_a_share_are_set_in_any_order() {
    const LIMIT: usize = 64 * 1024;
    let filled = |store: MemoryReplayStore| {
        for n in 0..4000 {
            assert_eq!(used(&store, &unique("a", n, NOW + n, NOW + 9999)), ReplayOutcome::Fresh);
        }
        assert!(!store.is_empty());
        store.bytes()
    };
    let new = || MemoryReplayStore::new(ManualClock::at(NOW));
    assert!(new().is_empty());
    let quarter = filled(new().with_limit(LIMIT));
    assert!(quarter <= LIMIT / 3, "{quarter}");
    for store in [new().with_limit(LIMIT).with_share(1), new().with_share(1).with_limit(LIMIT)] {
        let all = filled(store);
        assert!((LIMIT / 2..=LIMIT).contains(&all), "{all}");
    }
}

/// What an owner is charged is what it takes, whether it uses many identifiers in a second or one in each; a table that
/// has just doubled takes a third more.
#[test]
fn an_owner_that_fills_its_share_takes_about_as_many_bytes() {
    const LIMIT: usize = 1024 * 1024;
    for in_a_second in [1, 10, 1000] {
        let store = MemoryReplayStore::new(ManualClock::at(NOW)).with_limit(LIMIT);
        for n in 0..20_000 {
            let one = |n| unique("a", n, NOW + n / in_a_second, NOW + 99_999);
            assert_eq!(used(&store, &one(n)), ReplayOutcome::Fresh);
            // What makes room is the oldest, and no more than has to.
            if n % in_a_second != 0 || in_a_second == 1 {
                let before = used(&store, &one(n.saturating_sub(1)));
                assert_eq!(before, ReplayOutcome::Seen, "{n}");
            }
        }
        let taken = store.bytes() * 100 / (LIMIT / 4);
        assert!((60..=140).contains(&taken), "{taken} of a hundred, {in_a_second} in a second");
    }
}

/// Its first identifier was forgotten to make room, and all of its others have ended: the first is refused all the same.
#[test]
fn what_an_owner_has_lost_is_refused_to_its_own_end_and_then_costs_nothing() {
    let clock = ManualClock::at(NOW);
    let store = MemoryReplayStore::new(clock.clone()).with_limit(256 * 1024).with_share(64);
    let owner = |number: u64| format!("owner {number}");
    let first = |number| unique(&owner(number), 0, NOW, NOW + 9999);
    for number in 0..50 {
        assert_eq!(used(&store, &first(number)), ReplayOutcome::Fresh);
        for n in 1..100 {
            let next = unique(&owner(number), n, NOW + n, NOW + 200);
            assert_eq!(used(&store, &next), ReplayOutcome::Fresh);
        }
    }
    clock.advance(Duration::from_secs(300));
    let other = unique("other", 1, NOW + 300, NOW + 600);
    assert_eq!(used(&store, &other), ReplayOutcome::Fresh);
    for number in 0..50 {
        assert_eq!(used(&store, &first(number)), ReplayOutcome::TooOld, "{number}");
    }
    clock.advance(Duration::from_secs(20_000));
    for n in 0..20 {
        let later = unique("other", n, NOW + 20_300 + n, NOW + 30_000);
        assert_eq!(used(&store, &later), ReplayOutcome::Fresh);
        clock.advance(Duration::from_secs(1));
    }
    assert!(store.bytes() < 8 * 1024, "{} bytes", store.bytes());
}

#[test]
fn what_finds_no_room_at_all_is_never_fresh() {
    for limit in [0, 1, 64] {
        let store = MemoryReplayStore::new(ManualClock::at(NOW)).with_limit(limit).with_share(1);
        for _ in 0..2 {
            let told = used(&store, &unique("a", 1, NOW, NOW + 300));
            assert_eq!(told, ReplayOutcome::TooOld, "{limit} bytes");
        }
    }
}

/// What has ended in the middle makes room before anything that has not.
#[test]
fn what_has_ended_makes_room_before_what_is_oldest() {
    let clock = ManualClock::at(NOW);
    let store = MemoryReplayStore::new(clock.clone()).with_limit(64 * 1024).with_share(1);
    let oldest = unique("a", 0, NOW, NOW + 9999);
    assert_eq!(used(&store, &oldest), ReplayOutcome::Fresh);
    for round in 0..20 {
        let now = clock.now().unix();
        for n in 0..200 {
            let one = unique("a", round * 1000 + n + 1, now + 1 + n % 5, now + 60);
            assert_eq!(used(&store, &one), ReplayOutcome::Fresh);
        }
        clock.advance(Duration::from_secs(100));
    }
    assert_eq!(used(&store, &oldest), ReplayOutcome::Seen);
    assert!(store.bytes() <= 64 * 1024);
}

/// What is larger than what it takes the place of does not let an owner grow beyond its share.
#[test]
fn an_owner_keeps_within_its_share_whatever_it_uses() {
    const LIMIT: usize = 256 * 1024;
    let store = MemoryReplayStore::new(ManualClock::at(NOW)).with_limit(LIMIT);
    for n in 0..3000 {
        assert_eq!(used(&store, &unique("a", n, NOW + n, NOW + 99_999)), ReplayOutcome::Fresh);
    }
    let before = store.bytes();
    for n in 3000..6000 {
        let nonce = unique("a", n, NOW + n, NOW + 99_999);
        assert_eq!(store.window(&nonce, 1, 128).wait().unwrap(), ReplayOutcome::Fresh);
    }
    assert!(store.bytes() <= before + before / 8, "{before} and then {}", store.bytes());
}

#[test]
fn a_clock_that_is_set_back_makes_nothing_fresh_that_had_ended() {
    let clock = ManualClock::at(NOW);
    let store = MemoryReplayStore::new(clock.clone());
    let one = unique("a", 1, NOW, NOW + 300);
    assert_eq!(used(&store, &one), ReplayOutcome::Fresh);
    clock.advance(Duration::from_secs(400));
    assert_eq!(used(&store, &unique("a", 2, NOW + 400, NOW + 700)), ReplayOutcome::Fresh);
    clock.set(at(NOW + 100));
    assert_eq!(used(&store, &one), ReplayOutcome::TooOld);
    assert_eq!(
        used(&store, &unique("a", 3, NOW + 100, NOW + 401)),
        ReplayOutcome::Fresh,
        "a new one"
    );
    let short = unique("a", 4, NOW + 101, NOW + 250);
    assert_eq!(used(&store, &short), ReplayOutcome::Fresh, "issued later than what had ended");
}

#[test]
fn a_window_lasts_as_long_as_its_last_use_says() {
    let clock = ManualClock::at(NOW);
    let store = MemoryReplayStore::new(clock.clone());
    let count =
        |counter, until| store.window(&unique("a", 1, NOW, until), counter, 128).wait().unwrap();
    assert_eq!(count(1, NOW + 100), ReplayOutcome::Fresh);
    assert_eq!(count(2, NOW + 200), ReplayOutcome::Fresh);
    clock.advance(Duration::from_secs(101));
    assert_eq!(count(2, NOW + 200), ReplayOutcome::Seen);
    assert_eq!(count(3, NOW + 200), ReplayOutcome::Fresh);
}

#[test]
fn counters_pass_once_in_any_order_within_the_window() {
    let store = MemoryReplayStore::new(ManualClock::at(NOW));
    let nonce = unique("a", 1, NOW, NOW + 300);
    for (counter, expected) in [
        (3, ReplayOutcome::Fresh),
        (1, ReplayOutcome::Fresh),
        (1, ReplayOutcome::Seen),
        (3, ReplayOutcome::Seen),
        (5, ReplayOutcome::Fresh),
        (2, ReplayOutcome::Fresh),
        (1, ReplayOutcome::Seen),
        (u64::MAX, ReplayOutcome::Fresh),
        (5, ReplayOutcome::Seen),
        (u64::MAX - 3, ReplayOutcome::Fresh),
        (u64::MAX - 4, ReplayOutcome::Seen),
        (u64::MAX, ReplayOutcome::Seen),
    ] {
        assert_eq!(store.window(&nonce, counter, 4).wait().unwrap(), expected, "counter {counter}");
    }
}

#[test]
fn an_effect_happens_once_and_a_slow_holder_cannot_undo_it() {
    for one in [unique("a", 1, NOW, NOW + 9999), undated("a", 1, NOW + 9999)] {
        let clock = ManualClock::at(NOW);
        let store = MemoryReplayStore::new(clock.clone());
        let reserve = || store.reserve(&one, Duration::from_secs(10)).wait().unwrap();
        let ReservationOutcome::Reserved(slow) = reserve() else { panic!("not reserved") };
        assert_eq!(reserve(), ReservationOutcome::Held);
        assert_eq!(used(&store, &one), ReplayOutcome::Seen);
        clock.set(at(NOW + 5000));
        assert_eq!(reserve(), ReservationOutcome::Held, "a clock that jumps ends no claim");
        clock.set(at(NOW));
        clock.advance(Duration::from_secs(10));
        let ReservationOutcome::Reserved(next) = reserve() else {
            panic!("a claim that ran out still holds")
        };
        assert!(next > slow);
        assert!(!store.release(&one, slow).wait().unwrap());
        assert!(!store.confirm(&one, slow).wait().unwrap());
        assert!(store.release(&one, next).wait().unwrap());
        let ReservationOutcome::Reserved(last) = reserve() else {
            panic!("a released claim still holds")
        };
        assert!(store.confirm(&one, last).wait().unwrap());
        assert_eq!(reserve(), ReservationOutcome::Done);
        assert!(!store.release(&one, last).wait().unwrap());
    }
}

/// What the observer was told.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<(HorizonOwner, u64)>>>);

impl Observer for Heard {
    fn observe(&self, event: Event<'_>) {
        if let Event::HorizonRaised { horizon, until } = event {
            self.0.lock().unwrap().push((horizon, until.unix()));
        }
    }
}

#[test]
fn a_full_store_forgets_the_oldest_and_never_takes_it_again() {
    let (clock, heard) = (ManualClock::at(NOW), Heard::default());
    let limit = 64 * 1024;
    let store =
        MemoryReplayStore::new(clock.clone()).with_limit(limit).with_observer(heard.clone());
    let owner = |n: u64| format!("owner {n}");
    let mut fresh = Vec::new();
    for n in 0..3000 {
        let one = unique(&owner(n), n, clock.now().unix(), clock.now().unix() + 9999);
        assert_eq!(used(&store, &one), ReplayOutcome::Fresh, "never an outage");
        assert!(store.bytes() <= limit, "{} bytes", store.bytes());
        fresh.push(one);
        if n % 10 == 9 {
            clock.advance(Duration::from_secs(1));
        }
    }
    let again: Vec<_> = fresh.iter().map(|one| used(&store, one)).collect();
    assert!(!again.contains(&ReplayOutcome::Fresh));
    let forgotten = again.iter().filter(|told| **told == ReplayOutcome::TooOld).count();
    assert!(
        again[..forgotten].iter().all(|told| *told == ReplayOutcome::TooOld),
        "the oldest went first"
    );
    assert!((1000..2900).contains(&forgotten), "{forgotten} forgotten");
    let heard = heard.0.lock().unwrap();
    assert_eq!(
        heard.last().map(|(_, until)| (*until - NOW + 1) * 10),
        u64::try_from(forgotten).ok()
    );
    let late = unique("late", 1, NOW, NOW + 99_999);
    assert_eq!(
        used(&store, &late),
        ReplayOutcome::TooOld,
        "issued before the horizon, though never used"
    );
}

#[test]
fn one_owner_fills_its_share_and_takes_nothing_from_others() {
    let (clock, heard) = (ManualClock::at(NOW), Heard::default());
    let store =
        MemoryReplayStore::new(clock.clone()).with_limit(256 * 1024).with_observer(heard.clone());
    let victim = unique("victim", 1, NOW, NOW + 9999);
    assert_eq!(used(&store, &victim), ReplayOutcome::Fresh);
    let mine = |n: u64, issued| unique("mallory", n, issued, NOW + 99_999);
    for n in 0..20_000 {
        assert_eq!(used(&store, &mine(n, clock.now().unix())), ReplayOutcome::Fresh);
        if n % 20 == 19 {
            clock.advance(Duration::from_secs(1));
        }
    }
    assert_eq!(used(&store, &victim), ReplayOutcome::Seen);
    assert_eq!(used(&store, &unique("victim", 2, NOW, NOW + 9999)), ReplayOutcome::Fresh);
    assert_eq!(used(&store, &mine(0, NOW)), ReplayOutcome::TooOld);
    assert!(store.bytes() <= 256 * 1024 / 3, "{} bytes", store.bytes());
    assert!(heard.0.lock().unwrap().iter().all(|(horizon, _)| *horizon == HorizonOwner::Owner));
}

#[test]
fn without_a_moment_of_issue_a_full_store_refuses_and_forgets_nothing() {
    let clock = ManualClock::at(NOW);
    let store = MemoryReplayStore::new(clock.clone()).with_limit(256 * 1024);
    // Each of another key: the part is the tenant's, since a tenant has as many keys as it wants.
    let of = |tenant: &str, n: u64| {
        undated(&format!("key {n}"), n, NOW + 300).with_tenant(TenantId::new(tenant))
    };
    let taken = |tenant: &str| {
        (0_u64..).find(|n| used(&store, &of(tenant, *n)) != ReplayOutcome::Fresh).unwrap()
    };
    let first = taken("a");
    assert!(first > 10, "{first}");
    assert_eq!(used(&store, &of("a", first)), ReplayOutcome::Full);
    assert_eq!(taken("b"), first, "a tenant has a part of its own");
    assert!((0..first).all(|n| used(&store, &of("a", n)) == ReplayOutcome::Seen));
    let dated = unique("key", 1, NOW, NOW + 300);
    assert_eq!(used(&store, &dated), ReplayOutcome::Fresh, "others do not notice");
    clock.advance(Duration::from_secs(300));
    assert_eq!(taken("a"), 0, "what has ended is refused");
    // What has ended is given back, each time.
    for round in 0..3 {
        let later = |n: u64| {
            let end = clock.now().unix() + 300;
            undated(&format!("key {n}"), n, end).with_tenant(TenantId::new("a"))
        };
        assert!((0..first).all(|n| used(&store, &later(n)) == ReplayOutcome::Fresh), "{round}");
        assert_eq!(used(&store, &later(first)), ReplayOutcome::Full, "{round}");
        clock.advance(Duration::from_secs(300));
    }
    // Half of it ends: half of it is given back, and no more.
    let now = clock.now().unix();
    let until = |n: u64, seconds| {
        undated(&format!("key {n}"), n, now + seconds).with_tenant(TenantId::new("a"))
    };
    for n in 0..first {
        let seconds = if n % 2 == 0 { 200 } else { 900 };
        assert_eq!(used(&store, &until(n, seconds)), ReplayOutcome::Fresh);
    }
    clock.advance(Duration::from_secs(200));
    let again = (first..).find(|n| used(&store, &until(*n, 900)) == ReplayOutcome::Full);
    assert_eq!(again.unwrap() - first, first.div_ceil(2));
}

#[test]
fn of_many_callers_at_once_one_is_fresh() {
    let store = MemoryReplayStore::new(ManualClock::at(NOW));
    let fresh = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for n in 0..500 {
                    if used(&store, &unique("a", n, NOW + n / 50, NOW + 300))
                        == ReplayOutcome::Fresh
                    {
                        fresh.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    assert_eq!(fresh.into_inner(), 500);
}

proptest! {
    /// Whatever the order, what is fresh was never fresh before, and the newest `width` are never refused unseen.
    #[test]
    fn a_window_agrees_with_a_set(counters in proptest::collection::vec(0_u64..300, 0..200), width in 1_u32..=128) {
        let store = MemoryReplayStore::new(ManualClock::at(NOW));
        let nonce = unique("a", 1, NOW, NOW + 300);
        let (mut used, mut highest) = (HashSet::new(), None::<u64>);
        for counter in counters {
            let old = highest.is_some_and(|highest| counter + u64::from(width) <= highest);
            let expected = if old || used.contains(&counter) { ReplayOutcome::Seen } else { ReplayOutcome::Fresh };
            prop_assert_eq!(store.window(&nonce, counter, width).wait().unwrap(), expected);
            used.insert(counter);
            highest = highest.max(Some(counter));
        }
    }

    /// However clocks jump, owners flood and room runs out: nothing is fresh twice, and the limit holds.
    #[test]
    fn nothing_is_fresh_twice(steps in proptest::collection::vec((0_u8..5, 0_u64..40, 0_u64..200), 1..400)) {
        let clock = ManualClock::at(NOW);
        let store = MemoryReplayStore::new(clock.clone()).with_limit(8 * 1024);
        let mut fresh = HashSet::new();
        for (step, id, seconds) in steps {
            match step {
                0 => clock.advance(Duration::from_secs(seconds)),
                1 => clock.set(at(NOW + id * 20)),
                _ => {
                    let issued = NOW + (id * 7) % 60;
                    let one = unique(["a", "b", "c"][usize::try_from(id % 3).unwrap()], id, issued, issued + 120 + id * 17 % 300);
                    let one = if step == 2 { undated("a", id, issued + 300) } else { one };
                    if used(&store, &one) == ReplayOutcome::Fresh {
                        prop_assert!(fresh.insert((one.owner().to_vec(), id, one.issued())), "{} {:?}", id, one);
                    }
                    prop_assert!(store.bytes() <= 8 * 1024);
                }
            }
        }
    }
}
