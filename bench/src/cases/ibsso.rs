//! The token of a session at Infobip, presented.

use super::{session, with_request};
use auth_core::{Authenticator, Context, Exchange, Flow, Transport};
use auth_ibsso::{IbssoSession, LogIn};
use harness::case::{Call, Group, floor, ours};
use http::Response;
use std::{hint::black_box, time::Duration};

pub fn kept() -> Group {
    Group {
        name: "ibsso-kept",
        input: "a session that lives; its token for its own origin, through dyn Authenticator, one thread",
        cases: vec![
            floor("ArcSwap load, clock read, header handed over", session::floor_kept),
            ours("auth-ibsso", Some(1.3), 0, presented),
        ],
    }
}

fn presented() -> Call {
    let log_in = LogIn::new("https://api.example.com", "acme", "pa55word").expect("a log-in");
    let session: Box<dyn Authenticator> =
        Box::new(IbssoSession::new(log_in, Context::new(Platform)));
    with_request(move |request| {
        black_box(&session).credentials(request).wait().expect("credentials")
    })
}

/// Gives everybody the session of the vendor's sample.
struct Platform;

impl Transport for Platform {
    fn fetch(&self, _: Exchange) -> Flow<'_, Response<Vec<u8>>> {
        let answer = br#"{"token":"2f9b4d31-2d0d-49a8-85f0-9b862bdca394"}"#;
        Flow::ready(Response::new(answer.to_vec()))
    }

    fn pause(&self, _: Duration) -> Flow<'_, ()> {
        Flow::ready(())
    }

    fn detach(&self, work: Flow<'static, ()>) -> Option<Flow<'static, ()>> {
        Some(work)
    }
}
