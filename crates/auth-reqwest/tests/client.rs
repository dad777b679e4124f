//! What the client promises, against real servers on loopback.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

mod common;

use auth_core::{
    Answer, AnswerBodyLimit, Authenticator, Credentials, Flow, Need, Redirects, RequestView,
    Verdict,
};
use auth_reqwest::{AuthClient, Proxy};
use common::{Seen, Session, answer, serve};
use http_body_util::BodyExt;
use reqwest::{
    Body, StatusCode,
    header::{HeaderMap, HeaderValue},
};
use std::sync::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn client() -> AuthClient {
    AuthClient::new().unwrap()
}

fn seen(seen: &Seen) -> Vec<String> {
    seen.lock().unwrap().clone()
}

#[tokio::test]
async fn every_attempt_is_authenticated_afresh() {
    let (address, log) = serve(|head| {
        let first = head.headers["session"] == "0";
        answer(if first { 401 } else { 200 }, &[], if first { "no" } else { "7001 is not first" })
    })
    .await;
    let request = client()
        .http()
        .post(format!("http://{address}/p?q#fragment"))
        .body("text")
        .build()
        .unwrap();
    let got = client().send(&Session::default(), request).await.unwrap();
    assert_eq!(
        (got.status().as_u16(), seen(&log).len()),
        (200, 4),
        "the body of a 200 was not assessed"
    );
    let expected = (0..4).map(|n| format!("POST /p?q&k=a%2Fb [session:{n}] text"));
    assert_eq!(seen(&log), expected.collect::<Vec<_>>());
    assert_eq!(got.text().await.unwrap(), "7001 is not first", "what was read is delivered");
}

/// The builder of a request needs no `build`, and says what was wrong with it where it makes none.
#[tokio::test]
async fn the_builder_of_a_request_is_sent_as_the_request() {
    let (address, log) = serve(|_| answer(200, &[], "yes")).await;
    let (client, session) = (client(), Session::default());
    let builder = client.http().get(format!("http://{address}/p"));
    assert_eq!(client.send(&session, builder).await.unwrap().status(), 200);
    assert_eq!(seen(&log), ["GET /p?k=a%2Fb [session:0] "]);
    let of_http = http::Request::get(format!("http://{address}/p")).body("").unwrap();
    assert_eq!(client.send(&session, of_http).await.unwrap().status(), 200);
    let wrong = client.http().get(format!("http://{address}/")).header("a b", "c");
    let error = client.send(&session, wrong).await.unwrap_err();
    assert_eq!((error.code(), seen(&log).len()), ("reqwest_builder", 2));
}

#[tokio::test]
async fn a_stream_is_sent_once() {
    let (address, log) = serve(|_| answer(401, &[], "no")).await;
    let body =
        Body::wrap_stream(futures_util::stream::iter([Ok::<_, std::io::Error>("a"), Ok("b")]));
    let request = client().http().post(format!("http://{address}/")).body(body).build().unwrap();
    let got = client().send(&Session::default(), request).await.unwrap();
    assert_eq!((got.status().as_u16(), got.text().await.unwrap().as_str()), (401, "no"));
    assert_eq!(seen(&log), ["POST /?k=a%2Fb [session:0] ab"]);
}

#[tokio::test]
async fn a_long_answer_arrives_whole_though_the_scheme_reads_its_beginning() {
    let long = "x".repeat(1 << 20);
    let body = long.clone();
    let (address, _) = serve(move |_| answer(200, &[("x-plain", "kept")], body.clone())).await;
    let request = client().http().get(format!("http://{address}/")).build().unwrap();
    let got = client().send(&Session::default(), request).await.unwrap();
    assert_eq!(got.headers()["x-plain"], "kept");
    assert_eq!(got.url().path(), "/");
    assert_eq!(got.text().await.unwrap(), long);
}

