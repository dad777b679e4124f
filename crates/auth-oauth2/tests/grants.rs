//! Grants in sessions, against a token endpoint that answers as told.
#![allow(clippy::unwrap_used, missing_docs)]

use auth_oauth2::{
    ClientAuthentication, ClientCredentials, ClientRegistration, Context, Error, OpenGrant,
    ParameterPlacement, Result, TokenEndpoint, TokenRequest,
};
use auth_session::Session;
use auth_testing::{ManualClock, ScriptedTransport, SeededRandom};
use http::{Request, Response};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

/// Answers in order, the last one again and again, and writes down what was asked: the host and the body.
#[derive(Clone, Default)]
struct Server {
    answers: Arc<Mutex<Vec<(u16, String)>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn answering(answers: &[(u16, &str)]) -> Self {
        let answers = answers.iter().rev().map(|(status, body)| (*status, (*body).to_owned()));
        Self { answers: Arc::new(Mutex::new(answers.collect())), asked: Arc::default() }
    }

    fn answer(&self, request: &Request<Vec<u8>>) -> Result<Response<Vec<u8>>> {
        let body = String::from_utf8_lossy(request.body()).into_owned();
        self.asked.lock().unwrap().push(format!("{} {body}", request.uri().host().unwrap()));
        let mut answers = self.answers.lock().unwrap();
        let (status, answer) = answers.last().cloned().unwrap();
        if answers.len() > 1 {
            answers.pop();
        }
        let answer = answer.replace("ECHO", &body.replace('"', "'"));
        Ok(Response::builder().status(status).body(answer.into_bytes()).unwrap())
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }

    fn context(&self, clock: &ManualClock) -> Context {
        let server = self.clone();
        let transport = ScriptedTransport::new(move |request| server.answer(request));
        Context::new(transport).with_clock(clock.clone()).with_random(SeededRandom::new(7))
    }
}

fn registration() -> ClientRegistration {
    let client = ClientAuthentication::client_secret_post("me", "s3cret").unwrap();
    ClientRegistration::new(TokenEndpoint::new("https://login.example/token").unwrap(), client)
}

fn grant() -> ClientCredentials {
    ClientCredentials::new(registration()).with_scope("a b").unwrap()
}

const ASKED: &str =
    "login.example grant_type=client_credentials&scope=a+b&client_id=me&client_secret=s3cret";

fn token(session: &Session<ClientCredentials>) -> String {
    let current = session.token().wait().unwrap();
    current.token.access_token().expose_text().unwrap().to_owned()
}

