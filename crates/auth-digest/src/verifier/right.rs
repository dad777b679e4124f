//! An attempt whose response was right.

use auth_core::{Attempt, AttemptOutcome};

/// It makes its source known when the request is taken. One that is stale or replayed costs nothing and proves nothing,
/// since an attacker who captured a request can send it; nor does one that is given up while the store is asked.
pub(super) struct RightAttempt(Option<Attempt>);

impl RightAttempt {
    pub(super) const fn new(attempt: Attempt) -> Self {
        Self(Some(attempt))
    }

    /// The request is taken.
    pub(super) fn taken(mut self) {
        if let Some(attempt) = self.0.take() {
            attempt.settle(AttemptOutcome::Right);
        }
    }
}

impl Drop for RightAttempt {
    fn drop(&mut self) {
        if let Some(attempt) = self.0.take() {
            attempt.settle(AttemptOutcome::Unknown);
        }
    }
}

#[cfg(test)]
mod tests;
