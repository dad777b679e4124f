//! What a client that is still sending sees of its refusal, over real connections.
#![allow(clippy::unwrap_used, missing_docs)]

use auth_core::*;
use auth_tower::VerifyLayer;
use axum::{Router, body::Bytes, routing::post};
use std::time::{Duration, Instant};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};

/// Refuses every request by its head; or accepts it, on condition that its body passes a check which refuses the first
/// piece.
#[derive(Clone, Copy)]
enum Refuses {
    Head,
    Body,
}

struct Never;

const WRONG: Reason = Reason::new("test_wrong", "signature is wrong");

impl BodyCheck for Never {
    fn content(&self) -> CheckedContent {
        CheckedContent::AsIs
    }

    fn update(&mut self, _: &[u8]) -> Result<ReleasedBytes, Rejection> {
        Err(Rejection::forbidden(WRONG))
    }

    fn finish(self: Box<Self>, _: Option<&http::HeaderMap>) -> Result<(), Rejection> {
        Err(Rejection::forbidden(WRONG))
    }
}

impl Verifier for Refuses {
    type Principal = ();

    fn presence(&self, _: RequestView<'_>) -> Presence {
        Presence::Present
    }

    fn verify<'a>(&'a self, _: RequestView<'a>) -> Flow<'a, Outcome<()>> {
        Flow::ready(match self {
            Self::Head => Err(Rejection::forbidden(WRONG)),
            Self::Body => Ok(Accepted::new("Test", ()).with_body(Never)),
        })
    }
}

/// A connection to a server behind this layer.
async fn connect(layer: VerifyLayer<Refuses>) -> TcpStream {
    let app = Router::new().route("/", post(|_: Bytes| async { "never" })).layer(layer);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    TcpStream::connect(address).await.unwrap()
}

fn layer(refuses: Refuses) -> VerifyLayer<Refuses> {
    // A body of this size is checked as it streams.
    VerifyLayer::new(refuses).with_buffer_limit(1024)
}

/// Announces a body, with these header fields.
async fn announce(to: &mut TcpStream, length: usize, fields: &str) {
    let head =
        format!("POST / HTTP/1.1\r\nhost: a.example\r\ncontent-length: {length}\r\n{fields}\r\n");
    to.write_all(head.as_bytes()).await.unwrap();
}

/// Announces a body and waits until the server wants it.
async fn announce_and_wait(to: &mut TcpStream, length: usize) {
    announce(to, length, "expect: 100-continue\r\n").await;
    let mut told = [0; 25];
    to.read_exact(&mut told).await.unwrap();
    assert_eq!(&told, b"HTTP/1.1 100 Continue\r\n\r\n");
}

/// All that comes until the server closes, or until nothing comes for a second.
async fn rest(from: &mut TcpStream) -> std::io::Result<String> {
    let mut all = Vec::new();
    match timeout(Duration::from_secs(1), from.read_to_end(&mut all)).await {
        Ok(read) => read.map(|_| ()),
        Err(_) => Ok(()),
    }?;
    Ok(String::from_utf8(all).unwrap())
}

/// Sends a body slowly, in 20 pieces, as a client does that reads the answer when it has sent everything.
async fn upload(to: &mut TcpStream, length: usize) -> std::io::Result<String> {
    let piece = vec![b'x'; length / 20];
    for _ in 0..20 {
        sleep(Duration::from_millis(2)).await;
        to.write_all(&piece).await?;
    }
    rest(to).await
}

#[tokio::test]
async fn a_client_that_is_still_sending_sees_its_refusal() {
    for refuses in [Refuses::Head, Refuses::Body] {
        // A machine under load sends slowly.
        let patient = layer(refuses).with_refused_body_drain(64 * 1024, Duration::from_secs(60));
        let mut client = connect(patient).await;
        announce(&mut client, 60_000, "").await;
        sees_its_refusal(&mut client, 60_000).await;
    }
}

