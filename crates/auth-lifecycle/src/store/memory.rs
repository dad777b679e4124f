//! Credentials in the memory of one process: for tests, and for programs that make theirs anew when they start.

mod inner;

use super::{
    Commit, CommitOutcome, Found, LifecycleStore, LogPage, RememberedAnswer, Service, Use,
};
use crate::{CredentialId, Group, GroupId, ServiceId, TenantEvent};
use auth_core::{Flow, KeyDigest, TenantId, Timestamp};
use inner::{Inner, Kept};
use std::{
    fmt,
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Poll, Waker},
    time::Duration,
};

/// Credentials in the memory of one process. A clone is the same store.
#[derive(Clone, Default)]
pub struct MemoryLifecycleStore(Arc<Mutex<Inner>>);

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

    fn events_of(&self, tenant: &TenantId, after: u64, most: usize) -> Flow<'_, Vec<TenantEvent>> {
        Flow::ready(self.state().events_of(tenant, after, most))
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
        let due = |(id, kept): (&GroupId, &Kept)| Some((kept.next_due?, kept.number, id.clone()));
        let mut due: Vec<_> = state.groups.iter().filter_map(due).collect();
        due.retain(|(at, _, _)| *at <= now);
        due.sort();
        Flow::ready(due.into_iter().take(most).map(|(_, _, id)| id).collect())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::happening;
    use std::{
        future::Future,
        pin::pin,
        sync::atomic::{AtomicUsize, Ordering},
        task::{Context, Wake},
    };

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn a_watch_is_woken_once_by_what_is_written_after_its_position() {
        let (store, woken) = (MemoryLifecycleStore::new(), Arc::new(Woken::default()));
        let waker = Waker::from(Arc::clone(&woken));
        let mut context = Context::from_waker(&waker);
        let mut watch = pin!(store.watch(0));
        for _ in 0..3 {
            assert!(watch.as_mut().poll(&mut context).is_pending());
        }
        let events = vec![happening("c1", crate::EventName::Created)];
        store.commit(Commit { events, ..Commit::default() }).wait().unwrap();
        assert_eq!(woken.0.load(Ordering::SeqCst), 1);
        assert!(watch.as_mut().poll(&mut context).is_ready());
        assert!(pin!(store.watch(0)).poll(&mut context).is_ready());
        assert!(pin!(store.watch(1)).poll(&mut context).is_pending());
    }
}
