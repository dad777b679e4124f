//! The client layer: credentials on every request, afresh for every attempt.

use crate::{BoxError, BufferedBody, OutgoingBody};
use auth_core::{
    Answer, AnswerBodyLimit, Authenticator, Body, Credentials, Error, Event, Hop, NextStep,
    Observer, PlainHttp, RequestMemory, RequestView, RetryBudget, authenticate,
};
use bytes::Bytes;
use http::{Request, Response, Uri};
use std::{
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tower_layer::Layer;
use tower_service::Service;

/// Authenticates every request that passes, and tries again when the scheme says that it helps.
///
/// A body that is an [`OutgoingBody::Bytes`] can be sent again; a stream is sent once, and the caller gets the answer as it
/// came. Redirects are not followed here: a tower client does not follow any.
///
/// # Security
///
/// Credentials go over https, or to this machine; plain http beyond it is an error unless
/// [`allowing_plain_http`](Self::allowing_plain_http) says otherwise. To a proxy ([`with_hop`](Self::with_hop)) they go
/// over https alone: where the proxy is, this layer is not told, and a loopback address may mean the proxy's machine.
pub struct AuthenticateLayer<A> {
    shared: Shared<A>,
}

struct Shared<A> {
    authenticator: Arc<A>,
    observer: Arc<dyn Observer>,
    plain_http: PlainHttp,
    hop: Hop,
}

impl<A> Clone for Shared<A> {
    fn clone(&self) -> Self {
        let (authenticator, observer) =
            (Arc::clone(&self.authenticator), Arc::clone(&self.observer));
        Self { authenticator, observer, plain_http: self.plain_http, hop: self.hop }
    }
}

impl<A> AuthenticateLayer<A> {
    /// Authenticates with this authenticator.
    pub fn new(authenticator: A) -> Self {
        Self {
            shared: Shared {
                authenticator: Arc::new(authenticator),
                observer: Arc::new(()),
                plain_http: PlainHttp::ToLoopback,
                hop: Hop::Origin,
            },
        }
    }

    /// Says where the service beneath sends each request: to its origin, unless set, or to a proxy that is to see
    /// credentials of its own.
    #[must_use]
    pub const fn with_hop(mut self, hop: Hop) -> Self {
        self.shared.hop = hop;
        self
    }

    /// Tells an observer what happened.
    #[must_use]
    pub fn with_observer(mut self, observer: impl Observer + 'static) -> Self {
        self.shared.observer = Arc::new(observer);
        self
    }

    /// Lets credentials travel unencrypted to any host: only for networks that are private end to end.
    #[must_use]
    pub const fn allowing_plain_http(mut self) -> Self {
        self.shared.plain_http = PlainHttp::ToAnywhere;
        self
    }
}

impl<A> Clone for AuthenticateLayer<A> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
}

impl<A> fmt::Debug for AuthenticateLayer<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthenticateLayer(..)")
    }
}

impl<S, A> Layer<S> for AuthenticateLayer<A> {
    type Service = Authenticate<S, A>;

    fn layer(&self, inner: S) -> Authenticate<S, A> {
        Authenticate { inner, shared: self.shared.clone() }
    }
}

/// The service that [`AuthenticateLayer`] makes.
pub struct Authenticate<S, A> {
    inner: S,
    shared: Shared<A>,
}

impl<S: Clone, A> Clone for Authenticate<S, A> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), shared: self.shared.clone() }
    }
}

impl<S, A> fmt::Debug for Authenticate<S, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authenticate(..)")
    }
}

impl<S, A, R> Service<Request<OutgoingBody>> for Authenticate<S, A>
where
    A: Authenticator + 'static,
    S: Service<Request<OutgoingBody>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Send,
    R: http_body::Body<Data = Bytes> + Send + 'static,
    R::Error: Into<BoxError>,
{
    type Response = Response<BufferedBody<R>>;
    type Error = ClientError<S::Error>;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context).map_err(ClientError::Service)
    }

    fn call(&mut self, request: Request<OutgoingBody>) -> Self::Future {
        let fresh = self.inner.clone();
        // The clone may not be ready; the one that was polled is.
        let inner = std::mem::replace(&mut self.inner, fresh);
        let shared = self.shared.clone();
        Box::pin(async move { shared.exchange(inner, request).await })
    }
}

