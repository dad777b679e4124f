//! One part of a store, behind a lock of its own.

use super::{
    Key, Share, Told,
    entry::{Kind, Now, Settled},
    table::Table,
    undated::Undated,
};
use crate::{HorizonOwner, ReservationTicket, Timestamp, Unique};
use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

/// All parts of a store: one at least.
pub(super) struct Shards {
    first: Shard,
    others: Box<[Shard]>,
    begun: Instant,
    /// In which second since then all of them were last looked through for what has ended.
    swept: AtomicU64,
}

impl Shards {
    /// A part takes so many bytes at least, where the limit is large enough for several.
    const BYTES: usize = 4 * 1024 * 1024;
    const MOST: usize = 16;

    pub(super) fn new(steady: Instant, limit: usize, one_part_in: usize) -> Self {
        let parts = (limit / Self::BYTES).clamp(1, Self::MOST);
        let one = || Shard::new(steady, limit / parts, one_part_in);
        let others = (1..parts).map(|_| one()).collect();
        Self { first: one(), others, begun: steady, swept: AtomicU64::new(0) }
    }

    /// Forgets what has ended in all parts, by the first caller of each second: what belongs to a part that nobody uses is
    /// forgotten as early as all else.
    pub(super) fn sweep(&self, now: Now) {
        let second = now.steady.saturating_duration_since(self.begun).as_secs();
        if self.swept.load(Ordering::Relaxed) < second
            && self.swept.fetch_max(second, Ordering::Relaxed) < second
        {
            self.all().for_each(|shard| shard.lock().dated.forget_ended(now));
        }
    }

    /// The part that an identifier belongs to. The map in it looks at other bits of the key.
    pub(super) fn of(&self, [bits, _]: Key) -> &Shard {
        let at = usize::try_from(bits >> 32).unwrap_or_default() % (self.others.len() + 1);
        self.others.get(at).unwrap_or(&self.first)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Shard> {
        self.others.iter().chain([&self.first])
    }
}

/// One part of a store. Two of them never share a line of a cache, so that threads in different parts do not wait for
/// each other.
#[repr(align(128))]
pub(super) struct Shard(Mutex<State>);

struct State {
    dated: Table,
    undated: Undated,
    tickets: u64,
}

/// Horizons that rose, for the observer: the part's, and that of an owner in it.
pub(super) type Raised = [Option<(HorizonOwner, Timestamp)>; 2];

impl Shard {
    fn new(steady: Instant, limit: usize, one_part_in: usize) -> Self {
        Self(Mutex::new(State {
            dated: Table::new(steady, limit, one_part_in),
            undated: Undated::new(steady, limit / 4),
            tickets: 0,
        }))
    }

    pub(super) fn len(&self) -> usize {
        let state = self.lock();
        state.dated.len().saturating_add(state.undated.len())
    }

    pub(super) fn bytes(&self) -> usize {
        let state = self.lock();
        state.dated.bytes().saturating_add(state.undated.bytes())
    }

    /// Changes the entry of an identifier, or makes one.
    pub(super) fn with(
        &self,
        unique: &Unique,
        (key, share): (Key, Share),
        now: Now,
        change: impl FnOnce(Option<&mut Kind>, &mut u64) -> Told,
    ) -> (Told, Raised) {
        let mut state = self.lock();
        let State { dated, undated, tickets } = &mut *state;
        let told = match unique.issued() {
            None => undated.with(key, share, unique.until(), now, |kind| change(kind, tickets)),
            Some(issued) => {
                dated.with(key, share, issued, unique.until(), now, |kind| change(kind, tickets))
            }
        };
        dated.fit(undated.bytes(), now);
        let told = match (unique.issued(), told) {
            // Room was made by forgetting this very one.
            (Some(issued), Told::Fresh | Told::Reserved(_))
                if dated.has_forgotten(share, issued, unique.until()) =>
            {
                Told::TooOld
            }
            (_, told) => told,
        };
        (told, std::mem::take(&mut dated.raised))
    }

    /// Changes an entry that this ticket holds; false when it does not hold it.
    pub(super) fn settle(
        &self,
        unique: &Unique,
        key: Key,
        ticket: ReservationTicket,
        now: Now,
        becomes: Settled,
    ) -> bool {
        let mut state = self.lock();
        let State { dated, undated, .. } = &mut *state;
        let held = |kind: &Kind| kind.is_held_by(ticket, now.steady);
        match unique.issued() {
            Some(issued) => dated.settle(key, issued, held, becomes),
            None => undated.settle(key, held, becomes),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change of the state is whole before anything can panic, so a poisoned lock still guards a sound state.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By bits that the maps in the parts do not look at first.
    #[test]
    fn identifiers_are_spread_over_all_parts_of_a_large_store() {
        for (limit, parts) in [(0, 1), (4, 1), (8, 2), (63, 15), (64, 16), (1000, 16)] {
            let shards = Shards::new(Instant::now(), limit * 1024 * 1024, 4);
            let mut found = vec![0; parts];
            let all: Vec<_> = shards.all().collect();
            for n in 0..1000_u64 {
                let key = [n.wrapping_mul(0x9e37_79b9_7f4a_7c15), 0];
                let part = all.iter().position(|shard| std::ptr::eq(*shard, shards.of(key)));
                found[part.unwrap()] += 1;
            }
            assert!(found.iter().all(|count| *count > 1000 / parts / 2), "{found:?}");
        }
    }
}
