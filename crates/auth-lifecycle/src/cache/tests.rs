use super::*;
use crate::ledger::key;

const SECOND: Duration = Duration::from_secs(1);

/// A cache that has taken up the log at position 10, by a poll that began at this moment.
fn polled() -> (Cache<u64>, Instant) {
    let now = Instant::now();
    let cache = Cache::new(CacheSettings::default(), |_| 8, now).unwrap();
    poll(&cache, now, LogPage::Gone { reached: 10 });
    (cache, now)
}

#[track_caller]
fn poll(cache: &Cache<u64>, now: Instant, page: LogPage) {
    let ticket = cache.begin_poll(now).unwrap();
    assert!(cache.end_poll(ticket, page).unwrap().is_none());
}

fn last(reached: u64, keys: &[u64]) -> LogPage {
    let keys: Vec<_> = keys.iter().map(|number| key(*number)).collect();
    LogPage::Last { changes: vec![Change { sequence: reached, keys }], reached }
}

fn begin(cache: &Cache<u64>, number: u64, now: Instant) -> FillTicket {
    match cache.look(&key(number), now) {
        Seen::Miss(ticket) => ticket,
        other => panic!("{other:?}"),
    }
}

/// Reads a key at this position, and says whether that may be answered.
fn fill(cache: &Cache<u64>, number: u64, as_of: u64, now: Instant) -> bool {
    let ticket = begin(cache, number, now);
    cache.insert(ticket, Some(&Arc::new(number)), as_of, now).is_some()
}

#[track_caller]
fn check(cache: &Cache<u64>, number: u64, now: Instant, expected: &str) {
    assert_eq!(format!("{:?}", cache.look(&key(number), now)), format!("Seen({expected})"));
}

#[test]
fn says_nothing_before_the_first_poll_and_from_the_bound_on() {
    let now = Instant::now();
    let cache = Cache::<u64>::new(CacheSettings::default(), |_| 8, now).unwrap();
    check(&cache, 1, now, "too old");
    let (cache, now) = polled();
    assert!(fill(&cache, 1, 10, now));
    check(&cache, 1, now + 5 * SECOND - Duration::from_nanos(1), "hit");
    check(&cache, 1, now + 5 * SECOND, "too old");
    check(&cache, 2, now + 5 * SECOND, "too old");
}

#[test]
fn age_counts_from_the_beginning_of_a_poll() {
    let (cache, now) = polled();
    assert!(fill(&cache, 1, 10, now));
    let ticket = cache.begin_poll(now + SECOND).unwrap();
    assert!(cache.end_poll(ticket, last(10, &[])).unwrap().is_none());
    check(&cache, 1, now + 6 * SECOND - Duration::from_nanos(1), "hit");
    check(&cache, 1, now + 6 * SECOND, "too old");
}

#[test]
fn a_page_that_is_not_the_last_takes_out_what_it_names_and_makes_nothing_younger() {
    let (cache, now) = polled();
    (1..=2).for_each(|number| assert!(fill(&cache, number, 10, now)));
    let ticket = cache.begin_poll(now + SECOND).unwrap();
    let change = |sequence, number| Change { sequence, keys: vec![key(number)] };
    let part = LogPage::Part { changes: vec![change(11, 1)], reached: 11 };
    let ticket = cache.end_poll(ticket, part).unwrap().unwrap();
    assert_eq!(ticket.position(), Some(11));
    check(&cache, 1, now + SECOND, "miss");
    check(&cache, 2, now + SECOND, "hit");
    check(&cache, 2, now + 5 * SECOND, "too old");
    assert!(cache.end_poll(ticket, last(12, &[2])).unwrap().is_none());
    check(&cache, 2, now + 6 * SECOND - Duration::from_nanos(1), "miss");
    check(&cache, 2, now + 6 * SECOND, "too old");
}

