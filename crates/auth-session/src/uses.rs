//! How many requests are under way with a token whose successor ends it.

use crate::sync::{Mutex, MutexGuard};
use auth_core::UseCounter;
use std::{
    sync::{Arc, PoisonError},
    task::{Context, Poll, Waker},
};

/// Counts the uses of one token, until it is closed and all of them are over.
#[derive(Default)]
pub(crate) struct Uses(Mutex<UseCounts>);

#[derive(Default)]
struct UseCounts {
    count: usize,
    /// No use begins any more.
    closed: bool,
    /// The waker of the flight that waits until all uses are over.
    waiting: Option<Waker>,
}

/// One use: from the moment at which the token is handed out until this is dropped.
#[derive(Debug)]
pub(crate) struct InUse(Arc<Uses>);

impl InUse {
    /// One that has begun.
    pub(crate) const fn of(uses: Arc<Uses>) -> Self {
        Self(uses)
    }
}

impl Uses {
    /// Begins a use, unless the token is closed. One lock covers both: a caller that gets a use is counted before the
    /// flight looks whether any is left.
    pub(crate) fn begin(&self) -> bool {
        let mut counted = self.counts();
        if !counted.closed {
            counted.count = counted.count.saturating_add(1);
        }
        !counted.closed
    }

    /// From here on nobody begins a use.
    pub(crate) fn close(&self) {
        self.counts().closed = true;
    }

    /// Are all over?
    pub(crate) fn poll_over(&self, context: &mut Context<'_>) -> Poll<()> {
        let waker = context.waker().clone();
        let mut counted = self.counts();
        let is_over = counted.count == 0;
        let replaced =
            if is_over { counted.waiting.take() } else { counted.waiting.replace(waker) };
        drop(counted);
        // Wakers are foreign code.
        drop(replaced);
        if is_over { Poll::Ready(()) } else { Poll::Pending }
    }

    fn counts(&self) -> MutexGuard<'_, UseCounts> {
        // What is behind the lock is whole between any two statements.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A use that is under way may become two, though the token is closed.
impl UseCounter for Uses {
    fn begin_another(&self) {
        let mut counted = self.counts();
        counted.count = counted.count.saturating_add(1);
    }

    fn end(&self) {
        let mut counted = self.counts();
        counted.count = counted.count.saturating_sub(1);
        let waiting = if counted.count == 0 { counted.waiting.take() } else { None };
        drop(counted);
        // Wakers are foreign code.
        waiting.into_iter().for_each(Waker::wake);
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl std::fmt::Debug for Uses {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Uses({})", self.counts().count)
    }
}
