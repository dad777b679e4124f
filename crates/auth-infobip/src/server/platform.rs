//! A platform over a registry, and the parts that its server is made of.

use super::{
    ApiKeyEndpoint, InfobipDoor, InfobipUsers, OAuthTokenEndpoint, OAuthTokens, RegistrySessions,
    accounts::{KeyServices, with_policies},
    tokens::TokenSettings,
};
use auth_core::{AttemptLimit, Clock, Random, Result, Secret, SystemClock, SystemRandom, Verifier};
use auth_ibsso::{SessionEndpoint, SessionLifetime};
use auth_lifecycle::{Known, Registry, RegistryBuilder};
use auth_static::Placement;
use std::{fmt, sync::Arc};

/// A platform that is called as Infobip is: accounts and users, and what its server is made of.
///
/// | to | use |
/// |---|---|
/// | create accounts and their users | [`create_account`](Self::create_account), [`create_user`](Self::create_user) |
/// | judge callers | [`door`](Self::door), which takes all four methods |
/// | answer `/auth/1/session` | [`session_endpoint`](Self::session_endpoint) |
/// | answer `/auth/1/oauth2/token` | [`token_endpoint`](Self::token_endpoint) |
/// | answer `/settings/2/api-keys` | [`api_key_endpoint`](Self::api_key_endpoint) |
/// | replace passwords, read the audit, retire what is due | [`registry`](Self::registry) |
///
/// The [crate documentation](crate) shows all of it together. A clone is the same platform. Several processes may have one
/// on the same store, with the same keys and lifetime of sessions.
#[derive(Clone)]
pub struct InfobipPlatform {
    pub(super) registry: Registry,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) random: Arc<dyn Random>,
    pub(super) key_services: Arc<KeyServices>,
    limit: Option<AttemptLimit>,
    /// Where an API key may stand beside its field.
    key_in_query: Option<Placement>,
}

impl InfobipPlatform {
    /// The platform over a registry that is built here, since its policies are those of the platform: one session of a user,
    /// and 40 API keys a day that end after a year.
    ///
    /// A session lives as long as `session` says. The documentation of Infobip contradicts itself: `Fixed` is its "60
    /// minutes", `Sliding` its "60 minutes of inactivity". One that slides ends up to a minute later than it says, since uses
    /// are noted to the minute.
    ///
    /// ```
    /// use auth_core::Secret;
    /// use auth_ibsso::SessionLifetime;
    /// use auth_infobip::InfobipPlatform;
    /// use auth_lifecycle::{MemoryLifecycleStore, Registry, RegistryKeys};
    /// let keys = RegistryKeys::from_master(&Secret::new([7; 32]))?; // 32 random bytes of the platform
    /// let registry = Registry::build(MemoryLifecycleStore::new(), keys);
    /// let platform = InfobipPlatform::new(registry, SessionLifetime::default())?;
    /// # let _ = platform;
    /// # Ok::<_, auth_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`RegistryBuilder::finish`].
    pub fn new(registry: RegistryBuilder, session: SessionLifetime) -> Result<Self> {
        let registry = with_policies(registry, session).finish()?;
        let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom::new()));
        Ok(Self {
            registry,
            clock,
            random,
            key_services: Arc::default(),
            limit: None,
            key_in_query: None,
        })
    }

    /// With another clock than the system's: that of the registry.
    #[must_use]
    pub fn with_clock(self, clock: impl Clock + 'static) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// With other randomness than the system's: for tests.
    #[must_use]
    pub fn with_random(self, random: impl Random + 'static) -> Self {
        Self { random: Arc::new(random), ..self }
    }

    /// With a limit to wrong passwords, keys and tokens of each source and user, in doors and endpoints that are made from
    /// now on: beyond it callers get a 429 with `Retry-After`.
    #[must_use]
    pub fn with_limit(self, limit: AttemptLimit) -> Self {
        Self { limit: Some(limit), ..self }
    }

    /// Takes an API key in this parameter of the query string too, in doors that are made from now on. Infobip says that one
    /// may stand there, and does not name the parameter.
    ///
    /// # Errors
    ///
    /// Those of [`Placement::query`] for the name.
    ///
    /// # Security
    ///
    /// URLs end up in the logs of proxies and servers, and with them the keys.
    pub fn allowing_key_in_query(self, parameter: &str) -> Result<Self> {
        Ok(Self { key_in_query: Some(Placement::query(parameter)?), ..self })
    }

    /// The registry, which has the accounts as tenants and the users as services.
    #[must_use]
    pub const fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The sessions of all users.
    #[must_use]
    pub fn sessions(&self) -> RegistrySessions {
        RegistrySessions::new(self.registry.clone())
    }

    /// OAuth tokens that name this issuer, signed with this secret of at least 32 random bytes. All processes need the same
    /// one; under another one every token that was issued before is refused.
    ///
    /// # Errors
    ///
    /// `Error::Config` when the secret is too short.
    pub fn tokens(&self, issuer: &str, secret: &Secret) -> Result<OAuthTokens> {
        OAuthTokens::new(TokenSettings {
            registry: &self.registry,
            issuer,
            secret,
            clock: Arc::clone(&self.clock),
            random: Arc::clone(&self.random),
            limit: self.limit.clone(),
        })
    }

    /// The door of every API. `tokens` judges OAuth tokens: [`OAuthTokens`], or what stands around them.
    ///
    /// # Errors
    ///
    /// None with these settings: the signature is that of the verifiers.
    pub fn door(
        &self,
        users: &InfobipUsers,
        tokens: impl Verifier<Principal = Known> + 'static,
    ) -> Result<InfobipDoor> {
        let (limit, in_query) = (self.limit.as_ref(), self.key_in_query.as_ref());
        InfobipDoor::new(&self.registry, users, tokens, limit, in_query)
    }

    /// `POST` and `DELETE /auth/1/session`.
    #[must_use]
    pub fn session_endpoint(
        &self,
        users: &InfobipUsers,
        door: &InfobipDoor,
    ) -> SessionEndpoint<RegistrySessions, InfobipUsers, InfobipDoor> {
        let endpoint = SessionEndpoint::new(self.sessions(), users.clone(), door.clone());
        match &self.limit {
            Some(limit) => endpoint.with_limit(limit.clone()),
            None => endpoint,
        }
    }

    /// `POST /auth/1/oauth2/token`.
    #[must_use]
    pub fn token_endpoint(&self, users: &InfobipUsers, tokens: &OAuthTokens) -> OAuthTokenEndpoint {
        OAuthTokenEndpoint::new(tokens.clone(), users.clone(), self.limit.clone())
    }

    /// `/settings/2/api-keys`.
    #[must_use]
    pub fn api_key_endpoint(&self) -> ApiKeyEndpoint {
        ApiKeyEndpoint::new(self.clone())
    }
}

impl fmt::Debug for InfobipPlatform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InfobipPlatform").field("limit", &self.limit).finish_non_exhaustive()
    }
}
