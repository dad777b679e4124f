//! Entries in bounded memory.

use crate::already_hashed::AlreadyHashed;
use auth_core::KeyDigest;
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// Entries of which the least used make room for new ones.
///
/// A place is chosen by second chance (CLOCK): a look marks its entry, and a hand that goes round evicts the first entry
/// without a mark, and takes the marks on its way. A look then writes one byte and moves nothing, so that looks need no
/// more than the shared side of a lock; a key that is looked for once is evicted before those that are in use.
pub(super) struct Part<T> {
    /// Where an entry is, by the first eight bytes of its key, which are a hash already. Of two keys that share them one
    /// is kept.
    places: HashMap<u64, usize, AlreadyHashed>,
    entries: Vec<Entry<T>>,
    hand: usize,
    /// The sum of the entries' weights.
    weights: usize,
    /// The most entries there were since memory was last given back.
    grown: usize,
    most_bytes: usize,
}

struct Entry<T> {
    key: KeyDigest,
    value: Option<Arc<T>>,
    weight: u32,
    used: AtomicBool,
}

/// What was taken out, to be dropped when no lock is held: values are foreign code.
pub(super) type Taken<T> = Vec<Option<Arc<T>>>;

/// What one entry is charged for beside its weight. 48 bytes are the entry and 17 its place; the rest is what the vector
/// and the table hold in reserve, and hold twice while they grow.
pub(super) const ENTRY_BYTES: usize = 192;

/// The smallest vector and table have room for several entries.
const LEAST_BYTES: usize = 512;

/// So many entries are given a second chance in a row, lest a lock is held for long.
const MOST_CHANCES: usize = 1024;

impl<T> Part<T> {
    pub(super) fn new(most_bytes: usize) -> Self {
        let (places, entries) = (HashMap::default(), Vec::new());
        Self { places, entries, hand: 0, weights: 0, grown: 0, most_bytes }
    }

    #[inline]
    pub(super) fn get(&self, key: &KeyDigest) -> Option<Option<Arc<T>>> {
        let entry = self.entries.get(*self.places.get(&short(key))?)?;
        if entry.key != *key {
            return None;
        }
        // Written once, so that entries in use are only read.
        if !entry.used.load(Ordering::Relaxed) {
            entry.used.store(true, Ordering::Relaxed);
        }
        Some(entry.value.clone())
    }

    /// Keeps it, unless it is too heavy to be kept at all.
    pub(super) fn insert(
        &mut self,
        key: KeyDigest,
        value: Option<Arc<T>>,
        weight: usize,
        taken: &mut Taken<T>,
    ) {
        taken.extend(self.remove(&key));
        let least = LEAST_BYTES.saturating_add(ENTRY_BYTES).saturating_add(weight);
        let weight = match u32::try_from(weight) {
            Ok(weight) if least <= self.most_bytes => weight,
            _ => return taken.push(value),
        };
        while !self.has_room(weight) {
            if self.entries.len() + self.entries.len() / 4 < self.grown {
                self.give_back();
            } else if let Some(evicted) = self.evict() {
                taken.push(evicted);
            } else {
                return taken.push(value);
            }
        }
        let place = self.entries.len();
        if place == self.entries.capacity() {
            self.entries.reserve_exact(place / 4 + 4);
        }
        self.places.insert(short(&key), place);
        self.entries.push(Entry { key, value, weight, used: AtomicBool::new(false) });
        self.weights = self.weights.saturating_add(of(weight));
        self.grown = self.grown.max(self.entries.len());
    }

    pub(super) fn remove(&mut self, key: &KeyDigest) -> Option<Option<Arc<T>>> {
        let place = self.places.remove(&short(key))?;
        if place >= self.entries.len() {
            return None;
        }
        let entry = self.entries.swap_remove(place);
        if let Some(moved) = self.entries.get(place) {
            self.places.insert(short(&moved.key), place);
        }
        self.weights = self.weights.saturating_sub(of(entry.weight));
        Some(entry.value)
    }

    /// Takes all of it, to be dropped when no lock is held.
    pub(super) fn take(&mut self) -> Self {
        let most_bytes = self.most_bytes;
        std::mem::replace(self, Self::new(most_bytes))
    }

