//! The registry: commands and look-ups over a store.

mod admit;
mod answers;
mod build;
mod checked_store;
mod clock;
mod commands;
mod known;
mod look_up;
mod refused;
mod run;
mod secrets;
mod source;
mod step_up;
mod time;
mod uses;
mod views;

pub use admit::{Admit, Proven};
pub use build::{RegistryBuilder, RegistryKeys};
pub use clock::ClockSuspicion;
pub use commands::{Answer, Commands};
pub use known::Known;
#[cfg(feature = "digest")]
pub use look_up::DigestUsers;
#[cfg(feature = "jwt")]
pub use look_up::JwtIssuers;
#[cfg(feature = "sigv4")]
pub use look_up::SigV4Keys;
pub use look_up::Tokens;
#[cfg(feature = "basic")]
pub use look_up::{BasicPasswords, BasicUsers};
pub use secrets::{Issued, NewSecret, Wanted};
pub use step_up::{StepUpCheck, StepUpProof};
pub use time::Retired;
pub use views::{CredentialView, DryRun, GroupView, NewService};

use crate::{
    Actor, EnvelopeSealer, GroupPolicy, Kind, LifecycleStore, TokenFormat,
    cached_store::CachedStore,
};
use auth_core::{KeyHasher, Observer, Random};
use clock::LedgerClock;
use refused::Refusals;
use source::Source;
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, atomic::AtomicUsize},
};
use uses::Uses;

/// Issues credentials, and knows them again: commands and look-ups over one store.
///
/// A clone is the same registry. Several processes may have a registry on one store, with the same keys.
///
/// ```
/// use auth_core::{Secret, TenantId};
/// use auth_lifecycle::{Actor, MemoryLifecycleStore, Registry, RegistryKeys, Role};
///
/// # fn run(master: &Secret) -> Result<(), Box<dyn std::error::Error>> {
/// let registry = Registry::build(MemoryLifecycleStore::new(), RegistryKeys::from_master(master)?).finish()?;
/// let alice = Actor::new(TenantId::new("acme"), "alice", Role::Owner);
/// let service = registry.by(&alice).create_service("alerts").wait()??;
/// println!("service {} has the key {}", service.service.id, service.key.credential.id);
/// # Ok(())
/// # }
/// # run(&Secret::new([7; 32])).unwrap();
/// ```
#[derive(Clone)]
pub struct Registry(Arc<Inner>);

struct Inner {
    store: Arc<dyn LifecycleStore>,
    cache: CachedStore<Source>,
    uses: Uses,
    observer: Arc<dyn Observer>,
    hashers: Hashers,
    sealer: EnvelopeSealer,
    policies: HashMap<Kind, GroupPolicy>,
    formats: HashMap<Kind, TokenFormat>,
    clock: Arc<LedgerClock>,
    random: Arc<dyn Random>,
    step_up: Option<Arc<dyn StepUpCheck>>,
    refusals: Refusals,
    /// Groups at the head of those that are due, which failed: the next round goes on behind them.
    passed_over: AtomicUsize,
}

/// A keyed hash for each purpose, so that what is a digest of one is none of another.
struct Hashers {
    /// Tokens, which verifiers hash with it too.
    tokens: KeyHasher,
    /// Tokens of which a former registry kept the SHA-256.
    sha256_tokens: KeyHasher,
    /// Names that credentials are found by: user names, access key ids.
    names: KeyHasher,
    /// Secrets that are not found by themselves.
    fingerprints: KeyHasher,
    /// Idempotency keys and commands.
    answers: KeyHasher,
    /// Proofs that an actor gave its password.
    proofs: KeyHasher,
}

impl Registry {
    /// A registry on this store, under these keys.
    pub fn build(store: impl LifecycleStore + 'static, keys: RegistryKeys) -> RegistryBuilder {
        RegistryBuilder::new(Arc::new(store), keys)
    }

    /// The commands and views of this actor.
    #[must_use]
    pub fn by(&self, actor: &Actor) -> Commands {
        Commands::new(self.clone(), actor.clone())
    }

    /// The hasher of tokens, for the verifiers that look tokens up here.
    #[must_use]
    pub fn token_hasher(&self) -> KeyHasher {
        self.0.hashers.tokens.clone()
    }

    /// The hasher of tokens of which a former registry kept the SHA-256: the older hasher of a verifier, for as long as such
    /// tokens are in use.
    #[must_use]
    pub fn sha256_token_hasher(&self) -> KeyHasher {
        self.0.hashers.sha256_tokens.clone()
    }

    /// The policy of the groups of a kind.
    #[must_use]
    pub fn policy(&self, kind: Kind) -> GroupPolicy {
        self.0.policies.get(&kind).cloned().unwrap_or_else(|| GroupPolicy::of(kind))
    }

    /// Regular expressions that find the tokens that this registry makes, for scanners of source code and logs.
    #[must_use]
    pub fn scanner_expressions(&self) -> Vec<String> {
        self.0.formats.values().map(TokenFormat::scanner_expression).collect()
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Registry(..)")
    }
}
