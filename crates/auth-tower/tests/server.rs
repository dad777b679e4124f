//! What the server layer promises, against verifiers that do one thing each.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

mod common;

use auth_core::*;
use auth_tower::{Authenticated, CheckedBody, VerifyLayer};
use bytes::Bytes;
use common::{Codes, Pieces, text};
use http::{HeaderMap, Request, Response, Version, header};
use http_body::{Body as _, Frame};
use http_body_util::{BodyExt, Full, StreamBody};
use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tower::{Layer, ServiceExt, service_fn};

const WRONG: Reason = Reason::new("word_wrong", "word is wrong");

/// Accepts the field `word: good`; what else it does is up to the test.
#[derive(Default)]
struct Word {
    need: Need,
    error: Option<Error>,
}

impl Verifier for Word {
    type Principal = String;

    fn presence(&self, head: RequestView<'_>) -> Presence {
        if head.headers.contains_key("word") { Presence::Present } else { Presence::Absent }
    }

    fn needs(&self, _: RequestView<'_>) -> Need {
        self.need
    }

    fn verify<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Outcome<String>> {
        if let Some(error) = &self.error {
            return Flow::failed(error.clone());
        }
        if request.headers.get("word").is_none_or(|word| word != "good") {
            let challenge = Challenge::build("Word").quoted("realm", "test").finish().unwrap();
            return Flow::ready(Err(Rejection::unauthenticated(WRONG, challenge)));
        }
        Flow::ready(Ok(Accepted::new("Word", format!("{:?}", request.body))))
    }
}

struct Told {
    status: u16,
    headers: HeaderMap,
    body: String,
    codes: Vec<&'static str>,
    handled: usize,
    pieces_read: usize,
}

/// Sends `pieces` as a body to a handler that echoes it with the principal in front.
async fn ask(word: Word, request: http::request::Builder, pieces: &[&'static str]) -> Told {
    let (codes, handled, pulled) =
        (Codes::default(), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let body = Pieces::counted(pieces, Arc::clone(&pulled));
    let count = Arc::clone(&handled);
    let service = service_fn(move |request: Request<CheckedBody<Pieces>>| {
        count.fetch_add(1, Ordering::SeqCst);
        async move {
            let caller =
                request.extensions().get::<Authenticated<String>>().unwrap().principal.clone();
            let read = request.into_body().collect().await;
            let text = read.map_or_else(
                |error| error.to_string(),
                |all| String::from_utf8(all.to_bytes().into()).unwrap(),
            );
            Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(format!("{caller}: {text}")))))
        }
    });
    // What is read on of a refused body would be counted with what is read for the verifier.
    let layer = VerifyLayer::new(word)
        .with_observer(codes.clone())
        .with_buffer_limit(10)
        .with_refused_body_drain(0, Duration::ZERO);
    let answer = layer.layer(service).oneshot(request.body(body).unwrap()).await.unwrap();
    let (head, body) = answer.into_parts();
    let body = text(Response::new(body)).await;
    let codes = codes.take();
    let (handled, pieces_read) = (handled.load(Ordering::SeqCst), pulled.load(Ordering::SeqCst));
    Told { status: head.status.as_u16(), headers: head.headers, body, codes, handled, pieces_read }
}

fn good() -> http::request::Builder {
    Request::post("/").header("word", "good")
}

#[tokio::test]
async fn an_accepted_request_reaches_the_handler_with_its_principal() {
    let told = ask(Word::default(), good(), &["a", "b"]).await;
    assert_eq!(
        (told.status, told.body.as_str(), told.codes.as_slice()),
        (200, "Unread: ab", &["Word"][..])
    );
}

#[tokio::test]
async fn a_rejected_one_gets_challenges_and_one_plain_body() {
    let told = ask(Word::default(), Request::post("/").header("word", "bad"), &["a"]).await;
    assert_eq!((told.status, told.body.as_str(), told.handled), (401, "Unauthorized\n", 0));
    assert_eq!(told.headers[header::WWW_AUTHENTICATE], "Word realm=\"test\"");
    assert_eq!(told.headers[header::CACHE_CONTROL], "no-store");
    assert_eq!(told.codes, ["word_wrong"]);
}

