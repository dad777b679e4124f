//! `/sessionauth` and `/keyauth`: log-ins by the certificate of the connection.

use super::{
    answers,
    app::App,
    platform::{Account, POD_CERTIFICATE, Role},
    trust,
};
use crate::request::Whole;
use auth_core::{Caller, Result};
use auth_lifecycle::Kind;
use auth_symphony::certificate_user;
use auth_tower::{Authenticated, VerifyLayer};
use axum::{
    Router,
    extract::{Path, State},
    response::Response,
    routing::{get, post},
};
use http::{StatusCode, header::CONTENT_TYPE};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

pub(super) fn routes(app: &App) -> Router<Arc<App>> {
    let of_apps = || VerifyLayer::new(Arc::clone(&app.doors.app));
    Router::new()
        .route("/sessionauth/v1/authenticate", post(bot))
        .route("/keyauth/v1/authenticate", post(key_manager))
        .route("/sessionauth/v1/app/authenticate", post(extension_app))
        .route("/sessionauth/v1/app/username/{name}/authenticate", post(by_name).layer(of_apps()))
        .route("/sessionauth/v1/app/user/{id}/authenticate", post(by_id).layer(of_apps()))
        .route("/sessionauth/v1/authenticate/extensionApp", post(pair))
        .route("/sessionauth/v1/app/pod/certificate", get(certificate))
}

async fn bot(State(app): State<Arc<App>>, request: Whole) -> Response {
    log_in(&app, &request, Role::Bot, Kind::SymphonySession, "sessionToken").await
}

async fn key_manager(State(app): State<Arc<App>>, request: Whole) -> Response {
    log_in(&app, &request, Role::Bot, Kind::KeyManagerToken, "keyManagerToken").await
}

async fn extension_app(State(app): State<Arc<App>>, request: Whole) -> Response {
    log_in(&app, &request, Role::App, Kind::SymphonySession, "sessionToken").await
}

/// A token of this kind for whoever the certificate is of.
async fn log_in(app: &App, request: &Whole, role: Role, kind: Kind, name: &str) -> Response {
    if !request.body.is_empty() || request.head.headers.contains_key(CONTENT_TYPE) {
        let text = "log-in by certificate has a body or a content type, expected neither";
        return answers::error(StatusCode::BAD_REQUEST, text);
    }
    let account = match account(app, request, role) {
        Ok(account) => account,
        Err((status, text)) => return answers::error(status, text),
    };
    let issued = app.installation.issue(kind, &account.service, role).await;
    answers::answered(issued.map(|token| {
        app.shared.record.count(|counts| match kind {
            Kind::KeyManagerToken => counts.key_manager_tokens += 1,
            _ => counts.sessions_created += 1,
        });
        let body = json!({ "name": name, "token": answers::text(&token) });
        answers::json(StatusCode::OK, &body)
    }))
}

/// Whose the certificate of this connection is; else the status and the text of the answer.
fn account<'a>(
    app: &'a App,
    request: &Whole,
    role: Role,
) -> Result<&'a Account, (StatusCode, &'static str)> {
    let unauthorized = |text| (StatusCode::UNAUTHORIZED, text);
    let certificate = request.view().peer.certificate;
    let certificate = certificate.ok_or(unauthorized("connection shows no client certificate"))?;
    let name = certificate_user(certificate).map_err(|_| unauthorized("login failed"))?;
    let account = app.installation.accounts.named(role, &name);
    let account = account.ok_or(unauthorized("login failed"))?;
    if account.has_certificate {
        return Ok(account);
    }
    let text = "certificate authentication is not allowed for the requested user";
    Err((StatusCode::FORBIDDEN, text))
}

type By = Authenticated<Caller>;

async fn by_name(
    State(app): State<Arc<App>>,
    by: By,
    Path(name): Path<String>,
    request: Whole,
) -> Response {
    let user = app.installation.accounts.named(Role::User, &name);
    on_behalf_of(&app, &by, user, &request).await
}

async fn by_id(
    State(app): State<Arc<App>>,
    by: By,
    Path(id): Path<String>,
    request: Whole,
) -> Response {
    let user = id.parse().ok().and_then(|id| app.installation.accounts.user(id));
    on_behalf_of(&app, &by, user, &request).await
}

/// A 404 where there is no such user, and a 401 where the app is not installed for the user.
async fn on_behalf_of(app: &App, by: &By, user: Option<&Account>, request: &Whole) -> Response {
    let of_certificate = match account(app, request, Role::App) {
        Ok(account) => account,
        Err((status, text)) => return answers::error(status, text),
    };
    let of_session = app.installation.accounts.of(&by.principal);
    if of_session.is_none_or(|account| account.service != of_certificate.service) {
        return answers::error(StatusCode::UNAUTHORIZED, "login failed");
    }
    let Some(user) = user else {
        return answers::error(StatusCode::NOT_FOUND, "there is no such user");
    };
    let made = app.log_ins.on_behalf_of(&by.principal, Some(user)).await;
    answers::answered(made.map(|made| match made {
        Some(token) => {
            app.shared.record.count(|counts| counts.sessions_created += 1);
            // Not in the form of the other log-ins.
            answers::json(StatusCode::OK, &json!({ "sessionToken": answers::text(&token) }))
        }
        None => answers::error(StatusCode::UNAUTHORIZED, "login failed"),
    }))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PairBody {
    app_token: String,
}

async fn pair(State(app): State<Arc<App>>, request: Whole) -> Response {
    let Ok(PairBody { app_token }) = serde_json::from_slice(&request.body) else {
        let text = "body is not JSON with the text \"appToken\"";
        return answers::error(StatusCode::BAD_REQUEST, text);
    };
    match account(&app, &request, Role::App) {
        Ok(account) => answers::answered(
            app.shared
                .identifier()
                .map(|made| trust::pair_of(&app, &account.name, &app_token, &made)),
        ),
        Err((status, text)) => answers::error(status, text),
    }
}

async fn certificate() -> Response {
    answers::json(StatusCode::OK, &json!({ "certificate": POD_CERTIFICATE }))
}
