//! What the hardened transport promises, against real servers on loopback.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

mod common;

use auth_core::{Error, Exchange, Flow, Transport as _};
use auth_ureq::{Proxy, TransportBuilder, UreqTransport};
use common::{answer, listen, nobody, seen, serve, tunnel};
use http::Request;
use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

fn local() -> TransportBuilder {
    UreqTransport::builder().allowing_loopback()
}

fn get(url: impl AsRef<str>) -> Exchange {
    Request::get(url.as_ref()).body(Vec::new()).unwrap().into()
}

#[track_caller]
fn code<T>(result: Result<T, Error>) -> &'static str {
    result.map(|_| ()).unwrap_err().code()
}

fn fetched(builder: TransportBuilder, url: impl AsRef<str>) -> &'static str {
    code(builder.build().unwrap().fetch(get(url)).wait())
}

#[test]
fn an_answer_of_any_status_is_an_answer() {
    let (address, log) = serve(|_| answer(418, &[("x-plain", "1")], "teapot"));
    let request = Request::post(format!("http://{address}/token")).body(b"grant".to_vec()).unwrap();
    let got = local().build().unwrap().fetch(request.into()).wait().unwrap();
    assert_eq!((got.status().as_u16(), got.headers()["x-plain"].to_str().unwrap()), (418, "1"));
    assert_eq!(got.body(), b"teapot");
    assert_eq!(seen(&log), ["POST /token [content-length:5] grant"]);
}

/// Some servers answer 411 to a POST that does not say how long its body is, though it has none.
#[test]
fn an_empty_body_is_said_to_be_empty_where_the_method_has_bodies() {
    let (address, log) = serve(|_| answer(200, &[], ""));
    let transport = local().build().unwrap();
    for method in ["POST", "PUT", "PATCH"] {
        let request = Request::builder().method(method).uri(format!("http://{address}/"));
        transport.fetch(request.body(Vec::new()).unwrap().into()).wait().unwrap();
    }
    let expected = ["POST", "PUT", "PATCH"].map(|method| format!("{method} / [content-length:0] "));
    assert_eq!(seen(&log), expected);
}

#[test]
fn redirects_are_answers_and_not_followed() {
    let (address, log) = serve(|_| answer(307, &[("location", "/elsewhere")], "moved"));
    let got = local().build().unwrap().fetch(get(format!("http://{address}/"))).wait().unwrap();
    assert_eq!((got.status().as_u16(), seen(&log).len()), (307, 1));
    assert_eq!(got.body(), b"moved");
}

#[test]
fn an_answer_too_long_is_an_error_and_never_cut() {
    let most = Exchange::MOST_BYTES;
    for (length, allowed, expected) in [
        (most, most, None),
        (most + 1, most, Some("transport_answer_too_long")),
        (most + 1, most + 1, None),
        (2, 1, Some("transport_answer_too_long")),
        (0, 0, None),
    ] {
        let (address, _) = serve(move |_| answer(200, &[], "x".repeat(length)));
        let asked = get(format!("http://{address}/")).with_answer_limit(allowed);
        let got = local().build().unwrap().fetch(asked).wait();
        assert_eq!(got.as_ref().err().map(Error::code), expected);
        assert!(got.is_err() || got.unwrap().body().len() == length);
    }
}

/// The code of the error says where it broke: before the request was heard, in what came first, or in the body.
#[test]
fn says_where_an_exchange_broke() {
    for (answer, expected) in [
        ("nonsense\r\n\r\n", "ureq_request"),
        ("", "ureq_request"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc", "ureq_body"),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", "ureq_body"),
    ] {
        let address = listen(move |mut caller| {
            let _ = caller.read(&mut [0; 1024]);
            caller.write_all(answer.as_bytes()).unwrap();
        });
        assert_eq!(fetched(local(), format!("http://{address}/")), expected, "{answer:?}");
    }
    let lost = listen(|mut caller| drop(caller.read(&mut [0; 1024])));
    let unsent = |address| {
        let asked = get(format!("http://{address}/"));
        local().build().unwrap().fetch(asked).wait().unwrap_err().is_not_sent()
    };
    assert_eq!([unsent(lost), unsent(nobody())], [false, true]);
    assert_eq!(fetched(local(), format!("http://{}/", nobody())), "ureq_connect");
    assert_eq!(fetched(local(), format!("https://{}/", nobody())), "ureq_connect");
}

/// The text of the error of an exchange that fails.
#[track_caller]
fn failure(builder: TransportBuilder, url: &str) -> String {
    builder.build().unwrap().fetch(get(url)).wait().unwrap_err().to_string()
}