/// `expect` is not all that counts: this client was told to continue, and sends.
#[tokio::test]
async fn so_does_one_that_was_told_to_continue() {
    let patient = layer(Refuses::Body).with_refused_body_drain(64 * 1024, Duration::from_secs(60));
    let mut client = connect(patient).await;
    announce_and_wait(&mut client, 60_000).await;
    sees_its_refusal(&mut client, 60_000).await;
}

async fn sees_its_refusal(client: &mut TcpStream, length: usize) {
    let answer = upload(client, length).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
    assert!(answer.ends_with("\r\n\r\nForbidden\n"), "{answer}");
}

#[tokio::test]
async fn the_head_of_a_refusal_does_not_wait_for_the_body() {
    let mut client = connect(layer(Refuses::Head)).await;
    announce(&mut client, 60_000, "").await;
    let mut first = [0; 12];
    client.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 403");
}

#[tokio::test]
async fn a_body_that_has_arrived_leaves_its_connection_open() {
    let mut client = connect(layer(Refuses::Head)).await;
    for _ in 0..3 {
        let request = "POST / HTTP/1.1\r\nhost: a.example\r\ncontent-length: 5\r\n\r\nhello";
        client.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        while !answer.ends_with("Forbidden\n") {
            let mut byte = [0];
            client.read_exact(&mut byte).await.unwrap();
            answer.push(byte[0].into());
        }
        assert!(!answer.contains("connection: close"), "{answer}");
    }
}

#[tokio::test]
async fn what_is_read_on_is_bounded_in_bytes_and_in_time() {
    // A body that is too long by far breaks off soon after the limit, however fast it comes.
    let mut client =
        connect(layer(Refuses::Head).with_refused_body_drain(1000, Duration::MAX)).await;
    announce(&mut client, usize::MAX, "").await;
    let piece = vec![b'x'; 64 * 1024];
    let broke =
        timeout(Duration::from_secs(20), async { while client.write_all(&piece).await.is_ok() {} });
    assert!(broke.await.is_ok());
    // One that stops coming is waited for as long as was set.
    for wait in [0, 300] {
        let wait = Duration::from_millis(wait);
        let mut client = connect(layer(Refuses::Head).with_refused_body_drain(1000, wait)).await;
        let began = Instant::now();
        announce(&mut client, 1000, "").await;
        let answer = rest(&mut client).await.unwrap();
        assert!(answer.ends_with("Forbidden\n"), "{answer}");
        assert!(began.elapsed() >= wait, "{wait:?}");
    }
}

#[tokio::test]
async fn a_client_that_waits_to_be_told_to_continue_is_refused_at_once() {
    let layer = layer(Refuses::Head).with_refused_body_drain(1000, Duration::MAX);
    let mut client = connect(layer).await;
    announce(&mut client, 1000, "expect: 100-continue\r\n").await;
    let answer = rest(&mut client).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 403 ") && answer.ends_with("Forbidden\n"), "{answer}");
}

/// It ends a request and keeps the connection, whose window must not fill up with what nobody reads.
#[tokio::test]
async fn over_http_2_each_upload_sees_its_refusal_and_the_connection_serves_on() {
    for refuses in [Refuses::Head, Refuses::Body] {
        let stream = connect(layer(refuses)).await;
        let (mut client, connection) = h2::client::handshake(stream).await.unwrap();
        tokio::spawn(connection);
        for _ in 0..20 {
            client = client.ready().await.unwrap();
            let request = http::Request::post("http://a.example/").body(()).unwrap();
            let (answer, mut upload) = client.send_request(request, false).unwrap();
            // More than a window: the last of it is never sent.
            upload.send_data(vec![b'x'; 1024 * 1024].into(), true).unwrap();
            let answer = timeout(Duration::from_secs(20), answer).await.unwrap().unwrap();
            assert_eq!(answer.status(), 403);
            assert!(!answer.headers().contains_key("connection"));
            let mut body = answer.into_body();
            assert_eq!(body.data().await.unwrap().unwrap(), "Forbidden\n");
        }
    }
}
