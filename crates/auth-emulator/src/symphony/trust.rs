//! The first step of the circle of trust, and the certificate for the last.

use super::{answers, app::App, platform::POD_CERTIFICATE};
use crate::request::Whole;
use auth_core::{Body, RequestView, Result, Secret};
use auth_jwt::dangerous;
use axum::{
    Router,
    extract::State,
    response::Response,
    routing::{get, post},
};
use http::{StatusCode, request::Parts};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/login/v1/pubkey/app/authenticate/extensionApp", post(pair))
        .route("/pod/v1/podcert", get(certificate))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PairBody {
    app_token: String,
    auth_token: String,
}

#[derive(Deserialize)]
struct Subject {
    sub: String,
}

/// A pair lives for five minutes.
const PAIR_SECONDS: u64 = 300;

async fn pair(State(app): State<Arc<App>>, request: Whole) -> Response {
    answers::answered(paired(&app, &request).await)
}

/// The signed token is judged as that of a log-in, whose token is the pod's half of the pair.
async fn paired(app: &App, request: &Whole) -> Result<Response> {
    let Ok(PairBody { app_token, auth_token }) = serde_json::from_slice(&request.body) else {
        let text = "body is not JSON with the texts \"appToken\" and \"authToken\"";
        return Ok(answers::error(StatusCode::BAD_REQUEST, text));
    };
    let Parts { method, uri, headers, .. } = &request.head;
    let log_in = json!({ "token": auth_token }).to_string();
    let view = RequestView::new(method, uri, headers)
        .with_body(Body::Bytes(log_in.as_bytes()))
        .with_peer(request.view().peer);
    let answer = app.log_ins.pairs.log_in(view).await?.response;
    if answer.status() != StatusCode::OK {
        return Ok(answer.map(axum::body::Body::from));
    }
    let issued: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    let token = issued.get("token").and_then(Value::as_str).unwrap_or_default();
    // The endpoint has verified it.
    let app_id = dangerous::decode_unverified(&auth_token).and_then(|jwt| jwt.read::<Subject>());
    let app_id = app_id.map(|it| it.sub).unwrap_or_default();
    Ok(pair_of(app, &app_id, &app_token, token))
}

/// The answer that makes this pair.
pub(super) fn pair_of(app: &App, app_id: &str, app_token: &str, symphony_token: &str) -> Response {
    app.pairs.insert(app_token, symphony_token);
    let expires = app.shared.now().unix().saturating_add(PAIR_SECONDS);
    let body = json!({
        "appId": app_id,
        "appToken": app_token,
        "symphonyToken": symphony_token,
        "expireAt": expires.saturating_mul(1000),
    });
    answers::json(StatusCode::OK, &body)
}

/// The last pairs, which a client of a user would know.
#[derive(Default)]
pub(super) struct Pairs(Mutex<VecDeque<(Secret, Secret)>>);

impl Pairs {
    const MOST: usize = 1000;

    fn insert(&self, app_token: &str, symphony_token: &str) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= Self::MOST {
            all.pop_front();
        }
        all.push_back((Secret::new(app_token), Secret::new(symphony_token)));
    }

    /// The pod's half of the pair with this token of an app.
    pub(super) fn symphony_token(&self, app_token: &[u8]) -> Option<Secret> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, found) = all.iter().rev().find(|(it, _)| it.matches(app_token))?;
        Some(Secret::new(found.expose()))
    }
}

async fn certificate() -> Response {
    answers::json(StatusCode::OK, &json!({ "certificate": POD_CERTIFICATE }))
}
