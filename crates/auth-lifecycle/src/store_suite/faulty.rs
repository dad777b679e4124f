//! A store that fails on demand, for tests of what stands on it.

use crate::{
    Commit, CommitOutcome, CredentialId, Found, Group, GroupId, LifecycleStore, LogPage,
    RememberedAnswer, Service, ServiceId, TenantEvent, Use,
};
use auth_core::{Error, Flow, KeyDigest, TenantId, Timestamp};
use std::{
    collections::{BTreeSet, VecDeque},
    fmt,
    sync::{Mutex, PoisonError},
    task::Poll,
    time::Duration,
};

/// A store over another one, whose next answers go wrong.
///
/// Each request takes the next fault of the list; when the list is empty, the store beneath answers.
pub struct Faulty<S> {
    store: S,
    faults: Mutex<VecDeque<(Point, Fault)>>,
    broken: Mutex<BTreeSet<GroupId>>,
}

/// Where a fault strikes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Point {
    Commit,
    Any,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The commit is written, and nobody hears of it: the outcome is [`CommitOutcome::Unknown`].
    UnknownAfter,
    /// The commit is not written, and nobody knows: the outcome is [`CommitOutcome::Unknown`].
    UnknownBefore,
    /// The store fails before it does anything.
    Fails,
    /// The store does what it is asked, and its answer is lost: the caller gets an error.
    FailsAfter,
    /// The answer comes so many polls late. The work itself is done at the last of them.
    Late(u8),
}

impl<S: LifecycleStore> Faulty<S> {
    /// A store without faults yet.
    pub const fn new(store: S) -> Self {
        Self { store, faults: Mutex::new(VecDeque::new()), broken: Mutex::new(BTreeSet::new()) }
    }

    /// The next commit goes wrong like this; given again, the one after it.
    pub fn next_commit(&self, fault: Fault) {
        self.faults().push_back((Point::Commit, fault));
    }

    /// The next request, whatever it is, goes wrong like this. A fault of commits alone leaves other requests as they are.
    pub fn next(&self, fault: Fault) {
        self.faults().push_back((Point::Any, fault));
    }

    /// From now on this group cannot be loaded, as when its rows are damaged.
    pub fn break_group(&self, group: GroupId) {
        self.broken.lock().unwrap_or_else(PoisonError::into_inner).insert(group);
    }

    /// The store beneath.
    pub const fn beneath(&self) -> &S {
        &self.store
    }

    fn faults(&self) -> std::sync::MutexGuard<'_, VecDeque<(Point, Fault)>> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fault(&self, at: Point) -> Option<Fault> {
        let mut faults = self.faults();
        let strikes = faults.front().is_some_and(|(point, _)| *point == at || *point == Point::Any);
        if strikes { faults.pop_front().map(|(_, fault)| fault) } else { None }
    }

    fn ask<'a, T: Send + 'a>(
        &'a self,
        work: impl FnOnce(&'a S) -> Flow<'a, T> + Send + 'a,
    ) -> Flow<'a, T> {
        match self.fault(Point::Any) {
            Some(Fault::Fails) => Flow::failed(failed()),
            Some(Fault::FailsAfter) => work(&self.store).then(|_| Flow::failed(failed())),
            Some(Fault::Late(polls)) => late(polls, &self.store, work),
            Some(Fault::UnknownAfter | Fault::UnknownBefore) | None => work(&self.store),
        }
    }
}

fn failed() -> Error {
    Error::transport("store_faulty", "the store failed, as the test asked it to")
}

