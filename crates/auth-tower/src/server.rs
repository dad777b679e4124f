//! The server layer: who is calling, before the handler is asked.

use crate::{drain::DrainLimits, judge::Door, verify::Verify};
use auth_core::{Observer, Rejection};
use auth_net::TrustedProxies;
use http::{Response, request::Parts};
use std::{fmt, sync::Arc, time::Duration};
use tower_layer::Layer;

/// Verifies every request before the service behind it sees it.
///
/// An accepted request carries its [`Authenticated`] principal in its extensions. A rejected one is answered here, with
/// its challenges and one plain body. An answer that is given before all of the request's body came says so to its
/// client with `connection: close`, and a part of what is still to come is read on, so that the client sees the answer
/// ([`with_refused_body_drain`](Self::with_refused_body_drain)).
///
/// The request's body is read only when the verifier needs it, after its cheap checks, up to a limit. Where the
/// verifier accepts a request on condition that its body passes a check ([`BodyCheck`](auth_core::BodyCheck)):
///
/// - A body of a known size that may be buffered is read and judged before the handler runs.
/// - Any other streams through a [`CheckedBody`](crate::CheckedBody), whose end never comes unless the check passes. A
///   handler that does not read such a body to its end acts on the head alone.
/// - A body that is refused while the handler reads it is answered with that refusal and `connection: close`, whatever
///   the handler returns.
/// - What the handler reads of a framing is its content: the header fields of the framing are gone, and
///   `Content-Length` is that of the content.
/// - Trailer fields do not reach the handler with a body that was read for the verifier or has to pass a check.
///
/// When the handler has replied, the completions of the verifier ([`Completion`](auth_core::Completion)) are asked.
/// One that sees the body of the reply sees it only if its size is known and within the completion's limit. A
/// completion that fails is told to the observer, and the reply is sent unchanged; only a header field that the caller
/// relies on and that could not be made turns the reply into a 5xx.
///
/// The address and the certificate of the caller come from a [`ConnectionInfo`](crate::ConnectionInfo) in the request's
/// extensions, which the server puts there (with the `axum` feature, `ConnectInfo<SocketAddr>` serves too).
///
/// ```
/// use auth_core::{Flow, Need, Outcome, Presence, RequestView, Accepted, Verifier};
/// use auth_tower::{Authenticated, VerifyLayer};
/// # #[derive(Clone)] struct Anyone;
/// # impl Verifier for Anyone {
/// #     type Principal = &'static str;
/// #     fn presence(&self, _: RequestView<'_>) -> Presence { Presence::Present }
/// #     fn verify<'a>(&'a self, _: RequestView<'a>) -> Flow<'a, Outcome<&'static str>> { Flow::ready(Ok(Accepted::new("None", "you"))) }
/// # }
/// # async fn serve() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
/// let service = ServiceBuilder::new().layer(VerifyLayer::new(Anyone)).service(service_fn(
///     |request: http::Request<auth_tower::CheckedBody<http_body_util::Empty<bytes::Bytes>>>| async move {
///         let caller = request.extensions().get::<Authenticated<&str>>().map(|found| found.principal);
///         Ok::<_, std::convert::Infallible>(http::Response::new(http_body_util::Full::new(bytes::Bytes::from(caller.unwrap_or("nobody")))))
///     },
/// ));
/// let answer = service.oneshot(http::Request::new(http_body_util::Empty::new())).await?;
/// assert_eq!(answer.status(), 200);
/// # Ok(())
/// # }
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(serve()).unwrap();
/// ```
pub struct VerifyLayer<V> {
    door: Arc<Door<V>>,
}

/// Who is calling: found in the extensions of an accepted request, or extracted by an axum handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Authenticated<P> {
    /// Who it is.
    pub principal: P,
    /// The scheme that judged.
    pub scheme: &'static str,
}

impl<V> VerifyLayer<V> {
    /// The most bytes of a body that are buffered for a verifier, unless set otherwise: 2 MiB.
    pub const MOST_BUFFERED: usize = 2 * 1024 * 1024;