#[test]
fn a_failure_names_the_host_and_neither_path_nor_query() {
    let path = "canary?key=canary";
    let free = nobody();
    for scheme in ["http", "https"] {
        let text = failure(local(), &format!("{scheme}://{free}/{path}"));
        let expected =
            format!("transport: {scheme}://{free}: not connected: io: Connection refused");
        assert!(text.starts_with(&expected) && !text.contains("canary"), "{text}");
    }
    for at in [free.to_string(), "no.such.name.invalid:1".into()] {
        let proxy = Proxy::new(&format!("http://canary:canary@{at}")).unwrap();
        let proxied = local().with_proxy(proxy.trusting_its_address_filter());
        let text = failure(proxied, &format!("https://login.example/{path}"));
        let expected =
            "transport: https://login.example:443: not connected through the proxy: io: ";
        assert!(text.starts_with(expected) && !text.contains("canary"), "{text}");
    }
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = silent.local_addr().unwrap();
    let late =
        failure(local().with_deadline(Duration::from_millis(200)), &format!("http://{at}/{path}"));
    assert_eq!(late, format!("transport: http://{at}: no whole answer in time (limit: global)"));
    let at = listen(|mut caller| {
        let _ = caller.read(&mut [0; 1024]);
        caller.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc").unwrap();
    });
    let short = failure(local(), &format!("http://{at}/{path}"));
    assert!(short.starts_with(&format!("transport: http://{at}: ")), "{short}");
    assert!(!short.contains("canary"), "{short}");
}

/// Silence, and answers that come a byte at a time: in the head, in the body, in the handshake, from a proxy.
#[test]
fn an_exchange_is_given_up_at_its_deadline() {
    for (scheme, beginning) in [
        ("http", ""),
        ("http", "HTTP/1.1 200 OK\r\nx-plain: "),
        ("http", "HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n"),
        ("http", "HTTP/1.1 200 OK\r\n\r\n"),
        ("https", ""),
        ("https", "\u{16}\u{3}\u{3}\u{40}\u{0}"),
        ("proxy", ""),
        ("proxy", "HTTP/1.1 200 OK\r\nx-plain: "),
    ] {
        let silent = beginning.is_empty();
        let address = listen(move |mut caller| {
            caller.write_all(beginning.as_bytes()).unwrap();
            let given_up = Instant::now() + Duration::from_secs(3);
            while Instant::now() < given_up && (silent || caller.write_all(b"x").is_ok()) {
                thread::sleep(Duration::from_millis(20));
            }
        });
        let began = Instant::now();
        let builder = local().with_deadline(Duration::from_millis(300));
        let code = if scheme == "proxy" {
            let proxy = Proxy::new(&format!("http://{address}")).unwrap();
            let proxy = proxy.trusting_its_address_filter();
            fetched(builder.with_proxy(proxy), "https://api.example.com/")
        } else {
            fetched(builder, format!("{scheme}://{address}/"))
        };
        assert_eq!(code, "ureq_timeout", "{scheme} {beginning:?}");
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    }
}

/// A listener that counts: nothing that is denied may connect, however it is written.
#[test]
fn denied_addresses_are_never_connected_to() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let transport = UreqTransport::builder().with_deadline(Duration::from_secs(2)).build().unwrap();
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
            let code = code(transport.fetch(get(format!("{scheme}://{host}:{port}/"))).wait());
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
        assert_eq!(code(transport.fetch(get(url)).wait()), "transport_denied_address", "{url}");
    }
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err(), "somebody connected");
}

#[test]
fn plain_http_beyond_loopback_is_refused() {
    assert_eq!(fetched(local(), "http://192.0.2.1/"), "transport_plain_http");
    let allowed = || ["192.0.2.1/32"].into_iter().collect::<Vec<_>>();
    let private = auth_net::AddressList::new(allowed()).unwrap();
    assert_eq!(
        fetched(local().allowing_addresses(private), "http://192.0.2.1/"),
        "transport_plain_http"
    );
    let far = Proxy::new("http://192.0.2.1:3128").unwrap();
    assert_eq!(fetched(local().with_proxy(far), "http://127.0.0.1:9/"), "transport_plain_http");
}

