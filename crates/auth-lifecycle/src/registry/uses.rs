//! When credentials were used, without a write for each request.

use super::{Known, Registry};
use crate::{CredentialId, Use};
use auth_core::{Flow, Timestamp};
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

/// The uses that are still to be written down: the last of each credential from each source.
#[derive(Default)]
pub(super) struct Uses(Mutex<HashMap<(CredentialId, Option<IpAddr>), Timestamp>>);

/// Beyond so many, uses are not noted until these are written: an idle session then seems unused, and ends.
const MOST_WAITING: usize = 100_000;

impl Uses {
    pub(super) fn note(&self, known: &Known, now: Timestamp, source: Option<IpAddr>) {
        let id = CredentialId::new(std::sync::Arc::clone(&known.caller().credential));
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < MOST_WAITING {
            let at = waiting.entry((id, source)).or_insert(now);
            *at = now.max(*at);
        }
    }

    fn take(&self) -> Vec<Use> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = std::mem::take(&mut *waiting);
        taken.into_iter().map(|((credential, source), at)| Use { credential, at, source }).collect()
    }

    fn give_back(&self, uses: Vec<Use>) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for Use { credential, at, source } in uses {
            let noted = waiting.entry((credential, source)).or_insert(at);
            *noted = at.max(*noted);
        }
    }
}

impl Registry {
    /// Writes down which credentials were used since it was last called. Call it at least once a minute, which is as exact
    /// as uses are recorded, and when the program ends. What could not be written is kept for the next call.
    pub fn flush_uses(&self) -> Flow<'static, ()> {
        let registry = self.clone();
        Flow::new(async move {
            let uses = registry.0.uses.take();
            if uses.is_empty() {
                return Ok(());
            }
            let written = registry.0.store.touch(uses.clone()).await;
            if written.is_err() {
                registry.0.uses.give_back(uses);
            }
            written
        })
    }

    /// Asks the store what has changed, now: for a timer, so that no caller has to wait for it.
    pub fn poll(&self) -> Flow<'static, ()> {
        self.0.cache.poll()
    }
}
