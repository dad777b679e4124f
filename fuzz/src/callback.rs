//! The input is the query that a browser comes back with; `STATE` in it stands for the right state.

use crate::token_answer::decoded;
use auth_core::{Exchange, Flow, Transport};
use auth_oauth2::{
    AuthorizationCallback, AuthorizationCode, ClientAuthentication, ClientRegistration,
    ConnectionId, Context, IssuerParameter, TenantId, Timestamp, TokenEndpoint,
};
use http::Response;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

const ISSUER: &str = "https://login.example";

/// A code is redeemed only when it came once, with the right state and the right issuer; and no error repeats either.
pub fn callback(data: &[u8]) {
    let sent = Arc::new(Mutex::new(Vec::new()));
    let context = Context::new(Endpoint(Arc::clone(&sent)));
    let context = context.with_clock(Timestamp::from_unix(1_700_000_000));
    let client = ClientAuthentication::none("me").expect("a client");
    let endpoint = TokenEndpoint::new("https://login.example/token").expect("a URL");
    let registration = ClientRegistration::new(endpoint, client);
    let grant =
        AuthorizationCode::new(registration, "https://login.example/a", "https://p.example/c");
    let grant = grant.expect("a grant").with_issuer(ISSUER, IssuerParameter::Promised);
    let connection = ConnectionId::new(TenantId::new("acme"), "crm").on_behalf_of("alice");
    let (_, pending) = grant.begin(&connection, &context).expect("randomness");
    let state = pending.state().expose_text().expect("text").to_owned();
    let query = String::from_utf8_lossy(data).replace("STATE", &state);

    let read = AuthorizationCallback::parse(&query);
    let named = |name: &str| -> Vec<String> {
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        let pairs = pairs.filter(|(named, _)| decoded(named.as_bytes()) == name);
        pairs.map(|(_, value)| decoded(value.as_bytes())).collect()
    };
    let hides = |shown: &str| {
        for secret in named("code").iter().chain(&named("state")).chain([&state]) {
            let is_telling = secret.len() > 24
                && secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
            assert!(
                !is_telling || !shown.contains(secret.as_str()),
                "a secret comes back: {shown}"
            );
        }
        assert!(shown.len() < 4096, "more than a message");
    };
    let read = match read {
        Ok(read) => read,
        Err(error) => return hides(&format!("{error} {error:?}")),
    };
    hides(&format!("{read:?}"));
    assert_eq!(named("state").len(), 1, "one state");
    match grant.redeem(pending, read, &connection, &context).wait() {
        Err(error) => {
            assert!(sent.lock().expect("no panic").is_empty(), "was sent all the same");
            hides(&format!("{error} {error:?}"));
        }
        Ok(_) => {
            assert_eq!(named("state"), [state.as_str()], "the right state");
            assert_eq!(named("iss"), [ISSUER], "the right issuer");
            assert!(named("error").is_empty(), "no error");
            let sent = sent.lock().expect("no panic");
            let form = String::from_utf8(sent.clone()).expect("a form");
            let code = form.split('&').find_map(|pair| pair.strip_prefix("code=")).expect("a code");
            assert_eq!(named("code"), [decoded(code.as_bytes())], "the code that came");
        }
    }
}

/// Takes every code, and keeps what was sent.
struct Endpoint(Arc<Mutex<Vec<u8>>>);

impl Transport for Endpoint {
    fn fetch(&self, exchange: Exchange) -> Flow<'_, Response<Vec<u8>>> {
        *self.0.lock().expect("no panic") = exchange.into_request().into_body();
        Flow::ready(Response::new(br#"{"access_token":"t"}"#.to_vec()))
    }

    fn pause(&self, _: Duration) -> Flow<'_, ()> {
        Flow::ready(())
    }

    fn detach(&self, work: Flow<'static, ()>) -> Option<Flow<'static, ()>> {
        Some(work)
    }
}
