//! A request with all of its body, and what a scheme may see of it.

use auth_core::{Body, Peer, RequestView};
use axum::{
    body::{Bytes, to_bytes},
    extract::{ConnectInfo, FromRequest, Request},
    response::Response,
};
use http::{StatusCode, request::Parts};
use http_body_util::LengthLimitError;
use std::{
    error::Error,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

/// No request has a longer body.
pub(crate) const MOST_BODY_BYTES: usize = 64 * 1024;

/// A request that has arrived as a whole.
pub(crate) struct Whole {
    pub(crate) head: Parts,
    pub(crate) body: Bytes,
}

impl Whole {
    pub(crate) fn view(&self) -> RequestView<'_> {
        let Parts { method, uri, headers, .. } = &self.head;
        let certificate = self.head.extensions.get::<PeerCertificate>();
        let peer = Peer {
            address: source(&self.head.extensions),
            certificate: certificate.map(|it| &*it.0),
            ..Peer::UNKNOWN
        };
        RequestView::new(method, uri, headers).with_body(Body::Bytes(&self.body)).with_peer(peer)
    }
}

/// The certificate that the client of a connection has shown, in DER. It was verified.
#[derive(Clone)]
pub(crate) struct PeerCertificate(pub(crate) Arc<[u8]>);

/// The address that a request came from, if its server says so.
pub(crate) fn source(extensions: &http::Extensions) -> Option<IpAddr> {
    let ConnectInfo(peer) = extensions.get::<ConnectInfo<SocketAddr>>()?;
    Some(peer.ip().to_canonical())
}

impl<S: Send + Sync> FromRequest<S> for Whole {
    type Rejection = Response;

    async fn from_request(request: Request, _: &S) -> Result<Self, Response> {
        let (head, body) = request.into_parts();
        match to_bytes(body, MOST_BODY_BYTES).await {
            Ok(body) => Ok(Self { head, body }),
            // The form of the answer is that of its endpoint, which is given to it later.
            Err(error) => {
                let is_long = error.source().is_some_and(|it| it.is::<LengthLimitError>());
                let mut response = Response::default();
                *response.status_mut() = match is_long {
                    true => StatusCode::PAYLOAD_TOO_LARGE,
                    false => StatusCode::BAD_REQUEST,
                };
                Err(response)
            }
        }
    }
}
