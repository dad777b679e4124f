//! What is done when the handler has replied.

use crate::{BoxError, BufferedBody, buffered::limit, reply::failed};
use auth_core::{Body, Completion, Event, Flow, HandlerReply, Need, Observer};
use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use std::{future::Future, pin::Pin};

/// Asks every completion, and adds the fields that they make to the reply.
///
/// The future is in a box of its own, since the one that every request allocates would be twice as large with it.
#[cold]
pub(crate) fn complete<R>(
    completions: Vec<Box<dyn Completion>>,
    response: Response<R>,
    observer: &dyn Observer,
) -> Pin<Box<impl Future<Output = Response<BufferedBody<R>>>>>
where
    R: http_body::Body<Data = Bytes>,
    R::Error: Into<BoxError>,
{
    Box::pin(async move {
        let (mut head, body) = response.into_parts();
        let mut body = BufferedBody::untouched(body);
        let bytes;
        let mut asked = Asked { first: None, others: Vec::new() };
        let mut reading = Vec::new();
        let mut need = Need::Nothing;
        let reply = HandlerReply::new(head.status, &head.headers, Body::Unread);
        // A completion that needs nothing of the body is asked before anything is awaited: it must not miss the reply
        // because the caller went away while the body was read for another one.
        for completion in completions {
            match completion.needs(head.status, &head.headers) {
                Need::Nothing => asked.ask(completion, reply),
                more => {
                    need = need.and(more);
                    reading.push(completion);
                }
            }
        }
        bytes = match limit(need, usize::MAX) {
            Some(limit) if may_be_read(head.status, &body, limit) => read(&mut body, limit).await,
            _ => None,
        };
        let seen = bytes.as_deref().map_or(Body::Unread, Body::Bytes);
        let reply = HandlerReply::new(head.status, &head.headers, seen);
        for completion in reading {
            asked.ask(completion, reply);
        }
        match asked.fields(observer).await {
            Ok(fields) => {
                head.headers.extend(fields);
                Response::from_parts(head, body)
            }
            Err(error) => failed(&error),
        }
    })
}

/// Those that were asked: mostly one.
struct Asked<'r> {
    first: Option<One<'r>>,
    others: Vec<One<'r>>,
}

/// What it makes, and what becomes of the reply when it cannot.
struct One<'r> {
    on_failure: OnFailure,
    flow: Flow<'r, HeaderMap>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum OnFailure {
    SendUnchanged,
    SendNothing,
}

impl<'r> Asked<'r> {
    fn ask(&mut self, completion: Box<dyn Completion>, reply: HandlerReply<'r>) {
        let relied_on = completion.is_relied_on();
        let on_failure = if relied_on { OnFailure::SendNothing } else { OnFailure::SendUnchanged };
        let one = One { on_failure, flow: completion.complete(reply) };
        match &self.first {
            None => self.first = Some(one),
            Some(_) => self.others.push(one),
        }
    }

    /// The fields of all; an error when those that the caller relies on could not be made.
    async fn fields(self, observer: &dyn Observer) -> auth_core::Result<HeaderMap> {
        let mut fields = HeaderMap::new();
        let mut failure = None;
        for One { on_failure, flow } in self.first.into_iter().chain(self.others) {
            match flow.await {
                Ok(more) if fields.is_empty() => fields = more,
                Ok(more) => fields.extend(more),
                Err(error) => {
                    observer.observe(Event::CompletionFailed(&error));
                    if on_failure == OnFailure::SendNothing {
                        failure = Some(error);
                    }
                }
            }
        }
        failure.map_or(Ok(fields), Err)
    }
}

/// An upgrade has no body, and an endless reply no end: neither is waited for.
fn may_be_read<R>(status: StatusCode, body: &BufferedBody<R>, limit: usize) -> bool
where
    R: http_body::Body<Data = Bytes>,
    R::Error: Into<BoxError>,
{
    let exact = http_body::Body::size_hint(body).exact();
    let length = exact.and_then(|length| usize::try_from(length).ok());
    status != StatusCode::SWITCHING_PROTOCOLS && length.is_some_and(|length| length <= limit)
}

/// The whole body of a reply; `None` for one that is longer than it said, or that breaks: it breaks for the caller too.
async fn read<R>(body: &mut BufferedBody<R>, limit: usize) -> Option<Bytes>
where
    R: http_body::Body<Data = Bytes>,
    R::Error: Into<BoxError>,
{
    match body.fill(limit).await {
        Ok(true) => Some(body.bytes()),
        Ok(false) => None,
        Err(error) => {
            body.break_with(error);
            None
        }
    }
}
