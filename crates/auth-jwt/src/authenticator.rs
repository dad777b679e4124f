//! Tokens of our own, signed when they are needed.

use crate::{ClaimsToSign, SignedJwt, SigningKey};
use auth_core::{
    Answer, Authenticator, BearerRealm, Clock, Context, Credentials, Error, Flow, Lifespan,
    PresentableToken, Random, Refusal, Renewal, RequestView, Result, Token, TokenSource,
    bearer_token_refusal,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderValue, header::AUTHORIZATION};
use std::{fmt, sync::Arc};

/// Signs tokens that say the same each time but for their time, and their id where they have one.
///
/// As an [`Authenticator`] it signs one for every request, so that a retry is authenticated afresh. As a
/// [`TokenSource`] it serves a session that keeps them, which pays off where signing is slow (RSA), and schemes that hand
/// in a signed token to get another one.
///
/// ```
/// use auth_core::SystemClock;
/// use auth_jwt::{JwsAlgorithm, ClaimsToSign, JwtAuthenticator, SigningKey};
/// use std::time::Duration;
///
/// let key = SigningKey::from_secret(JwsAlgorithm::HS256, b"at least as long as the hash: 32 bytes")?;
/// let claims = ClaimsToSign::expiring_in(Duration::from_secs(300))?.with_issuer("service");
/// let authenticator = JwtAuthenticator::new(key, claims, SystemClock);
/// # let _: &dyn auth_core::Authenticator = &authenticator;
/// # Ok::<_, auth_core::Error>(())
/// ```
#[derive(Clone)]
pub struct JwtAuthenticator {
    key: SigningKey,
    claims: Arc<ClaimsToSign>,
    clock: Arc<dyn Clock>,
    ids: Option<Arc<dyn Random>>,
}

impl JwtAuthenticator {
    /// Tokens of these claims, signed with this key, as of now.
    pub fn new(key: SigningKey, claims: ClaimsToSign, clock: impl Clock + 'static) -> Self {
        Self { key, claims: Arc::new(claims), clock: Arc::new(clock), ids: None }
    }

    /// Gives every token a `jti` of 128 random bits, for verifiers that take each token once.
    #[must_use]
    pub fn with_ids(self, random: impl Random + 'static) -> Self {
        Self { ids: Some(Arc::new(random)), ..self }
    }

    /// Signs one.
    ///
    /// # Errors
    ///
    /// Those of [`ClaimsToSign::sign`], and of the randomness.
    pub fn sign(&self) -> Result<Jwt> {
        let id = match &self.ids {
            None => None,
            Some(random) => {
                let mut bytes = [0; 16];
                random.fill(&mut bytes)?;
                Some(URL_SAFE_NO_PAD.encode(bytes))
            }
        };
        let signed = self.claims.sign(&self.key, self.clock.now(), id.as_deref())?;
        Ok(Jwt(Arc::new(signed)))
    }
}

impl TokenSource for JwtAuthenticator {
    type Token = Jwt;

    fn token<'a>(&'a self, _: &'a Context, _: Renewal<Jwt>) -> Flow<'a, Jwt> {
        self.sign().into()
    }
}

impl Authenticator for JwtAuthenticator {
    fn credentials<'a>(&'a self, _: RequestView<'a>) -> Flow<'a, Credentials> {
        self.sign().and_then(|token| token.credentials()).into()
    }
}

impl fmt::Debug for JwtAuthenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtAuthenticator").field("key", &self.key).finish_non_exhaustive()
    }
}

/// A token of our own, shared: it is sent as `Authorization: Bearer`, or handed in wherever its text is wanted.
#[derive(Clone, Debug)]
pub struct Jwt(Arc<SignedJwt>);

impl Jwt {
    /// The token itself, for the one place that sends it.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl Token for Jwt {
    fn lifespan(&self) -> Lifespan {
        self.0.expires().map_or(Lifespan::Unknown, Lifespan::Until)
    }
}

impl PresentableToken for Jwt {
    fn credentials(&self) -> Result<Credentials> {
        let field = [BearerRealm::SCHEME, " ", self.expose()].concat();
        let value =
            HeaderValue::try_from(field).map_err(|error| Error::protocol("jwt_field", error))?;
        Credentials::header(AUTHORIZATION, value)
    }

    fn refusal(answer: Answer<'_>) -> Option<Refusal> {
        bearer_token_refusal(answer)
    }
}
