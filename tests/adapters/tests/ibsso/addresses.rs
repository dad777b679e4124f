//! A client whose requests begin to leave through another address, while its session is bound to the first.

use super::{MESSAGE, Stage, stage};
use auth_core::{Context, Error, Exchange, Flow, Result, Transport, send};
use auth_ibsso::{IbssoSession, LogIn};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use std::{
    net::{IpAddr, Ipv4Addr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

type Http = Client<HttpConnector, Full<Bytes>>;

/// Leaves through the address of this number.
#[derive(Clone)]
struct Egress {
    clients: [Http; 2],
    number: Arc<AtomicUsize>,
}

impl Egress {
    fn new() -> Self {
        let client = |last| {
            let mut connector = HttpConnector::new();
            connector.set_local_address(Some(IpAddr::V4(Ipv4Addr::new(127, 0, 0, last))));
            Client::builder(TokioExecutor::new()).build(connector)
        };
        Self { clients: [client(1), client(2)], number: Arc::default() }
    }

    fn change(&self, number: usize) {
        self.number.store(number, Ordering::Relaxed);
    }
}

impl Transport for Egress {
    fn fetch(&self, exchange: Exchange) -> Flow<'_, Response<Vec<u8>>> {
        let client = self.clients[self.number.load(Ordering::Relaxed)].clone();
        let request = exchange.into_request().map(|body| Full::new(Bytes::from(body)));
        Flow::new(async move {
            let lost = |error| Error::transport("egress", format!("{error}"));
            let (head, body) = client.request(request).await.map_err(lost)?.into_parts();
            let body = body.collect().await.map_err(|error| Error::transport("egress", error))?;
            Ok(Response::from_parts(head, body.to_bytes().to_vec()))
        })
    }

    fn pause(&self, duration: Duration) -> Flow<'_, ()> {
        Flow::new(async move {
            tokio::time::sleep(duration).await;
            Ok(())
        })
    }

    fn detach(&self, work: Flow<'static, ()>) -> Option<Flow<'static, ()>> {
        tokio::spawn(work);
        None
    }
}

async fn sent(stage: &Stage, egress: &Egress, session: &IbssoSession) -> Result<u16> {
    let request = Request::post(stage.messages()).header("content-type", "application/json");
    let request = request.body(MESSAGE.as_bytes().to_vec()).unwrap();
    Ok(send(egress, session, request.into()).await?.status().as_u16())
}

fn session(stage: &Stage, egress: &Egress, change: impl FnOnce(LogIn) -> LogIn) -> IbssoSession {
    let context = Context::new(egress.clone()).with_clock(stage.clock.clone());
    IbssoSession::new(change(stage.log_in()), context)
}

#[tokio::test]
async fn a_session_that_lives_and_is_refused_since_the_address_changed_ends_in_an_error_that_names_it()
 {
    let (stage, egress) = (stage().await, Egress::new());
    let session = session(&stage, &egress, |log_in| log_in);
    assert_eq!(sent(&stage, &egress, &session).await.unwrap(), 200);
    egress.change(1);
    let error = sent(&stage, &egress, &session).await.unwrap_err();
    assert_eq!(error.code(), "ibsso_bound_to_other_address");
    let shown = error.to_string();
    for told in ["another egress address", "by 1700003600", "with_unsafe_sessions"] {
        assert!(shown.contains(told), "{shown}");
    }
    // Whoever asks again gets the same, and the platform is asked no more.
    let asked = stage.counts().requests;
    for _ in 0..50 {
        let error = sent(&stage, &egress, &session).await.unwrap_err();
        assert_eq!(error.code(), "ibsso_bound_to_other_address");
    }
    assert_eq!(stage.counts().requests, asked);
    // Back at the former address the session that lives is destroyed and followed by one that can be used.
    egress.change(0);
    stage.pass(2);
    assert_eq!(sent(&stage, &egress, &session).await.unwrap(), 200);
    let counts = stage.counts();
    assert_eq!((counts.sessions_created, counts.sessions_destroyed), (2, 1));
}

#[tokio::test]
async fn a_session_that_is_not_bound_survives_the_change_of_the_address() {
    let (stage, egress) = (stage().await, Egress::new());
    let session = session(&stage, &egress, LogIn::with_unsafe_sessions);
    for number in [0, 1, 0] {
        egress.change(number);
        assert_eq!(sent(&stage, &egress, &session).await.unwrap(), 200);
    }
    assert_eq!((stage.counts().unauthorized, stage.counts().sessions_created), (0, 1));
}
