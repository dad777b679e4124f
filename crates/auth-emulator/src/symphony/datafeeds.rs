//! Datafeeds, which belong to a bot and not to its session.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// All datafeeds, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Datafeeds(Mutex<Vec<Datafeed>>);

#[derive(Debug)]
struct Datafeed {
    owner: Box<str>,
    id: Box<str>,
    reads: u64,
}

/// Beyond so many the oldest is forgotten.
const MOST: usize = 1000;

impl Datafeeds {
    pub(super) fn insert(&self, owner: &str, id: &str) {
        let mut all = self.lock();
        if all.len() >= MOST {
            all.remove(0);
        }
        all.push(Datafeed { owner: owner.into(), id: id.into(), reads: 0 });
    }

    /// Those of a bot.
    pub(super) fn of(&self, owner: &str) -> Vec<Box<str>> {
        let all = self.lock();
        all.iter().filter(|it| *it.owner == *owner).map(|it| it.id.clone()).collect()
    }

    /// How often it was read, this time included; `None` if the bot has no such one.
    pub(super) fn read(&self, owner: &str, id: &str) -> Option<u64> {
        let mut all = self.lock();
        let it = all.iter_mut().find(|it| *it.owner == *owner && *it.id == *id)?;
        it.reads = it.reads.saturating_add(1);
        Some(it.reads)
    }

    /// Was there such one?
    pub(super) fn remove(&self, owner: &str, id: &str) -> bool {
        let mut all = self.lock();
        let before = all.len();
        all.retain(|it| *it.owner != *owner || *it.id != *id);
        all.len() < before
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Datafeed>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_are_kept_than_memory_is_there_for() {
        let all = Datafeeds::default();
        (0..=MOST).for_each(|id| all.insert("bot", &id.to_string()));
        assert_eq!((all.of("bot").len(), all.of("other").len()), (MOST, 0));
        assert_eq!((all.read("bot", "0"), all.read("bot", "1")), (None, Some(1)));
        assert_eq!((all.read("other", "1"), all.read("bot", "1")), (None, Some(2)));
        assert!(!all.remove("other", "1") && all.remove("bot", "1") && !all.remove("bot", "1"));
    }
}
