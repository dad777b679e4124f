//! The token that pod and agent both want: the session token, or the common JWT in its place.

use crate::{SessionToken, common_jwt::ByBot, log_in::LogIn, token};
use auth_core::{Answer, Authenticator, Credentials, Flow, Refusal, RequestView, Result, Verdict};
use auth_session::Session;
use http::{HeaderName, HeaderValue, header::AUTHORIZATION};

#[derive(Clone)]
pub(super) enum First {
    Session(Session<LogIn<SessionToken>>),
    Jwt(Session<ByBot>),
}

impl First {
    #[inline]
    pub(super) fn credentials<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Credentials> {
        match self {
            Self::Session(session) => session.credentials(request),
            Self::Jwt(session) => session.credentials(request),
        }
    }

    pub(super) fn assess(&self, sent: &Credentials, answer: Answer<'_>) -> Verdict {
        match self {
            Self::Session(session) => session.assess(sent, answer),
            Self::Jwt(session) => session.assess(sent, answer),
        }
    }

    pub(super) fn generation(&self, sent: &Credentials) -> Option<u64> {
        match self {
            Self::Session(session) => session.generation(sent),
            Self::Jwt(session) => session.generation(sent),
        }
    }

    pub(super) fn condemn(&self, generation: u64, refusal: Refusal) {
        match self {
            Self::Session(session) => session.condemn(generation, refusal),
            Self::Jwt(session) => session.condemn(generation, refusal),
        }
    }

    /// The field with the current token, and its generation.
    pub(super) async fn field(&self) -> Result<(HeaderName, HeaderValue, u64)> {
        match self {
            Self::Session(session) => {
                let current = session.token().await?;
                let field = token::field(current.token.secret())?;
                Ok((token::SESSION_TOKEN, field, current.generation))
            }
            Self::Jwt(session) => {
                let current = session.token().await?;
                Ok((AUTHORIZATION, current.token.field()?, current.generation))
            }
        }
    }
}
