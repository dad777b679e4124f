//! A kept token, handed out for every request.

use super::with_request;
use crate::case::{Call, Group, floor, ours};
use arc_swap::ArcSwap;
use auth_core::{
    Answer, Authenticator, Clock, Context, Credentials, Exchange, Flow, Lifespan, Present, Refusal,
    Renewal, RequestView, Result, SystemClock, SystemRandom, Timestamp, Token, TokenSource,
    Transport,
};
use auth_session::Session;
use http::{HeaderValue, header::AUTHORIZATION};
use std::{hint::black_box, sync::Arc, time::Duration};

const FIELD: &str = "Bearer mF_9.B5f-4.1JqM";

pub fn kept() -> Group {
    let cases = vec![
        floor("ArcSwap load, clock read, header handed over", || authenticated(Floor::new())),
        ours("auth-session", Some(1.1), 0, || authenticated(Session::new(Issuer, context()))),
    ];
    Group {
        name: "session-kept",
        input: "a token that is fresh; credentials through dyn Authenticator, one thread",
        cases,
    }
}

fn authenticated(authenticator: impl Authenticator + 'static) -> Call {
    let authenticator: Box<dyn Authenticator> = Box::new(authenticator);
    with_request(move |request| {
        black_box(&authenticator).credentials(request).wait().expect("credentials")
    })
}

fn credentials() -> Result<Credentials> {
    let value = HeaderValue::try_from(FIELD.to_owned()).expect("a field");
    Credentials::header(AUTHORIZATION, value)
}

/// The least that keeping a token takes, written by hand.
struct Floor {
    kept: ArcSwap<(Timestamp, Credentials)>,
    clock: Arc<dyn Clock>,
}

impl Floor {
    fn new() -> Self {
        let until = SystemClock.now().after(Duration::from_secs(3600));
        let kept = ArcSwap::from_pointee((until, credentials().expect("credentials")));
        Self { kept, clock: Arc::new(SystemClock) }
    }
}

impl Authenticator for Floor {
    fn credentials<'a>(&'a self, _: RequestView<'a>) -> Flow<'a, Credentials> {
        let (until, kept) = &**self.kept.load();
        assert!(self.clock.now() < *until, "an hour has passed");
        Flow::ready(kept.clone())
    }
}

#[derive(Clone)]
struct Ticket(Lifespan);

impl Token for Ticket {
    fn lifespan(&self) -> Lifespan {
        self.0
    }
}

impl Present for Ticket {
    fn credentials(&self) -> Result<Credentials> {
        credentials()
    }

    fn refusal(_: Answer<'_>) -> Option<Refusal> {
        None
    }
}

struct Issuer;

impl TokenSource for Issuer {
    type Token = Ticket;

    fn token(&self, _: Renewal<Ticket>) -> Flow<'_, Ticket> {
        let end = SystemClock.now().after(Duration::from_secs(24 * 3600));
        Flow::ready(Ticket(Lifespan::Until(end)))
    }
}

struct Nowhere;

impl Transport for Nowhere {
    fn fetch(&self, _: Exchange) -> Flow<'_, http::Response<Vec<u8>>> {
        Flow::ready(http::Response::default())
    }

    fn pause(&self, _: Duration) -> Flow<'_, ()> {
        Flow::ready(())
    }

    fn detach(&self, work: Flow<'static, ()>) -> Option<Flow<'static, ()>> {
        Some(work)
    }
}

fn context() -> Context {
    Context {
        transport: Arc::new(Nowhere),
        clock: Arc::new(SystemClock),
        random: Arc::new(SystemRandom::new()),
    }
}