    /// What it is charged for.
    pub(super) fn bytes(&self) -> usize {
        if self.grown == 0 { 0 } else { self.charge(self.grown) + self.weights }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    fn has_room(&self, weight: u32) -> bool {
        let entries = self.grown.max(self.entries.len() + 1);
        let bytes = self.charge(entries).saturating_add(self.weights).saturating_add(of(weight));
        bytes <= self.most_bytes
    }

    const fn charge(&self, entries: usize) -> usize {
        LEAST_BYTES.saturating_add(entries.saturating_mul(ENTRY_BYTES))
    }

    /// Memory that was for entries which were removed.
    #[cold]
    fn give_back(&mut self) {
        self.entries.shrink_to_fit();
        self.places.shrink_to_fit();
        self.grown = self.entries.len();
    }

    fn evict(&mut self) -> Option<Option<Arc<T>>> {
        for chance in 0..=MOST_CHANCES {
            if self.hand >= self.entries.len() {
                self.hand = 0;
            }
            let entry = self.entries.get_mut(self.hand)?;
            // What takes the place of an evicted entry is the newest one: the hand passes it by.
            self.hand += 1;
            if !std::mem::take(entry.used.get_mut()) || chance == MOST_CHANCES {
                let key = entry.key;
                return self.remove(&key);
            }
        }
        None
    }
}

#[inline]
fn short(key: &KeyDigest) -> u64 {
    key.as_bytes().first_chunk().copied().map_or(0, u64::from_le_bytes)
}

fn of(weight: u32) -> usize {
    usize::try_from(weight).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use auth_core::{KeyHasher, Secret};

    fn key(number: u64) -> KeyDigest {
        let hasher = KeyHasher::new(&Secret::from(vec![1; 32])).unwrap();
        hasher.hash(&number.to_be_bytes())
    }

    fn part(entries: usize) -> Part<u64> {
        Part::new(LEAST_BYTES + entries * ENTRY_BYTES)
    }

    fn insert(part: &mut Part<u64>, number: u64) {
        part.insert(key(number), Some(Arc::new(number)), 0, &mut Vec::new());
    }

    #[test]
    fn finds_what_it_keeps_and_nothing_else() {
        let mut part = part(100);
        (0..50).for_each(|number| insert(&mut part, number));
        for number in (0..50).filter(|number| number % 3 == 0) {
            assert!(part.remove(&key(number)).is_some());
        }
        for number in 0..60 {
            let expected = (number < 50 && number % 3 != 0).then_some(number);
            assert_eq!(part.get(&key(number)).flatten().as_deref(), expected.as_ref(), "{number}");
        }
    }

    #[test]
    fn two_keys_that_share_eight_bytes_are_never_taken_for_one_another() {
        let mut part = part(10);
        let other = {
            let mut bytes = *key(1).as_bytes();
            bytes[31] ^= 1;
            KeyDigest::from_bytes(bytes)
        };
        insert(&mut part, 1);
        assert!(part.get(&other).is_none());
        part.insert(other, None, 0, &mut Vec::new());
        assert!(part.get(&key(1)).is_none() && part.get(&other) == Some(None));
        assert_eq!(part.len(), 1);
    }

    #[test]
    fn entries_in_use_outlive_ten_times_as_many_that_are_looked_for_once() {
        let mut part = part(1000);
        (0..500).for_each(|number| insert(&mut part, number));
        for number in 500..10_500 {
            // Each of the first is used now and then.
            assert!(part.get(&key(number % 500)).is_some(), "{} at {number}", number % 500);
            insert(&mut part, number);
        }
        assert_eq!(part.len(), 1000);
    }

    #[test]
    fn evicts_though_all_are_in_use() {
        let mut part = part(2000);
        for number in 0..5000 {
            insert(&mut part, number);
            assert!(part.get(&key(number)).is_some());
        }
        assert_eq!(part.len(), 2000);
    }

    #[test]
    fn what_is_too_heavy_is_not_kept_and_evicts_nothing() {
        let (mut part, mut taken) = (part(4), Vec::new());
        (0..3).for_each(|number| insert(&mut part, number));
        part.insert(key(9), Some(Arc::new(9)), 4 * ENTRY_BYTES, &mut taken);
        assert_eq!((part.len(), taken.len()), (3, 1));
        part.insert(key(9), Some(Arc::new(9)), 2 * ENTRY_BYTES, &mut taken);
        assert_eq!((part.len(), taken.len()), (2, 3), "one for its entry, one for its weight");
    }

    /// Counted by the allocator, in all that it holds at once: growing, with gaps, and when few heavy ones follow many
    /// light ones.
    #[test]
    fn never_holds_more_than_its_bound_as_memory_counts_it() {
        let bound = LEAST_BYTES + 5000 * ENTRY_BYTES;
        let value = Arc::new(0_u64);
        let held = |work: &dyn Fn(&mut Part<u64>)| {
            let most = allocation_counter::measure(|| work(&mut Part::new(bound))).bytes_max;
            usize::try_from(most).unwrap()
        };
        let is_tight = |part: &Part<u64>| {
            let most = part.len() + part.len() / 4 + 4;
            assert!(part.entries.capacity() <= most, "{} of {most}", part.entries.capacity());
        };
        let light = |part: &mut Part<u64>, from: u64| {
            for number in from..from + 6000 {
                part.insert(key(number), Some(Arc::clone(&value)), 0, &mut Vec::new());
            }
        };
        let growing = held(&|part| {
            (0..4100).for_each(|number| insert(part, number));
            is_tight(part);
            light(part, 10_000);
        });
        let churning = held(&|part| {
            for round in 0..6 {
                light(part, round * 6000);
                (0..round * 1000).for_each(|number| drop(part.remove(&key(round * 6000 + number))));
            }
        });
        // A heavy value is not allocated here: its weight is what the allocator would count.
        let weight = 50 * ENTRY_BYTES;
        let heavy = held(&|part| {
            light(part, 0);
            (0..6000).for_each(|number| drop(part.remove(&key(number))));
            for number in 0..200 {
                part.insert(key(number), Some(Arc::clone(&value)), weight, &mut Vec::new());
            }
            assert!(part.len() > 90 && part.bytes() <= bound, "{} {}", part.len(), part.bytes());
            is_tight(part);
            assert!(part.places.capacity() < 500, "{}", part.places.capacity());
        });
        println!(
            "part bytes growing={growing} churning={churning} heavy={heavy} bound={bound} per_entry={}",
            growing / 5000
        );
        assert!(growing <= bound && churning <= bound && heavy <= bound);
    }
}
