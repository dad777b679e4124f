//! Which sessions there are, in which order they make room, and how many each tenant has.

use super::queue::Queue;
use crate::Session;
use auth_core::{TenantId, TokenSource};
use std::{collections::HashMap, hash::Hash};

pub(super) struct Places<K, S: TokenSource> {
    pub(super) sessions: HashMap<K, Pooled<S>>,
    pub(super) most: usize,
    /// The order among all.
    all: Order<K>,
    /// The order among the sessions of each tenant that has one.
    tenants: HashMap<TenantId, Order<K>>,
    /// Counts how often sessions were wanted.
    wants: u64,
}

pub(super) struct Pooled<S: TokenSource> {
    pub(super) session: Session<S>,
    /// When it was last wanted, in calls.
    wanted: u64,
    is_held: bool,
    in_all: usize,
    in_tenant: usize,
}

/// In which order sessions make room.
struct Order<K> {
    /// Those that may, and are asked first.
    leaving: Queue<K>,
    /// Those with which something would have been lost when they were asked.
    held: Queue<K>,
}

/// A session that may make room, if nothing is lost with it.
pub(super) struct Candidate<K, S: TokenSource> {
    key: K,
    pub(super) session: Session<S>,
    wanted: u64,
}

/// Which limit is reached.
enum Full {
    /// That of the tenant: its own sessions make room.
    Share,
    /// That of all.
    All,
}

/// What was found out about a candidate.
pub(super) enum Found {
    NothingToLose,
    SomethingToLose,
}

/// What comes next for a caller that wants a place for its session.
pub(super) enum Next<K, S: TokenSource> {
    /// There is a session for the key, and one that made room for it.
    Given { session: Session<S>, left: Option<Session<S>> },
    /// Find out whether this one may make room.
    Ask(Candidate<K, S>),
    /// Nothing may make room now. These are some of those that are held.
    Full(Vec<Session<S>>),
}

/// How many of those that are held are looked at again by one caller.
const HELD_AT_ONCE: usize = 2;

/// For how many of those that are held a caller waits at once.
const WAITED_FOR: usize = 8;

