//! What a replay store in memory takes, as an allocator measures it.

use auth_core::{
    Clock, Event, MemoryReplayStore, Observer, ReplayOutcome, ReplayStore, ReservationOutcome,
    Timestamp, Unique,
};
use auth_testing::ManualClock;
use std::time::Duration;

/// Fails when a horizon rises.
struct Never;

impl Observer for Never {
    fn observe(&self, event: Event<'_>) {
        assert!(!matches!(event, Event::HorizonRaised { .. }), "{event:?}");
    }
}

fn session(user: u64, now: Timestamp) -> Unique {
    let (owner, nonce) = (format!("user {user}"), user.to_be_bytes());
    Unique::new("digest", owner.as_bytes(), &nonce, now.after(Duration::from_secs(300)))
        .issued_at(now)
}

/// A nonce lives for five minutes and is remembered for seven; each of them is of another user.
#[test]
fn the_default_holds_a_thousand_new_sessions_a_second_and_costs_what_it_says() {
    let clock = ManualClock::at(1_700_000_000);
    let mut counted = 0;
    let measured = allocation_counter::measure(|| {
        let store = MemoryReplayStore::new(clock.clone()).with_observer(Never);
        for user in 0..600_000 {
            let told = store.window(&session(user, clock.now()), 1, 128).wait();
            assert_eq!(told.unwrap(), ReplayOutcome::Fresh);
            counted = counted.max(store.bytes());
            if user % 1000 == 999 {
                clock.advance(Duration::from_secs(1));
            }
        }
    });
    let measured = usize::try_from(measured.bytes_max).unwrap();
    // A map that grows has its old and its new table for a moment.
    let percent = measured * 100 / counted;
    assert!((95..135).contains(&percent), "{measured} bytes, counted {counted}");
    assert!(counted < MemoryReplayStore::LIMIT);
}

/// Else identifiers without a moment of issue would leave a large table behind that nothing counts, and the others would
/// fill the limit beside it.
#[test]
fn a_table_that_is_nearly_empty_again_takes_what_is_counted() {
    let clock = ManualClock::at(1_700_000_000);
    let (mut store, mut fullest) = (None, 0);
    let measured = allocation_counter::measure(|| {
        let kept = MemoryReplayStore::new(clock.clone()).with_limit(4 * 1024 * 1024);
        let last = clock.now().after(Duration::from_secs(60));
        for owner in 0_u64..8 {
            for id in 0_u64..500 {
                let one = Unique::new("test", &owner.to_be_bytes(), &id.to_be_bytes(), last);
                assert_eq!(kept.check_and_set(&one).wait().unwrap(), ReplayOutcome::Fresh);
            }
        }
        fullest = kept.bytes();
        clock.advance(Duration::from_secs(1000));
        let last = clock.now().after(Duration::from_secs(60));
        kept.check_and_set(&Unique::new("test", b"late", b"late", last)).wait().unwrap();
        store = Some(kept);
    });
    let store = store.unwrap();
    let (held, counted) = (measured.bytes_current, store.bytes());
    assert_eq!(store.len(), 1);
    assert!(held <= i64::try_from(counted).unwrap() + 1024, "{held} bytes, counted {counted}");
    assert!(counted < fullest / 100, "{counted} bytes, {fullest} before");
}

/// Identifiers with a moment of issue, in one second and in many, and without one: so many that their tables have just
/// doubled, as they have with a million.
#[test]
fn an_identifier_that_is_used_once_takes_at_most_120_bytes_and_is_counted_as_it_is() {
    const COUNT: u64 = 120_000;
    let clock = ManualClock::at(1_700_000_000);
    let last = clock.now().after(Duration::from_secs(3600));
    for issued in [Some(1), Some(60), None] {
        let mut counted = 0;
        let measured = allocation_counter::measure(|| {
            let store = MemoryReplayStore::new(clock.clone())
                .with_limit(128 * 1024 * 1024)
                .with_share(1)
                .with_observer(Never);
            for id in 0..COUNT {
                let owner = (id % 1000).to_be_bytes();
                let one = Unique::new("jwt", &owner, &id.to_be_bytes(), last);
                let one = match issued {
                    Some(seconds) => {
                        one.issued_at(clock.now().before(Duration::from_secs(id % seconds)))
                    }
                    None => one,
                };
                assert_eq!(store.check_and_set(&one).wait().unwrap(), ReplayOutcome::Fresh);
            }
            counted = store.bytes();
            std::mem::forget(store);
        });
        let held = usize::try_from(measured.bytes_current).unwrap();
        let each = held / usize::try_from(COUNT).unwrap();
        assert!(each <= 120, "{each} bytes, issued in {issued:?} seconds");
        let percent = held * 100 / counted;
        assert!((95..=105).contains(&percent), "{held} bytes, counted {counted}");
    }
}

/// What a claim takes while it is held is given back when it is settled.
#[test]
fn a_claim_that_is_settled_takes_no_more_than_what_was_used_at_once() {
    let clock = ManualClock::at(1_700_000_000);
    for dated in [true, false] {
        let one = |id: u64| {
            let last = clock.now().after(Duration::from_secs(60));
            let one = Unique::new("test", b"owner", &id.to_be_bytes(), last);
            if dated { one.issued_at(clock.now()) } else { one }
        };
        let [claimed, used] =
            [(); 2].map(|()| MemoryReplayStore::new(clock.clone()).with_limit(1024 * 1024));
        let claim = |id| match claimed.reserve(&one(id), Duration::from_secs(9)).wait().unwrap() {
            ReservationOutcome::Reserved(ticket) => ticket,
            told => panic!("{told:?}"),
        };
        let tickets: Vec<_> = (0..100).map(claim).collect();
        for id in 0..100 {
            assert_eq!(used.check_and_set(&one(id)).wait().unwrap(), ReplayOutcome::Fresh);
        }
        assert!(claimed.bytes() >= used.bytes() + 100 * 24);
        for (id, ticket) in (0..100).zip(tickets) {
            assert!(claimed.confirm(&one(id), ticket).wait().unwrap());
        }
        assert_eq!((claimed.bytes(), claimed.len()), (used.bytes(), 100));
        assert!(claimed.release(&one(100), claim(100)).wait().unwrap());
        assert_eq!((claimed.bytes(), claimed.len()), (used.bytes(), 100));
        for id in 0..100 {
            assert_eq!(claimed.check_and_set(&one(id)).wait().unwrap(), ReplayOutcome::Seen);
        }
    }
}
