//! Pairs of tokens in bounded memory, until they expire.

use crate::exchange::TokenPair;
use auth_core::{Error, KeyDigest, KeyHasher, Result, Secret};
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

/// So many pairs are alive at once at most.
pub(super) const MOST: usize = 10_000;

/// Pairs that are alive. They are found by a keyed hash of the app's token, so that no comparison tells anything of it.
///
/// They end by the steady clock: somebody may set the other one back.
pub(super) struct Pairs {
    hasher: KeyHasher,
    by_app_token: HashMap<KeyDigest, Pair>,
    /// Nothing ends before then.
    first_end: Option<Instant>,
}

struct Pair {
    symphony_token: Secret,
    end: Instant,
}

impl Pairs {
    pub(super) fn new(hasher: KeyHasher) -> Self {
        Self { hasher, by_app_token: HashMap::new(), first_end: None }
    }

    /// Forgets what has ended, if there is no room otherwise.
    pub(super) fn make_room(&mut self, now: Instant) -> Result<()> {
        if self.by_app_token.len() < MOST {
            return Ok(());
        }
        if self.first_end.is_none_or(|end| end <= now) {
            self.by_app_token.retain(|_, pair| now < pair.end);
            self.first_end = self.by_app_token.values().map(|pair| pair.end).min();
        }
        if self.by_app_token.len() < MOST {
            return Ok(());
        }
        let wait = self.first_end.map(|end| end.saturating_duration_since(now));
        let wait = wait.unwrap_or_default().max(Duration::from_secs(1));
        let text = "ten thousand openings of the app wait for their Symphony token, expected fewer within five minutes";
        Err(Error::unavailable("symphony_pairs_full", Some(wait), text))
    }

    pub(super) fn insert(&mut self, app_token: &[u8], pair: TokenPair, now: Instant) -> Result<()> {
        self.make_room(now)?;
        let end = now.checked_add(pair.life).unwrap_or(now);
        self.first_end = Some(self.first_end.map_or(end, |first| first.min(end)));
        let pair = Pair { symphony_token: pair.symphony_token, end };
        self.by_app_token.insert(self.hasher.hash(app_token), pair);
        Ok(())
    }

    /// Is there a pair of these two that is alive?
    pub(super) fn has(&self, app_token: &[u8], symphony_token: &[u8], now: Instant) -> bool {
        let found = self.by_app_token.get(&self.hasher.hash(app_token));
        found.is_some_and(|pair| pair.symphony_token.matches(symphony_token) && now < pair.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_pairs_are_kept_than_memory_is_there_for() {
        let hasher = KeyHasher::new(&Secret::new([7; 32])).unwrap();
        let mut pairs = Pairs::new(hasher);
        let begun = Instant::now();
        let at = |seconds| begun + Duration::from_secs(seconds);
        let living = |seconds| TokenPair {
            symphony_token: Secret::new("ts"),
            life: Duration::from_secs(seconds),
        };
        for n in 0..MOST {
            let life = if n < 10 { 100 } else { 200 };
            pairs.insert(n.to_string().as_bytes(), living(life), at(0)).unwrap();
        }
        let error = pairs.insert(b"more", living(101), at(99)).unwrap_err();
        assert_eq!(error.code(), "symphony_pairs_full");
        assert!(pairs.has(b"9999", b"ts", at(99)));
        // Ten have ended.
        for n in 0..10 {
            let name = format!("more {n}");
            pairs.insert(name.as_bytes(), living(100), at(100)).unwrap();
        }
        assert!(pairs.insert(b"another", living(100), at(100)).is_err());
        assert!(!pairs.has(b"0", b"ts", at(100)));
        assert!(pairs.has(b"10", b"ts", at(199)));
        assert!(!pairs.has(b"10", b"ts", at(200)));
        pairs.insert(b"late", living(100), at(200)).unwrap();
        assert_eq!(pairs.by_app_token.len(), 1);
    }
}
