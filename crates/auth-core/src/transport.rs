//! The only door to the network, and to time passing.

use crate::{Clock, Flow, Observer, Random, SystemClock, SystemRandom};
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
    ///
    /// # Errors
    ///
    /// `Error::Transport` when no whole answer arrived; made by [`Error::not_sent`](crate::Error::not_sent) when there was
    /// no connection, so that the peer cannot have done anything.
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
    /// The most bytes that an answer may have, unless set: 64 KiB.
    pub const MOST_BYTES: usize = 64 * 1024;

    /// The request, with an absolute URL.
    #[must_use]
    pub const fn new(request: http::Request<Vec<u8>>) -> Self {
        Self { request, most_bytes: Self::MOST_BYTES }
    }

    /// With another limit to the answer: what is longer is an error, never cut.
    #[must_use]
    pub const fn with_answer_limit(mut self, most_bytes: usize) -> Self {
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

/// What a scheme needs of the world outside: a transport, a clock, randomness, and an observer to tell.
///
/// A session is given one, keeps it, and passes it to its source at each call. A clone shares all four.
///
/// ```
/// use auth_core::{Context, Timestamp, Transport};
///
/// fn at_noon(transport: impl Transport + 'static) -> Context {
///     Context::new(transport).with_clock(Timestamp::from_unix(1_700_049_600))
/// }
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Context {
    /// The door to the network.
    pub transport: Arc<dyn Transport>,
    /// What time it is; [`SystemClock`] unless set.
    pub clock: Arc<dyn Clock>,
    /// Where nonces and jitter come from; [`SystemRandom`] unless set.
    pub random: Arc<dyn Random>,
    /// What is told of renewals and refusals; nothing unless set.
    pub observer: Arc<dyn Observer>,
}

impl Context {
    /// A context over this transport, with the clock and the randomness of the operating system, and an observer
    /// that ignores what it is told.
    pub fn new(transport: impl Transport + 'static) -> Self {
        Self {
            transport: Arc::new(transport),
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom::new()),
            observer: Arc::new(()),
        }
    }

    /// With another clock.
    #[must_use]
    pub fn with_clock(self, clock: impl Clock + 'static) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// With other randomness.
    ///
    /// # Security
    ///
    /// Whatever is not a test needs the operating system's generator, which is there unless it is replaced.
    #[must_use]
    pub fn with_random(self, random: impl Random + 'static) -> Self {
        Self { random: Arc::new(random), ..self }
    }

    /// With an observer, which is told what the sessions of this context do.
    #[must_use]
    pub fn with_observer(self, observer: impl Observer + 'static) -> Self {
        Self { observer: Arc::new(observer), ..self }
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Context(..)")
    }
}

macro_rules! forward {
    ($($pointer:ident),*) => {$(
        impl<T: Transport + ?Sized> Transport for $pointer<T> {
            fn fetch(&self, request: Exchange) -> Flow<'_, http::Response<Vec<u8>>> {
                (**self).fetch(request)
            }

            fn pause(&self, duration: Duration) -> Flow<'_, ()> {
                (**self).pause(duration)
            }

            fn detach(&self, work: Flow<'static, ()>) -> Option<Flow<'static, ()>> {
                (**self).detach(work)
            }
        }
    )*};
}

forward!(Arc, Box);
