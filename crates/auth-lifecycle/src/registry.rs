//! The registry: commands and look-ups over a store.

mod answers;
mod build;
mod clock;
mod commands;
mod run;
mod secrets;
mod step_up;
mod time;
mod views;

pub use build::{RegistryBuilder, RegistryKeys};
pub use clock::ClockSuspicion;
pub use commands::{Answer, Commands};
pub use secrets::{Issued, NewSecret, Wanted};
pub use step_up::{StepUpCheck, StepUpProof};
pub use time::Retired;
pub use views::{CredentialView, DryRun, GroupView, NewService};

use crate::{Actor, EnvelopeSealer, GroupPolicy, Kind, LifecycleStore, TokenFormat};
use auth_core::{KeyHasher, Random};
use clock::LedgerClock;
use std::{collections::HashMap, fmt, sync::Arc};

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
    hashers: Hashers,
    sealer: EnvelopeSealer,
    policies: HashMap<Kind, GroupPolicy>,
    formats: HashMap<Kind, TokenFormat>,
    clock: LedgerClock,
    random: Arc<dyn Random>,
    step_up: Option<Arc<dyn StepUpCheck>>,
}

/// A keyed hash for each purpose, so that what is a digest of one is none of another.
struct Hashers {
    /// Tokens, which verifiers hash with it too.
    tokens: KeyHasher,
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