impl<A: Authenticator> Shared<A> {
    async fn exchange<S, R>(
        &self,
        mut inner: S,
        request: Request<OutgoingBody>,
    ) -> Result<Response<BufferedBody<R>>, ClientError<S::Error>>
    where
        S: Service<Request<OutgoingBody>, Response = Response<R>>,
        R: http_body::Body<Data = Bytes>,
        R::Error: Into<BoxError>,
    {
        let (head, mut body) = request.into_parts();
        let (mut attempts, memory) = (RetryBudget::default(), RequestMemory::new());
        loop {
            let bytes = body.bytes();
            let view = RequestView::new(&head.method, &head.uri, &head.headers).with_hop(self.hop);
            let view = view.with_memory(&memory);
            let whole = bytes.as_deref().map_or(Body::Unread, Body::Bytes);
            let mut copy = head.clone();
            drop_own_port(&mut copy.uri);
            let (uri, headers) = (&mut copy.uri, &mut copy.headers);
            let sent = authenticate(
                &*self.authenticator,
                self.plain_http(),
                view.with_body(whole),
                uri,
                headers,
            );
            let sent = sent.await.map_err(|error| self.fail(error))?;
            let request = Request::from_parts(copy, body);
            let answer = inner.call(request).await.map_err(ClientError::Service)?;
            let (answer, next) = self.assess(view, &sent, answer, &mut attempts).await?;
            let (NextStep::Again { after }, Some(bytes)) = (next, bytes) else { return Ok(answer) };
            drop(answer);
            self.observer.observe(Event::Retried);
            if let Some(wait) = after {
                tokio::time::sleep(wait).await;
            }
            body = OutgoingBody::Bytes(bytes);
            poll_fn(|context| inner.poll_ready(context)).await.map_err(ClientError::Service)?;
        }
    }

    async fn assess<R, E>(
        &self,
        view: RequestView<'_>,
        sent: &Credentials,
        answer: Response<R>,
        attempts: &mut RetryBudget,
    ) -> Result<(Response<BufferedBody<R>>, NextStep), ClientError<E>>
    where
        R: http_body::Body<Data = Bytes>,
        R::Error: Into<BoxError>,
    {
        let (head, body) = answer.into_parts();
        let mut body = BufferedBody::untouched(body);
        let exact = http_body::Body::size_hint(&body).exact();
        let need = self.authenticator.reads(head.status, &head.headers);
        let whole = match AnswerBodyLimit::of(need, head.status, exact) {
            None => Ok(false),
            Some(AnswerBodyLimit { limit, within: None, .. }) => body.fill(limit).await,
            // It is given up without a loss: what was read stays in the body.
            Some(AnswerBodyLimit { limit, within: Some(patience), .. }) => {
                tokio::time::timeout(patience, body.fill(limit)).await.unwrap_or(Ok(false))
            }
        };
        let whole =
            whole.map_err(|error| self.fail(Error::transport("client_answer_broken", error)))?;
        let bytes = whole.then(|| body.bytes());
        let mut seen = Answer::new(view, head.status, &head.headers);
        (seen.body, seen.trailers) = (bytes.as_deref(), body.trailers());
        let verdict = self.authenticator.assess(sent, seen);
        let next = attempts.next(sent, verdict).map_err(|error| self.fail(error))?;
        Ok((Response::from_parts(head, body), next))
    }

    /// To a proxy a loopback address may mean another machine.
    const fn plain_http(&self) -> PlainHttp {
        match (self.hop, self.plain_http) {
            (Hop::Proxy, PlainHttp::ToLoopback) => PlainHttp::Nowhere,
            (_, as_set) => as_set,
        }
    }

    fn fail<E>(&self, error: Error) -> ClientError<E> {
        self.observer.observe(Event::Failed(&error));
        ClientError::Authentication(error)
    }
}

/// Takes the scheme's own port off a URL. Clients leave it out of a Host field and not out of `:authority`; a signature
/// is over the host without it, whichever of the two is sent.
fn drop_own_port(uri: &mut Uri) {
    let own = match (uri.scheme_str(), uri.port_u16()) {
        (Some("https"), Some(443)) | (Some("http"), Some(80)) => uri.authority(),
        _ => None,
    };
    let bare = own.and_then(|authority| authority.as_str().rsplit_once(':'));
    let Some(bare) = bare.and_then(|(host, _)| host.parse().ok()) else { return };
    let mut parts = uri.clone().into_parts();
    parts.authority = Some(bare);
    if let Ok(same) = Uri::from_parts(parts) {
        *uri = same;
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub enum ClientError<E> {
    /// The request could not be authenticated; it was not sent, or its answer says that nothing helps.
    Authentication(Error),
    /// The service beneath failed.
    Service(E),
}

impl<E: fmt::Display> fmt::Display for ClientError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Authentication(error) => error.fmt(f),
            Self::Service(error) => error.fmt(f),
        }
    }
}

impl<E: std::error::Error + 'static> std::error::Error for ClientError<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Authentication(error) => error.source(),
            Self::Service(error) => error.source(),
        }
    }
}
