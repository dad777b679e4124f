//! What a replay store in memory takes, as an allocator measures it.

use auth_core::{
    Clock, Event, MemoryReplayStore, Observer, ReplayOutcome, ReplayStore, Timestamp, Unique,
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
