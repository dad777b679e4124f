//! A verifier of two functions.

use super::{Outcome, Presence, Verifier};
use crate::{Flow, RequestView};
use std::fmt;

/// A verifier of two functions, for a scheme of one's own that the head alone decides.
///
/// A scheme that judges the body implements [`Verifier`], and its `needs` asks for the body. Write the closures
/// where they are passed, or pass functions: a closure that is put into a variable first holds for one lifetime alone,
/// and does not compile here.
///
/// ```
/// use auth_core::{Accepted, Flow, Presence, Reason, Rejection, Verifier, verifier_fn};
///
/// const NOT_LOCAL: Reason = Reason::new("api_not_local", "address is not of this machine");
///
/// let local = verifier_fn(
///     |_| Presence::Present,
///     |request| {
///         let local = request.peer.address.is_some_and(|address| address.is_loopback());
///         Flow::ready(if local { Ok(Accepted::new("Local", "operator")) } else { Err(Rejection::forbidden(NOT_LOCAL)) })
///     },
/// );
/// # let _: &dyn Verifier<Principal = &'static str> = &local;
/// ```
pub const fn verifier_fn<P, H, F>(presence: H, verify: F) -> VerifierFn<H, F>
where
    P: Send,
    H: Fn(RequestView<'_>) -> Presence + Send + Sync,
    F: for<'r> Fn(RequestView<'r>) -> Flow<'r, Outcome<P>> + Send + Sync,
{
    VerifierFn { presence, verify }
}

/// The verifier that [`verifier_fn`] makes.
#[derive(Clone, Copy)]
pub struct VerifierFn<H, F> {
    presence: H,
    verify: F,
}

impl<P, H, F> Verifier for VerifierFn<H, F>
where
    P: Send,
    H: Fn(RequestView<'_>) -> Presence + Send + Sync,
    F: for<'r> Fn(RequestView<'r>) -> Flow<'r, Outcome<P>> + Send + Sync,
{
    type Principal = P;

    fn presence(&self, head: RequestView<'_>) -> Presence {
        (self.presence)(head)
    }

    fn verify<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Outcome<P>> {
        (self.verify)(request)
    }
}

impl<H, F> fmt::Debug for VerifierFn<H, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VerifierFn(..)")
    }
}