fn late<'a, S: LifecycleStore, T: Send + 'a>(
    polls: u8,
    store: &'a S,
    work: impl FnOnce(&'a S) -> Flow<'a, T> + Send + 'a,
) -> Flow<'a, T> {
    Flow::new(async move {
        let mut left = polls;
        std::future::poll_fn(move |context| {
            if left == 0 {
                return Poll::Ready(());
            }
            left = left.saturating_sub(1);
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
        work(store).await
    })
}

impl<S: LifecycleStore> LifecycleStore for Faulty<S> {
    fn commit(&self, commit: Commit) -> Flow<'_, CommitOutcome> {
        match self.fault(Point::Commit) {
            Some(Fault::UnknownBefore) => Flow::ready(CommitOutcome::Unknown),
            Some(Fault::UnknownAfter) => self.store.commit(commit).map(|_| CommitOutcome::Unknown),
            Some(Fault::Fails) => Flow::failed(failed()),
            Some(Fault::FailsAfter) => self.store.commit(commit).then(|_| Flow::failed(failed())),
            Some(Fault::Late(polls)) => late(polls, &self.store, |store| store.commit(commit)),
            None => self.store.commit(commit),
        }
    }

    fn load(&self, group: &GroupId) -> Flow<'_, Group> {
        if self.broken.lock().unwrap_or_else(PoisonError::into_inner).contains(group) {
            return Flow::failed(failed());
        }
        let group = group.clone();
        self.ask(move |store| store.load(&group))
    }

    fn group_of(&self, tenant: &TenantId, id: &CredentialId) -> Flow<'_, Option<GroupId>> {
        let (tenant, id) = (tenant.clone(), id.clone());
        self.ask(move |store| store.group_of(&tenant, &id))
    }

    fn groups_of(&self, tenant: &TenantId, service: Option<&ServiceId>) -> Flow<'_, Vec<GroupId>> {
        let (tenant, service) = (tenant.clone(), service.cloned());
        self.ask(move |store| store.groups_of(&tenant, service.as_ref()))
    }

    fn service(&self, id: &ServiceId) -> Flow<'_, Option<Service>> {
        let id = id.clone();
        self.ask(move |store| store.service(&id))
    }

    fn services(
        &self,
        tenant: &TenantId,
        after: Option<&ServiceId>,
        most: usize,
    ) -> Flow<'_, Vec<Service>> {
        let (tenant, after) = (tenant.clone(), after.cloned());
        self.ask(move |store| store.services(&tenant, after.as_ref(), most))
    }

    fn answer(&self, name: &KeyDigest, now: Timestamp) -> Flow<'_, Option<RememberedAnswer>> {
        let name = *name;
        self.ask(move |store| store.answer(&name, now))
    }

    fn find(&self, found_by: &KeyDigest) -> Flow<'_, Found> {
        let found_by = *found_by;
        self.ask(move |store| store.find(&found_by))
    }

    fn find_fingerprint(
        &self,
        fingerprint: &KeyDigest,
    ) -> Flow<'_, Option<(GroupId, CredentialId)>> {
        let fingerprint = *fingerprint;
        self.ask(move |store| store.find_fingerprint(&fingerprint))
    }

    fn changes_since(&self, position: u64, most: usize) -> Flow<'_, LogPage> {
        self.ask(move |store| store.changes_since(position, most))
    }

    fn events_of(&self, tenant: &TenantId, after: u64, most: usize) -> Flow<'_, Vec<TenantEvent>> {
        let tenant = tenant.clone();
        self.ask(move |store| store.events_of(&tenant, after, most))
    }

    fn position(&self) -> Flow<'_, u64> {
        self.ask(S::position)
    }

    fn watch(&self, position: u64) -> Flow<'static, ()> {
        self.store.watch(position)
    }

    fn touch(&self, uses: Vec<Use>) -> Flow<'_, ()> {
        self.ask(move |store| store.touch(uses))
    }

    fn uses(&self, credential: &CredentialId) -> Flow<'_, Vec<Use>> {
        let credential = credential.clone();
        self.ask(move |store| store.uses(&credential))
    }

    fn due(&self, now: Timestamp, most: usize) -> Flow<'_, Vec<GroupId>> {
        self.ask(move |store| store.due(now, most))
    }

    fn lease(&self, name: &str, now: Timestamp, hold: Duration) -> Flow<'_, Option<u64>> {
        let name: Box<str> = name.into();
        self.ask(move |store| store.lease(&name, now, hold))
    }
}

impl<S> fmt::Debug for Faulty<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Faulty(..)")
    }
}
