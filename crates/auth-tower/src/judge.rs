//! The order in which a request is judged: cheap checks, then as much of the body as is needed, then the verifier.

use crate::{BoxError, Connection, Reread, reread::limit};
use auth_core::{
    Accepted, Body, Error, Event, Need, Observer, Peer, Presence, Reason, Rejection, RequestView,
    Verifier,
};
use auth_net::TrustedProxies;
use bytes::Bytes;
use http::{Uri, header::CONTENT_LENGTH, request::Parts};
use std::sync::Arc;
use tracing::{Instrument, field::Empty};

pub(crate) struct Door<V> {
    pub(crate) verifier: Arc<V>,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) proxies: Option<Arc<TrustedProxies>>,
    pub(crate) most_buffered: usize,
}

impl<V> Clone for Door<V> {
    fn clone(&self) -> Self {
        Self {
            verifier: Arc::clone(&self.verifier),
            observer: Arc::clone(&self.observer),
            proxies: self.proxies.clone(),
            most_buffered: self.most_buffered,
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
        connection: &Connection,
        body: &mut Reread<B>,
    ) -> Result<Accepted<V::Principal>, Refused>
    where
        B: http_body::Body<Data = Bytes> + Send,
        B::Error: Into<BoxError>,
    {
        let span = tracing::debug_span!("auth.verify", auth.scheme = Empty, auth.outcome = Empty, error.type = Empty);
        let outcome = self.decide(head, connection, body).instrument(span.clone()).await;
        match &outcome {
            Ok(accepted) => {
                span.record("auth.scheme", accepted.scheme).record("auth.outcome", "accepted");
                self.observer.observe(Event::Accepted { scheme: accepted.scheme });
            }
            Err(Refused::Rejected(rejection)) => {
                span.record("auth.outcome", "rejected")
                    .record("error.type", rejection.reason().code);
                self.observer.observe(Event::Rejected(rejection));
            }
            Err(Refused::Failed(error)) => {
                span.record("auth.outcome", "failed").record("error.type", error.code());
                self.observer.observe(Event::Failed(error));
            }
        }
        outcome
    }

    async fn decide<B>(
        &self,
        head: &Parts,
        connection: &Connection,
        body: &mut Reread<B>,
    ) -> Result<Accepted<V::Principal>, Refused>
    where
        B: http_body::Body<Data = Bytes> + Send,
        B::Error: Into<BoxError>,
    {
        let peer = Peer {
            address: connection.client(self.proxies.as_deref(), &head.headers),
            encrypted: connection.encrypted,
            certificate: connection.certificate.as_deref(),
        };
        let view = RequestView::new(&head.method, original(head), &head.headers).with_peer(peer);
        view.authority()?;
        let need = match self.verifier.presence(view) {
            Presence::Absent => Need::Nothing,
            Presence::Present => self.verifier.needs(view),
        };
        self.read(need, head, body).await?;
        let (bytes, hashes);
        let view = match need {
            Need::Nothing => view,
            Need::Hash(wanted) => {
                bytes = body.bytes();
                hashes = wanted.iter().map(|algorithm| algorithm.hash(&bytes)).collect::<Vec<_>>();
                view.with_body(Body::Hashed(&hashes))
            }
            Need::Bytes { .. } => {
                bytes = body.bytes();
                view.with_body(Body::Bytes(&bytes))
            }
        };
        Ok(self.verifier.verify(view).await??)
    }

    async fn read<B>(&self, need: Need, head: &Parts, body: &mut Reread<B>) -> Result<(), Rejection>
    where
        B: http_body::Body<Data = Bytes> + Send,
        B::Error: Into<BoxError>,
    {
        let announced = head
            .headers
            .get(CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
        let limit = limit(need, self.most_buffered);
        if limit.is_some_and(|limit| announced.is_some_and(|length| length > limit)) {
            return Err(Rejection::too_large(TOO_LARGE));
        }
        match body.read(need, self.most_buffered).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Rejection::too_large(TOO_LARGE)),
            Err(_) => Err(Rejection::malformed(BROKEN)),
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
