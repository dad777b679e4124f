//! Tokens: what is obtained and expires.

use crate::{Answer, Context, Credentials, Flow, Need, Result, Timestamp};
use http::{HeaderMap, StatusCode};
use std::{sync::Arc, time::Duration};

/// Obtains tokens. It keeps none: a session does, and asks again when the kept one is due or refused.
pub trait TokenSource: Send + Sync {
    /// What is obtained.
    type Token: Token;

    /// Obtains a token, over the transport and by the clock of the context.
    ///
    /// # Errors
    ///
    /// [`Error::Transport`](crate::Error::Transport) and [`Error::Protocol`](crate::Error::Protocol) say that the answer
    /// did not arrive or could not be read: the issuer may have made a token or not. Every other error says that the
    /// issuer made no token, and so does an `Error::Transport` that [`is_not_sent`](crate::Error::is_not_sent).
    ///
    /// So [`Error::Unavailable`](crate::Error::Unavailable) is for an answer by which the issuer itself says that it did
    /// not carry out the request: 429, or 503. A timeout, and a 500, 502 or 504 (an issuer that failed halfway, a gateway
    /// that did not hear from it) leave open what was done, and are `Error::Transport`.
    ///
    /// A source whose tokens are [exclusive](Succession::Exclusive) has to keep to that, because after the first two the
    /// issuer is not asked again until a lost token has ended. After the others it is asked again, and that ends a token
    /// which was made after all.
    fn token<'a>(
        &'a self,
        context: &'a Context,
        why: Renewal<Self::Token>,
    ) -> Flow<'a, Self::Token>;

    /// Does this source have a token that is nowhere but in its memory, because a store could not take it? A session over
    /// such a source is kept until the token is saved, which the next renewal does first.
    ///
    /// It is asked at any time, and has to answer at once.
    fn has_unsaved(&self) -> bool {
        false
    }
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
    /// The scheme's own error code, when there was one: `invalid_token`, `ExpiredToken`, `7001`. It came from the peer:
    /// [`with_code`](Self::with_code) keeps visible ASCII and spaces, and at most 256 bytes.
    pub code: Option<Box<str>>,
}

impl Refusal {
    /// The most bytes of a code that are kept.
    const MOST_CODE: usize = 256;

    /// A refusal by status alone.
    #[must_use]
    pub const fn new(status: StatusCode) -> Self {
        Self { status, code: None }
    }

    /// With the scheme's own error code, without whatever a log could not show.
    #[must_use]
    pub fn with_code(self, code: impl AsRef<str>) -> Self {
        let shown =
            code.as_ref().chars().filter(|char| matches!(char, ' '..='~')).take(Self::MOST_CODE);
        Self { code: Some(shown.collect()), ..self }
    }
}

/// Something obtained that expires. Cheap to clone: it is handed out for every request.
pub trait Token: Clone + Send + Sync + 'static {
    /// How long it can be used.
    fn lifespan(&self) -> Lifespan;

    /// From when on the issuer wants it to be renewed, if the issuer said so. A session renews it then, or earlier by its
    /// own rules.
    fn renew_from(&self) -> Option<Timestamp> {
        None
    }

    /// Does obtaining the next token end this one?
    fn succession(&self) -> Succession {
        Succession::Overlapping
    }
}

/// A token that is sent as it is. Temporary signing keys are tokens that are not: they sign.
pub trait PresentableToken: Token {
    /// What to add to a request to present it, built anew each time, since a session keeps copies that
    /// share nothing.
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

/// What becomes of a token when the next one is obtained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Succession {
    /// Both can be used: the next one is obtained ahead of time, while all keep using this one.
    #[default]
    Overlapping,
    /// Obtaining the next one ends this one, because the issuer lets only one live at a time.
    ///
    /// Nothing is obtained ahead of time. From the moment at which a renewal begins this token is not handed out any
    /// more, not even if the renewal fails. The exchange itself begins when every request that was made with this token
    /// has been answered or given up.
    Exclusive {
        /// How long those requests are waited for at most.
        settle: Duration,
    },
}

macro_rules! forward {
    ($($pointer:ident),*) => {$(
        impl<S: TokenSource + ?Sized> TokenSource for $pointer<S> {
            type Token = S::Token;

            fn token<'a>(
                &'a self,
                context: &'a Context,
                why: Renewal<Self::Token>,
            ) -> Flow<'a, Self::Token> {
                (**self).token(context, why)
            }

            fn has_unsaved(&self) -> bool {
                (**self).has_unsaved()
            }
        }
    )*};
}

forward!(Arc, Box);

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(said: &str, kept: &str) {
        let refusal = Refusal::new(StatusCode::UNAUTHORIZED).with_code(said);
        assert_eq!(refusal.code.as_deref(), Some(kept));
    }

    #[test]
    fn a_code_that_a_peer_chose_forges_no_line_of_a_log() {
        check("invalid_token", "invalid_token");
        check("no\r\nsession renewed\u{1b}[2J\u{202e}", "nosession renewed[2J");
        check(&"x".repeat(1000), &"x".repeat(256));
    }
}
