//! The platform's end: the door of each family of APIs.

mod app;
mod bearer;
mod issuers;
mod refusal;

pub use app::{AppCaller, AppDoor, ProvenApp};
pub use bearer::BearerDoor;
pub use refusal::refusal_answer;

use app::AppIssuers;
use auth_core::{AttemptLimit, Clock, Precedence, Result, SystemClock, Verifier};
use auth_jwt::{JwtVerifier, profiles};
use auth_lifecycle::{Admit, Kind, Known, Registry, Tokens};
use auth_static::{ApiKeyVerifier, BearerVerifier, Placement};
use http::HeaderName;
use issuers::{ServiceIssuers, ServiceKeyAsIssuer};
use std::{fmt, sync::Arc};

/// The door of service APIs: a service JWT decides where there is one, and a service key else. Neither falls back to the
/// other.
pub type ServiceDoor = Admit<Precedence<Known>>;

/// Makes the doors of the platform's APIs over the credentials that a registry has issued.
///
/// Each door admits callers by their credential and from their address, and gives the [`Caller`](auth_core::Caller), which
/// names tenant and service. Give each family of APIs a door of its own, and the addresses that its tenants list by
/// [`with_addresses`](Admit::with_addresses).
///
/// | door | takes |
/// |---|---|
/// | [`service`](Self::service) | service JWT (Bearer), service key (`key`) |
/// | [`sandbox`](Self::sandbox) | service JWT or service key, both as Bearer |
/// | [`profile`](Self::profile) | profile key (`key`) |
/// | [`contact_policy`](Self::contact_policy) | profile key (Bearer) |
/// | [`app`](Self::app) | app JWT (Bearer), for the paths of its app |
///
/// ```
/// use auth_core::Secret;
/// use auth_lifecycle::{MemoryLifecycleStore, Registry, RegistryKeys};
/// use auth_webex::WebexDoors;
/// let keys = RegistryKeys::from_master(&Secret::new([7; 32]))?; // 32 random bytes of the platform
/// let registry = Registry::build(MemoryLifecycleStore::new(), keys).finish()?;
/// let messaging = WebexDoors::new(registry).service()?;
/// # let _ = messaging;
/// # Ok::<_, auth_core::Error>(())
/// ```
#[derive(Clone)]
pub struct WebexDoors {
    registry: Registry,
    clock: Arc<dyn Clock>,
    issuer: ServiceKeyAsIssuer,
    token_field: Option<HeaderName>,
    limit: Option<AttemptLimit>,
}

impl WebexDoors {
    /// The doors over this registry, as strict as the documentation has them.
    #[must_use]
    pub fn new(registry: Registry) -> Self {
        let (clock, issuer) = (Arc::new(SystemClock), ServiceKeyAsIssuer::Refused);
        Self { registry, clock, issuer, token_field: None, limit: None }
    }

