//! Bodies of which a part was read.

use crate::{
    BoxError,
    joined::{Behind, Joined},
};
use auth_core::Need;
use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use std::{
    fmt,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
};

pin_project! {
    /// A body of which the beginning, or all, was already read: it yields that first, then the rest.
    ///
    /// One that was not read is neither boxed nor asked to be `Unpin`. What is read is held in one piece, which grows
    /// with what arrived: see [`fill`](Self::fill).
    pub struct BufferedBody<B> {
        read: Joined,
        trailers: Option<Box<HeaderMap>>,
        #[pin]
        rest: Rest<B>,
    }
}

pin_project! {
    /// What is still to come.
    #[project = RestProjection]
    #[project_replace = RestTaken]
    enum Rest<B> {
        Untouched { #[pin] body: B },
        Begun { body: Pin<Box<B>> },
        Broken { error: BoxError },
        Ended,
    }
}

impl<B> BufferedBody<B> {
    /// Nothing was read yet.
    pub const fn untouched(body: B) -> Self {
        Self { read: Joined::EMPTY, trailers: None, rest: Rest::Untouched { body } }
    }

    /// All there is.
    pub const fn whole(bytes: Bytes) -> Self {
        Self { read: Joined::Whole(bytes), trailers: None, rest: Rest::Ended }
    }

    /// These bytes in place of those read so far.
    pub(crate) fn replace(&mut self, bytes: Bytes) {
        self.read = Joined::Whole(bytes);
    }

    /// Without what was read so far.
    pub(crate) fn forget(&mut self) {
        (self.read, self.trailers) = (Joined::EMPTY, None);
    }

    /// Without the trailer fields that were read.
    pub(crate) fn drop_trailers(&mut self) {
        self.trailers = None;
    }

    /// Was the body beneath asked for any of it?
    pub(crate) const fn has_begun(&self) -> bool {
        !matches!(self.rest, Rest::Untouched { .. })
    }

    /// Has everything arrived, whether or not it was handed on?
    pub(crate) fn has_arrived(&self) -> bool
    where
        B: Body,
    {
        match &self.rest {
            Rest::Untouched { body } => body.is_end_stream(),
            Rest::Begun { body } => body.is_end_stream(),
            Rest::Broken { .. } => false,
            Rest::Ended => true,
        }
    }

    /// Behind what was read so far comes this error.
    pub(crate) fn break_with(&mut self, error: BoxError) {
        self.rest = Rest::Broken { error };
    }
}

impl<B> BufferedBody<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    /// Reads on until the end, or until more than `limit` bytes came; says whether the end was reached.
    ///
    /// What it holds is at most twice what has arrived, and at most `limit` bytes and the piece that went beyond them;
    /// while it grows, what it held before is held beside that. When its future is dropped, what was read stays.
    ///
    /// # Errors
    ///
    /// When the body beneath fails.
    pub async fn fill(&mut self, limit: usize) -> Result<bool, BoxError> {
        self.begin();
        while self.read.len() <= limit {
            let body = match &mut self.rest {
                Rest::Begun { body } => body,
                Rest::Broken { error } => return Err(error.to_string().into()),
                Rest::Ended | Rest::Untouched { .. } => return Ok(true),
            };
            let frame = match poll_fn(|context| body.as_mut().poll_frame(context)).await {
                None => {
                    self.rest = Rest::Ended;
                    return Ok(true);
                }
                Some(frame) => frame.map_err(Into::into)?,
            };
            match frame.into_data() {
                Ok(piece) if piece.is_empty() => {}
                Ok(piece) => {
                    let behind = if body.is_end_stream() { Behind::Nothing } else { Behind::More };
                    self.read.push(piece, behind, limit);
                }
                Err(frame) => self.trailers = frame.into_trailers().ok().map(Box::new),
            }
        }
        Ok(false)
    }

    /// The bytes read so far, in one piece.
    pub fn bytes(&mut self) -> Bytes {
        self.read.bytes()
    }

    /// The trailer fields read so far.
    pub fn trailers(&self) -> Option<&HeaderMap> {
        self.trailers.as_deref()
    }

    /// A body that is read outside its own polling has to have its place.
    fn begin(&mut self) {
        self.rest = match std::mem::replace(&mut self.rest, Rest::Ended) {
            Rest::Untouched { body } if body.is_end_stream() => Rest::Ended,
            Rest::Untouched { body } => Rest::Begun { body: Box::pin(body) },
            rest => rest,
        };
    }
}

