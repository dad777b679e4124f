//! The server's side: who is calling.

mod all_of;
mod body_check;
mod check;
mod completion;
mod map;
mod verifier_fn;

pub use all_of::AllOf;
pub use body_check::{BodyCheck, CheckedContent, ReleasedBytes};
pub use check::CheckedVerifier;
pub use completion::{Completion, HandlerReply};
pub use map::Map;
pub use verifier_fn::{VerifierFn, verifier_fn};

use crate::{
    Flow, Need, Once, Rejection, ReplayRejections, ReplayStore, RequestView, Result, SingleUse,
    Unique,
};
use std::{fmt, sync::Arc};

/// Verifies requests: parse, look up, check.
///
/// A server adapter asks [`presence`](Self::presence) first and reads the body only when credentials are present and
/// [`needs`](Self::needs) asks for it.
pub trait Verifier: Send + Sync {
    /// What the verifier says of a caller that it accepts.
    type Principal: Send;

    /// Did the caller bring credentials of this scheme, good or bad? Told from the head alone.
    fn presence(&self, head: RequestView<'_>) -> Presence;

    /// How much of the body [`verify`](Self::verify) must see. A verifier answers [`Need::Nothing`] when the head
    /// alone already fails, so that strangers cannot make us buffer.
    fn needs(&self, head: RequestView<'_>) -> Need {
        let _ = head;
        Need::Nothing
    }

    /// Judges the credentials of a request. A rejection, the inner error, is the caller's fault.
    ///
    /// # Errors
    ///
    /// When the verifier could not find out whether the credentials are good: the server adapter answers with a 5xx.
    fn verify<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Outcome<Self::Principal>>;

    /// The same verifier with another kind of principal: one that an application, or several schemes, share.
    fn map<P, F>(self, change: F) -> Map<Self, F>
    where
        Self: Sized,
        P: Send,
        F: Fn(Self::Principal) -> P + Send + Sync,
    {
        Map::new(self, change)
    }

    /// The same verifier, which accepts a caller only if this condition on its principal and request holds: an address
    /// list, a scope, the tenant that a path names.
    ///
    /// The condition is asked after the caller has proved itself. It may ask a store, and it may reject; what it
    /// rejects with is the answer. Its flow may borrow the request, and copies what it keeps of the principal.
    /// Write the closure where it is passed, or pass a function: a closure that is put into a variable first holds for
    /// one lifetime alone, and does not compile here.
    ///
    /// ```
    /// use auth_core::{Flow, Reason, Rejection, Verifier};
    ///
    /// const SCOPE: Reason = Reason::new("api_scope", "principal lacks the scope \"admin\", which this path needs");
    ///
    /// struct Caller {
    ///     scopes: Vec<String>,
    /// }
    ///
    /// fn admins(door: impl Verifier<Principal = Caller>) -> impl Verifier<Principal = Caller> {
    ///     door.check(|caller, request| {
    ///         let admin = caller.scopes.iter().any(|scope| scope == "admin");
    ///         let held = admin || !request.uri.path().starts_with("/admin");
    ///         Flow::ready(if held { Ok(()) } else { Err(Rejection::forbidden(SCOPE)) })
    ///     })
    /// }
    /// ```
    fn check<F>(self, condition: F) -> CheckedVerifier<Self, F>
    where
        Self: Sized,
        F: for<'r> Fn(&Self::Principal, RequestView<'r>) -> Flow<'r, Result<(), Rejection>>
            + Send
            + Sync,
    {
        CheckedVerifier::new(self, condition)
    }

    /// Accepts each identifier once: the scheme says which one a request has (a `jti`, a signature), and the store
    /// remembers it. Every other combinator comes before it, or a request that a later condition refuses has used up its
    /// identifier.
    ///
    /// The identifier is used up before the handler runs. A delivery whose handler may fail, and which then has to be
    /// taken when it comes again, is reserved in the store by a verifier that stands last in an [`AllOf`], and confirmed
    /// by its [`Completion`]: see `docs/guide/own-scheme.md`.
    ///
    /// # Security
    ///
    /// The store is asked when all else is proven, so that strangers cannot fill it. A scheme that has nothing that
    /// could be used once is a configuration error at its first request.
    fn once(self, store: impl ReplayStore + 'static) -> Once<Self>
    where
        Self: Sized,
    {
        Once::new(self, store)
    }
}

/// Are credentials of a scheme there? Whether they are any good is another question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Nothing of this scheme.
    Absent,
    /// Something of this scheme, perhaps malformed.
    Present,
}

/// What a verifier found out.
pub type Outcome<P> = Result<Accepted<P>, Rejection>;

