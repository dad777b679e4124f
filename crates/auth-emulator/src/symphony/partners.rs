//! `/partner`: an OAuth token endpoint that takes JSON, and what its tokens open.

use super::{answers, app::App};
use crate::request::Whole;
use auth_core::{Authorization, BearerRealm, Secret, Timestamp};
use axum::{
    Router,
    extract::State,
    response::Response,
    routing::{get, post},
};
use http::{HeaderMap, HeaderValue, StatusCode, header::WWW_AUTHENTICATE};
use serde::Deserialize;
use serde_json::json;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/partner/oauth/token", post(token))
        .route("/partner/v1/status", get(status))
}

/// A partner that is to be made.
pub(super) struct NewPartner {
    pub(super) client_id: Box<str>,
    pub(super) secret: Secret,
    pub(super) audience: Box<str>,
}

/// The partners, and the tokens that they have.
pub(super) struct Partners {
    all: Vec<NewPartner>,
    issued: Mutex<VecDeque<(Secret, Timestamp)>>,
}

/// The answer does not say it: a client learns by a 401 that its token has ended.
const LIFETIME: Duration = Duration::from_secs(60 * 60);

/// Beyond so many tokens the oldest ends.
const MOST: usize = 1000;

impl Partners {
    pub(super) fn new(all: Vec<NewPartner>) -> Self {
        Self { all, issued: Mutex::default() }
    }

    fn knows(&self, asked: &TokenBody) -> bool {
        let partner = self.all.iter().find(|it| *it.client_id == *asked.client_id);
        partner.is_some_and(|it| {
            it.secret.matches(asked.client_secret.as_bytes()) && *it.audience == *asked.audience
        })
    }

    fn keep(&self, token: &str, ends: Timestamp) {
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        if issued.len() >= MOST {
            issued.pop_front();
        }
        issued.push_back((Secret::new(token), ends));
    }

    fn admits(&self, headers: &HeaderMap, now: Timestamp) -> bool {
        let field = Authorization::of_scheme(headers, BearerRealm::SCHEME);
        let Ok(Some(Ok(token))) = field.map(|it| it.map(|it| it.token68())) else { return false };
        let issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        issued.iter().any(|(known, ends)| known.matches(token) && now < *ends)
    }

    pub(super) fn end_all(&self) {
        self.issued.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

#[derive(Deserialize)]
struct TokenBody {
    grant_type: String,
    client_id: String,
    client_secret: String,
    audience: String,
}

async fn token(State(app): State<Arc<App>>, request: Whole) -> Response {
    let Ok(asked) = serde_json::from_slice::<TokenBody>(&request.body) else {
        return refused(StatusCode::BAD_REQUEST, "invalid_request");
    };
    if asked.grant_type != "client_credentials" {
        return refused(StatusCode::BAD_REQUEST, "unsupported_grant_type");
    }
    if !app.partners.knows(&asked) {
        return refused(StatusCode::UNAUTHORIZED, "invalid_client");
    }
    answers::answered(app.shared.identifier().map(|token| {
        app.partners.keep(&token, app.shared.now().after(LIFETIME));
        app.shared.record.count(|counts| counts.tokens_issued += 1);
        let body = json!({ "access_token": token, "token_type": "Bearer" });
        answers::json(StatusCode::OK, &body)
    }))
}

fn refused(status: StatusCode, error: &str) -> Response {
    answers::json(status, &json!({ "error": error }))
}

async fn status(State(app): State<Arc<App>>, request: Whole) -> Response {
    if app.partners.admits(&request.head.headers, app.shared.now()) {
        return answers::json(StatusCode::OK, &json!({ "status": "ENABLED" }));
    }
    let mut response = answers::error(StatusCode::UNAUTHORIZED, "Invalid token");
    let challenge = HeaderValue::from_static("Bearer error=\"invalid_token\"");
    response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    response
}
