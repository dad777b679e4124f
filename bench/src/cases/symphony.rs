//! The pair of tokens of a bot at Symphony, presented.

use super::{session, with_request};
use auth_core::{Authenticator, Context, Exchange, Flow, Transport};
use auth_symphony::{Bot, SymphonyEndpoints, SymphonyLogIn};
use harness::case::{Call, Group, floor, ours};
use http::Response;
use std::{hint::black_box, time::Duration};

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
        let answer: &[u8] = match exchange.request().uri().path().starts_with("/sessionauth/") {
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
