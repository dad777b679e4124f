//! An authorization server in small: one client, and one user who is always logged in and agrees to everything.

use super::accounts::{CALLBACK, CLIENT, CLIENT_SECRET};
use auth_core::{Candidates, Error, Flow, Lookup, Random, Result, SystemRandom};
use auth_static::{KeyDigest, KeyHasher};
use axum::{
    Json, Router,
    extract::RawQuery,
    http::HeaderMap,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use http::{StatusCode, header};
use serde_json::json;
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The user in whose context authorization codes are given.
pub const AGREES: &str = "dave";

pub struct AuthorizationServer {
    hasher: KeyHasher,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Access tokens, and whom they act for.
    live: HashMap<KeyDigest, &'static str>,
    /// Codes, and the challenge under which each was given.
    codes: HashMap<String, String>,
    refresh_tokens: HashSet<String>,
}

type Parameters = HashMap<String, String>;

impl AuthorizationServer {
    pub fn new(hasher: &KeyHasher) -> Arc<Self> {
        Arc::new(Self { hasher: hasher.clone(), state: Mutex::default() })
    }

    /// Its two endpoints.
    pub fn router(self: &Arc<Self>) -> Router {
        let (authorize, token) = (Arc::clone(self), Arc::clone(self));
        let authorize = move |RawQuery(query): RawQuery| async move {
            authorize.authorize(&parameters(&query.unwrap_or_default()))
        };
        let token = move |headers: HeaderMap, body: String| async move {
            token.answer(&headers, &parameters(&body))
        };
        Router::new().route("/oauth2/authorize", get(authorize)).route("/oauth2/token", post(token))
    }

    /// RFC 6749 section 4.1.2, with PKCE (RFC 7636).
    fn authorize(&self, asked: &Parameters) -> Response {
        let is = |name: &str, expected: &str| asked.get(name).is_some_and(|is| is == expected);
        let is_ours = is("client_id", CLIENT) && is("redirect_uri", CALLBACK);
        let challenge = asked.get("code_challenge").filter(|_| is("code_challenge_method", "S256"));
        let (Some(challenge), Some(state), true) = (challenge, asked.get("state"), is_ours) else {
            return StatusCode::BAD_REQUEST.into_response();
        };
        let Ok(code) = random("code") else { return failed() };
        self.state().codes.insert(code.clone(), challenge.clone());
        let location = format!("{CALLBACK}?code={code}&state={state}");
        (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response()
    }

    /// RFC 6749 sections 4.1.3, 4.4.2 and 6.
    fn answer(&self, headers: &HeaderMap, asked: &Parameters) -> Response {
        let value = |name: &str| asked.get(name).map(String::as_str).unwrap_or_default();
        let basic = format!("Basic {}", STANDARD.encode(format!("{CLIENT}:{CLIENT_SECRET}")));
        let is_basic = headers.get(header::AUTHORIZATION).is_some_and(|field| *field == basic);
        let is_post = value("client_id") == CLIENT && value("client_secret") == CLIENT_SECRET;
        if is_basic == is_post {
            return refused(StatusCode::UNAUTHORIZED, "invalid_client");
        }
        let granted = match value("grant_type") {
            "client_credentials" => return self.grant(CLIENT, None),
            "authorization_code" => {
                let challenge = self.state().codes.remove(value("code"));
                let hash =
                    ring::digest::digest(&ring::digest::SHA256, value("code_verifier").as_bytes());
                let proven = challenge.is_some_and(|is| is == URL_SAFE_NO_PAD.encode(hash));
                proven && value("redirect_uri") == CALLBACK
            }
            "refresh_token" => self.state().refresh_tokens.remove(value("refresh_token")),
            _ => return refused(StatusCode::BAD_REQUEST, "unsupported_grant_type"),
        };
        if !granted {
            return refused(StatusCode::BAD_REQUEST, "invalid_grant");
        }
        match random("refresh") {
            Ok(refresh_token) => self.grant(AGREES, Some(refresh_token)),
            Err(_) => failed(),
        }
    }

    fn grant(&self, who: &'static str, refresh_token: Option<String>) -> Response {
        let Ok(token) = random("token") else { return failed() };
        let mut state = self.state();
        state.live.insert(self.hasher.hash(token.as_bytes()), who);
        state.refresh_tokens.extend(refresh_token.clone());
        let mut said = json!({ "access_token": token, "token_type": "Bearer", "expires_in": 3600 });
        if let Some(refresh_token) = refresh_token {
            said["refresh_token"] = refresh_token.into();
        }
        ([(header::CACHE_CONTROL, "no-store")], Json(said)).into_response()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the server knows of its tokens.
pub struct Granted(pub Arc<AuthorizationServer>);

impl Lookup<KeyDigest> for Granted {
    type Found = Candidates<(), &'static str>;

    fn lookup(&self, id: &KeyDigest) -> Flow<'_, Option<Self::Found>> {
        Flow::ready(self.0.state().live.get(id).map(|who| Candidates::one((), *who)))
    }
}

fn parameters(form: &str) -> Parameters {
    url::form_urlencoded::parse(form.as_bytes()).into_owned().collect()
}

fn random(kind: &str) -> Result<String, Error> {
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes)?;
    Ok(format!("{kind}-{}", URL_SAFE_NO_PAD.encode(bytes)))
}

fn refused(status: StatusCode, error: &str) -> Response {
    (status, Json(json!({ "error": error }))).into_response()
}

fn failed() -> Response {
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}
