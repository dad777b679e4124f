//! What time it is for credentials, though the clock of the machine jumps.

use crate::decide::CLOCKS_APART;
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
    /// The latest moment that was read and believed, in nanoseconds: nothing that had ended by then is good again.
    latest: AtomicU64,
    /// The latest moment that was read and not believed, in nanoseconds; zero where there is none. Nothing that would have
    /// expired by then is good again.
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
    /// For what expires: the latest moment that the clock ever told, in nanoseconds.
    pub(super) expires: u64,
    /// For what retires: the latest moment that was ever believed, in nanoseconds.
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

/// A platform has events in its ledger at least this often.
const LONGEST_SILENCE: Duration = Duration::from_secs(366 * 24 * 60 * 60);

impl LedgerClock {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        let (believed, steady) = (clock.now(), clock.steady());
        let state = Mutex::new(State { believed, steady, suspicion: None });
        let latest = AtomicU64::new(nanos(believed));
        Self { clock, latest, leapt: AtomicU64::new(0), checked: AtomicU64::new(0), state }
    }

    /// What time it is. Most readings follow within a second of one that was compared with the steady clock, and are not
    /// compared again.
    #[inline]
    pub(super) fn read(&self) -> Reading {
        let told = self.clock.now();
        let now = nanos(told);
        let since = now.wrapping_sub(self.checked.load(Ordering::Relaxed));
        if since < CHECKED_FOR { self.believed(now) } else { self.compare(told) }
    }

    /// The reading of a moment that is believed.
    #[inline]
    fn believed(&self, now: u64) -> Reading {
        let retires = self.latest.fetch_max(now, Ordering::Relaxed).max(now);
        let expires = retires.max(self.leapt.load(Ordering::Relaxed));
        Reading { expires, retires, now, suspicion: None }
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
            let leapt = nanos(told);
            let leapt = self.leapt.fetch_max(leapt, Ordering::Relaxed).max(leapt);
            let believed = self.believed(nanos(expected));
            let expires = believed.expires.max(leapt);
            return Reading { expires, suspicion: state.suspicion, ..believed };
        }
        *state = State { believed: told, steady, suspicion: None };
        self.checked.store(nanos(told), Ordering::Relaxed);
        self.believed(nanos(told))
    }

    /// The last event of the ledger is of this moment.
    ///
    /// Nothing that had ended by then is good in this process, which may have begun under a clock that was set back. Of a
    /// moment that is further ahead than a clock may leap, because a process wrote it under a wrong clock, no more than
    /// that is believed: nobody's keys end by it. A clock that is a year ahead of it has leapt while no process ran.
    pub(super) fn learn(&self, last: Timestamp) {
        let told = self.clock.now();
        if told > last.after(LONGEST_SILENCE) {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            *state = State { believed: last, steady: self.clock.steady(), suspicion: None };
            self.latest.store(nanos(last), Ordering::Relaxed);
            self.leapt.fetch_max(nanos(told), Ordering::Relaxed);
            self.checked.store(0, Ordering::Relaxed);
        }
        let most = told.after(LEAP);
        self.latest.fetch_max(nanos(last.min(most)), Ordering::Relaxed);
    }

    /// Why the clock is not believed, or which later moment still counts for what ends.
    pub(super) fn suspicion(&self) -> Option<ClockSuspicion> {
        let Reading { expires, now, suspicion, .. } = self.read();
        let was = ClockSuspicion { told: moment(expires), expected: moment(now) };
        let is_apart = was.told.since(was.expected) > CLOCKS_APART;
        suspicion.or(is_apart.then_some(was))
    }

    /// Believes the clock as it is.
    pub(super) fn trust(&self) {
        let (told, steady) = (self.clock.now(), self.clock.steady());
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        *state = State { believed: told, steady, suspicion: None };
        self.latest.store(nanos(told), Ordering::Relaxed);
        self.leapt.store(0, Ordering::Relaxed);
        self.checked.store(nanos(told), Ordering::Relaxed);
    }
}

/// Later than every moment: that of what never ends.
pub(super) const NEVER: u64 = u64::MAX;

/// A moment in nanoseconds since 1970. From the year 2554 on all moments are the same, and none is [`NEVER`].
pub(super) fn nanos(moment: Timestamp) -> u64 {
    u64::try_from(moment.since_epoch().as_nanos()).unwrap_or(NEVER).min(NEVER - 1)
}

pub(super) fn moment(nanos: u64) -> Timestamp {
    Timestamp::from_unix(0).after(Duration::from_nanos(nanos))
}

impl fmt::Debug for LedgerClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LedgerClock(..)")
    }
}
