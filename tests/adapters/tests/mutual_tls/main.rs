//! Mutual TLS over real connections: Symphony's log-ins by certificate through every adapter, what servers refuse, and
//! connections that are never shared between two identities.

mod authority;
mod connections;
mod log_ins;
mod refusals;
mod server;

use auth_core::{Exchange, Flow, Transport};
use http::Response;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

/// Counts what goes through a transport.
#[derive(Clone)]
struct Counted {
    inner: Arc<dyn Transport>,
    fetches: Arc<AtomicUsize>,
    pauses: Arc<AtomicUsize>,
}

impl Counted {
    fn over(inner: impl Transport + 'static) -> Self {
        Self { inner: Arc::new(inner), fetches: Arc::default(), pauses: Arc::default() }
    }

    /// Exchanges, and pauses before another attempt.
    fn counts(&self) -> (usize, usize) {
        (self.fetches.load(Ordering::SeqCst), self.pauses.load(Ordering::SeqCst))
    }
}

impl Transport for Counted {
    fn fetch(&self, request: Exchange) -> Flow<'_, Response<Vec<u8>>> {
        self.fetches.fetch_add(1, Ordering::SeqCst);
        self.inner.fetch(request)
    }

    fn pause(&self, _: Duration) -> Flow<'_, ()> {
        self.pauses.fetch_add(1, Ordering::SeqCst);
        Flow::ready(())
    }

    fn detach(&self, work: Flow<'static, ()>) -> Option<Flow<'static, ()>> {
        self.inner.detach(work)
    }
}
