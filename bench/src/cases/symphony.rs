//! The pair of tokens of a bot at Symphony, presented; and its log-ins, signed and judged.

use super::{jwt::rsa, session, with_request};
use auth_core::{
    Authenticator, Body, Clock, Context, Exchange, Flow, ReplayOutcome, ReplayStore, RequestView,
    ReservationOutcome, ReservationTicket, Secret, SystemClock, Transport, Unique,
};
use auth_jwt::{JwtKeys, KeyId, profiles::symphony_login_claims};
use auth_symphony::{Bot, LogInEndpoint, SymphonyEndpoints, SymphonyLogIn, TokenIssuer, TokenName};
use harness::case::{Call, Group, call, floor, ours};
use http::{HeaderMap, Method, Response, Uri};
use std::{collections::HashMap, hint::black_box, time::Duration};

pub fn kept() -> Group {
    Group {
        name: "symphony-kept",
        input: "a bot that is logged in; both tokens for an agent, through dyn Authenticator, one thread",
        cases: vec![
            floor("twice: ArcSwap load, clock read, header handed over", two),
            ours("auth-symphony, agent", Some(1.3), 0, presented),
        ],
    }
}

/// The token alone, and a bot that logs in: made, signed for, sent, and its answer read.
pub fn log_in() -> Group {
    Group {
        name: "symphony-log-in",
        input: "2048 bit; sub, exp; key kept",
        cases: vec![
            floor("ring, key parsed once, the signature alone", rsa::sign),
            ours("auth-jwt, the token, pure function", Some(1.008), 10, signed),
            ours("auth-symphony, a bot and its log-in", Some(1.008), 70, logged_in),
        ],
    }
}

/// The endpoint of a pod, but for the memory of tokens that were accepted, which has a group of its own.
pub fn judged() -> Group {
    Group {
        name: "symphony-judged",
        input: "2048 bit; sub, exp; a body of JSON, and the answer to it; one account",
        cases: vec![
            floor("ring, the signature alone", rsa::verify),
            ours("auth-symphony, the endpoint", Some(1.05), 20, admitted),
        ],
    }
}

const NAME: &str = "my-bot";

fn signed() -> Call {
    let (key, claims) = (rsa::key(), symphony_login_claims(NAME));
    call(move || claims.sign(black_box(&key), black_box(SystemClock.now()), None).expect("a token"))
}

fn logged_in() -> Call {
    let endpoints = SymphonyEndpoints::new("https://api.example.com").expect("endpoints");
    let log_in = SymphonyLogIn::rsa(NAME, &rsa::pem()).expect("a key");
    let context = Context::new(Installation);
    call(move || {
        let bot = Bot::new(endpoints.clone(), black_box(&log_in).clone(), context.clone());
        bot.session_token().wait().expect("a session")
    })
}

fn admitted() -> Call {
    let name = KeyId { issuer: Some(NAME.into()), kid: None };
    let keys: HashMap<KeyId, JwtKeys<()>> = HashMap::from([(name, rsa::key().verifying().into())]);
    let endpoint = LogInEndpoint::new(TokenName::Session, keys, OneToken, Forgets, SystemClock);
    let endpoint = endpoint.expect("an endpoint");
    // It ends in five minutes, which is longer than any measurement.
    let jwt = symphony_login_claims(NAME).sign(&rsa::key(), SystemClock.now(), None);
    let body = format!(r#"{{"token":"{}"}}"#, jwt.expect("a token").expose());
    let (uri, headers) = (Uri::from_static("/login/pubkey/authenticate"), HeaderMap::new());
    call(move || {
        let request = RequestView::new(&Method::POST, &uri, &headers);
        let request = request.with_body(Body::Bytes(black_box(body.as_bytes())));
        let answer = endpoint.log_in(request).wait().expect("an answer");
        assert!(answer.refused.is_none());
        answer
    })
}

/// The same token for everybody.
struct OneToken;

impl TokenIssuer for OneToken {
    type Account = ();

    fn issue(&self, (): ()) -> Flow<'_, Secret> {
        Flow::ready(Secret::new("0100d33d6a2c1b5f0e4b7f2a9c8d7e6f"))
    }
}

/// Takes the same token again and again.
struct Forgets;

impl ReplayStore for Forgets {
    fn check_and_set(&self, _: &Unique) -> Flow<'_, ReplayOutcome> {
        Flow::ready(ReplayOutcome::Fresh)
    }

    fn window(&self, _: &Unique, _: u64, _: u32) -> Flow<'_, ReplayOutcome> {
        Flow::ready(ReplayOutcome::Fresh)
    }

    fn reserve(&self, _: &Unique, _: Duration) -> Flow<'_, ReservationOutcome> {
        Flow::ready(ReservationOutcome::Done)
    }

    fn confirm(&self, _: &Unique, _: ReservationTicket) -> Flow<'_, bool> {
        Flow::ready(false)
    }

    fn release(&self, _: &Unique, _: ReservationTicket) -> Flow<'_, bool> {
        Flow::ready(false)
    }
}

fn two() -> Call {
    let [one, other] = [(); 2].map(|()| session::keeps_a_token());
    with_request(move |request| {
        let one = black_box(&one).credentials(request).wait().expect("credentials");
        drop(black_box(one));
        black_box(&other).credentials(request).wait().expect("credentials")
    })
}

fn presented() -> Call {
    let endpoints = SymphonyEndpoints::new("https://api.example.com").expect("endpoints");
    let bot = Bot::new(endpoints, SymphonyLogIn::certificate(), Context::new(Installation));
    let agent: Box<dyn Authenticator> = Box::new(bot.agent());
    with_request(move |request| black_box(&agent).credentials(request).wait().expect("credentials"))
}

/// Gives everybody both tokens.
struct Installation;

impl Transport for Installation {
    fn fetch(&self, exchange: Exchange) -> Flow<'_, Response<Vec<u8>>> {
        let path = exchange.request().uri().path();
        let is_pod = path.starts_with("/sessionauth/") || path.starts_with("/login/");
        let answer: &[u8] = match is_pod {
            true => br#"{"name":"sessionToken","token":"eyJhbGciOiJSUzUxMiJ9.e30.AAAAAAAAAAAAAAAAAAAAAAAA"}"#,
            false => br#"{"name":"keyManagerToken","token":"0100d33d6a2c1b5f0e4b7f2a9c8d7e6f"}"#,
        };
        Flow::ready(Response::new(answer.to_vec()))
    }

    fn pause(&self, _: Duration) -> Flow<'_, ()> {
        Flow::ready(())
    }

    fn detach(&self, work: Flow<'static, ()>) -> Option<Flow<'static, ()>> {
        Some(work)
    }
}
