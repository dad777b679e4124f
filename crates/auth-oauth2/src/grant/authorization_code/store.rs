//! Where pending authorizations wait for their users.

use super::PendingAuthorization;
use auth_core::{Clock, ConnectionId, Error, Flow, Result, Secret, TenantId};
use ring::digest::{SHA256, digest};
use std::{
    collections::{HashMap, VecDeque},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

/// Keeps pending authorizations until their users come back.
///
/// Where several nodes serve one redirect URI, they share one store; for one node there is
/// [`MemoryPendingAuthorizations`]. Without any store, a [sealed](PendingAuthorization::seal) one is left with the
/// user's browser.
pub trait PendingAuthorizations: Send + Sync {
    /// Keeps one for [`PendingAuthorization::LIFETIME`]. Of one user only the newest few are kept, whatever connections
    /// they are for.
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
/// Users who begin authorizations fill memory, so there are bounds: the oldest of a user makes room for the eleventh, and
/// when 2,500 of a tenant or 10,000 of all wait the next one is an `Error::Unavailable`. No user pushes out what another
/// has begun, and no tenant leaves the others without room.
pub struct MemoryPendingAuthorizations<C> {
    clock: C,
    waiting: Mutex<Waiting>,
}

type Key = [u8; 32];

#[derive(Default)]
struct Waiting {
    /// By the hash of `state`, so that a look-up tells nothing about one.
    by_state: HashMap<Key, PendingAuthorization>,
    of_tenant: HashMap<TenantId, OfTenant>,
    /// In the order in which they came. Some may be gone already.
    ends: VecDeque<(Instant, Key)>,
}

#[derive(Default)]
struct OfTenant {
    waiting: usize,
    of_user: HashMap<Option<Arc<str>>, VecDeque<Key>>,
}

impl<C: Clock> MemoryPendingAuthorizations<C> {
    /// How many authorizations of one user wait at once, over all connections.
    pub const MOST_OF_A_USER: usize = 10;

    /// How many of one tenant wait at once.
    pub const MOST_OF_A_TENANT: usize = 2_500;

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
        let tenant = waiting.of_tenant.get(&connection.tenant);
        let mine = tenant.and_then(|tenant| tenant.of_user.get(&connection.user));
        let mine = mine.filter(|mine| mine.len() >= Self::MOST_OF_A_USER);
        if let Some(oldest) = mine.and_then(|mine| mine.front().copied()) {
            waiting.remove(&oldest);
        }
        let of_tenant =
            waiting.of_tenant.get(&connection.tenant).map_or(0, |tenant| tenant.waiting);
        if of_tenant >= Self::MOST_OF_A_TENANT || waiting.by_state.len() >= Self::MOST {
            let text = "too many authorizations wait for their users; try again in some minutes";
            return Err(Error::unavailable("oauth2_pending_full", None, text));
        }
        let tenant = waiting.of_tenant.entry(connection.tenant).or_default();
        tenant.waiting += 1;
        tenant.of_user.entry(connection.user).or_default().push_back(key);
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
        let ConnectionId { tenant, user, .. } = pending.connection();
        let Some(of_tenant) = self.of_tenant.get_mut(tenant) else { return Some(pending) };
        of_tenant.waiting = of_tenant.waiting.saturating_sub(1);
        if let Some(keys) = of_tenant.of_user.get_mut(user) {
            keys.retain(|known| known != key);
            if keys.is_empty() {
                of_tenant.of_user.remove(user);
            }
        }
        if of_tenant.of_user.is_empty() {
            self.of_tenant.remove(tenant);
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

macro_rules! forward {
    ($($pointer:ident),*) => {$(
        impl<T: PendingAuthorizations + ?Sized> PendingAuthorizations for $pointer<T> {
            fn keep(&self, pending: PendingAuthorization) -> Flow<'_, ()> {
                (**self).keep(pending)
            }

            fn take(&self, state: &Secret) -> Flow<'_, Option<PendingAuthorization>> {
                (**self).take(state)
            }
        }
    )*};
}

forward!(Arc, Box);

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
    use auth_core::Context;
    use auth_testing::{ManualClock, ScriptedTransport, SeededRandom};
    use std::{thread, time::Duration};

    fn context(clock: &ManualClock) -> Context {
        Context::new(ScriptedTransport::new(|_| panic!("nothing is fetched")))
            .with_clock(clock.clone())
            .with_random(SeededRandom::new(7))
    }

    fn begun(user: &str, context: &Context) -> (Secret, PendingAuthorization) {
        begun_at("acme", "crm", user, context)
    }

    fn begun_at(
        tenant: &str,
        authorization: &str,
        user: &str,
        context: &Context,
    ) -> (Secret, PendingAuthorization) {
        let connection = ConnectionId::new(TenantId::new(tenant), authorization).on_behalf_of(user);
        let server = crate::grant::authorization_code::Server {
            token_endpoint: "https://login.example/token".into(),
            issuer: None,
        };
        let pending = PendingAuthorization::new(connection, server, context).unwrap();
        (Secret::new(pending.state().expose()), pending)
    }

    fn sizes<C: Clock>(store: &MemoryPendingAuthorizations<C>) -> [usize; 3] {
        let waiting = store.waiting();
        [waiting.by_state.len(), waiting.of_tenant.len(), waiting.ends.len()]
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
        // One for each of twelve connections: the bound is the user's.
        let states: Vec<Secret> = (0..12)
            .map(|n| {
                let (state, pending) = begun_at("acme", &n.to_string(), "alice", &context);
                store.keep(pending).wait().unwrap();
                state
            })
            .collect();
        let kept: Vec<bool> = states.iter().map(|state| store.take_now(state).is_some()).collect();
        assert_eq!(kept, [[false; 2].as_slice(), &[true; 10]].concat());
        assert!(store.take_now(&bobs).is_some());
    }

    #[test]
    fn a_full_store_says_so_and_keeps_what_it_has() {
        let clock = ManualClock::at(1_700_000_000);
        let (store, context) = (MemoryPendingAuthorizations::new(clock.clone()), context(&clock));
        let (first, pending) = begun("first", &context);
        store.keep(pending).wait().unwrap();
        for n in 1..10_000 {
            let (tenant, user) = (n % 5, n.to_string());
            let tenant = if tenant == 0 { String::from("acme") } else { tenant.to_string() };
            store.keep(begun_at(&tenant, "crm", &user, &context).1).wait().unwrap();
        }
        for user in ["one", "more"] {
            let error = store.keep(begun(user, &context).1).wait().unwrap_err();
            assert_eq!(error.code(), "oauth2_pending_full");
        }
        assert!(store.take_now(&first).is_some());
        store.keep(begun("one", &context).1).wait().unwrap();
        assert_eq!(sizes(&store)[..2], [10_000, 5]);
        clock.advance(Duration::from_secs(600));
        store.keep(begun("one", &context).1).wait().unwrap();
        assert_eq!(sizes(&store), [1, 1, 1]);
    }

    #[test]
    fn a_tenant_that_fills_its_share_leaves_the_others_theirs() {
        let clock = ManualClock::at(1_700_000_000);
        let (store, context) = (MemoryPendingAuthorizations::new(clock.clone()), context(&clock));
        let keep = |tenant: &str, user: &str| {
            let (state, pending) = begun_at(tenant, "crm", user, &context);
            store.keep(pending).wait().map(|()| state).map_err(|error| error.code())
        };
        for n in 0..2_500 {
            keep("greedy", &n.to_string()).unwrap();
        }
        assert_eq!(keep("greedy", "one more").unwrap_err(), "oauth2_pending_full");
        // The tenant is full for a user who has one waiting as well; only the eleventh of a user makes room by itself.
        assert_eq!(keep("greedy", "0").unwrap_err(), "oauth2_pending_full");
        let acme = keep("acme", "alice").unwrap();
        assert!(store.take_now(&acme).is_some());
        assert_eq!(sizes(&store)[..2], [2_500, 1]);
        // What is taken gives its room back, while another user of the tenant still waits.
        keep("acme", "bob").unwrap();
        for _ in 0..2_500 {
            let alices = keep("acme", "alice").unwrap();
            assert!(store.take_now(&alices).is_some());
        }
        clock.advance(Duration::from_secs(600));
        keep("greedy", "one more").unwrap();
        assert_eq!(sizes(&store), [1, 1, 1]);
    }
}
