//! Bodies that are checked as they stream.

use crate::{BoxError, Reread};
use auth_core::{BodyCheck, Event, Observer, Passed, Rejection};
use bytes::Bytes;
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
    pub struct CheckedBody<B> {
        #[pin]
        body: Reread<B>,
        check: Option<Check>,
    }
}

/// A check under way, and where its rejection goes.
struct Check {
    check: Option<Box<dyn BodyCheck>>,
    trailers: Option<Frame<Bytes>>,
    observer: Arc<dyn Observer>,
    rejection: Arc<OnceLock<Rejection>>,
}

impl<B> CheckedBody<B> {
    pub(crate) const fn unchecked(body: Reread<B>) -> Self {
        Self { body, check: None }
    }

    /// With a check; what it rejects is found in `rejection` afterwards.
    pub(crate) fn checked(
        body: Reread<B>,
        check: Box<dyn BodyCheck>,
        observer: Arc<dyn Observer>,
        rejection: Arc<OnceLock<Rejection>>,
    ) -> Self {
        Self {
            body,
            check: Some(Check { check: Some(check), trailers: None, observer, rejection }),
        }
    }
}

impl Check {
    fn update(&mut self, frame: Frame<Bytes>) -> Result<Option<Frame<Bytes>>, BoxError> {
        let Some(check) = &mut self.check else { return Ok(None) };
        let data = match frame.into_data() {
            Ok(data) => data,
            Err(trailers) => {
                self.trailers = Some(trailers);
                return Ok(None);
            }
        };
        match check.update(&data) {
            Ok(Passed::AsIs) => Ok(Some(Frame::data(data))),
            Ok(Passed::Instead(content)) if content.is_empty() => Ok(None),
            Ok(Passed::Instead(content)) => Ok(Some(Frame::data(content.into()))),
            Err(rejection) => Err(self.fail(rejection)),
        }
    }

    /// The trailers, which are let through only with the end.
    fn finish(&mut self) -> Result<Option<Frame<Bytes>>, BoxError> {
        let Some(check) = self.check.take() else { return Ok(None) };
        let trailers = self.trailers.take();
        match check.finish(trailers.as_ref().and_then(Frame::trailers_ref)) {
            Ok(()) => Ok(trailers),
            Err(rejection) => Err(self.fail(rejection)),
        }
    }

    fn fail(&mut self, rejection: Rejection) -> BoxError {
        self.check = None;
        self.observer.observe(Event::BodyRejected(&rejection));
        let _ = self.rejection.set(rejection);
        "body does not match its credentials".into()
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
            if check.check.is_none() {
                return Poll::Ready(None);
            }
            let passed = match ready!(this.body.as_mut().poll_frame(context)) {
                None => return Poll::Ready(check.finish().transpose()),
                Some(Err(error)) => Err(error),
                Some(Ok(frame)) => check.update(frame),
            };
            if let Some(frame) = passed.transpose() {
                return Poll::Ready(Some(frame));
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.check {
            None => self.body.is_end_stream(),
            Some(check) => check.check.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        if self.check.is_none() { self.body.size_hint() } else { SizeHint::new() }
    }
}

impl<B> fmt::Debug for CheckedBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CheckedBody({:?}, checked: {})", self.body, self.check.is_some())
    }
}
