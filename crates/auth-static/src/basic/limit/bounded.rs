//! Moments by key, as many as there is room for.

use auth_core::Timestamp;
use std::collections::{BTreeSet, HashMap};

pub(super) type Key = [u8; 16];

/// Remembers a moment for each key until it has passed. When it is full, the one that passes first makes room.
pub(super) struct Bounded {
    most: usize,
    moments: HashMap<Key, Timestamp>,
    order: BTreeSet<(Timestamp, Key)>,
}

impl Bounded {
    pub(super) fn new(most: usize) -> Self {
        Self { most, moments: HashMap::new(), order: BTreeSet::new() }
    }

    /// The moment of a key, while it has not passed.
    pub(super) fn get(&self, key: Key, now: Timestamp) -> Option<Timestamp> {
        self.moments.get(&key).copied().filter(|moment| *moment > now)
    }

    pub(super) fn set(&mut self, key: Key, moment: Timestamp, now: Timestamp) {
        self.remove(key);
        while let Some(&(first, passed)) = self.order.first() {
            if first > now && self.moments.len() < self.most {
                break;
            }
            self.remove(passed);
        }
        if moment > now {
            self.moments.insert(key, moment);
            self.order.insert((moment, key));
        }
    }

    fn remove(&mut self, key: Key) {
        if let Some(moment) = self.moments.remove(&key) {
            self.order.remove(&(moment, key));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Timestamp {
        Timestamp::from_unix(seconds)
    }

    #[test]
    fn what_has_passed_makes_room_and_then_what_passes_first() {
        let mut bounded = Bounded::new(2);
        let keys = [[1; 16], [2; 16], [3; 16], [4; 16]];
        bounded.set(keys[0], at(10), at(0));
        bounded.set(keys[1], at(30), at(0));
        bounded.set(keys[2], at(20), at(10));
        assert_eq!(
            keys.map(|key| bounded.get(key, at(10))),
            [None, Some(at(30)), Some(at(20)), None]
        );
        bounded.set(keys[3], at(15), at(10));
        assert_eq!(
            keys.map(|key| bounded.get(key, at(10))),
            [None, Some(at(30)), None, Some(at(15))]
        );
        assert_eq!((bounded.moments.len(), bounded.order.len()), (2, 2));
    }
}
