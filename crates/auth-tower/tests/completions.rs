//! What is done when the handler has replied, and what is not when it has not.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

mod common;

use auth_core::*;
use auth_tower::{BoxError, CheckedBody, ReplyBody, VerifyLayer};
use bytes::Bytes;
use common::{Codes, text};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::{BodyExt, Empty, Full};
use std::{
    convert::Infallible,
    future::Future,
    io,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
    time::Duration,
};
use tower::{Layer, ServiceExt, service_fn};

/// A completion that says in a field of its name what it saw of the reply's body, and may fail.
#[derive(Clone, Copy)]
struct Tells {
    name: &'static str,
    need: Need,
    fails: Fails,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fails {
    No,
    AndNobodyMinds,
    AndItIsReliedOn,
}

const fn tells(name: &'static str, need: Need, fails: Fails) -> Tells {
    Tells { name, need, fails }
}

const SEES_12: Tells = tells("sees", Need::Bytes { limit: 12 }, Fails::No);
const BLIND: Tells = tells("blind", Need::Nothing, Fails::No);

type Log = Arc<Mutex<Vec<String>>>;

/// One that was made for a request: it writes down whether it was asked.
struct Telling(Tells, Log, bool);

impl Completion for Telling {
    fn needs(&self, _: StatusCode, _: &HeaderMap) -> Need {
        self.0.need
    }

    fn is_relied_on(&self) -> bool {
        self.0.fails == Fails::AndItIsReliedOn
    }

    fn complete<'r>(mut self: Box<Self>, reply: HandlerReply<'r>) -> Flow<'r, HeaderMap> {
        self.2 = true;
        self.1.lock().unwrap().push(format!("{} {}", self.0.name, reply.status.as_u16()));
        let value = HeaderValue::from_str(&format!("{:?}", reply.body)).unwrap();
        let fields = HeaderMap::from_iter([(HeaderName::from_static(self.0.name), value)]);
        let fails = self.0.fails != Fails::No;
        let told =
            if fails { Err(Error::config("test_down", "store is down")) } else { Ok(fields) };
        Flow::new(async move {
            tokio::time::sleep(Duration::from_millis(5)).await;
            told
        })
    }
}

impl Drop for Telling {
    fn drop(&mut self) {
        if !self.2 {
            self.1.lock().unwrap().push(format!("{} dropped", self.0.name));
        }
    }
}

/// Accepts everybody with these completions.
fn door(tells: Vec<Tells>, log: &Log) -> impl Verifier<Principal = ()> + use<> {
    let log = Arc::clone(log);
    verifier_fn(
        |_| Presence::Present,
        move |_| {
            let made = tells.iter().map(|one| Telling(*one, Arc::clone(&log), false));
            Flow::ready(Ok(made.fold(Accepted::new("Word", ()), Accepted::with_completion)))
        },
    )
}

struct Told<R> {
    answer: Response<ReplyBody<R>>,
    codes: Vec<&'static str>,
    log: Vec<String>,
}

/// A request whose handler replies so.
async fn reply<R>(tells: &[Tells], reply: Response<R>) -> Told<R>
where
    R: http_body::Body<Data = Bytes> + Send + Sync + 'static,
    R::Error: Into<BoxError>,
{
    let (log, codes, reply) = (Log::default(), Codes::default(), Arc::new(Mutex::new(Some(reply))));
    let layer = VerifyLayer::new(door(tells.to_vec(), &log)).with_observer(codes.clone());
    let service = layer.layer(service_fn(move |_: Request<CheckedBody<Empty<Bytes>>>| {
        let reply = reply.lock().unwrap().take().unwrap();
        async move { Ok::<_, Infallible>(reply) }
    }));
    let answer = service.oneshot(Request::new(Empty::new())).await.unwrap();
    let log = log.lock().unwrap().clone();
    Told { answer, codes: codes.take(), log }
}

fn full(text: &'static str) -> Response<Full<Bytes>> {
    Response::new(Full::new(Bytes::from_static(text.as_bytes())))
}

