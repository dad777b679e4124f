//! `/pod`: whose a session is.

use super::{answers, app::App};
use crate::record::SESSION_INFO;
use auth_core::Caller;
use auth_tower::{Authenticated, VerifyLayer};
use axum::{Router, extract::State, response::Response, routing::get};
use http::StatusCode;
use serde_json::json;
use std::sync::Arc;

pub(super) fn routes(app: &App) -> Router<Arc<App>> {
    let door = VerifyLayer::new(Arc::clone(&app.doors.pod));
    Router::new().route(SESSION_INFO, get(session).layer(door))
}

async fn session(State(app): State<Arc<App>>, by: Authenticated<Caller>) -> Response {
    match app.installation.accounts.of(&by.principal) {
        Some(account) => {
            let body = json!({
                "id": account.id,
                "username": &*account.name,
                "displayName": &*account.name,
            });
            answers::json(StatusCode::OK, &body)
        }
        None => answers::error(StatusCode::UNAUTHORIZED, "Invalid session"),
    }
}
