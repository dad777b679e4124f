//! The session of a user that an app obtains.

use crate::{
    SessionToken,
    app::Inner,
    endpoints::Component,
    exchange::{self, UNAUTHORIZED},
};
use auth_core::{
    Answer, Authenticator, Context, Credentials, Error, Flow, Need, Renewal, RequestView, Result,
    TokenSource, Verdict,
};
use auth_session::{CurrentToken, Session};
use http::{HeaderMap, StatusCode};
use std::{fmt, fmt::Write, sync::Arc};

/// The user on whose behalf an app calls.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SymphonyUser {
    /// By the user id.
    Id(i64),
    /// By the user name, in its case.
    Name(Box<str>),
}

/// Authenticates requests on behalf of a user: see [`App::on_behalf_of`](crate::App::on_behalf_of).
///
/// A clone is the same session.
#[derive(Clone)]
pub struct OnBehalfOf(pub(crate) Session<ByApp>);

/// A user's session, by that of the app.
pub(crate) struct ByApp {
    app: Arc<Inner>,
    user: SymphonyUser,
}

impl ByApp {
    pub(crate) const fn new(app: Arc<Inner>, user: SymphonyUser) -> Self {
        Self { app, user }
    }

    fn at(&self) -> &Component {
        let endpoints = &self.app.endpoints;
        if self.app.has_key { &endpoints.pod } else { &endpoints.session_auth }
    }

    fn path(&self) -> Result<String> {
        let prefix = if self.app.has_key { "/login/pubkey" } else { "/sessionauth/v1" };
        Ok(match &self.user {
            SymphonyUser::Id(id) => format!("{prefix}/app/user/{id}/authenticate"),
            SymphonyUser::Name(name) => {
                format!("{prefix}/app/username/{}/authenticate", segment(name)?)
            }
        })
    }

    /// A 401 may say that the app's session has ended, or that the app is not installed for the user: so the next session
    /// of the app is tried, if there is one.
    async fn obtained(&self, context: &Context) -> Result<SessionToken> {
        let first = self.app.session.token().await?;
        let refused = match self.attempt(context, &first).await {
            Err(error) if error.code() == UNAUTHORIZED => error,
            other => return other,
        };
        self.app.suspect(&self.at().url(&self.path()?)?, first.generation);
        let next = self.app.session.token().await?;
        let again = match next.generation == first.generation {
            true => Err(refused),
            false => self.attempt(context, &next).await,
        };
        match again {
            Err(error) if error.code() == UNAUTHORIZED => {
                let text = "session on behalf of the user was refused: the app is not installed for the user, there is \
                            no such user, or the app's own session, which is renewed once a minute at most for such \
                            refusals, has ended";
                Err(Error::refused("symphony_on_behalf_of", text))
            }
            other => other,
        }
    }

    async fn attempt(
        &self,
        context: &Context,
        app: &CurrentToken<SessionToken>,
    ) -> Result<SessionToken> {
        let exchange = exchange::with_session(self.at(), &self.path()?, &app.token)?;
        let answer = context.transport.fetch(exchange).await?;
        if answer.status().is_success() {
            self.app.session.prove(app.generation);
            exchange::token(&answer)
        } else {
            let what = "session on behalf of the user";
            Err(exchange::refused(&answer, what, context.clock.now()))
        }
    }
}

impl TokenSource for ByApp {
    type Token = SessionToken;

    fn token<'a>(
        &'a self,
        context: &'a Context,
        _: Renewal<SessionToken>,
    ) -> Flow<'a, SessionToken> {
        Flow::new(self.obtained(context))
    }
}

impl Authenticator for OnBehalfOf {
    #[inline]
    fn credentials<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Credentials> {
        let session = self.0.credentials(request);
        let fields = &self.0.source().app.endpoints.called(request.uri).fields;
        if fields.is_empty() {
            return session;
        }
        session.and_then(move |made| fields.beside(made, request).into())
    }

    fn assess(&self, sent: &Credentials, answer: Answer<'_>) -> Verdict {
        self.0.assess(sent, answer)
    }

    fn reads(&self, status: StatusCode, headers: &HeaderMap) -> Need {
        self.0.reads(status, headers)
    }
}

/// A name as one segment of a path. An empty or dotted one would be another path, however it is encoded.
fn segment(name: &str) -> Result<String> {
    if matches!(name, "" | "." | "..") {
        let text = "name of the user is empty or dots alone, expected the user name of an account";
        return Err(Error::config("symphony_user_name", text));
    }
    Ok(percent_encoded(name))
}

/// All but unreserved characters is encoded (RFC 3986 section 2.3).
pub(crate) fn percent_encoded(plain: &str) -> String {
    // With room for all of it, so that no part of a password is left behind where it was shorter.
    let mut text = String::with_capacity(plain.len().saturating_mul(3));
    for byte in plain.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            text.push(char::from(byte));
        } else {
            // A string takes whatever is written to it.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

impl fmt::Debug for OnBehalfOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OnBehalfOf").field(&self.0.source().user).finish()
    }
}