/// Two listeners: nothing that was meant for the first reaches the second, whatever its name.
#[tokio::test]
async fn credentials_stay_on_their_origin_across_redirects() {
    let (second, at_second) = serve(|_| answer(200, &[], "there")).await;
    for status in [301, 302, 303, 307, 308] {
        let to = format!("http://{second}/landing");
        let (first, at_first) = serve(move |head| match head.uri.path() {
            "/same" => answer(status, &[("location", &to)], ""),
            _ => answer(status, &[("location", "/same")], ""),
        })
        .await;
        let mut secret = HeaderValue::from_static("typed");
        secret.set_sensitive(true);
        let request = client()
            .http()
            .post(format!("http://{first}/"))
            .headers(
                [
                    ("secret".parse().unwrap(), secret),
                    ("x-plain".parse().unwrap(), "p".parse().unwrap()),
                ]
                .into_iter()
                .collect(),
            )
            .header("cookie", "c=1")
            .body("text")
            .build()
            .unwrap();
        let got = client().send(&Session::default(), request).await.unwrap();
        assert_eq!(got.text().await.unwrap(), "there");
        let (method, body) = if status < 304 { ("GET", "") } else { ("POST", "text") };
        let mine = "cookie:c=1 secret:typed session";
        assert_eq!(
            seen(&at_first),
            [
                format!("POST /?k=a%2Fb [{mine}:0 x-plain:p] text"),
                format!("{method} /same?k=a%2Fb [{mine}:1 x-plain:p] {body}"),
            ],
            "a hop on the same origin is authenticated afresh"
        );
        let arrived = std::mem::take(&mut *at_second.lock().unwrap());
        assert_eq!(arrived, [format!("{method} /landing [x-plain:p] {body}")], "after a {status}");
    }
}

#[tokio::test]
async fn a_way_back_home_is_not_authenticated() {
    let home: &'static Mutex<String> = Box::leak(Box::default());
    let (away, at_away) =
        serve(move |_| answer(302, &[("location", &home.lock().unwrap())], "")).await;
    let (address, at_home) = serve(move |head| match head.uri.path() {
        "/back" => answer(200, &[], "home"),
        _ => answer(302, &[("location", &format!("http://{away}/"))], ""),
    })
    .await;
    *home.lock().unwrap() = format!("http://{address}/back");
    let request = client().http().get(format!("http://{address}/")).build().unwrap();
    let got = client().send(&Session::default(), request).await.unwrap();
    assert_eq!(got.text().await.unwrap(), "home");
    assert_eq!(seen(&at_away), ["GET / [] "]);
    assert_eq!(
        seen(&at_home),
        ["GET /?k=a%2Fb [session:0] ", "GET /back [] "],
        "another origin chose the target of an authenticated request"
    );
}

#[tokio::test]
async fn an_endless_redirect_ends() {
    let (address, log) = serve(|_| answer(302, &[("location", "/")], "")).await;
    let request = client().http().get(format!("http://{address}/")).build().unwrap();
    let error = client().send(&Session::default(), request).await.unwrap_err();
    assert_eq!((error.code(), seen(&log).len()), ("client_redirects", Redirects::MOST));
}

#[tokio::test]
async fn a_redirect_to_where_nothing_may_go_is_delivered_and_not_followed() {
    for location in
        ["ftp://127.0.0.1/", "http://user:password@127.0.0.1/", "javascript:0", "http://"]
    {
        let (address, log) = serve(move |_| answer(302, &[("location", location)], "moved")).await;
        let request = client().http().get(format!("http://{address}/")).build().unwrap();
        let got = client().send(&Session::default(), request).await.unwrap();
        assert_eq!((got.status().as_u16(), seen(&log).len()), (302, 1), "{location}");
    }
}

#[tokio::test]
async fn credentials_are_not_sent_in_the_clear() {
    let request = client().http().get("http://192.0.2.1/").build().unwrap();
    let error = client().send(&Session::default(), request).await.unwrap_err();
    assert_eq!(error.code(), "client_plain_http");
    let named = client().http().get("http://127.0.0.1/").build().unwrap();
    let mut named = named;
    named.url_mut().set_username("user").unwrap();
    assert_eq!(
        client().send(&Session::default(), named).await.unwrap_err().code(),
        "client_url_user"
    );
}

