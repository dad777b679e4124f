//! Credentials that a platform issues, from their creation to their end: rotated without downtime, discarded, revoked,
//! and verified.
//!
//! For platforms that give their customers keys, JWT secrets, passwords or sessions and verify their callers. A
//! [`Registry`] runs commands over a store and is what the verifiers of every scheme look credentials up in. No command
//! takes the last lasting credential of a service, and a credential that was revoked is refused everywhere within five
//! seconds, or the caller is told to come again.
//!
//! ```
//! use auth_core::{Secret, TenantId};
//! use auth_lifecycle::{Actor, Kind, MemoryLifecycleStore, Registry, RegistryKeys, Role};
//! use auth_static::{ApiKeyVerifier, Placement};
//!
//! # fn run(master: &Secret) -> Result<(), Box<dyn std::error::Error>> {
//! let registry = Registry::build(MemoryLifecycleStore::new(), RegistryKeys::from_master(master)?).finish()?;
//! let alice = Actor::new(TenantId::new("acme"), "alice", Role::Owner);
//! let made = registry.by(&alice).create_service("alerts").wait()??;
//! let key = made.key.secret; // `sk_live_..`: shown this once, and again to roles that may reveal it
//!
//! let (hasher, keys) = (registry.token_hasher(), registry.tokens(&[Kind::ServiceKey]));
//! let door = registry.admit(ApiKeyVerifier::new("api", Placement::header("key")?, hasher, keys)?);
//! // `door` verifies requests: give it to the server layer of `auth-tower`. Its principal is an `auth_core::Caller`.
//! # let _: (&dyn auth_core::Verifier<Principal = auth_core::Caller>, _) = (&door, key);
//! # Ok(())
//! # }
//! # run(&Secret::new([7; 32])).unwrap();
//! ```
//!
//! | to | use |
//! |---|---|
//! | make a service with the credentials that it needs | [`Commands::create_service`] for a service key and a JWT secret, [`Commands::create_service_with`] for other kinds or none |
//! | give commands and see credentials | [`Registry::by`], [`Commands`] |
//! | take over credentials that callers have already | [`Commands::import`], [`NewSecret`] |
//! | set the rules of a kind | [`GroupPolicy`], [`RegistryBuilder::with_policy`] |
//! | verify callers | [`Registry::tokens`], [`Registry::admit`], and the look-ups behind the features `basic`, `digest`, `jwt`, `sigv4` |
//! | keep credentials on disk, on a single machine | `auth-store-sqlite`, in place of [`MemoryLifecycleStore`], which forgets |
//! | find out at the start that the master key is wrong | [`Registry::poll`], before the program serves anybody |
//! | do what time makes due, write down uses, ask what has changed | [`Registry::retire_due`], [`Registry::flush_uses`], [`Registry::poll`], each about once a second |
//! | write a store | [`LifecycleStore`], and its promises as tests in `store_suite` behind the feature of that name |
//! | decide without a store | [`decide`](decide()), [`permitted`] |
//!
//! The feature `import` takes over passwords under bcrypt; `docs/guide/lifecycle.md` has whole programs, routes over HTTP
//! and what to do when a key is compromised.
//!
//! What this crate does not do: it opens no file and no connection, it has no background and no HTTP routes, and it knows
//! no users: the platform says who an [`Actor`] is. `auth-store-sqlite` keeps credentials on disk.

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
#[cfg(feature = "store-suite")]
pub mod store_suite;
#[cfg(feature = "basic")]
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
pub use event::{EventHash, EventName, Happening, LedgerEvent, TenantEvent};
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
    NewSecret, NewService, Proven, Registry, RegistryBuilder, RegistryKeys, Retired, StepUpCheck,
    StepUpProof, Tokens, Wanted,
};
#[cfg(feature = "basic")]
pub use registry::{BasicPasswords, BasicUsers};
pub use store::{
    Commit, CommitOutcome, Found, LifecycleStore, LogPage, MOST_SOURCES, MemoryLifecycleStore,
    RememberedAnswer, Service, Use,
};
#[cfg(feature = "basic")]
pub use stored_password::StoredPassword;
pub use token_text::{ParsedToken, TokenFormat, TokenText, masked_token};

#[cfg(test)]
mod ledger;
#[cfg(test)]
mod testing;