#[test]
fn what_was_read_before_a_change_is_neither_kept_nor_answered_after_it() {
    let (cache, now) = polled();
    let ticket = begin(&cache, 1, now);
    poll(&cache, now, last(11, &[1]));
    assert!(cache.insert(ticket, Some(&Arc::new(1)), 10, now).is_none());
    check(&cache, 1, now, "miss");
    assert!(fill(&cache, 1, 11, now), "read after it");
    check(&cache, 1, now, "hit");
    // A change of others stops nobody.
    poll(&cache, now, last(12, &[2]));
    assert!(fill(&cache, 3, 11, now));
}

#[test]
fn what_was_read_before_the_log_was_taken_up_may_have_missed_changes() {
    let (cache, now) = polled();
    assert!(!fill(&cache, 1, 9, now));
    // The log is another one, whose positions say nothing about the first.
    let ticket = begin(&cache, 1, now);
    poll(&cache, now, LogPage::Gone { reached: 3 });
    assert!(cache.insert(ticket, Some(&Arc::new(1)), 10, now).is_none());
    assert!(fill(&cache, 1, 3, now));
}

#[test]
fn a_log_that_is_gone_empties_the_cache() {
    let (cache, now) = polled();
    assert!(fill(&cache, 1, 10, now));
    assert!(cache.insert(begin(&cache, 2, now), None, 10, now).is_some());
    check(&cache, 2, now, "unknown");
    assert_eq!(cache.size().map(|(count, _)| count), [1, 1]);
    poll(&cache, now, LogPage::Gone { reached: 20 });
    (1..=2).for_each(|number| check(&cache, number, now, "miss"));
    assert_eq!(cache.size(), [(0, 0); 2]);
}

#[test]
fn a_key_that_comes_to_be_known_is_unknown_no_more() {
    let (cache, now) = polled();
    let (first, second) = (begin(&cache, 1, now), begin(&cache, 1, now));
    assert!(cache.insert(first, None, 10, now).is_some());
    assert!(cache.insert(second, Some(&Arc::new(1)), 11, now).is_some());
    check(&cache, 1, now, "hit");
    assert_eq!(cache.size().map(|(count, _)| count), [1, 0]);
    cache.forget(&Change { sequence: 12, keys: vec![key(1)] });
    check(&cache, 1, now, "miss");
    let (first, second) = (begin(&cache, 1, now), begin(&cache, 1, now));
    assert!(cache.insert(first, Some(&Arc::new(1)), 12, now).is_some());
    assert!(cache.insert(second, None, 13, now).is_some());
    check(&cache, 1, now, "unknown");
}

/// A poll reads of an earlier change when a later one of this process is known already.
#[test]
fn a_later_change_is_not_forgotten_over_an_earlier_one() {
    let (cache, now) = polled();
    cache.forget(&Change { sequence: 12, keys: vec![key(1)] });
    poll(&cache, now, last(11, &[1]));
    assert!(!fill(&cache, 1, 11, now));
    assert!(fill(&cache, 1, 12, now));
}

#[test]
fn one_poll_is_under_way_and_a_ticket_that_is_dropped_makes_room() {
    let (cache, now) = polled();
    let ticket = cache.begin_poll(now).unwrap();
    assert!(cache.begin_poll(now).is_none());
    assert!(!cache.poll_due(now + 2 * SECOND), "it is under way");
    drop(ticket);
    assert!(cache.poll_due(now + 2 * SECOND));
    let hung = cache.begin_poll(now).unwrap();
    let almost = now + 5 * SECOND - Duration::from_nanos(1);
    assert!(cache.begin_poll(almost).is_none());
    let next = cache.begin_poll(now + 5 * SECOND).unwrap();
    let error = cache.end_poll(hung, last(11, &[])).unwrap_err();
    assert_eq!(error.code(), "lifecycle_poll_late");
    assert!(cache.begin_poll(now + 5 * SECOND).is_none(), "the late one took no place");
    assert!(cache.end_poll(next, last(11, &[])).is_ok());
}

