//! `/agent`: messages, which are not sent, and datafeeds, which are empty.

use super::{answers, app::App};
use crate::request::Whole;
use auth_core::{Caller, Result};
use auth_tower::{Authenticated, VerifyLayer};
use axum::{
    Router,
    extract::{Path, State},
    response::Response,
    routing::{delete, get, post},
};
use http::{HeaderValue, StatusCode, header};
use serde_json::json;
use std::sync::{Arc, atomic::Ordering};

pub(super) fn routes(app: &App) -> Router<Arc<App>> {
    Router::new()
        .route("/agent/v4/stream/{sid}/message/create", post(message))
        .route("/agent/v5/datafeeds", post(create).get(list))
        .route("/agent/v5/datafeeds/{id}", delete(remove))
        .route("/agent/v5/datafeeds/{id}/read", post(read))
        .route("/agent/v4/datafeed/create", post(create_deprecated))
        .route_layer(VerifyLayer::new(Arc::clone(&app.doors.agent)))
        .route("/agent/v1/info", get(info))
}

type By = Authenticated<Caller>;

/// The last version for which a bot needs a key manager token.
const VERSION: &str = "Agent-24.12.0-emulated";

async fn info() -> Response {
    answers::json(StatusCode::OK, &json!({ "version": VERSION, "hostname": "127.0.0.1" }))
}

async fn message(
    State(app): State<Arc<App>>,
    Path(stream): Path<String>,
    request: Whole,
) -> Response {
    if request.body.is_empty() {
        return answers::error(StatusCode::BAD_REQUEST, "message is empty");
    }
    answers::answered(app.shared.identifier().map(|id| {
        app.shared.record.count(|counts| counts.messages_accepted += 1);
        let body = json!({
            "messageId": id,
            "timestamp": app.milliseconds(),
            "stream": { "streamId": stream },
        });
        answers::json(StatusCode::OK, &body)
    }))
}

async fn create(State(app): State<Arc<App>>, by: By) -> Response {
    answers::answered(made(&app, &by).map(|id| {
        let body = json!({ "id": id, "createdAt": app.milliseconds(), "type": "datafeed" });
        answers::json(StatusCode::CREATED, &body)
    }))
}

fn made(app: &App, by: &By) -> Result<String> {
    let id = app.shared.identifier()?;
    app.datafeeds.insert(owner(by), &id);
    Ok(id)
}

/// A datafeed belongs to its bot, whichever session made it.
fn owner(by: &By) -> &str {
    by.principal.service.as_deref().unwrap_or_default()
}

async fn list(State(app): State<Arc<App>>, by: By) -> Response {
    let ids = app.datafeeds.of(owner(&by));
    let all: Vec<_> = ids.iter().map(|id| json!({ "id": id, "type": "datafeed" })).collect();
    answers::json(StatusCode::OK, &all)
}

async fn read(State(app): State<Arc<App>>, by: By, Path(id): Path<String>) -> Response {
    match app.datafeeds.read(owner(&by), &id) {
        Some(reads) => {
            let body = json!({ "events": [], "ackId": format!("ack-{reads}") });
            answers::json(StatusCode::OK, &body)
        }
        None => answers::error(StatusCode::BAD_REQUEST, "Could not find a datafeed with the id"),
    }
}

async fn remove(State(app): State<Arc<App>>, by: By, Path(id): Path<String>) -> Response {
    match app.datafeeds.remove(owner(&by), &id) {
        true => {
            let mut response = Response::default();
            *response.status_mut() = StatusCode::NO_CONTENT;
            response
        }
        false => answers::error(StatusCode::BAD_REQUEST, "Could not find a datafeed with the id"),
    }
}

/// As the endpoints of an agent that are to be given up: a warning with each answer, and a 410 once they are.
async fn create_deprecated(State(app): State<Arc<App>>, by: By) -> Response {
    if app.switched_off.load(Ordering::SeqCst) {
        return answers::error(StatusCode::GONE, "This endpoint was switched off");
    }
    answers::answered(made(&app, &by).map(|id| {
        let mut response = answers::json(StatusCode::OK, &json!({ "id": id }));
        response.headers_mut().insert(header::WARNING, DEPRECATED);
        response
    }))
}

const DEPRECATED: HeaderValue =
    HeaderValue::from_static("299 - \"deprecated, use POST /agent/v5/datafeeds\"");
