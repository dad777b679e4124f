//! Reads an answer's body as far as a scheme must see it, and gives the answer back whole.

use crate::failure::transport;
use auth_core::{Need, Result};
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream};
use http::HeaderMap;
use http_body_util::BodyExt;
use reqwest::{Body, Response, ResponseBuilderExt};

/// What was read of an answer's body.
#[derive(Default)]
pub(crate) struct Read {
    /// All of it, when it was asked for and within the limit.
    pub(crate) body: Option<Bytes>,
    pub(crate) trailers: Option<HeaderMap>,
}

pub(crate) async fn read(answer: Response, need: Need) -> Result<(Response, Read)> {
    let limit = match need {
        Need::Nothing => return Ok((answer, Read::default())),
        Need::Bytes { limit } => limit,
    };
    let url = answer.url().clone();
    let (head, mut body) = http::Response::from(answer).into_parts();
    let (mut bytes, mut trailers) = (BytesMut::new(), None);
    while bytes.len() <= limit {
        match body.frame().await.transpose().map_err(transport)?.map(http_body::Frame::into_data) {
            None => {
                let bytes = bytes.freeze();
                let answer = rebuild(head, Body::from(bytes.clone()), url);
                return Ok((answer, Read { body: Some(bytes), trailers }));
            }
            Some(Ok(data)) => bytes.extend_from_slice(&data),
            Some(Err(frame)) => trailers = frame.into_trailers().ok(),
        }
    }
    // Too long to be read: what was taken off goes back in front.
    let first = stream::once(async { Ok::<_, reqwest::Error>(bytes.freeze()) });
    let rest = Body::wrap_stream(first.chain(body.into_data_stream()));
    Ok((rebuild(head, rest, url), Read::default()))
}

fn rebuild(head: http::response::Parts, body: Body, url: reqwest::Url) -> Response {
    let mut answer = http::Response::builder().url(url).body(body).unwrap_or_default();
    (*answer.status_mut(), *answer.version_mut()) = (head.status, head.version);
    *answer.headers_mut() = head.headers;
    answer.into()
}
