//! A store for one process.

use super::{Intent, Lease, SaveOutcome, StoredEntry, TokenStore};
use auth_core::{Clock, Flow, Secret};
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Keeps tokens in memory: for the sessions of one process, and for tests. A clone is the same store.
#[derive(Clone)]
pub struct MemoryTokenStore {
    clock: Arc<dyn Clock>,
    kept: Arc<Mutex<HashMap<String, Entry>>>,
}

#[derive(Default)]
struct Entry {
    token: Option<Secret>,
    /// The number of the lease under which the token was saved or removed.
    changed: u64,
    intent: Option<Intent>,
    /// The number of the last lease.
    fence: u64,
    /// Since when and for how long that lease is taken, unless it was given back.
    leased: Option<(Instant, Duration)>,
}

impl MemoryTokenStore {
    /// An empty store.
    pub fn new(clock: impl Clock + 'static) -> Self {
        Self { clock: Arc::new(clock), kept: Arc::default() }
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what is under this name, if this is its last lease.
    fn under(&self, name: &str, lease: Lease, change: impl FnOnce(&mut Entry)) -> SaveOutcome {
        match self.kept().get_mut(name) {
            Some(kept) if kept.fence == lease.fence => {
                change(kept);
                SaveOutcome::Kept
            }
            _ => SaveOutcome::Lost,
        }
    }
}

impl TokenStore for MemoryTokenStore {
    fn load(&self, name: &str) -> Flow<'_, Option<StoredEntry>> {
        let all = self.kept();
        let entry = all.get(name).and_then(|kept| {
            let token = kept.token.as_ref().map(|token| Secret::new(token.expose()));
            let (fence, intent) = (kept.changed, kept.intent);
            (fence > 0 || intent.is_some()).then_some(StoredEntry { token, fence, intent })
        });
        Flow::ready(entry)
    }

    fn lease(&self, name: &str, hold: Duration) -> Flow<'_, Option<Lease>> {
        let now = self.clock.steady();
        let mut all = self.kept();
        let kept = all.entry(name.to_owned()).or_default();
        if kept.leased.is_some_and(|(since, hold)| now.saturating_duration_since(since) < hold) {
            return Flow::ready(None);
        }
        kept.fence = kept.fence.saturating_add(1);
        kept.leased = Some((now, hold));
        Flow::ready(Some(Lease { fence: kept.fence }))
    }

    fn save(&self, name: &str, lease: Lease, token: Option<&Secret>) -> Flow<'_, SaveOutcome> {
        let token = token.map(|token| Secret::new(token.expose()));
        Flow::ready(self.under(name, lease, |kept| {
            (kept.token, kept.changed, kept.intent) = (token, lease.fence, None);
        }))
    }

    fn intend(&self, name: &str, lease: Lease, intent: Option<Intent>) -> Flow<'_, SaveOutcome> {
        Flow::ready(self.under(name, lease, |kept| kept.intent = intent))
    }

    fn release(&self, name: &str, lease: Lease) -> Flow<'_, ()> {
        self.under(name, lease, |kept| kept.leased = None);
        Flow::ready(())
    }
}

impl fmt::Debug for MemoryTokenStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemoryTokenStore({} names)", self.kept().len())
    }
}
