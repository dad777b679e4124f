//! Tokens: what is obtained and expires.

use crate::{Answer, Credentials, Flow, Need, Result, Timestamp};
use http::{HeaderMap, StatusCode};
use std::{sync::Arc, time::Duration};

/// Obtains tokens. It keeps none: a session does, and asks again when the kept one is due or refused.
pub trait TokenSource: Send + Sync {
    /// What is obtained.
    type Token: Token;

    /// Obtains a token.
    fn token(&self, why: Renewal<Self::Token>) -> Flow<'_, Self::Token>;
}

/// Why a token is wanted, with the one it replaces: a source may refresh, destroy or reuse what it sees there.
#[derive(Clone, Debug)]
pub enum Renewal<T> {
    /// There was none.
    First,
    /// The old one is about to expire, and still good.
    Due(T),
    /// The old one was refused.
    Refused(T, Refusal),
}

/// How a server refused a token.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// The status of the answer.
    pub status: StatusCode,
    /// The scheme's own error code, when there was one: `invalid_token`, `ExpiredToken`, `7001`.
    pub code: Option<Box<str>>,
}

impl Refusal {
    /// A refusal by status alone.
    #[must_use]
    pub const fn new(status: StatusCode) -> Self {
        Self { status, code: None }
    }

    /// With the scheme's own error code.
    #[must_use]
    pub fn with_code(self, code: impl Into<Box<str>>) -> Self {
        Self { code: Some(code.into()), ..self }
    }
}

/// Something obtained that expires. Cheap to clone: it is handed out for every request.
pub trait Token: Clone + Send + Sync + 'static {
    /// How long it can be used.
    fn lifespan(&self) -> Lifespan;
}

/// A token that is sent as it is. Temporary signing keys are tokens that are not: they sign.
pub trait Present: Token {
    /// What to add to a request to present it, built anew each time: who keeps it may want copies that share nothing.
    ///
    /// # Errors
    ///
    /// `Error::Protocol` when the issuer gave a token that no field can hold.
    fn credentials(&self) -> Result<Credentials>;

    /// Does this answer refuse the token it was sent with, so that another one may do better? The scheme knows: a status
    /// says different things under different schemes.
    fn refusal(answer: Answer<'_>) -> Option<Refusal>;

    /// How much of the answer's body [`refusal`](Self::refusal) must see, from its head.
    #[must_use]
    fn reads(status: StatusCode, headers: &HeaderMap) -> Need {
        let (_, _) = (status, headers);
        Need::Nothing
    }
}

/// How long a token can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifespan {
    /// Until then.
    Until(Timestamp),
    /// Until it was not used for so long.
    Idle(Duration),
    /// Until the server refuses it: nothing was said.
    Unknown,
}

impl<S: TokenSource + ?Sized> TokenSource for Arc<S> {
    type Token = S::Token;

    fn token(&self, why: Renewal<Self::Token>) -> Flow<'_, Self::Token> {
        (**self).token(why)
    }
}
