//! Bodies that have to pass a check: judged before the handler, or as it reads them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

mod common;

use auth_core::*;
use auth_tower::{BoxError, CheckedBody, VerifyLayer};
use bytes::Bytes;
use common::{Codes, Pieces, text};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, header};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::{BodyExt, Full};
use std::{
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
};
use tower::{Layer, ServiceExt, service_fn};

const LETTER: Reason = Reason::new("test_letter", "body holds an x");

/// Takes every `-` off the wire, and refuses a body that holds an `x`: at once, or at its end.
#[derive(Clone, Copy)]
struct Dashes {
    content: CheckedContent,
    refuses: Refuses,
    seen: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Refuses {
    AtOnce,
    AtTheEnd,
}

impl BodyCheck for Dashes {
    fn content(&self) -> CheckedContent {
        self.content
    }

    fn unframe(&self, headers: &mut HeaderMap) {
        headers.remove("dashes");
    }

    fn update(&mut self, wire: &[u8]) -> Result<ReleasedBytes, Rejection> {
        self.seen |= wire.contains(&b'x');
        if self.seen && self.refuses == Refuses::AtOnce {
            return Err(Rejection::forbidden(LETTER));
        }
        Ok(match self.content {
            CheckedContent::AsIs => ReleasedBytes::AsIs,
            CheckedContent::Replaced { .. } => {
                ReleasedBytes::Instead(wire.iter().copied().filter(|byte| *byte != b'-').collect())
            }
        })
    }

    fn finish(self: Box<Self>, _: Option<&HeaderMap>) -> Result<(), Rejection> {
        if self.seen { Err(Rejection::forbidden(LETTER)) } else { Ok(()) }
    }
}

const AS_IS: Dashes =
    Dashes { content: CheckedContent::AsIs, refuses: Refuses::AtTheEnd, seen: false };

const fn replacing(length: Option<u64>) -> Dashes {
    Dashes { content: CheckedContent::Replaced { length }, ..AS_IS }
}

/// What a handler makes of its request, and what becomes of that.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    status: u16,
    body: String,
    handled: usize,
    codes: Vec<&'static str>,
}

const MOST: usize = 10;

/// Sends a body to a handler that tells what it got: length in the head, length as hinted, fields, content.
async fn ask<B>(check: Dashes, body: B, fields: &[(&'static str, &'static str)]) -> Told
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let handled = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&handled);
    let service = service_fn(move |request: Request<CheckedBody<B>>| {
        count.fetch_add(1, Ordering::SeqCst);
        async move {
            let (head, body) = request.into_parts();
            let hint = body.size_hint().exact();
            let content = body.collect().await?.to_bytes();
            let length = head.headers.get("content-length").map(|value| value.to_str().unwrap());
            let dashes = head.headers.contains_key("dashes");
            let told = format!("{length:?} {hint:?} {dashes} {content:?}");
            Ok::<_, BoxError>(Response::new(Full::new(Bytes::from(told))))
        }
    });
    let codes = Codes::default();
    let door = verifier_fn(
        |_| Presence::Present,
        move |_| Flow::ready(Ok(Accepted::new("Word", ()).with_body(check))),
    );
    let layer = VerifyLayer::new(door).with_observer(codes.clone()).with_buffer_limit(MOST);
    let mut request = Request::new(body);
    let field = |(name, value): &(&'static str, &'static str)| {
        (HeaderName::from_static(name), HeaderValue::from_static(value))
    };
    *request.headers_mut() = fields.iter().map(field).collect();
    let answer = layer.layer(service).oneshot(request).await.unwrap();
    let status = answer.status().as_u16();
    let handled = handled.load(Ordering::SeqCst);
    Told { status, body: text(answer).await, handled, codes: codes.take() }
}

fn near(text: &'static str) -> Full<Bytes> {
    Full::new(Bytes::from_static(text.as_bytes()))
}