impl<B> Body for BufferedBody<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let mut this = self.project();
        if this.read.len() > 0 {
            return Poll::Ready(Some(Ok(Frame::data(this.read.take()))));
        }
        let frame = match this.rest.as_mut().project() {
            RestProjection::Untouched { body } => ready!(body.poll_frame(context)),
            RestProjection::Begun { body } => ready!(body.as_mut().poll_frame(context)),
            RestProjection::Broken { .. } => {
                let RestTaken::Broken { error } = this.rest.project_replace(Rest::Ended) else {
                    return Poll::Ready(None);
                };
                return Poll::Ready(Some(Err(error)));
            }
            RestProjection::Ended => None,
        };
        Poll::Ready(match frame {
            Some(frame) => Some(frame.map_err(Into::into)),
            None => this.trailers.take().map(|trailers| Ok(Frame::trailers(*trailers))),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.read.len() == 0 && self.trailers.is_none() && self.has_arrived()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = match &self.rest {
            Rest::Untouched { body } => body.size_hint(),
            Rest::Begun { body } => body.size_hint(),
            // An exact length would make what was read look whole.
            Rest::Broken { .. } => SizeHint::new(),
            Rest::Ended => SizeHint::with_exact(0),
        };
        let read = u64::try_from(self.read.len()).unwrap_or(u64::MAX);
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower().saturating_add(read));
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper.saturating_add(read));
        }
        hint
    }
}

/// How much of a body may be read for a need; `None` when nothing is to be read.
pub(crate) fn limit(need: Need, most: usize) -> Option<usize> {
    match need {
        Need::Nothing => None,
        Need::Bytes { limit } => Some(limit.min(most)),
    }
}

impl<B> fmt::Debug for BufferedBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BufferedBody({} bytes read)", self.read.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::Empty;
    use std::{future::Future, pin::pin, task::Waker};

    #[test]
    fn a_body_that_broke_is_never_whole() {
        let mut body: BufferedBody<Empty<Bytes>> = BufferedBody::whole(Bytes::from_static(b"half"));
        body.break_with("upstream reset".into());
        let mut context = Context::from_waker(Waker::noop());
        let filled = pin!(body.fill(16)).poll(&mut context);
        assert!(matches!(filled, Poll::Ready(Err(error)) if error.to_string() == "upstream reset"));
        assert!(!body.is_end_stream() && !body.has_arrived() && body.size_hint().exact().is_none());
        let mut body = pin!(body);
        let mut next = || body.as_mut().poll_frame(&mut context);
        assert!(matches!(next(), Poll::Ready(Some(Ok(_)))));
        assert!(matches!(next(), Poll::Ready(Some(Err(_)))));
        assert!(matches!(next(), Poll::Ready(None)));
    }

    #[test]
    fn a_body_that_was_read_ends_when_it_was_handed_on() {
        let mut body: BufferedBody<Empty<Bytes>> = BufferedBody::whole(Bytes::from_static(b"all"));
        for (left, piece) in [(3, true), (0, false)] {
            assert_eq!((body.is_end_stream(), body.size_hint().exact()), (!piece, Some(left)));
            let polled = Pin::new(&mut body).poll_frame(&mut Context::from_waker(Waker::noop()));
            assert!(matches!(polled, Poll::Ready(frame) if frame.is_some() == piece));
        }
        let body = BufferedBody::untouched(Empty::<Bytes>::new());
        assert!(body.is_end_stream() && body.has_arrived());
    }

    /// Nor is it given a place: most requests have no body.
    #[test]
    fn a_body_that_has_ended_is_not_asked_for_more() {
        struct Ended;
        impl Body for Ended {
            type Data = Bytes;
            type Error = BoxError;
            fn poll_frame(
                self: Pin<&mut Self>,
                _: &mut Context<'_>,
            ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
                Poll::Ready(Some(Err("it was asked".into())))
            }
            fn is_end_stream(&self) -> bool {
                true
            }
        }
        let mut body = BufferedBody::untouched(Ended);
        let filled = pin!(body.fill(16)).poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(filled, Poll::Ready(Ok(true))));
    }
}