#[test]
fn one_token_serves_until_it_is_due_and_another_one_after_it() {
    let clock = ManualClock::at(1_700_000_000);
    let server = Server::answering(&[
        (200, r#"{"access_token":"one","expires_in":3600}"#),
        (200, r#"{"access_token":"two","expires_in":3600}"#),
    ]);
    let session = Session::new(grant(), server.context(&clock));
    for _ in 0..3 {
        assert_eq!(token(&session), "one");
    }
    assert_eq!(server.asked(), [ASKED]);
    clock.advance(Duration::from_secs(3600));
    assert_eq!(token(&session), "two");
    assert_eq!(server.asked(), [ASKED]);
}

#[test]
fn a_token_with_a_refresh_token_is_refreshed_at_the_refresh_url() {
    let clock = ManualClock::at(1_700_000_000);
    let first = r#"{"access_token":"one","expires_in":60,"refresh_token":"fresh"}"#;
    let refreshed = "renew.example grant_type=refresh_token&refresh_token=fresh&client_id=me&client_secret=s3cret";
    let endpoint = TokenEndpoint::new("https://renew.example/").unwrap();
    let grant = || ClientCredentials::new(registration().with_refresh_endpoint(endpoint.clone()));
    let plain = "login.example grant_type=client_credentials&client_id=me&client_secret=s3cret";
    for (status, answer, asked, got) in [
        (200, r#"{"access_token":"two"}"#, &[refreshed][..], Ok("two")),
        // The grant has ended there, and is made again.
        (400, r#"{"error":"invalid_grant"}"#, &[refreshed, plain], Ok("three")),
        // A server that fails says nothing about the grant.
        (500, r#"{"error":"invalid_grant"}"#, &[refreshed], Err("oauth2_server_error")),
        (401, r#"{"error":"invalid_client"}"#, &[refreshed], Err("oauth2_invalid_client")),
    ] {
        let third = (200, r#"{"access_token":"three"}"#);
        let server = Server::answering(&[(200, first), (status, answer), third]);
        let session = Session::new(grant(), server.context(&clock));
        assert_eq!(token(&session), "one");
        server.asked();
        clock.advance(Duration::from_secs(60));
        let again = session.token().wait();
        let again = again.as_ref().map(|current| current.token.access_token().expose());
        assert_eq!(again.map_err(Error::code), got.map(str::as_bytes), "{answer}");
        assert_eq!(server.asked(), asked, "{answer}");
    }
}

/// The client's own token came with a refresh token, as some servers give one, and no URL may hold that.
#[test]
fn a_refresh_token_that_may_not_stand_in_the_url_is_left_alone_and_the_grant_made_again() {
    let clock = ManualClock::at(1_700_000_000);
    let server = Server::answering(&[
        (200, r#"{"access_token":"one","expires_in":60,"refresh_token":"fresh"}"#),
        (200, r#"{"access_token":"two"}"#),
    ]);
    let endpoint = TokenEndpoint::new("https://login.example/token").unwrap();
    let endpoint = endpoint.with_get().with_placement(ParameterPlacement::Url);
    let client = ClientAuthentication::client_secret_basic("me", "s3cret").unwrap();
    let grant = ClientCredentials::new(ClientRegistration::new(endpoint, client));
    let session = Session::new(grant, server.context(&clock));
    assert_eq!(token(&session), "one");
    clock.advance(Duration::from_secs(60));
    assert_eq!(token(&session), "two");
    assert_eq!(server.asked().len(), 2);
}

#[test]
fn another_grant_is_its_type_and_its_parameters() {
    let clock = ManualClock::at(1_700_000_000);
    let server = Server::answering(&[(200, r#"{"access_token":"t"}"#)]);
    let request = TokenRequest::new("urn:ietf:params:oauth:grant-type:token-exchange");
    let request = request.with_parameter("subject_token", "theirs").unwrap();
    let session = Session::new(OpenGrant::new(registration(), request), server.context(&clock));
    session.token().wait().unwrap();
    let asked = "login.example grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange\
                 &subject_token=theirs&client_id=me&client_secret=s3cret";
    assert_eq!(server.asked(), [asked]);
}

#[test]
fn a_server_that_repeats_a_field_of_the_operators_puts_it_into_no_error() {
    let clock = ManualClock::at(1_700_000_000);
    let endpoint = TokenEndpoint::new("https://login.example/token").unwrap();
    let endpoint = endpoint.with_header("x-api-key", "c4nary").unwrap();
    let client = ClientAuthentication::none("me").unwrap();
    let server =
        Server::answering(&[(400, r#"{"error":"invalid_request","seen":"x-api-key: c4nary"}"#)]);
    let grant = ClientCredentials::new(ClientRegistration::new(endpoint, client));
    let error = Session::new(grant, server.context(&clock)).token().wait().unwrap_err();
    assert!(!format!("{error} {error:?}").contains("c4nary"), "{error:?}");
}

#[test]
fn an_empty_error_beside_a_token_is_none() {
    let clock = ManualClock::at(1_700_000_000);
    let server = Server::answering(&[(200, r#"{"error":"","access_token":"good"}"#)]);
    let session = Session::new(grant(), server.context(&clock));
    assert_eq!(token(&session), "good");
}

#[test]
fn a_server_that_repeats_the_request_puts_no_secret_into_an_error() {
    let clock = ManualClock::at(1_700_000_000);
    for answer in [
        r#"{"error":"invalid_request","error_description":"ECHO","error_uri":"https://x/?ECHO","more":"ECHO"}"#,
        r#"{"error":"ECHO"}"#,
        "ECHO",
    ] {
        let server = Server::answering(&[(400, answer)]);
        let session = Session::new(grant(), server.context(&clock));
        let error = session.token().wait().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("s3cret"), "{error:?}");
    }
}

/// A vendor's parameter, and one that stands in the token URL, may be keys.
#[test]
fn an_error_repeats_no_value_that_is_not_known_to_be_public_and_a_scope_stays_as_it_is() {
    let echo = r#"{"error":"invalid_request","error_description":"k3y-in-url ECHO"}"#;
    let granted = r#"{"access_token":"t","scope":"messages:send"}"#;
    let server = Server::answering(&[(400, echo), (200, granted)]);
    let client = ClientAuthentication::client_secret_post("me", "s3cret").unwrap();
    let endpoint = TokenEndpoint::new("https://login.example/token?key=k3y-in-url").unwrap();
    let registration = ClientRegistration::new(endpoint, client);
    let request = TokenRequest::new("client_credentials")
        .with_scope("messages:send")
        .and_then(|request| request.with_parameter("api_key", "vend0r-key"))
        .and_then(|request| request.with_parameter("permission", "messages:send"))
        .unwrap();
    let context = server.context(&ManualClock::at(1_700_000_000));
    let error = registration.obtain(&request, &context).wait().unwrap_err().to_string();
    assert!(error.contains("api_key=[secret]"), "{error}");
    for secret in ["k3y-in-url", "vend0r-key", "s3cret"] {
        assert!(!error.contains(secret), "{error}");
    }
    let token = registration.obtain(&request, &context).wait().unwrap();
    assert_eq!(token.scope(), Some("messages:send"));
}
