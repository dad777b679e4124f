//! One session over this transport, shared by plain threads that wait and an async runtime that polls.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

mod common;

use auth_core::{
    Answer, Context, Credentials, Exchange, Flow, Lifespan, PresentableToken, Refusal, Renewal,
    Result, Timestamp, Token, TokenSource, Transport as _,
};
use auth_session::Session;
use auth_testing::ManualClock;
use auth_ureq::{AuthClient, UreqTransport};
use common::{answer, seen, serve};
use http::{HeaderName, Request};
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

/// Asks a server for a number, which is good until second 1000.
struct Numbers {
    server: SocketAddr,
}

#[derive(Clone)]
struct Number(String);

impl TokenSource for Numbers {
    type Token = Number;

    fn token<'a>(&'a self, context: &'a Context, _: Renewal<Number>) -> Flow<'a, Number> {
        let request = Request::post(format!("http://{}/log-in", self.server)).body(Vec::new());
        let fetched = context.transport.fetch(Exchange::new(request.unwrap()));
        fetched.map(|answer| Number(String::from_utf8(answer.into_body()).unwrap()))
    }
}

impl Token for Number {
    fn lifespan(&self) -> Lifespan {
        Lifespan::Until(Timestamp::from_unix(1000))
    }
}

impl PresentableToken for Number {
    fn credentials(&self) -> Result<Credentials> {
        Credentials::header(HeaderName::from_static("session"), self.0.parse().unwrap())
    }

    fn refusal(answer: Answer<'_>) -> Option<Refusal> {
        (answer.status == 401).then(|| Refusal::new(answer.status))
    }
}

fn session(server: SocketAddr, clock: ManualClock) -> Session<Numbers> {
    let transport = UreqTransport::builder().allowing_loopback().build().unwrap();
    Session::new(Numbers { server }, Context::new(transport).with_clock(clock))
}

#[test]
fn threads_and_runtimes_share_one_log_in() {
    let (server, log) = serve(|_| {
        thread::sleep(Duration::from_millis(100));
        answer(200, &[], "7")
    });
    let session = session(server, ManualClock::at(0));
    let held = thread::scope(|scope| {
        let threads: Vec<_> =
            (0..4).map(|_| scope.spawn(|| session.token().wait().unwrap().token.0)).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let polled = runtime.block_on(async {
            // Gives up at once, and takes nothing with it.
            let _ = tokio::time::timeout(Duration::from_millis(1), session.token()).await;
            session.token().await.unwrap().token.0
        });
        threads
            .into_iter()
            .map(|waiting| waiting.join().unwrap())
            .chain([polled])
            .collect::<Vec<_>>()
    });
    assert_eq!(held, ["7"; 5]);
    assert_eq!(seen(&log), ["POST /log-in [content-length:0] "]);
}

#[test]
fn a_refused_token_is_renewed_and_the_request_sent_again() {
    let logged_in = Arc::new(AtomicU64::new(0));
    let (server, log) = serve(move |head| match head.uri.path() {
        "/log-in" => answer(200, &[], (logged_in.fetch_add(1, Ordering::SeqCst) + 1).to_string()),
        _ => answer(if head.headers["session"] == "2" { 200 } else { 401 }, &[], ""),
    });
    let session = session(server, ManualClock::at(0));
    let client = AuthClient::builder().build().unwrap();
    for _ in 0..2 {
        let request = Request::get(format!("http://{server}/")).body(()).unwrap();
        assert_eq!(client.send(&session, request).unwrap().status(), 200);
    }
    let log_in = "POST /log-in [content-length:0] ";
    let (refused, taken) = ("GET / [session:1] ", "GET / [session:2] ");
    assert_eq!(seen(&log), [log_in, refused, log_in, taken, taken]);
}

/// There is no background: one caller carries the renewal, and has the new token.
#[test]
fn a_token_that_is_due_is_renewed_by_a_caller() {
    let (server, log) = serve(|_| answer(200, &[], "9"));
    let clock = ManualClock::at(0);
    let session = session(server, clock.clone());
    assert_eq!(session.token().wait().unwrap().generation, 1);
    clock.advance(Duration::from_secs(850));
    assert_eq!(session.token().wait().unwrap().generation, 2);
    assert_eq!(seen(&log).len(), 2);
}
