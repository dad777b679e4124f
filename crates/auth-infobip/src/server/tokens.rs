//! OAuth tokens: signed here, and judged at the door.

use super::accounts::random_uuid;
use auth_core::{
    Accepted, AttemptLimit, BearerRealm, Clock, Flow, Lookup, Need, Outcome, Presence, Random,
    Reason, RequestView, Result, Secret, Verifier,
};
use auth_jwt::{
    ClaimsToSign, JwsAlgorithm, JwtKeys, JwtPolicy, JwtPrincipal, JwtVerifier, KeyId, SigningKey,
};
use auth_lifecycle::{BasicUsers, Known, Registry};
use serde::Deserialize;
use std::{collections::HashMap, fmt, sync::Arc, time::Duration};

/// The OAuth tokens of a platform, which is authorization server and resource server in one: it issues them, and verifies
/// them.
///
/// A token is a JWT with the claims of the platform's own sample (`sub` is the user name), signed with HS256, and good for
/// an hour. `platform.tokens(..)` makes it. A clone shares the key.
///
/// # Security
///
/// A token stands for the password that it was obtained with: it ends with that password, however it is replaced, and opens what the role of its
/// user opens at the moment of the request, not at that of its issue.
#[derive(Clone)]
pub struct OAuthTokens(Arc<Inner>);

struct Inner {
    issuer: Box<str>,
    key: SigningKey,
    jwt: JwtVerifier<HashMap<KeyId, JwtKeys>>,
    users: BasicUsers,
    realm: BearerRealm,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

/// What a token says beside the claims of the platform's sample: the password that it was obtained with.
#[derive(Deserialize)]
struct Claimed {
    credential: Box<str>,
    /// A password that is regenerated keeps its credential.
    generation: u64,
}

/// What the tokens of a platform are made with.
pub(super) struct TokenSettings<'a> {
    pub(super) registry: &'a Registry,
    pub(super) issuer: &'a str,
    pub(super) secret: &'a Secret,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) random: Arc<dyn Random>,
    pub(super) limit: Option<AttemptLimit>,
}

const KEY_ID: &str = "1";

/// How long a token is good: as long as that of the platform's sample.
pub(super) const LIFETIME: Duration = Duration::from_secs(3600);

impl OAuthTokens {
    pub(super) fn new(settings: TokenSettings<'_>) -> Result<Self> {
        let TokenSettings { registry, issuer, secret, clock, random, limit } = settings;
        let key = SigningKey::from_secret(JwsAlgorithm::HS256, secret.expose())?;
        let name = KeyId { issuer: Some(issuer.into()), kid: Some(KEY_ID.into()) };
        let keys = HashMap::from([(name, key.verifying().into())]);
        let policy = JwtPolicy::new().with_issuer(issuer).with_leeway(Duration::ZERO);
        let jwt = JwtVerifier::new(super::REALM, policy, keys, Arc::clone(&clock))?;
        let jwt = match limit {
            Some(limit) => jwt.with_limit(limit),
            None => jwt,
        };
        let (users, realm) = (registry.basic_users(), BearerRealm::new(super::REALM)?);
        let issuer = issuer.into();
        Ok(Self(Arc::new(Inner { issuer, key, jwt, users, realm, clock, random })))
    }

    /// A token of this user, whose name and password have proved this credential.
    ///
    /// # Errors
    ///
    /// Those of the randomness.
    pub fn issue(&self, user: &str, password: &Known) -> Result<Secret> {
        let Inner { issuer, key, clock, random, .. } = &*self.0;
        let claims = ClaimsToSign::expiring_in(LIFETIME)?
            .with_issuer(issuer)
            .with_subject(user)
            .with_key_id(KEY_ID)?
            .with_claim("credential", &&*password.caller().credential)?
            .with_claim("generation", &password.generation())?;
        let signed = claims.sign(key, clock.now(), Some(&random_uuid(&**random)?))?;
        Ok(Secret::new(signed.expose()))
    }

    /// The password that a token was obtained with, if its user still has it.
    fn known(&self, accepted: Accepted<JwtPrincipal<()>>) -> Flow<'_, Outcome<Known>> {
        let ended = || Err(self.0.realm.invalid(ENDED));
        let claims = &accepted.principal.claims;
        let (Some(user), Ok(claimed)) = (claims.subject(), claims.read::<Claimed>()) else {
            return Flow::ready(ended());
        };
        self.0.users.lookup(user).map(move |found| {
            let is_it = |known: &&Known| {
                let same = *known.caller().credential == *claimed.credential;
                same && known.generation() == claimed.generation
            };
            let known = found.and_then(|found| {
                let mut all = found.as_slice().iter().map(|one| &one.principal);
                all.find(is_it).cloned()
            });
            known.map_or_else(ended, |known| Ok(accepted.map(|_| known)))
        })
    }
}

impl Verifier for OAuthTokens {
    type Principal = Known;

    fn presence(&self, head: RequestView<'_>) -> Presence {
        self.0.jwt.presence(head)
    }

    fn needs(&self, head: RequestView<'_>) -> Need {
        self.0.jwt.needs(head)
    }

    fn verify<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Outcome<Known>> {
        self.0.jwt.verify(request).and_then(|outcome| match outcome {
            Ok(accepted) => self.known(accepted),
            Err(rejection) => Flow::ready(Err(rejection)),
        })
    }
}

const ENDED: Reason =
    Reason::new("infobip_token_ended", "password that the OAuth token was obtained with has ended");

impl fmt::Debug for OAuthTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OAuthTokens({:?})", self.0.issuer)
    }
}
