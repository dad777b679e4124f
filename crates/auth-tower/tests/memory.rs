//! What the server layer holds for callers who have proved nothing yet, counted as the allocator counts it; and what it
//! allocates for one who has.
#![allow(clippy::unwrap_used, missing_docs)]

use auth_core::*;
use auth_tower::{BufferedBody, CheckedBody, VerifyLayer};
use axum::{Router, routing::post};
use bytes::Bytes;
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, Empty};
use std::{
    convert::Infallible,
    future::Future,
    net::SocketAddr,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
    thread,
    time::Duration,
};
use tokio::{io::AsyncWriteExt, net::TcpListener, net::TcpStream};
use tower::{Layer, Service, service_fn};

const LIMIT: usize = 2 * 1024 * 1024;

/// Needs the whole body of every request, as the verifier of a body signature does.
struct Signature;

impl Verifier for Signature {
    type Principal = ();

    fn presence(&self, _: RequestView<'_>) -> Presence {
        Presence::Present
    }

    fn needs(&self, _: RequestView<'_>) -> Need {
        Need::Bytes { limit: LIMIT }
    }

    fn verify<'a>(&'a self, _: RequestView<'a>) -> Flow<'a, Outcome<()>> {
        Flow::ready(Err(Rejection::forbidden(Reason::new("test_wrong", "signature is wrong"))))
    }
}

fn verified() -> Router {
    Router::new().route("/", post(|| async { "ok" })).layer(VerifyLayer::new(Signature))
}

/// The most bytes that a server held while `client` sent its bodies and left them unfinished.
///
/// The server has this thread for itself, so that what the client allocates is not counted.
fn held<F>(app: Router, client: impl FnOnce(SocketAddr) -> F + Send + 'static) -> usize
where
    F: Future<Output = ()>,
{
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let server = runtime();
    let listener = server.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    let (done, finished) = tokio::sync::oneshot::channel::<()>();
    let client = thread::spawn(move || {
        runtime().block_on(client(address));
        done.send(()).unwrap();
    });
    let counted = allocation_counter::measure(|| {
        server.block_on(async {
            tokio::select! {
                served = axum::serve(listener, app) => served.unwrap(),
                told = finished => told.unwrap(),
            }
        });
    });
    client.join().unwrap();
    counted.bytes_max.try_into().unwrap()
}

const CONNECTIONS: usize = 4;
const PIECES: usize = 256 * 1024;

/// Twice what was sent, as a buffer that doubles holds it while it grows, and the servers' own buffers.
const ALLOWED: usize = 4 * CONNECTIONS * PIECES;

/// Sends a head and a body without an end, and waits until the server has taken it in.
async fn send(address: SocketAddr, head: &str, body: &[u8], times: usize) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!("POST / HTTP/1.1\r\nhost: a\r\n{head}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    for _ in 0..times {
        stream.write_all(body).await.unwrap();
    }
    stream
}

async fn settle() {
    tokio::time::sleep(Duration::from_millis(500)).await;
}

#[test]
fn chunks_of_one_byte_cost_what_they_hold_over_http_1() {
    let held = held(verified(), |address| async move {
        let chunks = "1\r\nx\r\n".repeat(1024);
        let mut open = Vec::new();
        for _ in 0..CONNECTIONS {
            let head = "transfer-encoding: chunked";
            open.push(send(address, head, chunks.as_bytes(), PIECES / 1024).await);
        }
        settle().await;
    });
    assert!(held < ALLOWED, "{held} bytes held");
}

/// As many frames as h2 lets one connection send before it ends it.
const FRAMES: usize = 3072;

