//! The APIs of messages, which send nothing.

use super::{answers, app::App};
use crate::request::Whole;
use auth_infobip::InfobipDoor;
use auth_tower::VerifyLayer;
use axum::{
    Router,
    extract::State,
    response::Response,
    routing::{MethodRouter, get, post},
};
use http::StatusCode;
use serde_json::{Value, json};
use std::sync::Arc;

/// One route for each, behind its scopes: one of those that it lists suffices.
pub(super) fn routes(door: &InfobipDoor) -> Router<Arc<App>> {
    let send = &["sms:message:send"];
    Router::new()
        .route("/sms/3/messages", scoped(door, send, post(send_sms)))
        .route("/sms/2/text/advanced", scoped(door, send, post(send_sms)))
        .route("/whatsapp/1/message/text", scoped(door, &["whatsapp:message:send"], post(send_one)))
        // The scope of logs is not among those that the vendor lists: here it has the form of the others.
        .route("/sms/1/logs", scoped(door, &["sms:logs:read"], get(nothing)))
        .route("/sms/1/inbox/reports", scoped(door, &["sms:inbound-message:read"], get(nothing)))
}

/// A route that a caller needs one of these scopes for.
fn scoped(
    door: &InfobipDoor,
    needed: &'static [&'static str],
    route: MethodRouter<Arc<App>>,
) -> MethodRouter<Arc<App>> {
    route.layer(VerifyLayer::new(door.needing(needed)))
}

async fn send_sms(State(app): State<Arc<App>>, request: Whole) -> Response {
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let messages = body.get("messages").and_then(Value::as_array).map(Vec::as_slice);
    let Some(messages) = messages.filter(|messages| !messages.is_empty()) else {
        return answers::invalid("messages", "must not be empty");
    };
    accepted(&app, messages.len())
}

async fn send_one(State(app): State<Arc<App>>, request: Whole) -> Response {
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    if body.get("to").and_then(Value::as_str).is_none() {
        return answers::invalid("to", "must not be null");
    }
    accepted(&app, 1)
}

/// As many answers as messages. Only their identifiers and their status are like the vendor's.
fn accepted(app: &App, messages: usize) -> Response {
    app.shared.record.count(|counts| counts.messages_accepted += 1);
    let status = json!({
        "groupId": 1,
        "groupName": "PENDING",
        "id": 26,
        "name": "PENDING_ACCEPTED",
        "description": "Message accepted by the emulator, which sends nothing",
    });
    let mut answered = Vec::new();
    for _ in 0..messages {
        let Ok(id) = app.shared.uuid() else { break };
        answered.push(json!({ "messageId": id, "status": status }));
    }
    answers::json(StatusCode::OK, &json!({ "messages": answered }))
}

async fn nothing() -> Response {
    answers::json(StatusCode::OK, &json!({ "results": [] }))
}
