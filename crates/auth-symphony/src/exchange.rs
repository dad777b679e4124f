//! The exchanges of log-ins as pure functions: what is sent, and what an answer means.

mod trust;

pub(crate) use trust::{TokenPair, certificate_of, circle_of_trust, pod_certificate, token_pair};

use crate::{
    common_jwt::CommonJwt,
    endpoints::Component,
    json::read_object,
    token::{self, MOST_BYTES, PairToken, SessionToken},
};
use auth_core::{Error, Exchange, Result, Secret, Timestamp};
use auth_session::retry_after;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use zeroize::Zeroizing;

/// The most bytes of an answer to a log-in that are read: two tokens and their frame.
const MOST_ANSWER_BYTES: usize = 32 * 1024;

/// The path of a log-in, and what it asks for, for messages.
#[derive(Clone, Copy)]
pub(crate) struct Path {
    pub(crate) path: &'static str,
    pub(crate) what: &'static str,
}

pub(crate) const BOT_SESSION: Path =
    Path { path: "/login/pubkey/authenticate", what: "session of the bot" };
pub(crate) const BOT_KEY_MANAGER: Path =
    Path { path: "/relay/pubkey/authenticate", what: "key manager token of the bot" };
pub(crate) const APP_SESSION: Path =
    Path { path: "/login/pubkey/app/authenticate", what: "session of the app" };
pub(crate) const CERTIFICATE_BOT_SESSION: Path =
    Path { path: "/sessionauth/v1/authenticate", what: "session of the bot" };
pub(crate) const CERTIFICATE_KEY_MANAGER: Path =
    Path { path: "/keyauth/v1/authenticate", what: "key manager token of the bot" };
pub(crate) const CERTIFICATE_APP_SESSION: Path =
    Path { path: "/sessionauth/v1/app/authenticate", what: "session of the app" };

/// A log-in with a signed token.
pub(crate) fn with_jwt(at: &Component, path: Path, jwt: &str) -> Result<Exchange> {
    let body = serde_json::to_vec(&JwtBody { token: jwt })
        .map_err(|error| Error::config("symphony_jwt", error))?;
    let mut request = post(at, path.path, body)?;
    request.headers_mut().insert(header::CONTENT_TYPE, JSON);
    Ok(Exchange::new(request).with_answer_limit(MOST_ANSWER_BYTES))
}

/// A log-in with the certificate of the connection. It has neither a body nor a content type: pods refuse both.
pub(crate) fn with_certificate(at: &Component, path: Path) -> Result<Exchange> {
    let request = post(at, path.path, Vec::new())?;
    Ok(Exchange::new(request).with_answer_limit(MOST_ANSWER_BYTES))
}

/// A request at this path that a session token authorizes: the log-in of a user by the session of an app.
pub(crate) fn with_session(at: &Component, path: &str, session: &SessionToken) -> Result<Exchange> {
    let mut request = post(at, path, Vec::new())?;
    request.headers_mut().insert(token::SESSION_TOKEN, token::field(session.secret())?);
    Ok(Exchange::new(request).with_answer_limit(MOST_ANSWER_BYTES))
}

/// The request for a common JWT. The scope is empty, as the vendor's programs send it: all that the bot may do.
pub(crate) fn common_jwt(at: &Component, session: &SessionToken) -> Result<Exchange> {
    with_session(at, "/login/idm/tokens?scope=", session)
}

/// The common JWT of an answer.
pub(crate) fn common_jwt_of(answer: &Response<Vec<u8>>, now: Timestamp) -> Result<CommonJwt> {
    let read: CommonJwtBody = read_object(answer.body()).map_err(|error| {
        let lacks = "\"access_token\" that is text and \"expires_in\" that is a number";
        unreadable("symphony_common_jwt_answer", lacks, &error)
    })?;
    CommonJwt::read(&read.access_token, now.after(Duration::from_secs(read.expires_in)))
}

/// An answer that lacks these members. It says where, and repeats nothing of the error, whose text may quote the answer.
fn unreadable(code: &'static str, lacks: &str, error: &serde_json::Error) -> Error {
    let (line, column) = (error.line(), error.column());
    Error::protocol(code, format!("answer has no {lacks} (line {line}, column {column})"))
}

