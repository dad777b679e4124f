//! The body of an answer of the layer.

use crate::{BoxError, BufferedBody};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

pin_project! {
    /// The body of the handler's reply, or of the layer's refusal.
    ///
    /// The head of a refusal goes out at once. Its body waits while the rest of a refused upload is read on
    /// ([`VerifyLayer::with_refused_body_drain`](crate::VerifyLayer::with_refused_body_drain)).
    pub struct ReplyBody<R> {
        #[pin]
        body: BufferedBody<R>,
        held_by: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    }
}

impl<R> ReplyBody<R> {
    pub(crate) const fn new(body: BufferedBody<R>) -> Self {
        Self { body, held_by: None }
    }

    /// The body comes when this has ended.
    pub(crate) fn held_by(mut self, drain: impl Future<Output = ()> + Send + 'static) -> Self {
        self.held_by = Some(Box::pin(drain));
        self
    }
}

impl<R> Body for ReplyBody<R>
where
    R: Body<Data = Bytes>,
    R::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.project();
        if let Some(drain) = this.held_by {
            ready!(drain.as_mut().poll(context));
            *this.held_by = None;
        }
        this.body.poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<R> fmt::Debug for ReplyBody<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReplyBody({:?}, held: {})", self.body, self.held_by.is_some())
    }
}
