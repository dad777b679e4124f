//! `/pod`: whose a session is, and the keys of bots.

use super::{
    answers,
    app::App,
    platform::{Account, AccountKey, KeyChange, Role},
};
use crate::{record::SESSION_INFO, request::Whole};
use auth_core::{Caller, Result};
use auth_tower::{Authenticated, VerifyLayer};
use axum::{
    Router,
    extract::{Path, State},
    response::Response,
    routing::{get, post},
};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) fn routes(app: &App) -> Router<Arc<App>> {
    let door = VerifyLayer::new(Arc::clone(&app.doors.pod));
    Router::new()
        .route(SESSION_INFO, get(session))
        .route("/pod/v2/admin/user/{uid}/update", post(update))
        .route_layer(door)
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

/// What is read of the attributes of a user: the keys alone.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attributes {
    current_key: Option<KeyRequest>,
    previous_key: Option<KeyRequest>,
}

#[derive(Deserialize)]
struct KeyRequest {
    key: Option<String>,
    action: Option<String>,
}

impl Attributes {
    /// What they ask for; the error says what is wrong with it.
    fn change(&self) -> Result<Option<KeyChange<'_>>, &'static str> {
        let (one, is_current) = match (&self.current_key, &self.previous_key) {
            (None, None) => return Ok(None),
            (Some(one), None) => (one, true),
            (None, Some(one)) => (one, false),
            (Some(_), Some(_)) => return Err("one key is changed at a time"),
        };
        match (one.action.as_deref(), is_current, &one.key) {
            (Some("SAVE"), true, Some(pem)) => Ok(Some(KeyChange::Save(pem))),
            (Some("REVOKE"), true, _) => Ok(Some(KeyChange::RevokeCurrent)),
            (Some("REVOKE"), false, _) => Ok(Some(KeyChange::RevokePrevious)),
            (Some("EXTEND"), false, _) => Ok(Some(KeyChange::ExtendPrevious)),
            _ => {
                Err("the current key is saved or revoked, the previous key is revoked or extended")
            }
        }
    }
}

async fn update(
    State(app): State<Arc<App>>,
    by: Authenticated<Caller>,
    Path(uid): Path<String>,
    request: Whole,
) -> Response {
    if Role::of(&by.principal) != Some(Role::Administrator) {
        let text = "The user lacks the required entitlement to perform this operation";
        return answers::error(StatusCode::FORBIDDEN, text);
    }
    let account = uid.parse().ok().and_then(|uid| app.installation.accounts.bot(uid));
    let Some(account) = account else {
        return answers::error(StatusCode::BAD_REQUEST, "there is no bot of this id");
    };
    let Ok(attributes) = serde_json::from_slice::<Attributes>(&request.body) else {
        return answers::error(
            StatusCode::BAD_REQUEST,
            "body is not JSON with attributes of a user",
        );
    };
    match attributes.change() {
        Ok(change) => answers::answered(updated(&app, account, change).await),
        Err(text) => answers::error(StatusCode::BAD_REQUEST, text),
    }
}

async fn updated(app: &App, account: &Account, change: Option<KeyChange<'_>>) -> Result<Response> {
    if let Some(change) = change {
        if let Err(text) = app.installation.change_keys(account, change).await? {
            return Ok(answers::error(StatusCode::BAD_REQUEST, &text));
        }
    }
    let keys = app.installation.keys_of(account).await?;
    let mut attributes = json!({
        "userName": &*account.name,
        "displayName": &*account.name,
        "accountType": "SYSTEM",
    });
    if let Some(members) = attributes.as_object_mut() {
        for (name, key) in [("currentKey", keys.current), ("previousKey", keys.previous)] {
            members.extend(key.map(|key| (name.to_owned(), shown(&key))));
        }
    }
    let body = json!({
        "userAttributes": attributes,
        "userSystemInfo": { "id": account.id, "status": "ENABLED" },
        "roles": [],
    });
    Ok(answers::json(StatusCode::OK, &body))
}

/// `expirationDate` is in milliseconds, and that of a key that was replaced alone.
fn shown(key: &AccountKey) -> Value {
    let mut shown = json!({ "key": &*key.pem });
    if let (Some(members), Some(expires)) = (shown.as_object_mut(), key.expires) {
        members.insert("expirationDate".into(), expires.unix().saturating_mul(1000).into());
    }
    shown
}
