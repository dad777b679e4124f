//! Limits in this process's memory.

use super::{
    AttemptKey, AttemptOutcome, Limits,
    buckets::{AttemptRate, Buckets, Ends},
    seed::Seed,
};
use crate::{Clock, Flow, Timestamp};
use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Limits wrong attempts in this process: for each source and for each identity, by token buckets that only failures
/// drain.
///
/// The owner is not locked out: a source from which an identity was proven within the last 30 days is judged for that
/// identity by a bucket of its own, and neither by the identity's nor by the source's, however hard both are attacked.
/// What remains is an owner who comes from a new source while the own name is under attack: that one waits, as the
/// attacker does.
///
/// # Memory
///
/// It is in this process, and gone with it. Buckets that are full again are forgotten. There are four tables
/// (sources, identities, the buckets of sources known for an identity, those sources themselves) of at most
/// [`with_entries`](Self::with_entries) each, and an entry costs at most [`ENTRY_BYTES`](Self::ENTRY_BYTES): 10,000
/// entries and 10 MB in all if nothing else is said. When a table is full, callers that are not in it share one bucket,
/// so a flood of names never buys a guess; of the known sources the longest unseen one is forgotten, and
/// of those of one identity its own, once they are a quarter of all: no account pushes out the sources of others.
///
/// # Security
///
/// Failures are counted when they are known to be ones, so callers that guess at once get as many guesses as are judged
/// at once; they are charged for all of them, and wait the longer. An attempt that is given up before it was judged is
/// charged. All spans are measured by [`Clock::steady`], so a clock that jumps neither locks out nor lets in.
pub struct MemoryAttemptLimits {
    clock: Box<dyn Clock>,
    begun: Instant,
    seed: Seed,
    state: Mutex<State>,
}

struct State {
    /// When the limits were last asked.
    now: Timestamp,
    most: usize,
    sources: Buckets<Source>,
    identities: Buckets<Identity>,
    pairs: Buckets<(Source, Identity)>,
    known: Ends<(Source, Identity)>,
}

/// Sources and identities are kept as hashes under a random seed.
type Source = u64;
type Identity = u64;

impl MemoryAttemptLimits {
    /// What one entry of a table costs at most, in bytes.
    pub const ENTRY_BYTES: usize = 250;

    const KNOWN_FOR: Duration = Duration::from_secs(30 * 24 * 60 * 60);

    /// 5 failures a minute for an identity, 30 a minute for a source.
    pub fn new(clock: impl Clock + 'static) -> Self {
        let minute = |failures| AttemptRate { failures, period: Duration::from_secs(60) };
        let state = State {
            now: Timestamp::default(),
            most: 10_000,
            sources: Buckets::new(minute(30)),
            identities: Buckets::new(minute(5)),
            pairs: Buckets::new(minute(5)),
            known: Ends::default(),
        };
        Self {
            begun: clock.steady(),
            clock: Box::new(clock),
            seed: Seed::random(),
            state: Mutex::new(state),
        }
    }

    /// This many for an identity, and for a source that is known for it.
    #[must_use]
    pub fn with_identity_rate(mut self, rate: AttemptRate) -> Self {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        (state.identities, state.pairs) = (Buckets::new(rate), Buckets::new(rate));
        self
    }

    /// This many for a source, whatever the identity.
    #[must_use]
    pub fn with_source_rate(mut self, rate: AttemptRate) -> Self {
        self.state.get_mut().unwrap_or_else(PoisonError::into_inner).sources = Buckets::new(rate);
        self
    }

    /// At most this many entries in each of four tables.
    #[must_use]
    pub fn with_entries(mut self, most: usize) -> Self {
        self.state.get_mut().unwrap_or_else(PoisonError::into_inner).most = most;
        self
    }

    /// How long the caller has to wait: zero when it has not.
    fn wait(&self, by: AttemptKey) -> Duration {
        let (source, identity) = by.hashed(self.seed);
        let (now, mut state) = self.current();
        let State { most, sources, identities, pairs, known, .. } = &mut *state;
        let most = *most;
        match identity {
            None => sources.wait(&source, now, most),
            Some(identity) if known.get(&(source, identity)).is_some() => {
                pairs.wait(&(source, identity), now, most)
            }
            Some(identity) => {
                sources.wait(&source, now, most).max(identities.wait(&identity, now, most))
            }
        }
    }

    fn failed(&self, by: AttemptKey) {
        let (source, identity) = by.hashed(self.seed);
        let (now, mut state) = self.current();
        let State { most, sources, identities, pairs, known, .. } = &mut *state;
        match identity {
            Some(identity) if known.get(&(source, identity)).is_some() => {
                pairs.drain((source, identity), now, *most);
            }
            identity => {
                sources.drain(source, now, *most);
                if let Some(identity) = identity {
                    identities.drain(identity, now, *most);
                }
            }
        }
    }