/// Can a header field hold it?
pub(crate) fn is_token(token: &str) -> Result<()> {
    let is_visible = |byte: u8| matches!(byte, 0x21..=0x7e);
    if token.is_empty() || token.len() > MOST_BYTES || !token.bytes().all(is_visible) {
        let text = "token is not of 1 to 8192 visible ASCII characters, as a header field needs it";
        return Err(Error::protocol("symphony_token", text));
    }
    Ok(())
}

fn post(at: &Component, path: &str, body: Vec<u8>) -> Result<Request<Vec<u8>>> {
    let mut request = at.request(path)?.map(|_| body);
    *request.method_mut() = Method::POST;
    request.headers_mut().insert(header::ACCEPT, JSON);
    Ok(request)
}

/// The token of an answer.
pub(crate) fn token<T: PairToken>(answer: &Response<Vec<u8>>) -> Result<T> {
    let read: TokenBody = read_object(answer.body())
        .map_err(|error| unreadable("symphony_log_in_answer", "\"token\" that is text", &error))?;
    if read.name.is_some_and(|name| !T::FIELD.as_str().eq_ignore_ascii_case(&name)) {
        // The name itself may be anything.
        let text = format!(
            "answer to a log-in has a token of another name than {}: the base URL is that of another component",
            T::FIELD
        );
        return Err(Error::protocol("symphony_token_name", text));
    }
    let token = read.token.or(read.session_token).ok_or_else(|| {
        Error::protocol("symphony_log_in_answer", "answer to a log-in has no \"token\"")
    })?;
    is_token(&token)?;
    let authorization = read.authorization_token.map(|it| Secret::new(it.as_bytes()));
    Ok(T::of(Secret::new(token.as_bytes()), authorization))
}

/// Why a log-in gave no token.
pub(crate) fn refused(answer: &Response<Vec<u8>>, what: &str, now: Timestamp) -> Error {
    let status = answer.status().as_u16();
    match answer.status() {
        StatusCode::UNAUTHORIZED => {
            let text = format!(
                "{what} was refused (401): the name is not that of a bot or app at this pod (case matters), the public \
                 key or certificate is not the one that is stored there, or this machine's clock is wrong by minutes"
            );
            Error::refused(UNAUTHORIZED, text)
        }
        StatusCode::FORBIDDEN => {
            let text = format!(
                "{what} was refused (403): the pod knows the account and does not let it log in this way; an \
                 administrator of the pod has to"
            );
            Error::refused("symphony_log_in_forbidden", text)
        }
        StatusCode::NOT_FOUND => {
            let text = format!(
                "{what} was not found (404): the host is another component's, the context path is missing, or the user \
                 does not exist"
            );
            Error::refused("symphony_log_in_not_found", text)
        }
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            let text = format!("{what} was put off ({status})");
            Error::unavailable("symphony_busy", retry_after(answer.headers(), now), text)
        }
        status if status.is_redirection() => {
            let text = format!(
                "{what} was redirected ({}), expected the base URL of the component itself",
                status.as_u16()
            );
            Error::config("symphony_redirected", text)
        }
        status if status.is_client_error() => {
            let text = format!("{what} was refused ({})", status.as_u16());
            Error::refused("symphony_log_in_refused", text)
        }
        _ => {
            let text = format!("{what} failed ({status})");
            match retry_after(answer.headers(), now) {
                None => Error::transport("symphony_failed", text),
                said => Error::unavailable("symphony_failed", said, text),
            }
        }
    }
}

/// The code of a 401 to a log-in.
pub(crate) const UNAUTHORIZED: &str = "symphony_log_in";

const JSON: HeaderValue = HeaderValue::from_static("application/json");

#[derive(Serialize)]
struct JwtBody<'a> {
    token: &'a str,
}

#[derive(Deserialize)]
struct TokenBody {
    name: Option<Box<str>>,
    token: Option<Zeroizing<String>>,
    /// As the log-ins of users by certificate call it.
    #[serde(rename = "sessionToken")]
    session_token: Option<Zeroizing<String>>,
    #[serde(rename = "authorizationToken")]
    authorization_token: Option<Zeroizing<String>>,
}

#[derive(Deserialize)]
struct CommonJwtBody {
    access_token: Zeroizing<String>,
    expires_in: u64,
}
