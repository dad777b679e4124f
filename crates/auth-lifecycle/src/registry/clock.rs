//! What time it is for credentials, though the clock of the machine jumps.

use auth_core::{Clock, Timestamp};
use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// A clock that never runs backwards, and that knows when the one beneath it has leapt.
///
/// It compares the moment with the time that has passed by the steady clock. Where the moment is more than a day ahead of
/// that, somebody has set the clock, and nobody here can say which of the two is right: so what would end by that moment
/// has ended (nobody is let in too long), and what would be *done* at that moment is not (nobody's key is retired too
/// early), until the clock is back or an operator says that it is right.
pub(super) struct LedgerClock {
    clock: Arc<dyn Clock>,
    /// The latest moment that was ever believed, in nanoseconds: nothing that had ended or was retired by then is good
    /// again, though the clock is set back.
    latest: AtomicU64,
    /// The latest moment that was told and not believed, in nanoseconds: nothing that had ended by then is good again.
    leapt: AtomicU64,
    /// The last moment that was compared with the steady clock and believed, in nanoseconds; zero while it is suspect.
    checked: AtomicU64,
    state: Mutex<State>,
}

#[derive(Clone, Copy)]
struct State {
    /// The last reading that was believed.
    believed: Timestamp,
    /// The steady clock then.
    steady: Instant,
    suspicion: Option<ClockSuspicion>,
}

/// The clock of the machine has leapt ahead.
///
/// Credentials that end by the new moment are refused, and nothing is retired or told until the clock is set back or
/// [`Registry::trust_clock`](crate::Registry::trust_clock) says that it is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockSuspicion {
    /// The moment that the clock tells.
    pub told: Timestamp,
    /// The moment that it would be by the time that has passed.
    pub expected: Timestamp,
}

/// What time it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    /// For what ends: the latest moment that the clock ever told, in nanoseconds.
    pub(super) ends: u64,
    /// For what is retired: the latest moment that was ever believed, in nanoseconds.
    pub(super) retires: u64,
    /// For what is done and written down: never a moment that is suspect. In nanoseconds.
    pub(super) now: u64,
    /// Is the clock suspect?
    pub(super) suspicion: Option<ClockSuspicion>,
}

impl Reading {
    /// The moment for what is done and written down.
    pub(super) fn moment(&self) -> Timestamp {
        moment(self.now)
    }
}

/// A reading this much later than one that was compared, in nanoseconds, is not compared.
const CHECKED_FOR: u64 = 1_000_000_000;

/// A clock may be this much ahead of the time that has passed: machines sleep, and clocks are corrected.
const LEAP: Duration = Duration::from_secs(24 * 60 * 60);

impl LedgerClock {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        let (believed, steady) = (clock.now(), clock.steady());
        let state = State { believed, steady, suspicion: None };
        let (latest, leapt) = (AtomicU64::new(nanos(believed)), AtomicU64::new(0));
        Self { clock, latest, leapt, checked: AtomicU64::new(0), state: Mutex::new(state) }
    }

    /// What time it is. Most readings follow within a second of one that was compared with the steady clock, and are not
    /// compared again.
    #[inline]
    pub(super) fn read(&self) -> Reading {
        let told = self.clock.now();
        let now = nanos(told);
        let since = now.wrapping_sub(self.checked.load(Ordering::Relaxed));
        if since < CHECKED_FOR {
            return self.believed(now);
        }
        self.compare(told)
    }

    #[inline]
    fn believed(&self, now: u64) -> Reading {
        let retires = self.latest.fetch_max(now, Ordering::Relaxed).max(now);
        let ends = self.leapt.load(Ordering::Relaxed).max(retires);
        Reading { ends, retires, now, suspicion: None }
    }

    /// A moment that was believed, not more than a second ago: for uses, which are noted to the minute.
    #[inline]
    pub(super) fn coarse(&self) -> u64 {
        match self.checked.load(Ordering::Relaxed) {
            0 => self.read().now,
            checked => checked,
        }
    }

    #[cold]
    fn compare(&self, told: Timestamp) -> Reading {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let steady = self.clock.steady();
        let expected = state.believed.after(steady.saturating_duration_since(state.steady));
        if told > expected.after(LEAP) {
            self.checked.store(0, Ordering::Relaxed);
            state.suspicion = Some(ClockSuspicion { told, expected });
            self.leapt.fetch_max(nanos(told), Ordering::Relaxed);
            return Reading { suspicion: state.suspicion, ..self.believed(nanos(expected)) };
        }
        *state = State { believed: told, steady, suspicion: None };
        self.checked.store(nanos(told), Ordering::Relaxed);
        self.believed(nanos(told))
    }

    /// Believes the clock as it is, whatever it told before.
    pub(super) fn trust(&self) {
        let (told, steady) = (self.clock.now(), self.clock.steady());
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        *state = State { believed: told, steady, suspicion: None };
        self.latest.store(nanos(told), Ordering::Relaxed);
        self.leapt.store(0, Ordering::Relaxed);
        self.checked.store(nanos(told), Ordering::Relaxed);
    }
}

/// In the place of a moment or a span: it never comes, and no moment is as late, whatever a clock tells.
pub(super) const NEVER: u64 = u64::MAX;

/// The last moment, in the year 2554: a later one counts as this one.
const LAST: u64 = NEVER - 1;

/// A moment in nanoseconds, which is before [`NEVER`].
pub(super) fn nanos(moment: Timestamp) -> u64 {
    u64::try_from(moment.since_epoch().as_nanos()).map_or(LAST, |nanos| nanos.min(LAST))
}

pub(super) fn moment(nanos: u64) -> Timestamp {
    Timestamp::from_unix(0).after(Duration::from_nanos(nanos))
}

impl fmt::Debug for LedgerClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LedgerClock(..)")
    }
}