#[tokio::test]
async fn two_hosts_are_refused_before_any_verifier() {
    let told =
        ask(Word::default(), good().uri("http://a.example/").header("host", "b.example"), &[])
            .await;
    assert_eq!(
        (told.status, told.handled, told.codes.as_slice()),
        (400, 0, &["authority_conflict"][..])
    );
}

#[tokio::test]
async fn the_body_is_read_only_when_needed_and_credentials_are_there() {
    let bytes = || Word { need: Need::Bytes { limit: 8 }, ..Word::default() };
    let told = ask(bytes(), Request::post("/"), &["a", "b"]).await;
    assert_eq!((told.status, told.pieces_read), (401, 0), "a stranger made us buffer");
    let told = ask(bytes(), good(), &["abc", "def"]).await;
    assert_eq!((told.status, told.body.as_str()), (200, "Bytes(6 bytes): abcdef"));
}

/// A server closes a connection whose body it has not read; a client that is not told sends its next request into it.
#[tokio::test]
async fn who_is_refused_before_its_body_came_is_told_that_the_connection_ends() {
    let bytes = || Word { need: Need::Bytes { limit: 8 }, ..Word::default() };
    let wrong = || Request::post("/").header("word", "bad");
    for (word, request, pieces, status, expected) in [
        (Word::default(), Request::post("/"), &["a"][..], 401, Some("close")),
        (Word::default(), wrong().version(Version::HTTP_10), &["a"], 401, Some("close")),
        (Word::default(), wrong().version(Version::HTTP_2), &["a"], 401, None),
        (Word::default(), wrong(), &[], 401, None),
        (bytes(), wrong(), &["abc", "def"], 401, None),
        (bytes(), good(), &["abc", "def", "ghi", "jkl"], 413, Some("close")),
        (Word::default(), good(), &["a"], 200, None),
    ] {
        let told = ask(word, request, pieces).await;
        let said = told.headers.get(header::CONNECTION).map(|value| value.to_str().unwrap());
        assert_eq!((told.status, said), (status, expected), "{pieces:?}");
    }
}

/// What comes behind the break is neither the rest of the body nor the next request.
#[tokio::test]
async fn a_body_that_broke_has_not_arrived_and_its_connection_ends() {
    let word = Word { need: Need::Bytes { limit: 8 }, ..Word::default() };
    let frames = [Ok(Frame::data(Bytes::from_static(b"abc"))), Err("connection reset")];
    let body = StreamBody::new(futures_util::stream::iter(frames));
    let service = VerifyLayer::new(word).layer(service_fn(async |_: Request<CheckedBody<_>>| {
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::new())))
    }));
    let answer = service.oneshot(good().body(body).unwrap()).await.unwrap();
    let said = answer.headers().get(header::CONNECTION).map(|value| value.to_str().unwrap());
    assert_eq!((answer.status().as_u16(), said), (400, Some("close")));
}

/// A server then sends it with the head.
#[tokio::test]
async fn a_reply_without_a_body_says_that_it_has_ended() {
    for (text, expected) in [("", true), ("text", false)] {
        let service = service_fn(move |_: Request<CheckedBody<Pieces>>| async move {
            Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(text))))
        });
        let service = VerifyLayer::new(Word::default()).layer(service);
        let answer = service.oneshot(good().body(Pieces::of(&[])).unwrap()).await.unwrap();
        assert_eq!(answer.body().is_end_stream(), expected);
    }
}

