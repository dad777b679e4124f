//! When credentials were used, without a write for each request.

use super::{Known, Registry};
use crate::{CredentialId, MOST_SOURCES, Use};
use auth_core::{Flow, Timestamp};
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// The uses that are still to be written down: for each credential the last use from each of its last sources.
#[derive(Default)]
pub(super) struct Uses(Mutex<HashMap<CredentialId, Vec<Use>>>);

/// Beyond so many credentials, uses are not noted until these are written: an idle session then seems unused, and ends.
/// Each credential takes at most [`MOST_SOURCES`] places, so these are some 80 MB at most, and no caller takes the place of
/// another credential by calling from many addresses.
const MOST_CREDENTIALS: usize = 100_000;

impl Uses {
    pub(super) fn note(&self, known: &Known, at: Timestamp, source: Option<IpAddr>) {
        let credential = CredentialId::new(std::sync::Arc::clone(&known.caller().credential));
        add(&mut self.waiting(), Use { credential, at, source });
    }

    fn take(&self) -> Taken<'_> {
        let taken = std::mem::take(&mut *self.waiting());
        Taken { uses: self, taken: taken.into_values().flatten().collect() }
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<CredentialId, Vec<Use>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps the last use from each source, and of those the latest, so the last use of all is always kept.
fn add(waiting: &mut HashMap<CredentialId, Vec<Use>>, one: Use) {
    if waiting.len() >= MOST_CREDENTIALS && !waiting.contains_key(&one.credential) {
        return;
    }
    let known = waiting.entry(one.credential.clone()).or_default();
    if let Some(same) = known.iter_mut().find(|it| it.source == one.source) {
        same.at = same.at.max(one.at);
    } else if known.len() < MOST_SOURCES {
        known.push(one);
    } else if let Some(oldest) = known.iter_mut().min_by_key(|it| it.at) {
        if oldest.at <= one.at {
            *oldest = one;
        }
    }
}

/// Uses that are being written down. Unless they were, they wait again when this is dropped: when the store fails or
/// panics, and when the caller gives up.
struct Taken<'a> {
    uses: &'a Uses,
    taken: Vec<Use>,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        let mut waiting = self.uses.waiting();
        for one in self.taken.drain(..) {
            add(&mut waiting, one);
        }
    }
}

impl Registry {
    /// Writes down which credentials were used since it was last called. Call it at least once a minute, which is as exact
    /// as uses are recorded, and when the program ends. What could not be written is kept for the next call.
    pub fn flush_uses(&self) -> Flow<'static, ()> {
        let registry = self.clone();
        Flow::new(async move {
            let mut uses = registry.0.uses.take();
            if uses.taken.is_empty() {
                return Ok(());
            }
            registry.0.store.touch(uses.taken.clone()).await?;
            uses.taken.clear();
            Ok(())
        })
    }

    /// Asks the store what has changed, now: for a timer, so that no caller has to wait for it.
    pub fn poll(&self) -> Flow<'static, ()> {
        self.0.cache.poll()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv6Addr;

    fn one(credential: &str, at: u64, source: u128) -> Use {
        let source = Some(Ipv6Addr::from_bits(source).into());
        Use { credential: CredentialId::new(credential), at: Timestamp::from_unix(at), source }
    }

    fn last(uses: &[Use], credential: &str) -> Option<u64> {
        let of = |it: &&Use| it.credential.as_str() == credential;
        uses.iter().filter(of).map(|it| it.at.unix()).max()
    }

    #[test]
    fn a_caller_with_many_addresses_takes_no_place_of_another_credential() {
        let uses = Uses::default();
        for n in 0..300_000_u128 {
            add(&mut uses.waiting(), one("flood", 1000 + u64::try_from(n).unwrap(), n));
        }
        add(&mut uses.waiting(), one("session", 2000, 1));
        add(&mut uses.waiting(), one("flood", 1, 7));
        let taken = uses.take();
        assert_eq!(taken.taken.len(), MOST_SOURCES + 1);
        assert_eq!(last(&taken.taken, "flood"), Some(300_999), "the last use is kept");
        assert_eq!(last(&taken.taken, "session"), Some(2000));
    }

    #[test]
    fn memory_is_bounded_and_a_credential_that_waits_still_moves_on() {
        let uses = Uses::default();
        for n in 0..=MOST_CREDENTIALS {
            add(&mut uses.waiting(), one(&n.to_string(), 1, 1));
        }
        add(&mut uses.waiting(), one("0", 9, 1));
        let taken = uses.take();
        assert_eq!(taken.taken.len(), MOST_CREDENTIALS);
        assert_eq!(last(&taken.taken, "0"), Some(9));
    }

    #[test]
    fn what_is_given_back_overwrites_nothing_newer() {
        let uses = Uses::default();
        add(&mut uses.waiting(), one("a", 10, 1));
        add(&mut uses.waiting(), one("b", 10, 1));
        let taken = uses.take();
        add(&mut uses.waiting(), one("a", 20, 1));
        drop(taken);
        let taken = uses.take();
        assert_eq!(taken.taken.len(), 2);
        assert_eq!((last(&taken.taken, "a"), last(&taken.taken, "b")), (Some(20), Some(10)));
    }
}