fn told(body: &str) -> Told {
    Told { status: 200, body: body.into(), handled: 1, codes: vec!["Word"] }
}

fn refused(handled: usize) -> Told {
    let codes = vec!["Word", "test_letter"];
    Told { status: 403, body: String::from("Forbidden\n"), handled, codes }
}

#[tokio::test]
async fn a_body_whose_end_is_near_is_judged_before_the_handler_runs() {
    assert_eq!(ask(AS_IS, near("a-b"), &[]).await, told(r#"None Some(3) false b"a-b""#));
    assert_eq!(ask(AS_IS, near(""), &[]).await, told(r#"None Some(0) false b"""#));
    assert_eq!(ask(replacing(None), near("a-b"), &[]).await, told(r#"None Some(2) false b"ab""#));
    for refuses in [Refuses::AtOnce, Refuses::AtTheEnd] {
        let check = Dashes { refuses, ..AS_IS };
        assert_eq!(ask(check, near("a-x"), &[]).await, refused(0));
    }
}

#[tokio::test]
async fn any_other_streams_and_its_refusal_is_the_answer_even_when_the_handler_fails_over_it() {
    // longer than what may be buffered, and of unknown length
    assert_eq!(
        ask(AS_IS, near("0123456789a"), &[]).await,
        told(r#"None Some(11) false b"0123456789a""#)
    );
    let streamed = ask(AS_IS, Pieces::of(&["a-", "b"]), &[]).await;
    assert_eq!(streamed, told(r#"None None false b"a-b""#));
    for refuses in [Refuses::AtOnce, Refuses::AtTheEnd] {
        let check = Dashes { refuses, ..AS_IS };
        assert_eq!(ask(check, near("0123456789x"), &[]).await, refused(1));
        assert_eq!(ask(check, Pieces::of(&["a", "x"]), &[]).await, refused(1));
    }
}

const FRAMED: &[(&str, &str)] = &[("content-length", "5"), ("dashes", "two")];

#[tokio::test]
async fn the_head_is_that_of_what_the_handler_reads() {
    let pieces = || Pieces::of(&["a-", "b-c"]);
    let check = |told_: Told, expected: &str| assert_eq!(told_, told(expected));
    let known = replacing(Some(3));
    check(ask(known, near("a-b-c"), FRAMED).await, r#"Some("3") Some(3) false b"abc""#);
    check(ask(known, pieces(), FRAMED).await, r#"Some("3") Some(3) false b"abc""#);
    // of an unknown length there is no field
    check(ask(replacing(None), near("a-b-c"), FRAMED).await, r#"Some("3") Some(3) false b"abc""#);
    check(ask(replacing(None), pieces(), FRAMED).await, r#"None None false b"abc""#);
    // a check that only looks on changes nothing
    check(ask(AS_IS, near("a-b-c"), FRAMED).await, r#"Some("5") Some(5) true b"a-b-c""#);
    // where HTTP frames the body itself there is no length beside it
    let chunked = [("transfer-encoding", "chunked"), ("content-length", "5"), ("dashes", "two")];
    check(ask(known, near("a-b-c"), &chunked).await, r#"None Some(3) false b"abc""#);
    check(ask(known, near("a-b-c"), &[("dashes", "two")]).await, r#"None Some(3) false b"abc""#);
}

/// A reader that counts what it gets takes the last byte for the end.
#[tokio::test]
async fn of_a_known_length_the_last_piece_is_held_back_until_the_check_has_passed() {
    for (pieces, seen) in [(&["a-", "b-", "x"][..], &["a", "b"][..]), (&["abx"], &[])] {
        let body = Pieces::of(pieces);
        let service = service_fn(|request: Request<CheckedBody<Pieces>>| async move {
            let mut body = request.into_body();
            let mut read = Vec::new();
            while let Some(Ok(frame)) = body.frame().await {
                read.push(frame.into_data().unwrap());
            }
            assert!(body.frame().await.is_none() && body.is_end_stream(), "after the error");
            let mut response = Response::new(Full::new(Bytes::new()));
            response.extensions_mut().insert(read);
            Ok::<_, Infallible>(response)
        });
        let layer = VerifyLayer::new(verifier_fn(
            |_| Presence::Present,
            |_| Flow::ready(Ok(Accepted::new("Word", ()).with_body(replacing(Some(3))))),
        ));
        // The refusal is the answer, so what the handler saw is told by the handler itself.
        let told = Arc::new(std::sync::Mutex::new(Vec::new()));
        let tells = Arc::clone(&told);
        let service = service.map_response(move |response: Response<Full<Bytes>>| {
            tells.lock().unwrap().extend(response.extensions().get::<Vec<Bytes>>().cloned());
            response
        });
        let answer = layer.layer(service).oneshot(Request::new(body)).await.unwrap();
        assert_eq!(answer.status(), 403);
        assert_eq!(answer.headers()["connection"], "close", "the next request may be lost");
        assert_eq!(*told.lock().unwrap(), [seen]);
    }
}

#[tokio::test]
async fn a_piece_that_is_held_back_is_still_to_come() {
    /// Comes to no end.
    struct Stuck(std::slice::Iter<'static, &'static str>);

    impl http_body::Body for Stuck {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            match self.0.next() {
                Some(piece) => {
                    Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(piece.as_bytes())))))
                }
                None => Poll::Pending,
            }
        }
    }

    let layer = VerifyLayer::new(verifier_fn(
        |_| Presence::Present,
        |_| Flow::ready(Ok(Accepted::new("Word", ()).with_body(replacing(Some(3))))),
    ));
    let service = layer.layer(service_fn(async |request: Request<CheckedBody<Stuck>>| {
        let (mut body, mut context) = (request.into_body(), Context::from_waker(Waker::noop()));
        let mut told = vec![body.size_hint().exact()];
        while Pin::new(&mut body).poll_frame(&mut context).is_ready() {
            told.push(body.size_hint().exact());
        }
        told.push(body.size_hint().exact());
        let told = format!("{told:?} {}", body.is_end_stream());
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(told))))
    }));
    let answer = service.oneshot(Request::new(Stuck(["a-", "-bc"].iter()))).await.unwrap();
    assert_eq!(text(answer).await, "[Some(3), Some(2), Some(2)] false");
}

/// A body of pieces with a trailer field behind them, of which one knows how long it is.
struct Trailing(std::vec::IntoIter<Frame<Bytes>>, Option<u64>);

impl Trailing {
    fn of(pieces: &[&'static str], length: Option<u64>) -> Self {
        let frames = pieces.iter().map(|piece| Frame::data(Bytes::from(*piece)));
        let trailers = HeaderMap::from_iter([(header::ETAG, HeaderValue::from_static("\"1\""))]);
        Self(frames.chain([Frame::trailers(trailers)]).collect::<Vec<_>>().into_iter(), length)
    }
}

impl http_body::Body for Trailing {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.next().map(Ok))
    }

    fn size_hint(&self) -> SizeHint {
        self.1.map_or_else(SizeHint::new, SizeHint::with_exact)
    }
}

/// What a reader gets that stops where the body says that it ends.
async fn read<V>(verifier: V, body: Trailing) -> (u16, String)
where
    V: Verifier<Principal = ()> + 'static,
{
    let layer = VerifyLayer::new(verifier).with_buffer_limit(MOST);
    let service = layer.layer(service_fn(async |request: Request<CheckedBody<Trailing>>| {
        let mut body = request.into_body();
        let mut read = Vec::new();
        while !body.is_end_stream() {
            let Some(frame) = body.frame().await else { break };
            read.push(match frame?.into_data() {
                Ok(data) => String::from_utf8(data.into()).unwrap(),
                Err(_) => String::from("trailers"),
            });
        }
        Ok::<_, BoxError>(Response::new(Full::new(Bytes::from(read.join(" ")))))
    }));
    let answer = service.oneshot(Request::new(body)).await.unwrap();
    (answer.status().as_u16(), text(answer).await)
}

/// Anybody who can change a request on its way could add them.
#[tokio::test]
async fn trailers_that_no_credentials_cover_do_not_come_with_a_body_that_they_do() {
    let checked = |check: Dashes| {
        verifier_fn(
            |_| Presence::Present,
            move |_| Flow::ready(Ok(Accepted::new("Word", ()).with_body(check))),
        )
    };
    for (check, last, length, expected) in [
        (replacing(Some(2)), "b", None, (200, "a b")),
        (replacing(None), "b", None, (200, "a b")),
        (AS_IS, "b", None, (200, "a- b")),
        (AS_IS, "b", Some(3), (200, "a-b")),
        (replacing(Some(2)), "b", Some(3), (200, "ab")),
        (replacing(Some(2)), "x", None, (403, "Forbidden\n")),
    ] {
        let told = read(checked(check), Trailing::of(&["a-", last], length)).await;
        assert_eq!(told, (expected.0, expected.1.to_owned()), "{:?} {length:?}", check.content);
    }
    for length in [None, Some(2)] {
        let told = read(Reads(Need::Bytes { limit: 5 }), Trailing::of(&["a", "b"], length)).await;
        assert_eq!(told, (200, String::from("ab")), "a verifier read it: {length:?}");
        let told = read(Reads(Need::Nothing), Trailing::of(&["a", "b"], length)).await;
        assert_eq!(told, (200, String::from("a b trailers")), "nobody vouched for any of it");
    }
}

/// Judges the bytes of a body, if it needs them.
struct Reads(Need);

impl Verifier for Reads {
    type Principal = ();

    fn presence(&self, _: RequestView<'_>) -> Presence {
        Presence::Present
    }

    fn needs(&self, _: RequestView<'_>) -> Need {
        self.0
    }

    fn verify<'a>(&'a self, _: RequestView<'a>) -> Flow<'a, Outcome<()>> {
        Flow::ready(Ok(Accepted::new("Word", ())))
    }
}

/// The check sees them, so one that covers trailers may refuse them.
#[tokio::test]
async fn a_check_sees_the_trailers_that_the_handler_does_not() {
    struct Wants;

    impl BodyCheck for Wants {
        fn update(&mut self, _: &[u8]) -> Result<ReleasedBytes, Rejection> {
            Ok(ReleasedBytes::AsIs)
        }

        fn finish(self: Box<Self>, trailers: Option<&HeaderMap>) -> Result<(), Rejection> {
            match trailers {
                Some(trailers) if trailers.contains_key(header::ETAG) => Ok(()),
                _ => Err(Rejection::forbidden(LETTER)),
            }
        }
    }

    for length in [None, Some(1)] {
        let verifier = verifier_fn(
            |_| Presence::Present,
            |_| Flow::ready(Ok(Accepted::new("Word", ()).with_body(Wants))),
        );
        let told = read(verifier, Trailing::of(&["a"], length)).await;
        assert_eq!(told, (200, String::from("a")));
    }
}

/// A handler that replies with the body of its request is answered before that body was read.
#[tokio::test]
async fn an_echo_streams_and_breaks_with_its_check() {
    for (pieces, whole) in [(&["a", "b"][..], true), (&["a", "x"], false)] {
        let layer = VerifyLayer::new(verifier_fn(
            |_| Presence::Present,
            |_| Flow::ready(Ok(Accepted::new("Word", ()).with_body(AS_IS))),
        ));
        let service = layer.layer(service_fn(|request: Request<CheckedBody<Pieces>>| async {
            Ok::<_, Infallible>(Response::new(request.into_body()))
        }));
        let answer = service.oneshot(Request::new(Pieces::of(pieces))).await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.into_body().collect().await.is_ok(), whole);
    }
}
