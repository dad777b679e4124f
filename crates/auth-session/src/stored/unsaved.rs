//! What was obtained and is not in the store yet.

use crate::{Intent, StoredEntry};
use auth_core::Secret;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The token of a source that its store could not take.
#[derive(Default)]
pub(super) struct Unsaved(Mutex<Option<UnsavedToken>>);

pub(super) struct UnsavedToken {
    pub(super) bytes: Secret,
    /// The fence of the one that it replaces.
    pub(super) replaces: u64,
    /// The note under which it was obtained, if there was one.
    pub(super) noted: Option<Intent>,
}

impl Unsaved {
    pub(super) fn lock(&self) -> MutexGuard<'_, Option<UnsavedToken>> {
        // What is behind the lock is whole between any two statements.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn forget(&self) {
        *self.lock() = None;
    }

    /// The store has a token of this fence: what was to replace an earlier one has come too late.
    pub(super) fn forget_replaced(&self, fence: u64) {
        self.lock().take_if(|unsaved| unsaved.replaces < fence);
    }
}

impl UnsavedToken {
    /// Has another process obtained a token since, or asked for one? It asked when this one had ended, and if the answer
    /// was lost its note has to stay.
    pub(super) fn is_outdated(&self, kept: Option<&StoredEntry>) -> bool {
        let later = |intent: Intent| self.noted.is_some_and(|noted| noted.since < intent.since);
        let intent = kept.and_then(|kept| kept.intent).filter(Intent::holds);
        self.replaces != kept.map_or(0, |kept| kept.fence) || intent.is_some_and(later)
    }
}
