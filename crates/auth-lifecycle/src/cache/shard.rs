//! One part of the keys, behind a lock of its own.

use super::part::{Part, Taken};
use auth_core::KeyDigest;
use std::{sync::Arc, time::Instant};

/// What is known of the keys of one shard, and until when it may be said. All of it changes under one lock, so that what is
/// said is true of one position of the log.
pub(super) struct Shard<T> {
    /// Nothing is answered from then on; `None` before the first poll. It is a bound later than the beginning of the last
    /// complete poll.
    pub(super) good_until: Option<Instant>,
    /// From then on a poll is due, which is no later than `good_until`.
    pub(super) fresh_until: Option<Instant>,
    /// How often the log was taken up anew: what was read in an earlier epoch belongs to another log.
    pub(super) epoch: u64,
    /// The last change of any key of each slot. What was read before it is not kept: a key that shares the slot of
    /// one that was changed is read once more, and no change is ever forgotten.
    pub(super) last_change: [u64; SLOTS],
    /// Credentials.
    pub(super) known: Part<T>,
    /// Keys of which the store knows nothing. Their memory is their own: a flood of them evicts no credential.
    pub(super) unknown: Part<T>,
}

const SLOTS: usize = 64;

/// What a look found.
pub(super) enum Looked<T> {
    Hit(Option<Arc<T>>),
    Miss { epoch: u64 },
    TooOld,
}

impl<T> Shard<T> {
    pub(super) fn new(known_bytes: usize, unknown_bytes: usize) -> Self {
        Self {
            good_until: None,
            fresh_until: None,
            epoch: 0,
            last_change: [0; SLOTS],
            known: Part::new(known_bytes),
            unknown: Part::new(unknown_bytes),
        }
    }

    #[inline]
    pub(super) fn look(&self, key: &KeyDigest, now: Instant) -> Looked<T> {
        if self.good_at(now).is_none() {
            return Looked::TooOld;
        }
        match self.known.get(key).or_else(|| self.unknown.get(key)) {
            Some(value) => Looked::Hit(value),
            None => Looked::Miss { epoch: self.epoch },
        }
    }

    /// What is kept of a key, while no poll is due.
    #[inline]
    pub(super) fn fresh(&self, key: &KeyDigest, now: Instant) -> Option<Option<Arc<T>>> {
        let is_fresh = self.fresh_until.is_some_and(|until| now < until);
        if is_fresh { self.known.get(key).or_else(|| self.unknown.get(key)) } else { None }
    }

    /// Until when an answer at this moment may be given.
    #[inline]
    fn good_at(&self, now: Instant) -> Option<Instant> {
        self.good_until.filter(|until| now < *until)
    }

    /// May what was read in this epoch, true at position `as_of`, be answered now, and until when?
    pub(super) fn vouches(&self, key: &KeyDigest, read: Read, now: Instant) -> Option<Instant> {
        let changed = self.last_change.get(slot(key)).copied()?;
        let is_current = read.epoch == self.epoch && changed <= read.as_of;
        if is_current { self.good_at(now) } else { None }
    }

    pub(super) fn insert(
        &mut self,
        key: KeyDigest,
        value: Option<Arc<T>>,
        weight: usize,
        taken: &mut Taken<T>,
    ) {
        let (kept, other) = match value {
            Some(_) => (&mut self.known, &mut self.unknown),
            None => (&mut self.unknown, &mut self.known),
        };
        taken.extend(other.remove(&key));
        kept.insert(key, value, weight, taken);
    }

    /// The key was changed at this position of the log.
    pub(super) fn change(&mut self, key: &KeyDigest, sequence: u64, taken: &mut Taken<T>) {
        if let Some(last) = self.last_change.get_mut(slot(key)) {
            *last = sequence.max(*last);
        }
        taken.extend(self.known.remove(key));
        taken.extend(self.unknown.remove(key));
    }

    /// Knows nothing any more, and takes up the log at this position: what was read before it may have missed changes.
    pub(super) fn start_at(&mut self, position: u64) -> [Part<T>; 2] {
        self.epoch += 1;
        self.last_change = [position; SLOTS];
        [self.known.take(), self.unknown.take()]
    }
}

/// When something was read.
#[derive(Clone, Copy)]
pub(super) struct Read {
    pub(super) epoch: u64,
    pub(super) as_of: u64,
}

fn slot(key: &KeyDigest) -> usize {
    let [.., last] = key.as_bytes();
    usize::from(*last) % SLOTS
}
