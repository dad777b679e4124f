//! Answers in the vendor's forms.

use crate::gate::JSON;
use auth_core::{Error, Result};
use auth_ibsso::ErrorForm;
use auth_infobip::PlatformAnswer;
use axum::{body::Body, response::Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::json;

/// An answer with this body, which no cache keeps.
pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    let bytes = serde_json::to_vec(body).unwrap_or_default();
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// An error in the form of its API.
pub(super) fn error(form: ErrorForm, status: StatusCode, text: &str) -> Response {
    let mut response = Response::new(Body::from(form.body(status, text)));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    response
}

/// A 400 that names the field, in the form of older APIs.
pub(super) fn invalid(field: &str, expected: &str) -> Response {
    let exception = json!({
        "messageId": "BAD_REQUEST",
        "text": "Bad Request",
        "validationErrors": { field: [expected] },
    });
    let body = json!({ "requestError": { "serviceException": exception } });
    json(StatusCode::BAD_REQUEST, &body)
}

/// What an endpoint answers.
pub(super) fn answered(form: ErrorForm, answered: Result<PlatformAnswer>) -> Response {
    match answered {
        Ok(answer) => answer.response.map(Body::from),
        Err(error) => failed(form, &error),
    }
}

/// A 503 that says what the emulator could not do. A platform would not say it; who tests wants to know.
pub(super) fn failed(form: ErrorForm, error: &Error) -> Response {
    self::error(form, StatusCode::SERVICE_UNAVAILABLE, &format!("the emulator failed: {error}"))
}
