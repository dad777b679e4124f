//! Verifies user names and passwords.

use super::{
    AttemptLimit, SCHEME,
    parse::{Buffer, Refused, parse},
};
use auth_core::{
    Accepted, Authorization, Challenge, Flow, Outcome, Presence, Reason, Rejection, RequestView,
    Result,
};
use std::{fmt, sync::Arc};

/// Says whether a password is the user's. [`Accounts`](super::Accounts) is for configured machine accounts,
/// `Argon2Passwords` for passwords that people chose.
///
/// # Security
///
/// An unknown user must cost the same work as a known one.
pub trait Passwords: Send + Sync {
    /// Who it turned out to be.
    type Principal: Send;

    /// The principal, or `None` when the user is unknown or the password wrong. The flow does not borrow what was
    /// presented.
    fn check(&self, user: &str, password: &[u8]) -> Flow<'_, Option<Self::Principal>>;
}

/// Verifies Basic credentials (RFC 7617): strict base64, UTF-8, one refusal for unknown and wrong.
///
/// ```
/// use auth_core::SystemRandom;
/// use auth_static::{KeyHasher, basic};
/// let hasher = KeyHasher::random(&SystemRandom::new())?;
/// let accounts = basic::Accounts::new(&hasher, [("webex", "a-long-random-password", "receipts")]);
/// let door = basic::Verifier::new("webhooks", accounts)?;
/// # let _: &dyn auth_core::Verifier<Principal = &str> = &door;
/// # Ok::<_, auth_core::Error>(())
/// ```
pub struct Verifier<P> {
    passwords: P,
    limit: Option<Arc<AttemptLimit>>,
    challenge: Challenge,
}

impl<P: Passwords> Verifier<P> {
    /// Verifies accounts of this realm.
    ///
    /// # Errors
    ///
    /// `Error::Config` when the realm has control characters.
    pub fn new(realm: &str, passwords: P) -> Result<Self> {
        let challenge =
            Challenge::build(SCHEME).quoted("realm", realm).quoted("charset", "UTF-8").finish()?;
        Ok(Self { passwords, limit: None, challenge })
    }

    /// Limits failed attempts, before any password is hashed.
    #[must_use]
    pub fn with_limit(mut self, limit: AttemptLimit) -> Self {
        self.limit = Some(Arc::new(limit));
        self
    }

    fn refuse(&self, reason: Reason) -> Rejection {
        Rejection::unauthenticated(reason, self.challenge.clone())
    }

    fn authorization<'a>(&self, request: RequestView<'a>) -> Result<Authorization<'a>, Rejection> {
        match Authorization::of(request.headers)? {
            Some(authorization) if authorization.is(SCHEME) => Ok(authorization),
            _ => Err(self.refuse(MISSING)),
        }
    }

    fn judge<'a>(
        &'a self,
        request: RequestView<'a>,
    ) -> Result<Flow<'a, Outcome<P::Principal>>, Rejection> {
        let authorization = self.authorization(request)?;
        let mut buffer = Buffer::new();
        let presented = parse(&authorization, &mut buffer).map_err(|refused| match refused {
            Refused::Ambiguous(rejection) => rejection,
            Refused::Malformed(reason) => self.refuse(reason),
        })?;
        let attempt = match &self.limit {
            None => None,
            Some(limit) => Some(limit.attempt(presented.user, request.peer.address)?),
        };
        let checked = self.passwords.check(presented.user, presented.password);
        Ok(checked.map(move |found| {
            if let (Some(limit), Some(attempt)) = (&self.limit, attempt) {
                limit.settle(attempt, found.is_some());
            }
            found
                .map(|principal| Accepted::new(SCHEME, principal))
                .ok_or_else(|| self.refuse(WRONG))
        }))
    }
}

impl<P: Passwords> auth_core::Verifier for Verifier<P> {
    type Principal = P::Principal;

    fn presence(&self, head: RequestView<'_>) -> Presence {
        Authorization::presence(head, SCHEME)
    }

    fn verify<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Outcome<P::Principal>> {
        self.judge(request).unwrap_or_else(|rejection| Flow::ready(Err(rejection)))
    }
}

impl<P> fmt::Debug for Verifier<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("basic::Verifier")
            .field("challenge", &self.challenge)
            .finish_non_exhaustive()
    }
}

const MISSING: Reason =
    Reason::new("basic_missing", "no Basic credentials, expected them in the Authorization field");
const WRONG: Reason = Reason::new("basic_wrong", "user is unknown, or the password is wrong");
