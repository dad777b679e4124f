//! The verifier finds the caller by the token of a session.

use super::Sessions;
use crate::SCHEME;
use auth_core::{
    Accepted, Attempt, AttemptLimit, AttemptOutcome, Authorization, Challenge, Flow, Outcome,
    Presence, Reason, Rejection, RequestView, Verifier,
};
use std::fmt;

/// Verifies `Authorization: IBSSO` and the token of a session.
///
/// # Security
///
/// This verifier binds no session to an address: by itself it accepts a token from anywhere. What stands around it does:
/// `Registry::admit` of auth-lifecycle, or a check that compares the address of the caller with the one that
/// [`NewSession::bound_to`](crate::NewSession::bound_to) said, which [`Sessions::find`] puts into the principal. The same
/// checked verifier goes into the layer of the API and into the [`SessionEndpoint`](crate::SessionEndpoint).
///
/// ```
/// use auth_core::{Challenge, Flow, Reason, Rejection, Verifier};
/// use auth_ibsso::{IbssoVerifier, SCHEME, Sessions};
/// use std::net::IpAddr;
///
/// #[derive(Clone)]
/// struct Caller {
///     bound_to: Option<IpAddr>,
/// }
///
/// const ELSEWHERE: Reason = Reason::new("session_elsewhere", "session is bound to another address");
///
/// fn bound(sessions: impl Sessions<Principal = Caller>) -> impl Verifier<Principal = Caller> {
///     IbssoVerifier::new(sessions).check(|caller, request| {
///         let here = caller.bound_to.is_none() || caller.bound_to == request.peer.address;
///         // As for a session that has ended: the log alone gets to know the reason.
///         let elsewhere = || Rejection::unauthenticated(ELSEWHERE, Challenge::without_parameters(SCHEME));
///         Flow::ready(if here { Ok(()) } else { Err(elsewhere()) })
///     })
/// }
/// ```
pub struct IbssoVerifier<S> {
    sessions: S,
    limit: Option<AttemptLimit>,
}

impl<S: Sessions> IbssoVerifier<S> {
    /// A verifier of the tokens of these sessions.
    pub const fn new(sessions: S) -> Self {
        Self { sessions, limit: None }
    }

    /// With a limit to wrong tokens of each source: beyond it callers get a 429 with `Retry-After`, before anything is
    /// looked up.
    #[must_use]
    pub fn with_limit(self, limit: AttemptLimit) -> Self {
        Self { limit: Some(limit), ..self }
    }
}

impl<S: Sessions> Verifier for IbssoVerifier<S> {
    type Principal = S::Principal;

    fn presence(&self, head: RequestView<'_>) -> Presence {
        match Authorization::presence(head, MISSPELT) {
            Presence::Present => Presence::Present,
            Presence::Absent => Authorization::presence(head, SCHEME),
        }
    }

    fn verify<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Outcome<Self::Principal>> {
        let token = match presented(request) {
            Ok(token) => token,
            Err(rejection) => return Flow::ready(Err(rejection)),
        };
        let attempt = Attempt::begin(self.limit.as_ref(), request, SCHEME, None);
        attempt.and_then(move |begun| match begun {
            Err(rejection) => Flow::ready(Err(rejection)),
            Ok(attempt) => self.sessions.find(token).then(move |found| {
                attempt.settle(match &found {
                    Ok(found) => found.is_some().into(),
                    Err(_) => AttemptOutcome::Unknown,
                });
                found
                    .map(|found| match found {
                        Some(principal) => Ok(Accepted::new(SCHEME, principal)),
                        None => Err(unauthenticated(UNKNOWN)),
                    })
                    .into()
            }),
        })
    }
}

/// The token of a request.
pub(super) fn presented(request: RequestView<'_>) -> Result<&[u8], Rejection> {
    let field = Authorization::of(request.headers)?;
    let field = field.ok_or_else(|| unauthenticated(MISSING))?;
    if field.is(MISSPELT) {
        return Err(unauthenticated(SPELLING));
    }
    if !field.is(SCHEME) {
        return Err(unauthenticated(MISSING));
    }
    field.opaque()
}

pub(super) fn unauthenticated(reason: Reason) -> Rejection {
    Rejection::unauthenticated(reason, Challenge::without_parameters(SCHEME))
}

/// As the platform's documentation once prints the scheme.
const MISSPELT: &str = "IBBSO";

const MISSING: Reason = Reason::new("ibsso_missing", "no IBSSO token, expected one");
const SPELLING: Reason =
    Reason::new("ibsso_misspelt", "scheme is IBBSO, expected IBSSO: the letters are swapped");
const UNKNOWN: Reason = Reason::new("ibsso_unknown", "IBSSO token is not that of a live session");

impl<S> fmt::Debug for IbssoVerifier<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IbssoVerifier").field("limit", &self.limit).finish_non_exhaustive()
    }
}
