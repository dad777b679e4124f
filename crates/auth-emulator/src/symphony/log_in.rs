//! `/login` and `/relay`: log-ins of bots, of apps and on behalf of users, and the common JWT.

use super::{
    answers,
    app::App,
    platform::{Account, Accounts, POD_KEY_SET},
};
use crate::{gate::JSON, request::Whole};
use auth_core::{Caller, Result};
use auth_symphony::LogInAnswer;
use auth_tower::{Authenticated, VerifyLayer};
use axum::{
    Router,
    body::Body,
    extract::{Path, State},
    response::Response,
    routing::{get, post},
};
use http::{HeaderValue, StatusCode, header};
use serde_json::json;
use std::sync::Arc;

pub(super) fn routes(app: &App) -> Router<Arc<App>> {
    let of_apps = || VerifyLayer::new(Arc::clone(&app.doors.app));
    let of_sessions = VerifyLayer::new(Arc::clone(&app.doors.pod));
    Router::new()
        .route("/login/pubkey/authenticate", post(bot))
        .route("/relay/pubkey/authenticate", post(key_manager))
        .route("/login/pubkey/app/authenticate", post(extension_app))
        .route("/login/pubkey/app/username/{name}/authenticate", post(by_name).layer(of_apps()))
        .route("/login/pubkey/app/user/{id}/authenticate", post(by_id).layer(of_apps()))
        .route("/login/idm/tokens", post(common_jwt).layer(of_sessions))
        .route("/login/idm/keys", get(key_set))
}

type By = Authenticated<Caller>;

async fn bot(State(app): State<Arc<App>>, request: Whole) -> Response {
    let answered = answer(app.log_ins.bots.log_in(request.view()).await);
    if answered.status() == StatusCode::OK {
        app.shared.record.count(|counts| counts.sessions_created += 1);
    }
    answered
}

async fn key_manager(State(app): State<Arc<App>>, request: Whole) -> Response {
    let answered = answer(app.log_ins.key_manager.log_in(request.view()).await);
    if answered.status() == StatusCode::OK {
        app.shared.record.count(|counts| counts.key_manager_tokens += 1);
    }
    answered
}

async fn extension_app(State(app): State<Arc<App>>, request: Whole) -> Response {
    let answered = answer(app.log_ins.apps.log_in(request.view()).await);
    if answered.status() == StatusCode::OK {
        app.shared.record.count(|counts| counts.sessions_created += 1);
    }
    answered
}

fn answer(answered: Result<LogInAnswer>) -> Response {
    match answered {
        Ok(LogInAnswer { response, .. }) => response.map(Body::from),
        Err(error) => answers::failed(&error),
    }
}

async fn by_name(State(app): State<Arc<App>>, by: By, Path(name): Path<String>) -> Response {
    let user = |all: &Accounts| all.named(super::platform::Role::User, &name).map(|it| it.id);
    on_behalf_of(&app, &by, user(&app.installation.accounts)).await
}

async fn by_id(State(app): State<Arc<App>>, by: By, Path(id): Path<String>) -> Response {
    on_behalf_of(&app, &by, id.parse().ok()).await
}

/// A 401 where the app is not installed for the user, and where there is no such user.
async fn on_behalf_of(app: &App, by: &By, user: Option<i64>) -> Response {
    let user: Option<&Account> = user.and_then(|id| app.installation.accounts.user(id));
    let made = app.log_ins.on_behalf_of(&by.principal, user).await;
    answers::answered(made.map(|made| match made {
        Some(token) => {
            app.shared.record.count(|counts| counts.sessions_created += 1);
            let body = json!({ "name": "sessionToken", "token": answers::text(&token) });
            answers::json(StatusCode::OK, &body)
        }
        None => answers::error(StatusCode::UNAUTHORIZED, "login failed"),
    }))
}

async fn common_jwt(State(app): State<Arc<App>>, by: By) -> Response {
    let Some(account) = app.installation.accounts.of(&by.principal) else {
        return answers::error(StatusCode::UNAUTHORIZED, "Invalid session");
    };
    answers::answered(app.common.issue(account).map(|token| {
        app.shared.record.count(|counts| counts.tokens_issued += 1);
        let body = json!({
            "token_type": "Bearer",
            "expires_in": super::platform::CommonJwts::LIFETIME.as_secs(),
            "access_token": answers::text(&token),
        });
        answers::json(StatusCode::OK, &body)
    }))
}

async fn key_set() -> Response {
    let mut response = Response::new(Body::from(POD_KEY_SET));
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
