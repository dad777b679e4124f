//! Credentials that a platform issues, from their creation to their end.

mod actor;
mod already_hashed;
pub mod cache;
pub mod cached_store;
mod command;
mod credential;
mod decide;
mod envelope;
mod event;
mod group;
mod id;
#[cfg(feature = "import")]
mod imported_hash;
mod kept;
mod kind;
#[cfg(test)]
mod ledger;
mod policy;
mod refusal;
mod registry;
mod rest;
mod store;
#[cfg(feature = "store-suite")]
pub mod store_suite;
#[cfg(test)]
mod testing;
mod token_text;

pub use actor::{Actor, Role};
pub use cache::CacheSettings;
pub use command::{
    Command, CommandName, FieldChange, LiveSession, NewCredential, Order, RevokeGuard, StepUp,
    Update,
};
pub use credential::{Credential, State, Status};
pub use decide::{Decision, GroupChange, Snapshot, decide, permitted};
pub use envelope::{
    EnvelopePlace, EnvelopeSealer, KeyWrapper, LocalKeyWrapper, Sealed, WrappedKey,
};
pub use event::{Event, EventHash, EventName, Happening};
pub use group::Group;
pub use id::{CredentialId, GroupId, ServiceId};
#[cfg(feature = "import")]
pub use imported_hash::ImportedHash;
pub use kept::{Kept, Material};
pub use kind::{FoundBy, Kind, KindRow, OwnerKind, Reveal, StorageClass};
pub use policy::{GroupPolicy, Holds, WhenLeaked};
pub use refusal::CommandRefusal;
pub use registry::{
    Answer, ClockSuspicion, Commands, CredentialView, DryRun, GroupView, Issued, NewSecret,
    NewService, Registry, RegistryBuilder, RegistryKeys, Retired, StepUpCheck, StepUpProof, Wanted,
};
pub use store::{
    Commit, CommitOutcome, Found, LifecycleStore, LogPage, MOST_SOURCES, MemoryLifecycleStore,
    RememberedAnswer, Service, Use,
};
pub use token_text::{ParsedToken, TokenFormat, TokenText, masked_token};
