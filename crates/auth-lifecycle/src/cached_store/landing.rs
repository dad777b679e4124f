//! What a caller waits for.

use super::{Inner, LoggedStore};
use auth_core::{KeyDigest, Result};
use auth_session::FlightWatch;
use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

/// One caller's share in a reading. The last one that leaves takes it down.
pub(super) struct Landing<S: LoggedStore, T> {
    inner: Arc<Inner<S>>,
    /// Of this key; of the log, if there is none.
    key: Option<KeyDigest>,
    serial: u64,
    watch: Option<FlightWatch<Result<T>>>,
}

impl<S: LoggedStore, T> Landing<S, T> {
    pub(super) fn new(
        inner: &Arc<Inner<S>>,
        key: Option<KeyDigest>,
        serial: u64,
        watch: FlightWatch<Result<T>>,
    ) -> Self {
        Self { inner: Arc::clone(inner), key, serial, watch: Some(watch) }
    }
}

impl<S: LoggedStore, T: Clone + Send + Sync + 'static> Future for Landing<S, T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<T>> {
        match &mut self.watch {
            Some(watch) => Pin::new(watch).poll(context),
            None => Poll::Pending,
        }
    }
}

impl<S: LoggedStore, T> Drop for Landing<S, T> {
    fn drop(&mut self) {
        drop(self.watch.take());
        match &self.key {
            None => self.inner.waits.leave_poll(self.serial),
            Some(key) => self.inner.waits.leave_fill(key, self.serial),
        }
    }
}
