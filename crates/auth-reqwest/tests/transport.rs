//! What the hardened transport promises, against real servers on loopback.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

mod common;

use auth_core::{Error, Exchange, Flow, Transport as _};
use auth_reqwest::{Proxy, ReqwestTransport, TransportBuilder};
use common::{answer, serve};
use http::Request;
use std::{
    sync::mpsc,
    time::{Duration, Instant},
};
use tokio::{net::TcpListener, runtime::Handle};

fn local() -> TransportBuilder {
    ReqwestTransport::builder(Handle::current()).allowing_loopback()
}

fn get(url: impl AsRef<str>) -> Exchange {
    Request::get(url.as_ref()).body(Vec::new()).unwrap().into()
}

fn code<T>(result: Result<T, Error>) -> &'static str {
    result.map(|_| ()).unwrap_err().code()
}

#[tokio::test]
async fn an_answer_of_any_status_is_an_answer() {
    let (address, log) = serve(|_| answer(418, &[("x-plain", "1")], "teapot")).await;
    let transport = local().build().unwrap();
    let request = Request::post(format!("http://{address}/token")).body(b"grant".to_vec()).unwrap();
    let got = transport.fetch(request.into()).await.unwrap();
    assert_eq!((got.status().as_u16(), got.headers()["x-plain"].to_str().unwrap()), (418, "1"));
    assert_eq!(got.body(), b"teapot");
    assert_eq!(*log.lock().unwrap(), ["POST /token [] grant"]);
}

/// Some servers answer 411 to a POST that does not say how long its body is, though it has none.
#[tokio::test]
async fn an_empty_body_is_said_to_be_empty_where_the_method_has_bodies() {
    let (address, _) = serve(|request| {
        let length = request.headers.get("content-length");
        answer(200, &[], length.map_or("none", |length| length.to_str().unwrap()).to_owned())
    })
    .await;
    let transport = local().build().unwrap();
    for (method, body, expected) in [
        ("POST", "", "0"),
        ("PUT", "", "0"),
        ("PATCH", "", "0"),
        ("POST", "grant", "5"),
        ("GET", "", "none"),
        ("HEAD", "", ""),
        ("DELETE", "", "none"),
    ] {
        let request = Request::builder().method(method).uri(format!("http://{address}/"));
        let request = request.body(body.as_bytes().to_vec()).unwrap();
        let got = transport.fetch(request.into()).await.unwrap();
        assert_eq!(got.body(), expected.as_bytes(), "{method} {body:?}");
    }
}

#[tokio::test]
async fn redirects_are_answers_and_not_followed() {
    let (address, log) = serve(|_| answer(307, &[("location", "/elsewhere")], "")).await;
    let got = local().build().unwrap().fetch(get(format!("http://{address}/"))).await.unwrap();
    assert_eq!((got.status().as_u16(), log.lock().unwrap().len()), (307, 1));
}

#[tokio::test]
async fn a_long_answer_is_cut_off() {
    let most = Exchange::MOST_BYTES;
    for (length, allowed, expected) in [
        (most, most, None),
        (most + 1, most, Some("transport_answer_too_long")),
        (most + 1, most + 1, None),
        (2, 1, Some("transport_answer_too_long")),
    ] {
        let (address, _) = serve(move |_| answer(200, &[], "x".repeat(length))).await;
        let asked = get(format!("http://{address}/")).with_answer_limit(allowed);
        let got = local().build().unwrap().fetch(asked).await;
        assert_eq!(got.err().map(|error| error.code()), expected);
    }
    let asked = get(String::from("http://127.0.0.1/"));
    assert_eq!(asked.most_bytes(), most);
}

/// The code of the error says where it broke: before the request was heard, in what came first, or in the body.
#[tokio::test]
async fn says_where_an_exchange_broke() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    for (answer, expected) in [
        ("nonsense\r\n\r\n", "reqwest_request"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc", "reqwest_body"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut caller, _) = listener.accept().await.unwrap();
            let _ = caller.read(&mut [0; 1024]).await;
            caller.write_all(answer.as_bytes()).await.unwrap();
        });
        assert_eq!(code(local().build().unwrap().fetch(get(url)).await), expected);
    }
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let got = local().build().unwrap().fetch(get(format!("http://{free}/"))).await;
    assert_eq!(code(got), "reqwest_connect");
}

/// The text of the error of an exchange that fails.
async fn failure(builder: TransportBuilder, url: &str) -> String {
    builder.build().unwrap().fetch(get(url)).await.unwrap_err().to_string()
}

