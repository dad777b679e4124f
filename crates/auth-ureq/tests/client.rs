//! What the client promises, against real servers on loopback.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

mod common;

use auth_core::{
    Answer, AnswerBodyLimit, Authenticator, Credentials, Event, Flow, Need, Observer, Redirects,
    RequestView, Verdict,
};
use auth_ureq::{AuthClient, Proxy, RequestContent};
use common::{Seen, Session, answer, listen, nobody, seen, serve, tunnel};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use std::{
    io::{Read, Write},
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

fn client() -> AuthClient {
    AuthClient::builder().build().unwrap()
}

fn send(
    request: http::request::Builder,
    content: impl Into<RequestContent>,
) -> Response<ureq::Body> {
    client().send(&Session::default(), request.body(content).unwrap()).unwrap()
}

fn text(mut answer: Response<ureq::Body>) -> String {
    answer.body_mut().read_to_string().unwrap()
}

fn code(client: &AuthClient, request: http::request::Builder) -> &'static str {
    client.send(&Session::default(), request.body(()).unwrap()).unwrap_err().code()
}

#[test]
fn every_attempt_is_authenticated_afresh() {
    let (address, log) = serve(|head| {
        let first = head.headers["session"] == "0";
        answer(if first { 401 } else { 200 }, &[], if first { "no" } else { "7001 is not first" })
    });
    let got = send(Request::post(format!("http://{address}/p?q#fragment")), "text");
    assert_eq!(
        (got.status().as_u16(), seen(&log).len()),
        (200, 4),
        "the body of a 200 was not assessed"
    );
    let expected = (0..4).map(|n| format!("POST /p?q&k=a%2Fb [content-length:4 session:{n}] text"));
    assert_eq!(seen(&log), expected.collect::<Vec<_>>());
    assert_eq!(text(got), "7001 is not first", "what was read is delivered");
}

#[test]
fn what_is_read_as_it_is_sent_is_sent_once() {
    for (status, location) in [(401, ""), (307, "/again"), (303, "/again")] {
        let (address, log) = serve(move |_| answer(status, &[("location", location)], "no"));
        let got =
            send(Request::post(format!("http://{address}/")), RequestContent::reader(&b"ab"[..]));
        assert_eq!((got.status().as_u16(), text(got).as_str()), (status, "no"));
        assert_eq!(seen(&log), ["POST /?k=a%2Fb [session:0 transfer-encoding:chunked] ab"]);
    }
}

/// RFC 9110 section 8.6.
#[test]
fn no_content_has_a_length_only_where_one_is_expected() {
    let (address, log) = serve(|_| answer(200, &[], ""));
    for method in ["GET", "HEAD", "DELETE", "OPTIONS", "PROPFIND"] {
        send(Request::builder().method(method).uri(format!("http://{address}/")), ());
        assert_eq!(seen(&log).pop().unwrap(), format!("{method} /?k=a%2Fb [session:0] "));
    }
    for method in ["POST", "PUT", "PATCH"] {
        send(Request::builder().method(method).uri(format!("http://{address}/")), ());
        let expected = format!("{method} /?k=a%2Fb [content-length:0 session:0] ");
        assert_eq!(seen(&log).pop().unwrap(), expected);
    }
}

#[test]
fn a_long_answer_arrives_whole_though_the_scheme_reads_its_beginning() {
    let long = "x".repeat(1 << 20);
    let body = long.clone();
    let (address, _) = serve(move |_| answer(200, &[("x-plain", "kept")], body.clone()));
    let got = send(Request::get(format!("http://{address}/")), ());
    assert_eq!(got.headers()["x-plain"], "kept");
    assert_eq!(text(got), long);
}

/// Shows a scheme what it asks for.
struct Asks(Need, Mutex<String>);

impl Authenticator for Asks {
    fn needs(&self, _: RequestView<'_>) -> Need {
        self.0
    }

    fn credentials<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Credentials> {
        *self.1.lock().unwrap() = format!("{:?}", request.body);
        Flow::ready(Credentials::none())
    }
}