#[tokio::test]
async fn nobody_there_is_a_transport_error_that_shows_no_url() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let request = client().http().get(format!("http://{free}/?apikey=canary")).build().unwrap();
    let error = client().send(&Session::default(), request).await.unwrap_err();
    assert_eq!(error.code(), "reqwest_connect");
    assert!(error.is_not_sent());
    assert!(error.to_string().starts_with(&format!("transport: http://{free}: not connected: ")));
    assert!(!format!("{error} {error:?}").contains("canary"));
}

#[tokio::test]
async fn a_proxy_gets_its_own_credentials_and_the_server_does_not() {
    let (proxy, at_proxy) = serve(|_| answer(200, &[], "through the proxy")).await;
    let proxied = Proxy::new(&format!("http://pu:pp@{proxy}")).unwrap();
    let client = AuthClient::builder().with_proxy(proxied).build().unwrap();
    let request = client.http().get("http://127.0.0.1:9/x").build().unwrap();
    let got = client.send(&Session::default(), request).await.unwrap();
    assert_eq!(got.text().await.unwrap(), "through the proxy");
    assert_eq!(
        seen(&at_proxy),
        ["GET http://127.0.0.1:9/x?k=a%2Fb [session:0 proxy-authorization:Basic cHU6cHA=] "]
    );
}

/// Notes where it is told that each request goes, and adds nothing.
#[derive(Default)]
struct Hops(Mutex<Vec<String>>);

impl Authenticator for Hops {
    fn needs(&self, head: RequestView<'_>) -> Need {
        self.0.lock().unwrap().push(format!("{:?}", head.hop));
        Need::Nothing
    }

    fn credentials<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Credentials> {
        self.0.lock().unwrap().push(format!("{:?}", request.hop));
        Flow::ready(Credentials::none())
    }

    fn assess(&self, _: &Credentials, answer: Answer<'_>) -> Verdict {
        self.0.lock().unwrap().push(format!("{:?}", answer.request.hop));
        Verdict::Accept
    }
}

/// reqwest hands a request to the proxy only if it is http: to https, and to what is excepted, it goes to its origin.
#[tokio::test]
async fn a_scheme_is_told_whether_a_request_is_handed_to_a_proxy() {
    let (proxy, at_proxy) = serve(|_| answer(200, &[], "")).await;
    let (server, _) = serve(|_| answer(200, &[], "")).await;
    let proxy = Proxy::new(&format!("http://{proxy}")).unwrap().with_exception("localhost");
    let client = AuthClient::builder().with_proxy(proxy).build().unwrap();
    for (url, handed, expected) in [
        (String::from("http://a.example/"), true, "Proxy"),
        (format!("http://localhost:{}/", server.port()), false, "Origin"),
        // This proxy makes no tunnels: the request is prepared and not sent.
        (String::from("https://a.example/"), true, "Origin"),
    ] {
        let hops = Hops::default();
        let _ = client.send(&hops, client.http().get(&url).build().unwrap()).await;
        let told = hops.0.into_inner().unwrap();
        assert!(told.len() >= 2 && told.iter().all(|hop| hop == expected), "{url} {told:?}");
        assert_eq!(!std::mem::take(&mut *at_proxy.lock().unwrap()).is_empty(), handed, "{url}");
    }
}

/// An event stream, a long poll: it begins, and its end does not come.
fn endless(first: &'static str) -> axum::body::Body {
    use futures_util::StreamExt;
    let first = futures_util::stream::iter([Ok::<_, std::io::Error>(first)]);
    axum::body::Body::from_stream(first.chain(futures_util::stream::pending()))
}

