//! The server layer: who is calling, before the handler is asked.

use crate::{
    BoxError, CheckedBody, Connection, Reread,
    judge::{Door, Refused},
    reply::{closing, failed, rejected},
};
use auth_core::{Accepted, Body, Error, Event, Need, Observer, Reply, Seal, Verifier};
use auth_net::TrustedProxies;
use bytes::Bytes;
use http::{Request, Response};
use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll},
};
use tower_layer::Layer;
use tower_service::Service;

/// Verifies every request before the service behind it sees it.
///
/// An accepted request carries its [`Authenticated`] principal in its extensions. A rejected one is answered here, with
/// its challenges and one plain body. The request's body is buffered or hashed only when the verifier needs it, after
/// its cheap checks, up to a limit; a body check streams. One that is refused before its body came says so to its
/// client with `connection: close`.
///
/// Who is calling from where comes from a [`Connection`] in the request's extensions, which the server puts there (with
/// the `axum` feature, `ConnectInfo<SocketAddr>` serves too).
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
    door: Door<V>,
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
    pub fn new(verifier: V) -> Self {
        let most_buffered = Self::MOST_BUFFERED;
        Self {
            door: Door {
                verifier: Arc::new(verifier),
                observer: Arc::new(()),
                proxies: None,
                most_buffered,
            },
        }
    }

    /// Tells an observer what happened.
    #[must_use]
    pub fn observed_by(mut self, observer: impl Observer + 'static) -> Self {
        self.door.observer = Arc::new(observer);
        self
    }

    /// Takes the client's address from what these proxies say.
    #[must_use]
    pub fn behind(mut self, proxies: TrustedProxies) -> Self {
        self.door.proxies = Some(Arc::new(proxies));
        self
    }

    /// Buffers at most so many bytes of a body for the verifier; a longer one is a 413.
    #[must_use]
    pub const fn buffering_at_most(mut self, bytes: usize) -> Self {
        self.door.most_buffered = bytes;
        self
    }
}

impl<V> Clone for VerifyLayer<V> {
    fn clone(&self) -> Self {
        Self { door: self.door.clone() }
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
        Verify { inner, door: self.door.clone() }
    }
}

/// The service that [`VerifyLayer`] makes.
pub struct Verify<S, V> {
    inner: S,
    door: Door<V>,
}

impl<S: Clone, V> Clone for Verify<S, V> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), door: self.door.clone() }
    }
}

impl<S, V> fmt::Debug for Verify<S, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verify(..)")
    }
}

impl<S, V, B, R> Service<Request<B>> for Verify<S, V>
where
    V: Verifier + 'static,
    V::Principal: Clone + Sync + 'static,
    S: Service<Request<CheckedBody<B>>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
    R: http_body::Body<Data = Bytes> + Send + 'static,
    R::Error: Into<BoxError>,
{
    type Response = Response<Reread<R>>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let fresh = self.inner.clone();
        // The clone may not be ready; the one that was polled is.
        let inner = std::mem::replace(&mut self.inner, fresh);
        Box::pin(serve(inner, self.door.clone(), request))
    }
}

async fn serve<S, V, B, R>(
    mut inner: S,
    door: Door<V>,
    request: Request<B>,
) -> Result<Response<Reread<R>>, S::Error>
where
    V: Verifier,
    V::Principal: Clone + Sync + 'static,
    S: Service<Request<CheckedBody<B>>, Response = Response<R>>,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
    R: http_body::Body<Data = Bytes>,
    R::Error: Into<BoxError>,
{
    let (mut head, body) = request.into_parts();
    let mut body = Reread::untouched(body);
    let connection = Connection::of(&head);
    let Accepted { principal, scheme, body: check, seal, .. } =
        match door.judge(&head, &connection, &mut body).await {
            Ok(accepted) => accepted,
            Err(refused) => {
                let mut answer = match &refused {
                    Refused::Rejected(rejection) => rejected(rejection),
                    Refused::Failed(error) => failed(error),
                };
                if !http_body::Body::is_end_stream(&body) {
                    closing(&mut answer, head.version);
                }
                return Ok(answer);
            }
        };
    head.extensions.insert(Authenticated { principal, scheme });
    let late = Arc::new(OnceLock::new());
    let body = match check {
        None => CheckedBody::unchecked(body),
        Some(check) => {
            CheckedBody::checked(body, check, Arc::clone(&door.observer), Arc::clone(&late))
        }
    };
    let response = inner.call(Request::from_parts(head, body)).await?;
    if let Some(rejection) = late.get() {
        // Whatever the handler made of the broken body, the caller is told what was wrong with it.
        return Ok(rejected(rejection));
    }
    match seal {
        None => Ok(response.map(Reread::untouched)),
        Some(seal) => Ok(sealed(seal, response).await.unwrap_or_else(|error| {
            door.observer.observe(Event::Failed(&error));
            failed(&error)
        })),
    }
}

async fn sealed<R>(seal: Box<dyn Seal>, response: Response<R>) -> Result<Response<Reread<R>>, Error>
where
    R: http_body::Body<Data = Bytes>,
    R::Error: Into<BoxError>,
{
    let (mut head, body) = response.into_parts();
    let mut body = Reread::untouched(body);
    let need = seal.needs(head.status, &head.headers);
    let (bytes, hashes);
    let seen = match body.read(need, usize::MAX).await {
        Err(_) | Ok(false) => Body::Unread,
        Ok(true) => match need {
            Need::Nothing => Body::Unread,
            Need::Hash(wanted) => {
                bytes = body.bytes();
                hashes = wanted.iter().map(|algorithm| algorithm.hash(&bytes)).collect::<Vec<_>>();
                Body::Hashed(&hashes)
            }
            Need::Bytes { .. } => {
                bytes = body.bytes();
                Body::Bytes(&bytes)
            }
        },
    };
    let added = seal.seal(Reply::new(head.status, &head.headers, seen))?;
    head.headers.extend(added);
    Ok(Response::from_parts(head, body))
}