#[test]
fn a_scheme_sees_of_the_body_what_it_needs() {
    let (address, _) = serve(|_| answer(200, &[], ""));
    for (need, expected) in
        [(Need::Nothing, "Unread"), (Need::Bytes { limit: 9 }, "Bytes(4 bytes)")]
    {
        let scheme = Asks(need, Mutex::default());
        let request = Request::post(format!("http://{address}/")).body("text").unwrap();
        client().send(&scheme, request).unwrap();
        assert_eq!(*scheme.1.lock().unwrap(), expected);
        let request = Request::post(format!("http://{address}/"));
        client()
            .send(&scheme, request.body(RequestContent::reader(&b"text"[..])).unwrap())
            .unwrap();
        assert_eq!(*scheme.1.lock().unwrap(), "Unread", "what is still to be read was read");
    }
}

/// Two listeners: nothing that was meant for the first reaches the second, whatever its name.
#[test]
fn credentials_stay_on_their_origin_across_redirects() {
    let (second, at_second) = serve(|_| answer(200, &[], "there"));
    for status in [301, 302, 303, 307, 308] {
        let to = format!("http://{second}/landing");
        let (first, at_first) = serve(move |head| match head.uri.path() {
            "/same" => answer(status, &[("location", &to)], ""),
            _ => answer(status, &[("location", "/same")], ""),
        });
        let mut secret = HeaderValue::from_static("typed");
        secret.set_sensitive(true);
        let request = Request::post(format!("http://{first}/"))
            .header("secret", secret)
            .header("x-plain", "p")
            .header("cookie", "c=1")
            .header("authorization", "typed too")
            .header("content-type", "text/plain");
        assert_eq!(text(send(request, "text")), "there");
        let kept = status > 304;
        let (method, body) = if kept { ("POST", "text") } else { ("GET", "") };
        let (length, kind) =
            if kept { ("content-length:4 ", "content-type:text/plain ") } else { ("", "") };
        let mine = "cookie:c=1 secret:typed session";
        let typed = "authorization:typed too";
        assert_eq!(
            seen(&at_first),
            [
                format!(
                    "POST /?k=a%2Fb [{typed} content-length:4 content-type:text/plain {mine}:0 x-plain:p] text"
                ),
                format!("{method} /same?k=a%2Fb [{typed} {length}{kind}{mine}:1 x-plain:p] {body}"),
            ],
            "a hop on the same origin is authenticated afresh"
        );
        let arrived = std::mem::take(&mut *at_second.lock().unwrap());
        let expected = format!("{method} /landing [{length}{kind}x-plain:p] {body}");
        assert_eq!(arrived, [expected], "after a {status}");
    }
}

#[test]
fn a_way_back_home_is_not_authenticated() {
    let home: &'static Mutex<String> = Box::leak(Box::default());
    let (away, at_away) = serve(move |_| answer(302, &[("location", &home.lock().unwrap())], ""));
    let (address, at_home) = serve(move |head| match head.uri.path() {
        "/back" => answer(200, &[], "home"),
        _ => answer(302, &[("location", &format!("http://{away}/"))], ""),
    });
    *home.lock().unwrap() = format!("http://{address}/back");
    assert_eq!(text(send(Request::get(format!("http://{address}/")), ())), "home");
    assert_eq!(seen(&at_away), ["GET / [] "]);
    assert_eq!(
        seen(&at_home),
        ["GET /?k=a%2Fb [session:0] ", "GET /back [] "],
        "another origin chose the target of an authenticated request"
    );
}

#[test]
fn an_endless_redirect_ends() {
    let (address, log) = serve(|_| answer(302, &[("location", "/")], ""));
    let code = code(&client(), Request::get(format!("http://{address}/")));
    assert_eq!((code, seen(&log).len()), ("client_redirects", Redirects::MOST));
}

#[test]
fn a_redirect_to_where_nothing_may_go_is_delivered_and_not_followed() {
    for location in
        ["ftp://127.0.0.1/", "http://user:password@127.0.0.1/", "javascript:0", "http://", "/a b"]
    {
        let (address, log) = serve(move |_| answer(302, &[("location", location)], "moved"));
        let got = send(Request::get(format!("http://{address}/")), ());
        assert_eq!((got.status().as_u16(), seen(&log).len()), (302, 1), "{location}");
        assert_eq!(text(got), "moved");
    }
}

