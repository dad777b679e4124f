//! Log-ins by certificate, over https: our own bot and app at them, and what they refuse.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use auth_core::Context;
use auth_emulator::{Endpoint, Fault, Symphony, SymphonyBuilder};
use auth_reqwest::{AuthClient, ClientIdentity, ReqwestTransport, TlsSettings};
use auth_symphony::{App, Bot, CircleOfTrust, SymphonyEndpoints, SymphonyLogIn, SymphonyUser};
use common::symphony::{OTHER_PUBLIC, PUBLIC, Stage, stage_of};
use http::Method;
use tokio::runtime::Handle;

/// Beside what every stage has, a bot and an app that log in by certificate.
fn with_certificates(builder: SymphonyBuilder) -> SymphonyBuilder {
    let builder = builder.with_certificate_bot("my-bot").with_certificate_app("my-app");
    builder.with_user(9, "joan@acme.com", ["my-app"])
}

fn identity(symphony: &Symphony, name: &str) -> ClientIdentity {
    let issued = symphony.issue_certificate(name).unwrap();
    ClientIdentity::from_pem(issued.certificate().as_bytes(), issued.key().expose()).unwrap()
}

/// The TLS of a client that has this certificate, or none.
fn tls(symphony: &Symphony, name: Option<&str>) -> TlsSettings {
    let tls = TlsSettings::system().with_authorities(symphony.authority().as_bytes()).unwrap();
    match name {
        Some(name) => tls.with_identity(identity(symphony, name)),
        None => tls,
    }
}

fn context(it: &Stage, name: Option<&str>) -> Context {
    let transport = ReqwestTransport::builder(Handle::current()).allowing_loopback();
    let transport = transport.with_tls(tls(&it.symphony, name)).build().unwrap();
    Context::new(transport).with_clock(it.clock.clone())
}

/// Pod and agent on the port without TLS, log-ins on the one with it.
fn endpoints(it: &Stage) -> SymphonyEndpoints {
    let (endpoints, url) = (it.endpoints(), it.symphony.certificate_url());
    let endpoints = endpoints.with_session_auth(&url).unwrap();
    endpoints.with_certificate_key_manager(&url).unwrap()
}

