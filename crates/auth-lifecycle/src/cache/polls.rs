//! When the change log is to be read, and how far it was read.

use auth_core::KeyDigest;
use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// A change of the store: an entry of its log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its place in the log. Later changes have greater ones.
    pub sequence: u64,
    /// All keys that may be judged otherwise from here on. A key that was created is among them, since it may have been
    /// asked for before.
    pub keys: Vec<KeyDigest>,
}

/// What a store answers when it is asked for the changes after a position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogPage {
    /// All changes that were committed before the store was asked.
    Last {
        /// The changes after the position, in the order of the log.
        changes: Vec<Change>,
        /// The position from which the next page is asked for.
        reached: u64,
    },
    /// The first of these changes, since there are many.
    Part {
        /// The changes after the position, in the order of the log.
        changes: Vec<Change>,
        /// The position from which the next page is asked for. It is after the one that was asked for.
        reached: u64,
    },
    /// The log was cut, or is another one: what follows the position is not known any more.
    Gone {
        /// The position of the log now.
        reached: u64,
    },
}

/// Leave to read the log once. Nobody else gets one before it is given back or dropped, or is older than the bound.
pub struct PollTicket {
    pub(super) polls: Arc<Polls>,
    pub(super) serial: u64,
    pub(super) begun: Instant,
    pub(super) position: Option<u64>,
}

pub(super) struct Polls {
    origin: Instant,
    interval: Duration,
    /// When a poll is due, in nanoseconds after `origin`: read with every look, without the lock.
    due: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    /// How far the log was read; `None` before the first poll.
    pub(super) position: Option<u64>,
    /// The poll that is under way, and when it began.
    pub(super) running: Option<(u64, Instant)>,
    serials: u64,
    /// When the next one is due, in nanoseconds after `origin`.
    next: u64,
    /// Something was changed since the last poll began.
    hinted: bool,
    /// The last poll failed: hints do not shorten the pause.
    failed: bool,
}

impl PollTicket {
    /// The position after which the store is to be asked for changes. `None` in the first poll: the store is then asked for
    /// its own position, which ends the poll as [`LogPage::Gone`].
    #[must_use]
    pub const fn position(&self) -> Option<u64> {
        self.position
    }

    /// When the poll began. What it brings is good for a bound from then on.
    #[must_use]
    pub const fn begun(&self) -> Instant {
        self.begun
    }
}

impl Polls {
    pub(super) fn new(interval: Duration, origin: Instant) -> Self {
        Self { origin, interval, due: AtomicU64::new(0), state: Mutex::default() }
    }

    #[inline]
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.due.load(Ordering::Relaxed) <= self.nanoseconds(now)
    }

    #[inline]
    pub(super) fn is_hinted(&self) -> bool {
        self.due.load(Ordering::Relaxed) == 0
    }

    /// A poll that takes longer than the bound brings nothing: the next one takes its place.
    pub(super) fn begin(self: &Arc<Self>, now: Instant, bound: Duration) -> Option<PollTicket> {
        let mut state = self.state();
        let is_useful = |begun| now.saturating_duration_since(begun) < bound;
        if state.running.is_some_and(|(_, begun)| is_useful(begun)) {
            return None;
        }
        state.serials += 1;
        let (serial, position) = (state.serials, state.position);
        state.running = Some((serial, now));
        // A hint that comes from now on may be of a change that this poll does not see.
        state.hinted = false;
        self.publish(&state);
        Some(PollTicket { polls: Arc::clone(self), serial, begun: now, position })
    }

    /// All was read, by a poll that began then. Returns when the next one is due.
    pub(super) fn succeed(&self, state: &mut State, begun: Instant) -> Option<Instant> {
        let next = begun.checked_add(self.interval);
        (state.next, state.failed) = (next.map_or(LAST, |next| self.nanoseconds(next)), false);
        self.publish(state);
        next
    }

    pub(super) fn postpone(&self, until: Instant) {
        let mut state = self.state();
        (state.next, state.failed) = (self.nanoseconds(until), true);
        self.publish(&state);
    }

    pub(super) fn hint(&self) {
        let mut state = self.state();
        state.hinted = true;
        self.publish(&state);
    }

    /// Is this the poll that is under way?
    pub(super) fn holds(&self, state: &State, ticket: &PollTicket) -> bool {
        state.running.is_some_and(|(serial, _)| serial == ticket.serial)
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        // What is behind the lock is whole between any two statements.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish(&self, state: &State) {
        let due = match (state.running, state.failed, state.hinted) {
            (Some(_), ..) => u64::MAX,
            (None, false, true) => 0,
            (None, ..) => state.next,
        };
        self.due.store(due, Ordering::Relaxed);
    }

    #[inline]
    fn nanoseconds(&self, moment: Instant) -> u64 {
        let span = moment.saturating_duration_since(self.origin).as_nanos();
        u64::try_from(span).unwrap_or(LAST).min(LAST)
    }
}

/// As late as can be said; one that never comes is later.
const LAST: u64 = u64::MAX - 1;

impl Drop for PollTicket {
    fn drop(&mut self) {
        let mut state = self.polls.state();
        if self.polls.holds(&state, self) {
            state.running = None;
            self.polls.publish(&state);
        }
    }
}

impl fmt::Debug for PollTicket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PollTicket(after {:?})", self.position)
    }
}