#[tokio::test(start_paused = true)]
async fn every_completion_is_asked_and_sees_the_reply_within_its_limit() {
    let told = reply(&[SEES_12, BLIND], full("Hello, world")).await;
    assert_eq!(told.answer.headers()["sees"], "Bytes(12 bytes)");
    assert_eq!(told.answer.headers()["blind"], "Unread");
    assert_eq!(text(told.answer).await, "Hello, world");
    assert_eq!(told.log, ["blind 200", "sees 200"]);
    let told = reply(&[SEES_12], full("Hello, world!")).await;
    assert_eq!(told.answer.headers()["sees"], "Unread");
    assert_eq!(text(told.answer).await, "Hello, world!", "a longer reply still arrives whole");
}

/// Whether a completion reads the body or does not, its trailer fields come, and come last.
#[tokio::test(start_paused = true)]
async fn the_trailers_of_a_reply_arrive_behind_its_body() {
    for tells in [&[SEES_12][..], &[BLIND], &[]] {
        let trailers = HeaderMap::from_iter([(header::ETAG, HeaderValue::from_static("1"))]);
        let last = std::future::ready(Some(Ok(trailers.clone())));
        let with_trailers = full("Hello, world").map(|body| body.with_trailers(last));
        let mut body = reply(tells, with_trailers).await.answer.into_body();
        let first = body.frame().await.unwrap().unwrap();
        assert_eq!(first.into_data().unwrap(), "Hello, world");
        assert!(!body.is_end_stream(), "a reader that asks would miss the trailers");
        let second = body.frame().await.unwrap().unwrap();
        assert_eq!(second.into_trailers().unwrap(), trailers);
        assert!(body.frame().await.is_none());
    }
}

/// One piece again and again, and neither an end nor a length.
struct Endless;

impl http_body::Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"tick")))))
    }
}

#[tokio::test(start_paused = true)]
async fn an_endless_reply_is_not_waited_for_nor_is_an_upgrade() {
    let mut told = reply(&[SEES_12], Response::new(Endless)).await;
    assert_eq!(told.answer.headers()["sees"], "Unread");
    let frame = told.answer.body_mut().frame().await.unwrap().unwrap();
    assert_eq!(frame.into_data().unwrap(), "tick");

    let mut upgrade = full("not read");
    *upgrade.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    upgrade.extensions_mut().insert(7_u8);
    let told = reply(&[SEES_12], upgrade).await;
    assert_eq!(told.answer.headers()["sees"], "Unread");
    assert_eq!(told.answer.extensions().get::<u8>(), Some(&7));
    assert_eq!(told.log, ["sees 101"]);
}

/// Half of what it says that it is, and then an error.
struct Breaks(u8);

