use super::*;
use crate::ledger::{Health, Ledger, key};
use auth_core::Timestamp;
use auth_testing::{ManualClock, SeededRandom};
use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{Barrier, mpsc},
    task::{Context, Poll, Waker},
    thread,
};

struct Stage {
    ledger: Ledger,
    clock: ManualClock,
    store: CachedStore<Ledger>,
}

/// A node whose first poll is made.
fn stage() -> Stage {
    let (ledger, clock) = (Ledger::default(), ManualClock::at(1_000_000));
    let (settings, random) = (CacheSettings::default(), SeededRandom::new(1));
    let store = CachedStore::new(ledger.clone(), settings, |_| 8, clock.clone(), random).unwrap();
    store.poll().wait().unwrap();
    Stage { ledger, clock, store }
}

impl Stage {
    fn get(&self, number: u64) -> Result<Option<u64>> {
        self.store.get(&key(number)).wait().map(|found| found.as_deref().copied())
    }

    #[track_caller]
    fn check(&self, number: u64, expected: Option<u64>) {
        assert_eq!(self.get(number).unwrap(), expected);
    }

    /// Is it refused with 503, and to come again when?
    #[track_caller]
    fn check_stale(&self, number: u64) -> Duration {
        let error = self.get(number).unwrap_err();
        assert_eq!(error.code(), "lifecycle_stale", "{error}");
        match error {
            Error::Unavailable { retry_after: Some(after), .. } => after,
            other => panic!("{other}"),
        }
    }

    fn pass(&self, milliseconds: u64) {
        self.clock.advance(Duration::from_millis(milliseconds));
    }

    fn under_way(&self) -> (usize, usize) {
        self.store.0.waits.count()
    }
}

