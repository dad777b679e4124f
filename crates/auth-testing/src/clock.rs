//! Time as a test wants it.

use auth_core::{Clock, Timestamp};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// A clock that stands still until it is moved. A clone is the same clock.
#[derive(Clone, Debug, Default)]
pub struct ManualClock(Arc<Mutex<Timestamp>>);

impl ManualClock {
    /// A clock that says so many seconds after the epoch.
    #[must_use]
    pub fn at(seconds: u64) -> Self {
        Self(Arc::new(Mutex::new(Timestamp::from_unix(seconds))))
    }

    /// Moves it on.
    pub fn advance(&self, span: Duration) {
        self.set(self.now().after(span));
    }

    /// Puts it to some moment, also an earlier one: clocks are put back in real life too.
    pub fn set(&self, now: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
