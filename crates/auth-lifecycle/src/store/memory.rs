//! Credentials in the memory of one process: for tests, and for programs that make theirs anew when they start.

use super::{
    Commit, CommitOutcome, Found, LifecycleStore, LogPage, MOST_SOURCES, RememberedAnswer, Service,
    Use,
};
use crate::{
    Credential, CredentialId, Event, EventHash, Group, GroupChange, GroupId, ServiceId, State,
};
use auth_core::{Flow, KeyDigest, TenantId, Timestamp};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt,
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Poll, Waker},
    time::Duration,
};

/// Credentials in the memory of one process. A clone is the same store.
#[derive(Clone, Default)]
pub struct MemoryLifecycleStore(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    groups: BTreeMap<GroupId, Kept>,
    group_of: HashMap<CredentialId, GroupId>,
    found_by: HashMap<KeyDigest, Vec<CredentialId>>,
    /// Every fingerprint there ever was, and whose: it never returns.
    fingerprints: HashMap<KeyDigest, CredentialId>,
    services: BTreeMap<ServiceId, Service>,
    log: Vec<Event>,
    answers: HashMap<KeyDigest, RememberedAnswer>,
    uses: HashMap<CredentialId, Vec<Use>>,
    leases: HashMap<Box<str>, Lease>,
    watchers: Vec<Waker>,
}

/// A group, with its deleted credentials, and when time will next make something of it.
struct Kept {
    group: Group,
    deleted: Vec<Credential>,
    next_due: Option<Timestamp>,
}

/// A lease as it was last taken.
struct Lease {
    fence: u64,
    taken: Timestamp,
    until: Timestamp,
}