#[test]
fn credentials_are_not_sent_in_the_clear() {
    assert_eq!(code(&client(), Request::get("http://192.0.2.1/")), "client_plain_http");
    assert_eq!(code(&client(), Request::get("http://user@127.0.0.1/")), "origin_user");
    assert_eq!(code(&client(), Request::get("/")), "origin_scheme");
}

#[test]
fn nobody_there_is_a_transport_error_that_shows_no_url() {
    let free = nobody();
    let request = Request::get(format!("http://{free}/?apikey=canary")).body(()).unwrap();
    let error = client().send(&Session::default(), request).unwrap_err();
    assert_eq!(error.code(), "ureq_connect");
    assert!(error.is_not_sent());
    assert!(error.to_string().starts_with(&format!("transport: http://{free}: not connected: ")));
    assert!(!format!("{error} {error:?}").contains("canary"));
}

#[derive(Clone, Default)]
struct Log(Seen);

impl Observer for Log {
    fn observe(&self, event: Event<'_>) {
        self.0.lock().unwrap().push(match event {
            Event::Failed(error) => error.code().to_owned(),
            Event::Retried => String::from("retried"),
            _ => String::from("else"),
        });
    }
}

#[test]
fn the_observer_hears_of_retries_and_failures() {
    let log = Log::default();
    let client = AuthClient::builder().with_observer(log.clone()).build().unwrap();
    let (address, _) =
        serve(|head| answer(if head.headers["session"] == "0" { 401 } else { 200 }, &[], ""));
    let request = Request::get(format!("http://{address}/")).body(()).unwrap();
    client.send(&Session::default(), request).unwrap();
    assert_eq!(code(&client, Request::get(format!("http://{}/", nobody()))), "ureq_connect");
    assert_eq!(seen(&log.0), ["retried", "ureq_connect"]);
}

/// Neither an answer that never comes nor one that comes a byte at a time outlasts the limit.
#[test]
fn an_attempt_is_given_up_at_its_limit() {
    let client = AuthClient::builder().with_timeout(Duration::from_millis(200)).build().unwrap();
    for beginning in ["", "HTTP/1.1 200 OK\r\ncontent-length: 60\r\n\r\n"] {
        let silent = beginning.is_empty();
        let address = listen(move |mut caller| {
            caller.write_all(beginning.as_bytes()).unwrap();
            let given_up = Instant::now() + Duration::from_secs(3);
            while Instant::now() < given_up && (silent || caller.write_all(b"x").is_ok()) {
                thread::sleep(Duration::from_millis(20));
            }
        });
        let began = Instant::now();
        assert_eq!(code(&client, Request::get(format!("http://{address}/"))), "ureq_timeout");
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    }
}

#[test]
fn a_proxy_gets_its_own_credentials_and_the_server_does_not() {
    let (proxy, at_proxy) = tunnel();
    let proxy = Proxy::new(&format!("http://pu:pp@{proxy}")).unwrap();
    let client = AuthClient::builder().with_proxy(proxy).build().unwrap();
    let request = Request::get("http://127.0.0.1:9/x").body(()).unwrap();
    assert_eq!(text(client.send(&Session::default(), request).unwrap()), "hello");
    let [to_proxy, to_server] = seen(&at_proxy).try_into().unwrap();
    assert!(to_proxy.starts_with("connect 127.0.0.1:9 "), "{to_proxy}");
    assert!(
        to_proxy
            .contains("\r\nproxy-authorization: basic chu6chA=\r\n".to_ascii_lowercase().as_str()),
        "{to_proxy}"
    );
    assert!(!to_proxy.contains("session"), "{to_proxy}");
    assert!(to_server.starts_with("get /x?k=a%2fb "), "{to_server}");
    assert!(to_server.contains("\r\nsession: 0\r\n"), "{to_server}");
    assert!(!to_server.contains("proxy-authorization"), "{to_server}");
}

