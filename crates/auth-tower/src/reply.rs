//! What a refused caller gets to see.

use crate::{
    BoxError, BufferedBody, ReplyBody,
    drain::{Drain, DrainLimits, Drained},
    judge::{Door, Refused},
};
use auth_core::{Error, Rejection, retry_after_seconds};
use bytes::Bytes;
use http::{
    HeaderValue, Response, StatusCode, Version,
    header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE, EXPECT, RETRY_AFTER, WWW_AUTHENTICATE},
    request::Parts,
};
use http_body::Body;
use std::{
    future::{Future, poll_fn},
    pin::Pin,
    task::Poll,
    time::Duration,
};

/// The answer to a request that the handler does not see.
///
/// When its body has arrived, the connection serves on. When it has not, the answer says that it is the last one on its
/// connection, and its own body waits while a part of the request's body is read on.
///
/// The future is in a box of its own, as no accepted request needs it.
#[cold]
pub(crate) fn refusal<B, R>(
    answer: Response<BufferedBody<R>>,
    head: Parts,
    mut body: BufferedBody<B>,
    limits: DrainLimits,
) -> Pin<Box<impl Future<Output = Response<ReplyBody<R>>>>>
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    Box::pin(async move {
        let mut answer = answer.map(ReplyBody::new);
        if body.has_arrived() {
            return answer;
        }
        // A server says `100 Continue` when the body is first read: until then this client sends none of it.
        let waits = head.headers.contains_key(EXPECT) && !body.has_begun();
        let Some(limits) = limits.apply(head.version).filter(|_| !waits) else {
            closing(&mut answer, head.version);
            return answer;
        };
        body.forget();
        let (mut body, mut drain) = (Box::pin(body), Drain::new(limits));
        let arrived =
            poll_fn(|context| Poll::Ready(drain.poll_arrived(body.as_mut(), context))).await;
        if arrived == Some(Drained::Whole) {
            return answer;
        }
        closing(&mut answer, head.version);
        match arrived {
            Some(_) => answer,
            None => answer.map(|answer| {
                answer
                    .held_by(poll_fn(move |context| drain.poll(body.as_mut(), context).map(|_| ())))
            }),
        }
    })
}

/// How a platform writes its rejections, where it has a form of its own for them.
pub(crate) type RejectionAnswer = dyn Fn(&Rejection, &Parts) -> Response<Vec<u8>> + Send + Sync;

impl<V> Door<V> {
    /// The answer to a request that the handler does not see.
    pub(crate) fn answer<B>(&self, refused: &Refused, head: &Parts) -> Response<BufferedBody<B>> {
        match refused {
            Refused::Rejected(rejection) => self.rejected(rejection, Some(head)),
            Refused::Failed(error) => failed(error),
        }
    }

    /// The answer to a rejected request: its status, its challenges, and a body that says no more than the status; or
    /// what the platform has for it, which is asked with the head of the request.
    pub(crate) fn rejected<B>(
        &self,
        rejection: &Rejection,
        head: Option<&Parts>,
    ) -> Response<BufferedBody<B>> {
        let own = self.rejection_answer.as_ref().zip(head);
        let mut response = match own {
            Some((answer, head)) => {
                answer(rejection, head).map(|body| BufferedBody::whole(body.into()))
            }
            None => plain(rejection.status(), rejection.retry_after()),
        };
        let (status, headers) = (response.status(), response.headers_mut());
        headers.entry(CACHE_CONTROL).or_insert(NO_STORE);
        // The layer adds the challenges to a 401 of the platform that has none (RFC 9110 section 15.5.2).
        let lacks = status == StatusCode::UNAUTHORIZED && !headers.contains_key(WWW_AUTHENTICATE);
        if own.is_none() || lacks {
            for challenge in rejection.challenges() {
                headers.append(WWW_AUTHENTICATE, challenge.field().clone());
            }
        }
        response
    }
}

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// The answer when we could not tell: 503 when waiting helps, else 500. The caller learns nothing of the reason.
pub(crate) fn failed<B>(error: &Error) -> Response<BufferedBody<B>> {
    match error {
        Error::Unavailable { retry_after, .. } => {
            plain(StatusCode::SERVICE_UNAVAILABLE, *retry_after)
        }
        Error::Transport(_) => plain(StatusCode::SERVICE_UNAVAILABLE, None),
        _ => plain(StatusCode::INTERNAL_SERVER_ERROR, None),
    }
}

/// Says that this is the last answer on its connection, where HTTP has a word for it: a body that nobody will read is
/// still to come, and a client that is told will not send its next request behind it, into a connection that closes.
pub(crate) fn closing<B>(answer: &mut Response<B>, version: Version) {
    if version <= Version::HTTP_11 {
        answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
}

fn plain<B>(status: StatusCode, retry_after: Option<Duration>) -> Response<BufferedBody<B>> {
    let text = status.canonical_reason().unwrap_or("refused");
    let mut response = Response::new(BufferedBody::whole(Bytes::from(format!("{text}\n"))));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(CACHE_CONTROL, NO_STORE);
    if let Some(wait) = retry_after {
        headers.insert(RETRY_AFTER, retry_after_seconds(wait).into());
    }
    response
}
