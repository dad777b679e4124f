//! A bot with a certificate at the emulated pod, through every adapter.

use super::connections::{reqwest, ureq};
use auth_core::{Authenticator, Context, Transport};
use auth_emulator::{RunningSymphony, Symphony};
use auth_outbound::{ClientIdentity, Routes, TenantId, TlsSettings};
use auth_reqwest::ReqwestTransport;
use auth_symphony::{Bot, SymphonyEndpoints, SymphonyLogIn};
use auth_tower::{AuthenticateLayer, OutgoingBody};
use auth_ureq::UreqTransport;
use axum::body::Body;
use http::{Method, Request};
use http_body_util::BodyExt;
use hyper_util::{client::legacy, rt::TokioExecutor};
use std::{fs, process::Command};
use tokio::{runtime::Handle, task::JoinSet};
use tower::{Layer, ServiceExt as _};

const INFO: &str = "/pod/v2/sessioninfo";
const MESSAGE: &str = "/agent/v4/stream/s1/message/create";

/// Calls a platform, and gives the status and the body.
trait Calls {
    async fn call(&self, who: Bot, method: Method, url: String) -> (u16, String);
}

/// The authenticator for a target.
fn of(bot: &Bot, url: &str) -> Box<dyn Authenticator> {
    if url.contains("/agent/") { Box::new(bot.agent()) } else { Box::new(bot.pod()) }
}

struct Reqwest(auth_reqwest::AuthClient);
struct Ureq(auth_ureq::AuthClient);
struct Tower;

impl Calls for Reqwest {
    async fn call(&self, bot: Bot, method: Method, url: String) -> (u16, String) {
        let request = self.0.http().request(method, &url).body("x").build().unwrap();
        let answer = self.0.send(&*of(&bot, &url), request).await.unwrap();
        (
            answer.status().as_u16(),
            String::from_utf8(answer.bytes().await.unwrap().to_vec()).unwrap(),
        )
    }
}

impl Calls for Ureq {
    async fn call(&self, bot: Bot, method: Method, url: String) -> (u16, String) {
        let client = self.0.clone();
        // It blocks the thread that it is called on.
        let calling = tokio::task::spawn_blocking(move || {
            let request = Request::builder().method(method).uri(&url).body("x").unwrap();
            let mut answer = client.send(&*of(&bot, &url), request).unwrap();
            (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap())
        });
        calling.await.unwrap()
    }
}

impl Calls for Tower {
    async fn call(&self, bot: Bot, method: Method, url: String) -> (u16, String) {
        let http = legacy::Client::builder(TokioExecutor::new()).build_http::<OutgoingBody>();
        let request = Request::builder().method(method).uri(&url);
        let request = request.body(OutgoingBody::from("x")).unwrap();
        let layer = AuthenticateLayer::new(of(&bot, &url));
        let answer = layer.layer(http).oneshot(request).await.unwrap();
        let (status, body) = (answer.status().as_u16(), Body::new(answer.into_body()));
        let body = body.collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }
}

async fn symphony() -> RunningSymphony {
    let builder = (0..8).fold(Symphony::builder(), |builder, number| {
        builder.with_certificate_bot(&format!("bot-{number}"))
    });
    builder.start().await.unwrap()
}

fn identity(symphony: &Symphony, name: &str) -> ClientIdentity {
    let issued = symphony.issue_certificate(name).unwrap();
    ClientIdentity::from_pem(issued.certificate().as_bytes(), issued.key().expose()).unwrap()
}

fn trusting(symphony: &Symphony) -> TlsSettings {
    TlsSettings::system().with_authorities(symphony.authority().as_bytes()).unwrap()
}

/// Log-ins on the port for certificates, pod and agent on the one with this base URL.
fn endpoints(symphony: &RunningSymphony, base: &str) -> SymphonyEndpoints {
    let url = symphony.certificate_url();
    let endpoints = SymphonyEndpoints::new(base).unwrap().with_session_auth(&url).unwrap();
    endpoints.with_certificate_key_manager(&url).unwrap()
}

