//! What a registry is built with.

use super::{
    Hashers, Inner, LedgerClock, Refusals, Registry, Source, StepUpCheck, Uses,
    checked_store::CheckedStore, known::KnownSet,
};
use crate::{
    CacheSettings, EnvelopeSealer, GroupPolicy, KeyWrapper, Kind, LifecycleStore, LocalKeyWrapper,
    TokenFormat, cached_store::CachedStore,
};
use auth_core::{
    Clock, Error, KeyHasher, Observer, Random, Result, Secret, SystemClock, SystemRandom,
};
use ring::hmac;
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, atomic::AtomicUsize},
};

/// The keys of a registry: one hashes tokens, the other one seals secrets.
pub struct RegistryKeys {
    hashing: Secret,
    wrapper: Arc<dyn KeyWrapper>,
}

impl RegistryKeys {
    const MASTER_BYTES: usize = 32;

    /// Both keys made of one master key of exactly 32 random bytes: for a first deployment.
    ///
    /// `openssl rand -out master.key 32` makes a file that holds one. Its bytes are the key, as they are in the file: no
    /// text, no Base64, no line break.
    ///
    /// # Errors
    ///
    /// `Error::Config` with the code `lifecycle_master_key_length` when the key has another length.
    ///
    /// # Security
    ///
    /// An attacker who has the master key and the store has every secret in it. Keep the key where the store and its
    /// backups are not. The hashing key can never be replaced, since nobody can hash again what was never kept: a platform
    /// that wants to replace the sealing key begins with [`new`](Self::new) and two keys.
    pub fn from_master(master: &Secret) -> Result<Self> {
        let bytes = master.expose().len();
        if bytes != Self::MASTER_BYTES {
            let text = format!(
                "master key has {bytes} bytes, expected exactly 32 random ones; decode it first if it is Base64 or \
                 hexadecimal, or make one with `openssl rand -out master.key 32`"
            );
            return Err(Error::config("lifecycle_master_key_length", text));
        }
        let wrapper =
            LocalKeyWrapper::new("master", &derived(master, b"sealing"), SystemRandom::new())?;
        Ok(Self { hashing: derived(master, b"hashing"), wrapper: Arc::new(wrapper) })
    }

    /// A hashing key of at least 32 random bytes, and what wraps data keys: a
    /// [`LocalKeyWrapper`], or a key management service.
    ///
    /// # Errors
    ///
    /// `Error::Config` when the hashing key is too short.
    pub fn new(hashing: Secret, wrapper: impl KeyWrapper + 'static) -> Result<Self> {
        KeyHasher::new(&hashing)?;
        Ok(Self { hashing, wrapper: Arc::new(wrapper) })
    }
}

/// A key for one purpose, made of another (HMAC as a key derivation function in counter mode, NIST SP 800-108).
fn derived(key: &Secret, purpose: &[u8]) -> Secret {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key.expose()));
    context.update(&[0, 0, 0, 1]);
    context.update(b"messaging-auth lifecycle ");
    context.update(purpose);
    context.update(&[0, 0, 0, 1, 0]);
    Secret::new(context.sign().as_ref())
}

/// Builds a [`Registry`].
pub struct RegistryBuilder {
    store: Arc<dyn LifecycleStore>,
    keys: RegistryKeys,
    policies: HashMap<Kind, GroupPolicy>,
    environment: Arc<str>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    observer: Arc<dyn Observer>,
    cache: CacheSettings,
    step_up: Option<Arc<dyn StepUpCheck>>,
}

