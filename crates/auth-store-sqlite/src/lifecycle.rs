//! Credentials in the database.

mod commit;
mod find;
mod lease;
mod ledger;
mod load;
#[cfg(test)]
mod plans;
#[cfg(test)]
mod tests;
mod uses;
mod watch;

pub(crate) use watch::Watchers;

use crate::{database::SqliteDatabase, fault::Fault};
use auth_core::{Flow, KeyDigest, TenantId, Timestamp};
use auth_lifecycle::{
    Commit, CommitOutcome, CredentialId, Found, Group, GroupId, LifecycleStore, LogPage,
    RememberedAnswer, Service, ServiceId, TenantEvent, Use,
};
use rusqlite::Connection;
use std::{fmt, time::Duration};

/// Keeps credentials, and the ledger of what happened to them, in a database that several processes share. Made by
/// [`SqliteDatabase::credentials`].
///
/// A clone is the same store, and so is another one over the same file, in this process or another. Commits of all
/// processes are one after the other; those of one process that wait share one sync of the disk.
///
/// A [`watch`](LifecycleStore::watch) is done by what this process commits. What another process does is found by
/// whoever asks for [`changes_since`](LifecycleStore::changes_since).
///
/// # Security
///
/// A commit that was acknowledged was synced to the disk before. Nothing in the file shows a secret: it holds what
/// [`Credential::to_rest`](auth_lifecycle::Credential::to_rest) writes, keyed hashes, and sealed answers. Tenants, names,
/// labels and addresses of callers are readable to whoever can read the file. The ledger is chained, so a change of it is
/// [found](auth_lifecycle::Registry::verify_chain); that its end was cut off is not, unless somebody knows its last hash.
#[derive(Clone)]
pub struct SqliteLifecycleStore {
    database: SqliteDatabase,
}

/// So many uses are noted at once, so that no commit waits for long behind them.
const MOST_NOTED: usize = 200;

impl SqliteLifecycleStore {
    pub(crate) const fn new(database: SqliteDatabase) -> Self {
        Self { database }
    }

    fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Flow<'_, T> {
        self.told(self.database.read(work))
    }

    fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Flow<'_, T> {
        self.told(self.database.write(work))
    }

    fn told<'a, T: Send + 'a>(&'a self, flow: Flow<'a, Result<T, Fault>>) -> Flow<'a, T> {
        flow.and_then(|outcome| outcome.map_err(|fault| self.error(fault)).into())
    }

    fn error(&self, fault: Fault) -> auth_core::Error {
        fault.into_error(self.database.path())
    }
}

impl LifecycleStore for SqliteLifecycleStore {
    fn load(&self, group: &GroupId) -> Flow<'_, Group> {
        let group = group.clone();
        self.read(|connection| load::group(connection, group))
    }

    fn group_of(&self, tenant: &TenantId, credential: &CredentialId) -> Flow<'_, Option<GroupId>> {
        let (tenant, credential) = (tenant.clone(), credential.clone());
        self.read(move |connection| find::group_of(connection, &tenant, &credential))
    }

    fn groups_of(&self, tenant: &TenantId, service: Option<&ServiceId>) -> Flow<'_, Vec<GroupId>> {
        let (tenant, service) = (tenant.clone(), service.cloned());
        self.read(move |connection| load::groups_of(connection, &tenant, service.as_ref()))
    }

    fn service(&self, id: &ServiceId) -> Flow<'_, Option<Service>> {
        let id = id.clone();
        self.read(move |connection| load::service(connection, &id))
    }

    fn services(
        &self,
        tenant: &TenantId,
        after: Option<&ServiceId>,
        most: usize,
    ) -> Flow<'_, Vec<Service>> {
        let (tenant, after) = (tenant.clone(), after.cloned());
        self.read(move |connection| load::services(connection, &tenant, after.as_ref(), most))
    }

    fn commit(&self, commit: Commit) -> Flow<'_, CommitOutcome> {
        let written = self.database.write(move |transaction| commit::write(transaction, &commit));
        written.and_then(|written| match written {
            Err(Fault::CommitUnknown(_)) => Ok(CommitOutcome::Unknown).into(),
            written => written.map_err(|fault| self.error(fault)).into(),
        })
    }

    fn answer(&self, name: &KeyDigest, now: Timestamp) -> Flow<'_, Option<RememberedAnswer>> {
        let name = *name;
        self.read(move |connection| find::answer(connection, &name, now))
    }

    fn find(&self, found_by: &KeyDigest) -> Flow<'_, Found> {
        let found_by = *found_by;
        self.read(move |connection| find::found(connection, &found_by))
    }

    fn find_fingerprint(
        &self,
        fingerprint: &KeyDigest,
    ) -> Flow<'_, Option<(GroupId, CredentialId)>> {
        let fingerprint = *fingerprint;
        self.read(move |connection| find::fingerprint(connection, &fingerprint))
    }

    fn changes_since(&self, position: u64, most: usize) -> Flow<'_, LogPage> {
        self.read(move |connection| ledger::page(connection, position, most))
    }

    fn events_of(&self, tenant: &TenantId, after: u64, most: usize) -> Flow<'_, Vec<TenantEvent>> {
        let tenant = tenant.clone();
        self.read(move |connection| ledger::of_tenant(connection, &tenant, after, most))
    }

    fn position(&self) -> Flow<'_, u64> {
        self.read(|connection| ledger::end(connection).map(|(position, _)| position))
    }

    fn watch(&self, position: u64) -> Flow<'static, ()> {
        let store = self.clone();
        Flow::new(async move {
            loop {
                // Before it looks, so that nothing is missed in between.
                let next = store.database.watchers().next();
                if store.position().await? > position {
                    return Ok(());
                }
                next.await;
            }
        })
    }

    fn touch(&self, uses: Vec<Use>) -> Flow<'_, ()> {
        let store = self.clone();
        Flow::new(async move {
            for part in uses.chunks(MOST_NOTED) {
                let part = part.to_vec();
                store.write(move |transaction| uses::note(transaction, part)).await?;
            }
            Ok(())
        })
    }

    fn uses(&self, credential: &CredentialId) -> Flow<'_, Vec<Use>> {
        let credential = credential.clone();
        self.read(move |connection| uses::of(connection, &credential))
    }

    fn due(&self, now: Timestamp, most: usize) -> Flow<'_, Vec<GroupId>> {
        self.read(move |connection| load::due(connection, now, most))
    }

    fn lease(&self, name: &str, now: Timestamp, hold: Duration) -> Flow<'_, Option<u64>> {
        let name = Box::<str>::from(name);
        self.write(move |transaction| lease::take(transaction, &name, now, hold))
    }
}

impl fmt::Debug for SqliteLifecycleStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SqliteLifecycleStore({:?})", self.database)
    }
}
