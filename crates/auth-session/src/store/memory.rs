//! A store for one process.

use super::{Entry, Lease, Saved, TokenStore};
use auth_core::{Clock, Flow, Secret, Timestamp};
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Keeps tokens in memory: for the sessions of one process, and for tests. A clone is the same store.
#[derive(Clone)]
pub struct MemoryTokenStore {
    clock: Arc<dyn Clock>,
    kept: Arc<Mutex<HashMap<String, Kept>>>,
}

#[derive(Default)]
struct Kept {
    token: Option<(Secret, u64)>,
    fence: u64,
    leased_until: Timestamp,
}

impl MemoryTokenStore {
    /// An empty store.
    pub fn new(clock: impl Clock + 'static) -> Self {
        Self { clock: Arc::new(clock), kept: Arc::default() }
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<String, Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TokenStore for MemoryTokenStore {
    fn load(&self, name: &str) -> Flow<'_, Option<Entry>> {
        let copied = |(token, fence): &(Secret, u64)| Entry {
            token: Secret::new(token.expose()),
            fence: *fence,
        };
        Flow::ready(self.kept().get(name).and_then(|kept| kept.token.as_ref().map(copied)))
    }

    fn lease(&self, name: &str, hold: Duration) -> Flow<'_, Option<Lease>> {
        let now = self.clock.now();
        let mut all = self.kept();
        let kept = all.entry(name.to_owned()).or_default();
        if now < kept.leased_until {
            return Flow::ready(None);
        }
        kept.fence = kept.fence.saturating_add(1);
        kept.leased_until = now.after(hold);
        Flow::ready(Some(Lease { fence: kept.fence }))
    }

    fn save(&self, name: &str, lease: Lease, token: &Secret) -> Flow<'_, Saved> {
        let mut all = self.kept();
        Flow::ready(match all.get_mut(name) {
            Some(kept) if kept.fence == lease.fence => {
                kept.token = Some((Secret::new(token.expose()), lease.fence));
                Saved::Kept
            }
            _ => Saved::Lost,
        })
    }

    fn release(&self, name: &str, lease: Lease) -> Flow<'_, ()> {
        if let Some(kept) = self.kept().get_mut(name) {
            if kept.fence == lease.fence {
                kept.leased_until = Timestamp::default();
            }
        }
        Flow::ready(())
    }
}

impl fmt::Debug for MemoryTokenStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemoryTokenStore({} names)", self.kept().len())
    }
}
