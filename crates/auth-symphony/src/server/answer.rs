//! What is sent back, in the platform's form.

use auth_core::{Error, Reason, Rejection, Result, Secret, retry_after_seconds};
use http::{HeaderValue, Response, StatusCode, header};
use serde::Serialize;
use std::fmt;

/// What a log-in came to: the answer, and for the log why it was refused.
///
/// # Security
///
/// Its `Debug` shows no secret: the answer may have a token in its body.
#[non_exhaustive]
pub struct LogInAnswer {
    /// What is sent back.
    pub response: Response<Vec<u8>>,
    /// Why it is a refusal, if it is one.
    pub refused: Option<Reason>,
}

#[derive(Serialize)]
struct TokenBody<'a> {
    name: &'a str,
    token: &'a str,
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    code: u16,
    message: &'a str,
}

impl LogInAnswer {
    pub(super) fn token(name: &str, token: &Secret) -> Result<Self> {
        let token = token.expose_text().ok_or_else(|| {
            Error::config("symphony_issued_token", "token that was issued is no text")
        })?;
        let mut answer = Self::json(StatusCode::OK, &TokenBody { name, token }, None)?;
        let no_store = HeaderValue::from_static("no-store");
        answer.response.headers_mut().insert(header::CACHE_CONTROL, no_store);
        Ok(answer)
    }

    pub(super) fn refused(status: StatusCode, reason: Reason) -> Result<Self> {
        // The outside is told what it can do, and never why a credential was refused.
        let message = match status {
            StatusCode::BAD_REQUEST => reason.text,
            StatusCode::TOO_MANY_REQUESTS => "too many requests",
            StatusCode::SERVICE_UNAVAILABLE => "try again later",
            _ => "login failed",
        };
        Self::json(status, &ErrorBody { code: status.as_u16(), message }, Some(reason))
    }

    /// A rejection in the platform's form: without a challenge, which it has none of, and a malformed token is a 401.
    pub(super) fn rejected(rejection: &Rejection) -> Result<Self> {
        let status = match rejection.status() {
            StatusCode::BAD_REQUEST => StatusCode::UNAUTHORIZED,
            status => status,
        };
        let mut answer = Self::refused(status, rejection.reason())?;
        if let Some(wait) = rejection.retry_after() {
            let seconds = retry_after_seconds(wait);
            answer.response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        Ok(answer)
    }

    fn json(status: StatusCode, body: &impl Serialize, refused: Option<Reason>) -> Result<Self> {
        let body =
            serde_json::to_vec(body).map_err(|error| Error::config("symphony_answer", error))?;
        let mut response = Response::new(body);
        *response.status_mut() = status;
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        Ok(Self { response, refused })
    }
}

impl fmt::Debug for LogInAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogInAnswer")
            .field("status", &self.response.status())
            .field("refused", &self.refused)
            .finish_non_exhaustive()
    }
}
