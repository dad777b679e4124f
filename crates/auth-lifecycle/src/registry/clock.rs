//! What time it is for credentials, though the clock of the machine jumps.

use auth_core::{Clock, Timestamp};
use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
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
    state: Mutex<State>,
}

#[derive(Clone, Copy)]
struct State {
    /// The last reading that was believed.
    believed: Timestamp,
    /// The steady clock then.
    steady: Instant,
    /// The latest moment ever read: nothing that had ended by then is good again.
    latest: Timestamp,
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
    /// For what ends: the latest moment that the clock ever told.
    pub(super) ends: Timestamp,
    /// For what is done and written down: never a moment that is suspect.
    pub(super) now: Timestamp,
    /// Is the clock suspect?
    pub(super) suspicion: Option<ClockSuspicion>,
}

/// A clock may be this much ahead of the time that has passed: machines sleep, and clocks are corrected.
const LEAP: Duration = Duration::from_secs(24 * 60 * 60);

impl LedgerClock {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        let (believed, steady) = (clock.now(), clock.steady());
        let state = State { believed, steady, latest: believed, suspicion: None };
        Self { clock, state: Mutex::new(state) }
    }

    pub(super) fn read(&self) -> Reading {
        let (told, steady) = (self.clock.now(), self.clock.steady());
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let expected = state.believed.after(steady.saturating_duration_since(state.steady));
        state.latest = state.latest.max(told);
        if told > expected.after(LEAP) {
            state.suspicion = Some(ClockSuspicion { told, expected });
            return Reading { ends: state.latest, now: expected, suspicion: state.suspicion };
        }
        (state.believed, state.steady, state.suspicion) = (told, steady, None);
        Reading { ends: state.latest, now: told, suspicion: None }
    }

    /// Believes the clock as it is.
    pub(super) fn trust(&self) {
        let (told, steady) = (self.clock.now(), self.clock.steady());
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        *state = State { believed: told, steady, latest: told, suspicion: None };
    }
}

impl fmt::Debug for LedgerClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LedgerClock(..)")
    }
}
