//! What a request came to.

use auth_core::{Reason, Rejection, retry_after_seconds};
use auth_ibsso::ErrorForm;
use http::{HeaderValue, Response, StatusCode, header};
use serde::Serialize;
use serde_json::Value;
use std::{fmt, time::Duration};

/// What a request came to: the answer, and for the log why it was refused.
///
/// Its `Debug` does not show the answer's body, which may hold a token or a key.
#[non_exhaustive]
pub struct PlatformAnswer {
    /// What is sent back.
    pub response: Response<Vec<u8>>,
    /// Why it is a refusal, if it is one.
    pub refused: Option<Reason>,
}

impl PlatformAnswer {
    /// The answer to a request that a verifier rejected, in the form of errors that the called API has.
    ///
    /// ```
    /// use auth_core::{Challenge, Reason, Rejection};
    /// use auth_ibsso::ErrorForm;
    /// use auth_infobip::PlatformAnswer;
    /// const ENDED: Reason = Reason::new("session_ended", "session has ended");
    /// let rejection = Rejection::unauthenticated(ENDED, Challenge::without_parameters("IBSSO"));
    /// let answer = PlatformAnswer::rejected(ErrorForm::ErrorCode, &rejection);
    /// assert_eq!(answer.response.status(), 401);
    /// assert_eq!(answer.response.headers()["www-authenticate"], "IBSSO");
    /// ```
    #[must_use]
    pub fn rejected(form: ErrorForm, rejection: &Rejection) -> Self {
        let (status, reason) = (rejection.status(), rejection.reason());
        // The outside is told what it can do, and never why a credential was refused.
        let text = match status {
            StatusCode::BAD_REQUEST => reason.text,
            StatusCode::TOO_MANY_REQUESTS => "Too many requests",
            StatusCode::FORBIDDEN => "Forbidden",
            _ => "Invalid login details",
        };
        let mut answer = Self::error(form, status, text, reason);
        for challenge in rejection.challenges() {
            let field = challenge.field().clone();
            answer.response.headers_mut().append(header::WWW_AUTHENTICATE, field);
        }
        match rejection.retry_after() {
            Some(pause) => answer.asking_to_wait(pause),
            None => answer,
        }
    }

    /// What is told once and kept by no cache.
    pub(super) fn told(body: &impl Serialize) -> Self {
        let mut response = with_body(StatusCode::OK, serde_json::to_vec(body).unwrap_or_default());
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Self { response, refused: None }
    }

    pub(super) fn error(form: ErrorForm, status: StatusCode, text: &str, reason: Reason) -> Self {
        Self { response: with_body(status, form.body(status, text)), refused: Some(reason) }
    }

    pub(super) fn error_of(status: StatusCode, body: &Value, reason: Reason) -> Self {
        let body = body.to_string().into_bytes();
        Self { response: with_body(status, body), refused: Some(reason) }
    }

    /// In whole seconds, rounded up: a caller that comes back on time is not early.
    pub(super) fn asking_to_wait(mut self, pause: Duration) -> Self {
        let seconds = HeaderValue::from(retry_after_seconds(pause));
        self.response.headers_mut().insert(header::RETRY_AFTER, seconds);
        self
    }
}

fn with_body(status: StatusCode, body: Vec<u8>) -> Response<Vec<u8>> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

impl fmt::Debug for PlatformAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlatformAnswer")
            .field("status", &self.response.status())
            .field("refused", &self.refused)
            .finish_non_exhaustive()
    }
}
