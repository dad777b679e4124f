//! What is known of keys, for less than a bound of time.

mod part;
mod polls;
mod settings;
mod shard;

pub use polls::{Change, LogPage, PollTicket};
pub use settings::CacheSettings;

use auth_core::{Error, KeyDigest, Result};
use polls::Polls;
use shard::{Looked, Read, Shard};
use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::{Duration, Instant},
};

/// What is known of keys by their digests: which are known, as what, and of which the store knows nothing.
///
/// It performs no I/O: a [`CachedStore`](crate::cached_store::CachedStore) drives it, and so can a test, step by step. Its owner polls the
/// store's change log ([`begin_poll`](Self::begin_poll), [`end_poll`](Self::end_poll)) and reads what it does not
/// know ([`look`](Self::look), [`insert`](Self::insert)).
///
/// # Security
///
/// A change that was committed at some moment T is respected by every answer from T + bound on, whatever the log's
/// reader does:
///
/// - an answer is given for less than a bound after the *beginning* of the last poll that read the log to its end;
/// - what was read from the store is kept, or answered at all, only if no change of its key that is later than the
///   reading has been applied: a fill that was overtaken by a revocation is thrown away;
/// - a cache that is new, or whose log was cut, knows nothing and takes up the log before its first reading;
/// - what is evicted, for want of memory, is read again.
///
/// Spans are measured by the steady clock, which no one sets. On most systems it stands still while the machine sleeps: a
/// machine that was suspended may accept what was revoked meanwhile until it has been awake for the bound.
pub struct Cache<T> {
    shards: Box<[RwLock<Shard<T>>]>,
    polls: Arc<Polls>,
    bound: Duration,
    weigh: fn(&T) -> usize,
}

/// What a cache says of a key.
pub enum Seen<T> {
    /// It is known, or it is known that the store does not know it.
    Hit(Option<Arc<T>>),
    /// Nothing is known: ask the store, and [`insert`](Cache::insert) what it says.
    Miss(FillTicket),
    /// Nothing may be said before a poll has succeeded.
    TooOld,
}

/// Leave to insert what the store is about to say of one key.
pub struct FillTicket {
    key: KeyDigest,
    epoch: u64,
}

/// So many threads look at once without touching each other's locks.
const SHARDS: usize = 64;

impl<T> Cache<T> {
    /// A cache that knows nothing yet. `weigh` says what a value holds in memory, in bytes, with its own size; a value
    /// that several keys share is charged for each of them. `now` is any reading of the steady clock that is used
    /// throughout.
    ///
    /// # Errors
    ///
    /// `Error::Config` naming the field: `lifecycle_poll_interval` when it is zero, `lifecycle_staleness_bound` when it is
    /// shorter than the poll interval, `lifecycle_cache_bytes` when it is less than 1 MiB.
    pub fn new(settings: CacheSettings, weigh: fn(&T) -> usize, now: Instant) -> Result<Self> {
        Ok(Self::in_shards(SHARDS, settings.check()?, weigh, now))
    }

    fn in_shards(
        shards: usize,
        settings: CacheSettings,
        weigh: fn(&T) -> usize,
        now: Instant,
    ) -> Self {
        let CacheSettings { poll_interval, staleness_bound, most_bytes } = settings;
        let each = (most_bytes / shards).saturating_sub(size_of::<RwLock<Shard<T>>>());
        let shard = || RwLock::new(Shard::new(each - each / 8, each / 8));
        Self {
            shards: (0..shards).map(|_| shard()).collect(),
            polls: Arc::new(Polls::new(poll_interval, now)),
            bound: staleness_bound,
            weigh,
        }
    }

    /// What is known of a key now.
    #[inline]
    pub fn look(&self, key: &KeyDigest, now: Instant) -> Seen<T> {
        match self.shard(key).map(|shard| read(shard).look(key, now)) {
            Some(Looked::Hit(value)) => Seen::Hit(value),
            Some(Looked::Miss { epoch }) => Seen::Miss(FillTicket { key: *key, epoch }),
            Some(Looked::TooOld) | None => Seen::TooOld,
        }
    }

    /// A look that is a hit while no poll is due: nearly all of them are, and this costs least.
    #[inline]
    pub(crate) fn fresh(&self, key: &KeyDigest, now: Instant) -> Option<Option<Arc<T>>> {
        if self.polls.is_hinted() { None } else { read(self.shard(key)?).fresh(key, now) }
    }

    /// Takes what the store said after the look that gave this ticket, and which was true at position `as_of` of its log.
    ///
    /// Returns the moment before which it may be answered; `None` when it may not, because the key (or one of a few that
    /// stand beside it) was changed after `as_of`, or because polls have become too old: look again. What may be
    /// answered is kept too, memory permitting.
    pub fn insert(
        &self,
        ticket: FillTicket,
        value: Option<&Arc<T>>,
        as_of: u64,
        now: Instant,
    ) -> Option<Instant> {
        let FillTicket { key, epoch } = ticket;
        let weight = value.map_or(0, |value| (self.weigh)(value));
        let mut taken = Vec::new();
        let mut shard = write(self.shard(&key)?);
        let good_until = shard.vouches(&key, Read { epoch, as_of }, now)?;
        shard.insert(key, value.cloned(), weight, &mut taken);
        drop(shard);
        Some(good_until)
    }

    /// These keys were changed at this position of the log, as the program knows that has just committed it: they are read
    /// again without waiting for a poll.
    pub fn forget(&self, change: &Change) {
        let mut taken = Vec::new();
        self.apply(change, &mut taken);
    }