    fn succeeded(&self, by: AttemptKey) {
        let (source, Some(identity)) = by.hashed(self.seed) else { return };
        let mut state = self.lock();
        // The limits were asked before this attempt: their time then is exact enough for a month.
        let State { now, most, known, .. } = &mut *state;
        let (pair, end) = ((source, identity), now.after(Self::KNOWN_FOR));
        match known.get(&pair) {
            // Seen within the hour: nothing worth writing down.
            Some(known) if end.since(known) < Duration::from_secs(60 * 60) => {}
            Some(_) => known.set(pair, end),
            None => {
                if known.len() >= *most {
                    known.forget_first_of(|(_, known)| *known == identity, *most / 4);
                }
                if known.len() < *most {
                    known.set(pair, end);
                }
            }
        }
    }

    /// The time since we began, which is all that limits are measured by.
    fn current(&self) -> (Timestamp, MutexGuard<'_, State>) {
        let now =
            Timestamp::default().after(self.clock.steady().saturating_duration_since(self.begun));
        let mut state = self.lock();
        state.now = now.max(state.now);
        state.known.forget_until(now);
        (now, state)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change of the state is whole before anything can panic, so a poisoned lock still guards a sound state.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Limits for MemoryAttemptLimits {
    fn may_try(&self, by: AttemptKey) -> Flow<'_, Result<(), Duration>> {
        let wait = self.wait(by);
        Flow::ready(if wait.is_zero() { Ok(()) } else { Err(wait) })
    }

    fn note(&self, by: AttemptKey, settled: AttemptOutcome) {
        match settled {
            AttemptOutcome::Right => self.succeeded(by),
            AttemptOutcome::Wrong => self.failed(by),
            AttemptOutcome::Unknown => {}
        }
    }
}

impl fmt::Debug for MemoryAttemptLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemoryAttemptLimits(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    };

    /// A limit of 3 failures in 30 seconds for a user and 6 in 60 for a source, and its clock.
    struct Limited(MemoryAttemptLimits, Arc<AtomicU64>);

    /// A moment that jumps at each look, and spans that are told.
    #[derive(Clone)]
    struct Hands(Arc<AtomicU64>, Arc<AtomicU64>, Instant);

    impl Clock for Hands {
        fn now(&self) -> Timestamp {
            Timestamp::from_unix(self.1.fetch_add(7_777_777, Ordering::Relaxed) % 9_999_999)
        }

        fn steady(&self) -> Instant {
            self.2 + Duration::from_secs(self.0.load(Ordering::Relaxed))
        }
    }

    fn by(address: &str, user: &str) -> AttemptKey {
        AttemptKey::new(None, "Basic", address.parse().ok(), Some(user.as_bytes()))
    }

    impl Limited {
        fn new() -> Self {
            let hands = Arc::new(AtomicU64::new(1_000_000));
            let rate = |failures, seconds| AttemptRate::new(failures, Duration::from_secs(seconds));
            let limit =
                MemoryAttemptLimits::new(Hands(Arc::clone(&hands), Arc::default(), Instant::now()));
            let limit = limit
                .with_identity_rate(rate(3, 30).unwrap())
                .with_source_rate(rate(6, 60).unwrap());
            Self(limit, hands)
        }

        fn pass(&self, seconds: u64) {
            self.1.fetch_add(seconds, Ordering::Relaxed);
        }

        /// One attempt with a wrong password: does it come so far, or how many seconds should it wait?
        fn fail(&self, address: &str, user: &str) -> Result<(), u64> {
            self.attempt(address, user).map(|by| self.0.note(by, AttemptOutcome::Wrong))
        }

        /// One attempt with the right password.
        fn succeed(&self, address: &str, user: &str) -> Result<(), u64> {
            self.attempt(address, user).map(|by| self.0.note(by, AttemptOutcome::Right))
        }

        fn attempt(&self, address: &str, user: &str) -> Result<AttemptKey, u64> {
            let by = by(address, user);
            self.0.may_try(by).wait().unwrap().map(|()| by).map_err(|wait| wait.as_secs())
        }
    }

    #[test]
    fn failures_of_a_user_run_out_from_all_sources_together_and_come_back() {
        let limited = Limited::new();
        for source in ["192.0.2.1", "198.51.100.1", "2001:db8::1"] {
            assert_eq!(limited.fail(source, "alice"), Ok(()));
        }
        assert_eq!(limited.fail("203.0.113.1", "alice"), Err(10));
        assert_eq!(limited.succeed("203.0.113.1", "bob"), Ok(()));
        limited.pass(9);
        assert_eq!(limited.fail("203.0.113.1", "alice"), Err(1));
        limited.pass(1);
        assert_eq!(limited.fail("203.0.113.1", "alice"), Ok(()));
        assert_eq!(limited.fail("203.0.113.1", "alice"), Err(10));
    }

