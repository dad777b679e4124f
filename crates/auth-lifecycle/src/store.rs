//! Where credentials are kept, and what a store has to promise.

mod memory;

pub use memory::MemoryLifecycleStore;

use crate::{
    Credential, CredentialId, Group, GroupChange, GroupId, Happening, LedgerEvent, ServiceId,
    TenantEvent,
};
use auth_core::{Flow, KeyDigest, TenantId, Timestamp};
use std::{net::IpAddr, sync::Arc, time::Duration};

/// Keeps groups of credentials and the ledger of what happened to them.
///
/// A store compares and sets, and computes nothing: commands are decided before, over a group as it was loaded, and
/// [`commit`](Self::commit) writes the whole decision if no group of it has changed since, or nothing. It needs no key
/// and no clock. What it keeps of a credential is [`Credential::to_rest`], beside the few columns that it searches by.
///
/// # Security
///
/// A commit that was acknowledged is durable: a revocation that a power failure undoes lets a stranger in.
pub trait LifecycleStore: Send + Sync {
    /// The group as it is: all credentials of it that are not deleted, each with its last use. A group that was never
    /// written to is [empty](Group::empty), and so is that of a service whose name is empty, which is not the tenant's own.
    fn load(&self, group: &GroupId) -> Flow<'_, Group>;

    /// The group of a credential that is not deleted, if the tenant has it.
    fn group_of(&self, tenant: &TenantId, credential: &CredentialId) -> Flow<'_, Option<GroupId>>;

    /// The groups of a service, or of the tenant itself, that were ever written to, by kind.
    fn groups_of(&self, tenant: &TenantId, service: Option<&ServiceId>) -> Flow<'_, Vec<GroupId>>;

    /// The service of this name, whoever owns it.
    fn service(&self, id: &ServiceId) -> Flow<'_, Option<Service>>;

    /// The services of a tenant, at most so many, in the order of their names after this one.
    fn services(
        &self,
        tenant: &TenantId,
        after: Option<&ServiceId>,
        most: usize,
    ) -> Flow<'_, Vec<Service>>;

    /// Writes all of it, for good, or nothing.
    ///
    /// # Errors
    ///
    /// When nothing was written. Where nobody knows whether it was, the outcome is [`CommitOutcome::Unknown`].
    fn commit(&self, commit: Commit) -> Flow<'_, CommitOutcome>;

    /// The answer that is remembered under this name, and has not ended by this moment.
    fn answer(&self, name: &KeyDigest, now: Timestamp) -> Flow<'_, Option<RememberedAnswer>>;

    /// The credentials that are found by this digest and are active or inactive, and the position of the ledger at which
    /// that is true.
    fn find(&self, found_by: &KeyDigest) -> Flow<'_, Found>;

    /// The credential, not deleted, whose secret has this fingerprint now.
    fn find_fingerprint(
        &self,
        fingerprint: &KeyDigest,
    ) -> Flow<'_, Option<(GroupId, CredentialId)>>;

    /// The events after this position, at most so many, without a gap: what a commit that is acknowledged wrote is never
    /// passed over by a reader that has seen a later one.
    fn changes_since(&self, position: u64, most: usize) -> Flow<'_, LogPage>;

    /// The events of this tenant after its event of this number, at most so many.
    fn events_of(&self, tenant: &TenantId, after: u64, most: usize) -> Flow<'_, Vec<TenantEvent>>;

    /// The position of the last event; zero before the first.
    fn position(&self) -> Flow<'_, u64>;

    /// Is done when something may have been written after this position: a hint, which may come late, twice, for nothing,
    /// or never.
    fn watch(&self, position: u64) -> Flow<'static, ()>;

    /// Notes uses. The last use of a credential only grows; what is noted here need not outlive a power failure.
    fn touch(&self, uses: Vec<Use>) -> Flow<'_, ()>;

    /// The last uses of a credential, the latest first: one of each source, for the last [`MOST_SOURCES`] of them.
    fn uses(&self, credential: &CredentialId) -> Flow<'_, Vec<Use>>;

    /// The groups of which time has something to make at this moment, the earliest first, and those of one moment in the
    /// order in which they were first written to: so a longer answer begins with a shorter one.
    fn due(&self, now: Timestamp, most: usize) -> Flow<'_, Vec<GroupId>>;

    /// Takes the lease on this name until so long after this moment; `None` while another holder has it, however long that
    /// one holds it. Each lease has a higher fence than all before it on the name. A lease that was taken later than this
    /// moment by more than its own length was taken under a clock that was ahead, and holds no longer.
    fn lease(&self, name: &str, now: Timestamp, hold: Duration) -> Flow<'_, Option<u64>>;
}

/// A store keeps so many sources of a credential's uses.
pub const MOST_SOURCES: usize = 8;

/// A service of a tenant, as a store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Its name, which the registry made and no other service of the store has.
    pub id: ServiceId,
    /// The tenant that owns it.
    pub tenant: TenantId,
    /// What people call it.
    pub label: Arc<str>,
    /// When it was made.
    pub created: Timestamp,
}

