//! The two exchanges as pure functions: what is sent, and what an answer means.

use crate::{
    SessionLifetime, SessionToken,
    error_body::{MOST_BODY_BYTES, error_code},
    json::read_object,
};
use auth_core::{Error, Exchange, Origin, Result, Secret, Timestamp};
use auth_session::retry_after;
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// The path of both exchanges.
pub const SESSION_PATH: &str = "/auth/1/session";

/// Is a session bound to the address that creates it?
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Binding {
    #[default]
    Bound,
    Unbound,
}

/// The request that creates a session. It carries no `Authorization`.
pub(crate) fn create(
    origin: &Origin,
    user: &str,
    password: &Secret,
    binding: Binding,
) -> Result<Exchange> {
    let password = password.expose_text().ok_or_else(|| {
        Error::config("ibsso_password", "password is not UTF-8, as JSON needs it")
    })?;
    let body = CreateBody { username: user, password, is_unsafe: binding == Binding::Unbound };
    let body = serde_json::to_vec(&body).map_err(|error| Error::config("ibsso_user", error))?;
    let mut request = Request::new(body);
    *request.method_mut() = Method::POST;
    *request.uri_mut() = uri(origin)?;
    request.headers_mut().insert(header::CONTENT_TYPE, JSON);
    request.headers_mut().insert(header::ACCEPT, JSON);
    Ok(Exchange::new(request).with_answer_limit(MOST_BODY_BYTES))
}

/// The request that destroys the session of this token.
pub(crate) fn destroy(origin: &Origin, token: &SessionToken) -> Result<Exchange> {
    let mut request = Request::new(Vec::new());
    *request.method_mut() = Method::DELETE;
    *request.uri_mut() = uri(origin)?;
    request.headers_mut().insert(header::AUTHORIZATION, token.field()?);
    request.headers_mut().insert(header::ACCEPT, JSON);
    Ok(Exchange::new(request).with_answer_limit(MOST_BODY_BYTES))
}

/// The token of the answer to a creation with this password.
pub(crate) fn created(
    answer: &Response<Vec<u8>>,
    password: &Secret,
    now: Timestamp,
    lifetime: SessionLifetime,
) -> Result<SessionToken> {
    if !answer.status().is_success() {
        return Err(not_created(answer, password, now));
    }
    let read: CreatedBody = read_object(answer.body()).map_err(|error| {
        // Its own text may quote the answer.
        let (line, column) = (error.line(), error.column());
        let text = format!(
            "answer to the creation of a session has no \"token\" that is text (line {line}, column {column})"
        );
        Error::protocol("ibsso_session_answer", text)
    })?;
    SessionToken::new(Secret::new(read.token.as_bytes()), now, lifetime)
}

/// What the answer to the destruction of this session says.
pub(crate) fn destroyed(
    answer: &Response<Vec<u8>>,
    token: &SessionToken,
    now: Timestamp,
) -> Result<()> {
    let said = said(answer, token.secret());
    match answer.status() {
        status if status.is_success() => Ok(()),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            let text = format!(
                "session was not destroyed ({said}): it has ended, or is bound to another address than that of this request"
            );
            Err(Error::refused(NOT_DESTROYED, text))
        }
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            Err(busy(answer, &said, now))
        }
        _ => {
            let text =
                format!("platform failed ({said}), and may have destroyed the session or not");
            Err(Error::transport(FAILED, text))
        }
    }
}

fn busy(answer: &Response<Vec<u8>>, said: &str, now: Timestamp) -> Error {
    let pause = retry_after(answer.headers(), now);
    let when =
        pause.map_or_else(|| "later".into(), |pause| format!("in {} seconds", pause.as_secs()));
    let text = format!("platform asks for patience ({said}), try again {when}");
    Error::unavailable(BUSY, pause, text)
}

/// The code of a refusal to destroy a session.
pub(crate) const NOT_DESTROYED: &str = "ibsso_not_destroyed";

/// The code of a refusal to create a session that the user name and password do not explain.
pub(crate) const NOT_CREATED: &str = "ibsso_session_not_created";

/// The code of an answer that asks for patience.
pub(crate) const BUSY: &str = "ibsso_busy";

/// The code of an answer that leaves open what was done.
pub(crate) const FAILED: &str = "ibsso_failed";

/// Why there is no session, and whether the platform says that it made none: see
/// [`TokenSource::token`](auth_core::TokenSource::token).
fn not_created(answer: &Response<Vec<u8>>, password: &Secret, now: Timestamp) -> Error {
    let said = said(answer, password);
    match answer.status() {
        StatusCode::UNAUTHORIZED => {
            let text = format!(
                "user name or password was refused ({said}), expected those of an account with API access"
            );
            Error::refused("ibsso_log_in", text)
        }
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => busy(answer, &said, now),
        status if status.is_client_error() => {
            let text = format!(
                "no session was created ({said}): another session of this user may be alive, as one that an earlier \
                 run of this program left; only its own token ends it before its time, which is 60 minutes by default; \
                 give each program a user of its own, or let programs and their next runs share one store"
            );
            Error::refused(NOT_CREATED, text)
        }
        status if status.is_redirection() => {
            let text = format!(
                "creation of a session was redirected ({said}); the base URL is another one, expected https and the host of the account"
            );
            Error::config("ibsso_redirected", text)
        }
        _ => {
            let text = format!("platform failed ({said}), and may have created a session");
            Error::transport(FAILED, text)
        }
    }
}

/// What an answer says, without the text that a platform chose: its status, and its code if it has one, which does not
/// repeat the secret that was sent.
fn said(answer: &Response<Vec<u8>>, sent: &Secret) -> String {
    let status = answer.status().as_u16();
    let repeats = |code: &str| sent.expose_text().is_some_and(|sent| code.contains(sent));
    match error_code(answer.body()) {
        Some(code) if !repeats(&code) => format!("{status} {code}"),
        _ => status.to_string(),
    }
}

fn uri(origin: &Origin) -> Result<Uri> {
    format!("{origin}{SESSION_PATH}")
        .parse()
        .map_err(|error| Error::config("ibsso_base_url", error))
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");

#[derive(Serialize)]
struct CreateBody<'a> {
    username: &'a str,
    password: &'a str,
    #[serde(rename = "unsafe")]
    is_unsafe: bool,
}

#[derive(Deserialize)]
struct CreatedBody {
    token: Zeroizing<String>,
}