#[test]
fn a_proxy_is_told_a_name_and_not_asked_for_exceptions() {
    let (address, at_proxy) = tunnel();
    let (server, _) = serve(|_| answer(200, &[], "straight"));
    let proxy = || Proxy::new(&format!("http://{address}")).unwrap();
    let ask = |proxy: Proxy| {
        let client = AuthClient::builder().with_proxy(proxy).build().unwrap();
        let request = Request::get(format!("http://localhost:{}/", server.port())).body(());
        let got = text(client.send(&Session::default(), request.unwrap()).unwrap());
        (got, std::mem::take(&mut *at_proxy.lock().unwrap()).first().cloned().unwrap_or_default())
    };
    let (got, told) = ask(proxy());
    assert!(got == "hello" && told.starts_with("connect localhost:"), "{got} {told}");
    assert_eq!(ask(proxy().with_exception("localhost")), ("straight".into(), String::new()));
}

/// What ureq would do by itself, were it not told otherwise.
#[test]
fn no_proxy_is_taken_from_the_environment() {
    let nowhere = format!("http://{}", nobody());
    let mut again = Command::new(std::env::current_exe().unwrap());
    again.args(["--exact", "goes_straight_there", "--ignored"]);
    for name in ["ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"] {
        again.env(name, &nowhere);
    }
    let ran = again.output().unwrap();
    let said = String::from_utf8(ran.stdout).unwrap();
    assert!(ran.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
#[ignore = "run by another test, with proxies in its environment"]
fn goes_straight_there() {
    assert!(ureq::Proxy::try_from_env().is_some(), "there is nothing to be ignored");
    let (address, _) = serve(|_| answer(200, &[], "straight"));
    assert_eq!(text(send(Request::get(format!("http://{address}/")), ())), "straight");
    let transport = auth_ureq::UreqTransport::builder().allowing_loopback().build().unwrap();
    let request = Request::get(format!("http://{address}/")).body(Vec::new()).unwrap();
    let got = auth_core::Transport::fetch(&transport, request.into()).wait().unwrap();
    assert_eq!(got.body(), b"straight");
}

/// ureq keeps the settings of one request in its extensions; these would undo what the client promises.
#[test]
fn settings_that_travel_with_a_request_are_not_heard() {
    let (address, log) = serve(|head| match head.uri.path() {
        "/" => answer(302, &[("location", "/next")], ""),
        _ => answer(500, &[], "broken"),
    });
    let request = Request::get(format!("http://{address}/")).body("").unwrap();
    let configured = ureq::Agent::new_with_defaults().configure_request(request).build();
    let got = client().send(&Session::default(), configured).unwrap();
    assert_eq!(got.status(), 500, "ureq judged the status");
    assert_eq!(
        seen(&log),
        ["GET /?k=a%2Fb [session:0] ", "GET /next?k=a%2Fb [session:1] "],
        "ureq followed the redirect"
    );
}

#[test]
fn a_client_is_shared_by_threads() {
    let (address, log) = serve(|_| answer(200, &[], ""));
    let (client, session) = (client(), Arc::new(Session::default()));
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let request = Request::get(format!("http://{address}/")).body(()).unwrap();
                client.send(&session, request).unwrap();
            });
        }
    });
    let mut sent = seen(&log);
    sent.sort();
    let expected: Vec<_> = (0..8).map(|n| format!("GET /?k=a%2Fb [session:{n}] ")).collect();
    assert_eq!(sent, expected);
}

#[test]
fn a_field_that_the_caller_took_is_an_error_before_anything_is_sent() {
    let (address, log) = serve(|_| answer(200, &[], ""));
    let request = Request::get(format!("http://{address}/"))
        .header(HeaderName::from_static("session"), "typed");
    assert_eq!(code(&client(), request), "credentials_header_taken");
    assert!(seen(&log).is_empty());
}

