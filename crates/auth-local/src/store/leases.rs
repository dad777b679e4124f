//! The leases that are held here, and those of others that were seen.

use std::{
    collections::HashMap,
    fs::File,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Leases by name. All of it is spans: when they run out does not depend on what the clock is set to.
#[derive(Default)]
pub(super) struct HeldLeases(Mutex<State>);

#[derive(Default)]
struct State {
    /// The locks of the leases that are held here, by name and fence.
    own: HashMap<(Box<str>, u64), Own>,
    /// The lease of another process that is in the way of a name, and since when it was seen.
    seen: HashMap<Box<str>, (u64, Instant)>,
}

struct Own {
    /// Gone when it is closed.
    _lock: File,
    since: Instant,
    hold: Duration,
}

impl HeldLeases {
    pub(super) fn insert(&self, name: &str, fence: u64, lock: File, now: Instant, hold: Duration) {
        let mut state = self.state();
        state.seen.remove(name);
        state.own.insert((name.into(), fence), Own { _lock: lock, since: now, hold });
    }

    pub(super) fn remove(&self, name: &str, fence: u64) {
        let removed = self.state().own.remove(&(name.into(), fence));
        drop(removed);
    }

    /// Closes the files of leases that ran out: nobody has released them, because whoever took them was cancelled.
    pub(super) fn forget_what_ran_out(&self, now: Instant) {
        self.state().own.retain(|_, own| now.saturating_duration_since(own.since) < own.hold);
    }

    /// Was the lease of this fence in the way for all of its span?
    pub(super) fn has_seen_the_end(
        &self,
        name: &str,
        fence: u64,
        hold: Duration,
        now: Instant,
    ) -> bool {
        let mut state = self.state();
        let seen = state.seen.entry(name.into()).or_insert((fence, now));
        if seen.0 != fence {
            *seen = (fence, now);
        }
        now.saturating_duration_since(seen.1) >= hold
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
