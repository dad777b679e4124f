//! Token buckets, in bounded memory.

use crate::{Error, Result, Timestamp, already_hashed::AlreadyHashed};
use std::{
    collections::{BTreeSet, HashMap},
    hash::Hash,
    time::Duration,
};

/// How often a secret may be wrong: so many times at once, and as many times again in each period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttemptRate {
    pub(super) failures: u32,
    pub(super) period: Duration,
}

impl AttemptRate {
    /// This many failures in this time.
    ///
    /// # Errors
    ///
    /// `Error::Config` when it is not at least one failure, or more than one in each nanosecond.
    pub fn new(failures: u32, period: Duration) -> Result<Self> {
        if period.checked_div(failures).is_none_or(|each| each.is_zero()) {
            let text = "rate of failures is zero or endless, expected at least one in a while";
            return Err(Error::config("limit_rate", text));
        }
        Ok(Self { failures, period })
    }
}

/// One bucket for each key, all of one rate.
///
/// A bucket is the moment when it is full again: one that has passed says nothing, and is forgotten.
pub(super) struct Buckets<K> {
    rate: AttemptRate,
    full_again: Ends<K>,
    /// The bucket of all keys that find no room.
    shared: Timestamp,
}

impl<K: Copy + Ord + Hash> Buckets<K> {
    /// How much longer than its period a bucket takes to be full again at most: what is drained beyond its bottom
    /// counts that far, and a clock set back locks nobody out for longer.
    const DEEPEST: Duration = Duration::from_secs(60 * 60);

    pub(super) fn new(rate: AttemptRate) -> Self {
        Self { rate, full_again: Ends::default(), shared: Timestamp::default() }
    }

    /// How long until the bucket of this key has something in it: zero when it has.
    pub(super) fn wait(&mut self, key: &K, now: Timestamp, most: usize) -> Duration {
        self.full_again.forget_until(now);
        let full_again = match self.full_again.get(key) {
            Some(full_again) => full_again,
            None if self.full_again.len() < most => return Duration::ZERO,
            None => self.shared,
        };
        self.within(full_again, now).since(now).saturating_sub(self.rate.period - self.refill())
    }

    /// Takes one out of the bucket of this key.
    pub(super) fn drain(&mut self, key: K, now: Timestamp, most: usize) {
        self.full_again.forget_until(now);
        let known = self.full_again.get(&key);
        let room = known.is_some() || self.full_again.len() < most;
        let before = known.unwrap_or(if room { now } else { self.shared }).max(now);
        let after = self.within(before.after(self.refill()), now);
        if room {
            self.full_again.set(key, after);
        } else {
            self.shared = after;
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.full_again.len()
    }

    /// How long it takes for one to come back.
    fn refill(&self) -> Duration {
        self.rate.period / self.rate.failures
    }

    fn within(&self, full_again: Timestamp, now: Timestamp) -> Timestamp {
        full_again.min(now.after(self.rate.period).after(Self::DEEPEST))
    }
}

/// Keys until their ends, in the order of those.
pub(super) struct Ends<K> {
    ends: HashMap<K, Timestamp, AlreadyHashed>,
    order: BTreeSet<(Timestamp, K)>,
}

impl<K> Default for Ends<K> {
    fn default() -> Self {
        Self { ends: HashMap::default(), order: BTreeSet::new() }
    }
}

impl<K: Copy + Ord + Hash> Ends<K> {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn get(&self, key: &K) -> Option<Timestamp> {
        self.ends.get(key).copied()
    }

    pub(super) fn set(&mut self, key: K, end: Timestamp) {
        if let Some(before) = self.ends.insert(key, end) {
            self.order.remove(&(before, key));
        }
        self.order.insert((end, key));
    }

    pub(super) fn forget_first(&mut self) {
        if let Some((_, key)) = self.order.pop_first() {
            self.ends.remove(&key);
        }
    }

    /// Forgets the first of the keys that are alike, when there are so many of them that they take a part of their own;
    /// the first of all otherwise. It looks at all of them.
    pub(super) fn forget_first_of(&mut self, alike: impl Fn(&K) -> bool, most: usize) {
        let mut found = self.order.iter().filter(|(_, key)| alike(key));
        let first = found.next().copied();
        let many = found.count().saturating_add(1) >= most;
        match first.filter(|_| many) {
            Some(first) => {
                self.order.remove(&first);
                self.ends.remove(&first.1);
            }
            None => self.forget_first(),
        }
    }

    /// Forgets what has ended.
    pub(super) fn forget_until(&mut self, now: Timestamp) {
        while self.order.first().is_some_and(|(end, _)| *end <= now) {
            self.forget_first();
        }
    }
}
