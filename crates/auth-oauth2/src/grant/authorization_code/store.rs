//! Where pending authorizations wait for their users.

use super::PendingAuthorization;
use auth_core::{Clock, ConnectionId, Error, Flow, Result, Secret};
use ring::digest::{SHA256, digest};
use std::{
    collections::{HashMap, VecDeque},
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

/// Keeps pending authorizations until their users come back.
///
/// Where several nodes serve one redirect URI, they share one store; for one node there is
/// [`MemoryPendingAuthorizations`]. Without any store, a [sealed](PendingAuthorization::seal) one is left with the
/// user's browser.
pub trait PendingAuthorizations: Send + Sync {
    /// Keeps one for [`PendingAuthorization::LIFETIME`]. Of one connection, which names the user, only the newest few are
    /// kept.
    ///
    /// # Errors
    ///
    /// When it cannot be kept.
    fn keep(&self, pending: PendingAuthorization) -> Flow<'_, ()>;

    /// Takes out the one with this `state`, in one step: of two who ask at once, one gets it.
    ///
    /// # Errors
    ///
    /// When the store cannot be asked.
    fn take(&self, state: &Secret) -> Flow<'_, Option<PendingAuthorization>>;
}

/// Keeps them in memory.
///
/// # Security
///
/// Whoever begins authorizations fills memory, so there are bounds: the oldest of a connection makes room for its sixth,
/// and when 10,000 wait the next one is an `Error::Unavailable`. Nobody pushes out what another user has begun.
pub struct MemoryPendingAuthorizations<C> {
    clock: C,
    waiting: Mutex<Waiting>,
}

type Key = [u8; 32];

#[derive(Default)]
struct Waiting {
    /// By the hash of `state`, so that a look-up tells nothing about one.
    by_state: HashMap<Key, PendingAuthorization>,
    of_connection: HashMap<ConnectionId, VecDeque<Key>>,
    /// In the order in which they came. Some may be gone already.
    ends: VecDeque<(Instant, Key)>,
}

impl<C: Clock> MemoryPendingAuthorizations<C> {
    /// How many authorizations of one connection wait at once.
    pub const MOST_OF_A_CONNECTION: usize = 5;

    /// How many wait at once.
    pub const MOST: usize = 10_000;

    /// With none waiting.
    #[must_use]
    pub fn new(clock: C) -> Self {
        Self { clock, waiting: Mutex::default() }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // It is whole between any two statements.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep_now(&self, pending: PendingAuthorization) -> Result<()> {
        let now = self.clock.steady();
        let (key, connection) = (key(pending.state()), pending.connection().clone());
        let mut waiting = self.waiting();
        waiting.forget_ended(now);
        let mine = waiting.of_connection.get(&connection);
        let mine = mine.filter(|mine| mine.len() >= Self::MOST_OF_A_CONNECTION);
        if let Some(oldest) = mine.and_then(|mine| mine.front().copied()) {
            waiting.remove(&oldest);
        }
        if waiting.by_state.len() >= Self::MOST {
            let text = "10,000 authorizations wait for their users; try again in some minutes";
            return Err(Error::unavailable("oauth2_pending_full", None, text));
        }
        waiting.of_connection.entry(connection).or_default().push_back(key);
        waiting.by_state.insert(key, pending);
        waiting.ends.push_back((now + PendingAuthorization::LIFETIME, key));
        Ok(())
    }

    fn take_now(&self, state: &Secret) -> Option<PendingAuthorization> {
        let mut waiting = self.waiting();
        waiting.forget_ended(self.clock.steady());
        waiting.remove(&key(state))
    }
}

impl Waiting {
    fn remove(&mut self, key: &Key) -> Option<PendingAuthorization> {
        let pending = self.by_state.remove(key)?;
        if let Some(keys) = self.of_connection.get_mut(pending.connection()) {
            keys.retain(|known| known != key);
            if keys.is_empty() {
                self.of_connection.remove(pending.connection());
            }
        }
        Some(pending)
    }

    fn forget_ended(&mut self, now: Instant) {
        while let Some((_, key)) = self.ends.front().copied().filter(|(end, _)| *end <= now) {
            self.ends.pop_front();
            self.remove(&key);
        }
        // What was taken before its end leaves its line here; there are never more of these than of others.
        if self.ends.len() > 64 && self.ends.len() > 2 * self.by_state.len() {
            self.ends.retain(|(_, key)| self.by_state.contains_key(key));
        }
    }
}

fn key(state: &Secret) -> Key {
    digest(&SHA256, state.expose()).as_ref().first_chunk().copied().unwrap_or_default()
}

impl<C: Clock> PendingAuthorizations for MemoryPendingAuthorizations<C> {
    fn keep(&self, pending: PendingAuthorization) -> Flow<'_, ()> {
        self.keep_now(pending).into()
    }

    fn take(&self, state: &Secret) -> Flow<'_, Option<PendingAuthorization>> {
        Flow::ready(self.take_now(state))
    }
}

