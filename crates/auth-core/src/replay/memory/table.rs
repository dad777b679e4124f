//! Identifiers that have a moment of issue: kept by the second of it, forgotten by whole seconds.

use super::{
    Key, Share, Told,
    entry::{Entry, Kind, Now, Settled, seconds_up},
    owners::Owners,
    second::Second,
    shard::Raised,
};
use crate::{HorizonOwner, Timestamp};
use std::{
    collections::{BTreeMap, btree_map, hash_map},
    time::{Duration, Instant},
};

pub(super) struct Table {
    /// By the second of issue, so that what is oldest is found at once and forgotten in one piece.
    seconds: BTreeMap<u64, Second>,
    owners: Owners,
    limit: usize,
    one_part_in: usize,
    bytes: usize,
    entries: usize,
    /// What was issued in this second or before is refused.
    horizon: Option<u64>,
    /// What ended by itself: what was issued and ended no later may be among it, and a clock that is set back must not
    /// bring it back.
    ended: Option<(u64, u64)>,
    swept: Instant,
    pub(super) raised: Raised,
}

/// What one entry of the map of seconds takes, with its share of the nodes that hold it.
pub(super) const SECOND_BYTES: usize = 2 * (size_of::<Second>() + size_of::<u64>());
/// What one entry takes while its table is two thirds full: what owners are charged for it.
const ENTRY_BYTES: usize = (size_of::<(Key, Entry)>() + 1) * 3 / 2;
/// What the first entry of a second takes beside that, with the smallest table: an owner that spreads its identifiers
/// over many seconds pays for them.
const FIRST_BYTES: usize = SECOND_BYTES + 4 * (size_of::<(Key, Entry)>() + 1) + 16 - ENTRY_BYTES;

