//! What the client layer promises, against a service that answers as told.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

use auth_core::*;
use auth_tower::{AuthenticateLayer, ClientError, OutgoingBody};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use std::{
    convert::Infallible,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};
use tower::{Layer, ServiceExt, service_fn};

/// Numbers its attempts, shows what it saw of the body, and retries whenever the answer's body says so.
#[derive(Default)]
struct Numbered {
    stamper: Stamper,
    attempts: AtomicU64,
    need: Need,
    refuses: bool,
}

impl Authenticator for Numbered {
    fn credentials<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Credentials> {
        let attempt = self.attempts.fetch_add(1, Ordering::SeqCst);
        let value = HeaderValue::from_str(&format!("{attempt} {:?}", request.body)).unwrap();
        let made = Credentials::header(HeaderName::from_static("attempt"), value);
        made.map(|made| made.stamped(self.stamper.stamp(attempt))).into()
    }

    fn needs(&self, _: RequestView<'_>) -> Need {
        self.need
    }

    fn reads(&self, _: StatusCode, _: &HeaderMap) -> Need {
        Need::Bytes { limit: 8 }
    }

    fn assess(&self, _: &Credentials, answer: Answer<'_>) -> Verdict {
        assert!(
            !answer.request.headers.contains_key("attempt"),
            "not the request before credentials"
        );
        match answer.body {
            Some(b"again") if self.refuses => Verdict::Refused(Error::refused("refused", "no use")),
            Some(b"again") => Verdict::Retry { after: None },
            _ => Verdict::Accept,
        }
    }
}

/// Answers in order; returns what came back with the attempts and bodies the service saw.
async fn ask(
    numbered: Numbered,
    request: Request<OutgoingBody>,
    answers: &[&'static str],
) -> (Result<String, &'static str>, Vec<String>) {
    let (answers, seen) =
        (Arc::new(Mutex::new(answers.to_vec())), Arc::new(Mutex::new(Vec::new())));
    let log = Arc::clone(&seen);
    let service = service_fn(move |request: Request<OutgoingBody>| {
        let (answers, log) = (Arc::clone(&answers), Arc::clone(&log));
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            let attempt = head.headers["attempt"].to_str().unwrap().to_owned();
            log.lock().unwrap().push(format!("{attempt} <- {}", String::from_utf8_lossy(&body)));
            Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(
                answers.lock().unwrap().remove(0).as_bytes(),
            ))))
        }
    });
    let outcome = match AuthenticateLayer::new(numbered).layer(service).oneshot(request).await {
        Ok(answer) => {
            Ok(String::from_utf8(answer.into_body().collect().await.unwrap().to_bytes().into())
                .unwrap())
        }
        Err(ClientError::Authentication(error)) => Err(error.code()),
        Err(ClientError::Service(never)) => match never {},
    };
    let seen = seen.lock().unwrap().clone();
    (outcome, seen)
}

fn post(url: &str, body: OutgoingBody) -> Request<OutgoingBody> {
    Request::post(url).body(body).unwrap()
}

#[tokio::test]
async fn every_attempt_is_authenticated_afresh_and_sends_the_whole_body() {
    let (got, seen) = ask(
        Numbered::default(),
        post("https://a.example/", "body".into()),
        &["again", "again", "done"],
    )
    .await;
    assert_eq!(got.unwrap(), "done");
    assert_eq!(seen, ["0 Unread <- body", "1 Unread <- body", "2 Unread <- body"]);
}

#[tokio::test]
async fn four_attempts_are_the_most_and_the_last_answer_is_delivered() {
    let (got, seen) =
        ask(Numbered::default(), post("https://a.example/", "b".into()), &["again"; 5]).await;
    assert_eq!((got.unwrap().as_str(), seen.len()), ("again", 4));
}

#[tokio::test]
async fn a_stream_is_sent_once_and_its_answer_delivered_as_it_came() {
    let stream =
        OutgoingBody::stream(Full::new(Bytes::from("body")).map_err(|never| match never {}));
    let (got, seen) =
        ask(Numbered::default(), post("https://a.example/", stream), &["again", "x"]).await;
    assert_eq!(
        (got.unwrap().as_str(), seen.as_slice()),
        ("again", &["0 Unread <- body".to_owned()][..])
    );
}

#[tokio::test]
async fn the_scheme_sees_as_much_of_the_body_as_it_needs() {
    for (need, expected) in [
        (Need::Bytes { limit: 9 }, "0 Bytes(4 bytes) <- body"),
        (Need::Nothing, "0 Unread <- body"),
    ] {
        let (_, seen) = ask(
            Numbered { need, ..Numbered::default() },
            post("https://a.example/", "body".into()),
            &["ok"],
        )
        .await;
        assert!(seen[0].starts_with(expected), "{seen:?}");
    }
}

#[tokio::test]
async fn an_answer_longer_than_asked_for_arrives_whole_and_unread() {
    let (got, seen) =
        ask(Numbered::default(), post("https://a.example/", "b".into()), &["again and again"])
            .await;
    assert_eq!((got.unwrap().as_str(), seen.len()), ("again and again", 1));
}

