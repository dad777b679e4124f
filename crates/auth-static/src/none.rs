//! No authentication, said by name.

use auth_core::{
    Accepted, Authenticator, Credentials, Flow, Outcome, Presence, RequestView, Verifier,
};

/// Adds nothing, and accepts everybody: an open door that is no oversight.
///
/// As the last choice of an [`AnyOf`](auth_core::AnyOf) it makes credentials optional; credentials that are there are
/// still judged, and bad ones refused.
///
/// ```
/// use auth_core::{AnyOf, Verifier};
/// use auth_static::NoAuth;
/// # fn door(keys: impl Verifier<Principal = Option<u32>> + 'static) {
/// let optional = AnyOf::new(keys).or(NoAuth.map(|_| None));
/// # let _ = optional;
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct NoAuth;

/// Nobody in particular.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anonymous;

impl Authenticator for NoAuth {
    fn credentials<'a>(&'a self, _: RequestView<'a>) -> Flow<'a, Credentials> {
        Flow::ready(Credentials::none())
    }
}

impl Verifier for NoAuth {
    type Principal = Anonymous;

    fn presence(&self, _: RequestView<'_>) -> Presence {
        Presence::Absent
    }

    fn verify<'a>(&'a self, _: RequestView<'a>) -> Flow<'a, Outcome<Anonymous>> {
        Flow::ready(Ok(Accepted::new("none", Anonymous)))
    }
}
