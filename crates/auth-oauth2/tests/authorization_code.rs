//! The grant in a user's context, against a token endpoint that answers as told.
#![allow(clippy::unwrap_used, missing_docs)]

use auth_core::{ConnectionId, TenantId};
use auth_oauth2::{
    AuthorizationCallback, AuthorizationCode, ClientAuthentication, ClientRegistration, Context,
    IssuerParameter, OAuthToken, PendingAuthorization, Result, TokenEndpoint,
};
use auth_session::Session;
use auth_testing::{ManualClock, ScriptedTransport, SeededRandom};
use http::Response;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

const ISSUER: &str = "https://login.example";

type Asked = Arc<Mutex<Vec<String>>>;

fn context(clock: &ManualClock, asked: &Asked) -> Context {
    let asked = Arc::clone(asked);
    let transport = ScriptedTransport::new(move |request| {
        let body = String::from_utf8_lossy(request.body()).into_owned();
        let mut asked = asked.lock().unwrap();
        asked.push(body);
        let answer = format!(
            r#"{{"access_token":"token-{}","expires_in":60,"refresh_token":"r"}}"#,
            asked.len()
        );
        Ok(Response::new(answer.into_bytes()))
    });
    Context::new(transport).with_clock(clock.clone()).with_random(SeededRandom::new(7))
}

fn grant() -> AuthorizationCode {
    let client = ClientAuthentication::client_secret_post("me", "s3cret").unwrap();
    let endpoint = TokenEndpoint::new("https://login.example/token").unwrap();
    let registration = ClientRegistration::new(endpoint, client);
    let url = "https://login.example/authorize?tenant=acme";
    AuthorizationCode::new(registration, url, "https://me.example/callback/crm").unwrap()
}

fn connection(user: &str) -> ConnectionId {
    ConnectionId::new(TenantId::new("acme"), "crm").on_behalf_of(user)
}

