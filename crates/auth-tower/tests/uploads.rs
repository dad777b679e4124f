//! Uploads whose payload is signed chunk by chunk (`aws-chunked`), as a handler behind the layer sees them.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use auth_core::Timestamp;
use auth_sigv4::{
    AccessKey, AccessKeys, AwsService, Checksum, Payload, RawRequest as Signable, SigV4Policy,
    SigV4Signer, SigV4Verifier, Trailer,
};
use auth_tower::{BoxError, CheckedBody, VerifyLayer};
use bytes::Bytes;
use common::text;
use http::{HeaderMap, HeaderValue, Request, Response, header::HOST};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tower::{Layer, ServiceExt, service_fn};

const NOW: Timestamp = Timestamp::from_unix(1_440_938_160);
const CONTENT: &[u8] = b"what is uploaded, in pieces";

fn key() -> AccessKey {
    AccessKey::new("AKID", "secret").unwrap()
}

/// The head that is sent, and the payload as it is framed.
fn signed() -> (HeaderMap, Vec<u8>) {
    let signer = SigV4Signer::new(key(), "eu-west-1", AwsService::S3).unwrap();
    let signable = Signable {
        method: "PUT",
        target: b"/k",
        headers: &[("host", b"a.example"), ("content-encoding", b"aws-chunked,gzip")],
        payload: Payload::Streamed,
    };
    let length = u64::try_from(CONTENT.len()).unwrap();
    let trailer = Trailer::Signed(Checksum::Crc32);
    let mut stream = signer.sign_stream(&signable, NOW, length, trailer).unwrap();
    let mut wire = stream.chunks.update(CONTENT);
    wire.extend(stream.chunks.finish());
    let mut headers = HeaderMap::from_iter(stream.fields);
    headers.insert(HOST, HeaderValue::from_static("a.example"));
    headers.entry("content-encoding").or_insert(HeaderValue::from_static("aws-chunked,gzip"));
    (headers, wire)
}

/// The status, what the handler tells of its head and content, and how often it ran.
async fn upload<B>(headers: HeaderMap, body: B) -> (u16, String, usize)
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let handled = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&handled);
    let keys = AccessKeys::new([(key(), "acme")]);
    let policy = SigV4Policy::new(AwsService::S3, "eu-west-1").unwrap();
    let layer = VerifyLayer::new(SigV4Verifier::new(policy, keys, NOW));
    let service = layer.layer(service_fn(move |request: Request<CheckedBody<B>>| {
        count.fetch_add(1, Ordering::SeqCst);
        async move {
            let (head, body) = request.into_parts();
            let content = body.collect().await?.to_bytes();
            let field = |name| head.headers.get(name).map(|value| value.to_str().unwrap());
            let told = format!(
                "{:?} {:?} {:?} {:?} {content:?}",
                field("content-length"),
                field("content-encoding"),
                field("x-amz-decoded-content-length"),
                field("x-amz-trailer"),
            );
            Ok::<_, BoxError>(Response::new(Full::new(Bytes::from(told))))
        }
    }));
    let mut request = Request::put("/k").body(body).unwrap();
    *request.headers_mut() = headers;
    let answer = service.oneshot(request).await.unwrap();
    let status = answer.status().as_u16();
    (status, text(answer).await, handled.load(Ordering::SeqCst))
}

/// A body of unknown length, in pieces of this size.
fn pieces(
    wire: Vec<u8>,
    size: usize,
) -> impl http_body::Body<Data = Bytes, Error = Infallible> + Send + 'static {
    let pieces: Vec<_> = wire.chunks(size).map(Bytes::copy_from_slice).collect();
    let frames = pieces.into_iter().map(|piece| Ok(Frame::data(piece)));
    StreamBody::new(futures_util::stream::iter(frames))
}

#[tokio::test]
async fn a_handler_reads_the_content_under_the_head_of_the_content() {
    let length = CONTENT.len().to_string();
    let content = Bytes::from_static(CONTENT);
    let expected = format!("{:?} {:?} None None {content:?}", Some(&*length), Some("gzip"));
    let (headers, wire) = signed();
    let near = upload(headers.clone(), Full::new(Bytes::from(wire.clone()))).await;
    assert_eq!(near, (200, expected.clone(), 1));
    for size in [1, 7, 1000] {
        let streamed = upload(headers.clone(), pieces(wire.clone(), size)).await;
        assert_eq!(streamed, (200, expected.clone(), 1));
    }
}

#[tokio::test]
async fn a_changed_upload_is_refused_before_the_handler_or_in_spite_of_it() {
    let (headers, wire) = signed();
    for at in [wire.len() / 2, wire.len() - 3] {
        let mut changed = wire.clone();
        *changed.get_mut(at).unwrap() ^= 1;
        let near = upload(headers.clone(), Full::new(Bytes::from(changed.clone()))).await;
        assert_eq!(near, (403, String::from("Forbidden\n"), 0));
        let streamed = upload(headers.clone(), pieces(changed, 7)).await;
        assert_eq!(streamed, (403, String::from("Forbidden\n"), 1));
    }
}
