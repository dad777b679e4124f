//! `/pod`: whose a session is.

use super::{answers, app::App};
use auth_core::Caller;
use auth_tower::{Authenticated, VerifyLayer};
use axum::{
    Router,
    extract::{Request, State},
    middleware::{Next, from_fn_with_state},
    response::Response,
    routing::get,
};
use http::StatusCode;
use serde_json::json;
use std::sync::Arc;

pub(super) fn routes(app: &Arc<App>) -> Router<Arc<App>> {
    let door = VerifyLayer::new(Arc::clone(&app.doors.pod));
    let counted = from_fn_with_state(Arc::clone(app), count);
    Router::new().route("/pod/v2/sessioninfo", get(session).layer(door).layer(counted))
}

async fn count(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    app.record.count(|counts| counts.session_infos += 1);
    next.run(request).await
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