    #[test]
    fn failures_of_a_source_run_out_over_all_users() {
        let limited = Limited::new();
        for user in ["a", "b", "c", "d", "e", "f"] {
            assert_eq!(limited.fail("192.0.2.1", user), Ok(()));
        }
        assert_eq!(limited.fail("192.0.2.1", "g"), Err(10));
        assert_eq!(limited.succeed("192.0.3.1", "g"), Ok(()));
    }

    #[test]
    fn only_failures_count() {
        let limited = Limited::new();
        for _ in 0..100 {
            assert_eq!(limited.succeed("192.0.2.1", "alice"), Ok(()));
        }
        assert_eq!(limited.fail("192.0.2.1", "alice"), Ok(()));
    }

    #[test]
    fn the_owner_is_not_locked_out_by_a_flood_from_a_thousand_sources() {
        let limited = Limited::new();
        assert_eq!(limited.succeed("192.0.2.1", "alice"), Ok(()));
        let flood = |step: u32| {
            let guess = |n: u32| {
                let address = std::net::Ipv4Addr::from_bits(0x0a00_0000 + step + (n << 8));
                limited.fail(&address.to_string(), "alice").is_ok()
            };
            (0..1000).filter(|n| guess(*n)).count()
        };
        assert_eq!(flood(1), 3, "a thousand sources have three guesses together");
        assert_eq!(limited.succeed("192.0.2.7", "alice"), Ok(()));
        limited.pass(29 * 24 * 60 * 60);
        assert_eq!(flood(2), 3);
        assert_eq!(limited.succeed("192.0.2.7", "alice"), Ok(()), "forgotten before 30 days");
        assert!(limited.succeed("203.0.113.1", "alice").is_err(), "a new source is not known");
        limited.pass(31 * 24 * 60 * 60);
        assert_eq!(flood(3), 3);
        assert!(limited.succeed("192.0.2.7", "alice").is_err(), "known for ever");
    }

    #[test]
    fn a_source_that_is_seen_again_stays_known_and_that_is_written_down_once_an_hour() {
        for (seconds, written) in [(3599, false), (3600, true), (20 * 24 * 60 * 60, true)] {
            let limited = Limited::new();
            let (source, identity) = by("192.0.2.1", "alice").hashed(limited.0.seed);
            let end = || limited.0.current().1.known.get(&(source, identity.unwrap())).unwrap();
            limited.succeed("192.0.2.1", "alice").unwrap();
            let before = end();
            limited.pass(seconds);
            limited.succeed("192.0.2.1", "alice").unwrap();
            let later = if written { seconds } else { 0 };
            assert_eq!(end().since(before), Duration::from_secs(later), "{seconds}");
        }
    }

    #[test]
    fn a_known_source_has_a_bucket_of_its_own_for_that_user_alone() {
        let limited = Limited::new();
        limited.succeed("192.0.2.1", "alice").unwrap();
        for _ in 0..3 {
            assert_eq!(limited.fail("192.0.2.1", "alice"), Ok(()));
        }
        assert_eq!(limited.fail("192.0.2.1", "alice"), Err(10));
        // Neither the user's nor the source's bucket was drained by that.
        for _ in 0..3 {
            assert_eq!(limited.fail("192.0.2.1", "bob"), Ok(()));
        }
        assert_eq!(limited.fail("198.51.100.1", "alice"), Ok(()));
    }

    #[test]
    fn guesses_under_way_at_once_are_all_paid_for() {
        let limited = Limited::new();
        let at_once: Vec<_> =
            (0..9).map(|_| limited.attempt("192.0.2.1", "alice").unwrap()).collect();
        at_once.into_iter().for_each(|attempt| limited.0.failed(attempt));
        assert_eq!(limited.fail("198.51.100.1", "alice"), Err(70));
    }

    #[test]
    fn who_finds_no_room_shares_one_bucket() {
        let Limited(limit, hands) = Limited::new();
        let limited = Limited(limit.with_entries(2), hands);
        for (source, user) in [("192.0.2.1", "a"), ("198.51.100.1", "b")] {
            assert_eq!(limited.fail(source, user), Ok(()));
        }
        for user in ["c", "d", "e"] {
            assert_eq!(limited.fail("192.0.2.1", user), Ok(()));
        }
        assert_eq!(limited.fail("192.0.2.1", "f"), Err(10), "a flood of names buys guesses");
        assert_eq!(limited.succeed("192.0.2.1", "a"), Ok(()), "who has a bucket keeps it");
        let (_, state) = limited.0.current();
        assert_eq!((state.identities.len(), state.sources.len(), state.known.len()), (2, 2, 1));
        drop(state);
        limited.pass(30);
        assert_eq!(limited.fail("192.0.2.1", "f"), Ok(()), "what is full again makes room");
    }

