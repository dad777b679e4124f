//! The APIs of the tenant, which take its profile key: Profile v2 and Contact Policy. Nothing is kept.

use super::{
    answers,
    app::{Answer, App},
};
use crate::request::Whole;
use auth_webex::WebexFamily;
use axum::{Router, extract::State, routing::any};
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

async fn profile(State(app): State<Arc<App>>, request: Whole) -> Answer {
    const FAMILY: WebexFamily = WebexFamily::Profile;
    app.admit(FAMILY, app.doors.profile(), &request).await?;
    let transaction = app.shared.uuid().map_err(|error| answers::failed(FAMILY, &error))?;
    let body = json!({ "code": "1001", "description": "Success", "transid": transaction });
    Ok(answers::json(StatusCode::OK, &body))
}

async fn policy(State(app): State<Arc<App>>, request: Whole) -> Answer {
    app.admit(WebexFamily::ContactPolicy, app.doors.contact_policy(), &request).await?;
    Ok(answers::json(StatusCode::OK, &json!({ "groups": [] })))
}
