//! A session from its creation to its end through every adapter.

use super::{MESSAGE, PASSWORD, Stage, USER, stage};
use auth_core::{Context, Transport};
use auth_emulator::{Endpoint, Fault};
use auth_ibsso::{IbssoSession, LogIn};
use auth_tower::{AuthenticateLayer, OutgoingBody};
use auth_ureq::UreqTransport;
use http::{Request, header::CONTENT_TYPE};
use hyper_util::{client::legacy, rt::TokioExecutor};
use tower::{Layer, ServiceExt as _};

/// Sends a message, and gives its status.
trait Sends {
    async fn message(&self, session: &IbssoSession, url: &str) -> u16;
}

struct Reqwest(auth_reqwest::AuthClient);
struct Ureq(auth_ureq::AuthClient);
struct Tower;

impl Sends for Reqwest {
    async fn message(&self, session: &IbssoSession, url: &str) -> u16 {
        super::send(&self.0, session, url).await.unwrap()
    }
}

impl Sends for Ureq {
    async fn message(&self, session: &IbssoSession, url: &str) -> u16 {
        let (client, session, url) = (self.0.clone(), session.clone(), url.to_owned());
        // It blocks the thread that it is called on.
        let sending = tokio::task::spawn_blocking(move || {
            let request = Request::post(url).header(CONTENT_TYPE, "application/json");
            client.send(&session, request.body(MESSAGE).unwrap()).unwrap().status().as_u16()
        });
        sending.await.unwrap()
    }
}

impl Sends for Tower {
    async fn message(&self, session: &IbssoSession, url: &str) -> u16 {
        let http = legacy::Client::builder(TokioExecutor::new()).build_http::<OutgoingBody>();
        let request = Request::post(url).header(CONTENT_TYPE, "application/json");
        let request = request.body(OutgoingBody::from(MESSAGE)).unwrap();
        let layer = AuthenticateLayer::new(session.clone());
        layer.layer(http).oneshot(request).await.unwrap().status().as_u16()
    }
}

/// Created by the first message, shared by the next ones, ended behind the client's back, renewed in time, destroyed.
async fn check(stage: Stage, transport: impl Transport + 'static, sends: impl Sends) {
    let context = Context::new(transport).with_clock(stage.clock.clone());
    let log_in = LogIn::new(&stage.infobip.base_url(), USER, PASSWORD).unwrap();
    let session = IbssoSession::new(log_in, context);
    let message = async || assert_eq!(sends.message(&session, &stage.messages()).await, 200);
    for _ in 0..3 {
        message().await;
    }
    assert_eq!(stage.exchanges(), (1, 0));
    stage.infobip.faults().arm(Fault::ExpireNow, Endpoint::Messages, 1);
    message().await;
    assert_eq!(stage.exchanges(), (2, 1));
    stage.pass(3580);
    message().await;
    assert_eq!(stage.exchanges(), (3, 2));
    session.destroy().await.unwrap();
    let counts = stage.counts();
    assert_eq!((counts.sessions_created, counts.sessions_destroyed), (3, 2));
    assert_eq!((counts.messages_accepted, counts.unauthorized), (5, 2));
    let schemes = stage.infobip.requests().into_iter().map(|one| one.scheme);
    let of_creations = schemes.clone().filter(Option::is_none).count();
    assert_eq!(of_creations, 3, "a creation carries no credentials");
    assert!(schemes.flatten().all(|scheme| scheme == "IBSSO"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_lives_through_reqwest() {
    let stage = stage().await;
    let client = Reqwest(stage.client.clone());
    let transport = auth_reqwest::ReqwestTransport::builder(tokio::runtime::Handle::current());
    check(stage, transport.allowing_loopback().build().unwrap(), client).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_lives_through_ureq() {
    let client = Ureq(auth_ureq::AuthClient::builder().build().unwrap());
    let transport = UreqTransport::builder().allowing_loopback().build().unwrap();
    check(stage().await, transport, client).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_lives_through_tower() {
    let transport = auth_reqwest::ReqwestTransport::builder(tokio::runtime::Handle::current());
    check(stage().await, transport.allowing_loopback().build().unwrap(), Tower).await;
}
