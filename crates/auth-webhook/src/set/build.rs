//! The settings of a set.

use super::{AuthorizationSet, Inner};
use crate::{SecretSources, Transports, built::Tokens};
use auth_core::{
    AttemptRate, Clock, KeyHasher, Limits, MemoryAttemptLimits, Observer, Random, Result,
    SystemClock, SystemRandom,
};
use auth_oauth2::{MemoryPendingAuthorizations, PendingAuthorizations};
use auth_session::{MemoryTokenStore, TokenStore};
use std::{fmt, sync::Arc, time::Duration};

/// Collects the settings of an [`AuthorizationSet`].
#[must_use]
pub struct AuthorizationSetBuilder {
    transports: Arc<dyn Transports>,
    sources: SecretSources,
    tokens: Option<Tokens>,
    pending: Option<Arc<dyn PendingAuthorizations>>,
    hasher: Option<KeyHasher>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    observer: Arc<dyn Observer>,
    probes: Option<Arc<dyn Limits>>,
}

impl AuthorizationSetBuilder {
    pub(super) fn new(transports: Arc<dyn Transports>) -> Self {
        Self {
            transports,
            sources: SecretSources::new(),
            tokens: None,
            pending: None,
            hasher: None,
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom::new()),
            observer: Arc::new(()),
            probes: None,
        }
    }

    /// The secret sources that configurations may name.
    pub fn with_sources(self, sources: SecretSources) -> Self {
        Self { sources, ..self }
    }

    /// Tokens are kept here, under names that this hasher makes; in the memory of the process unless set. Processes that
    /// share the store and the secret of the hasher share the tokens.
    pub fn with_token_store(self, store: impl TokenStore + 'static, hasher: KeyHasher) -> Self {
        Self { tokens: Some(Arc::new(store)), hasher: Some(hasher), ..self }
    }

    /// Authorizations that wait for their users are kept here; in the memory of the process unless set.
    pub fn with_pending_authorizations(self, store: impl PendingAuthorizations + 'static) -> Self {
        Self { pending: Some(Arc::new(store)), ..self }
    }

    /// How often a tenant may probe; ten times a minute unless set.
    pub fn with_probe_limits(self, limits: impl Limits + 'static) -> Self {
        Self { probes: Some(Arc::new(limits)), ..self }
    }

    /// With another clock.
    pub fn with_clock(self, clock: impl Clock + 'static) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// With other randomness: for tests.
    pub fn with_random(self, random: impl Random + 'static) -> Self {
        Self { random: Arc::new(random), ..self }
    }

    /// With an observer, which is told of renewals, refusals and attempts.
    pub fn with_observer(self, observer: impl Observer + 'static) -> Self {
        Self { observer: Arc::new(observer), ..self }
    }

    /// The set, which is empty.
    ///
    /// # Errors
    ///
    /// When there is no randomness.
    pub fn build(self) -> Result<AuthorizationSet> {
        let Self { transports, sources, tokens, pending, hasher, clock, random, observer, probes } =
            self;
        let hasher = match hasher {
            Some(hasher) => hasher,
            None => KeyHasher::random(&*random)?,
        };
        let probes = match probes {
            Some(probes) => probes,
            None => {
                let rate = AttemptRate::new(10, Duration::from_secs(60))?;
                let limits = MemoryAttemptLimits::new(Arc::clone(&clock));
                Arc::new(limits.with_identity_rate(rate))
            }
        };
        Ok(AuthorizationSet(Arc::new(Inner {
            transports,
            sources,
            tokens: tokens.unwrap_or_else(|| Arc::new(MemoryTokenStore::new(Arc::clone(&clock)))),
            pending: pending
                .unwrap_or_else(|| Arc::new(MemoryPendingAuthorizations::new(Arc::clone(&clock)))),
            probes,
            hasher,
            clock,
            random,
            observer,
            tenants: Default::default(),
        })))
    }
}

impl fmt::Debug for AuthorizationSetBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AuthorizationSetBuilder({:?})", self.sources)
    }
}