/// What is written in one transaction.
#[derive(Clone, Debug, Default)]
pub struct Commit {
    /// How groups change, each of them once. If one of them has another version than expected, nothing is written.
    pub changes: Vec<GroupChange>,
    /// A new service.
    pub service: Option<Service>,
    /// What happened. The store gives each its place in the ledger and chains it with [`LedgerEvent::after`].
    pub events: Vec<Happening>,
    /// What a repetition of the command gets.
    pub answer: Option<RememberedAnswer>,
}

/// What a repetition of a command gets, by the key that the actor gave the command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RememberedAnswer {
    /// The keyed hash of the key, its tenant and its actor. A commit under a name that is remembered writes nothing.
    pub name: KeyDigest,
    /// The keyed hash of the command.
    pub command: KeyDigest,
    /// The answer, sealed.
    pub answer: Vec<u8>,
    /// When the command was given. What is remembered and has ended by then is forgotten.
    pub now: Timestamp,
    /// It is remembered until then. The one that tells which keys the store was begun with has the end of the year 9999.
    pub until: Timestamp,
}

/// What became of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommitOutcome {
    /// All of it was written, for good; the ledger has this position.
    Done {
        /// The position of its last event.
        position: u64,
    },
    /// Nothing was written: a group has changed since it was loaded, or changes twice in the commit.
    Conflict,
    /// Nothing was written: this was done before, and got this answer.
    Duplicate(RememberedAnswer),
    /// Nothing was written: a name or a fingerprint of it is, or was, that of another credential or service, or it is found
    /// by what finds active or inactive credentials of another group; or it changes a group of a service whose name is empty.
    Taken,
    /// Nobody knows whether it was written: the store went away in between. Ask with the same name again.
    Unknown,
}

/// What is found by a digest.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The credentials, in the order of their creation.
    pub credentials: Vec<(GroupId, Credential)>,
    /// The position of the ledger at which that is true.
    pub as_of: u64,
}

/// A part of the ledger.
#[derive(Clone, Debug, PartialEq)]
pub struct LogPage {
    /// The events, each with the digests that it [touched](Happening::touched).
    pub events: Vec<LedgerEvent>,
    /// The position that was reached.
    pub position: u64,
    /// Is that the end of the ledger?
    pub is_last: bool,
}

/// One use of a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// The credential.
    pub credential: CredentialId,
    /// When.
    pub at: Timestamp,
    /// From where; `None` where the server does not know.
    pub source: Option<IpAddr>,
}

macro_rules! forward {
    ($($pointer:ident),*) => {$(
        impl<S: LifecycleStore + ?Sized> LifecycleStore for $pointer<S> {
            fn load(&self, group: &GroupId) -> Flow<'_, Group> {
                (**self).load(group)
            }

            fn group_of(
                &self,
                tenant: &TenantId,
                credential: &CredentialId,
            ) -> Flow<'_, Option<GroupId>> {
                (**self).group_of(tenant, credential)
            }

            fn groups_of(
                &self,
                tenant: &TenantId,
                service: Option<&ServiceId>,
            ) -> Flow<'_, Vec<GroupId>> {
                (**self).groups_of(tenant, service)
            }

            fn service(&self, id: &ServiceId) -> Flow<'_, Option<Service>> {
                (**self).service(id)
            }

            fn services(
                &self,
                tenant: &TenantId,
                after: Option<&ServiceId>,
                most: usize,
            ) -> Flow<'_, Vec<Service>> {
                (**self).services(tenant, after, most)
            }

            fn commit(&self, commit: Commit) -> Flow<'_, CommitOutcome> {
                (**self).commit(commit)
            }

            fn answer(
                &self,
                name: &KeyDigest,
                now: Timestamp,
            ) -> Flow<'_, Option<RememberedAnswer>> {
                (**self).answer(name, now)
            }

            fn find(&self, found_by: &KeyDigest) -> Flow<'_, Found> {
                (**self).find(found_by)
            }

            fn find_fingerprint(
                &self,
                fingerprint: &KeyDigest,
            ) -> Flow<'_, Option<(GroupId, CredentialId)>> {
                (**self).find_fingerprint(fingerprint)
            }

            fn changes_since(&self, position: u64, most: usize) -> Flow<'_, LogPage> {
                (**self).changes_since(position, most)
            }

            fn events_of(
                &self,
                tenant: &TenantId,
                after: u64,
                most: usize,
            ) -> Flow<'_, Vec<TenantEvent>> {
                (**self).events_of(tenant, after, most)
            }

            fn position(&self) -> Flow<'_, u64> {
                (**self).position()
            }

            fn watch(&self, position: u64) -> Flow<'static, ()> {
                (**self).watch(position)
            }

            fn touch(&self, uses: Vec<Use>) -> Flow<'_, ()> {
                (**self).touch(uses)
            }

            fn uses(&self, credential: &CredentialId) -> Flow<'_, Vec<Use>> {
                (**self).uses(credential)
            }

            fn due(&self, now: Timestamp, most: usize) -> Flow<'_, Vec<GroupId>> {
                (**self).due(now, most)
            }

            fn lease(&self, name: &str, now: Timestamp, hold: Duration) -> Flow<'_, Option<u64>> {
                (**self).lease(name, now, hold)
            }
        }
    )*};
}

forward!(Arc, Box);
