//! Time as a test wants it.

use auth_core::{Clock, Timestamp};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// A clock that stands still until it is moved. A clone is the same clock.
///
/// ```
/// use auth_core::{Clock, Timestamp};
/// use auth_testing::ManualClock;
/// use std::time::Duration;
///
/// let clock = ManualClock::at(1000);
/// let before = clock.steady();
/// clock.advance(Duration::from_secs(60));
/// clock.set(Timestamp::from_unix(10)); // somebody sets it back, and no time passes
/// assert_eq!(clock.now(), Timestamp::from_unix(10));
/// assert_eq!(clock.steady() - before, Duration::from_secs(60));
/// ```
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<Mutex<Hands>>);

#[derive(Clone, Copy, Debug)]
struct Hands {
    now: Timestamp,
    steady: Instant,
}

impl ManualClock {
    /// A clock that says so many seconds after the epoch.
    #[must_use]
    pub fn at(seconds: u64) -> Self {
        // Only the difference of two readings means anything, so any reading will do for the first.
        let hands = Hands { now: Timestamp::from_unix(seconds), steady: Instant::now() };
        Self(Arc::new(Mutex::new(hands)))
    }

    /// Lets a span pass: both the moment and the steady reading move on.
    pub fn advance(&self, span: Duration) {
        let mut hands = self.hands();
        hands.now = hands.now.after(span);
        hands.steady = hands.steady.checked_add(span).unwrap_or(hands.steady);
    }

    /// Sets it to some moment, also an earlier one, as people and time servers do: no time passes, so the steady
    /// reading stays.
    pub fn set(&self, now: Timestamp) {
        self.hands().now = now;
    }

    fn hands(&self) -> MutexGuard<'_, Hands> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A clock that says the epoch.
impl Default for ManualClock {
    fn default() -> Self {
        Self::at(0)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.hands().now
    }

    fn steady(&self) -> Instant {
        self.hands().steady
    }
}
