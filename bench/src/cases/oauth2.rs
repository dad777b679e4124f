//! OAuth 2.0: a kept token, an answer that is read, a request that is built, and both in one exchange.
//!
//! Peers have no function for a request or an answer alone. Their requests are those of an exchange whose transport
//! refuses at once, and the exchange as a whole is measured beside them.

mod floors;
mod peer_huskarl;
mod peer_oauth2;

use super::{session, with_request};
use auth_core::{Authenticator, Clock, Exchange, SystemClock, Timestamp, Transport};
use auth_oauth2::{
    AssertionAudience, ClientAuthentication, ClientCredentials, ClientRegistration, Context, Error,
    Flow, JwsAlgorithm, Session, SigningKey, TokenAnswerFormat, TokenEndpoint, TokenRequest,
};
use harness::case::{Call, Group, call, floor, ours, peer};
use http::Response;
use std::{hint::black_box, time::Duration};

const ENDPOINT: &str = "https://login.example.com/oauth2/token";
const CLIENT: &str = "3fa85f64-5717-4562-b3fc-2c963f66afa6";
const SECRET: &str = "gX1fBat3bV-7Fjfp%JErLb5n1Kt9zVo8";
const SCOPE: &str = "messages.read messages.write";
const KEY: &str = include_str!("../../../tests/demo/src/bot.pem");
const ANSWER: &str = r#"{"access_token":"2YotnFZFEjr1zCsicMWpAAnd3fGHvKlM9xq4tRsUcWe","token_type":"Bearer","expires_in":86400,"refresh_token":"tGzv3JOkF0XG5Qx2TlKWIA","scope":"messages.read messages.write"}"#;

/// How the client authenticates.
#[derive(Clone, Copy)]
enum By {
    Post,
    Basic,
    PrivateKey,
}

pub fn groups() -> Vec<Group> {
    vec![
        kept(),
        answer(),
        request_post(),
        request_basic(),
        request_private_key(),
        exchange_post(),
        exchange_basic(),
        exchange_private_key(),
    ]
}

fn kept() -> Group {
    let cases = vec![
        floor("ArcSwap load, clock read, header handed over", session::floor_kept),
        ours("auth-oauth2 in a session", Some(1.1), 0, our_kept),
        peer("huskarl, its authorizer's headers", peer_huskarl::kept),
        peer("google-cloud-auth", || session::google::kept(session::google::Ask::Headers)),
        peer("google-cloud-auth, what is kept is known", || {
            session::google::kept(session::google::Ask::Changed)
        }),
    ];
    Group {
        name: "oauth2-kept",
        input: "a token of a client credentials grant, fresh; ours through dyn Authenticator",
        cases,
    }
}

fn answer() -> Group {
    let cases = vec![
        floor("serde_json into a struct", floors::answer),
        ours("auth-oauth2", Some(1.2), 4, || {
            let (format, now) = (TokenAnswerFormat::new(), SystemClock.now());
            let answer = answered();
            call(move || black_box(&format).read(black_box(&answer), now).expect("a token"))
        }),
        peer("oauth2, its type alone", peer_oauth2::answer),
        peer("huskarl, its type alone", peer_huskarl::answer),
    ];
    Group {
        name: "oauth2-answer",
        input: "JSON of 183 bytes: access and refresh token, type, end, scope; pure function",
        cases,
    }
}

const REQUEST: &str =
    "client credentials with a scope; pure function, peers with a transport that refuses";

fn request_post() -> Group {
    let cases = vec![
        floor("form and fields into one request", || floors::request(By::Post)),
        ours("auth-oauth2", Some(2.0), 3, || our_request(By::Post)),
        peer("oauth2", || peer_oauth2::request(By::Post)),
        peer("huskarl", || peer_huskarl::request(By::Post)),
    ];
    Group { name: "oauth2-request-post", input: REQUEST, cases }
}

fn request_basic() -> Group {
    let cases = vec![
        floor("form and fields into one request", || floors::request(By::Basic)),
        ours("auth-oauth2", Some(1.7), 3, || our_request(By::Basic)),
        peer("oauth2", || peer_oauth2::request(By::Basic)),
        peer("huskarl", || peer_huskarl::request(By::Basic)),
    ];
    Group { name: "oauth2-request-basic", input: REQUEST, cases }
}

