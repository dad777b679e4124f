//! Limits failed attempts, without locking the owner out.

mod bounded;

use auth_core::{Clock, HashAlgorithm, Reason, Rejection, Timestamp};
use bounded::{Bounded, Key};
use std::{
    fmt,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Limits failed attempts per source and per user, before any password is hashed.
///
/// A source is an IPv4 /24 or an IPv6 /64; all whose address is not known share one. Each source, and each user, has a
/// number of attempts that come back one by one; only failures use them up. A source from which the user has logged in
/// within 30 days has attempts of its own for that user, and only those count: so a flood of guesses at a name, from
/// however many sources, never locks its owner out.
///
/// Memory is bounded: at most [`MOST_ENTRIES`](Self::MOST_ENTRIES) sources and users and as many places where owners
/// were seen, each at most [`ENTRY_BYTES`](Self::ENTRY_BYTES). When it is full, what would be forgotten first is
/// forgotten now; whoever fails most is remembered longest.
///
/// ```
/// use auth_core::SystemClock;
/// let limit = auth_static::basic::AttemptLimit::new(SystemClock);
/// # let _ = limit;
/// ```
pub struct AttemptLimit {
    clock: Box<dyn Clock>,
    source: Rate,
    user: Rate,
    state: Mutex<State>,
}

/// So many attempts at once, and one more after every so often.
#[derive(Clone, Copy)]
struct Rate {
    burst: u32,
    every: Duration,
}

struct State {
    /// When each bucket is full again.
    buckets: Bounded,
    /// Where each owner was seen, and until when that counts.
    owners: Bounded,
}

/// An attempt under way: what it used up is given back when it succeeds.
pub(super) struct Attempt {
    charged: [Option<(Key, Rate)>; 2],
    pair: Key,
}

impl AttemptLimit {
    /// The most sources and users that are remembered.
    pub const MOST_ENTRIES: usize = 100_000;

    /// What one of them costs at most, in bytes.
    pub const ENTRY_BYTES: usize = 192;

    const OWNER: Duration = Duration::from_secs(30 * 24 * 60 * 60);

    /// 10 attempts of a source and 20 at a user; one comes back every 6 and every 3 seconds.
    pub fn new(clock: impl Clock + 'static) -> Self {
        Self {
            clock: Box::new(clock),
            source: Rate { burst: 10, every: Duration::from_secs(6) },
            user: Rate { burst: 20, every: Duration::from_secs(3) },
            state: Mutex::new(State {
                buckets: Bounded::new(Self::MOST_ENTRIES),
                owners: Bounded::new(Self::MOST_ENTRIES),
            }),
        }
    }

    /// Begins an attempt, or says when to come back.
    pub(super) fn attempt(
        &self,
        user: &str,
        address: Option<IpAddr>,
    ) -> Result<Attempt, Rejection> {
        let (source, now) = (source(address), self.clock.now());
        let [user_key, source_key, pair] = [
            key(b"user", user.as_bytes(), &[]),
            key(b"source", &source, &[]),
            key(b"pair", &source, user.as_bytes()),
        ];
        let mut state = self.lock();
        let charged = if state.owners.get(pair, now).is_some() {
            [Some((pair, self.source)), None]
        } else {
            [Some((source_key, self.source)), Some((user_key, self.user))]
        };
        let wait = charged
            .iter()
            .flatten()
            .map(|(key, rate)| rate.wait(state.buckets.get(*key, now), now))
            .max();
        if let Some(wait) = wait.filter(|wait| !wait.is_zero()) {
            return Err(Rejection::throttled(LIMIT, wait));
        }
        for (key, rate) in charged.iter().flatten() {
            let full = state.buckets.get(*key, now).unwrap_or(now).after(rate.every);
            state.buckets.set(*key, full, now);
        }
        Ok(Attempt { charged, pair })
    }

    /// Ends an attempt.
    pub(super) fn settle(&self, attempt: Attempt, right: bool) {
        if !right {
            return;
        }
        let now = self.clock.now();
        let mut state = self.lock();
        for (key, rate) in attempt.charged.iter().flatten() {
            if let Some(full) = state.buckets.get(*key, now) {
                state.buckets.set(*key, full.before(rate.every), now);
            }
        }
        state.owners.set(attempt.pair, now.after(Self::OWNER), now);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rate {
    /// How long until there is an attempt left, when the bucket is full again at `full`.
    fn wait(self, full: Option<Timestamp>, now: Timestamp) -> Duration {
        let room = self.every.saturating_mul(self.burst.saturating_sub(1));
        full.map_or(Duration::ZERO, |full| full.before(room).since(now))
    }
}

/// The network that a caller is in.
fn source(address: Option<IpAddr>) -> [u8; 9] {
    let mut network = [0; 9];
    let mut fill = |family: u8, prefix: &[u8]| {
        network
            .iter_mut()
            .zip(std::iter::once(&family).chain(prefix))
            .for_each(|(to, from)| *to = *from);
    };
    match address.map(|address| address.to_canonical()) {
        None => {}
        Some(IpAddr::V4(address)) => {
            fill(4, address.octets().first_chunk::<3>().map_or(&[], |prefix| prefix))
        }
        Some(IpAddr::V6(address)) => {
            fill(6, address.octets().first_chunk::<8>().map_or(&[], |prefix| prefix))
        }
    }
    network
}

fn key(kind: &[u8], first: &[u8], second: &[u8]) -> Key {
    let mut hasher = HashAlgorithm::Sha256.begin();
    // Kinds and sources have fixed lengths, so nothing runs into what is behind it.
    [kind, first, second].into_iter().for_each(|part| hasher.update(part));
    hasher.finish().as_bytes().first_chunk().copied().unwrap_or_default()
}

impl fmt::Debug for AttemptLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AttemptLimit(..)")
    }
}

const LIMIT: Reason =
    Reason::new("basic_attempt_limit", "too many failed attempts from this source or at this user");

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        net::{Ipv4Addr, Ipv6Addr},
        sync::{
            Arc,
            atomic::{AtomicU64, Ordering},
        },
    };

    #[derive(Clone)]
    struct Hands(Arc<AtomicU64>);

    impl Clock for Hands {
        fn now(&self) -> Timestamp {
            Timestamp::from_unix(self.0.load(Ordering::Relaxed))
        }
    }

    fn limit() -> (AttemptLimit, Hands) {
        let clock = Hands(Arc::new(AtomicU64::new(1_000_000)));
        (AttemptLimit::new(clock.clone()), clock)
    }

    fn v4(a: u8, b: u8) -> Option<IpAddr> {
        Some(Ipv4Addr::new(10, 0, a, b).into())
    }

    /// Fails until it is throttled; how many attempts there were.
    fn failures(limit: &AttemptLimit, user: &str, address: Option<IpAddr>) -> usize {
        let attempts = (0..1000).map_while(|_| limit.attempt(user, address).ok());
        attempts.map(|attempt| limit.settle(attempt, false)).count()
    }

    #[test]
    fn a_source_has_ten_failures_and_gets_them_back_one_by_one() {
        let (limit, clock) = limit();
        for user in ["a", "b", "c", "d", "e"] {
            limit.settle(limit.attempt(user, v4(1, 1)).unwrap(), false);
        }
        assert_eq!(failures(&limit, "f", v4(1, 200)), 5, "another address of the same /24");
        let refused = limit.attempt("f", v4(1, 1)).err().unwrap();
        assert_eq!(
            (refused.status().as_u16(), refused.retry_after()),
            (429, Some(Duration::from_secs(6)))
        );
        assert_eq!(failures(&limit, "f", v4(2, 1)), 10, "another /24");
        clock.0.fetch_add(6, Ordering::Relaxed);
        assert_eq!(failures(&limit, "g", v4(1, 1)), 1);
    }

    #[test]
    fn successes_use_nothing_up() {
        let (limit, _) = limit();
        for _ in 0..100 {
            limit.settle(limit.attempt("a", v4(1, 1)).unwrap(), true);
        }
        assert_eq!(failures(&limit, "a", v4(1, 1)), 10);
    }

    #[test]
    fn attempts_under_way_count() {
        let (limit, _) = limit();
        let under_way: Vec<_> =
            (0..1000).map_while(|_| limit.attempt("a", v4(1, 1)).ok()).collect();
        assert_eq!(under_way.len(), 10);
    }

    #[test]
    fn a_flood_from_everywhere_does_not_lock_the_owner_out() {
        let (limit, _) = limit();
        limit.settle(limit.attempt("owner", v4(200, 1)).unwrap(), true);
        let guesses: usize = (0..100).map(|n| failures(&limit, "owner", v4(n, 1))).sum();
        assert_eq!(guesses, 20, "a thousand sources have twenty guesses at one user");
        assert!(limit.attempt("owner", v4(150, 1)).is_err());
        limit.settle(limit.attempt("owner", v4(200, 9)).unwrap(), true);
        assert_eq!(
            failures(&limit, "owner", v4(200, 1)),
            10,
            "the owner's own place has a limit too"
        );
        assert!(limit.attempt("other", v4(201, 1)).is_ok());
    }

    #[test]
    fn sources_are_networks() {
        let v6 = |last: u16, net: u16| {
            Some(IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, net, 0, 0, 0, last)))
        };
        assert_eq!(source(v6(1, 1)), source(v6(2, 1)));
        assert_ne!(source(v6(1, 1)), source(v6(1, 2)));
        let mapped = Some(IpAddr::V6(Ipv4Addr::new(10, 0, 1, 9).to_ipv6_mapped()));
        assert_eq!(source(mapped), source(v4(1, 1)));
        assert_ne!(source(None), source(v4(0, 0)));
    }
}
