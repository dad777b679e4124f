//! Identifiers without a moment of issue: never forgotten early, and refused when there is no room.

use super::{
    Key, Share, Told,
    entry::{Entry, Kind, Now, seconds_up},
    second::{Entries, table_bytes},
};
use crate::Timestamp;
use std::time::{Duration, Instant};

pub(super) struct Undated {
    entries: Entries<Key, (Entry, Option<Instant>)>,
    shares: Entries<Share, usize>,
    most: usize,
    /// Before this nothing ends.
    next_end: u64,
    /// When it was last looked for what has ended.
    looked: Option<Instant>,
    /// What ends no later may have been forgotten: a clock that is set back must not bring it back.
    ended: u64,
}

/// What one entry takes at most, with that of its share.
const ENTRY_BYTES: usize =
    (size_of::<(Key, (Entry, Option<Instant>))>() + 1 + size_of::<(Share, usize)>() + 1) * 16 / 7;

impl Undated {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            entries: Entries::default(),
            shares: Entries::default(),
            most: limit / ENTRY_BYTES,
            next_end: 0,
            looked: None,
            ended: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn bytes(&self) -> usize {
        table_bytes(&self.entries).saturating_add(table_bytes(&self.shares))
    }

    pub(super) fn with(
        &mut self,
        key: Key,
        share: Share,
        until: Timestamp,
        now: Now,
        change: impl FnOnce(Option<&mut Kind>) -> Told,
    ) -> Told {
        self.forget_ended(now);
        let (end, steady) = (seconds_up(until), now.reading_at(until));
        if end <= self.ended {
            return Told::TooOld;
        }
        let told = match self.entries.get_mut(&key) {
            Some((entry, last)) => {
                entry.until = entry.until.max(end);
                *last = (*last).max(steady);
                change(Some(&mut entry.kind))
            }
            None => change(None),
        };
        let Told::New(kind) = told else { return told };
        let used = self.shares.get(&share).copied().unwrap_or_default();
        if self.len() >= self.most || used >= (self.most / 4).max(1) {
            return Told::Full;
        }
        let told = Told::of_new(&kind);
        self.shares.insert(share, used.saturating_add(1));
        self.entries.insert(key, (Entry { until: end, share, kind }, steady));
        self.next_end = if self.len() == 1 { end } else { self.next_end.min(end) };
        told
    }

    pub(super) fn settle(
        &mut self,
        key: Key,
        held: impl Fn(&Kind) -> bool,
        confirmed: bool,
    ) -> bool {
        let Some((entry, _)) = self.entries.get_mut(&key).filter(|(entry, _)| held(&entry.kind))
        else {
            return false;
        };
        if confirmed {
            entry.kind = Kind::Used;
        } else if let Some((entry, _)) = self.entries.remove(&key) {
            disown(&mut self.shares, entry.share);
        }
        true
    }

    fn forget_ended(&mut self, now: Now) {
        // What has ended by one way of the clock alone is looked at again in a second that passes: a clock that was
        // ahead for a moment must not keep it here.
        let again = self.looked.and_then(|looked| looked.checked_add(Duration::from_secs(1)));
        let early = again.is_some_and(|again| now.steady < again);
        if self.entries.is_empty() || now.moment.unix() < self.next_end || early {
            return;
        }
        self.looked = Some(now.steady);
        let (mut next, shares, last) = (u64::MAX, &mut self.shares, &mut self.ended);
        self.entries.retain(|_, (entry, steady)| {
            let ended = now.is_past(entry.until, *steady);
            if ended {
                *last = (*last).max(entry.until);
                disown(shares, entry.share);
            } else {
                next = next.min(entry.until);
            }
            !ended
        });
        self.next_end = next;
        self.entries.shrink_to(self.entries.len().saturating_mul(2));
        self.shares.shrink_to(self.shares.len().saturating_mul(2));
    }
}

fn disown(shares: &mut Entries<Share, usize>, share: Share) {
    if let Some(used) = shares.get_mut(&share) {
        *used = used.saturating_sub(1);
        if *used == 0 {
            shares.remove(&share);
        }
    }
}
