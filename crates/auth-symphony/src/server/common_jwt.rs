//! Common JWTs, verified by the keys that their pod publishes.

use crate::SymphonyEndpoints;
use auth_core::{Context, Flow, Lookup, Need, Outcome, Presence, RequestView, Result, Verifier};
use auth_jwt::{
    JwsAlgorithm, JwtKeys, JwtPolicy, JwtPrincipal, JwtVerifier, KeyId, RemoteJwkSet, RequiredClaim,
};
use std::fmt;

/// Verifies the common JWT of a request (`Authorization: Bearer`) by the keys of a pod, `GET /login/idm/keys`: for a server
/// that the bots and users of this pod call with the token that they call the pod with.
///
/// The subject is the id of the user, as text. The vendor's own samples name neither an issuer nor an audience, so neither
/// is asked for: that the pod has signed it is what counts. The keys are fetched when a token first asks for one, and kept
/// as [`RemoteJwkSet`] keeps them.
///
/// ```
/// use auth_symphony::{CommonJwtVerifier, Context, SymphonyEndpoints};
/// # fn with(transport: impl auth_core::Transport + 'static) -> Result<(), auth_symphony::Error> {
/// let pod = SymphonyEndpoints::new("https://acme.symphony.com")?;
/// let door = CommonJwtVerifier::new(&pod, Context::new(transport))?;
/// # Ok(())
/// # }
/// ```
///
/// # Security
///
/// Whoever is called with a common JWT can call the pod with it until it ends: take it from callers over TLS alone, and
/// write it nowhere. A session that has ended does not end the JWTs that were issued for it.
pub struct CommonJwtVerifier(JwtVerifier<PodKeys>);

impl CommonJwtVerifier {
    /// Of tokens of the pod at these endpoints. Nothing is sent before the first token.
    ///
    /// # Errors
    ///
    /// Those of the look-up's [`build`](auth_jwt::RemoteJwkSetBuilder::build).
    pub fn new(endpoints: &SymphonyEndpoints, context: Context) -> Result<Self> {
        let url = endpoints.pod.url("/login/idm/keys")?.to_string();
        let clock = context.clock.clone();
        let keys = RemoteJwkSet::builder(NAME, &url, context)
            .with_assumed_algorithm(JwsAlgorithm::RS256)
            .build()?;
        let policy =
            JwtPolicy::new().allowing_any_audience().with_required_claim(RequiredClaim::Subject);
        Ok(Self(JwtVerifier::new("symphony", policy, PodKeys(keys), clock)?))
    }
}

impl Verifier for CommonJwtVerifier {
    type Principal = JwtPrincipal<()>;

    fn presence(&self, head: RequestView<'_>) -> Presence {
        self.0.presence(head)
    }

    fn needs(&self, head: RequestView<'_>) -> Need {
        self.0.needs(head)
    }

    fn verify<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Outcome<JwtPrincipal<()>>> {
        self.0.verify(request)
    }
}

/// The keys of the one pod, whatever a token says of its issuer.
struct PodKeys(RemoteJwkSet);

/// What the pod is called in here.
const NAME: &str = "symphony pod";

impl Lookup<KeyId> for PodKeys {
    type Found = JwtKeys;

    fn lookup(&self, id: &KeyId) -> Flow<'_, Option<JwtKeys>> {
        self.0.lookup(&KeyId { issuer: Some(NAME.into()), kid: id.kid.clone() })
    }
}

impl fmt::Debug for CommonJwtVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CommonJwtVerifier").finish_non_exhaustive()
    }
}
