//! The store of a registry, which is used under the keys that it was begun with and under no others.

use crate::{
    Commit, CommitOutcome, CredentialId, Found, Group, GroupId, LifecycleStore, LogPage,
    RememberedAnswer, Service, ServiceId, TenantEvent, Use,
};
use auth_core::{Clock, Error, Flow, KeyDigest, Result, TenantId, Timestamp};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use subtle::ConstantTimeEq;

/// A store that is asked for nothing before the hashing key was compared with the one that it was begun with.
///
/// The store keeps a value that only that key makes, as an answer that is remembered: of processes that begin at
/// once, the first one's stays. The value is a keyed hash of a fixed text under a key for this purpose alone, so it tells
/// nothing of the key. The key that seals is not compared, since it may be replaced, and says itself when it is wrong.
pub(super) struct CheckedStore {
    store: Arc<dyn LifecycleStore>,
    clock: Arc<dyn Clock>,
    /// What the store keeps if it was begun with our key.
    ours: KeyDigest,
    is_checked: AtomicBool,
}

/// The name under which it is remembered. Those of commands are keyed hashes, so none of them is this.
const NAME: KeyDigest = KeyDigest::from_bytes(*b"messaging-auth lifecycle keys v1");

/// It is remembered until the end of the year 9999, which every database can write.
const END: Timestamp = Timestamp::from_unix(253_402_300_799);

impl CheckedStore {
    pub(super) fn new(
        store: Arc<dyn LifecycleStore>,
        clock: Arc<dyn Clock>,
        ours: KeyDigest,
    ) -> Self {
        Self { store, clock, ours, is_checked: AtomicBool::new(false) }
    }

    fn ask<'a, T: Send + 'a>(
        &'a self,
        work: impl FnOnce(&'a dyn LifecycleStore) -> Flow<'a, T> + Send + 'a,
    ) -> Flow<'a, T> {
        if self.is_checked.load(Ordering::Relaxed) {
            return work(&*self.store);
        }
        Flow::new(self.check()).and_then(move |()| work(&*self.store))
    }

    /// Several callers may do this at once: each of them finds the same.
    async fn check(&self) -> Result<()> {
        let now = self.clock.now();
        let kept = match self.store.answer(&NAME, now).await? {
            Some(kept) => kept.command,
            None => self.begin(now).await?,
        };
        if bool::from(kept.as_bytes().ct_eq(self.ours.as_bytes())) {
            self.is_checked.store(true, Ordering::Relaxed);
            return Ok(());
        }
        let text = "store was begun with another master key, or hashing key, than this registry has: nothing in it would be \
                    found; start with the key that it was begun with, or with an empty store";
        Err(Error::config("lifecycle_keys_wrong", text))
    }

    /// What the store was begun with: now, unless another process was faster.
    async fn begin(&self, now: Timestamp) -> Result<KeyDigest> {
        let (name, command, answer) = (NAME, self.ours, Vec::new());
        let answer = RememberedAnswer { name, command, answer, now, until: END };
        match self.store.commit(Commit { answer: Some(answer), ..Commit::default() }).await? {
            CommitOutcome::Done { .. } => Ok(self.ours),
            CommitOutcome::Duplicate(kept) => Ok(kept.command),
            CommitOutcome::Conflict | CommitOutcome::Taken | CommitOutcome::Unknown => {
                let text = "the store went away while the keys were compared; try again";
                Err(Error::unavailable("lifecycle_keys_unchecked", None, text))
            }
        }
    }
}

impl LifecycleStore for CheckedStore {
    fn load(&self, group: &GroupId) -> Flow<'_, Group> {
        let group = group.clone();
        self.ask(move |store| store.load(&group))
    }

    fn group_of(&self, tenant: &TenantId, credential: &CredentialId) -> Flow<'_, Option<GroupId>> {
        let (tenant, credential) = (tenant.clone(), credential.clone());
        self.ask(move |store| store.group_of(&tenant, &credential))
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

    fn commit(&self, commit: Commit) -> Flow<'_, CommitOutcome> {
        self.ask(|store| store.commit(commit))
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
        self.ask(|store| store.position())
    }

    /// A hint, which tells nothing: it needs no key.
    fn watch(&self, position: u64) -> Flow<'static, ()> {
        self.store.watch(position)
    }

    fn touch(&self, uses: Vec<Use>) -> Flow<'_, ()> {
        self.ask(|store| store.touch(uses))
    }

    fn uses(&self, credential: &CredentialId) -> Flow<'_, Vec<Use>> {
        let credential = credential.clone();
        self.ask(move |store| store.uses(&credential))
    }

    fn due(&self, now: Timestamp, most: usize) -> Flow<'_, Vec<GroupId>> {
        self.ask(move |store| store.due(now, most))
    }

    fn lease(&self, name: &str, now: Timestamp, hold: Duration) -> Flow<'_, Option<u64>> {
        let name = Box::<str>::from(name);
        self.ask(move |store| store.lease(&name, now, hold))
    }
}