fn parameters(url: &str) -> Vec<(String, String)> {
    let query = url.split_once('?').unwrap().1;
    url::form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

fn state(pending: &PendingAuthorization) -> String {
    pending.state().expose_text().unwrap().to_owned()
}

#[test]
fn the_url_asks_for_a_code_with_pkce_and_the_code_is_redeemed_with_its_verifier() {
    let (clock, asked) = (ManualClock::at(1_700_000_000), Asked::default());
    let context = context(&clock, &asked);
    let grant = grant().with_scope("a b").unwrap().with_resource("https://api.example/").unwrap();
    let (url, pending) = grant.begin(&connection("alice"), &context).unwrap();
    let sent = parameters(&url);
    let value = |name: &str| sent.iter().find(|pair| pair.0 == name).unwrap().1.clone();
    let names: Vec<&str> = sent.iter().map(|pair| pair.0.as_str()).collect();
    assert_eq!(
        names,
        [
            "tenant",
            "response_type",
            "client_id",
            "redirect_uri",
            "state",
            "code_challenge",
            "code_challenge_method",
            "scope",
            "resource"
        ]
    );
    assert_eq!(
        (value("response_type"), value("code_challenge_method")),
        ("code".into(), "S256".into())
    );
    assert_eq!((value("state").len(), value("code_challenge").len()), (43, 43), "256 bits each");
    let query = format!("code=c0de&state={}", value("state"));
    let callback = AuthorizationCallback::parse(&query).unwrap();
    let token = grant.redeem(pending, callback, &connection("alice"), &context).wait().unwrap();
    assert!(token.access_token().matches(b"token-1"));
    let body = asked.lock().unwrap().pop().unwrap();
    let body = parameters(&format!("?{body}"));
    let redeemed = |name: &str| body.iter().find(|pair| pair.0 == name).unwrap().1.clone();
    assert_eq!(
        (redeemed("code"), redeemed("grant_type")),
        ("c0de".into(), "authorization_code".into())
    );
    assert_eq!(redeemed("redirect_uri"), "https://me.example/callback/crm");
    assert_eq!(redeemed("resource"), "https://api.example/");
    let challenge =
        ring::digest::digest(&ring::digest::SHA256, redeemed("code_verifier").as_bytes());
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    assert_eq!(URL_SAFE_NO_PAD.encode(challenge), value("code_challenge"));
    assert!(!url.contains(&redeemed("code_verifier")));
}

/// The token, and how often the token endpoint was asked.
type Redeemed = (Result<OAuthToken>, usize);

/// What comes of a callback for an authorization that alice began.
fn came_back(
    grant: &AuthorizationCode,
    query: impl FnOnce(&str) -> String,
    by: &ConnectionId,
    after: u64,
) -> Redeemed {
    let (clock, asked) = (ManualClock::at(1_700_000_000), Asked::default());
    let context = context(&clock, &asked);
    let (_, pending) = grant.begin(&connection("alice"), &context).unwrap();
    let callback = AuthorizationCallback::parse(&query(&state(&pending))).unwrap();
    clock.advance(Duration::from_secs(after));
    let token = grant.redeem(pending, callback, by, &context).wait();
    let asked = asked.lock().unwrap().len();
    (token, asked)
}

#[test]
fn nothing_is_redeemed_for_another_state_connection_or_issuer_or_too_late() {
    let good = |state: &str| format!("code=c&state={state}");
    let alice = connection("alice");
    let elsewhere = ConnectionId::new(TenantId::new("acme"), "other").on_behalf_of("alice");
    let promised = grant().with_issuer(ISSUER, IssuerParameter::Promised);
    let optional = grant().with_issuer(ISSUER, IssuerParameter::Optional);
    let from =
        |issuer: &'static str| move |state: &str| format!("code=c&state={state}&iss={issuer}");
    let refused = |state: &str| format!("error=access_denied&state={state}");
    let refused_by =
        |state: &str| format!("error=access_denied&state={state}&iss=https://evil.example");
    #[rustfmt::skip]
    let cases: Vec<(Redeemed, Option<&str>)> = vec![
        (came_back(&grant(), good, &alice, 599), None),
        (came_back(&grant(), good, &alice, 600), Some("oauth2_state")),
        (came_back(&grant(), |state| format!("code=c&state={state}x"), &alice, 0), Some("oauth2_state")),
        (came_back(&grant(), good, &connection("mallory"), 0), Some("oauth2_state")),
        (came_back(&grant(), good, &elsewhere, 0), Some("oauth2_state")),
        (came_back(&grant(), refused, &alice, 0), Some("oauth2_authorization_refused")),
        (came_back(&promised, good, &alice, 0), Some("oauth2_issuer")),
        (came_back(&promised, from(ISSUER), &alice, 0), None),
        (came_back(&promised, from("https://login.example/"), &alice, 0), Some("oauth2_issuer")),
        (came_back(&promised, refused_by, &alice, 0), Some("oauth2_issuer")),
        (came_back(&optional, good, &alice, 0), None),
        (came_back(&optional, from("https://evil.example"), &alice, 0), Some("oauth2_issuer")),
    ];
    for (number, ((token, asked), expected)) in cases.into_iter().enumerate() {
        assert_eq!(token.as_ref().err().map(auth_core::Error::code), expected, "{number}");
        assert_eq!(asked, usize::from(expected.is_none()), "{number}: a secret was sent");
    }
}

#[test]
fn a_redeemed_token_lives_in_a_session_and_a_session_without_one_asks_for_the_user() {
    let (clock, asked) = (ManualClock::at(1_700_000_000), Asked::default());
    let context = context(&clock, &asked);
    let session = Session::new(grant(), context.clone());
    assert_eq!(session.token().wait().unwrap_err().code(), "oauth2_consent_needed");
    let (_, pending) = session.source().begin(&connection("alice"), &context).unwrap();
    let query = format!("code=c&state={}", state(&pending));
    let callback = AuthorizationCallback::parse(&query).unwrap();
    let by = connection("alice");
    let token = session.source().redeem(pending, callback, &by, &context).wait().unwrap();
    session.put(token).unwrap();
    let current = || session.token().wait().unwrap().token;
    assert!(current().access_token().matches(b"token-1"));
    clock.advance(Duration::from_secs(60));
    assert!(current().access_token().matches(b"token-2"));
    let refresh = "grant_type=refresh_token&refresh_token=r&client_id=me&client_secret=s3cret";
    assert_eq!(asked.lock().unwrap().last().unwrap(), refresh);
}

#[test]
fn what_the_grant_sets_is_set_by_nobody_else() {
    for name in ["state", "redirect_uri", "code_challenge", "response_type", "client_id", ""] {
        assert_eq!(grant().with_parameter(name, "x").unwrap_err().code(), "oauth2_parameter");
    }
    for query in ["state=x", "a=b&redirect_uri=https%3A%2F%2Fevil.example", "%73tate=x"] {
        let client = ClientAuthentication::none("me").unwrap();
        let endpoint = TokenEndpoint::new("https://login.example/token").unwrap();
        let url = format!("https://login.example/authorize?{query}");
        let registration = ClientRegistration::new(endpoint, client);
        let made = AuthorizationCode::new(registration, &url, "https://me.example/callback");
        assert_eq!(made.unwrap_err().code(), "oauth2_parameter", "{query}");
    }
    assert_eq!(
        grant().with_scope("a").unwrap().with_scope("b").unwrap_err().code(),
        "oauth2_scope"
    );
    let twice = grant().with_parameter("prompt", "a").unwrap().with_parameter("prompt", "b");
    assert_eq!(twice.unwrap_err().code(), "oauth2_parameter");
    let in_url = grant().with_parameter("tenant", "b");
    assert_eq!(in_url.unwrap_err().code(), "oauth2_parameter", "the URL has one");
}

/// An ID token is asked for with the scope `openid`, and has to repeat what is kept; a plain grant sends no nonce.
#[test]
fn the_scope_openid_sends_a_nonce_that_is_kept() {
    let (clock, asked) = (ManualClock::at(1_700_000_000), Asked::default());
    let context = context(&clock, &asked);
    for (scope, has_nonce) in [("openid sms", true), ("sms openid", true), ("sms openids", false)] {
        let grant = grant().with_scope(scope).unwrap();
        let (url, pending) = grant.begin(&connection("alice"), &context).unwrap();
        let sent = parameters(&url).into_iter().find(|(name, _)| name == "nonce");
        assert_eq!(sent.is_some(), has_nonce, "{scope}");
        assert!(sent.is_none_or(|(_, nonce)| pending.nonce().matches(nonce.as_bytes())));
    }
    assert_eq!(grant().with_parameter("nonce", "mine").unwrap_err().code(), "oauth2_parameter");
}

/// The grant was edited while the user was away: what was begun at one issuer is not finished at another.
#[test]
fn what_was_begun_at_one_issuer_is_not_redeemed_at_another() {
    let (clock, asked) = (ManualClock::at(1_700_000_000), Asked::default());
    let context = context(&clock, &asked);
    let at = |issuer: &str| grant().with_issuer(issuer, IssuerParameter::Optional);
    let (_, pending) = at(ISSUER).begin(&connection("alice"), &context).unwrap();
    let query = format!("code=c&state={}", state(&pending));
    let callback = AuthorizationCallback::parse(&query).unwrap();
    let other = at("https://other.example");
    let refused = other.redeem(pending, callback, &connection("alice"), &context).wait();
    assert_eq!(refused.unwrap_err().code(), "oauth2_state");
    assert_eq!(asked.lock().unwrap().len(), 0);
}

/// A connection that is edited within the ten minutes sends no code to the server that it names then.
#[test]
fn what_was_begun_at_one_token_endpoint_is_not_redeemed_at_another() {
    let (clock, asked) = (ManualClock::at(1_700_000_000), Asked::default());
    let context = context(&clock, &asked);
    let (_, pending) = grant().begin(&connection("alice"), &context).unwrap();
    let query = format!("code=c&state={}", state(&pending));
    let client = ClientAuthentication::client_secret_post("me", "s3cret").unwrap();
    let elsewhere = TokenEndpoint::new("https://evil.example/token").unwrap();
    let edited = AuthorizationCode::new(
        ClientRegistration::new(elsewhere, client),
        "https://login.example/authorize?tenant=acme",
        "https://me.example/callback/crm",
    );
    let callback = AuthorizationCallback::parse(&query).unwrap();
    let (edited, alice) = (edited.unwrap(), connection("alice"));
    let refused = edited.redeem(pending, callback, &alice, &context).wait();
    assert_eq!(refused.unwrap_err().code(), "oauth2_state");
    assert_eq!(asked.lock().unwrap().len(), 0);
}
