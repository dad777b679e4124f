//! The order in which a request is judged: cheap checks, then as much of the body as is needed, then the verifier.

use crate::{
    BoxError, BufferedBody, ConnectionInfo, buffered::limit, drain::DrainLimits,
    reply::RejectionAnswer,
};
use auth_core::{
    Accepted, Body, Error, Event, Need, Observer, Peer, Presence, Reason, Rejection, RequestView,
    Verifier,
};
use auth_net::TrustedProxies;
use bytes::Bytes;
use http::{Uri, header::CONTENT_LENGTH, request::Parts};
use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::Arc,
};
use tracing::{
    Span,
    field::{Empty, display},
};

/// What every request to one service is judged with.
pub(crate) struct Door<V> {
    pub(crate) verifier: Arc<V>,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) proxies: Option<Arc<TrustedProxies>>,
    pub(crate) most_buffered: usize,
    pub(crate) drain: DrainLimits,
    pub(crate) rejection_answer: Option<Arc<RejectionAnswer>>,
}

impl<V> Clone for Door<V> {
    fn clone(&self) -> Self {
        Self {
            verifier: Arc::clone(&self.verifier),
            observer: Arc::clone(&self.observer),
            proxies: self.proxies.clone(),
            most_buffered: self.most_buffered,
            drain: self.drain,
            rejection_answer: self.rejection_answer.clone(),
        }
    }
}

/// Why there is no principal: the caller's fault, or ours.
pub(crate) enum Refused {
    Rejected(Rejection),
    Failed(Error),
}

impl From<Rejection> for Refused {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl<V: Verifier> Door<V> {
    /// Judges a request, in a span of its own, and tells the observer.
    pub(crate) async fn judge<B>(
        &self,
        head: &Parts,
        body: &mut BufferedBody<B>,
    ) -> Result<Accepted<V::Principal>, Refused>
    where
        B: http_body::Body<Data = Bytes> + Send,
        B::Error: Into<BoxError>,
    {
        let span = tracing::info_span!(
            "auth.verify",
            http.request.method = %head.method,
            url.path = original(head).path(),
            client.address = Empty,
            auth.scheme = Empty,
            auth.outcome = Empty,
            error.type = Empty,
        );
        let mut deciding = pin!(self.decide(head, body));
        let outcome = poll_fn(|context| span.in_scope(|| deciding.as_mut().poll(context))).await;
        self.tell(&span, &outcome);
        outcome
    }

    fn tell<P>(&self, span: &Span, outcome: &Result<Accepted<P>, Refused>) {
        let (told, error, event) = match outcome {
            Ok(accepted) => ("accepted", None, Event::Accepted { scheme: accepted.scheme }),
            Err(Refused::Rejected(rejection)) => {
                ("rejected", Some(rejection.reason().code), Event::Rejected(rejection))
            }
            Err(Refused::Failed(error)) => ("failed", Some(error.code()), Event::Failed(error)),
        };
        if !span.is_disabled() {
            span.record("auth.outcome", told);
            match (&event, error) {
                (Event::Accepted { scheme }, _) => span.record("auth.scheme", scheme),
                (_, error) => span.record("error.type", error),
            };
        }
        // What an observer writes to a log stands inside the span, and so beside path and address.
        span.in_scope(|| self.observer.observe(event));
    }

    async fn decide<B>(
        &self,
        head: &Parts,
        body: &mut BufferedBody<B>,
    ) -> Result<Accepted<V::Principal>, Refused>
    where
        B: http_body::Body<Data = Bytes> + Send,
        B::Error: Into<BoxError>,
    {
        let connection = ConnectionInfo::of(head);
        let peer = Peer {
            address: connection.client(self.proxies.as_deref(), &head.headers),
            encrypted: connection.encrypted,
            certificate: connection.certificate.as_deref(),
        };
        if let Some(address) = peer.address {
            Span::current().record("client.address", display(address));
        }
        let view = RequestView::new(&head.method, original(head), &head.headers).with_peer(peer);
        view.authority()?;
        let need = match self.verifier.presence(view) {
            Presence::Absent => Need::Nothing,
            Presence::Present => self.verifier.needs(view),
        };
        let bytes;
        let view = match limit(need, self.most_buffered) {
            None => view,
            Some(limit) => {
                bytes = self.read(limit, head, body).await?;
                view.with_body(Body::Bytes(&bytes))
            }
        };
        Ok(self.verifier.verify(view).await??)
    }

    async fn read<B>(
        &self,
        limit: usize,
        head: &Parts,
        body: &mut BufferedBody<B>,
    ) -> Result<Bytes, Rejection>
    where
        B: http_body::Body<Data = Bytes> + Send,
        B::Error: Into<BoxError>,
    {
        let announced = head.headers.get(CONTENT_LENGTH);
        let announced = announced.and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
        if announced.is_some_and(|length| length > limit) {
            return Err(Rejection::too_large(TOO_LARGE));
        }
        whole(body, limit).await
    }
}

/// All of a body.
pub(crate) async fn whole<B>(body: &mut BufferedBody<B>, limit: usize) -> Result<Bytes, Rejection>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    match body.fill(limit).await {
        Ok(true) => Ok(body.bytes()),
        Ok(false) => Err(Rejection::too_large(TOO_LARGE)),
        Err(error) => {
            body.break_with(error);
            Err(Rejection::malformed(BROKEN))
        }
    }
}

/// The target as the wire had it: axum's `nest` cuts a prefix off.
fn original(head: &Parts) -> &Uri {
    #[cfg(feature = "axum")]
    if let Some(axum::extract::OriginalUri(uri)) = head.extensions.get() {
        return uri;
    }
    &head.uri
}

const TOO_LARGE: Reason =
    Reason::new("body_too_large", "body is longer than what may be buffered to verify it");
const BROKEN: Reason = Reason::new("body_broken", "body ended before it was whole");
