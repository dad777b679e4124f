//! Work that has so much time.

use auth_core::{Flow, Result, Transport};
use std::{future::poll_fn, pin::pin, task::Poll, time::Duration};

/// What came of the work; `None` when the time was over first, or nobody could tell when it is.
pub(crate) async fn within<T>(
    transport: &dyn Transport,
    span: Duration,
    work: Flow<'_, T>,
) -> Option<Result<T>> {
    let mut work = pin!(work);
    let mut over = pin!(transport.pause(span));
    poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending => over.as_mut().poll(context).map(|_| None),
    })
    .await
}