/// One log-in of each kind, and as many calls of pod and agent as there are.
async fn check(
    symphony: &RunningSymphony,
    base: &str,
    transport: impl Transport + 'static,
    calls: impl Calls,
) {
    let bot =
        Bot::new(endpoints(symphony, base), SymphonyLogIn::certificate(), Context::new(transport));
    for _ in 0..3 {
        let (status, said) = calls.call(bot.clone(), Method::GET, format!("{base}{INFO}")).await;
        assert!(status == 200 && said.contains("\"username\":\"bot-0\""), "{status} {said}");
        let (status, said) =
            calls.call(bot.clone(), Method::POST, format!("{base}{MESSAGE}")).await;
        assert_eq!(status, 200, "{said}");
    }
    let counts = symphony.counts();
    assert_eq!((counts.sessions_created, counts.key_manager_tokens), (1, 1));
    assert_eq!((counts.messages_accepted, counts.unauthorized), (3, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_logs_in_by_certificate_through_reqwest() {
    let symphony = symphony().await;
    let tls = trusting(&symphony);
    let client = auth_reqwest::AuthClient::builder().with_tls(tls.clone()).build().unwrap();
    let transport = ReqwestTransport::builder(Handle::current()).allowing_loopback();
    let transport = transport.with_tls(tls.with_identity(identity(&symphony, "bot-0")));
    let base = symphony.certificate_url();
    check(&symphony, &base, transport.build().unwrap(), Reqwest(client)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_logs_in_by_certificate_through_ureq() {
    let symphony = symphony().await;
    let tls = trusting(&symphony);
    let client = auth_ureq::AuthClient::builder().with_tls(tls.clone()).build().unwrap();
    let transport = UreqTransport::builder().allowing_loopback();
    let transport = transport.with_tls(tls.with_identity(identity(&symphony, "bot-0")));
    let base = symphony.certificate_url();
    check(&symphony, &base, transport.build().unwrap(), Ureq(client)).await;
}

/// The layer leaves TLS to the client beneath it: the log-ins go through a transport, and the calls without TLS.
#[tokio::test(flavor = "multi_thread")]
async fn a_bot_logs_in_by_certificate_and_calls_through_tower() {
    let symphony = symphony().await;
    let tls = trusting(&symphony).with_identity(identity(&symphony, "bot-0"));
    let transport = ReqwestTransport::builder(Handle::current()).allowing_loopback();
    let transport = transport.with_tls(tls).build().unwrap();
    check(&symphony, &symphony.base_url(), transport, Tower).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_logs_in_by_a_file_of_pkcs12() {
    let symphony = symphony().await;
    let issued = symphony.issue_certificate("bot-0").unwrap();
    let folder = std::env::temp_dir().join(format!("mutual-tls-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("bot.pem"), issued.certificate()).unwrap();
    fs::write(folder.join("key.pem"), issued.key().expose()).unwrap();
    let options = "pkcs12 -export -in bot.pem -inkey key.pem -out bot.p12 -passout pass:changeit";
    let ran = Command::new("openssl").args(options.split(' ')).current_dir(&folder).output();
    let file = fs::read(folder.join("bot.p12"));
    fs::remove_dir_all(&folder).unwrap();
    let Ok(ran) = ran else { return eprintln!("skipped: openssl not installed") };
    assert!(ran.status.success(), "{ran:?}");
    let identity = ClientIdentity::from_pkcs12(&file.unwrap(), &"changeit".into()).unwrap();
    let transport = UreqTransport::builder().allowing_loopback();
    let transport = transport.with_tls(trusting(&symphony).with_identity(identity));
    check(&symphony, &symphony.base_url(), transport.build().unwrap(), Tower).await;
}

/// Eight bots with a certificate each, at one port at once: each has its own session.
async fn check_at_once(routes: impl Fn(&str) -> Routes) {
    let symphony = symphony().await;
    let routes = routes(&symphony.authority());
    let (base, tls) = (symphony.certificate_url(), trusting(&symphony));
    let client = auth_reqwest::AuthClient::builder().with_tls(tls).build().unwrap();
    let mut calling = JoinSet::new();
    for number in 0..8 {
        let name = format!("bot-{number}");
        let identity = identity(&symphony, &name);
        let transport = routes.for_connection(TenantId::new("a"), Some(identity));
        let context = Context::new(transport);
        let (endpoints, client) = (endpoints(&symphony, &base), Reqwest(client.clone()));
        let url = format!("{base}{INFO}");
        calling.spawn(async move {
            for _ in 0..5 {
                // Another bot of the same name: it has no session yet, and finds a connection there.
                let bot =
                    Bot::new(endpoints.clone(), SymphonyLogIn::certificate(), context.clone());
                let (_, said) = client.call(bot, Method::GET, url.clone()).await;
                assert!(said.contains(&format!("\"username\":\"{name}\"")), "{name} is {said}");
            }
        });
    }
    calling.join_all().await;
    assert_eq!(symphony.counts().sessions_created, 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_bots_at_once_are_each_who_their_certificate_says_through_reqwest() {
    check_at_once(reqwest).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_bots_at_once_are_each_who_their_certificate_says_through_ureq() {
    check_at_once(ureq).await;
}
