//! Reads an answer's body as far as a scheme must see it, and gives the answer back whole.

use crate::failure::transport;
use auth_core::{AnswerBodyLimit, Need, Result};
use auth_outbound::ConnectionPath;
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt, stream};
use http::HeaderMap;
use http_body::Frame;
use http_body_util::{BodyExt, BodyStream, StreamBody};
use reqwest::{Body, Response, ResponseBuilderExt, Url};

/// What was read of an answer's body.
#[derive(Default)]
pub(crate) struct Read {
    /// All of it, when it was asked for and within the limit.
    pub(crate) body: Option<Bytes>,
    pub(crate) trailers: Option<HeaderMap>,
}

pub(crate) async fn read(answer: Response, need: Need) -> Result<(Response, Read)> {
    let Some(part) = AnswerBodyLimit::of(need, answer.status(), answer.content_length()) else {
        return Ok((answer, Read::default()));
    };
    let url = answer.url().clone();
    let (head, mut body) = http::Response::from(answer).into_parts();
    let (mut bytes, mut trailers) = (BytesMut::new(), None);
    let end = fill(&url, &mut body, &mut bytes, &mut trailers, part.limit);
    // It is given up without a loss: what it has read is in here.
    let ended = match part.within {
        None => end.await?,
        Some(patience) => tokio::time::timeout(patience, end).await.unwrap_or(Ok(false))?,
    };
    let (bytes, last) =
        (bytes.freeze(), stream::iter(trailers.clone().map(Frame::trailers).map(Ok)));
    if ended {
        let body = match &trailers {
            None => Body::from(bytes.clone()),
            Some(_) => begun_with(bytes.clone(), last),
        };
        return Ok((rebuild(head, body, url), Read { body: Some(bytes), trailers }));
    }
    // Too long to be read, or it does not end: what was taken off goes back in its place.
    let body = begun_with(bytes, BodyStream::new(body).chain(last));
    Ok((rebuild(head, body, url), Read::default()))
}

/// A body of these bytes and what follows them, trailer fields included.
fn begun_with(
    first: Bytes,
    rest: impl Stream<Item = Result<Frame<Bytes>, reqwest::Error>> + Send + Sync + 'static,
) -> Body {
    let first = stream::iter([Ok(Frame::data(first))]);
    Body::wrap(StreamBody::new(first.chain(rest)))
}

/// Reads to the end of a body, or until more than `limit` bytes came; says whether the end was reached.
async fn fill(
    url: &Url,
    body: &mut Body,
    bytes: &mut BytesMut,
    trailers: &mut Option<HeaderMap>,
    limit: usize,
) -> Result<bool> {
    while bytes.len() <= limit {
        let frame = body.frame().await.transpose();
        match frame
            .map_err(|error| transport(ConnectionPath::Direct, url, error))?
            .map(Frame::into_data)
        {
            None => return Ok(true),
            Some(Ok(data)) => bytes.extend_from_slice(&data),
            Some(Err(frame)) => *trailers = frame.into_trailers().ok(),
        }
    }
    Ok(false)
}

/// The answer as one to this URL: that of the caller, since reqwest shows it in its errors, and the one that was sent may
/// hold a credential.
pub(crate) fn answer_to(url: &Url, answer: Response) -> Response {
    let (head, body) = http::Response::from(answer).into_parts();
    rebuild(head, body, url.clone())
}

fn rebuild(head: http::response::Parts, body: Body, url: Url) -> Response {
    let mut answer = http::Response::builder().url(url).body(body).unwrap_or_default();
    (*answer.status_mut(), *answer.version_mut()) = (head.status, head.version);
    *answer.headers_mut() = head.headers;
    answer.extensions_mut().extend(head.extensions);
    answer.into()
}
