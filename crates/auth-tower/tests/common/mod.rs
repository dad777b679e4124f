//! What the tests of the server layer share.
#![allow(dead_code, missing_docs)]

use auth_core::{Event, Observer};
use bytes::Bytes;
use http::Response;
use http_body::Frame;
use http_body_util::BodyExt;
use std::{
    convert::Infallible,
    fmt,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

/// Writes down the schemes and codes of what happened.
#[derive(Clone, Default)]
pub(crate) struct Codes(Arc<Mutex<Vec<&'static str>>>);

impl Codes {
    pub(crate) fn take(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Observer for Codes {
    fn observe(&self, event: Event<'_>) {
        self.0.lock().unwrap().push(match event {
            Event::Accepted { scheme } => scheme,
            Event::Rejected(rejection) | Event::BodyRejected(rejection) => rejection.reason().code,
            Event::Failed(error) | Event::CompletionFailed(error) => error.code(),
            _ => "other",
        });
    }
}

/// A body of unknown length that counts how often it was read.
pub(crate) struct Pieces(std::vec::IntoIter<&'static str>, Arc<AtomicUsize>);

impl Pieces {
    pub(crate) fn of(pieces: &[&'static str]) -> Self {
        Self::counted(pieces, Arc::default())
    }

    pub(crate) fn counted(pieces: &[&'static str], count: Arc<AtomicUsize>) -> Self {
        Self(Vec::from(pieces).into_iter(), count)
    }
}

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = self.0.next();
        self.1.fetch_add(usize::from(piece.is_some()), Ordering::SeqCst);
        Poll::Ready(piece.map(|piece| Ok(Frame::data(Bytes::from_static(piece.as_bytes())))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_slice().is_empty()
    }
}

pub(crate) async fn text<B>(answer: Response<B>) -> String
where
    B: http_body::Body<Data = Bytes>,
    B::Error: fmt::Debug,
{
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.into()).unwrap()
}