impl http_body::Body for Breaks {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        self.0 += 1;
        Poll::Ready(match self.0 {
            1 => Some(Ok(Frame::data(Bytes::from_static(b"half ")))),
            2 => Some(Err(io::Error::other("upstream reset"))),
            _ => None,
        })
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(10)
    }
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_breaks_while_it_is_read_arrives_as_broken() {
    let told = reply(&[SEES_12], Response::new(Breaks(0))).await;
    assert_eq!(told.answer.headers()["sees"], "Unread");
    let mut body = told.answer.into_body();
    assert_eq!(body.size_hint().exact(), None, "half of it has the length of the whole");
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "half ");
    assert!(!body.is_end_stream());
    assert_eq!(body.frame().await.unwrap().unwrap_err().to_string(), "upstream reset");
    assert!(body.frame().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn one_that_fails_is_told_and_the_reply_sent_unchanged_unless_it_is_relied_on() {
    const MINDLESS: Tells = tells("fails", Need::Nothing, Fails::AndNobodyMinds);
    const RELIED_ON: Tells = tells("fails", Need::Nothing, Fails::AndItIsReliedOn);
    let failed = ["Word", "test_down"];

    let told = reply(&[MINDLESS, SEES_12], full("done")).await;
    assert_eq!((told.answer.status().as_u16(), &told.codes[..]), (200, &failed[..]));
    assert_eq!(told.answer.headers()["sees"], "Bytes(4 bytes)", "the other one's fields stay");
    assert_eq!(text(told.answer).await, "done");

    let told = reply(&[RELIED_ON, SEES_12], full("done")).await;
    assert_eq!((told.answer.status().as_u16(), &told.codes[..]), (500, &failed[..]));
    assert!(!told.answer.headers().contains_key("sees"));
    assert_eq!(told.log, ["fails 200", "sees 200"], "each was asked all the same");
}

#[tokio::test(start_paused = true)]
async fn one_that_does_not_read_is_asked_though_the_caller_goes_away_while_the_body_is_read() {
    /// Says that it has an end, and never comes to it.
    struct Slow;
    impl http_body::Body for Slow {
        type Data = Bytes;
        type Error = Infallible;
        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            Poll::Pending
        }
        fn size_hint(&self) -> SizeHint {
            SizeHint::with_exact(10)
        }
    }
    let log = Log::default();
    let layer = VerifyLayer::new(door(vec![SEES_12, BLIND], &log));
    let service = layer.layer(service_fn(|_: Request<CheckedBody<Empty<Bytes>>>| async {
        Ok::<_, Infallible>(Response::new(Slow))
    }));
    let answer = service.oneshot(Request::new(Empty::new()));
    assert!(tokio::time::timeout(Duration::from_millis(20), answer).await.is_err());
    assert_eq!(*log.lock().unwrap(), ["blind 200", "sees dropped"]);
}

/// Runs a handler that gives no reply; what was written down by then.
async fn without_a_reply<F>(handler: fn() -> F) -> Vec<String>
where
    F: Future<Output = Result<Response<Full<Bytes>>, io::Error>> + Send + 'static,
{
    let log = Log::default();
    let layer = VerifyLayer::new(door(vec![BLIND], &log));
    let service = layer.layer(service_fn(move |_: Request<CheckedBody<Empty<Bytes>>>| handler()));
    let answer = service.oneshot(Request::new(Empty::new()));
    let answer = tokio::spawn(tokio::time::timeout(Duration::from_millis(20), answer));
    assert!(!matches!(answer.await, Ok(Ok(Ok(_)))), "it replied");
    log.lock().unwrap().clone()
}

#[tokio::test(start_paused = true)]
async fn without_a_reply_it_is_dropped_unasked() {
    let dropped = ["blind dropped"];
    assert_eq!(
        without_a_reply(|| async { Err(io::Error::other("handler failed")) }).await,
        dropped
    );
    assert_eq!(without_a_reply(|| async { panic!("handler panicked") }).await, dropped);
    assert_eq!(without_a_reply(std::future::pending).await, dropped);
}

#[tokio::test(start_paused = true)]
async fn a_refused_body_is_no_reply() {
    struct Refuses;
    impl BodyCheck for Refuses {
        fn update(&mut self, _: &[u8]) -> Result<ReleasedBytes, Rejection> {
            Ok(ReleasedBytes::AsIs)
        }
        fn finish(self: Box<Self>, _: Option<&HeaderMap>) -> Result<(), Rejection> {
            Err(Rejection::forbidden(Reason::new("test_body", "body is wrong")))
        }
    }
    let refuses = || {
        verifier_fn(
            |_| Presence::Present,
            |_| Flow::ready(Ok(Accepted::new("Word", ()).with_body(Refuses))),
        )
    };
    // as it is read by the handler, and before
    for most in [0, 10] {
        let log = Log::default();
        let door = AllOf(door(vec![BLIND], &log), refuses());
        let layer = VerifyLayer::new(door).with_buffer_limit(most);
        let service = layer.layer(service_fn(|request: Request<CheckedBody<Full<Bytes>>>| async {
            let _ = request.into_body().collect().await;
            Ok::<_, Infallible>(full("whatever"))
        }));
        let request = Request::new(Full::new(Bytes::from_static(b"body")));
        assert_eq!(service.oneshot(request).await.unwrap().status(), 403);
        assert_eq!(*log.lock().unwrap(), ["blind dropped"]);
    }
}
