//! Answers in the vendor's forms.

use crate::gate::JSON;
use auth_core::{Error, Result, Secret};
use axum::{body::Body, response::Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::json;

/// An answer with this body, which no cache keeps.
pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    let mut response = Response::new(Body::from(serde_json::to_vec(body).unwrap_or_default()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// `{"code":401,"message":".."}`.
pub(super) fn error(status: StatusCode, text: &str) -> Response {
    json(status, &json!({ "code": status.as_u16(), "message": text }))
}

/// A 503 that says what the emulator could not do. A platform would not say it; who tests wants to know.
pub(super) fn failed(error: &Error) -> Response {
    self::error(StatusCode::SERVICE_UNAVAILABLE, &format!("the emulator failed: {error}"))
}

/// The answer of a handler that may fail.
pub(super) fn answered(made: Result<Response>) -> Response {
    made.unwrap_or_else(|error| failed(&error))
}

/// A token that goes into an answer.
pub(super) fn text(token: &Secret) -> String {
    token.expose_text().unwrap_or_default().to_owned()
}
