//! Storms and outages, by a scripted clock.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use auth_core::{Authenticator, Error, RequestView};
use auth_oauth2::{ClientCredentials, Context, Session};
use auth_testing::{Gate, ManualClock, ScriptedTransport, SeededRandom};
use common::{clock, credentials, granted};
use http::{HeaderMap, Method, Response, Uri};
use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context as Task, Waker},
    time::Duration,
};

fn answers(body: String) -> ScriptedTransport {
    ScriptedTransport::new(move |_| Ok(Response::new(body.clone().into_bytes())))
}

fn session(
    transport: &ScriptedTransport,
    clock: &ManualClock,
    seed: u64,
) -> Session<ClientCredentials> {
    let context = Context::new(transport.clone())
        .with_clock(clock.clone())
        .with_random(SeededRandom::new(seed));
    Session::new(credentials("s3cret"), context)
}

#[test]
fn ten_thousand_requests_at_expiry_make_one_refresh() {
    let (clock, gate) = (clock(), Gate::opened());
    let transport = answers(granted(1)).with_gate(gate.clone());
    let session = session(&transport, &clock, 7);
    session.token().wait().unwrap();
    clock.advance(Duration::from_secs(3600));
    gate.close();
    let (uri, headers) = (Uri::from_static("https://api.example/"), HeaderMap::new());
    let view = RequestView::new(&Method::GET, &uri, &headers);
    let mut task = Task::from_waker(Waker::noop());
    let mut requests: Vec<_> = (0..10_000).map(|_| session.credentials(view)).collect();
    assert!(requests.iter_mut().all(|request| Pin::new(request).poll(&mut task).is_pending()));
    // Nine in ten give up.
    requests.retain({
        let mut number = 0;
        move |_| {
            number += 1;
            number % 10 == 0
        }
    });
    gate.open();
    for request in requests {
        request.wait().unwrap();
    }
    assert_eq!(transport.exchanges(), 2);
}

/// Clients that were started together, as after a deployment, ask each in each second.
#[test]
fn a_fleet_whose_tokens_end_together_spreads_its_renewals() {
    const FLEET: usize = 200;
    let clock = clock();
    let transports: Vec<_> = (0..FLEET).map(|_| answers(granted(1))).collect();
    let sessions: Vec<_> = transports
        .iter()
        .enumerate()
        .map(|(number, transport)| session(transport, &clock, u64::try_from(number).unwrap()))
        .collect();
    let asked = || transports.iter().map(ScriptedTransport::exchanges).sum::<u64>();
    sessions.iter().for_each(|session| drop(session.token().wait().unwrap()));
    let mut in_a_second = Vec::new();
    let mut before = asked();
    for _ in 0..3600 {
        clock.advance(Duration::from_secs(1));
        sessions.iter().for_each(|session| drop(session.token().wait().unwrap()));
        in_a_second.push(asked() - before);
        before = asked();
    }
    assert_eq!(in_a_second.iter().sum::<u64>(), 200, "each renewed once in the hour");
    let most = in_a_second.iter().max().unwrap();
    assert!(*most <= 10, "{most} of 200 in one second");
    let busy = in_a_second.iter().filter(|renewals| **renewals > 0).count();
    assert!(busy > 100, "spread over {busy} seconds");
}

/// What the token endpoint does, and whether the token that was there is served meanwhile and another one afterwards.
#[track_caller]
fn check_outage(
    name: &str,
    answer: impl Fn() -> Result<Response<Vec<u8>>, Error> + Send + Sync + 'static,
) {
    let clock = clock();
    let is_down = Arc::new(Mutex::new(false));
    let down = Arc::clone(&is_down);
    let transport = ScriptedTransport::new(move |_| {
        if *down.lock().unwrap() { answer() } else { Ok(Response::new(granted(1).into_bytes())) }
    });
    let session = session(&transport, &clock, 7);
    session.token().wait().unwrap();
    *is_down.lock().unwrap() = true;
    // From 0 to 80 percent of its life, and on to its end.
    for _ in 0..3599 {
        clock.advance(Duration::from_secs(1));
        let served = session.token().wait().map(|current| current.generation);
        assert_eq!(served.map_err(|error| error.code()), Ok(1), "{name}: served while it lives");
    }
    let asked = transport.exchanges();
    assert!((2..=60).contains(&asked), "{name}: {asked} requests in 20 to 24 minutes of outage");
    clock.advance(Duration::from_secs(3600));
    assert!(session.token().wait().is_err(), "{name}: no dead token is served");
    *is_down.lock().unwrap() = false;
    // The longest that it may be asked to wait is an hour, and a tenth more by chance.
    clock.advance(Duration::from_secs(3960));
    assert!(session.token().wait().is_ok(), "{name}: recovers by itself");
}

#[test]
fn an_outage_costs_nothing_while_the_token_lives_and_ends_by_itself() {
    let status = |status: u16, body: &'static str| {
        move || Ok(Response::builder().status(status).body(body.as_bytes().to_vec()).unwrap())
    };
    check_outage("reset", || Err(Error::transport("reset", "connection reset by peer")));
    check_outage("timeout", || Err(Error::transport("timeout", "no answer in 30 s")));
    check_outage("500", status(500, "oops"));
    check_outage("502", status(502, "<html>bad gateway</html>"));
    check_outage("invalid_client", status(401, r#"{"error":"invalid_client"}"#));
    check_outage("truncated", status(200, r#"{"access_token":"a","expi"#));
    check_outage("no token", status(200, "{}"));
    check_outage("no JSON", status(200, "<html>log in</html>"));
    check_outage("not for Bearer", status(200, r#"{"access_token":"a","token_type":"mac"}"#));
    check_outage("busy", || {
        let busy = Response::builder().status(429).header("retry-after", "60");
        Ok(busy.body(Vec::new()).unwrap())
    });
}

/// A server that asks for a year of patience is asked again after an hour.
#[test]
fn patience_is_capped_at_an_hour() {
    let clock = clock();
    let transport = ScriptedTransport::new(|_| {
        let busy = Response::builder().status(429).header("retry-after", "31536000");
        Ok(busy.body(Vec::new()).unwrap())
    });
    let session = session(&transport, &clock, 7);
    for (pause, asked) in [(0, 1), (3599, 1), (361, 2)] {
        clock.advance(Duration::from_secs(pause));
        assert_eq!(session.token().wait().unwrap_err().code(), "oauth2_temporarily_unavailable");
        assert_eq!(transport.exchanges(), asked, "after {pause} s more");
    }
}

/// The end that a server states, and how many exchanges a minute of one request in each second makes.
#[track_caller]
fn check_life(expires_in: &str, most: u64) {
    let clock = clock();
    let body = format!(r#"{{"access_token":"a","expires_in":{expires_in}}}"#);
    let transport = answers(body);
    let session = session(&transport, &clock, 7);
    for _ in 0..60 {
        assert!(session.token().wait().is_ok(), "{expires_in}");
        clock.advance(Duration::from_secs(1));
    }
    assert!(transport.exchanges() <= most, "{expires_in}: {} exchanges", transport.exchanges());
}

#[test]
fn odd_ends_cause_no_storm() {
    for odd in ["0", "-1", "\"-1\""] {
        check_life(odd, 6);
    }
    for long in ["1000000000000000000", "1e300", "\"999999999999\"", "86400"] {
        check_life(long, 1);
    }
}
