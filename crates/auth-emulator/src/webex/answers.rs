//! Answers in the vendor's forms.

use crate::gate::JSON;
use auth_core::{Error, Rejection};
use auth_webex::{WebexFamily, refusal_answer};
use axum::{body::Body, response::Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::{Value, json};

/// An answer with this body, which no cache keeps.
pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    let mut response = Response::new(Body::from(serde_json::to_vec(body).unwrap_or_default()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A refusal in the form of its family.
pub(super) fn refused(family: WebexFamily, rejection: &Rejection, transaction: &str) -> Response {
    refusal_answer(family, rejection, transaction).map(Body::from)
}

/// An answer with a code, in the form of its family.
pub(super) fn coded(
    family: WebexFamily,
    status: StatusCode,
    code: &str,
    text: &str,
    transaction: &str,
) -> Response {
    let body = if is_enveloped(family) {
        json!({ "response": { "code": code, "description": text, "transid": transaction } })
    } else {
        json!({ "code": code, "message": text })
    };
    json(status, &body)
}

/// A 503 that says what the emulator could not do. A platform would not say it; who tests wants to know.
pub(super) fn failed(family: WebexFamily, error: &Error) -> Response {
    let (status, text) = (StatusCode::SERVICE_UNAVAILABLE, format!("the emulator failed: {error}"));
    coded(family, status, INTERNAL, &text, "")
}

/// The code of an internal error.
pub(super) const INTERNAL: &str = "7006";

/// `{"code":"1001","transid":"..","description":"Queued"}`.
pub(super) fn queued(code: &str, transaction: &str) -> Value {
    json!({ "code": code, "transid": transaction, "description": "Queued" })
}

/// The older families have their codes in the member `response`.
const fn is_enveloped(family: WebexFamily) -> bool {
    matches!(
        family,
        WebexFamily::MessagingV1 | WebexFamily::CustomEvent | WebexFamily::InboundWebhook
    )
}
