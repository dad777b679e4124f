//! An extension app: a session of its own, and sessions on behalf of users.

use crate::{
    OnBehalfOf, SessionToken, SymphonyEndpoints, SymphonyLogIn, SymphonyUser, exchange,
    log_in::{By, LogIn},
    on_behalf_of::ByApp,
};
use auth_core::{Context, Flow, OriginBound, Refusal};
use auth_session::{CurrentToken, Session};
use http::StatusCode;
use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// An extension app, which may call on behalf of users who have installed it.
///
/// A clone is the same app.
#[derive(Clone)]
pub struct App(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) endpoints: SymphonyEndpoints,
    pub(crate) session: Session<LogIn<SessionToken>>,
    pub(crate) has_key: bool,
    /// When its session was last given up, by the steady clock.
    given_up: Mutex<Option<Instant>>,
}

/// A session of the app is given up for the 401 of a user so often at most: most of them say that this user has not
/// installed the app, and the session serves all others.
const PAUSE: Duration = Duration::from_secs(60);

impl App {
    /// An app at these endpoints, whose log-in has the id of the app for its name. Nothing is sent before the first
    /// request.
    pub fn new(endpoints: SymphonyEndpoints, log_in: SymphonyLogIn, context: Context) -> Self {
        let has_key = matches!(log_in.by, By::Key { .. });
        let source = log_in.source(
            (&endpoints.pod, exchange::APP_SESSION),
            (&endpoints.session_auth, exchange::CERTIFICATE_APP_SESSION),
            &context,
        );
        let session = Session::new(source, context).with_name("symphony app");
        Self(Arc::new(Inner { endpoints, session, has_key, given_up: Mutex::default() }))
    }

    /// For requests to pod and agent on behalf of this user: the header field `sessionToken`, and no key manager token.
    ///
    /// The user's session is obtained with the first request and kept until it is refused. Keep the value, or a clone of
    /// it: another call of this method begins another session.
    #[must_use]
    pub fn on_behalf_of(&self, user: SymphonyUser) -> OriginBound<OnBehalfOf> {
        let endpoints = &self.0.endpoints;
        let origins = [endpoints.pod.origin.clone(), endpoints.agent().origin.clone()];
        let context = self.0.session.context().clone();
        let session = Session::new(ByApp::new(Arc::clone(&self.0), user), context);
        OriginBound::new(origins, OnBehalfOf(session.with_name("symphony on behalf of a user")))
    }

    /// The session token of the app itself, obtained if there is none.
    pub fn session_token(&self) -> Flow<'_, CurrentToken<SessionToken>> {
        self.0.session.token()
    }
}

impl Inner {
    /// The pod refused a user with the app's session of this generation: perhaps that has ended.
    pub(crate) fn suspect(&self, generation: u64) {
        let now = self.session.context().clock.steady();
        let mut given_up = self.given_up.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = |last: Instant| now.saturating_duration_since(last) >= PAUSE;
        if given_up.is_none_or(is_due) {
            *given_up = Some(now);
            // Under the lock, so that whoever finds it not due finds the next session, or that there is none.
            self.session.condemn(generation, Refusal::new(StatusCode::UNAUTHORIZED));
        }
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("endpoints", &self.0.endpoints).finish_non_exhaustive()
    }
}
