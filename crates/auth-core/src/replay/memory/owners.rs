//! What each owner takes of the store, and what it has lost by taking more than its share.

use super::{
    Share,
    entry::Now,
    second::{Entries, table_bytes},
};
use std::time::Instant;

#[derive(Default)]
pub(super) struct Owners {
    /// In bytes: its entries, and the seconds in which it was the first.
    taken: Entries<Share, usize>,
    /// Few ever have one.
    lost: Entries<Share, Lost>,
}

/// The horizon of one owner.
#[derive(Default)]
struct Lost {
    horizon: Option<u64>,
    /// Until when it matters, in both ways of the clock.
    until: u64,
    steady: Option<Instant>,
}

impl Owners {
    pub(super) fn bytes(&self) -> usize {
        table_bytes(&self.taken).saturating_add(table_bytes(&self.lost))
    }

    pub(super) fn taken(&self, share: Share) -> usize {
        self.taken.get(&share).copied().unwrap_or_default()
    }

    /// Charges an owner, and says what it takes then.
    pub(super) fn charge(&mut self, share: Share, bytes: usize) -> usize {
        let taken = self.taken.entry(share).or_default();
        *taken = taken.saturating_add(bytes);
        *taken
    }

    pub(super) fn give_back(&mut self, share: Share, bytes: usize) {
        let Some(taken) = self.taken.get_mut(&share) else { return };
        *taken = taken.saturating_sub(bytes);
        if *taken == 0 {
            self.taken.remove(&share);
        }
    }

    pub(super) fn horizon(&self, share: Share) -> Option<u64> {
        self.lost.get(&share).and_then(|lost| lost.horizon)
    }

    /// What an owner had used in this second is forgotten, though it would have been remembered until then.
    pub(super) fn lose(&mut self, share: Share, issued: u64, until: u64, steady: Option<Instant>) {
        let lost = self.lost.entry(share).or_default();
        lost.horizon = lost.horizon.max(Some(issued));
        lost.until = lost.until.max(until);
        lost.steady = lost.steady.max(steady);
    }

    /// Forgets the horizons that do not matter any more; `ended` is told of each, with the end of what was behind it.
    pub(super) fn forget_past(&mut self, now: Now, mut ended: impl FnMut(u64, u64)) {
        let taken = &self.taken;
        self.lost.retain(|share, lost| {
            let kept = !now.is_past(lost.until, lost.steady) || taken.contains_key(share);
            if let Some(horizon) = lost.horizon.filter(|_| !kept) {
                ended(horizon, lost.until);
            }
            kept
        });
        self.taken.shrink_to(self.taken.len().saturating_mul(2));
        self.lost.shrink_to(self.lost.len().saturating_mul(2));
    }
}
