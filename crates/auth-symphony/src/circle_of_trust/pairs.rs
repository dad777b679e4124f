//! Pairs of tokens in bounded memory, until they expire.

use crate::exchange::TokenPair;
use auth_core::{Error, KeyDigest, KeyHasher, Result, Timestamp};
use std::{collections::HashMap, time::Duration};

/// So many pairs are alive at once at most.
pub(super) const MOST: usize = 10_000;

/// Pairs that are alive. They are found by a keyed hash of the app's token, so that no comparison tells anything of it.
pub(super) struct Pairs {
    hasher: KeyHasher,
    by_app_token: HashMap<KeyDigest, TokenPair>,
    /// Nothing expires before then.
    first_end: Timestamp,
}

impl Pairs {
    pub(super) fn new(hasher: KeyHasher) -> Self {
        Self { hasher, by_app_token: HashMap::new(), first_end: Timestamp::default() }
    }

    /// Forgets what has expired, if there is no room otherwise.
    pub(super) fn make_room(&mut self, now: Timestamp) -> Result<()> {
        if self.by_app_token.len() < MOST {
            return Ok(());
        }
        if now >= self.first_end {
            self.by_app_token.retain(|_, pair| now < pair.expires);
            let ends = self.by_app_token.values().map(|pair| pair.expires);
            self.first_end = ends.min().unwrap_or_default();
        }
        if self.by_app_token.len() < MOST {
            return Ok(());
        }
        let wait = self.first_end.since(now).max(Duration::from_secs(1));
        let text = "ten thousand openings of the app wait for their Symphony token, expected fewer within five minutes";
        Err(Error::unavailable("symphony_pairs_full", Some(wait), text))
    }

    pub(super) fn insert(
        &mut self,
        app_token: &[u8],
        pair: TokenPair,
        now: Timestamp,
    ) -> Result<()> {
        self.make_room(now)?;
        if self.by_app_token.is_empty() || pair.expires < self.first_end {
            self.first_end = pair.expires;
        }
        self.by_app_token.insert(self.hasher.hash(app_token), pair);
        Ok(())
    }

    /// Is there a pair of these two that is alive?
    pub(super) fn has(&self, app_token: &[u8], symphony_token: &[u8], now: Timestamp) -> bool {
        let found = self.by_app_token.get(&self.hasher.hash(app_token));
        found.is_some_and(|pair| pair.symphony_token.matches(symphony_token) && now < pair.expires)
    }
}

impl TokenPair {
    #[cfg(test)]
    fn of(symphony_token: &str, expires: u64) -> Self {
        let symphony_token = auth_core::Secret::new(symphony_token);
        Self { symphony_token, expires: Timestamp::from_unix(expires) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_pairs_are_kept_than_memory_is_there_for() {
        let hasher = KeyHasher::new(&auth_core::Secret::new([7; 32])).unwrap();
        let mut pairs = Pairs::new(hasher);
        let at = Timestamp::from_unix;
        for n in 0..MOST {
            let end = if n < 10 { 200 } else { 300 };
            let name = n.to_string();
            pairs.insert(name.as_bytes(), TokenPair::of("ts", end), at(100)).unwrap();
        }
        let error = pairs.insert(b"more", TokenPair::of("ts", 300), at(199)).unwrap_err();
        assert_eq!(error.code(), "symphony_pairs_full");
        assert!(pairs.has(b"9999", b"ts", at(199)));
        // Ten have expired.
        for n in 0..10 {
            let name = format!("more {n}");
            pairs.insert(name.as_bytes(), TokenPair::of("ts", 300), at(200)).unwrap();
        }
        assert!(pairs.insert(b"another", TokenPair::of("ts", 300), at(200)).is_err());
        assert!(!pairs.has(b"0", b"ts", at(200)));
        assert!(pairs.has(b"10", b"ts", at(299)));
        assert!(!pairs.has(b"10", b"ts", at(300)));
        pairs.insert(b"late", TokenPair::of("ts", 400), at(300)).unwrap();
        assert_eq!(pairs.by_app_token.len(), 1);
    }
}