/// A request whose caller is known.
#[non_exhaustive]
pub struct Accepted<P> {
    /// What the verifier says of the caller.
    pub principal: P,
    /// The scheme that judged, as its specification spells it.
    pub scheme: &'static str,
    /// Most accepted requests have none, and all that hand one on move it too: so it is one word.
    pub(crate) obligations: Option<Box<Obligations>>,
}

/// What is still to come after a request was accepted, for the adapter to see to.
#[derive(Default)]
#[non_exhaustive]
pub struct Obligations {
    /// What the body, still to come, must pass.
    pub body: Option<Box<dyn BodyCheck>>,
    /// What is to be done when the handler has replied: each is asked once, and dropped unasked when no reply came.
    pub completions: Vec<Box<dyn Completion>>,
    pub(crate) singles: Vec<SingleUse>,
}

impl<P> Accepted<P> {
    /// Accepted under `scheme`.
    #[must_use]
    pub const fn new(scheme: &'static str, principal: P) -> Self {
        Self { principal, scheme, obligations: None }
    }

    /// What is still to come, taken out of it.
    pub fn take_obligations(&mut self) -> Obligations {
        self.obligations.take().map(|obligations| *obligations).unwrap_or_default()
    }

    /// Only if the body passes this check as it arrives.
    #[must_use]
    pub fn with_body(mut self, check: impl BodyCheck + 'static) -> Self {
        self.obligations.get_or_insert_default().body = Some(Box::new(check));
        self
    }

    /// With something to do when the handler has replied, beside what there is already.
    #[must_use]
    pub fn with_completion(mut self, completion: impl Completion + 'static) -> Self {
        let completions = &mut self.obligations.get_or_insert_default().completions;
        completions.reserve_exact(1);
        completions.push(Box::new(completion));
        self
    }

    /// With what may be used once, and how the scheme refuses it; `None` where the caller left it out. Without effect
    /// unless the request [wants it](RequestView::wants_unique).
    #[must_use]
    pub fn with_unique(mut self, unique: Option<Unique>, refusals: &Arc<ReplayRejections>) -> Self {
        let refusals = Arc::clone(refusals);
        self.obligations.get_or_insert_default().singles.push(SingleUse { unique, refusals });
        self
    }

    /// With another kind of principal; all else stays.
    #[must_use]
    pub fn map<Q>(self, change: impl FnOnce(P) -> Q) -> Accepted<Q> {
        let Self { principal, scheme, obligations } = self;
        Accepted { principal: change(principal), scheme, obligations }
    }

    /// With another kind of principal, unless this one is rejected; all else stays.
    ///
    /// # Errors
    ///
    /// The rejection.
    pub fn try_map<Q>(
        self,
        change: impl FnOnce(P) -> Result<Q, Rejection>,
    ) -> Result<Accepted<Q>, Rejection> {
        let Self { principal, scheme, obligations } = self;
        Ok(Accepted { principal: change(principal)?, scheme, obligations })
    }

    /// Both were accepted: the body has to pass the checks of both, and the completions of both are asked. The scheme
    /// is that of the first.
    ///
    /// # Errors
    ///
    /// `Error::Config` when both checks replace the body ([`BodyCheck::content`]): a body has one framing.
    pub fn and<Q>(self, other: Accepted<Q>) -> Result<Accepted<(P, Q)>> {
        let obligations = match (self.obligations, other.obligations) {
            (Some(mut first), Some(second)) => {
                first.body = body_check::both(first.body, second.body)?;
                first.completions.extend(second.completions);
                first.singles.extend(second.singles);
                Some(first)
            }
            (one, other) => one.or(other),
        };
        Ok(Accepted {
            principal: (self.principal, other.principal),
            scheme: self.scheme,
            obligations,
        })
    }
}

impl<P> fmt::Debug for Accepted<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accepted")
            .field("scheme", &self.scheme)
            .field("obligations", &self.obligations)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Obligations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (body, completions) = (self.body.is_some(), self.completions.len());
        write!(f, "Obligations(body check: {body}, completions: {completions})")
    }
}

macro_rules! forward {
    ($($pointer:ident),*) => {$(
        impl<V: Verifier + ?Sized> Verifier for $pointer<V> {
            type Principal = V::Principal;

            fn presence(&self, head: RequestView<'_>) -> Presence {
                (**self).presence(head)
            }

            fn needs(&self, head: RequestView<'_>) -> Need {
                (**self).needs(head)
            }

            fn verify<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Outcome<V::Principal>> {
                (**self).verify(request)
            }
        }
    )*};
}

forward!(Arc, Box);
