//! A store that notes down all that it is told to write.

use auth_core::{Flow, KeyDigest, TenantId, Timestamp};
use auth_lifecycle::{
    Commit, CommitOutcome, CredentialId, Found, Group, GroupId, LifecycleStore, LogPage, Material,
    MemoryLifecycleStore, RememberedAnswer, Service, ServiceId, TenantEvent, Use,
};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

#[derive(Clone, Default)]
pub struct RecordingStore {
    store: Arc<MemoryLifecycleStore>,
    written: Arc<Mutex<Vec<u8>>>,
}

impl RecordingStore {
    /// All that a store was given of credentials, events and answers. The files themselves are searched in the tests of
    /// `auth-store-sqlite`, the one that is written ahead among them.
    pub fn written(&self) -> Vec<u8> {
        self.written.lock().unwrap().clone()
    }

    fn note(&self, bytes: &[u8]) {
        let mut written = self.written.lock().unwrap();
        written.extend_from_slice(bytes);
        written.push(b'\n');
    }
}

macro_rules! pass_on {
    ($($name:ident($($it:ident: $type:ty),*) -> $given:ty;)*) => {$(
        fn $name(&self, $($it: $type),*) -> $given {
            self.store.$name($($it),*)
        }
    )*};
}

impl LifecycleStore for RecordingStore {
    fn commit(&self, commit: Commit) -> Flow<'_, CommitOutcome> {
        self.note(format!("{commit:?}").as_bytes());
        for it in commit.changes.iter().flat_map(|change| &change.credentials) {
            self.note(it.kept.found_by.as_bytes());
            self.note(it.kept.fingerprint.as_bytes());
            match &it.kept.material {
                Material::Nothing => {}
                Material::Sealed(bytes) | Material::Public(bytes) => self.note(bytes),
                Material::PasswordHash(hash) => self.note(hash.expose()),
            }
        }
        for event in &commit.events {
            self.note(event.to_text().as_bytes());
        }
        if let Some(answer) = &commit.answer {
            self.note(&answer.answer);
        }
        self.store.commit(commit)
    }

    fn touch(&self, uses: Vec<Use>) -> Flow<'_, ()> {
        self.note(format!("{uses:?}").as_bytes());
        self.store.touch(uses)
    }

    pass_on! {
        load(group: &GroupId) -> Flow<'_, Group>;
        group_of(tenant: &TenantId, credential: &CredentialId) -> Flow<'_, Option<GroupId>>;
        groups_of(tenant: &TenantId, service: Option<&ServiceId>) -> Flow<'_, Vec<GroupId>>;
        service(id: &ServiceId) -> Flow<'_, Option<Service>>;
        services(tenant: &TenantId, after: Option<&ServiceId>, most: usize) -> Flow<'_, Vec<Service>>;
        answer(name: &KeyDigest, now: Timestamp) -> Flow<'_, Option<RememberedAnswer>>;
        find(found_by: &KeyDigest) -> Flow<'_, Found>;
        find_fingerprint(fingerprint: &KeyDigest) -> Flow<'_, Option<(GroupId, CredentialId)>>;
        changes_since(position: u64, most: usize) -> Flow<'_, LogPage>;
        events_of(tenant: &TenantId, after: u64, most: usize) -> Flow<'_, Vec<TenantEvent>>;
        position() -> Flow<'_, u64>;
        watch(position: u64) -> Flow<'static, ()>;
        uses(credential: &CredentialId) -> Flow<'_, Vec<Use>>;
        due(now: Timestamp, most: usize) -> Flow<'_, Vec<GroupId>>;
        lease(name: &str, now: Timestamp, hold: Duration) -> Flow<'_, Option<u64>>;
    }
}