/// The status of a request on the port for certificates, and the message or the token of its answer.
async fn ask(it: &Stage, name: Option<&str>, path: &str, session: Option<&str>) -> (u16, String) {
    let client = AuthClient::builder().with_tls(tls(&it.symphony, name)).build().unwrap();
    let mut request = client.http().post(format!("{}{path}", it.symphony.certificate_url()));
    if let Some(session) = session {
        request = request.header("sessionToken", session);
    }
    let answered = request.send().await.unwrap();
    let status = answered.status().as_u16();
    let body = answered.bytes().await.unwrap();
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let said = ["message", "token", "sessionToken"].map(|name| body[name].as_str());
    (status, said.into_iter().flatten().next().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_logs_in_by_certificate_and_calls_pod_and_agent() {
    let it = stage_of(with_certificates).await;
    let log_in = SymphonyLogIn::certificate();
    let bot = Bot::new(endpoints(&it), log_in, context(&it, Some("my-bot")));
    let (status, said) = it.session_info(&bot.pod()).await;
    assert_eq!((status, said["username"].as_str()), (200, Some("my-bot")));
    assert_eq!(it.message(&bot.agent()).await, 200);
    assert_eq!(it.log_ins(), [1, 1, 1]);
    // What a fault ends is renewed by the certificate.
    it.symphony.faults().arm(Fault::ExpireNow, Endpoint::Agent, 1);
    assert_eq!(it.message(&bot.agent()).await, 200);
    assert_eq!(it.log_ins()[..2], [2, 2]);
    // The port has all other paths as well.
    let url = it.symphony.certificate_url();
    let everything = SymphonyEndpoints::new(&url).unwrap();
    let context = context(&it, Some("my-bot"));
    let bot = Bot::new(everything, SymphonyLogIn::certificate(), context);
    let client = AuthClient::builder().with_tls(tls(&it.symphony, None)).build().unwrap();
    let send = async |path: &str| {
        let request = client.http().post(format!("{url}{path}")).body("x").build().unwrap();
        client.send(&bot.agent(), request).await.unwrap().status().as_u16()
    };
    assert_eq!(send(common::symphony::MESSAGE).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_logs_in_by_certificate_for_users_by_id_and_by_name_and_for_pairs() {
    let it = stage_of(with_certificates).await;
    let (log_in, context) = (SymphonyLogIn::certificate(), context(&it, Some("my-app")));
    let app = App::new(endpoints(&it), log_in.clone(), context.clone());
    for user in [SymphonyUser::Id(9), SymphonyUser::Name("joan@acme.com".into())] {
        let user = app.on_behalf_of(user);
        let (status, said) = it.session_info(&user).await;
        assert_eq!((status, said["username"].as_str()), (200, Some("joan@acme.com")));
        assert_eq!(it.message(&user).await, 200);
    }
    for (stranger, code) in [(7, "symphony_on_behalf_of"), (6, "symphony_log_in_not_found")] {
        let user = app.on_behalf_of(SymphonyUser::Id(stranger));
        let refused = it.try_send(&user, Method::GET, "/pod/v2/sessioninfo", "").await;
        assert_eq!(refused.unwrap_err().code(), code, "{stranger}");
    }
    let circle = CircleOfTrust::new(&endpoints(&it), &log_in, context).unwrap();
    let (one, other) = (circle.begin().await.unwrap(), circle.begin().await.unwrap());
    let of = |token: &auth_emulator::Secret| it.symphony.symphony_token(token.expose()).unwrap();
    assert!(circle.is_trusted(one.expose(), of(&one).expose()));
    assert!(!circle.is_trusted(one.expose(), of(&other).expose()));
}

const BOT: &str = "/sessionauth/v1/authenticate";
const KEYS: &str = "/keyauth/v1/authenticate";
const APP: &str = "/sessionauth/v1/app/authenticate";

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_opens_what_it_is_for_and_nothing_else() {
    let it = stage_of(with_certificates).await;
    let check = async |name: Option<&str>, path: &str, expected: u16, text: &str| {
        let (status, said) = ask(&it, name, path, None).await;
        assert!(status == expected && said.contains(text), "{name:?} {path} {status} {said}");
    };
    for path in [BOT, KEYS] {
        check(Some("my-bot"), path, 200, "").await;
        check(None, path, 401, "no client certificate").await;
        check(Some("My-bot"), path, 401, "login failed").await;
        check(Some("stranger"), path, 401, "login failed").await;
        check(Some("my-app"), path, 401, "login failed").await;
        check(Some("jane@acme.com"), path, 401, "login failed").await;
        check(Some("bot"), path, 403, "not allowed for the requested user").await;
    }
    check(Some("my-app"), APP, 200, "").await;
    check(Some("my-bot"), APP, 401, "login failed").await;
    check(Some("app"), APP, 403, "not allowed").await;
    // Without TLS there is no certificate.
    let answered = it.ask(Method::POST, BOT, &[], "").await;
    assert_eq!(
        (answered.status, answered.text("/message")),
        (401, "connection shows no client certificate")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_is_logged_in_by_the_session_and_the_certificate_of_one_app() {
    let it = stage_of(|builder| with_certificates(builder).with_certificate_app("other")).await;
    let (_, session) = ask(&it, Some("my-app"), APP, None).await;
    let (_, of_bot) = ask(&it, Some("my-bot"), BOT, None).await;
    let check = async |name: Option<&str>, session: &str, user: &str, expected: u16| {
        let path = format!("/sessionauth/v1/app/{user}/authenticate");
        let (status, said) = ask(&it, name, &path, Some(session)).await;
        assert_eq!(status, expected, "{name:?} {user} {said}");
    };
    check(Some("my-app"), &session, "user/9", 200).await;
    check(Some("my-app"), &session, "username/joan@acme.com", 200).await;
    check(None, &session, "user/9", 401).await;
    check(Some("other"), &session, "user/9", 401).await;
    check(Some("my-bot"), &session, "user/9", 401).await;
    check(Some("my-app"), &of_bot, "user/9", 401).await;
    check(Some("my-app"), "none", "user/9", 401).await;
    check(Some("my-app"), &session, "user/7", 401).await;
    check(Some("my-app"), &session, "user/6", 404).await;
    check(Some("my-app"), &session, "user/nine", 404).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_in_by_certificate_with_a_body_is_refused() {
    let it = stage_of(with_certificates).await;
    let client = AuthClient::builder().with_tls(tls(&it.symphony, Some("my-bot"))).build().unwrap();
    let url = format!("{}{BOT}", it.symphony.certificate_url());
    let typed = client.http().post(&url).header("content-type", "application/json");
    for request in [client.http().post(&url).body("{}"), typed] {
        assert_eq!(request.send().await.unwrap().status().as_u16(), 400);
    }
    let pair =
        format!("{}/sessionauth/v1/authenticate/extensionApp", it.symphony.certificate_url());
    assert_eq!(client.http().post(&pair).body("{}").send().await.unwrap().status().as_u16(), 400);
}

#[tokio::test]
async fn what_cannot_be_set_up_is_named() {
    let start = async |builder: SymphonyBuilder| builder.start().await.unwrap_err();
    let error = start(Symphony::builder().with_client_authorities(PUBLIC)).await;
    assert_eq!(error.code(), "emulator_authority");
    let error = start(Symphony::builder().with_client_authorities("")).await;
    assert_eq!(error.code(), "emulator_authority");
    let running = Symphony::builder().start().await.unwrap();
    let port = running.certificate_url().rsplit(':').next().unwrap().parse().unwrap();
    let error = start(Symphony::builder().with_certificate_port(port)).await;
    assert!(error.to_string().contains("take another port for log-ins by certificate"), "{error}");
    let symphony = Symphony::builder().with_certificate_bot("bot").build().await.unwrap();
    let error = symphony.replace_public_key("bot", OTHER_PUBLIC).await.unwrap_err();
    assert!(error.to_string().contains("\"bot\" has no public key"), "{error}");
    let issued = symphony.issue_certificate("bot").unwrap();
    assert_eq!(format!("{issued:?}"), "IssuedCertificate(..)");
}
