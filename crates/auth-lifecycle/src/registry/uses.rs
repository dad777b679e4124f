//! When credentials were used, without a write for each request.

use super::{Inner, Known, Registry};
use crate::{CredentialId, MOST_SOURCES, Use};
use auth_core::{Flow, Timestamp};
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

/// The uses that are still to be written down: of each credential the last ones, from as many sources as a store keeps.
#[derive(Default)]
pub(super) struct Uses(Mutex<HashMap<CredentialId, Vec<SourceUse>>>);

#[derive(Clone, Copy)]
struct SourceUse {
    at: Timestamp,
    source: Option<IpAddr>,
}

/// Beyond so many credentials, uses are not noted until these are written: an idle session then seems unused, and ends.
const MOST_WAITING: usize = 100_000;

impl Uses {
    pub(super) fn note(&self, known: &Known, at: Timestamp, source: Option<IpAddr>) {
        let credential = CredentialId::new(Arc::clone(&known.caller().credential));
        self.note_all([Use { credential, at, source }]);
    }

    fn note_all(&self, uses: impl IntoIterator<Item = Use>) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for Use { credential, at, source } in uses {
            if waiting.len() < MOST_WAITING || waiting.contains_key(&credential) {
                note(waiting.entry(credential).or_default(), SourceUse { at, source });
            }
        }
    }

    fn take(&self) -> Vec<Use> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = std::mem::take(&mut *waiting);
        drop(waiting);
        let uses = taken.into_iter().flat_map(|(credential, uses)| {
            uses.into_iter().map(move |SourceUse { at, source }| Use {
                credential: credential.clone(),
                at,
                source,
            })
        });
        uses.collect()
    }
}

/// A caller may have more addresses than any memory holds: the use of a new one takes the place of the oldest.
fn note(uses: &mut Vec<SourceUse>, new: SourceUse) {
    if let Some(same) = uses.iter_mut().find(|one| one.source == new.source) {
        same.at = new.at.max(same.at);
    } else if uses.len() < MOST_SOURCES {
        uses.push(new);
    } else if let Some(oldest) = uses.iter_mut().min_by_key(|one| one.at) {
        if oldest.at <= new.at {
            *oldest = new;
        }
    }
}

impl Registry {
    /// Writes down which credentials were used since it was last called. Call it at least once a minute, which is as exact
    /// as uses are recorded, and when the program ends. What could not be written is kept for the next call, and so is
    /// what a caller that gives up has not written.
    pub fn flush_uses(&self) -> Flow<'static, ()> {
        let registry = self.clone();
        Flow::new(async move {
            let mut taken = Taken { inner: &registry.0, uses: registry.0.uses.take() };
            if taken.uses.is_empty() {
                return Ok(());
            }
            registry.0.store.touch(taken.uses.clone()).await?;
            taken.uses.clear();
            Ok(())
        })
    }

    /// Asks the store what has changed, now: for a timer, so that no caller has to wait for it.
    pub fn poll(&self) -> Flow<'static, ()> {
        self.0.cache.poll()
    }
}

/// Uses that are being written down. Those that are left when it is dropped, because the store failed, the caller gave up
/// or something panicked, wait for the next call.
struct Taken<'a> {
    inner: &'a Inner,
    uses: Vec<Use>,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.inner.uses.note_all(self.uses.drain(..));
    }
}
