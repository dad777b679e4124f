//! All identifiers that were issued in one second.

use super::{
    Key, Share,
    entry::{Entry, Now},
    table::SECOND_BYTES,
};
use crate::{Timestamp, already_hashed::AlreadyHashed};
use std::{collections::HashMap, time::Instant};

/// All that was issued in one second.
#[derive(Default)]
pub(super) struct Second {
    pub(super) entries: Entries<Key, Entry>,
    /// What its entries take beside the table, in bytes.
    pub(super) beside: usize,
    /// When the last of it has ended, in both ways of the clock.
    pub(super) last: u64,
    pub(super) steady: Option<Instant>,
    /// The owner that is charged for it, while that has something in it.
    pub(super) first: Option<Share>,
}

/// Keys are hashes already.
pub(super) type Entries<K, V> = HashMap<K, V, AlreadyHashed>;

impl Second {
    pub(super) fn bytes(&self) -> usize {
        SECOND_BYTES.saturating_add(table_bytes(&self.entries)).saturating_add(self.beside)
    }

    pub(super) fn shrink(&mut self) {
        if self.entries.len() < self.entries.capacity() / 4 {
            self.entries.shrink_to_fit();
        }
    }

    pub(super) fn last_until(&mut self, end: u64, now: Now, until: Timestamp) {
        self.last = self.last.max(end);
        self.steady = self.steady.max(now.reading_at(until));
    }

    pub(super) fn has_ended(&self, now: Now) -> bool {
        now.is_past(self.last, self.steady)
    }
}

/// What a map takes: a power of two of slots, each with a byte of control, and 16 more of those.
pub(super) fn table_bytes<K, V>(map: &Entries<K, V>) -> usize {
    match map.capacity() {
        0 => 0,
        capacity => {
            let slots = (capacity.saturating_mul(8) / 7).next_power_of_two();
            slots.saturating_mul(size_of::<(K, V)>() + 1).saturating_add(16)
        }
    }
}
