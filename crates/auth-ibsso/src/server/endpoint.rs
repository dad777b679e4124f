//! `POST` and `DELETE /auth/1/session`, for any server framework.

use super::{
    CreateOutcome, NewSession, Sessions, UserPassword,
    verifier::{presented, unauthenticated},
};
use crate::{ErrorForm, error_body::MOST_BODY_BYTES, json::read_object};
use auth_core::{
    Attempt, AttemptLimit, AttemptOutcome, Body, Error, Flow, Lookup, Reason, Rejection,
    RequestView, Result, Secret, Verifier, retry_after_seconds,
};
use http::{HeaderValue, Response, StatusCode, header};
use serde::Deserialize;
use std::{fmt, sync::Arc};
use zeroize::Zeroizing;

/// Creates and destroys sessions, as requests ask for it.
///
/// `users` finds who has a user name and a password: a [`Lookup`] of yours, which hashes passwords slowly and on threads
/// that may block. `verifier` judges tokens, as for any other request: give it the [`IbssoVerifier`](crate::IbssoVerifier)
/// with the check of addresses around it, and a session that is bound is destroyed from its address alone.
///
/// A server gives each method a [`RequestView`] with the body and the address of the caller (`Peer`); the guide
/// (`docs/guide/infobip-platform.md`, "Sessions over a store of your own") has the handlers for axum.
///
/// Its answers are whole: statuses and bodies as the platform documents them. An outer error is for the server to answer:
/// an `Error::Unavailable`, after which nothing was done, with a 503, and every other one with a 500. A client takes a 503
/// for the word that no session was created, so that it asks for another one; after a 500 it waits until the one that may
/// have been created has ended.
pub struct SessionEndpoint<S, U, V> {
    sessions: S,
    users: U,
    verifier: V,
    errors: ErrorForm,
    limit: Option<AttemptLimit>,
}

/// What a request came to: the answer, and for the log why it was refused.
///
/// Its `Debug` does not show the answer's body, which may hold the token of a session.
#[non_exhaustive]
pub struct SessionAnswer {
    /// What is sent back.
    pub response: Response<Vec<u8>>,
    /// Why it is a refusal, if it is one.
    pub refused: Option<Reason>,
}