    /// With another clock.
    #[must_use]
    pub fn with_clock(self, clock: impl Clock + 'static) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// With a limit to the wrong credentials that each source sends, in doors that are made from now on. A source that has reached
    /// it is refused with code 7020.
    #[must_use]
    pub fn with_limit(self, limit: AttemptLimit) -> Self {
        Self { limit: Some(limit), ..self }
    }

    /// Takes a service key for the Service ID in `iss`, as a sample of the documentation has it. The token is still signed by
    /// the service's secret.
    #[must_use]
    pub fn allowing_service_key_as_issuer(self) -> Self {
        Self { issuer: ServiceKeyAsIssuer::Allowed, ..self }
    }

    /// Takes a service JWT in the field `key` too, as the page on inbound webhooks has it.
    #[must_use]
    pub fn allowing_jwt_in_key_field(self) -> Self {
        Self { token_field: Some(HeaderName::from_static("key")), ..self }
    }

    /// The door of Messaging v1 and v2, Custom Event v1, inbound webhooks and RCS capability look-up.
    ///
    /// # Errors
    ///
    /// None with these settings: the signature is that of the verifiers.
    pub fn service(&self) -> Result<ServiceDoor> {
        let jwt = match &self.token_field {
            Some(field) => self.jwt()?.with_field(field.clone()),
            None => self.jwt()?,
        };
        let jwt = jwt.map(|proven| proven.caller);
        Ok(self.registry.admit(Precedence::new(jwt).then(self.in_key(Kind::ServiceKey)?)))
    }

    /// The door of the sandbox: a Bearer token of three base64url parts is a JWT, and any other a service key. It is judged
    /// once, as what its form says.
    ///
    /// # Errors
    ///
    /// Those of [`service`](Self::service).
    pub fn sandbox(&self) -> Result<Admit<BearerDoor>> {
        let key = self.as_bearer(Kind::ServiceKey)?;
        Ok(self.registry.admit(BearerDoor::new(self.jwt()?, key)))
    }

    /// The door of Profile v2.
    ///
    /// # Errors
    ///
    /// Those of [`service`](Self::service).
    pub fn profile(&self) -> Result<Admit<ApiKeyVerifier<Tokens>>> {
        Ok(self.registry.admit(self.in_key(Kind::ProfileKey)?))
    }

    /// The door of Contact Policy.
    ///
    /// # Errors
    ///
    /// Those of [`service`](Self::service).
    pub fn contact_policy(&self) -> Result<Admit<BearerVerifier<Tokens>>> {
        Ok(self.registry.admit(self.as_bearer(Kind::ProfileKey)?))
    }

    /// The door of Thread, Segment and Topic: HS256 under a secret of the app ([`Kind::AppJwtSecret`]), or RS256 under the
    /// key that it has named by a `kid` ([`Kind::AppJwtKey`]). The app is the service that `appId` names, and the path has to
    /// be of that app: `/apps/{appId}/` is in it, and no proxy or router can read another app in it, as in `/apps/a/../b`.
    ///
    /// The platform's pages let `exp` be left out. This door requires it, since a token without an end opens it for
    /// as long as its key lives.
    ///
    /// # Errors
    ///
    /// Those of [`service`](Self::service).
    pub fn app(&self) -> Result<Admit<AppDoor>> {
        let (policy, issuers) = (profiles::webex_app_policy(), AppIssuers::new(&self.registry));
        let jwt = JwtVerifier::new(REALM, policy, issuers, Arc::clone(&self.clock))?;
        Ok(self.registry.admit(AppDoor::new(self.limited(jwt, JwtVerifier::with_limit))))
    }

    fn jwt(&self) -> Result<JwtVerifier<ServiceIssuers>> {
        let issuers = ServiceIssuers::new(&self.registry, self.issuer);
        let policy = profiles::webex_service_policy();
        let jwt = JwtVerifier::new(REALM, policy, issuers, Arc::clone(&self.clock))?;
        Ok(self.limited(jwt, JwtVerifier::with_limit))
    }

    fn in_key(&self, kind: Kind) -> Result<ApiKeyVerifier<Tokens>> {
        let (hasher, tokens) = (self.registry.token_hasher(), self.registry.tokens(&[kind]));
        let keys = ApiKeyVerifier::new(REALM, Placement::header("key")?, hasher, tokens)?;
        Ok(self.limited(keys, ApiKeyVerifier::with_limit))
    }

    fn as_bearer(&self, kind: Kind) -> Result<BearerVerifier<Tokens>> {
        let (hasher, tokens) = (self.registry.token_hasher(), self.registry.tokens(&[kind]));
        Ok(self.limited(BearerVerifier::new(REALM, hasher, tokens)?, BearerVerifier::with_limit))
    }

    fn limited<V>(&self, verifier: V, with_limit: fn(V, AttemptLimit) -> V) -> V {
        match &self.limit {
            Some(limit) => with_limit(verifier, limit.clone()),
            None => verifier,
        }
    }
}

const REALM: &str = "webex";

impl fmt::Debug for WebexDoors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebexDoors(..)")
    }
}