/// An event stream, a long poll: it begins, and its end does not come.
#[test]
fn an_endless_answer_is_delivered_though_the_scheme_asks_for_its_body() {
    let address = listen(|mut caller| {
        let mut head = [0; 1024];
        let _ = caller.read(&mut head).unwrap();
        let begun = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\n7001\r\n";
        caller.write_all(begun).unwrap();
        std::mem::forget(caller);
    });
    let (send, receive) = std::sync::mpsc::channel();
    thread::spawn(move || {
        let request = Request::get(format!("http://{address}/")).body(()).unwrap();
        let got = client().send(&Session::default(), request).unwrap();
        let mut begun = [0; 4];
        got.into_body().into_reader().read_exact(&mut begun).unwrap();
        send.send(begun).unwrap();
    });
    let got = receive.recv_timeout(AnswerBodyLimit::PATIENCE * 3);
    assert_eq!(got.as_ref(), Ok(b"7001"), "the caller waits for an answer without an end");
}

/// What follows belongs to another protocol: it is not waited for, and shown to no scheme.
#[test]
fn a_switch_of_protocols_is_delivered_at_once_though_the_scheme_asks_for_its_body() {
    let begun = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&begun);
    let address = listen(move |mut caller| {
        count.fetch_add(1, Ordering::SeqCst);
        let mut head = [0; 1024];
        let _ = caller.read(&mut head).unwrap();
        let switched =
            "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n7001";
        caller.write_all(switched.as_bytes()).unwrap();
        std::mem::forget(caller);
    });
    let (send, receive) = std::sync::mpsc::channel();
    let began = Instant::now();
    thread::spawn(move || {
        let request = Request::get(format!("http://{address}/"))
            .header("connection", "upgrade")
            .header("upgrade", "echo");
        let scheme = Bodies::default();
        let got = client().send(&scheme, request.body(()).unwrap()).unwrap();
        send.send((got.status().as_u16(), scheme.0.into_inner().unwrap())).unwrap();
    });
    let got = receive.recv_timeout(AnswerBodyLimit::PATIENCE * 3);
    assert_eq!(got, Ok((101, vec![false])), "the caller waits, or the scheme saw a body");
    assert!(began.elapsed() < AnswerBodyLimit::PATIENCE, "{:?}", began.elapsed());
    assert_eq!(begun.load(Ordering::SeqCst), 1);
}

/// Asks for the body of each answer, and notes whether it was shown one.
#[derive(Default)]
struct Bodies(Mutex<Vec<bool>>);

impl Authenticator for Bodies {
    fn credentials<'a>(&'a self, _: RequestView<'a>) -> Flow<'a, Credentials> {
        Flow::ready(Credentials::none())
    }

    fn reads(&self, _: StatusCode, _: &HeaderMap) -> Need {
        Need::Bytes { limit: 64 }
    }

    fn assess(&self, _: &Credentials, answer: Answer<'_>) -> Verdict {
        self.0.lock().unwrap().push(answer.body.is_some());
        Verdict::Accept
    }
}

/// Without a length, as many servers send what they make as they go.
#[test]
fn an_answer_of_unknown_size_is_assessed_when_it_ends() {
    let begun = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&begun);
    let address = listen(move |mut caller| {
        count.fetch_add(1, Ordering::SeqCst);
        let mut head = [0; 1024];
        let _ = caller.read(&mut head).unwrap();
        let answer = "HTTP/1.1 200 OK\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n2\r\n70\r\n2\r\n01\r\n0\r\n\r\n";
        caller.write_all(answer.as_bytes()).unwrap();
    });
    assert_eq!(text(send(Request::get(format!("http://{address}/")), ())), "7001");
    assert_eq!(begun.load(Ordering::SeqCst), 4);
}

/// Loopback is the proxy's there, and what goes to it in the clear leaves this machine.
#[test]
fn credentials_for_loopback_are_not_sent_in_the_clear_to_a_proxy_on_another_machine() {
    for url in ["http://127.0.0.1:9/", "http://localhost/", "http://[::1]/"] {
        let proxied = Proxy::new("http://192.0.2.1:3128").unwrap();
        let client = AuthClient::builder().with_proxy(proxied);
        let client = client.with_connect_timeout(Duration::from_millis(200)).build().unwrap();
        assert_eq!(code(&client, Request::get(url)), "client_plain_http", "{url}");
    }
}
