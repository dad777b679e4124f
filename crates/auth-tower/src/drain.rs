//! What is still to come of a refused body: read on for a moment, and thrown away.

use bytes::Bytes;
use http::Version;
use http_body::Body;
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    runtime::Handle,
    time::{Sleep, sleep},
};

/// How much of a refused body is read on, and for how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DrainLimits {
    pub(crate) bytes: usize,
    pub(crate) wait: Duration,
}

impl DrainLimits {
    pub(crate) const DEFAULT: Self = Self { bytes: 64 * 1024, wait: Duration::from_millis(100) };

    /// The limits for a request of this version; `None` where nothing is read on: HTTP/2 ends one request and keeps its
    /// connection.
    pub(crate) fn apply(self, version: Version) -> Option<Self> {
        (version <= Version::HTTP_11 && self.bytes > 0).then_some(self)
    }
}

/// Reads on until the body ends or a limit is reached.
///
/// A server that closes a connection on which data is still arriving resets it, and the client that was sending sees a
/// broken pipe in place of the answer. One that is given a moment gets to the end of its body, or reads the answer.
pub(crate) struct Drain {
    left: usize,
    wait: Duration,
    until: Option<Pin<Box<Sleep>>>,
}

/// Why the reading ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Drained {
    /// Nothing more is to come.
    Whole,
    /// The body broke, or is longer than the limit, or came too slowly.
    GivenUp,
}

impl Drain {
    pub(crate) const fn new(limits: DrainLimits) -> Self {
        Self { left: limits.bytes, wait: limits.wait, until: None }
    }

    /// Reads what has already arrived; `None` when more is to be waited for.
    pub(crate) fn poll_arrived<B>(
        &mut self,
        mut body: Pin<&mut B>,
        context: &mut Context<'_>,
    ) -> Option<Drained>
    where
        B: Body<Data = Bytes>,
    {
        loop {
            match body.as_mut().poll_frame(context) {
                Poll::Pending => return None,
                Poll::Ready(None) => return Some(Drained::Whole),
                Poll::Ready(Some(Err(_))) => return Some(Drained::GivenUp),
                Poll::Ready(Some(Ok(frame))) => {
                    // An empty frame costs its reader something too.
                    let cost = frame.data_ref().map_or(1, |piece| piece.len().max(1));
                    match self.left.checked_sub(cost) {
                        Some(left) => self.left = left,
                        None => return Some(Drained::GivenUp),
                    }
                }
            }
        }
    }

    /// Reads on; nothing is waited for outside a tokio runtime, which has the timer.
    pub(crate) fn poll<B>(&mut self, body: Pin<&mut B>, context: &mut Context<'_>) -> Poll<Drained>
    where
        B: Body<Data = Bytes>,
    {
        if let Some(drained) = self.poll_arrived(body, context) {
            return Poll::Ready(drained);
        }
        if self.until.is_none() && !self.wait.is_zero() && Handle::try_current().is_ok() {
            self.until = Some(Box::pin(sleep(self.wait)));
        }
        if let Some(until) = &mut self.until {
            ready!(until.as_mut().poll(context));
        }
        Poll::Ready(Drained::GivenUp)
    }
}
