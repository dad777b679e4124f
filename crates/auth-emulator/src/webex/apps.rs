//! The APIs of apps, which take their JWTs: Thread, Segment and Topic. Nothing is kept.

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
    ["threads", "segments", "topics"].into_iter().fold(Router::new(), |router, resource| {
        let path = format!("/rtmsAPI/api/v1/apps/{{app}}/{resource}");
        router.route(&path, any(answer)).route(&format!("{path}/{{*rest}}"), any(answer))
    })
}

/// The user of the token is answered beside the vendor's members, so that a test sees that it was understood.
async fn answer(State(app): State<Arc<App>>, request: Whole) -> Answer {
    let by = app.admit(WebexFamily::Rtm, app.doors.app(), &request).await?;
    let body = json!({ "code": "0", "description": "success", "userId": by.user_id });
    Ok(answers::json(StatusCode::OK, &body))
}