impl<K, S> Places<K, S>
where
    K: Clone + Eq + Hash + AsRef<TenantId>,
    S: TokenSource,
{
    pub(super) fn new(most: usize) -> Self {
        let (sessions, tenants) = (HashMap::new(), HashMap::new());
        Self { sessions, most: most.max(1), all: Order::new(), tenants, wants: 0 }
    }

    /// The session of a key that is wanted now.
    pub(super) fn find(&mut self, key: &K) -> Option<Session<S>> {
        let pooled = self.sessions.get_mut(key)?;
        self.wants = self.wants.saturating_add(1);
        pooled.wanted = self.wants;
        let tenant = self.tenants.get_mut(key.as_ref())?;
        let was_held = std::mem::replace(&mut pooled.is_held, false);
        self.all.moved(&mut pooled.in_all, was_held, false);
        tenant.moved(&mut pooled.in_tenant, was_held, false);
        Some(pooled.session.clone())
    }

    /// Puts a session in its place, or says what has to be found out before. `found` is about the candidate that the last
    /// call gave; `looks` counts the calls, from zero.
    pub(super) fn next(
        &mut self,
        key: &K,
        made: &Session<S>,
        found: Option<&(Candidate<K, S>, Found)>,
        looks: usize,
    ) -> Next<K, S> {
        if let Some(session) = self.find(key) {
            // Another caller was quicker. Ours has not been used, and nothing was fetched for it.
            return Next::Given { session, left: None };
        }
        let mut left = None;
        match found {
            Some((candidate, Found::NothingToLose)) => left = self.leave(key, candidate),
            Some((candidate, Found::SomethingToLose)) => self.hold(candidate),
            None => {}
        }
        let order = match self.full(key) {
            Some(Full::All) => Some(&self.all),
            Some(Full::Share) => self.tenants.get(key.as_ref()),
            None => None,
        };
        let Some(order) = order else {
            self.insert(key, made.clone());
            return Next::Given { session: made.clone(), left };
        };
        let held = order.held.iter().next().filter(|_| looks < HELD_AT_ONCE);
        let candidate = held.or_else(|| order.leaving.iter().next());
        if let Some(candidate) = candidate.and_then(|key| self.candidate(key)) {
            return Next::Ask(candidate);
        }
        let held = order.held.iter().take(WAITED_FOR).filter_map(|key| self.sessions.get(key));
        Next::Full(held.map(|pooled| pooled.session.clone()).collect())
    }

    /// Takes all sessions out.
    pub(super) fn drain(&mut self) -> Vec<Session<S>> {
        let all = std::mem::replace(self, Self::new(self.most));
        all.sessions.into_values().map(|pooled| pooled.session).collect()
    }

    /// The sessions among which room has to be made for this key; `None` if there is room.
    fn full(&self, key: &K) -> Option<Full> {
        let own = self.tenants.get(key.as_ref()).map_or(0, Order::len);
        match self.sessions.len() >= self.most {
            _ if own >= self.most.div_ceil(4) => Some(Full::Share),
            true => Some(Full::All),
            false => None,
        }
    }

    fn candidate(&self, key: &K) -> Option<Candidate<K, S>> {
        let Pooled { session, wanted, .. } = self.sessions.get(key)?;
        Some(Candidate { key: key.clone(), session: session.clone(), wanted: *wanted })
    }

    fn insert(&mut self, key: &K, session: Session<S>) {
        // Keys are foreign code: they are cloned before anything changes.
        let ([one, other, third], tenant) = ([(); 3].map(|()| key.clone()), key.as_ref().clone());
        self.wants = self.wants.saturating_add(1);
        let in_tenant = self.tenants.entry(tenant).or_insert_with(Order::new).leaving.push(one);
        let in_all = self.all.leaving.push(other);
        let pooled = Pooled { session, wanted: self.wants, is_held: false, in_all, in_tenant };
        self.sessions.insert(third, pooled);
    }

    /// Takes a candidate out if that makes room for this key, unless it was wanted since it was asked.
    fn leave(&mut self, key: &K, candidate: &Candidate<K, S>) -> Option<Session<S>> {
        match self.full(key)? {
            Full::Share if key.as_ref() != candidate.key.as_ref() => return None,
            Full::Share | Full::All => {}
        }
        let same = |pooled: &&Pooled<S>| pooled.wanted == candidate.wanted;
        self.sessions.get(&candidate.key).filter(same)?;
        let pooled = self.sessions.remove(&candidate.key)?;
        self.all.remove(pooled.in_all, pooled.is_held);
        let tenant = self.tenants.get_mut(candidate.key.as_ref())?;
        tenant.remove(pooled.in_tenant, pooled.is_held);
        if tenant.len() == 0 {
            self.tenants.remove(candidate.key.as_ref());
        }
        Some(pooled.session)
    }

    /// Holds a candidate, behind those that are held already, unless it was wanted since it was asked.
    fn hold(&mut self, candidate: &Candidate<K, S>) {
        let same = |pooled: &&mut Pooled<S>| pooled.wanted == candidate.wanted;
        let Some(pooled) = self.sessions.get_mut(&candidate.key).filter(same) else { return };
        let Some(tenant) = self.tenants.get_mut(candidate.key.as_ref()) else { return };
        let was_held = std::mem::replace(&mut pooled.is_held, true);
        self.all.moved(&mut pooled.in_all, was_held, true);
        tenant.moved(&mut pooled.in_tenant, was_held, true);
    }
}

impl<K> Order<K> {
    const fn new() -> Self {
        Self { leaving: Queue::new(), held: Queue::new() }
    }

    fn len(&self) -> usize {
        self.leaving.len().saturating_add(self.held.len())
    }

    fn queue(&mut self, is_held: bool) -> &mut Queue<K> {
        if is_held { &mut self.held } else { &mut self.leaving }
    }

    fn remove(&mut self, place: usize, is_held: bool) {
        self.queue(is_held).remove(place);
    }

