//! `/settings/2/api-keys`: API keys, which no API key manages.

use super::{answers, app::App};
use crate::request::Whole;
use auth_core::{Caller, Result};
use auth_ibsso::ErrorForm;
use auth_infobip::{InfobipDoor, PlatformAnswer};
use auth_tower::{Authenticated, VerifyLayer};
use axum::{
    Router,
    extract::{Path, State},
    response::Response,
    routing::get,
};
use std::sync::Arc;

pub(super) fn routes(door: &InfobipDoor) -> Router<Arc<App>> {
    Router::new()
        .route("/settings/2/api-keys", get(list).post(create))
        .route("/settings/2/api-keys/{id}", get(see).put(update))
        .route_layer(VerifyLayer::new(door.clone()))
}

type By = Authenticated<Caller>;

async fn create(State(app): State<Arc<App>>, by: By, request: Whole) -> Response {
    let created = app.keys.create(&by.principal, request.view()).await;
    if created.as_ref().is_ok_and(|answer| answer.refused.is_none()) {
        app.shared.record.count(|counts| counts.keys_created += 1);
    }
    answer(created)
}

async fn list(State(app): State<Arc<App>>, by: By, request: Whole) -> Response {
    answer(app.keys.list(&by.principal, request.view()).await)
}

async fn see(State(app): State<Arc<App>>, by: By, Path(id): Path<String>) -> Response {
    answer(app.keys.see(&by.principal, &id).await)
}

async fn update(
    State(app): State<Arc<App>>,
    by: By,
    Path(id): Path<String>,
    request: Whole,
) -> Response {
    answer(app.keys.update(&by.principal, &id, request.view()).await)
}

fn answer(answered: Result<PlatformAnswer>) -> Response {
    answers::answered(ErrorForm::ErrorCode, answered)
}
