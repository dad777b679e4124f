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
mod kept;
mod kind;
mod policy;
mod refusal;
mod registry;
mod rest;
mod store;
#[cfg(feature = "static")]
mod stored_password;
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
pub use kept::{Kept, Material};
pub use kind::{FoundBy, Kind, KindRow, OwnerKind, Reveal, StorageClass};
pub use policy::{GroupPolicy, Holds, WhenLeaked};
pub use refusal::CommandRefusal;
#[cfg(feature = "digest")]
pub use registry::DigestUsers;
#[cfg(feature = "jwt")]
pub use registry::JwtIssuers;
#[cfg(feature = "sigv4")]
pub use registry::SigV4Keys;
pub use registry::{
    Admit, Answer, ClockSuspicion, Commands, CredentialView, DryRun, GroupView, Issued, Known,
    NewSecret, NewService, Registry, RegistryBuilder, RegistryKeys, Retired, StepUpCheck,
    StepUpProof, Tokens, Wanted,
};
#[cfg(feature = "static")]
pub use registry::{BasicPasswords, BasicUsers};
pub use store::{
    Commit, CommitOutcome, Found, LifecycleStore, LogPage, MOST_SOURCES, MemoryLifecycleStore,
    RememberedAnswer, Service, Use,
};
#[cfg(feature = "static")]
pub use stored_password::StoredPassword;
pub use token_text::{ParsedToken, TokenFormat, TokenText, masked_token};

#[cfg(test)]
mod ledger;
#[cfg(test)]
mod testing;