    #[test]
    fn the_longest_unseen_of_the_known_is_forgotten() {
        let Limited(limit, hands) = Limited::new();
        let limited = Limited(limit.with_entries(2), hands);
        for user in ["a", "b", "c"] {
            limited.pass(7200);
            limited.succeed("192.0.2.1", user).unwrap();
        }
        let known = ["a", "b", "c"].map(|user| {
            let by = by("192.0.2.1", user);
            let (source, identity) = by.hashed(limited.0.seed);
            let pair = (source, identity.unwrap());
            limited.0.current().1.known.get(&pair).is_some()
        });
        assert_eq!(known, [false, true, true]);
    }

    #[test]
    fn an_identity_that_is_known_from_a_quarter_of_all_sources_forgets_its_own_first() {
        let Limited(limit, hands) = Limited::new();
        let limited = Limited(limit.with_entries(8), hands);
        let succeed = |source: &str, user: &str| {
            limited.pass(1);
            limited.succeed(source, user).unwrap();
        };
        let is_known = |source: &str, user: &str| {
            let (source, identity) = by(source, user).hashed(limited.0.seed);
            limited.0.current().1.known.get(&(source, identity.unwrap())).is_some()
        };
        for user in ["first", "x", "c", "d", "e", "f", "g", "h"] {
            succeed("192.0.2.1", user);
        }
        succeed("198.51.100.1", "x");
        assert!(is_known("192.0.2.1", "x") && !is_known("192.0.2.1", "first"), "one of eight");
        succeed("203.0.113.1", "x");
        assert!(!is_known("192.0.2.1", "x") && is_known("192.0.2.1", "c"), "two of eight");
    }

    #[test]
    fn without_room_nobody_is_known_and_all_share_one_bucket() {
        let Limited(limit, hands) = Limited::new();
        let limited = Limited(limit.with_entries(0), hands);
        for user in ["a", "b", "c"] {
            limited.succeed("192.0.2.1", user).unwrap();
            limited.fail("192.0.2.1", user).unwrap();
        }
        assert_eq!(limited.succeed("192.0.2.1", "d"), Err(10));
        let (_, state) = limited.0.current();
        assert_eq!((state.identities.len(), state.sources.len(), state.known.len()), (0, 0, 0));
    }

    #[test]
    fn an_entry_costs_no_more_than_it_says() {
        let counted = allocation_counter::measure(|| {
            let limited = Limited::new();
            // Just beyond a doubling of the map, and in the order that fills a tree worst.
            for n in 0..7200 {
                limited.pass(1);
                limited.succeed("192.0.2.1", &n.to_string()).unwrap();
            }
            std::mem::forget(limited);
        });
        let most = i64::try_from(7200 * MemoryAttemptLimits::ENTRY_BYTES).unwrap();
        assert!(counted.bytes_current <= most, "{} bytes each", counted.bytes_current / 7200);
    }

    #[test]
    fn without_an_identity_the_source_alone_is_limited() {
        let limited = Limited::new();
        let by = |address: &str| AttemptKey::new(None, "ApiKey", address.parse().ok(), None);
        let tries = |address| limited.0.may_try(by(address)).wait().unwrap().is_ok();
        for _ in 0..6 {
            assert!(tries("192.0.2.1"));
            limited.0.note(by("192.0.2.1"), AttemptOutcome::Wrong);
            limited.0.note(by("198.51.100.1"), AttemptOutcome::Unknown);
        }
        assert!(!tries("192.0.2.1"));
        assert!(tries("198.51.100.1"), "what nobody could tell costs nothing");
    }

    #[test]
    fn an_attempt_that_is_dropped_is_charged() {
        let limited = Limited::new();
        let limit = crate::AttemptLimit::new(Arc::new(limited.0));
        let (uri, headers) = (http::Uri::from_static("/"), http::HeaderMap::new());
        let request = crate::RequestView::new(&http::Method::GET, &uri, &headers);
        let begin = || {
            crate::Attempt::begin(Some(&limit), request, "Basic", Some(b"alice")).wait().unwrap()
        };
        for _ in 0..3 {
            begin().unwrap().settle(AttemptOutcome::Unknown);
        }
        for _ in 0..3 {
            drop(begin().unwrap());
        }
        let throttled = begin().unwrap_err();
        assert_eq!((throttled.status().as_u16(), throttled.reason().code), (429, "limit_attempts"));
    }

    #[test]
    fn a_rate_is_neither_zero_nor_endless() {
        for (failures, period) in [(0, 1), (1, 0), (2, 1)] {
            let rate = AttemptRate::new(failures, Duration::from_nanos(period));
            assert_eq!(rate.unwrap_err().code(), "limit_rate");
        }
    }
}