impl RegistryBuilder {
    pub(super) fn new(store: Arc<dyn LifecycleStore>, keys: RegistryKeys) -> Self {
        Self {
            store,
            keys,
            policies: HashMap::new(),
            environment: Arc::from("live"),
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom::new()),
            observer: Arc::new(()),
            cache: CacheSettings::default(),
            step_up: None,
        }
    }

    /// With this policy for all groups of a kind, in place of [`GroupPolicy::of`]. All processes on a store need the same.
    ///
    /// ```
    /// # use auth_lifecycle::{GroupPolicy, Kind, RegistryBuilder};
    /// # fn with(builder: RegistryBuilder) -> RegistryBuilder {
    /// // API keys that end when somebody ends them, as many creations a day as anybody likes.
    /// let lasting = GroupPolicy { lifetime: None, creations_a_day: None, ..GroupPolicy::keys_with_an_end() };
    /// let builder = builder.with_policy(Kind::ApiKey, lasting);
    /// # builder
    /// # }
    /// ```
    #[must_use]
    pub fn with_policy(mut self, kind: Kind, policy: GroupPolicy) -> Self {
        self.policies.insert(kind, policy);
        self
    }

    /// With the name of the environment that is part of every token: `live` unless set. A token of a test environment is
    /// recognized as one.
    #[must_use]
    pub fn with_environment(self, environment: impl Into<Arc<str>>) -> Self {
        Self { environment: environment.into(), ..self }
    }

    /// With what checks an actor's password before a deletion. Without it nothing can be deleted.
    #[must_use]
    pub fn with_step_up(self, check: impl StepUpCheck + 'static) -> Self {
        Self { step_up: Some(Arc::new(check)), ..self }
    }

    /// With what is told of a discarded credential that is still used
    /// ([`InactiveCredentialUsed`](auth_core::Event::InactiveCredentialUsed)) and of a password that could not be hashed
    /// anew ([`PasswordNotRehashed`](auth_core::Event::PasswordNotRehashed)). Requests that are accepted or rejected are
    /// told to the observer of the server layer; what commands do stands in the ledger ([`Commands::events`]).
    ///
    /// [`Commands::events`]: crate::Commands::events
    #[must_use]
    pub fn with_observer(self, observer: impl Observer + 'static) -> Self {
        Self { observer: Arc::new(observer), ..self }
    }

    /// With other bounds of the cache that verifiers read through.
    #[must_use]
    pub fn with_cache(self, cache: CacheSettings) -> Self {
        Self { cache, ..self }
    }

    /// With another clock than the system's.
    #[must_use]
    pub fn with_clock(self, clock: impl Clock + 'static) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// With other randomness than the system's: for tests.
    #[must_use]
    pub fn with_random(self, random: impl Random + 'static) -> Self {
        Self { random: Arc::new(random), ..self }
    }

    /// The registry. Nothing is read from the store yet.
    ///
    /// Before the registry asks its store for anything, it compares the hashing key with the one that the store was begun
    /// with. Under another key every flow of the registry fails with the code `lifecycle_keys_wrong`, and nothing is
    /// written. Let a program [`poll`](Registry::poll) once before it serves anybody, so that it ends there.
    ///
    /// # Errors
    ///
    /// `Error::Config` when no group could keep a policy, or the name of the environment cannot be part of a token.
    pub fn finish(self) -> Result<Registry> {
        self.policies.values().try_for_each(GroupPolicy::check)?;
        let mut formats = HashMap::new();
        for kind in Kind::ALL {
            if let Some(prefix) = kind.row().prefix {
                formats.insert(kind, TokenFormat::new(prefix, Arc::clone(&self.environment))?);
            }
        }
        let hasher = |purpose: &[u8]| KeyHasher::new(&derived(&self.keys.hashing, purpose));
        let sealer = EnvelopeSealer::new(self.keys.wrapper, Arc::clone(&self.random));
        let ours = hasher(b"key check")?.hash(b"messaging-auth lifecycle keys");
        let store = CheckedStore::new(self.store, Arc::clone(&self.clock), ours);
        let store: Arc<dyn LifecycleStore> = Arc::new(store);
        let ledger_clock = Arc::new(LedgerClock::new(Arc::clone(&self.clock)));
        let clock = Arc::clone(&ledger_clock);
        let source = Source { store: Arc::clone(&store), sealer: sealer.clone(), clock };
        let (clock, random) = (Arc::clone(&self.clock), Arc::clone(&self.random));
        let refusals = Refusals::new(Arc::clone(&self.clock));
        let cache = CachedStore::new(source, self.cache, KnownSet::weight, clock, random)?;
        Ok(Registry(Arc::new(Inner {
            cache,
            uses: Uses::default(),
            observer: self.observer,
            hashers: Hashers {
                tokens: hasher(b"tokens")?,
                sha256_tokens: hasher(b"sha256 tokens")?.over_sha256(),
                names: hasher(b"names")?,
                fingerprints: hasher(b"fingerprints")?,
                answers: hasher(b"answers")?,
                proofs: hasher(b"proofs")?,
            },
            sealer,
            store,
            policies: self.policies,
            formats,
            clock: ledger_clock,
            random: self.random,
            step_up: self.step_up,
            refusals,
            passed_over: AtomicUsize::new(0),
        })))
    }
}

impl fmt::Debug for RegistryKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RegistryKeys(..)")
    }
}

impl fmt::Debug for RegistryBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegistryBuilder").field("policies", &self.policies).finish_non_exhaustive()
    }
}
