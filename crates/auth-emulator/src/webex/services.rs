//! The APIs of services that send and ask: Messaging v1 and v2, the sandbox, RCS capability. Nothing is sent.

use super::{
    answers,
    app::{Answer, App},
};
use crate::request::Whole;
use auth_webex::WebexFamily;
use axum::{
    Router,
    extract::{Path, State},
    response::Response,
    routing::{any, get, post},
};
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/resources/v1/messaging", post(send_v1))
        .route("/v2/messages", post(send_v2))
        .route("/v2/messages/{id}", get(see_v2))
        .route("/v1/sms/messages", post(send_sandbox))
        .route("/v1/rcs", any(rcs))
        .route("/v1/rcs/{*rest}", any(rcs))
}

async fn send_v1(State(app): State<Arc<App>>, request: Whole) -> Answer {
    let transaction = accepted(&app, WebexFamily::MessagingV1, &request).await?;
    let body = json!({ "response": [answers::queued("1001", &transaction)] });
    Ok(answers::json(StatusCode::OK, &body))
}

async fn send_v2(State(app): State<Arc<App>>, request: Whole) -> Answer {
    let id = accepted(&app, WebexFamily::MessagingV2, &request).await?;
    Ok(answers::json(StatusCode::CREATED, &json!({ "messageId": id, "status": "queued" })))
}

async fn see_v2(State(app): State<Arc<App>>, Path(id): Path<String>, request: Whole) -> Answer {
    app.service(WebexFamily::MessagingV2, &request).await?;
    Ok(answers::json(StatusCode::OK, &json!({ "messageId": id, "status": "queued" })))
}

async fn send_sandbox(State(app): State<Arc<App>>, request: Whole) -> Answer {
    let id = accepted(&app, WebexFamily::Sandbox, &request).await?;
    let mut response = answers::json(StatusCode::ACCEPTED, &json!({ "messageId": id }));
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    Ok(response)
}

const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");

async fn rcs(State(app): State<Arc<App>>, request: Whole) -> Answer {
    app.service(WebexFamily::RcsCapability, &request).await?;
    Ok(answers::json(StatusCode::OK, &json!({ "capabilities": [] })))
}

/// The identifier of a message that a service may send.
async fn accepted(app: &App, family: WebexFamily, request: &Whole) -> Result<String, Response> {
    app.service(family, request).await?;
    let body: Value = serde_json::from_slice(&request.body)
        .map_err(|_| app.wrong(family, "7000", "Invalid JSON"))?;
    if body.get("to").is_none() {
        return Err(app.wrong(family, "7003", "Mandatory parameter missing: to"));
    }
    app.shared.record.count(|counts| counts.messages_accepted += 1);
    app.shared.uuid().map_err(|error| answers::failed(family, &error))
}