/// Whether the scheme reads all of the body, or sees that it is too long.
#[tokio::test]
async fn the_trailers_of_an_answer_arrive_though_the_scheme_reads_its_body() {
    for text in ["short", "longer than eight bytes"] {
        let trailers = HeaderMap::from_iter([(header::ETAG, HeaderValue::from_static("1"))]);
        let last = trailers.clone();
        let service = service_fn(move |_: Request<OutgoingBody>| {
            let last = std::future::ready(Some(Ok(last.clone())));
            let body = Full::new(Bytes::from_static(text.as_bytes())).with_trailers(last);
            async { Ok::<_, Infallible>(Response::new(body)) }
        });
        let request = post("https://a.example/", OutgoingBody::empty());
        let layer = AuthenticateLayer::new(Numbered::default());
        let answer = layer.layer(service).oneshot(request).await.unwrap();
        let collected = answer.into_body().collect().await.unwrap();
        assert_eq!(collected.trailers(), Some(&trailers), "{text}");
        assert_eq!(collected.to_bytes(), text);
    }
}

#[tokio::test]
async fn credentials_go_nowhere_in_the_clear() {
    for (url, expected) in [
        ("http://a.example/", Err("client_plain_http")),
        ("http://127.0.0.1:1/", Ok("ok")),
        ("http://[::1]/", Ok("ok")),
    ] {
        let (got, seen) = ask(Numbered::default(), post(url, "b".into()), &["ok"]).await;
        assert_eq!(got.as_deref().map_err(|code| *code), expected, "{url}");
        assert_eq!(seen.len(), usize::from(expected.is_ok()));
    }
}

#[tokio::test]
async fn a_refusal_is_an_error_and_not_an_answer() {
    let numbered = Numbered { refuses: true, ..Numbered::default() };
    let (got, _) = ask(numbered, post("https://a.example/", "b".into()), &["again"]).await;
    assert_eq!(got.unwrap_err(), "refused");
}

/// Says where it is told that a request goes.
struct Hops;

impl Authenticator for Hops {
    fn credentials<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Credentials> {
        let hop = HeaderValue::from_str(&format!("{:?}", request.hop)).unwrap();
        Credentials::header(HeaderName::from_static("hop"), hop).into()
    }
}

#[tokio::test]
async fn a_scheme_is_told_where_the_service_beneath_sends_requests() {
    for (layer, expected) in [
        (AuthenticateLayer::new(Hops), "Origin"),
        (AuthenticateLayer::new(Hops).with_hop(Hop::Proxy), "Proxy"),
    ] {
        let service = service_fn(|request: Request<OutgoingBody>| async move {
            let hop = Bytes::copy_from_slice(request.headers()["hop"].as_bytes());
            Ok::<_, Infallible>(Response::new(Full::new(hop)))
        });
        let request = post("https://a.example/", OutgoingBody::empty());
        let answer = layer.layer(service).oneshot(request).await.unwrap();
        assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), expected);
    }
}

/// Loopback may be the proxy's there, and what goes to it in the clear may leave this machine.
#[tokio::test]
async fn credentials_for_loopback_are_not_sent_in_the_clear_to_a_proxy() {
    let service = || {
        service_fn(|_: Request<OutgoingBody>| async {
            Ok::<_, Infallible>(Response::new(Full::new(Bytes::new())))
        })
    };
    let proxied = AuthenticateLayer::new(Hops).with_hop(Hop::Proxy);
    let request = || post("http://127.0.0.1:1/", OutgoingBody::empty());
    let refused = proxied.layer(service()).oneshot(request()).await.map(drop);
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("url is http"), "{refused}");
    let allowed = proxied.allowing_plain_http().layer(service()).oneshot(request()).await;
    assert!(allowed.is_ok());
}

/// What is signed is the host without the scheme's own port, so that is what is sent, in HTTP/2 too.
#[tokio::test]
async fn the_own_port_of_a_scheme_is_not_sent() {
    for (url, expected) in [
        ("https://a.example:443/p?q", "https://a.example/p?q"),
        ("https://[::1]:443/", "https://[::1]/"),
        ("http://127.0.0.1:80/", "http://127.0.0.1/"),
        ("http://127.0.0.1:443/", "http://127.0.0.1:443/"),
        ("https://a.example:8443/", "https://a.example:8443/"),
        ("https://[::1]/", "https://[::1]/"),
    ] {
        let service = service_fn(|request: Request<OutgoingBody>| async move {
            let target = Bytes::from(request.uri().to_string());
            Ok::<_, Infallible>(Response::new(Full::new(target)))
        });
        let service = AuthenticateLayer::new(Hops).layer(service);
        let answer = service.oneshot(post(url, OutgoingBody::empty())).await.unwrap();
        assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), expected);
    }
}

/// Begins, and its end does not come.
struct Endless(Option<Bytes>);

impl http_body::Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
        match self.0.take() {
            Some(first) => std::task::Poll::Ready(Some(Ok(http_body::Frame::data(first)))),
            None => std::task::Poll::Pending,
        }
    }
}

/// An event stream, a long poll, what is behind a switch of protocols.
#[tokio::test(start_paused = true)]
async fn an_endless_answer_is_delivered_though_the_scheme_asks_for_its_body() {
    for (status, waits) in [(200, AnswerBodyLimit::PATIENCE), (101, std::time::Duration::ZERO)] {
        let service = service_fn(move |_: Request<OutgoingBody>| async move {
            let body = Endless(Some(Bytes::from_static(b"again")));
            Ok::<_, Infallible>(Response::builder().status(status).body(body).unwrap())
        });
        let began = tokio::time::Instant::now();
        let layered = AuthenticateLayer::new(Numbered::default()).layer(service);
        let got = layered.oneshot(post("https://a.example/", "b".into()));
        let got = tokio::time::timeout(AnswerBodyLimit::PATIENCE * 3, got);
        let got = got.await.expect("the caller waits for an answer without an end").unwrap();
        assert!(began.elapsed() < waits + std::time::Duration::from_millis(5), "for a {status}");
        let first = got.into_body().frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(first, "again", "what was read is delivered");
    }
}
