//! Many sessions in bounded memory.

use crate::Session;
use auth_core::{Result, TokenSource};
use std::{
    collections::HashMap,
    fmt,
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// One session for each key, made when it is first wanted: for a process that serves many tenants.
///
/// There are never more than the limit: the one that was wanted longest ago makes room, and is handed to
/// [`with_retirement`](Self::with_retirement), which can end it. A session that was evicted goes on for those who still
/// hold it.
pub struct SessionPool<K, S: TokenSource> {
    most: usize,
    make: Box<Make<K, S>>,
    retire: Box<dyn Fn(Session<S>) + Send + Sync>,
    state: Mutex<State<K, S>>,
}

type Make<K, S> = dyn Fn(&K) -> Result<Session<S>> + Send + Sync;

struct State<K, S: TokenSource> {
    sessions: HashMap<K, PooledSession<S>>,
    wanted: u64,
}

struct PooledSession<S: TokenSource> {
    session: Session<S>,
    /// When it was last wanted, in calls.
    wanted: u64,
}

impl<K, S> SessionPool<K, S>
where
    K: Clone + Eq + Hash,
    S: TokenSource + 'static,
{
    /// A pool of at most so many sessions (at least one), which `make` makes.
    pub fn new(
        most: usize,
        make: impl Fn(&K) -> Result<Session<S>> + Send + Sync + 'static,
    ) -> Self {
        let state = State { sessions: HashMap::new(), wanted: 0 };
        Self {
            most: most.max(1),
            make: Box::new(make),
            retire: Box::new(drop),
            state: Mutex::new(state),
        }
    }

    /// What becomes of a session that made room for another: ending it, for example.
    #[must_use]
    pub fn with_retirement(self, retire: impl Fn(Session<S>) + Send + Sync + 'static) -> Self {
        Self { retire: Box::new(retire), ..self }
    }

    /// The session of this key. While one is made others are not waited for; if several callers make the session of one
    /// key at once, all get the same one.
    ///
    /// # Errors
    ///
    /// Whatever `make` says. Nothing is kept then.
    pub fn get(&self, key: &K) -> Result<Session<S>> {
        let known = self.state().find(key);
        if let Some(session) = known {
            return Ok(session);
        }
        // Never under the lock: `make` is foreign code, and one key's must not hold up the others.
        let made = (self.make)(key)?;
        let mut state = self.state();
        if let Some(session) = state.find(key) {
            // Another caller was quicker. Ours has not been used, and nothing was fetched for it.
            drop(state);
            return Ok(session);
        }
        let evicted = if state.sessions.len() < self.most { None } else { state.oldest() };
        let wanted = state.wanted;
        state.sessions.insert(key.clone(), PooledSession { session: made.clone(), wanted });
        drop(state);
        evicted.into_iter().for_each(&self.retire);
        Ok(made)
    }

    /// Takes all sessions out, for an orderly shutdown.
    pub fn drain(&self) -> Vec<Session<S>> {
        self.state().sessions.drain().map(|(_, pooled)| pooled.session).collect()
    }

    /// How many sessions there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.state().sessions.len()
    }

    /// Is there none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<K, S: TokenSource> SessionPool<K, S> {
    fn state(&self) -> MutexGuard<'_, State<K, S>> {
        // What is behind the lock is whole between any two statements.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Clone + Eq + Hash, S: TokenSource> State<K, S> {
    /// The session of a key that is wanted now.
    fn find(&mut self, key: &K) -> Option<Session<S>> {
        self.wanted = self.wanted.saturating_add(1);
        let pooled = self.sessions.get_mut(key)?;
        pooled.wanted = self.wanted;
        Some(pooled.session.clone())
    }

    fn oldest(&mut self) -> Option<Session<S>> {
        let oldest = self.sessions.iter().min_by_key(|(_, pooled)| pooled.wanted);
        let key = oldest.map(|(key, _)| key.clone())?;
        self.sessions.remove(&key).map(|pooled| pooled.session)
    }
}

impl<K, S: TokenSource> fmt::Debug for SessionPool<K, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionPool({} of {} sessions)", self.state().sessions.len(), self.most)
    }
}
