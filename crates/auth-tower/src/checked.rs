//! Bodies that are checked as they stream.

use crate::{
    BoxError, BufferedBody,
    drain::{Drain, DrainLimits},
};
use auth_core::{BodyCheck, Event, Observer, Rejection, ReleasedBytes};
use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use std::{
    fmt,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll, ready},
};

pin_project! {
    /// The body that a handler behind the server layer reads: its end comes only when the credentials' check of it
    /// passed.
    ///
    /// Where the length of the content is known, its last piece is held back until then, since a reader that counts
    /// takes it for the end.
    ///
    /// # Security
    ///
    /// Trailer fields do not come with a body that credentials cover, whether it was read for the verifier or has to
    /// pass a check: no scheme signs them, and anybody who can change a request on its way could add them. A check sees
    /// them. What a framing signs of its own, as `aws-chunked` does, was checked with it and is gone with it. A body
    /// that no credentials cover comes with its trailers, as with everything else that nobody vouched for.
    pub struct CheckedBody<B> {
        #[pin]
        body: BufferedBody<B>,
        check: Option<Box<Check>>,
    }
}

/// A check under way, and where its rejection goes.
pub(crate) struct Check {
    check: Option<Box<dyn BodyCheck>>,
    /// How much of the content the handler has not got yet, where that is known.
    left: Option<u64>,
    /// What is handed over with the end: the last piece of the content.
    last: Option<Bytes>,
    /// For the check alone.
    trailers: Option<HeaderMap>,
    observer: Arc<dyn Observer>,
    late: Arc<OnceLock<Rejection>>,
    /// How what follows a piece that was refused is read on.
    drain: Option<Drain>,
    /// What the handler is told when that is done.
    failed: Option<BoxError>,
}

impl<B> CheckedBody<B> {
    /// A body with what is left to check of it.
    pub(crate) fn new(body: BufferedBody<B>, check: Option<Check>) -> Self {
        Self { body, check: check.map(Box::new) }
    }
}

impl Check {
    /// A check of a body that gives the handler so many bytes, if that is known.
    pub(crate) fn new(
        check: Box<dyn BodyCheck>,
        left: Option<u64>,
        observer: Arc<dyn Observer>,
        drain: Option<DrainLimits>,
    ) -> Self {
        Self {
            check: Some(check),
            left,
            last: None,
            trailers: None,
            observer,
            late: Arc::default(),
            drain: drain.map(Drain::new),
            failed: None,
        }
    }

    /// Where a rejection is found that comes while the handler reads.
    pub(crate) fn late(&self) -> Arc<OnceLock<Rejection>> {
        Arc::clone(&self.late)
    }

    /// What of a frame the handler may have now.
    fn update(&mut self, frame: Frame<Bytes>) -> Option<Bytes> {
        let check = self.check.as_mut()?;
        let wire = match frame.into_data() {
            Ok(wire) => wire,
            Err(frame) => {
                self.trailers = frame.into_trailers().ok();
                return None;
            }
        };
        let piece = match check.update(&wire) {
            Ok(ReleasedBytes::AsIs) => wire,
            Ok(ReleasedBytes::Instead(content)) => content.into(),
            Err(rejection) => {
                self.fail(rejection);
                return None;
            }
        };
        if piece.is_empty() {
            return None;
        }
        let length = u64::try_from(piece.len()).unwrap_or(u64::MAX);
        self.left = self.left.map(|left| left.saturating_sub(length));
        if self.left == Some(0) {
            // More than was announced: what was held back was not the last piece.
            return self.last.replace(piece);
        }
        Some(piece)
    }

    fn finish(&mut self) {
        let Some(check) = self.check.take() else { return };
        let trailers = self.trailers.take();
        if let Err(rejection) = check.finish(trailers.as_ref()) {
            self.fail(rejection);
            // Nothing follows the end.
            self.drain = None;
        }
    }

    fn fail(&mut self, rejection: Rejection) {
        (self.check, self.last, self.trailers) = (None, None, None);
        self.observer.observe(Event::BodyRejected(&rejection));
        let _ = self.late.set(rejection);
        self.failed = Some("body does not match its credentials".into());
    }

    /// What is left to hand over when the check has passed.
    fn rest(&mut self) -> Option<Frame<Bytes>> {
        self.last.take().map(Frame::data)
    }

    fn is_over(&self) -> bool {
        self.check.is_none() && self.last.is_none() && self.failed.is_none()
    }
}

impl<B> Body for CheckedBody<B>
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
        let Some(check) = this.check else { return this.body.poll_frame(context) };
        loop {
            if check.failed.is_some() {
                if let Some(drain) = &mut check.drain {
                    ready!(drain.poll(this.body.as_mut(), context));
                }
                return Poll::Ready(check.failed.take().map(Err));
            }
            if check.check.is_none() {
                return Poll::Ready(check.rest().map(Ok));
            }
            match ready!(this.body.as_mut().poll_frame(context)) {
                None => check.finish(),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                Some(Ok(frame)) => {
                    if let Some(piece) = check.update(frame) {
                        return Poll::Ready(Some(Ok(Frame::data(piece))));
                    }
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.check {
            None => self.body.is_end_stream(),
            Some(check) => check.is_over(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.check {
            None => self.body.size_hint(),
            Some(check) => {
                let last = check.last.as_ref().map(|last| u64::try_from(last.len()));
                let last = last.and_then(Result::ok).unwrap_or(0);
                check.left.map_or_else(SizeHint::new, |left| SizeHint::with_exact(left + last))
            }
        }
    }
}

impl<B> fmt::Debug for CheckedBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CheckedBody({:?}, checked: {})", self.body, self.check.is_some())
    }
}