impl MemoryLifecycleStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, Inner> {
        // Nothing below leaves a half-made change when it panics: a commit is checked whole before it is written.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn commit(&mut self, commit: Commit) -> CommitOutcome {
        if let Some(asked) = &commit.answer {
            if let Some(known) = self.answers.get(&asked.name).filter(|one| one.until > asked.now) {
                return CommitOutcome::Duplicate(known.clone());
            }
        }
        let mut groups = HashSet::new();
        let conflicts = |change: &GroupChange| {
            self.version(&change.id) != change.expected || !groups.insert(change.id.clone())
        };
        if commit.changes.iter().any(conflicts) {
            return CommitOutcome::Conflict;
        }
        let taken = |service: &Service| self.services.contains_key(&service.id);
        if commit.service.as_ref().is_some_and(taken) || self.is_taken(&commit.changes) {
            return CommitOutcome::Taken;
        }
        if let Some(service) = commit.service {
            self.services.insert(service.id.clone(), service);
        }
        for change in commit.changes {
            self.write(change);
        }
        for what in commit.events {
            let (seq, hash) = self.end_of_log();
            self.log.push(Event::after(seq, &hash, what));
        }
        if let Some(answer) = commit.answer {
            self.answers.retain(|_, one| one.until > answer.now);
            self.answers.insert(answer.name, answer);
        }
        CommitOutcome::Done { position: self.end_of_log().0 }
    }

    fn version(&self, id: &GroupId) -> u64 {
        self.groups.get(id).map_or(0, |kept| kept.group.version)
    }

    fn end_of_log(&self) -> (u64, EventHash) {
        self.log.last().map_or((0, [0; 32]), |event| (event.seq, event.hash))
    }

    /// Is a name or a fingerprint that of another credential, of the store or of this commit?
    fn is_taken(&self, changes: &[GroupChange]) -> bool {
        let (mut ids, mut fingerprints, mut names) =
            (HashSet::new(), HashSet::new(), HashMap::new());
        let credentials =
            changes.iter().flat_map(|change| change.credentials.iter().map(|it| (it, &change.id)));
        credentials.into_iter().any(|(it, group)| {
            let now = self.current(group, &it.id);
            // A name that was given is that of a credential of this group, and not of one that was deleted.
            let id = now.is_none() && self.group_of.contains_key(&it.id);
            // What was there before keeps its fingerprint, or brings one that never was.
            let crate::Kept { fingerprint, found_by, .. } = it.kept;
            let print = now != Some(fingerprint) && self.fingerprints.contains_key(&fingerprint);
            let twice = !ids.insert(&it.id) || !fingerprints.insert(fingerprint);
            twice
                || id
                || print
                || (it.is_found() && {
                    let elsewhere = |id: &CredentialId| self.group_of.get(id) != Some(group);
                    let there = self.found_by.get(&found_by);
                    let other = names.insert(found_by, group).is_some_and(|other| other != group);
                    other || there.is_some_and(|ids| ids.iter().any(elsewhere))
                })
        })
    }

    fn current(&self, group: &GroupId, id: &CredentialId) -> Option<KeyDigest> {
        let it = self.groups.get(group)?.group.credential(id)?;
        Some(it.kept.fingerprint)
    }

    fn write(&mut self, change: GroupChange) {
        let kept = self.groups.entry(change.id.clone()).or_insert_with(|| Kept {
            group: Group::empty(change.id.clone()),
            deleted: Vec::new(),
            next_due: None,
        });
        kept.group.version = change.expected.saturating_add(1);
        kept.group.latest = change.latest;
        kept.group.creations = change.creations;
        kept.next_due = change.next_due;
        for it in change.credentials {
            let place = kept.group.credentials.iter().position(|one| one.id == it.id);
            let before = place.and_then(|place| kept.group.credentials.get(place)).cloned();
            if let Some(before) = &before {
                if let Some(ids) = self.found_by.get_mut(&before.kept.found_by) {
                    ids.retain(|id| *id != it.id);
                }
            }
            self.group_of.insert(it.id.clone(), change.id.clone());
            self.fingerprints.insert(it.kept.fingerprint, it.id.clone());
            if it.state == State::Deleted {
                kept.group.credentials.retain(|one| one.id != it.id);
                kept.deleted.push(it);
                continue;
            }
            if it.is_found() {
                self.found_by.entry(it.kept.found_by).or_default().push(it.id.clone());
            }
            match place.and_then(|place| kept.group.credentials.get_mut(place)) {
                Some(place) => *place = it,
                None => kept.group.credentials.push(it),
            }
        }
    }

    fn load(&self, id: &GroupId) -> Group {
        let mut group =
            self.groups.get(id).map_or_else(|| Group::empty(id.clone()), |kept| kept.group.clone());
        for it in &mut group.credentials {
            it.last_used = self.last_used(&it.id);
        }
        group
    }

    fn last_used(&self, id: &CredentialId) -> Option<Timestamp> {
        self.uses.get(id)?.first().map(|one| one.at)
    }

    fn find(&self, found_by: &KeyDigest) -> Found {
        let ids = self.found_by.get(found_by).map(Vec::as_slice).unwrap_or_default();
        let credential = |id: &CredentialId| {
            let group = self.group_of.get(id)?;
            let mut it = self.groups.get(group)?.group.credential(id)?.clone();
            it.last_used = self.last_used(id);
            Some((group.clone(), it))
        };
        let mut credentials: Vec<_> = ids.iter().filter_map(credential).collect();
        credentials.sort_by(|(_, one), (_, other)| {
            (one.created, &one.id).cmp(&(other.created, &other.id))
        });
        Found { credentials, as_of: self.end_of_log().0 }
    }

    fn touch(&mut self, uses: Vec<Use>) {
        for one in uses {
            let known = self.uses.entry(one.credential.clone()).or_default();
            match known.iter_mut().find(|it| it.source == one.source) {
                Some(it) => it.at = it.at.max(one.at),
                None => known.push(one),
            }
            known.sort_by_key(|it| std::cmp::Reverse(it.at));
            known.truncate(MOST_SOURCES);
        }
    }

    fn lease(&mut self, name: &str, now: Timestamp, hold: Duration) -> Option<u64> {
        let last = self.leases.get(name);
        // A lease that was taken later than now by more than its own length was taken under a clock that was ahead.
        let holds =
            |one: &Lease| now < one.until && one.taken.since(now) <= one.until.since(one.taken);
        if last.is_some_and(holds) {
            return None;
        }
        let fence = last.map_or(0, |one| one.fence).saturating_add(1);
        self.leases.insert(name.into(), Lease { fence, taken: now, until: now.after(hold) });
        Some(fence)
    }
}

