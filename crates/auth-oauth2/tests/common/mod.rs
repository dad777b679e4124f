//! An authorization server whose refresh tokens rotate, and connections over it.

#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use auth_core::{Clock, Error, Event, Observer};
use auth_oauth2::{
    AuthorizationCode, ClientAuthentication, ClientCredentials, ClientRegistration, ConnectionId,
    Context, KeyHasher, OAuthConnection, OAuthToken, Result, Secret, TenantId, TokenAnswerFormat,
    TokenEndpoint,
};
use auth_session::MemoryTokenStore;
use auth_testing::{ManualClock, ScriptedTransport, SeededRandom};
use http::{Request, Response};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

/// What becomes of a refresh token that comes again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Reuse {
    /// The one before the last is taken once more, as Auth0 and others do.
    PreviousTaken,
    /// The family is revoked, as RFC 9700 section 4.14.2 has it.
    FamilyRevoked,
}

/// One family of refresh tokens, `r1`, `r2` and so on, of which the server knows the newest.
#[derive(Clone)]
pub struct Server(Arc<Mutex<State>>);

pub struct State {
    reuse: Reuse,
    pub newest: u32,
    pub is_revoked: bool,
    /// The grants and refresh tokens that it was asked with, in order.
    pub asked: Vec<String>,
    /// What it answers in place of its own answers, once each.
    pub instead: Vec<(u16, String)>,
}

impl Server {
    pub fn new(reuse: Reuse) -> Self {
        let (asked, instead) = (Vec::new(), Vec::new());
        Self(Arc::new(Mutex::new(State { reuse, newest: 1, is_revoked: false, asked, instead })))
    }

    pub fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.state().asked)
    }

    pub fn answer(&self, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
        let form: HashMap<_, _> =
            url::form_urlencoded::parse(request.body()).into_owned().collect();
        let mut state = self.state();
        let sent = form.get("refresh_token").cloned();
        let asked = sent.as_ref().or_else(|| form.get("grant_type")).unwrap();
        state.asked.push(asked.clone());
        if let Some((status, body)) = state.instead.pop() {
            return answer(status, &body);
        }
        if let Some(sent) = sent {
            let number = sent.trim_start_matches('r').parse::<u32>().unwrap();
            let is_known = number == state.newest
                || (state.reuse == Reuse::PreviousTaken && number + 1 == state.newest);
            if !is_known || state.is_revoked {
                state.is_revoked = true;
                return answer(400, r#"{"error":"invalid_grant"}"#);
            }
            state.newest = number.max(state.newest - 1) + 1;
        }
        let newest = state.newest;
        answer(200, &granted(newest))
    }

    pub fn transport(&self) -> ScriptedTransport {
        let server = self.clone();
        ScriptedTransport::new(move |request| Ok(server.answer(request)))
    }
}

/// Access token `a2` with refresh token `r2`, for an hour.
pub fn granted(number: u32) -> String {
    format!(r#"{{"access_token":"a{number}","refresh_token":"r{number}","expires_in":3600}}"#)
}

fn answer(status: u16, body: &str) -> Response<Vec<u8>> {
    Response::builder().status(status).body(body.as_bytes().to_vec()).unwrap()
}

pub fn context(transport: &ScriptedTransport, clock: &ManualClock) -> Context {
    Context::new(transport.clone()).with_clock(clock.clone()).with_random(SeededRandom::new(7))
}

pub fn clock() -> ManualClock {
    ManualClock::at(1_700_000_000)
}

pub fn registration(secret: &str) -> ClientRegistration {
    let client = ClientAuthentication::client_secret_post("me", secret).unwrap();
    ClientRegistration::new(TokenEndpoint::new("https://login.example/token").unwrap(), client)
}

pub fn code(registration: ClientRegistration) -> AuthorizationCode {
    let url = "https://login.example/authorize";
    AuthorizationCode::new(registration, url, "https://me.example/callback/crm").unwrap()
}

pub fn credentials(secret: &str) -> ClientCredentials {
    ClientCredentials::new(registration(secret))
}

pub fn id(tenant: &str) -> ConnectionId {
    ConnectionId::new(TenantId::new(tenant), "crm")
}

pub fn hasher() -> KeyHasher {
    KeyHasher::new(&Secret::new([7; 32])).unwrap()
}

/// The token of an answer that was read elsewhere, such as one that a code was redeemed for.
pub fn token(number: u32, clock: &ManualClock) -> OAuthToken {
    let answer = answer(200, &granted(number));
    let now = clock.now();
    OAuthToken::new(TokenAnswerFormat::new().read(&answer, now).unwrap(), now).unwrap()
}

pub type CodeConnection = OAuthConnection<AuthorizationCode, MemoryTokenStore>;

/// A process of its own: it shares the store with others, and nothing else.
pub fn process(
    store: &MemoryTokenStore,
    transport: &ScriptedTransport,
    clock: &ManualClock,
) -> CodeConnection {
    let grant = code(registration("s3cret"));
    OAuthConnection::new(grant, store.clone(), &hasher(), &id("acme"), context(transport, clock))
}

pub fn access_token(connection: &CodeConnection) -> std::result::Result<String, Error> {
    let current = connection.session().token().wait()?;
    let token = current.token.token().access_token().expose().to_vec();
    Ok(String::from_utf8(token).unwrap())
}

/// What an observer was told, a line each.
#[derive(Clone, Default)]
pub struct Told(pub Arc<Mutex<Vec<String>>>);

impl Observer for Told {
    fn observe(&self, event: Event<'_>) {
        self.0.lock().unwrap().push(match event {
            Event::Renewed { .. } => String::from("renewed"),
            Event::RenewalFailed { error, .. } => error.code().to_owned(),
            other => format!("{other:?}"),
        });
    }
}

pub fn is_consent_needed<T>(outcome: &Result<T>) -> bool {
    outcome.as_ref().is_err_and(|error| error.code() == "oauth2_consent_needed")
}