/// The proxy's own address was chosen by the program that configured it. A target that is an address stays filtered.
#[test]
fn a_proxy_may_be_anywhere_and_opens_nothing_else() {
    let (address, at_proxy) = tunnel();
    let proxy = || Proxy::new(&format!("http://localhost:{}", address.port())).unwrap();
    let named = fetched(UreqTransport::builder().with_proxy(proxy()), "https://api.example.com/");
    assert_eq!(named, "transport_proxy_resolves");
    let through = UreqTransport::builder().with_proxy(proxy().trusting_its_address_filter());
    // Behind this proxy is nobody who speaks TLS.
    let url = "https://api.example.com/token";
    let deadline = Duration::from_millis(500);
    let broke = fetched(through.with_deadline(deadline), url);
    assert!(broke == "ureq_timeout" || broke == "ureq_connect", "{broke}");
    let told = seen(&at_proxy);
    assert!(told[0].starts_with("connect api.example.com:443 "), "{told:?}");
    let through = UreqTransport::builder().with_proxy(proxy());
    assert_eq!(fetched(through, "https://10.0.0.1/"), "transport_denied_address");
    assert_eq!(seen(&at_proxy), told, "the proxy was asked for what is denied");
}

#[test]
fn a_proxy_that_gives_no_tunnel_says_so_and_is_told_nothing_more() {
    for (answer, expected) in [
        ("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "proxy answered 407"),
        ("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1/\r\n\r\n", "proxy answered 302"),
        ("nonsense\r\n\r\n", "is not http"),
        (&format!("HTTP/1.1 200 OK\r\nx-plain: {}", "x".repeat(20_000)), "before its end"),
        ("HTTP/1.1 200 OK\r\n", "io:"),
    ] {
        let answer = answer.to_owned();
        let (send, receive) = mpsc::channel();
        let address = listen(move |mut caller| {
            let _ = caller.read(&mut [0; 1024]);
            let _ = caller.write_all(answer.as_bytes());
            let _ = caller.shutdown(Shutdown::Write);
            let mut more = Vec::new();
            let _ = caller.read_to_end(&mut more);
            send.send(more).unwrap();
        });
        let proxy = Proxy::new(&format!("http://{address}")).unwrap();
        let proxy = proxy.trusting_its_address_filter();
        let transport = UreqTransport::builder().with_proxy(proxy).build().unwrap();
        let error = transport.fetch(get("https://api.example.com/")).wait().unwrap_err();
        assert_eq!(error.code(), "ureq_connect");
        let place = "transport: https://api.example.com:443: not connected through the proxy: ";
        assert!(error.to_string().starts_with(place), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(receive.recv_timeout(Duration::from_secs(5)).unwrap(), b"");
    }
}

/// A plain thread waits and a runtime polls. The server runs on the one thread of that runtime: were the poll to block,
/// the answer would never come.
#[test]
fn its_flows_can_be_polled_from_anywhere() {
    let transport = local().with_deadline(Duration::from_secs(5)).build().unwrap();
    let (address, _) = serve(|_| answer(200, &[], "ok"));
    assert_eq!(transport.fetch(get(format!("http://{address}/"))).wait().unwrap().body(), b"ok");
    transport.pause(Duration::from_millis(1)).wait().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = axum::Router::new().fallback(|| async { "same thread" });
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        let pause = transport.pause(Duration::from_millis(1));
        let got = transport.fetch(get(format!("http://{address}/"))).await.unwrap();
        assert_eq!(got.body(), b"same thread");
        pause.await.unwrap();
    });
}

#[test]
fn a_pause_takes_its_time_and_blocks_nobody_who_polls() {
    let (transport, began) = (local().build().unwrap(), Instant::now());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let long = transport.pause(Duration::from_secs(60));
        assert!(tokio::time::timeout(Duration::from_millis(20), long).await.is_err());
    });
    transport.pause(Duration::from_millis(50)).wait().unwrap();
    let took = began.elapsed();
    assert!((Duration::from_millis(70)..Duration::from_secs(5)).contains(&took), "{took:?}");
}

#[test]
fn work_to_detach_is_given_back_whole() {
    let transport = local().build().unwrap();
    let work = Flow::new(async { Ok(()) });
    assert!(transport.detach(work).expect("kept").wait().is_ok());
}

/// An exchange that has begun is seen through though its caller is gone: a created session is never lost.
#[test]
fn an_exchange_outlives_its_caller() {
    let (address, log) = serve(|_| answer(200, &[], "ok"));
    let transport = local().build().unwrap();
    drop(transport.fetch(get(format!("http://{address}/create"))));
    drop(transport);
    let began = Instant::now();
    while seen(&log).is_empty() {
        let waited = began.elapsed();
        assert!(waited < Duration::from_secs(5), "the request was dropped with its caller");
        thread::sleep(Duration::from_millis(5));
    }
}
