//! How often a password may be wrong.

mod buckets;

use auth_core::{Clock, Error, HashAlgorithm, Result, Timestamp};
use buckets::{Buckets, Ends, Key};
use std::{
    fmt,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Limits wrong passwords: for each source and for each user name, by token buckets that only failures drain.
///
/// A source is an IPv4 /24 or an IPv6 /64 (mapped IPv4 is IPv4), since one caller easily has many addresses of such a
/// block; callers whose address is not known are one source together.
///
/// The owner is not locked out: a source from which a user logged in within the last 30 days is judged for that user by
/// a bucket of its own, and neither by the user's nor by the source's, however hard both are attacked. What remains is
/// an owner who comes from a new source while the own user name is under attack: that one waits, as the attacker does.
///
/// # Memory
///
/// It is in this process, and gone with it. Buckets that are full again are forgotten. There are four tables
/// (sources, users, the buckets of sources known for a user, those sources themselves) of at most
/// [`entries`](Self::entries) each, and an entry costs at most [`ENTRY_BYTES`](Self::ENTRY_BYTES): 10,000 entries and
/// 8 MB in all if nothing else is said. When a table is full, whoever is not in it shares one bucket with all others
/// who are not, so a flood of names never buys a guess; of the known sources the longest unseen one is forgotten.
///
/// # Security
///
/// Failures are counted when they are known to be ones, so callers that guess at once get as many guesses as the
/// passwords are checked at once; they are charged for all of them, and wait the longer.
///
/// ```
/// use auth_core::SystemClock;
/// use auth_static::basic::{AttemptLimit, Rate};
/// use std::time::Duration;
/// let limit = AttemptLimit::new(SystemClock).per_user(Rate::new(5, Duration::from_secs(60))?);
/// # let _ = limit;
/// # Ok::<_, auth_core::Error>(())
/// ```
pub struct AttemptLimit {
    clock: Box<dyn Clock>,
    state: Mutex<State>,
}

struct State {
    most: usize,
    sources: Buckets,
    users: Buckets,
    pairs: Buckets,
    known: Ends,
}

/// One attempt, while it is not known how it ends.
#[derive(Clone, Copy)]
pub(super) struct Attempt {
    source: Key,
    user: Key,
    pair: Key,
}

impl AttemptLimit {
    /// What one entry of a table costs at most, in bytes.
    pub const ENTRY_BYTES: usize = 200;

    const KNOWN_FOR: Duration = Duration::from_secs(30 * 24 * 60 * 60);

    /// 5 failures a minute for a user, 30 a minute for a source.
    pub fn new(clock: impl Clock + 'static) -> Self {
        let minute = |failures| Rate { failures, period: Duration::from_secs(60) };
        let state = State {
            most: 10_000,
            sources: Buckets::new(minute(30)),
            users: Buckets::new(minute(5)),
            pairs: Buckets::new(minute(5)),
            known: Ends::default(),
        };
        Self { clock: Box::new(clock), state: Mutex::new(state) }
    }

    /// This many for a user, and for a source that is known for the user.
    #[must_use]
    pub fn per_user(mut self, rate: Rate) -> Self {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        (state.users, state.pairs) = (Buckets::new(rate), Buckets::new(rate));
        self
    }

    /// This many for a source, whatever the user.
    #[must_use]
    pub fn per_source(mut self, rate: Rate) -> Self {
        self.state.get_mut().unwrap_or_else(PoisonError::into_inner).sources = Buckets::new(rate);
        self
    }

    /// At most this many entries in each of four tables.
    #[must_use]
    pub fn entries(mut self, most: usize) -> Self {
        self.state.get_mut().unwrap_or_else(PoisonError::into_inner).most = most;
        self
    }

    /// May this source try a password of this user now? If not, how long should it wait?
    pub(super) fn attempt(&self, address: Option<IpAddr>, user: &str) -> Result<Attempt, Duration> {
        let attempt = Attempt::of(address, user);
        let (now, mut state) = self.current();
        let State { most, sources, users, pairs, known } = &mut *state;
        let wait = if known.get(&attempt.pair).is_some() {
            pairs.wait(&attempt.pair, now, *most)
        } else {
            sources.wait(&attempt.source, now, *most).max(users.wait(&attempt.user, now, *most))
        };
        if wait.is_zero() { Ok(attempt) } else { Err(wait) }
    }

    pub(super) fn failed(&self, attempt: Attempt) {
        let (now, mut state) = self.current();
        let State { most, sources, users, pairs, known } = &mut *state;
        if known.get(&attempt.pair).is_some() {
            pairs.drain(attempt.pair, now, *most);
        } else {
            sources.drain(attempt.source, now, *most);
            users.drain(attempt.user, now, *most);
        }
    }

    pub(super) fn succeeded(&self, attempt: Attempt) {
        let (now, mut state) = self.current();
        let State { most, known, .. } = &mut *state;
        let end = now.after(Self::KNOWN_FOR);
        match known.get(&attempt.pair) {
            // Seen within the hour: nothing worth writing down.
            Some(known) if end.since(known) < Duration::from_secs(60 * 60) => {}
            Some(_) => known.set(attempt.pair, end),
            None => {
                if known.len() >= *most {
                    known.forget_first();
                }
                if known.len() < *most {
                    known.set(attempt.pair, end);
                }
            }
        }
    }

    fn current(&self) -> (Timestamp, MutexGuard<'_, State>) {
        let now = self.clock.now();
        // Every change of the state is whole before anything can panic, so a poisoned lock still guards a sound state.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.known.forget_until(now);
        (now, state)
    }
}

impl Attempt {
    fn of(address: Option<IpAddr>, user: &str) -> Self {
        let source = source(address);
        Self { source, user: hash(&[], user), pair: hash(&source, user) }
    }
}

/// The block that an address is in, below the number of its family.
fn source(address: Option<IpAddr>) -> Key {
    let (family, block) = match address.map(|address| address.to_canonical()) {
        None => (0_u128, 0),
        Some(IpAddr::V4(address)) => (4, u128::from(address.to_bits() >> 8)),
        Some(IpAddr::V6(address)) => (6, address.to_bits() >> 64),
    };
    (family << 64 | block).to_be_bytes()
}

fn hash(source: &[u8], user: &str) -> Key {
    let mut hasher = HashAlgorithm::Sha256.begin();
    hasher.update(source);
    hasher.update(user.as_bytes());
    hasher.finish().as_bytes().first_chunk().copied().unwrap_or_default()
}

/// So many failures at once, and as many again in each period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    failures: u32,
    period: Duration,
}

