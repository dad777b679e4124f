//! What the last answer to a request gave to this very request: a nonce that is its own.

use super::{Digest, spaces::KeptSession};
use auth_core::RequestView;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// A session that a challenge gave to one request. No other request uses it before the server has taken it.
pub(super) struct Given {
    pub(super) kept: Arc<KeptSession>,
    /// The session that this request was first refused with, if it had one.
    pub(super) refused: Option<u64>,
    used: AtomicBool,
}

impl Given {
    pub(super) const fn new(kept: Arc<KeptSession>, refused: Option<u64>) -> Self {
        Self { kept, refused, used: AtomicBool::new(false) }
    }

    /// This request has its credentials under it.
    pub(super) fn set_used(&self) {
        self.used.store(true, Ordering::Relaxed);
    }
}

impl Digest {
    /// What this request was given and has not used yet.
    pub(super) fn given(&self, request: RequestView<'_>) -> Option<Arc<Given>> {
        let given = request.memory()?.recall::<Given>(&self.stamper)?;
        // A memory that outlives a redirect leads nothing to another place.
        let is_here =
            self.side.is_asked_at(request.hop) && given.kept.place.covers(request.uri).is_some();
        (is_here && !given.used.load(Ordering::Relaxed)).then_some(given)
    }

    /// What this request was given and has used, if that is what has this serial.
    pub(super) fn given_as(&self, request: RequestView<'_>, serial: u64) -> Option<Arc<Given>> {
        let given = request.memory()?.recall::<Given>(&self.stamper)?;
        (given.kept.serial == serial).then_some(given)
    }
}

#[cfg(test)]
mod tests;