#[tokio::test]
async fn a_failure_names_the_host_and_neither_path_nor_query() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let path = "canary?key=canary";
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for scheme in ["http", "https"] {
        let text = failure(local(), &format!("{scheme}://{free}/{path}")).await;
        let expected = format!(
            "transport: {scheme}://{free}: not connected: tcp connect error: Connection refused"
        );
        assert!(text.starts_with(&expected) && !text.contains("canary"), "{text}");
    }
    for at in [free.to_string(), "no.such.name.invalid:1".into()] {
        let proxy = Proxy::new(&format!("http://canary:canary@{at}")).unwrap();
        let proxied = local().with_proxy(proxy.trusting_its_address_filter());
        let text = failure(proxied, &format!("https://login.example/{path}")).await;
        let expected = "transport: https://login.example:443: not connected through the proxy: ";
        assert!(text.starts_with(expected) && !text.contains("canary"), "{text}");
    }
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = silent.local_addr().unwrap();
    let impatient = local().with_deadline(Duration::from_millis(200));
    let late = failure(impatient, &format!("http://{at}/{path}")).await;
    assert_eq!(late, format!("transport: http://{at}: no whole answer in time"));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut caller, _) = listener.accept().await.unwrap();
        let _ = caller.read(&mut [0; 1024]).await;
        let short = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc";
        caller.write_all(short).await.unwrap();
    });
    let short = failure(local(), &format!("http://{at}/{path}")).await;
    assert!(short.starts_with(&format!("transport: http://{at}: ")), "{short}");
    assert!(!short.contains("canary"), "{short}");
}

#[tokio::test]
async fn an_answer_that_never_comes_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let transport = local().with_deadline(Duration::from_millis(200)).build().unwrap();
    let began = Instant::now();
    let got = transport.fetch(get(format!("http://{}/", listener.local_addr().unwrap()))).await;
    assert_eq!(code(got), "reqwest_timeout");
    assert!(began.elapsed() < Duration::from_secs(5));
}

/// A listener that counts: nothing that is denied may connect, however it is written.
#[tokio::test]
async fn denied_addresses_are_never_connected_to() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let transport = ReqwestTransport::builder(Handle::current())
        .with_deadline(Duration::from_secs(2))
        .build()
        .unwrap();
    for host in [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "127.1",
        "2130706433",
        "0x7f.1",
        "0.0.0.0",
    ] {
        for scheme in ["http", "https"] {
            let got = transport.fetch(get(format!("{scheme}://{host}:{port}/"))).await;
            let code = code(got);
            assert!(
                ["transport_denied_address", "transport_plain_http"].contains(&code),
                "{scheme}://{host}: {code}"
            );
        }
    }
    for url in [
        "https://169.254.169.254/",
        "https://10.0.0.1/",
        "https://[fd00:ec2::254]/",
        "https://metadata.google.internal/",
    ] {
        assert_eq!(code(transport.fetch(get(url)).await), "transport_denied_address", "{url}");
    }
    assert!(
        tokio::time::timeout(Duration::from_millis(100), listener.accept()).await.is_err(),
        "somebody connected"
    );
}

#[tokio::test]
async fn plain_http_beyond_loopback_is_refused() {
    assert_eq!(
        code(local().build().unwrap().fetch(get("http://192.0.2.1/")).await),
        "transport_plain_http"
    );
    let far = Proxy::new("http://192.0.2.1:3128").unwrap();
    let through = local().with_proxy(far).build().unwrap();
    assert_eq!(code(through.fetch(get("http://127.0.0.1:9/")).await), "transport_plain_http");
}

/// Two runtimes and a plain thread share one transport, which runs on a third.
#[test]
fn its_flows_can_be_polled_from_anywhere() {
    let own =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (address, _) = own.block_on(serve(|_| answer(200, &[], "ok")));
    let transport =
        ReqwestTransport::builder(own.handle().clone()).allowing_loopback().build().unwrap();
    let url = format!("http://{address}/");
    assert_eq!(transport.fetch(get(&url)).wait().unwrap().body(), b"ok");
    transport.pause(Duration::from_millis(1)).wait().unwrap();
    let other = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(other.block_on(transport.fetch(get(&url))).unwrap().body(), b"ok");
}

#[test]
fn detached_work_is_done_though_nobody_waits() {
    let own =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let transport = ReqwestTransport::builder(own.handle().clone()).build().unwrap();
    let (send, receive) = mpsc::channel();
    let work = Flow::new(async move {
        tokio::task::yield_now().await;
        send.send(42).unwrap();
        Ok(())
    });
    assert!(transport.detach(work).is_none());
    assert_eq!(receive.recv_timeout(Duration::from_secs(5)), Ok(42));
}

/// An exchange that has begun is seen through though its caller is gone: a created session is never lost.
#[test]
fn an_exchange_outlives_its_caller() {
    let own =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (address, log) = own.block_on(serve(|_| answer(200, &[], "ok")));
    let transport =
        ReqwestTransport::builder(own.handle().clone()).allowing_loopback().build().unwrap();
    drop(transport.fetch(get(format!("http://{address}/create"))));
    let began = Instant::now();
    while log.lock().unwrap().is_empty() {
        assert!(
            began.elapsed() < Duration::from_secs(5),
            "the request was dropped with its caller"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}
