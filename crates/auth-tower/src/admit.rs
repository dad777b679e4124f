//! What becomes of a body that has to pass a check, before the handler is asked.

use crate::{
    BoxError, BufferedBody,
    checked::Check,
    judge::{Door, whole},
};
use auth_core::{BodyCheck, CheckedContent, Event, Rejection, ReleasedBytes};
use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue,
    header::{CONTENT_LENGTH, TRANSFER_ENCODING},
    request::Parts,
};
use http_body::Body;
use std::{future::Future, pin::Pin};

/// Judges a body whose end is near; one that is long, or of unknown length, has its check still before it.
///
/// The head becomes that of what the handler reads. The future is in a box of its own, as few requests need it.
#[cold]
pub(crate) fn admit<V, B>(
    door: &Door<V>,
    head: &mut Parts,
    body: &mut BufferedBody<B>,
    check: Box<dyn BodyCheck>,
) -> Pin<Box<impl Future<Output = Result<Option<Check>, Rejection>>>>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    Box::pin(async move {
        let content = check.content();
        if content != CheckedContent::AsIs {
            check.unframe(&mut head.headers);
        }
        let exact = body.size_hint().exact();
        let near = exact.and_then(|length| usize::try_from(length).ok());
        let (length, left) = match near.filter(|length| *length <= door.most_buffered) {
            Some(limit) => {
                let judged = judge(body, check, limit).await.inspect_err(|rejection| {
                    door.observer.observe(Event::BodyRejected(rejection));
                })?;
                (judged, None)
            }
            None => {
                let length = match content {
                    CheckedContent::AsIs => exact,
                    CheckedContent::Replaced { length } => length,
                };
                let drain = door.drain.apply(head.version);
                (length, Some(Check::new(check, length, door.observer.clone(), drain)))
            }
        };
        if content != CheckedContent::AsIs {
            correct(&mut head.headers, length);
        }
        Ok(left)
    })
}

/// The length of what the handler may read, if the check passes.
async fn judge<B>(
    body: &mut BufferedBody<B>,
    mut check: Box<dyn BodyCheck>,
    limit: usize,
) -> Result<Option<u64>, Rejection>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    let wire = whole(body, limit).await?;
    if let ReleasedBytes::Instead(content) = check.update(&wire)? {
        body.replace(content.into());
    }
    check.finish(body.trailers())?;
    body.drop_trailers();
    Ok(body.size_hint().exact())
}

/// Makes `Content-Length` that of the content, where there was one.
fn correct(headers: &mut HeaderMap, length: Option<u64>) {
    if headers.remove(CONTENT_LENGTH).is_none() || headers.contains_key(TRANSFER_ENCODING) {
        return;
    }
    if let Some(length) = length {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
}
