//! Bearer tokens (RFC 6750), in the Authorization header.
//!
//! The form and query methods of RFC 6750 sections 2.2 and 2.3 are not offered.

use crate::{KeyDigest, KeyHasher, config};
use auth_core::{
    Accepted, Authenticator, Authorization, Challenge, Credentials, Flow, Lookup, Outcome,
    Presence, Reason, Rejection, RequestView, Result,
};
use http::{HeaderValue, header::AUTHORIZATION};
use std::fmt;

const SCHEME: &str = "Bearer";

/// Sends a token that does not change: `Authorization: Bearer TOKEN`. Tokens that are obtained and expire come from a
/// session instead.
///
/// ```
/// let bearer = auth_static::Bearer::new("mF_9.B5f-4.1JqM")?;
/// # let _: &dyn auth_core::Authenticator = &bearer;
/// # Ok::<_, auth_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Bearer(Credentials);

impl Bearer {
    /// A token, as it is.
    ///
    /// # Errors
    ///
    /// `Error::Config` when it is no `b64token` (RFC 6750 section 2.1).
    pub fn new(token: &str) -> Result<Self> {
        let field = format!("{SCHEME} {token}");
        let whole = Authorization::parse(field.as_bytes())
            .is_ok_and(|read| read.token68().is_ok_and(|read| read == token));
        let value = HeaderValue::from_maybe_shared(field).ok().filter(|_| whole);
        let value = value.ok_or_else(|| {
            config(
                "bearer_malformed",
                "token: expected letters, digits, -._~+/ and trailing = (RFC 6750 section 2.1)",
            )
        })?;
        Ok(Self(Credentials::header(AUTHORIZATION, value)?))
    }
}

impl Authenticator for Bearer {
    fn credentials<'a>(&'a self, _: RequestView<'a>) -> Flow<'a, Credentials> {
        Flow::ready(self.0.clone())
    }
}

impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bearer(..)")
    }
}

/// Verifies opaque tokens, looked up by their keyed hash.
///
/// Nothing sent: a challenge without an error (RFC 6750 section 3.1). A token that does not do: 401 `invalid_token`.
/// Something that is no token: 400 `invalid_request`.
///
/// ```
/// use auth_core::SystemRandom;
/// use auth_static::{KeyHasher, Keys, bearer};
/// let hasher = KeyHasher::random(&SystemRandom::new())?;
/// let tokens = Keys::new(&hasher, [("mF_9.B5f-4.1JqM", "client")]);
/// let door = bearer::Verifier::new("example", hasher, tokens)?;
/// # let _: &dyn auth_core::Verifier<Principal = &str> = &door;
/// # Ok::<_, auth_core::Error>(())
/// ```
pub struct Verifier<L> {
    hasher: KeyHasher,
    tokens: L,
    absent: Challenge,
    invalid: Challenge,
    malformed: Challenge,
}

impl<L: Lookup<KeyDigest>> Verifier<L> {
    /// Verifies tokens of this realm.
    ///
    /// # Errors
    ///
    /// `Error::Config` when the realm has control characters.
    pub fn new(realm: &str, hasher: KeyHasher, tokens: L) -> Result<Self> {
        let challenge = || Challenge::build(SCHEME).quoted("realm", realm);
        Ok(Self {
            hasher,
            tokens,
            absent: challenge().finish()?,
            invalid: challenge().quoted("error", "invalid_token").finish()?,
            malformed: challenge().quoted("error", "invalid_request").finish()?,
        })
    }

    fn token<'a>(&self, request: RequestView<'a>) -> Result<&'a str, Rejection> {
        let malformed = |rejection: Rejection| rejection.with_challenge(self.malformed.clone());
        match Authorization::of(request.headers).map_err(malformed)? {
            Some(authorization) if authorization.is(SCHEME) => {
                authorization.token68().map_err(malformed)
            }
            _ => Err(Rejection::unauthenticated(MISSING, self.absent.clone())),
        }
    }
}

impl<L: Lookup<KeyDigest>> auth_core::Verifier for Verifier<L> {
    type Principal = L::Found;

    fn presence(&self, head: RequestView<'_>) -> Presence {
        Authorization::presence(head, SCHEME)
    }

    fn verify<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Outcome<L::Found>> {
        let token = match self.token(request) {
            Ok(token) => token,
            Err(rejection) => return Flow::ready(Err(rejection)),
        };
        self.tokens.lookup(&self.hasher.digest(token.as_bytes())).map(|found| {
            let found = found.map(|principal| Accepted::new(SCHEME, principal));
            found.ok_or_else(|| Rejection::unauthenticated(UNKNOWN, self.invalid.clone()))
        })
    }
}

impl<L> fmt::Debug for Verifier<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("bearer::Verifier").field("challenge", &self.absent).finish_non_exhaustive()
    }
}

/// 403: the token is good, and does not allow this (RFC 6750 section 3.1, `insufficient_scope`). For applications to
/// answer with; `scope` says what would.
///
/// # Errors
///
/// `Error::Config` when realm or scope have control characters.
pub fn insufficient_scope(realm: &str, scope: &str) -> Result<Rejection> {
    let challenge =
        Challenge::build(SCHEME).quoted("realm", realm).quoted("error", "insufficient_scope");
    Ok(Rejection::forbidden(SCOPE).with_challenge(challenge.quoted("scope", scope).finish()?))
}

const MISSING: Reason =
    Reason::new("bearer_missing", "no Bearer token, expected one in the Authorization field");
const UNKNOWN: Reason =
    Reason::new("bearer_unknown", "Bearer token is unknown, inactive or expired");
const SCOPE: Reason = Reason::new(
    "bearer_insufficient_scope",
    "Bearer token does not have the scope that this needs",
);