impl<C> fmt::Debug for MemoryPendingAuthorizations<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemoryPendingAuthorizations(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use auth_core::{Context, TenantId};
    use auth_testing::{ManualClock, ScriptedTransport, SeededRandom};
    use std::{thread, time::Duration};

    fn context(clock: &ManualClock) -> Context {
        Context::new(ScriptedTransport::new(|_| panic!("nothing is fetched")))
            .with_clock(clock.clone())
            .with_random(SeededRandom::new(7))
    }

    fn begun(user: &str, context: &Context) -> (Secret, PendingAuthorization) {
        let connection = ConnectionId::new(TenantId::new("acme"), "crm").on_behalf_of(user);
        let pending = PendingAuthorization::new(connection, context).unwrap();
        (Secret::new(pending.state().expose()), pending)
    }

    fn sizes<C: Clock>(store: &MemoryPendingAuthorizations<C>) -> [usize; 3] {
        let waiting = store.waiting();
        [waiting.by_state.len(), waiting.of_connection.len(), waiting.ends.len()]
    }

    #[test]
    fn one_is_taken_once_and_within_its_time() {
        let clock = ManualClock::at(1_700_000_000);
        let (store, context) = (MemoryPendingAuthorizations::new(clock.clone()), context(&clock));
        let (state, pending) = begun("alice", &context);
        store.keep(pending).wait().unwrap();
        assert!(store.take(&Secret::from("another")).wait().unwrap().is_none());
        assert!(store.take(&state).wait().unwrap().is_some());
        assert!(store.take(&state).wait().unwrap().is_none());
        let (state, pending) = begun("alice", &context);
        store.keep(pending).wait().unwrap();
        clock.advance(Duration::from_secs(600));
        assert!(store.take(&state).wait().unwrap().is_none());
        assert_eq!(sizes(&store), [0, 0, 0]);
    }

    #[test]
    fn of_many_who_take_at_once_one_gets_it() {
        let clock = ManualClock::at(1_700_000_000);
        let (store, context) = (MemoryPendingAuthorizations::new(clock.clone()), context(&clock));
        for _ in 0..50 {
            let (state, pending) = begun("alice", &context);
            store.keep(pending).wait().unwrap();
            let got = thread::scope(|scope| {
                let takers: Vec<_> =
                    (0..8).map(|_| scope.spawn(|| store.take_now(&state))).collect();
                takers.into_iter().filter_map(|taker| taker.join().unwrap()).count()
            });
            assert_eq!(got, 1);
        }
    }

    #[test]
    fn a_user_who_begins_again_and_again_forgets_their_own_oldest() {
        let clock = ManualClock::at(1_700_000_000);
        let (store, context) = (MemoryPendingAuthorizations::new(clock.clone()), context(&clock));
        let (bobs, pending) = begun("bob", &context);
        store.keep(pending).wait().unwrap();
        let states: Vec<Secret> = (0..7)
            .map(|_| {
                let (state, pending) = begun("alice", &context);
                store.keep(pending).wait().unwrap();
                state
            })
            .collect();
        let kept: Vec<bool> = states.iter().map(|state| store.take_now(state).is_some()).collect();
        assert_eq!(kept, [false, false, true, true, true, true, true]);
        assert!(store.take_now(&bobs).is_some());
    }

    #[test]
    fn a_full_store_says_so_and_keeps_what_it_has() {
        let clock = ManualClock::at(1_700_000_000);
        let (store, context) = (MemoryPendingAuthorizations::new(clock.clone()), context(&clock));
        let (first, pending) = begun("first", &context);
        store.keep(pending).wait().unwrap();
        for user in 1..10_000 {
            store.keep(begun(&user.to_string(), &context).1).wait().unwrap();
        }
        for user in ["one", "more"] {
            let error = store.keep(begun(user, &context).1).wait().unwrap_err();
            assert_eq!(error.code(), "oauth2_pending_full");
        }
        assert!(store.take_now(&first).is_some());
        store.keep(begun("one", &context).1).wait().unwrap();
        assert_eq!(sizes(&store)[..2], [10_000, 10_000]);
        clock.advance(Duration::from_secs(600));
        store.keep(begun("one", &context).1).wait().unwrap();
        assert_eq!(sizes(&store), [1, 1, 1]);
    }
}
