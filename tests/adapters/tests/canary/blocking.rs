//! The same secrets through the blocking client and its transport.

use super::Planted;
use auth_core::{OriginBound, Stack, Transport as _, Verifier};
use auth_static::{Bearer, NoAuth};
use auth_testing::CapturedOutput;
use auth_tower::{TracingObserver, VerifyLayer};
use auth_ureq::{AuthClient, ClientIdentity, Proxy, RequestContent, TlsSettings, UreqTransport};
use axum::Router;
use http::{HeaderName, Request, header::AUTHORIZATION};
use log::{LevelFilter, Log, Metadata, Record};
use std::{
    net::{SocketAddr, TcpListener},
    sync::{Arc, OnceLock},
    thread,
};

#[test]
fn no_part_of_a_blocking_client_shows_a_secret() {
    let (planted, shown) = (Planted::new(), CapturedOutput::default());
    let secret = planted.password.text();
    let proxy = || Proxy::new(&format!("http://user:{secret}@127.0.0.1:9")).unwrap();
    let client = AuthClient::builder().with_proxy(proxy());
    shown.debug(&client).debug(&client.build().unwrap());
    let transport = UreqTransport::builder().with_proxy(proxy());
    shown.debug(&transport).debug(&transport.build().unwrap());
    shown.debug(&RequestContent::from(secret)).debug(&RequestContent::reader(std::io::empty()));
    for pem in [secret.to_owned(), pem(secret)] {
        shown.error(&Proxy::new(&format!("socks5://user:{secret}@127.0.0.1:9")).unwrap_err());
        shown.error(&TlsSettings::system().with_authorities(pem.as_bytes()).unwrap_err());
        shown.error(&ClientIdentity::from_pem(pem.as_bytes(), pem.as_bytes()).unwrap_err());
    }
    assert_eq!(shown.leaks(&planted.all()), [""; 0], "in\n{}", shown.all());
}

fn pem(secret: &str) -> String {
    format!("-----BEGIN PRIVATE KEY-----\n{secret}\n-----END PRIVATE KEY-----")
}

/// Every way in which a blocking client can fail with a secret in hand.
#[test]
fn no_error_of_a_blocking_client_shows_a_secret() {
    let (planted, shown) = (Planted::new(), CapturedOutput::default());
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let key = planted.key.text();
    let client = AuthClient::builder().build().unwrap();
    let proxied = Proxy::new(&format!("http://user:{}@{free}", planted.password.text()));
    let proxied = AuthClient::builder().with_proxy(proxied.unwrap()).build().unwrap();
    for authenticator in planted.clients() {
        for url in [
            format!("http://{free}/?{key}"),
            format!("http://192.0.2.1/?{key}"),
            format!("http://{key}@{free}/"),
            format!("/{key}"),
        ] {
            let asked = || Request::get(&url).body(key).unwrap();
            shown.error(&client.send(&*authenticator, asked()).unwrap_err());
            shown.error(&proxied.send(&*authenticator, asked()).unwrap_err());
        }
        for (name, value) in [
            (AUTHORIZATION, key),
            (HeaderName::from_static("key"), key),
            (HeaderName::from_static("content-length"), key),
            (HeaderName::from_static("content-length"), "1"),
        ] {
            let request = Request::get(format!("http://{free}/")).header(name, value);
            let request = request.body(key).unwrap();
            shown.error(&client.send(&*authenticator, request).unwrap_err());
        }
        let bound =
            OriginBound::new(["https://a.example".parse().unwrap()], Arc::clone(&authenticator));
        let request = Request::get(format!("https://b.example/?{key}")).body(()).unwrap();
        shown.error(&client.send(&bound, request).unwrap_err());
        let twice = Stack(Arc::clone(&authenticator), Bearer::new(planted.token.text()).unwrap());
        let request = Request::get(format!("http://{free}/")).body(()).unwrap();
        shown.error(&client.send(&twice, request).unwrap_err());
    }
    let transport = UreqTransport::builder().allowing_loopback().build().unwrap();
    for url in [
        format!("http://{free}"),
        String::from("https://10.0.0.1"),
        String::from("http://a.example"),
        format!("http://{key}@{free}"),
    ] {
        let request = Request::post(format!("{url}/?{key}"));
        let request = request.body(planted.token.text().into()).unwrap();
        shown.error(&transport.fetch(request.into()).wait().unwrap_err());
    }
    assert_eq!(shown.leaks(&planted.all()), [""; 0], "in\n{}", shown.all());
}

/// What libraries say through `log`, for the whole process: there is no other way to hear ureq.
struct Heard(CapturedOutput);

impl Log for Heard {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        self.0.text(&format!("{} {} {}", record.level(), record.target(), record.args()));
    }

    fn flush(&self) {}
}

/// Good, nearly good and misplaced secrets over a real connection, with what ureq says at the level debug. At the level
/// trace it writes down what it sends: the crate's documentation warns of it.
#[test]
fn no_log_or_answer_of_a_blocking_client_shows_a_secret() {
    static HEARD: OnceLock<Heard> = OnceLock::new();
    let (planted, shown) = (Planted::new(), CapturedOutput::default());
    log::set_logger(HEARD.get_or_init(|| Heard(shown.clone()))).unwrap();
    log::set_max_level(LevelFilter::Debug);
    let client = AuthClient::builder().with_observer(TracingObserver).build().unwrap();
    let transport = UreqTransport::builder().allowing_loopback().build().unwrap();
    for (authenticator, door) in planted.clients().into_iter().zip(planted.doors()) {
        let url = format!("http://{}/", serve(door));
        let request = Request::get(&url).body(()).unwrap();
        assert_eq!(client.send(&*authenticator, request).unwrap().status(), 200);
        for secret in planted.all() {
            let nearly = format!("{}x", secret.text());
            for value in [
                format!("Basic {nearly}"),
                format!("App {nearly}"),
                format!("Bearer {nearly}"),
                nearly.clone(),
            ] {
                let request = || {
                    Request::post(format!("{url}?apikey={nearly}"))
                        .header(AUTHORIZATION, &value)
                        .header("key", &nearly)
                };
                let mut answer = client.send(&NoAuth, request().body(&*nearly).unwrap()).unwrap();
                shown.text(&format!("{} {:?}", answer.status(), answer.headers()));
                shown.text(&answer.body_mut().read_to_string().unwrap());
                let request = request().body(nearly.clone().into_bytes()).unwrap();
                let answer = transport.fetch(request.into()).wait().unwrap();
                shown.text(&String::from_utf8_lossy(answer.body()));
            }
        }
    }
    assert!(shown.all().contains("DEBUG ureq::"), "ureq was not heard");
    assert_eq!(shown.leaks(&planted.all()), [""; 0]);
}

/// A server behind this door, on a thread of its own.
fn serve(door: Arc<dyn Verifier<Principal = &'static str>>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let app = Router::new().fallback(|| async { "in" }).layer(VerifyLayer::new(door));
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, app).await.unwrap();
        });
    });
    address
}