/// One byte may be read on, which is all that is left behind what the verifier needed.
#[tokio::test]
async fn what_was_read_for_the_verifier_does_not_count_as_read_on() {
    let word = Word { need: Need::Bytes { limit: 4 }, ..Word::default() };
    let layer = VerifyLayer::new(word).with_refused_body_drain(1, Duration::ZERO);
    let service = layer.layer(service_fn(async |_: Request<CheckedBody<Pieces>>| {
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::new())))
    }));
    for (pieces, expected) in [(&["abcde", "f"], None), (&["abcde", "fg"], Some("close"))] {
        let request = good().body(Pieces::of(pieces)).unwrap();
        let answer = service.clone().oneshot(request).await.unwrap();
        let said = answer.headers().get(header::CONNECTION).map(|value| value.to_str().unwrap());
        assert_eq!((answer.status().as_u16(), said), (413, expected), "{pieces:?}");
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    for (limit, pieces) in [(4, &["abc", "def"][..]), (99, &["0123456789", "x", "never read"][..])]
    {
        let told =
            ask(Word { need: Need::Bytes { limit }, ..Word::default() }, good(), pieces).await;
        assert_eq!(
            (told.status, told.handled, told.codes.as_slice()),
            (413, 0, &["body_too_large"][..])
        );
        assert_eq!(told.pieces_read, 2);
    }
    for (announced, status) in [("4", 200), ("5", 413)] {
        let word = Word { need: Need::Bytes { limit: 4 }, ..Word::default() };
        let told = ask(word, good().header("content-length", announced), &["abcd"]).await;
        assert_eq!(told.status, status, "{announced}");
    }
    let announced = good().header("content-length", "5");
    let told =
        ask(Word { need: Need::Bytes { limit: 4 }, ..Word::default() }, announced, &["abcde"])
            .await;
    assert_eq!((told.status, told.pieces_read), (413, 0), "an announced length was read first");
}

#[tokio::test]
async fn when_we_cannot_tell_the_caller_learns_only_when_to_come_back() {
    let cause = || Cause::new("store_down", "store db1.internal is down");
    let waits =
        Error::Unavailable { retry_after: Some(Duration::from_millis(1500)), cause: cause() };
    for (error, status, retry) in [
        (waits, 503, Some("2")),
        (Error::Transport(cause()), 503, None),
        (Error::Config(cause()), 500, None),
    ] {
        let told = ask(Word { error: Some(error), ..Word::default() }, good(), &[]).await;
        assert_eq!((told.status, told.codes.as_slice()), (status, &["store_down"][..]));
        assert_eq!(told.headers.get(header::RETRY_AFTER).map(|wait| wait.to_str().unwrap()), retry);
        assert!(!told.body.contains("db1") && !told.headers.contains_key(header::WWW_AUTHENTICATE));
    }
}

/// A platform that has a form of its own: its status and its body, and a challenge wherever there is a 401.
#[tokio::test]
async fn a_rejection_is_written_as_the_platform_has_it_and_a_401_has_its_challenge() {
    const OURS: &str = "Word realm=\"test\"";
    for (status, challenge, cache, expected) in [
        (200, None, None, (None, "no-store")),
        (403, None, Some("private"), (None, "private")),
        (401, None, None, (Some(OURS), "no-store")),
        (401, Some("Other"), None, (Some("Other"), "no-store")),
    ] {
        let layer =
            VerifyLayer::new(Word::default()).with_rejection_answer(move |rejection, head| {
                let mut answer = Response::builder().status(status);
                for (name, value) in
                    [(header::WWW_AUTHENTICATE, challenge), (header::CACHE_CONTROL, cache)]
                {
                    if let Some(value) = value {
                        answer = answer.header(name, value);
                    }
                }
                let told = format!("code {} at {}", rejection.status().as_u16(), head.uri);
                answer.body(told.into_bytes()).unwrap()
            });
        let handler = service_fn(|_: Request<CheckedBody<Pieces>>| async {
            Ok::<_, Infallible>(Response::new(Full::new(Bytes::from("handled"))))
        });
        let service = layer.layer(handler);
        let bad = Request::post("/")
            .header("word", "bad")
            .body(Pieces::counted(&[], Arc::default()))
            .unwrap();
        let answer = service.clone().oneshot(bad).await.unwrap();
        assert_eq!(answer.status().as_u16(), status);
        let field = |name| answer.headers().get_all(name).iter().map(|it| it.to_str().unwrap());
        let challenges: Vec<_> = field(header::WWW_AUTHENTICATE).collect();
        assert_eq!(challenges, expected.0.into_iter().collect::<Vec<_>>(), "{status}");
        assert_eq!(field(header::CACHE_CONTROL).collect::<Vec<_>>(), [expected.1]);
        assert_eq!(text(answer).await, "code 401 at /");
        let good = good().body(Pieces::counted(&[], Arc::default())).unwrap();
        assert_eq!(text(service.oneshot(good).await.unwrap()).await, "handled");
    }
}
