//! The only door to the network, and to time passing.

use crate::{Clock, Flow, Random};
use std::{fmt, sync::Arc, time::Duration};

/// Exchanges requests for answers on behalf of a scheme that must ask somebody: a token endpoint, a key set.
///
/// Adapters implement it with a real client, tests with a script. An implementation owns what it needs to run: its
/// flows can be polled from any thread and any runtime.
pub trait Transport: Send + Sync {
    /// Sends one request and reads the whole answer, within [`Exchange::most_bytes`] and the limits of the
    /// implementation.
    ///
    /// A flow that ends well has an answer of any status: what it means is the scheme's business.
    fn fetch(&self, request: Exchange) -> Flow<'_, http::Response<Vec<u8>>>;

    /// Is done after `duration`.
    fn pause(&self, duration: Duration) -> Flow<'_, ()>;

    /// Runs work to its end though nobody waits for it, or gives it back when there is nothing to run it on: then
    /// the caller carries it.
    fn detach(&self, work: Flow<'static, ()>) -> Option<Flow<'static, ()>>;
}

/// A request to be exchanged; its `Debug` shows the method and the host, since the rest may hold secrets.
pub struct Exchange {
    request: http::Request<Vec<u8>>,
    most_bytes: usize,
}

impl Exchange {
    /// The most bytes that an answer may have, unless set.
    pub const MOST_BYTES: usize = 64 * 1024;

    /// The request, with an absolute URL.
    #[must_use]
    pub const fn new(request: http::Request<Vec<u8>>) -> Self {
        Self { request, most_bytes: Self::MOST_BYTES }
    }

    /// With another limit to the answer: what is longer is an error, never cut.
    #[must_use]
    pub const fn answered_within(mut self, most_bytes: usize) -> Self {
        self.most_bytes = most_bytes;
        self
    }

    /// The most bytes that the answer may have.
    #[must_use]
    pub const fn most_bytes(&self) -> usize {
        self.most_bytes
    }

    /// The request, to look at.
    #[must_use]
    pub const fn request(&self) -> &http::Request<Vec<u8>> {
        &self.request
    }

    /// The request, to send.
    #[must_use]
    pub fn into_request(self) -> http::Request<Vec<u8>> {
        self.request
    }
}

impl From<http::Request<Vec<u8>>> for Exchange {
    fn from(request: http::Request<Vec<u8>>) -> Self {
        Self::new(request)
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (method, uri) = (self.request.method(), self.request.uri());
        write!(f, "Exchange({method} {})", uri.host().unwrap_or("no host"))
    }
}

/// What a scheme is given when it is built: a transport, a clock, randomness.
#[derive(Clone)]
pub struct Context {
    /// The door to the network.
    pub transport: Arc<dyn Transport>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where nonces and jitter come from.
    pub random: Arc<dyn Random>,
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Context(..)")
    }
}