impl LifecycleStore for MemoryLifecycleStore {
    fn load(&self, group: &GroupId) -> Flow<'_, Group> {
        Flow::ready(self.state().load(group))
    }

    fn group_of(&self, tenant: &TenantId, credential: &CredentialId) -> Flow<'_, Option<GroupId>> {
        let state = self.state();
        let group = state.group_of.get(credential).filter(|group| group.tenant == *tenant);
        let alive = |group: &&GroupId| {
            state.groups.get(*group).is_some_and(|kept| kept.group.credential(credential).is_some())
        };
        Flow::ready(group.filter(alive).cloned())
    }

    fn groups_of(&self, tenant: &TenantId, service: Option<&ServiceId>) -> Flow<'_, Vec<GroupId>> {
        let state = self.state();
        let of = |id: &&GroupId| id.tenant == *tenant && id.service.as_ref() == service;
        Flow::ready(state.groups.keys().filter(of).cloned().collect())
    }

    fn service(&self, id: &ServiceId) -> Flow<'_, Option<Service>> {
        Flow::ready(self.state().services.get(id).cloned())
    }

    fn services(
        &self,
        tenant: &TenantId,
        after: Option<&ServiceId>,
        most: usize,
    ) -> Flow<'_, Vec<Service>> {
        let state = self.state();
        let of =
            |one: &&Service| one.tenant == *tenant && after.is_none_or(|after| one.id > *after);
        Flow::ready(state.services.values().filter(of).take(most).cloned().collect())
    }

    fn commit(&self, commit: Commit) -> Flow<'_, CommitOutcome> {
        let mut state = self.state();
        let outcome = state.commit(commit);
        let watchers = std::mem::take(&mut state.watchers);
        drop(state);
        // A waker may run its task here and now, which asks this store.
        watchers.into_iter().for_each(Waker::wake);
        Flow::ready(outcome)
    }

    fn answer(&self, name: &KeyDigest, now: Timestamp) -> Flow<'_, Option<RememberedAnswer>> {
        let state = self.state();
        Flow::ready(state.answers.get(name).filter(|answer| answer.until > now).cloned())
    }

    fn find(&self, found_by: &KeyDigest) -> Flow<'_, Found> {
        Flow::ready(self.state().find(found_by))
    }

    fn find_fingerprint(
        &self,
        fingerprint: &KeyDigest,
    ) -> Flow<'_, Option<(GroupId, CredentialId)>> {
        let state = self.state();
        let found = state.fingerprints.get(fingerprint).and_then(|id| {
            let group = state.group_of.get(id)?;
            let now = state.current(group, id)?;
            (now == *fingerprint).then(|| (group.clone(), id.clone()))
        });
        Flow::ready(found)
    }

    fn changes_since(&self, position: u64, most: usize) -> Flow<'_, LogPage> {
        let state = self.state();
        let skipped = usize::try_from(position).unwrap_or(usize::MAX);
        let events: Vec<_> = state.log.iter().skip(skipped).take(most).cloned().collect();
        let end = state.end_of_log().0;
        let position = events.last().map_or(position.min(end), |event| event.seq);
        Flow::ready(LogPage { events, position, is_last: position == end })
    }

    fn position(&self) -> Flow<'_, u64> {
        Flow::ready(self.state().end_of_log().0)
    }

    fn watch(&self, position: u64) -> Flow<'static, ()> {
        let store = self.clone();
        Flow::new(poll_fn(move |context| {
            let mut state = store.state();
            if state.end_of_log().0 > position {
                return Poll::Ready(Ok(()));
            }
            if !state.watchers.iter().any(|one| one.will_wake(context.waker())) {
                state.watchers.push(context.waker().clone());
            }
            Poll::Pending
        }))
    }

    fn touch(&self, uses: Vec<Use>) -> Flow<'_, ()> {
        self.state().touch(uses);
        Flow::ready(())
    }

    fn uses(&self, credential: &CredentialId) -> Flow<'_, Vec<Use>> {
        Flow::ready(self.state().uses.get(credential).cloned().unwrap_or_default())
    }

    fn due(&self, now: Timestamp, most: usize) -> Flow<'_, Vec<GroupId>> {
        let state = self.state();
        let due = |(id, kept): (&GroupId, &Kept)| Some((kept.next_due?, id.clone()));
        let mut due: Vec<_> = state.groups.iter().filter_map(due).collect();
        due.retain(|(at, _)| *at <= now);
        due.sort();
        Flow::ready(due.into_iter().take(most).map(|(_, id)| id).collect())
    }

    fn lease(&self, name: &str, now: Timestamp, hold: Duration) -> Flow<'_, Option<u64>> {
        Flow::ready(self.state().lease(name, now, hold))
    }
}

impl fmt::Debug for MemoryLifecycleStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemoryLifecycleStore({} groups)", self.state().groups.len())
    }
}