#[tokio::test]
async fn an_endless_answer_is_delivered_though_the_scheme_asks_for_its_body() {
    let (address, log) = serve(|_| answer(200, &[], endless("7001"))).await;
    let request = client().http().get(format!("http://{address}/")).build().unwrap();
    let (client, session) = (client(), Session::default());
    let got = tokio::time::timeout(AnswerBodyLimit::PATIENCE * 3, client.send(&session, request));
    let mut got = got.await.expect("the caller waits for an answer without an end").unwrap();
    assert_eq!(got.chunk().await.unwrap().unwrap(), "7001", "what was read is delivered");
    assert_eq!(seen(&log).len(), 1, "a beginning was assessed as a body");
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

/// What follows belongs to another protocol: it is not waited for, shown to no scheme, and there for a program that switches.
#[tokio::test]
async fn a_switch_of_protocols_is_delivered_at_once_though_the_scheme_asks_for_its_body() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut caller, _) = listener.accept().await.unwrap();
        let _ = caller.read(&mut [0; 1024]).await.unwrap();
        let switched =
            "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n7001";
        caller.write_all(switched.as_bytes()).await.unwrap();
        std::future::pending::<()>().await;
    });
    let request = client().http().get(format!("http://{address}/"));
    let request = request.header("connection", "upgrade").header("upgrade", "echo");
    let (client, scheme) = (client(), Bodies::default());
    let got = client.send(&scheme, request.build().unwrap());
    let got = tokio::time::timeout(AnswerBodyLimit::PATIENCE / 2, got);
    let got = got.await.expect("the caller waits for an answer without an end").unwrap();
    assert_eq!(got.status(), 101);
    assert_eq!(scheme.0.into_inner().unwrap(), [false], "the scheme saw a body");
    let mut behind = [0; 4];
    got.upgrade().await.unwrap().read_exact(&mut behind).await.unwrap();
    assert_eq!(&behind, b"7001");
}

/// Without a length, as many servers send what they make as they go.
#[tokio::test]
async fn an_answer_of_unknown_size_is_assessed_when_it_ends() {
    let body = || {
        let pieces = ["70", "01"].map(Ok::<_, std::io::Error>);
        axum::body::Body::from_stream(futures_util::stream::iter(pieces))
    };
    let (address, log) = serve(move |_| answer(200, &[], body())).await;
    let request = client().http().get(format!("http://{address}/")).build().unwrap();
    let got = client().send(&Session::default(), request).await.unwrap();
    assert_eq!((got.text().await.unwrap().as_str(), seen(&log).len()), ("7001", 4));
}

/// A gRPC server says in them whether it has done what was asked.
#[tokio::test]
async fn the_trailers_of_an_answer_arrive_though_the_scheme_reads_its_body() {
    for length in [2, 100] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut caller, _) = listener.accept().await.unwrap();
            let _ = caller.read(&mut [0; 1024]).await.unwrap();
            let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-last\r\n\r\n";
            let body = format!("{length:x}\r\n{}\r\n0\r\nx-last: 0\r\n\r\n", "x".repeat(length));
            caller.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
        });
        let scheme = Bodies::default();
        let request = client().http().get(format!("http://{address}/")).header("te", "trailers");
        let got = client().send(&scheme, request.build().unwrap()).await.unwrap();
        assert_eq!(scheme.0.into_inner().unwrap(), [length <= 64], "shown to the scheme");
        let got = http::Response::from(got).into_body().collect().await.unwrap();
        assert_eq!(got.trailers().map(|fields| &fields["x-last"]), Some(&"0".parse().unwrap()));
        assert_eq!(got.to_bytes().len(), length);
    }
}

/// Loopback is the proxy's there, and what goes to it in the clear leaves this machine.
#[tokio::test]
async fn credentials_for_loopback_are_not_sent_in_the_clear_to_a_proxy_on_another_machine() {
    for url in ["http://127.0.0.1:9/", "http://localhost/", "http://[::1]/"] {
        let proxied = Proxy::new("http://192.0.2.1:3128").unwrap();
        let client = AuthClient::builder()
            .with_proxy(proxied)
            .with_connect_timeout(std::time::Duration::from_millis(200))
            .build()
            .unwrap();
        let request = client.http().get(url).build().unwrap();
        let error = client.send(&Session::default(), request).await.unwrap_err();
        assert_eq!(error.code(), "client_plain_http", "{url}");
    }
}

/// reqwest shows the URL of an answer in the errors that it makes of it.
#[tokio::test]
async fn an_answer_does_not_show_a_parameter_that_authenticated_its_request() {
    let (address, _) = serve(|_| answer(404, &[], "no")).await;
    let request = client().http().get(format!("http://{address}/p?q")).build().unwrap();
    let got = client().send(&Session::default(), request).await.unwrap();
    assert_eq!(got.url().query(), Some("q"), "the caller's own url");
    let error = got.error_for_status().unwrap_err();
    assert!(!format!("{error} {error:?}").contains("k=a"), "{error}");
}
