//! `POST /auth/1/oauth2/token`.

use super::{answers, app::App};
use crate::request::Whole;
use auth_ibsso::ErrorForm;
use axum::{extract::State, response::Response};
use std::sync::Arc;

pub(super) async fn token(State(app): State<Arc<App>>, request: Whole) -> Response {
    let endpoint = app.platform.token_endpoint(&app.users, &app.tokens.current());
    let issued = endpoint.issue(request.view()).await;
    if issued.as_ref().is_ok_and(|answer| answer.refused.is_none()) {
        app.shared.record.count(|counts| counts.tokens_issued += 1);
    }
    answers::answered(ErrorForm::ServiceException, issued)
}
