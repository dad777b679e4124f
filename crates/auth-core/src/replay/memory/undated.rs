//! Identifiers without a moment of issue: never forgotten early, and refused when there is no room.

use super::{
    Key, Share, Told,
    entry::{Entry, Kind, Now, Open, Settled, seconds_up},
    second::{Entries, table_bytes},
};
use crate::Timestamp;
use std::{
    collections::hash_map,
    time::{Duration, Instant},
};

pub(super) struct Undated {
    entries: Entries<Key, Ending>,
    /// How many each has.
    shares: Entries<Share, usize>,
    most: usize,
    /// What entries take beside the table, in bytes.
    beside: usize,
    begun: Instant,
    /// Before this nothing ends.
    next_end: u64,
    /// When it was last looked for what has ended.
    looked: Option<Instant>,
    /// What ends no later may have been forgotten: a clock that is set back must not bring it back.
    ended: u64,
}

/// An entry and its end.
struct Ending {
    entry: Entry,
    /// In seconds since 1970, rounded up.
    until: u64,
    /// In seconds of steady time since the store began, rounded up; zero where no reading will tell.
    steady: u32,
}

/// What one entry takes at most, with that of its share.
const ENTRY_BYTES: usize =
    (size_of::<(Key, Ending)>() + 1 + size_of::<(Share, usize)>() + 1) * 16 / 7 + size_of::<Open>();

impl Undated {
    pub(super) fn new(begun: Instant, limit: usize) -> Self {
        Self {
            begun,
            beside: 0,
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
        let tables = table_bytes(&self.entries).saturating_add(table_bytes(&self.shares));
        tables.saturating_add(self.beside)
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
        let (end, steady) = (seconds_up(until), self.seconds_of(now.reading_at(until)));
        if end <= self.ended {
            return Told::TooOld;
        }
        let told = match self.entries.get_mut(&key) {
            Some(ending) => {
                ending.until = ending.until.max(end);
                ending.steady = ending.steady.max(steady);
                change(Some(&mut ending.entry.kind))
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
        self.beside = self.beside.saturating_add(kind.bytes());
        let entry = Entry { share, kind };
        self.entries.insert(key, Ending { entry, until: end, steady });
        self.next_end = if self.len() == 1 { end } else { self.next_end.min(end) };
        told
    }

    pub(super) fn settle(
        &mut self,
        key: Key,
        held: impl Fn(&Kind) -> bool,
        becomes: Settled,
    ) -> bool {
        let hash_map::Entry::Occupied(mut place) = self.entries.entry(key) else { return false };
        let Entry { share, kind } = &mut place.get_mut().entry;
        if !held(kind) {
            return false;
        }
        self.beside = self.beside.saturating_sub(kind.bytes());
        if becomes == Settled::Used {
            *kind = Kind::Used;
        } else {
            disown(&mut self.shares, *share);
            place.remove();
        }
        true
    }

    /// Seconds since the store began, rounded up.
    fn seconds_of(&self, reading: Option<Instant>) -> u32 {
        let Some(reading) = reading else { return 0 };
        let since = reading.saturating_duration_since(self.begun);
        let seconds = since.as_secs().saturating_add(u64::from(since.subsec_nanos() > 0));
        u32::try_from(seconds).unwrap_or(u32::MAX)
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
        let passed = now.steady.saturating_duration_since(self.begun).as_secs();
        let Self { entries, shares, beside, ended: last, .. } = self;
        let mut next = u64::MAX;
        entries.retain(|_, Ending { entry, until, steady }| {
            let ended = *until <= now.moment.unix() && u64::from(*steady) <= passed;
            if ended {
                *last = (*last).max(*until);
                *beside = beside.saturating_sub(entry.kind.bytes());
                disown(shares, entry.share);
            } else {
                next = next.min(*until);
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