fn request_private_key() -> Group {
    let cases = vec![
        floor("ring, serde_json, base64, form and fields", || floors::request(By::PrivateKey)),
        ours("auth-oauth2", Some(1.01), 28, || our_request(By::PrivateKey)),
        peer("huskarl", || peer_huskarl::request(By::PrivateKey)),
    ];
    Group { name: "oauth2-request-private-key-jwt", input: REQUEST, cases }
}

const EXCHANGE: &str =
    "client credentials with a scope; a transport that answers at once with that JSON";

fn exchange_post() -> Group {
    let cases = vec![
        ours("auth-oauth2", None, 16, || our_exchange(By::Post)),
        peer("oauth2", || peer_oauth2::exchange(By::Post)),
        peer("huskarl", || peer_huskarl::exchange(By::Post)),
    ];
    Group { name: "oauth2-exchange-post", input: EXCHANGE, cases }
}

fn exchange_basic() -> Group {
    let cases = vec![
        ours("auth-oauth2", None, 16, || our_exchange(By::Basic)),
        peer("oauth2", || peer_oauth2::exchange(By::Basic)),
        peer("huskarl", || peer_huskarl::exchange(By::Basic)),
    ];
    Group { name: "oauth2-exchange-basic", input: EXCHANGE, cases }
}

fn exchange_private_key() -> Group {
    let cases = vec![
        ours("auth-oauth2", None, 41, || our_exchange(By::PrivateKey)),
        peer("huskarl", || peer_huskarl::exchange(By::PrivateKey)),
    ];
    Group { name: "oauth2-exchange-private-key-jwt", input: EXCHANGE, cases }
}

fn client(by: By) -> ClientAuthentication {
    match by {
        By::Post => ClientAuthentication::client_secret_post(CLIENT, SECRET),
        By::Basic => ClientAuthentication::client_secret_basic(CLIENT, SECRET),
        By::PrivateKey => ClientAuthentication::private_key_jwt(
            CLIENT,
            SigningKey::from_pem(JwsAlgorithm::RS256, KEY).expect("a key"),
            AssertionAudience::Endpoint,
        ),
    }
    .expect("a client")
}

fn token_request() -> TokenRequest {
    TokenRequest::new("client_credentials").with_scope(SCOPE).expect("scopes")
}

fn our_request(by: By) -> Call {
    let endpoint = TokenEndpoint::new(ENDPOINT).expect("a URL");
    let (client, request, context) = (client(by), token_request(), Context::new(Canned));
    call(move || {
        black_box(&request).exchange(black_box(&endpoint), &client, &context).expect("a request")
    })
}

fn our_exchange(by: By) -> Call {
    let endpoint = TokenEndpoint::new(ENDPOINT).expect("a URL");
    let registration = ClientRegistration::new(endpoint, client(by));
    let (request, context) = (token_request(), Context::new(Canned));
    call(move || {
        black_box(&registration).obtain(black_box(&request), &context).wait().expect("a token")
    })
}

fn our_kept() -> Call {
    let endpoint = TokenEndpoint::new(ENDPOINT).expect("a URL");
    let grant = ClientCredentials::new(ClientRegistration::new(endpoint, client(By::Post)));
    let session: Box<dyn Authenticator> = Box::new(Session::new(grant, Context::new(Canned)));
    with_request(move |request| black_box(&session).credentials(request).wait().expect("a token"))
}

fn answered() -> Response<Vec<u8>> {
    let answer = Response::builder().header("content-type", "application/json;charset=UTF-8");
    answer.body(ANSWER.as_bytes().to_vec()).expect("an answer")
}

/// Answers at once.
struct Canned;

impl Transport for Canned {
    fn fetch(&self, exchange: Exchange) -> Flow<'_, Response<Vec<u8>>> {
        black_box(&exchange);
        Flow::ready(answered())
    }

    fn pause(&self, _: Duration) -> Flow<'_, ()> {
        Flow::failed(Error::transport("bench", "nobody waits here"))
    }

    fn detach(&self, work: Flow<'static, ()>) -> Option<Flow<'static, ()>> {
        Some(work)
    }
}

/// Now, in seconds.
fn now() -> Timestamp {
    SystemClock.now()
}