async fn send_frames_of_one_byte(address: SocketAddr) {
    let mut open = Vec::new();
    for _ in 0..16 {
        let stream = TcpStream::connect(address).await.unwrap();
        let (client, connection) = h2::client::handshake(stream).await.unwrap();
        tokio::spawn(connection);
        let request = Request::post(format!("http://{address}/")).body(()).unwrap();
        let mut client = client.ready().await.unwrap();
        let (_, mut body) = client.send_request(request, false).unwrap();
        for sent in 0..FRAMES {
            body.send_data(Bytes::from_static(b"x"), false).unwrap();
            if sent % 64 == 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        open.push((client, body));
    }
    settle().await;
}

#[test]
fn frames_of_one_byte_cost_what_they_hold_over_http_2() {
    let drops = || {
        let read = |mut body: axum::body::Body| async move {
            while let Some(Ok(_)) = body.frame().await {}
        };
        Router::new().route("/", post(read))
    };
    // Frames that wait beneath the server are counted too, and on a busy machine more of them wait: the least of three
    // counts has the fewest.
    let least = |app: &dyn Fn() -> Router| {
        (0..3).map(|_| held(app(), send_frames_of_one_byte)).min().unwrap()
    };
    let (kept, dropped) = (least(&verified), least(&drops));
    assert!(kept < dropped + 1024 * 1024, "{kept} bytes held, {dropped} without verifying");
}

#[test]
fn a_length_that_is_only_announced_costs_nothing() {
    let held = held(verified(), |address| async move {
        let mut open = Vec::new();
        for _ in 0..32 {
            open.push(send(address, &format!("content-length: {LIMIT}"), b"x", 1).await);
        }
        settle().await;
    });
    assert!(held < LIMIT, "{held} bytes held");
}

/// `count` pieces, one after the other, each cut from a buffer of its own.
struct Drip {
    count: usize,
    buffer: usize,
    piece: usize,
}

impl http_body::Body for Drip {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.count == 0 {
            return Poll::Ready(None);
        }
        self.count -= 1;
        let buffer = Bytes::from(vec![b'x'; self.buffer]);
        Poll::Ready(Some(Ok(Frame::data(buffer.slice(..self.piece)))))
    }
}

#[track_caller]
fn check(drip: Drip, limit: usize, whole: bool, most: u64) {
    let counted = allocation_counter::measure(|| {
        let mut body = BufferedBody::untouched(drip);
        let told = {
            let mut filling = pin!(body.fill(limit));
            filling.as_mut().poll(&mut Context::from_waker(Waker::noop()))
        };
        assert!(matches!(told, Poll::Ready(Ok(told)) if told == whole));
    });
    assert!(counted.bytes_max < most, "{} bytes", counted.bytes_max);
}

#[test]
fn a_body_in_pieces_costs_no_more_than_its_bytes_and_their_copy() {
    // a small piece does not keep the buffer that it was cut from
    check(Drip { count: 64, buffer: 64 * 1024, piece: 1 }, LIMIT, true, 70 * 1024);
    check(Drip { count: 1, buffer: 64 * 1024, piece: 1 }, LIMIT, true, 70 * 1024);
    // twice the content while it grows
    check(Drip { count: 1024, buffer: 1024, piece: 1024 }, LIMIT, true, 2 * 1024 * 1024);
    // empty ones are nothing
    check(Drip { count: 100_000, buffer: 1, piece: 0 }, 16, true, 1024);
    // no more than the limit and the piece that went over it
    check(Drip { count: 1024, buffer: 1024, piece: 1024 }, 64 * 1024, false, 140 * 1024);
}

#[test]
fn a_request_costs_the_future_and_the_principal() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let count = |work: &mut dyn FnMut()| {
        work();
        allocation_counter::measure(work).count_total
    };
    let request = || {
        let mut request = Request::new(Empty::<Bytes>::new());
        // Where a server puts the address of the peer, for one.
        request.extensions_mut().insert(7_u32);
        request
    };
    let mut bare = service_fn(|_: Request<Empty<Bytes>>| async {
        Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
    });
    let alone = count(&mut || drop(runtime.block_on(bare.call(request())).unwrap()));
    let anyone =
        verifier_fn(|_| Presence::Present, |_| Flow::ready(Ok(Accepted::new("None", 7_u64))));
    let mut layered =
        VerifyLayer::new(anyone).layer(service_fn(|_: Request<CheckedBody<Empty<Bytes>>>| async {
            Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
        }));
    let with = count(&mut || drop(runtime.block_on(layered.call(request())).unwrap()));
    assert_eq!(with - alone, 2);
}
