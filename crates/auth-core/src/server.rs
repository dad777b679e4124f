//! The server's side: who is calling.

use crate::{
    Body, Flow, Need, Once, Rejection, ReplayStore, RequestView, Result, Single, SingleRefusals,
    Unique, once::Singles,
};
use http::{HeaderMap, StatusCode};
use std::{fmt, sync::Arc};

/// Verifies requests: parse, look up, check.
///
/// A server adapter asks [`presence`](Self::presence) first and reads the body only when credentials are present and
/// [`needs`](Self::needs) asks for it.
pub trait Verifier: Send + Sync {
    /// Who it turned out to be.
    type Principal: Send;

    /// Did the caller bring credentials of this scheme, good or bad? Told from the head alone.
    fn presence(&self, head: RequestView<'_>) -> Presence;

    /// How much of the body [`verify`](Self::verify) must see. A verifier answers [`Need::Nothing`] when the head
    /// alone already fails, so that strangers cannot make us buffer.
    fn needs(&self, head: RequestView<'_>) -> Need {
        let _ = head;
        Need::Nothing
    }

    /// Who is calling. The outer error says that we could not tell (5xx), the inner one that the caller is refused.
    fn verify<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Outcome<Self::Principal>>;

    /// The same verifier with another kind of principal: one that an application, or several schemes, share.
    fn map<P, F>(self, change: F) -> Map<Self, F>
    where
        Self: Sized,
        P: Send,
        F: Fn(Self::Principal) -> P + Send + Sync,
    {
        Map { verifier: self, change }
    }

    /// Accepts what may be used once only once: the scheme says what that is (a `jti`, a signature), and the store
    /// remembers it. Every other combinator comes before it: what a condition refuses later would have been used up.
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
    /// Who it is.
    pub principal: P,
    /// The scheme that judged, as its specification spells it.
    pub scheme: &'static str,
    /// What the body, still to come, must pass.
    pub body: Option<Box<dyn BodyCheck>>,
    /// What the reply must carry.
    pub seal: Option<Box<dyn Seal>>,
    pub(crate) singles: Singles,
}

impl<P> Accepted<P> {
    /// Accepted under `scheme`.
    #[must_use]
    pub const fn new(scheme: &'static str, principal: P) -> Self {
        Self { principal, scheme, body: None, seal: None, singles: Singles::NONE }
    }

    /// Only if the body passes this check as it arrives.
    #[must_use]
    pub fn with_body(self, check: impl BodyCheck + 'static) -> Self {
        Self { body: Some(Box::new(check)), ..self }
    }

    /// With header fields for the reply.
    #[must_use]
    pub fn with_seal(self, seal: impl Seal + 'static) -> Self {
        Self { seal: Some(Box::new(seal)), ..self }
    }

    /// With what may be used once, and how the scheme refuses it; `None` where the caller left it out.
    #[must_use]
    pub fn with_unique(mut self, unique: Option<Unique>, refusals: &Arc<SingleRefusals>) -> Self {
        self.singles.push(Single { unique, refusals: Arc::clone(refusals) });
        self
    }

    /// With another kind of principal; all else stays.
    #[must_use]
    pub fn map<Q>(self, change: impl FnOnce(P) -> Q) -> Accepted<Q> {
        Accepted {
            principal: change(self.principal),
            scheme: self.scheme,
            body: self.body,
            seal: self.seal,
            singles: self.singles,
        }
    }
}

impl<P> fmt::Debug for Accepted<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Accepted({}, body check: {}, seal: {})",
            self.scheme,
            self.body.is_some(),
            self.seal.is_some()
        )
    }
}

/// Checks a body as it arrives. The handler never sees the end of a body that fails.
pub trait BodyCheck: Send {
    /// Takes the next bytes off the wire, in pieces of any size, and says what of them the handler may have.
    ///
    /// # Errors
    ///
    /// A rejection when the body is already known to be wrong; nothing more is then asked.
    fn update(&mut self, wire: &[u8]) -> Result<Passed, Rejection>;

    /// The wire has ended.
    ///
    /// # Errors
    ///
    /// A rejection when the body was not what its credentials say.
    fn finish(self: Box<Self>, trailers: Option<&HeaderMap>) -> Result<(), Rejection>;
}

/// What of some bytes off the wire the handler may have.
#[derive(Debug, PartialEq, Eq)]
pub enum Passed {
    /// Those very bytes.
    AsIs,
    /// These instead: the content of a framing, what was held back before, or nothing yet.
    Instead(Vec<u8>),
}

/// Adds header fields to the reply: `Authentication-Info` (RFC 7615) and its like.
pub trait Seal: Send {
    /// How much of the reply's body [`seal`](Self::seal) must see.
    fn needs(&self, status: StatusCode, headers: &HeaderMap) -> Need {
        let (_, _) = (status, headers);
        Need::Nothing
    }

    /// The fields to add.
    ///
    /// # Errors
    ///
    /// When it cannot be made; the reply is then not sent (5xx), since the caller counts on its seal.
    fn seal(self: Box<Self>, reply: Reply<'_>) -> Result<HeaderMap>;
}

/// A reply, as a [`Seal`] reads it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Reply<'a> {
    /// The status.
    pub status: StatusCode,
    /// All header fields.
    pub headers: &'a HeaderMap,
    /// As much of the body as was asked for.
    pub body: Body<'a>,
}

impl<'a> Reply<'a> {
    /// A reply.
    #[must_use]
    pub const fn new(status: StatusCode, headers: &'a HeaderMap, body: Body<'a>) -> Self {
        Self { status, headers, body }
    }
}

/// See [`Verifier::map`].
#[derive(Clone, Copy, Debug)]
pub struct Map<V, F> {
    verifier: V,
    change: F,
}

impl<V, F, P> Verifier for Map<V, F>
where
    V: Verifier,
    P: Send,
    F: Fn(V::Principal) -> P + Send + Sync,
{
    type Principal = P;

    fn presence(&self, head: RequestView<'_>) -> Presence {
        self.verifier.presence(head)
    }

    fn needs(&self, head: RequestView<'_>) -> Need {
        self.verifier.needs(head)
    }

    fn verify<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Outcome<P>> {
        self.verifier
            .verify(request)
            .map(|outcome| outcome.map(|accepted| accepted.map(&self.change)))
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