impl<S, U, V> SessionEndpoint<S, U, V>
where
    S: Sessions,
    U: Lookup<UserPassword, Found = S::User>,
    V: Verifier,
{
    /// The endpoint over these sessions and users.
    pub const fn new(sessions: S, users: U, verifier: V) -> Self {
        Self { sessions, users, verifier, errors: ErrorForm::ServiceException, limit: None }
    }

    /// With errors in this form; in that of sessions unless set.
    #[must_use]
    pub fn with_error_form(self, errors: ErrorForm) -> Self {
        Self { errors, ..self }
    }

    /// With a limit to wrong passwords of each source and user: beyond it callers get a 429 with `Retry-After`.
    #[must_use]
    pub fn with_limit(self, limit: AttemptLimit) -> Self {
        Self { limit: Some(limit), ..self }
    }

    /// `POST`: creates a session for the user name and password of the body. The field `Authorization` is not read, since
    /// clients send all kinds of things in it here.
    ///
    /// The members are `username`, `password`, and `unsafe` for a session that is not bound to the caller's address; and
    /// `replace`, which this server adds: a session that is alive ends in the same step, as the password proves that the
    /// user wants it. A creation with the header field `idempotency-key` is repeated with the same key when its answer was
    /// lost.
    ///
    /// # Errors
    ///
    /// Those of the sessions; and `Error::Unavailable` when no session was asked for, because the users or the limit could
    /// not tell, or because the adapter did not give the body or does not know the address of the caller that a session is
    /// to be bound to.
    pub fn create<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, SessionAnswer> {
        Flow::new(async move {
            let (login, new) = match read(request).map_err(nothing_done)? {
                Ok(read) => read,
                Err(reason) => return Ok(self.refused(StatusCode::BAD_REQUEST, reason)),
            };
            let identity = Some(login.user.as_bytes());
            let attempt = Attempt::begin(self.limit.as_ref(), request, "session", identity);
            let attempt = match attempt.await.map_err(nothing_done)? {
                Ok(attempt) => attempt,
                Err(rejection) => return Ok(self.rejected(&rejection)),
            };
            let found = self.users.lookup(&login).await;
            attempt.settle(match &found {
                Ok(found) => found.is_some().into(),
                Err(_) => AttemptOutcome::Unknown,
            });
            let Some(user) = found.map_err(nothing_done)? else {
                return Ok(self.rejected(&unauthenticated(WRONG_PASSWORD)));
            };
            Ok(match self.sessions.create(user, new).await? {
                CreateOutcome::Created(token) => created(&token)?,
                CreateOutcome::AlreadyAlive => self.refused(StatusCode::BAD_REQUEST, ALIVE),
                CreateOutcome::KeyReused => self.refused(StatusCode::BAD_REQUEST, KEY_REUSED),
            })
        })
    }

    /// `DELETE`: ends the session whose token the request presents.
    ///
    /// # Errors
    ///
    /// Those of the verifier and of the sessions.
    pub fn destroy<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, SessionAnswer> {
        Flow::new(async move {
            if let Err(rejection) = self.verifier.verify(request).await? {
                return Ok(self.rejected(&rejection));
            }
            let token = match presented(request) {
                Ok(token) => token,
                Err(rejection) => return Ok(self.rejected(&rejection)),
            };
            if self.sessions.destroy(token).await? {
                return Ok(SessionAnswer { response: Response::new(Vec::new()), refused: None });
            }
            Ok(self.rejected(&unauthenticated(GONE)))
        })
    }

    /// The answer to a request that a verifier rejected, in the platform's form.
    #[must_use]
    pub fn rejected(&self, rejection: &Rejection) -> SessionAnswer {
        let mut answer = self.refused(rejection.status(), rejection.reason());
        let headers = answer.response.headers_mut();
        for challenge in rejection.challenges() {
            headers.append(header::WWW_AUTHENTICATE, challenge.field().clone());
        }
        if let Some(wait) = rejection.retry_after() {
            // Whole seconds, rounded up: a caller that comes back on time is not early.
            let seconds = retry_after_seconds(wait);
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        answer
    }

    fn refused(&self, status: StatusCode, reason: Reason) -> SessionAnswer {
        // The outside is told what it can do, and never why a credential was refused.
        let text = match status {
            StatusCode::BAD_REQUEST => reason.text,
            StatusCode::TOO_MANY_REQUESTS => "Too many requests",
            StatusCode::FORBIDDEN => "Forbidden",
            _ => "Invalid login details",
        };
        let mut response = Response::new(self.errors.body(status, text));
        *response.status_mut() = status;
        response.headers_mut().insert(header::CONTENT_TYPE, JSON);
        SessionAnswer { response, refused: Some(reason) }
    }
}

/// The error of what comes before the creation.
fn nothing_done(error: Error) -> Error {
    match error {
        Error::Unavailable { .. } => error,
        other => Error::unavailable(other.code(), None, other),
    }
}

fn created(token: &Secret) -> Result<SessionAnswer> {
    let token = token
        .expose_text()
        .ok_or_else(|| Error::config("ibsso_session_token", "token of a session is no text"))?;
    let body = serde_json::to_vec(&serde_json::json!({ "token": token }))
        .map_err(|error| Error::config("ibsso_session_token", error))?;
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(SessionAnswer { response, refused: None })
}

/// What a creation asks for; the inner error is the caller's.
fn read(request: RequestView<'_>) -> Result<Result<(UserPassword, NewSession), Reason>> {
    let Body::Bytes(body) = request.body else {
        let text =
            "body of the request was not given to the endpoint, expected at most 16 KiB of it";
        return Err(Error::config("ibsso_body_unread", text));
    };
    if body.len() > MOST_BODY_BYTES {
        return Ok(Err(TOO_LONG));
    }
    let Ok(read) = read_object::<CreateBody>(body) else { return Ok(Err(BODY)) };
    let mut keys = request.headers.get_all(IDEMPOTENCY_KEY).iter();
    let idempotency_key = match (keys.next(), keys.next()) {
        (None, _) => None,
        (Some(key), None) => match key.to_str() {
            Ok(key) if (1..=MOST_KEY_BYTES).contains(&key.len()) => Some(key.into()),
            _ => return Ok(Err(KEY)),
        },
        (Some(_), Some(_)) => return Ok(Err(KEY)),
    };
    let bound_to = match (read.is_unsafe, request.peer.address) {
        (true, _) => None,
        (false, Some(address)) => Some(address),
        (false, None) => {
            let text = "address of the caller is not known, expected the server layer to find it: a session is bound \
                        to it";
            return Err(Error::config("ibsso_no_address", text));
        }
    };
    let password = Arc::new(Secret::new(read.password.as_bytes()));
    let login = UserPassword { user: read.username.into(), password };
    Ok(Ok((login, NewSession { bound_to, replaces: read.replace, idempotency_key })))
}

#[derive(Deserialize)]
struct CreateBody {
    username: String,
    password: Zeroizing<String>,
    #[serde(rename = "unsafe", default)]
    is_unsafe: bool,
    #[serde(default)]
    replace: bool,
}

/// The header field by which a creation whose answer was lost is repeated.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

const MOST_KEY_BYTES: usize = 256;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

const BODY: Reason = Reason::new(
    "ibsso_create_body",
    "body is not JSON with the texts \"username\" and \"password\", and \"unsafe\" and \"replace\" true or false if they are there",
);
const TOO_LONG: Reason = Reason::new("ibsso_create_long", "body is longer than 16 KiB");
const KEY: Reason = Reason::new(
    "ibsso_idempotency_key",
    "idempotency-key is not one field of 1 to 256 visible characters",
);
const WRONG_PASSWORD: Reason =
    Reason::new("ibsso_password", "user name and password are not those of a user");
const ALIVE: Reason =
    Reason::new("ibsso_session_alive", "a session of this user is alive, destroy it first");
const KEY_REUSED: Reason = Reason::new(
    "ibsso_idempotency_reused",
    "idempotency-key was given with another request, take a new one",
);
const GONE: Reason = Reason::new("ibsso_unknown", "session has ended meanwhile");

impl fmt::Debug for SessionAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionAnswer")
            .field("status", &self.response.status())
            .field("refused", &self.refused)
            .finish_non_exhaustive()
    }
}

impl<S, U, V> fmt::Debug for SessionEndpoint<S, U, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionEndpoint").field("errors", &self.errors).finish_non_exhaustive()
    }
}
