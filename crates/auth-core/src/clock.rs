//! Time as a value: the only place of the workspace that reads a clock.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// A moment, as time since 1970-01-01T00:00:00Z without leap seconds (the NumericDate of RFC 7519 section 2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(Duration);

impl Timestamp {
    /// The moment that many whole seconds after the epoch.
    #[must_use]
    pub const fn from_unix(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// Whole seconds since the epoch, rounded down.
    #[must_use]
    pub const fn unix(self) -> u64 {
        self.0.as_secs()
    }

    /// Time since the epoch, in full precision.
    #[must_use]
    pub const fn since_epoch(self) -> Duration {
        self.0
    }

    /// The moment as a time of the system; `None` where those do not reach so far.
    #[must_use]
    pub fn to_system_time(self) -> Option<SystemTime> {
        UNIX_EPOCH.checked_add(self.0)
    }

    /// The moment `span` later, or the last there is.
    #[must_use]
    pub const fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(span))
    }

    /// The moment `span` earlier, or the epoch.
    #[must_use]
    pub const fn before(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(span))
    }

    /// How long ago `earlier` was: zero when it has yet to come.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

/// A moment before 1970 is the epoch.
impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        Self(time.duration_since(UNIX_EPOCH).unwrap_or_default())
    }
}

/// Prints seconds since the epoch.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.unix().fmt(f)
    }
}

/// Tells the time, in two ways. Nothing here reads a clock in any other way, so the owner of the clock that is passed
/// decides what time it is.
///
/// [`now`](Self::now) is for moments, which other machines know too: when a token ends, when a signature was made. It
/// jumps when somebody sets the clock. [`steady`](Self::steady) is for spans that this process measures by itself: how
/// long to pause after a failure, when to forget an entry, how many attempts there were in a minute. It never goes
/// back, so a clock that is set back makes no pause longer.
///
/// A [`Timestamp`] is a clock whose moment stands still; its spans pass as they do for [`SystemClock`], since a
/// moment alone cannot say how long something took. `auth_testing::ManualClock` stands still in both ways.
///
/// ```
/// use auth_core::{Clock, SystemClock, Timestamp};
/// assert!(SystemClock.now() > Timestamp::from_unix(1_700_000_000));
/// assert_eq!(Timestamp::from_unix(7).now().unix(), 7);
/// assert!(SystemClock.steady() <= SystemClock.steady());
/// ```
pub trait Clock: Send + Sync {
    /// The moment now. A later call may return an earlier moment, because clocks are set.
    fn now(&self) -> Timestamp;

    /// A reading that is only good for comparison with other readings of the same clock. A later call never returns
    /// an earlier reading.
    fn steady(&self) -> Instant;
}

/// The clocks of the operating system. Before 1970 the moment is the beginning of 1970.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        SystemTime::now().into()
    }

    fn steady(&self) -> Instant {
        Instant::now()
    }
}

impl Clock for Timestamp {
    fn now(&self) -> Timestamp {
        *self
    }

    fn steady(&self) -> Instant {
        Instant::now()
    }
}

macro_rules! forward {
    ($($pointer:ident),*) => {$(
        impl<C: Clock + ?Sized> Clock for $pointer<C> {
            fn now(&self) -> Timestamp {
                (**self).now()
            }

            fn steady(&self) -> Instant {
                (**self).steady()
            }
        }
    )*};
}

forward!(Arc, Box);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_stops_at_both_ends() {
        let start = Timestamp::from_unix(10);
        assert_eq!(start.before(Duration::from_secs(11)), Timestamp::default());
        assert_eq!(start.after(Duration::MAX).since_epoch(), Duration::MAX);
        assert_eq!(start.since(Timestamp::from_unix(11)), Duration::ZERO);
        assert_eq!(start.since(Timestamp::from_unix(4)), Duration::from_secs(6));
    }

    #[test]
    fn is_a_time_of_the_system_and_back_within_what_both_reach() {
        let moment = Timestamp::from_unix(1_700_000_000).after(Duration::from_nanos(7));
        assert_eq!(moment.to_system_time().map(Timestamp::from), Some(moment));
        let before = UNIX_EPOCH.checked_sub(Duration::from_secs(1)).unwrap();
        assert_eq!(Timestamp::from(before), Timestamp::default());
        assert_eq!(Timestamp::default().after(Duration::MAX).to_system_time(), None);
    }
}