    /// Puts a key at the end, in the other queue or in its own.
    fn moved(&mut self, place: &mut usize, was_held: bool, is_held: bool) {
        if was_held == is_held {
            self.queue(is_held).renew(*place);
        } else if let Some(key) = self.queue(was_held).remove(*place) {
            *place = self.queue(is_held).push(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use auth_core::{ConnectionId, Context, Flow, Lifespan, Renewal, Token};
    use auth_testing::ScriptedTransport;

    #[derive(Clone)]
    struct Nothing;

    impl Token for Nothing {
        fn lifespan(&self) -> Lifespan {
            Lifespan::Unknown
        }
    }

    impl TokenSource for Nothing {
        type Token = Self;

        fn token<'a>(&'a self, _: &'a Context, _: Renewal<Self>) -> Flow<'a, Self> {
            Flow::ready(Self)
        }
    }

    type Asked = Candidate<ConnectionId, Nothing>;

    fn key(text: &str) -> ConnectionId {
        let (tenant, connection) = text.split_once('/').unwrap();
        ConnectionId::new(TenantId::new(tenant), connection)
    }

    /// Places of so many, filled in this order.
    fn places(most: usize, keys: &[&str]) -> Places<ConnectionId, Nothing> {
        let mut places = Places::new(most);
        for name in keys {
            assert!(matches!(step(&mut places, name, None, 0), Next::Given { left: None, .. }));
        }
        places
    }

    fn step(
        places: &mut Places<ConnectionId, Nothing>,
        name: &str,
        found: Option<(Asked, Found)>,
        looks: usize,
    ) -> Next<ConnectionId, Nothing> {
        let context = Context::new(ScriptedTransport::new(|_| Ok(http::Response::default())));
        places.next(&key(name), &Session::new(Nothing, context), found.as_ref(), looks)
    }

    fn asked(next: Next<ConnectionId, Nothing>, about: &str) -> Asked {
        let Next::Ask(candidate) = next else { panic!("expected a question about {about}") };
        assert_eq!(candidate.key, key(about));
        candidate
    }

    #[test]
    fn a_candidate_that_was_wanted_since_it_was_asked_makes_no_room_and_is_not_held() {
        for found in [Found::NothingToLose, Found::SomethingToLose] {
            let mut places = places(8, &["a/1", "a/2"]);
            let candidate = asked(step(&mut places, "a/3", None, 0), "a/1");
            places.find(&key("a/1")).unwrap();
            let next = step(&mut places, "a/3", Some((candidate, found)), 1);
            asked(next, "a/2");
            assert_eq!((places.sessions.len(), places.all.held.len()), (2, 0));
        }
    }

    /// While it was asked, the tenant that needs the room has got its share.
    #[test]
    fn a_candidate_of_another_tenant_makes_no_room_for_a_tenant_with_its_share() {
        let mut places = places(8, &["b/1", "b/2", "c/1", "c/2", "d/1", "d/2", "e/1", "a/1"]);
        let early = asked(step(&mut places, "a/2", None, 0), "b/1");
        let candidate = asked(step(&mut places, "a/3", None, 0), "b/1");
        let next = step(&mut places, "a/3", Some((candidate, Found::SomethingToLose)), 2);
        let candidate = asked(next, "b/2");
        let next = step(&mut places, "a/3", Some((candidate, Found::NothingToLose)), 3);
        assert!(matches!(next, Next::Given { left: Some(_), .. }));
        let next = step(&mut places, "a/2", Some((early, Found::NothingToLose)), 1);
        asked(next, "a/1");
        assert!(places.sessions.contains_key(&key("b/1")));
    }

    #[test]
    fn nothing_is_kept_for_a_tenant_without_sessions() {
        let mut places = places(1, &[]);
        for n in 0..10 {
            let name = format!("{n}/1");
            let found = match step(&mut places, &name, None, 0) {
                Next::Ask(candidate) => (candidate, Found::NothingToLose),
                _ => continue,
            };
            assert!(matches!(step(&mut places, &name, Some(found), 1), Next::Given { .. }));
        }
        assert_eq!((places.sessions.len(), places.tenants.len()), (1, 1));
    }
}