    /// Verifies with this verifier: one scheme, or a choice of several.
    ///
    /// The layer waits for the rest of refused uploads, so the runtime needs tokio's timer (`enable_time`), unless that
    /// wait is [set to zero](Self::with_refused_body_drain).
    pub fn new(verifier: V) -> Self {
        Self {
            door: Arc::new(Door {
                verifier: Arc::new(verifier),
                observer: Arc::new(()),
                proxies: None,
                most_buffered: Self::MOST_BUFFERED,
                drain: DrainLimits::DEFAULT,
                rejection_answer: None,
            }),
        }
    }

    fn change(mut self, change: impl FnOnce(&mut Door<V>)) -> Self {
        change(Arc::make_mut(&mut self.door));
        self
    }

    /// Tells an observer what happened.
    #[must_use]
    pub fn with_observer(self, observer: impl Observer + 'static) -> Self {
        self.change(|door| door.observer = Arc::new(observer))
    }

    /// Takes the client's address from what these proxies say.
    #[must_use]
    pub fn with_trusted_proxies(self, proxies: TrustedProxies) -> Self {
        self.change(|door| door.proxies = Some(Arc::new(proxies)))
    }

    /// Answers rejected requests as a platform has it: with a body of its form, or with a status of its own. The head of the
    /// request is there for the identifier that a layer before this one has put into its extensions.
    ///
    /// A 401 gets the challenges of the rejection where the answer has none, and every answer is kept out of caches.
    ///
    /// # Security
    ///
    /// The reason of a rejection is for the log: an answer that depends on it tells callers what they could not know
    /// otherwise, such as which of two credentials exists.
    ///
    /// ```
    /// # use auth_core::Verifier;
    /// # fn example<V: Verifier>(door: V) {
    /// let layer = auth_tower::VerifyLayer::new(door).with_rejection_answer(|rejection, _head| {
    ///     let body = br#"{"error":"refused"}"#.to_vec();
    ///     let mut answer = http::Response::new(body);
    ///     *answer.status_mut() = rejection.status();
    ///     answer
    /// });
    /// # let _ = layer;
    /// # }
    /// ```
    #[must_use]
    pub fn with_rejection_answer(
        self,
        answer: impl Fn(&Rejection, &Parts) -> Response<Vec<u8>> + Send + Sync + 'static,
    ) -> Self {
        self.change(|door| door.rejection_answer = Some(Arc::new(answer)))
    }

    /// Buffers at most so many bytes of a body for the verifier, which makes a longer one a 413, or for a body check,
    /// which sees a longer one as it streams.
    #[must_use]
    pub fn with_buffer_limit(self, bytes: usize) -> Self {
        self.change(|door| door.most_buffered = bytes)
    }

    /// Reads on so many bytes of a body that is refused before it has arrived, for so long at most: 64 KiB and 100 ms
    /// unless set. No bytes: nothing is read on.
    ///
    /// A client that is still sending when its connection closes often sees a broken pipe in place of the answer. So
    /// the head of the answer is sent at once, and its body when the request's body has ended or a limit is reached.
    /// What is read is thrown away. A client that sends more than this without reading still breaks off: set the bytes to
    /// the largest upload whose sender should see its refusal. HTTP/2 needs none of this, nor does a client that still
    /// waits for `100 Continue`, which a server sends when the body is first read.
    ///
    /// The wait needs tokio's timer; a runtime that was built without one (`enable_time`) must set the time to zero.
    #[must_use]
    pub fn with_refused_body_drain(self, bytes: usize, longest: Duration) -> Self {
        self.change(|door| door.drain = DrainLimits { bytes, wait: longest })
    }
}

impl<V> Clone for VerifyLayer<V> {
    fn clone(&self) -> Self {
        Self { door: Arc::clone(&self.door) }
    }
}

impl<V> fmt::Debug for VerifyLayer<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VerifyLayer(..)")
    }
}

impl<S, V> Layer<S> for VerifyLayer<V> {
    type Service = Verify<S, V>;

    fn layer(&self, inner: S) -> Verify<S, V> {
        // Routers ask for a service with every request: nothing is made here.
        Verify::new(inner, Arc::clone(&self.door))
    }
}
