//! The APIs of the tenant, which take its profile key: Profile v2 and Contact Policy. Nothing is kept.

use super::{answers, app::App};
use crate::request::Whole;
use auth_webex::WebexFamily;
use axum::{Router, extract::State, response::Response, routing::any};
use http::StatusCode;
use serde_json::json;
use std::sync::Arc;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/resources/v2/customerprofile", any(profile))
        .route("/resources/v2/customerprofile/{id}", any(profile))
        .route("/resources/v2/customerappprofile/{app}", any(profile))
        .route("/resources/v2/profile/status/{transaction}", any(profile))
        .route("/v1/groups", any(policy))
        .route("/v1/groups/{*rest}", any(policy))
}

async fn profile(State(app): State<Arc<App>>, request: Whole) -> Response {
    const FAMILY: WebexFamily = WebexFamily::Profile;
    match app.admit(FAMILY, app.doors.profile(), &request).await {
        Err(refused) => refused,
        Ok(_) => match app.identifier() {
            Ok(transaction) => {
                let body =
                    json!({ "code": "1001", "description": "Success", "transid": transaction });
                answers::json(StatusCode::OK, &body)
            }
            Err(error) => answers::failed(FAMILY, &error),
        },
    }
}

async fn policy(State(app): State<Arc<App>>, request: Whole) -> Response {
    match app.admit(WebexFamily::ContactPolicy, app.doors.contact_policy(), &request).await {
        Err(refused) => refused,
        Ok(_) => answers::json(StatusCode::OK, &json!({ "groups": [] })),
    }
}