    /// Is it time to begin a poll? Not while one is under way.
    #[inline]
    #[must_use]
    pub fn poll_due(&self, now: Instant) -> bool {
        self.polls.is_due(now)
    }

    /// Begins a poll, due or not, unless one is under way. Ask the store for changes *after* this call: what they make good
    /// is good for a bound from `now` on. A ticket that is dropped makes room for the next poll.
    #[must_use]
    pub fn begin_poll(&self, now: Instant) -> Option<PollTicket> {
        self.polls.begin(now, self.bound)
    }

    /// Applies what the store answered. When there is more to read, the ticket comes back for the next page; age counts from
    /// the beginning of the first.
    ///
    /// # Errors
    ///
    /// `Error::Protocol` with the code `lifecycle_log_backward` when the log ends before the position that was read, or a
    /// page that is not the last brings it no further; `Error::Unavailable` with the code `lifecycle_poll_late` when the
    /// poll took longer than the bound and another one has taken its place. Nothing was applied then.
    pub fn end_poll(&self, mut ticket: PollTicket, page: LogPage) -> Result<Option<PollTicket>> {
        let (mut taken, mut emptied) = (Vec::new(), Vec::new());
        let is_last = !matches!(page, LogPage::Part { .. });
        // Held while the page is applied, so that two pages never mix. Shards are locked one at a time.
        let mut polls = self.polls.state();
        if !self.polls.holds(&polls, &ticket) {
            drop(polls);
            let text = "poll of the change log took longer than the staleness bound";
            return Err(Error::unavailable("lifecycle_poll_late", None, text));
        }
        let asked = polls.position;
        let (changes, reached, goes_on) = match page {
            LogPage::Last { changes, reached } => {
                (changes, reached, asked.is_some_and(|asked| asked <= reached))
            }
            LogPage::Part { changes, reached } => {
                (changes, reached, asked.is_some_and(|asked| asked < reached))
            }
            LogPage::Gone { reached } => {
                emptied.extend(self.shards.iter().map(|shard| write(shard).start_at(reached)));
                (Vec::new(), reached, true)
            }
        };
        if !goes_on {
            drop(polls);
            let from = asked.map_or_else(|| "its end".to_owned(), |asked| asked.to_string());
            let text = format!(
                "change log was asked for what follows {from} and reached {reached}, expected to get on; a log that \
                 begins anew says that it is gone"
            );
            return Err(Error::protocol("lifecycle_log_backward", text));
        }
        changes.iter().for_each(|change| self.apply(change, &mut taken));
        (polls.position, ticket.position) = (Some(reached), Some(reached));
        if is_last {
            let good_until = ticket.begun.checked_add(self.bound);
            let fresh_until = self.polls.succeed(&mut polls, ticket.begun);
            for shard in &self.shards {
                let mut shard = write(shard);
                (shard.good_until, shard.fresh_until) = (good_until, fresh_until);
            }
        }
        drop(polls);
        Ok((!is_last).then_some(ticket))
    }

    /// A poll failed: the next one is due then, and no hint makes it due before.
    pub fn postpone_poll(&self, until: Instant) {
        self.polls.postpone(until);
    }

    /// Something was changed: a poll is due at once, or when the one has ended that is under way, since that one may have
    /// read the log before the change.
    pub fn hint(&self) {
        self.polls.hint();
    }

    /// How many keys are kept, and how many bytes they are charged for, the weight of their values included. The second pair
    /// is that of keys of which the store knows nothing.
    #[must_use]
    pub fn size(&self) -> [(usize, usize); 2] {
        let mut sizes = [(0, 0); 2];
        for shard in &self.shards {
            let shard = read(shard);
            for ((count, bytes), part) in sizes.iter_mut().zip([&shard.known, &shard.unknown]) {
                (*count, *bytes) = (*count + part.len(), *bytes + part.bytes());
            }
        }
        sizes
    }

    fn apply(&self, change: &Change, taken: &mut part::Taken<T>) {
        for key in &change.keys {
            if let Some(shard) = self.shard(key) {
                write(shard).change(key, change.sequence, taken);
            }
        }
    }

    #[inline]
    fn shard(&self, key: &KeyDigest) -> Option<&RwLock<Shard<T>>> {
        // Not of the bytes by which a shard finds its entries.
        let [.., byte, _] = key.as_bytes();
        self.shards.get(usize::from(*byte) % self.shards.len())
    }
}

// Nothing that can panic runs under a lock of a shard.

#[inline]
fn read<T>(shard: &RwLock<Shard<T>>) -> RwLockReadGuard<'_, Shard<T>> {
    shard.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(shard: &RwLock<Shard<T>>) -> RwLockWriteGuard<'_, Shard<T>> {
    shard.write().unwrap_or_else(PoisonError::into_inner)
}

impl<T> fmt::Debug for Cache<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [(known, _), (unknown, _)] = self.size();
        write!(f, "Cache({known} keys, {unknown} unknown ones)")
    }
}

impl<T> fmt::Debug for Seen<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hit(Some(_)) => "Seen(hit)",
            Self::Hit(None) => "Seen(unknown)",
            Self::Miss(_) => "Seen(miss)",
            Self::TooOld => "Seen(too old)",
        })
    }
}

impl fmt::Debug for FillTicket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FillTicket(..)")
    }
}

#[cfg(test)]
mod nodes;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod threads;