#[track_caller]
fn check_backward(position: Option<u64>, page: LogPage) {
    let now = Instant::now();
    let cache = Cache::<u64>::new(CacheSettings::default(), |_| 8, now).unwrap();
    if let Some(reached) = position {
        poll(&cache, now, LogPage::Gone { reached });
    }
    let error = cache.end_poll(cache.begin_poll(now + SECOND).unwrap(), page).unwrap_err();
    assert_eq!(error.code(), "lifecycle_log_backward");
    check(&cache, 1, now + 5 * SECOND, "too old");
    assert_eq!(cache.begin_poll(now + SECOND).unwrap().position(), position, "and a place is free");
}

#[test]
fn refuses_a_log_that_goes_backward_or_stands_still() {
    let part = |reached| LogPage::Part { changes: Vec::new(), reached };
    check_backward(Some(10), last(9, &[]));
    check_backward(Some(10), part(10));
    check_backward(Some(10), part(9));
    check_backward(None, last(10, &[]));
    check_backward(None, part(10));
}

#[test]
fn a_poll_is_due_after_the_interval_at_a_hint_and_after_a_pause() {
    let now = Instant::now();
    let cache = Cache::<u64>::new(CacheSettings::default(), |_| 8, now).unwrap();
    assert!(cache.poll_due(now), "the first one");
    poll(&cache, now, LogPage::Gone { reached: 10 });
    let almost = now + SECOND - Duration::from_nanos(1);
    assert_eq!([almost, now + SECOND].map(|moment| cache.poll_due(moment)), [false, true]);
    cache.hint();
    assert!(cache.poll_due(now));
    // A hint during a poll may be of a change that the poll did not see.
    let ticket = cache.begin_poll(now).unwrap();
    cache.hint();
    assert!(!cache.poll_due(now));
    cache.end_poll(ticket, last(10, &[])).unwrap();
    assert!(cache.poll_due(now));
    poll(&cache, now, last(10, &[]));
    assert!(!cache.poll_due(now));
    // After a failure it is due when the pause is over, whatever is hinted.
    cache.postpone_poll(now + 2 * SECOND);
    cache.hint();
    assert_eq!([SECOND, 2 * SECOND].map(|span| cache.poll_due(now + span)), [false, true]);
    poll(&cache, now, last(10, &[]));
    assert!(!cache.poll_due(now));
    cache.hint();
    assert!(cache.poll_due(now), "the failure is over");
}

#[test]
fn what_is_too_heavy_to_be_kept_is_answered() {
    let now = Instant::now();
    let settings = CacheSettings::default().with_most_bytes(CacheSettings::LEAST_BYTES);
    let cache = Cache::<u64>::new(settings, |_| 1 << 20, now).unwrap();
    poll(&cache, now, LogPage::Gone { reached: 10 });
    assert!(fill(&cache, 1, 10, now));
    check(&cache, 1, now, "miss");
}

/// All that the cache holds at once, as the allocator counts it; values of eight bytes behind their counters.
#[test]
fn a_flood_of_known_and_unknown_keys_stays_within_the_bytes_that_were_given() {
    let settings = CacheSettings::default().with_most_bytes(4 << 20);
    let mut sizes = [(0, 0); 2];
    let measured = allocation_counter::measure(|| {
        let now = Instant::now();
        let cache = Cache::<u64>::new(settings, |_| 32, now).unwrap();
        poll(&cache, now, LogPage::Gone { reached: 10 });
        for number in 0..40_000 {
            assert!(fill(&cache, number, 10, now));
            assert!(cache.insert(begin(&cache, number + 100_000, now), None, 10, now).is_some());
        }
        sizes = cache.size();
    });
    let [(known, known_bytes), (unknown, unknown_bytes)] = sizes;
    let most = usize::try_from(measured.bytes_max).unwrap();
    println!(
        "known={known} in {known_bytes}, unknown={unknown} in {unknown_bytes}, held at most {most} of {} bytes, \
         {} bytes per key",
        4 << 20,
        most / (known + unknown)
    );
    assert!(most <= 4 << 20 && known_bytes + unknown_bytes <= 4 << 20);
    assert!(known > 12_000 && unknown > 1_500, "{known} {unknown}");
    assert!(most / (known + unknown) <= 300, "bytes per key");
}