impl Table {
    pub(super) fn new(steady: Instant, limit: usize, one_part_in: usize) -> Self {
        Self {
            seconds: BTreeMap::new(),
            owners: Owners::default(),
            limit,
            one_part_in: one_part_in.max(1),
            bytes: 0,
            entries: 0,
            horizon: None,
            ended: None,
            swept: steady,
            raised: [None; 2],
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.entries
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes.saturating_add(self.owners.bytes())
    }

    /// Changes the entry of this key, or makes one; its owner then loses what is beyond its share.
    pub(super) fn with(
        &mut self,
        key: Key,
        share: Share,
        issued: Timestamp,
        until: Timestamp,
        now: Now,
        change: impl FnOnce(Option<&mut Kind>) -> Told,
    ) -> Told {
        self.forget_ended(now);
        if self.has_forgotten(share, issued, until) {
            return Told::TooOld;
        }
        let (issued, end) = (issued.unix(), seconds_up(until));
        let place = self.seconds.entry(issued);
        let before = match &place {
            btree_map::Entry::Occupied(second) => second.get().bytes(),
            btree_map::Entry::Vacant(_) => 0,
        };
        let second = place.or_default();
        let told = change(second.entries.get_mut(&key).map(|entry| &mut entry.kind));
        second.last_until(end, now, until);
        let Told::New(kind) = told else {
            return told;
        };
        let told = Told::of_new(&kind);
        let mut cost = ENTRY_BYTES.saturating_add(kind.bytes());
        if second.entries.is_empty() {
            second.first = Some(share);
            cost = cost.saturating_add(FIRST_BYTES);
        }
        second.beside = second.beside.saturating_add(kind.bytes());
        second.entries.insert(key, Entry { share, kind });
        self.bytes = self.bytes.saturating_sub(before).saturating_add(second.bytes());
        self.entries = self.entries.saturating_add(1);
        let most = self.limit / self.one_part_in;
        let mut taken = self.owners.charge(share, cost);
        while taken > most && self.forget_oldest_of(share) {
            taken = self.owners.taken(share);
        }
        told
    }

    /// Ends a claim: used from now on, or free again. False when there is none that `held` knows.
    pub(super) fn settle(
        &mut self,
        key: Key,
        issued: Timestamp,
        held: impl Fn(&Kind) -> bool,
        becomes: Settled,
    ) -> bool {
        let Some(second) = self.seconds.get_mut(&issued.unix()) else { return false };
        let hash_map::Entry::Occupied(mut place) = second.entries.entry(key) else { return false };
        if !held(&place.get().kind) {
            return false;
        }
        let (share, beside) = (place.get().share, place.get().kind.bytes());
        second.beside = second.beside.saturating_sub(beside);
        self.bytes = self.bytes.saturating_sub(beside);
        self.owners.give_back(share, beside);
        if becomes == Settled::Used {
            place.get_mut().kind = Kind::Used;
        } else {
            place.remove();
            self.entries = self.entries.saturating_sub(1);
            self.owners.give_back(share, ENTRY_BYTES);
            if second.first == Some(share) {
                pass_on(&mut self.owners, second);
            }
            self.drop_empty(issued.unix());
        }
        true
    }

    /// Was it perhaps known, and is not any more?
    pub(super) fn has_forgotten(&self, share: Share, issued: Timestamp, until: Timestamp) -> bool {
        let (issued, end) = (issued.unix(), seconds_up(until));
        let own = self.owners.horizon(share);
        let horizon = self.horizon.max(own).is_some_and(|horizon| issued <= horizon);
        let ended = self.ended.is_some_and(|(last, until)| issued <= last && end <= until);
        horizon || ended
    }

    /// Forgets the seconds at the old end of which all has ended.
    pub(super) fn forget_ended(&mut self, now: Now) {
        while let Some(oldest) = self.seconds.first_entry() {
            if !oldest.get().has_ended(now) {
                break;
            }
            let issued = *oldest.key();
            let second = oldest.remove();
            extend(&mut self.ended, issued, second.last);
            self.drop_second(second);
        }
    }

    fn drop_second(&mut self, second: Second) {
        self.bytes = self.bytes.saturating_sub(second.bytes());
        self.entries = self.entries.saturating_sub(second.entries.len());
        if let Some(first) = second.first {
            self.owners.give_back(first, FIRST_BYTES);
        }
        for Entry { share, kind } in second.entries.into_values() {
            self.owners.give_back(share, ENTRY_BYTES.saturating_add(kind.bytes()));
        }
    }

    /// A second of which nothing is left would be kept until its end, for nothing.
    fn drop_empty(&mut self, issued: u64) {
        if self.seconds.get(&issued).is_some_and(|second| second.entries.is_empty()) {
            if let Some(second) = self.seconds.remove(&issued) {
                self.drop_second(second);
            }
        }
    }

    /// Forgets the oldest seconds until all fits into what others leave of the limit.
    pub(super) fn fit(&mut self, others: usize, now: Now) {
        let limit = self.limit.saturating_sub(others);
        if self.bytes() > limit {
            self.sweep(now);
        }
        while self.bytes() > limit {
            let Some((issued, second)) = self.seconds.pop_first() else { return };
            self.drop_second(second);
            self.horizon = self.horizon.max(Some(issued));
            let [raised, _] = &mut self.raised;
            *raised = Some((HorizonOwner::Store, Timestamp::from_unix(issued)));
        }
    }

    /// Forgets what an owner used in the oldest second in which it used anything; false when it used nothing.
    fn forget_oldest_of(&mut self, share: Share) -> bool {
        let from = self.owners.horizon(share).map_or(0, |horizon| horizon.saturating_add(1));
        for (issued, second) in self.seconds.range_mut(from..) {
            let (before, mut beside) = ((second.entries.len(), second.bytes()), 0_usize);
            second.entries.retain(|_, entry| {
                let its = entry.share == share;
                if its {
                    beside = beside.saturating_add(entry.kind.bytes());
                }
                !its
            });
            second.beside = second.beside.saturating_sub(beside);
            second.shrink();
            let removed = before.0.saturating_sub(second.entries.len());
            if removed == 0 {
                continue;
            }
            self.bytes = self.bytes.saturating_sub(before.1).saturating_add(second.bytes());
            self.entries = self.entries.saturating_sub(removed);
            let given = removed.saturating_mul(ENTRY_BYTES).saturating_add(beside);
            self.owners.give_back(share, given);
            if second.first == Some(share) {
                pass_on(&mut self.owners, second);
            }
            let (issued, until, steady) = (*issued, second.last, second.steady);
            self.owners.lose(share, issued, until, steady);
            self.drop_empty(issued);
            let [_, raised] = &mut self.raised;
            *raised = Some((HorizonOwner::Owner, Timestamp::from_unix(issued)));
            return true;
        }
        false
    }

    /// Forgets all that has ended between what has not, at most once a second: a full store would look again and again.
    fn sweep(&mut self, now: Now) {
        if now.steady.saturating_duration_since(self.swept) < Duration::from_secs(1) {
            return;
        }
        self.swept = now.steady;
        let ended: Vec<u64> = self
            .seconds
            .iter()
            .filter(|(_, second)| second.has_ended(now))
            .map(|(issued, _)| *issued)
            .collect();
        for issued in ended {
            if let Some(second) = self.seconds.remove(&issued) {
                extend(&mut self.ended, issued, second.last);
                self.drop_second(second);
            }
        }
        let Self { owners, ended, .. } = self;
        owners.forget_past(now, |horizon, until| extend(ended, horizon, until));
    }
}

/// What was issued and ended no later than this has ended too.
fn extend(ended: &mut Option<(u64, u64)>, issued: u64, until: u64) {
    let (last, end) = ended.unwrap_or_default();
    *ended = Some((last.max(issued), end.max(until)));
}

/// The first owner of a second has left it: another one that is in it pays for it from now on.
fn pass_on(owners: &mut Owners, second: &mut Second) {
    let next = second.entries.values().next().map(|entry| entry.share);
    if let Some(first) = std::mem::replace(&mut second.first, next) {
        owners.give_back(first, FIRST_BYTES);
    }
    if let Some(next) = next {
        owners.charge(next, FIRST_BYTES);
    }
}