impl Rate {
    /// This many failures in this time.
    ///
    /// # Errors
    ///
    /// `Error::Config` when it is not at least one failure, or more than one in each nanosecond.
    pub fn new(failures: u32, period: Duration) -> Result<Self> {
        if period.checked_div(failures).is_none_or(|each| each.is_zero()) {
            let text = "rate of failures is zero or endless, expected at least one in a while";
            return Err(Error::config("basic_rate", text));
        }
        Ok(Self { failures, period })
    }
}

impl fmt::Debug for AttemptLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AttemptLimit(..)")
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
    struct Limited(AttemptLimit, Arc<AtomicU64>);

    #[derive(Clone)]
    struct Hands(Arc<AtomicU64>);

    impl Clock for Hands {
        fn now(&self) -> Timestamp {
            Timestamp::from_unix(self.0.load(Ordering::Relaxed))
        }

        fn steady(&self) -> std::time::Instant {
            std::time::Instant::now()
        }
    }

    impl Limited {
        fn new() -> Self {
            let hands = Arc::new(AtomicU64::new(1_000_000));
            let rate = |failures, seconds| Rate::new(failures, Duration::from_secs(seconds));
            let limit = AttemptLimit::new(Hands(Arc::clone(&hands)));
            let limit = limit.per_user(rate(3, 30).unwrap()).per_source(rate(6, 60).unwrap());
            Self(limit, hands)
        }

        fn pass(&self, seconds: u64) {
            self.1.fetch_add(seconds, Ordering::Relaxed);
        }

        /// One attempt with a wrong password: does it come so far, or how many seconds should it wait?
        fn fail(&self, address: &str, user: &str) -> Result<(), u64> {
            self.attempt(address, user).map(|attempt| self.0.failed(attempt))
        }

        /// One attempt with the right password.
        fn succeed(&self, address: &str, user: &str) -> Result<(), u64> {
            self.attempt(address, user).map(|attempt| self.0.succeeded(attempt))
        }

        fn attempt(&self, address: &str, user: &str) -> Result<Attempt, u64> {
            self.0.attempt(address.parse().ok(), user).map_err(|wait| wait.as_secs())
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

    /// Sources are blocks: one caller has all of a /24, or a /64.
    #[test]
    fn a_source_is_a_block_of_addresses() {
        let same = |a: &str, b: &str| source(a.parse().ok()) == source(b.parse().ok());
        assert!(same("192.0.2.1", "192.0.2.255"));
        assert!(same("192.0.2.1", "::ffff:192.0.2.9"));
        assert!(same("2001:db8::1", "2001:db8::ffff:0:0:1"));
        assert!(same("unknown", "also unknown"));
        assert!(!same("192.0.2.1", "192.0.3.1"));
        assert!(!same("2001:db8::1", "2001:db8:0:1::1"));
        assert!(!same("0.0.0.0", "::"));
        assert!(!same("0.0.0.0", "unknown"));
        assert!(!same("::", "unknown"));
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
    fn a_clock_set_back_locks_nobody_out_for_long() {
        let limited = Limited::new();
        limited.fail("192.0.2.1", "alice").unwrap();
        limited.1.store(10, Ordering::Relaxed);
        let wait = limited.fail("198.51.100.1", "alice").unwrap_err();
        assert!(wait <= 3610, "{wait}");
    }

    #[test]
    fn who_finds_no_room_shares_one_bucket() {
        let Limited(limit, hands) = Limited::new();
        let limited = Limited(limit.entries(2), hands);
        for (source, user) in [("192.0.2.1", "a"), ("198.51.100.1", "b")] {
            assert_eq!(limited.fail(source, user), Ok(()));
        }
        for user in ["c", "d", "e"] {
            assert_eq!(limited.fail("192.0.2.1", user), Ok(()));
        }
        assert_eq!(limited.fail("192.0.2.1", "f"), Err(10), "a flood of names buys guesses");
        assert_eq!(limited.succeed("192.0.2.1", "a"), Ok(()), "who has a bucket keeps it");
        let (_, state) = limited.0.current();
        assert_eq!((state.users.len(), state.sources.len(), state.known.len()), (2, 2, 1));
        drop(state);
        limited.pass(30);
        assert_eq!(limited.fail("192.0.2.1", "f"), Ok(()), "what is full again makes room");
    }

    #[test]
    fn the_longest_unseen_of_the_known_is_forgotten() {
        let Limited(limit, hands) = Limited::new();
        let limited = Limited(limit.entries(2), hands);
        for user in ["a", "b", "c"] {
            limited.pass(7200);
            limited.succeed("192.0.2.1", user).unwrap();
        }
        let known = ["a", "b", "c"].map(|user| {
            let pair = Attempt::of("192.0.2.1".parse().ok(), user).pair;
            limited.0.current().1.known.get(&pair).is_some()
        });
        assert_eq!(known, [false, true, true]);
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
        let most = i64::try_from(7200 * AttemptLimit::ENTRY_BYTES).unwrap();
        assert!(counted.bytes_current <= most, "{} bytes each", counted.bytes_current / 7200);
    }

    #[test]
    fn a_rate_is_neither_zero_nor_endless() {
        for (failures, period) in [(0, 1), (1, 0), (2, 1)] {
            let rate = Rate::new(failures, Duration::from_nanos(period));
            assert_eq!(rate.unwrap_err().code(), "basic_rate");
        }
    }
}