/// Polls once, as a runtime does.
fn glance<T>(flow: &mut Flow<'_, T>) -> Poll<Result<T>> {
    Pin::new(flow).poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn a_known_key_is_read_once_and_found_without_an_allocation() {
    let stage = stage();
    stage.ledger.create(1);
    stage.check(1, Some(1));
    stage.check(2, None);
    let (known, unknown) = (key(1), key(2));
    let measured = allocation_counter::measure(|| {
        assert!(stage.store.get(&known).wait().unwrap().is_some());
        assert!(stage.store.get(&unknown).wait().unwrap().is_none());
    });
    assert_eq!(measured.count_total, 0);
    assert_eq!((stage.ledger.finds(1), stage.ledger.finds(2)), (1, 1));
}

#[test]
fn a_change_is_seen_after_the_next_poll_and_a_creation_too() {
    let stage = stage();
    stage.ledger.create(1);
    stage.check(1, Some(1));
    stage.check(2, None);
    // More than one page.
    (10..20).for_each(|number| drop(stage.ledger.revoke(number)));
    stage.ledger.revoke(1);
    stage.ledger.create(2);
    stage.pass(999);
    stage.check(1, Some(1));
    stage.check(2, None);
    stage.pass(1);
    stage.check(1, None);
    stage.check(2, Some(2));
}

#[test]
fn what_this_process_has_committed_is_respected_at_once() {
    let stage = stage();
    stage.ledger.create(1);
    stage.check(1, Some(1));
    stage.store.forget(&stage.ledger.revoke(1));
    stage.check(1, None);
    stage.store.forget(&stage.ledger.create(1));
    stage.check(1, Some(1));
}

/// Lifecycle fault: duplicated, reordered, delayed hints; a hint that is lost.
#[test]
fn hints_that_are_repeated_late_or_lost_change_only_latency() {
    let stage = stage();
    stage.ledger.create(1);
    stage.check(1, Some(1));
    // In time: seen at once.
    stage.ledger.revoke(1);
    stage.store.hint();
    stage.check(1, None);
    // Repeated, before and after its change: one poll for all that come between two looks.
    let polls = stage.ledger.polls();
    (0..1000).for_each(|_| stage.store.hint());
    stage.ledger.create(1);
    (0..1000).for_each(|_| stage.store.hint());
    stage.check(1, Some(1));
    (0..1000).for_each(|_| assert_eq!(stage.get(1).unwrap(), Some(1)));
    assert_eq!(stage.ledger.polls(), polls + 1);
    // While a poll is under way that read the log before the change: the next look polls again.
    stage.pass(1000);
    stage.ledger.be(Health::Slow);
    let mut polling = stage.store.get(&key(1));
    assert!(glance(&mut polling).is_pending());
    stage.ledger.revoke(1);
    stage.store.hint();
    stage.ledger.be(Health::Up);
    assert!(polling.wait().unwrap().is_some());
    stage.check(1, None);
    // Lost: seen with the next poll.
    stage.ledger.create(1);
    stage.check(1, None);
    stage.pass(1000);
    stage.check(1, Some(1));
}

/// Lifecycle fault: unknown-key flood.
#[test]
fn unknown_key_flood_reads_each_key_once_and_evicts_no_good_one() {
    let stage = stage();
    (0..100).for_each(|number| drop(stage.ledger.create(number)));
    stage.store.poll().wait().unwrap();
    (0..100).for_each(|number| stage.check(number, Some(number)));
    for number in 1000..101_000 {
        stage.check(number, None);
        stage.check(number, None);
    }
    let most = stage.ledger.books().finds.values().copied().max();
    assert_eq!(most, Some(1), "reads of one key");
    (0..100).for_each(|number| stage.check(number, Some(number)));
    assert_eq!((0..100).map(|number| stage.ledger.finds(number)).sum::<usize>(), 100);
    let [(known, _), (unknown, bytes)] = stage.store.size();
    assert!(known == 100 && unknown < 50_000 && bytes <= 8 << 20, "{known} {unknown} {bytes}");
}

#[test]
fn ten_thousand_callers_for_one_unknown_key_make_one_reading() {
    let stage = stage();
    stage.ledger.be(Health::Slow);
    let mut callers: Vec<_> = (0..10_000).map(|_| stage.store.get(&key(1))).collect();
    assert!(callers.iter_mut().all(|caller| glance(caller).is_pending()));
    stage.ledger.be(Health::Up);
    for caller in callers {
        assert!(caller.wait().unwrap().is_none());
    }
    assert_eq!(stage.ledger.finds(1), 1);
    assert_eq!(stage.under_way(), (0, 0));
}

/// Lifecycle fault: store down 1 s, 30 s, 10 min. One caller comes each tenth of a second, for each of ten keys.
#[track_caller]
fn outage(seconds: u64) -> (Stage, u64) {
    let stage = stage();
    (0..10).for_each(|number| drop(stage.ledger.create(number)));
    stage.store.poll().wait().unwrap();
    (0..10).for_each(|number| stage.check(number, Some(number)));
    let polls = stage.ledger.polls();
    stage.ledger.be(Health::Down);
    for tenth in 0..seconds * 10 {
        for number in 0..10 {
            if tenth < 50 {
                stage.check(number, Some(number));
            } else {
                let after = stage.check_stale(number);
                assert!(after <= Duration::from_secs(2), "{after:?}");
            }
        }
        stage.pass(100);
    }
    let polls = stage.ledger.polls() - polls;
    assert!(u64::try_from(polls).unwrap() <= seconds * 2, "{polls} polls in {seconds} s");
    // Somebody revokes a key while the log cannot be read.
    stage.ledger.revoke(0);
    (10..20).for_each(|number| drop(stage.ledger.create(number)));
    stage.ledger.be(Health::Up);
    let (mut waited, before) = (0, stage.ledger.polls());
    while seconds > 5 && stage.get(1).is_err() {
        stage.pass(100);
        waited += 100;
    }
    stage.pass(if seconds > 5 { 0 } else { 2000 });
    for _ in 0..10 {
        stage.check(0, None);
        (1..10).for_each(|number| stage.check(number, Some(number)));
    }
    assert_eq!(stage.ledger.finds(0), 2, "it was revoked");
    (1..10).for_each(|number| assert_eq!(stage.ledger.finds(number), 1, "of key {number}"));
    assert!(stage.ledger.polls() - before <= 5, "pages of one poll");
    (stage, waited)
}

#[test]
fn store_down_1_s_is_not_noticed_by_those_who_are_known() {
    outage(1);
}

#[test]
fn store_down_30_s_refuses_with_503_from_the_bound_on_and_recovers_within_2_s() {
    let (_, waited) = outage(30);
    assert!(waited <= 2000, "{waited} ms");
}

#[test]
fn store_down_10_min_recovers_within_2_s_with_one_reading_for_each_key() {
    let (_, waited) = outage(600);
    assert!(waited <= 2000, "{waited} ms");
}

#[test]
fn nodes_poll_again_at_different_moments() {
    let mut again = Vec::new();
    for seed in 0..20 {
        let (ledger, clock) = (Ledger::default(), ManualClock::at(1));
        ledger.be(Health::Down);
        let (settings, random) = (CacheSettings::default(), SeededRandom::new(seed));
        let store = CachedStore::new(ledger, settings, |_| 8, clock, random).unwrap();
        let error = store.get(&key(1)).wait().unwrap_err();
        let Error::Unavailable { retry_after: Some(after), .. } = error else { panic!("{error}") };
        assert!((500..=1000).contains(&after.as_millis()), "{after:?}");
        again.push(after.as_micros());
    }
    again.sort_unstable();
    again.dedup();
    assert_eq!(again.len(), 20);
}

/// Lifecycle fault: store slow. A fill and a poll that do not end hold nobody up who is known.
#[test]
fn store_slow_2_s_delays_no_key_that_is_known() {
    let stage = stage();
    stage.ledger.create(1);
    stage.check(1, Some(1));
    stage.pass(1000);
    stage.ledger.be(Health::Slow);
    let (mut polling, mut filling) = (stage.store.get(&key(1)), stage.store.get(&key(2)));
    assert!(glance(&mut polling).is_pending() && glance(&mut filling).is_pending());
    for _ in 0..20 {
        stage.pass(100);
        let known = stage.store.get(&key(1));
        assert!(known.is_ready(), "no allocation, no lock of those who wait");
        assert!(known.wait().unwrap().is_some());
    }
    stage.ledger.be(Health::Up);
    assert!(polling.wait().unwrap().is_some() && filling.wait().unwrap().is_none());
}

#[test]
fn beyond_the_bound_all_wait_for_one_poll_and_its_failure_is_for_all() {
    let stage = stage();
    stage.ledger.create(1);
    stage.check(1, Some(1));
    let polls = stage.ledger.polls();
    let all = |stage: &Stage| {
        stage.ledger.be(Health::Slow);
        let mut all: Vec<_> = (0..100).map(|number| stage.store.get(&key(number))).collect();
        assert!(all.iter_mut().all(|caller| glance(caller).is_pending()));
        all
    };
    stage.pass(5000);
    let waiting = all(&stage);
    stage.ledger.be(Health::Up);
    waiting.into_iter().for_each(|caller| assert!(caller.wait().is_ok()));
    assert_eq!(stage.ledger.polls(), polls + 1);
    stage.pass(5000);
    let waiting = all(&stage);
    // It is not answered before the poll is too old itself: the poll's own end is what failed.
    stage.pass(5000);
    stage.ledger.be(Health::Up);
    // Each of them sees a poll that brought nothing, and the next one is made for all.
    waiting.into_iter().for_each(|caller| assert!(caller.wait().is_ok()));
    assert!(stage.ledger.polls() <= polls + 4, "{}", stage.ledger.polls() - polls);
    stage.pass(5000);
    stage.ledger.be(Health::Down);
    let polls = stage.ledger.polls();
    for number in 0..100 {
        stage.check_stale(number);
    }
    assert_eq!(stage.ledger.polls(), polls + 1);
}

#[test]
fn a_caller_that_gives_up_harms_nobody_and_leaves_nothing() {
    let stage = stage();
    stage.ledger.create(1);
    stage.check(1, Some(1));
    stage.pass(1000);
    stage.ledger.be(Health::Slow);
    for number in 1..1000 {
        let mut caller = stage.store.get(&key(number));
        assert!(glance(&mut caller).is_pending());
    }
    assert_eq!(stage.under_way(), (0, 0));
    // The first one of two leaves.
    let (mut first, mut second) = (stage.store.get(&key(7)), stage.store.get(&key(7)));
    stage.pass(5000);
    assert!(glance(&mut first).is_pending() && glance(&mut second).is_pending());
    let polls = stage.ledger.polls();
    drop(first);
    let mut third = stage.store.get(&key(7));
    assert!(glance(&mut third).is_pending());
    assert_eq!(stage.ledger.polls(), polls, "it waits for the poll of the second one");
    stage.ledger.be(Health::Up);
    assert!(second.wait().unwrap().is_none() && third.wait().unwrap().is_none());
    stage.check(1, Some(1));
    assert_eq!(stage.under_way(), (0, 0));
}

#[test]
fn a_store_that_panics_is_an_error_for_all_and_the_next_caller_tries_again() {
    let stage = stage();
    let panicking = |stage: &Stage, number: u64| {
        stage.ledger.be(Health::Panics);
        let panicked = catch_unwind(AssertUnwindSafe(|| drop(stage.get(number))));
        stage.ledger.be(Health::Up);
        panicked
    };
    assert!(panicking(&stage, 1).is_err(), "it reaches the caller that drove it");
    stage.check(1, None);
    stage.pass(5000);
    assert!(panicking(&stage, 1).is_err());
    stage.check_stale(1);
    stage.pass(1000);
    stage.check(1, None);
    assert_eq!(stage.under_way(), (0, 0));
}

/// What was read before a revocation, and is answered after the poll that told of it, is neither kept nor given.
#[test]
fn a_fill_that_a_revocation_overtook_is_read_again() {
    let stage = stage();
    stage.ledger.create(1);
    stage.store.poll().wait().unwrap();
    stage.ledger.be(Health::Slow);
    let mut filling = stage.store.get(&key(1));
    assert!(glance(&mut filling).is_pending());
    stage.ledger.revoke(1);
    // Only the fill is slow.
    stage.ledger.books().health = Health::Up;
    stage.store.poll().wait().unwrap();
    stage.ledger.be(Health::Up);
    assert!(filling.wait().unwrap().is_none());
    assert_eq!(stage.ledger.finds(1), 2);
    stage.check(1, None);
}

#[test]
fn what_is_answered_later_than_the_bound_is_of_no_use() {
    let stage = stage();
    stage.ledger.create(1);
    stage.ledger.be(Health::Slow);
    let mut filling = stage.store.get(&key(1));
    assert!(glance(&mut filling).is_pending());
    stage.ledger.revoke(1);
    stage.pass(5000);
    stage.ledger.be(Health::Up);
    assert!(filling.wait().unwrap().is_none(), "polled and read again");
}

/// A caller that is not run for long after its reading has landed.
#[test]
fn what_lies_for_the_bound_before_its_caller_takes_it_is_read_again() {
    let stage = stage();
    stage.ledger.create(1);
    stage.store.poll().wait().unwrap();
    stage.ledger.be(Health::Slow);
    let (mut first, mut second) = (stage.store.get(&key(1)), stage.store.get(&key(1)));
    assert!(glance(&mut first).is_pending() && glance(&mut second).is_pending());
    stage.ledger.be(Health::Up);
    assert!(first.wait().unwrap().is_some());
    stage.ledger.revoke(1);
    stage.pass(5000);
    assert!(second.wait().unwrap().is_none());
}

/// A reading that has landed is not joined, though not all have taken what it brought.
#[test]
fn a_caller_that_comes_after_a_change_reads_anew() {
    let stage = stage();
    stage.ledger.create(1);
    stage.store.poll().wait().unwrap();
    stage.ledger.be(Health::Slow);
    let (mut first, mut second) = (stage.store.get(&key(1)), stage.store.get(&key(1)));
    assert!(glance(&mut first).is_pending() && glance(&mut second).is_pending());
    stage.ledger.be(Health::Up);
    assert!(first.wait().unwrap().is_some());
    stage.store.forget(&stage.ledger.revoke(1));
    stage.check(1, None);
    drop(second);
}

#[test]
fn a_reading_that_panicked_is_not_joined() {
    let stage = stage();
    stage.ledger.be(Health::Slow);
    let (mut first, mut second) = (stage.store.get(&key(1)), stage.store.get(&key(1)));
    assert!(glance(&mut first).is_pending() && glance(&mut second).is_pending());
    stage.ledger.be(Health::Panics);
    assert!(catch_unwind(AssertUnwindSafe(|| drop(first.wait()))).is_err());
    stage.ledger.be(Health::Up);
    stage.check(1, None);
    assert_eq!(second.wait().unwrap_err().code(), "lifecycle_store_panicked");
}

/// A reading that ends after another one has taken its place.
#[test]
fn a_late_reading_takes_down_nothing_that_is_not_its_own() {
    let stage = stage();
    stage.ledger.be(Health::Slow);
    let (mut late_fill, mut late_poll) = (stage.store.get(&key(1)), stage.store.poll());
    assert!(glance(&mut late_fill).is_pending() && glance(&mut late_poll).is_pending());
    stage.ledger.books().health = Health::Up;
    stage.pass(5000);
    stage.check(2, None);
    stage.ledger.books().health = Health::Slow;
    let (mut fill, mut poll) = (stage.store.get(&key(1)), stage.store.poll());
    assert!(glance(&mut fill).is_pending() && glance(&mut poll).is_pending());
    assert_eq!(stage.under_way(), (1, 1));
    stage.ledger.be(Health::Up);
    assert!(late_poll.wait().is_err());
    assert!(glance(&mut late_fill).is_ready());
    assert_eq!(stage.under_way(), (1, 1));
    assert!(fill.wait().unwrap().is_none() && poll.wait().is_ok());
    assert_eq!(stage.under_way(), (0, 0));
}

#[test]
fn after_a_poll_that_failed_known_keys_are_found_as_before() {
    let stage = stage();
    stage.ledger.create(1);
    stage.check(1, Some(1));
    stage.pass(1000);
    stage.ledger.be(Health::Down);
    stage.check(1, Some(1));
    assert!(stage.store.get(&key(1)).is_ready());
}

#[test]
fn readings_that_never_end_are_left_behind_after_the_bound() {
    let stage = stage();
    stage.ledger.be(Health::Slow);
    stage.pass(1000);
    let (mut polling, mut filling) = (stage.store.poll(), stage.store.get(&key(1)));
    assert!(glance(&mut polling).is_pending() && glance(&mut filling).is_pending());
    stage.ledger.books().health = Health::Up;
    let hung = |flow: &Flow<'static, _>| !flow.is_ready();
    assert!(hung(&filling), "nobody woke it");
    stage.pass(5000);
    stage.check(1, None);
    assert_eq!(stage.ledger.finds(1), 2);
    // The first ones end at last, and take nothing down that is not theirs.
    stage.ledger.be(Health::Up);
    assert_eq!(polling.wait().unwrap_err().code(), "lifecycle_stale");
    assert!(filling.wait().unwrap().is_none());
    stage.check(1, None);
}

#[test]
fn a_log_that_was_cut_empties_the_cache() {
    let stage = stage();
    stage.ledger.create(1);
    stage.check(1, Some(1));
    stage.ledger.revoke(1);
    stage.ledger.cut();
    stage.pass(1000);
    stage.check(1, None);
    assert_eq!(stage.ledger.finds(1), 2);
}

#[test]
fn a_clock_that_is_set_changes_nothing_and_a_late_look_polls_first() {
    let stage = stage();
    stage.ledger.create(1);
    stage.check(1, Some(1));
    let polls = stage.ledger.polls();
    for moment in [0, 999_996, 1_003_600, 32_000_000] {
        stage.clock.set(Timestamp::from_unix(moment));
        stage.check(1, Some(1));
    }
    assert_eq!(stage.ledger.polls(), polls);
    stage.ledger.revoke(1);
    stage.pass(3_600_000);
    stage.check(1, None);
    assert_eq!(stage.ledger.polls(), polls + 1);
}

#[test]
fn a_timer_that_polls_spares_all_callers_the_poll() {
    let stage = stage();
    stage.ledger.create(1);
    stage.store.poll().wait().unwrap();
    stage.check(1, Some(1));
    for _ in 0..100 {
        stage.store.poll().wait().unwrap();
        for _ in 0..9 {
            stage.pass(100);
            assert!(stage.store.get(&key(1)).is_ready());
        }
    }
}

/// Threads that come together while a poll is due: one makes it, and none of the others waits for it.
#[test]
fn of_many_threads_one_makes_the_poll_that_is_due() {
    let stage = stage();
    stage.ledger.create(1);
    stage.check(1, Some(1));
    for _ in 0..500 {
        stage.pass(1000);
        let polls = stage.ledger.polls();
        stage.ledger.be(Health::Slow);
        let (tell, told) = mpsc::channel();
        let together = Barrier::new(8);
        let went_on = thread::scope(|scope| {
            for _ in 0..8 {
                let (store, tell, together) = (&stage.store, tell.clone(), &together);
                scope.spawn(move || {
                    together.wait();
                    assert!(store.get(&key(1)).wait().unwrap().is_some());
                    tell.send(()).unwrap();
                });
            }
            let ahead = || told.recv_timeout(Duration::from_secs(20)).is_ok();
            let went_on = (0..7).filter(|_| ahead()).count();
            stage.ledger.be(Health::Up);
            went_on
        });
        assert_eq!(went_on, 7, "all but the one that polls go on at once");
        assert_eq!(stage.ledger.polls(), polls + 1);
    }
}
