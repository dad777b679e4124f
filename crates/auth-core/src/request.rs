//! What a scheme may read of a request, on either side of the wire.

use crate::RequestMemory;
use http::{HeaderMap, Method, Uri};
use std::{fmt, net::IpAddr};

/// A request as a scheme sees it: borrowed, read only, the same for client and server.
///
/// Adapters make one; schemes never edit a request, they return [`Credentials`](crate::Credentials).
/// `uri` keeps the target's own bytes: it is never parsed and printed again.
///
/// ```
/// use auth_core::{Body, RequestView};
/// use http::{HeaderMap, Method, Uri};
/// let (uri, headers) = (Uri::from_static("https://example.com/a?b"), HeaderMap::new());
/// let request = RequestView::new(&Method::POST, &uri, &headers).with_body(Body::Bytes(b"{}"));
/// assert_eq!(request.authority().unwrap(), Some("example.com"));
/// ```
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct RequestView<'a> {
    /// The method, case-sensitive.
    pub method: &'a Method,
    /// The target: absolute on a client, and on a server as the wire had it.
    pub uri: &'a Uri,
    /// All header fields.
    pub headers: &'a HeaderMap,
    /// As much of the body as the scheme asked for.
    pub body: Body<'a>,
    /// What a server knows of the sender; on a client [`Peer::UNKNOWN`].
    pub peer: Peer<'a>,
    /// The receiver that a client sends it to next; on a server [`Hop::Origin`].
    pub hop: Hop,
    memory: Option<&'a RequestMemory>,
    wants_unique: bool,
}

impl<'a> RequestView<'a> {
    /// A view of the head alone: body unread, peer unknown, on its way to its origin.
    #[must_use]
    pub const fn new(method: &'a Method, uri: &'a Uri, headers: &'a HeaderMap) -> Self {
        let (body, peer, hop) = (Body::Unread, Peer::UNKNOWN, Hop::Origin);
        Self { method, uri, headers, body, peer, hop, memory: None, wants_unique: false }
    }

    /// With what is known of the body.
    #[must_use]
    pub const fn with_body(self, body: Body<'a>) -> Self {
        Self { body, ..self }
    }

    /// With what the server knows of the sender.
    #[must_use]
    pub const fn with_peer(self, peer: Peer<'a>) -> Self {
        Self { peer, ..self }
    }

    /// With what the client adapter knows of the way.
    #[must_use]
    pub const fn with_hop(self, hop: Hop) -> Self {
        Self { hop, ..self }
    }

    /// With what is remembered of this request from one attempt to the next: client adapters make one for each request.
    #[must_use]
    pub const fn with_memory(self, memory: &'a RequestMemory) -> Self {
        Self { memory: Some(memory), ..self }
    }

    /// What is remembered of this request from one attempt to the next; `None` where its sender keeps nothing.
    #[must_use]
    pub const fn memory(&self) -> Option<&'a RequestMemory> {
        self.memory
    }

    /// Does a verifier around this one take each identifier once ([`Verifier::once`](crate::Verifier::once))? Only then
    /// does a scheme have to name its own ([`Accepted::with_unique`](crate::Accepted::with_unique)).
    #[must_use]
    pub const fn wants_unique(&self) -> bool {
        self.wants_unique
    }

    pub(crate) const fn wanting_unique(self) -> Self {
        Self { wants_unique: true, ..self }
    }
}

/// The next receiver of a request, as its client adapter knows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hop {
    /// Its origin, or a gateway that stands for it; through a tunnel, if there is one, which the request does not touch.
    #[default]
    Origin,
    /// A proxy: the request is a `CONNECT`, or names its whole URL in the request line (RFC 9112 section 3.2). Credentials
    /// for a proxy are added to these requests and to no other: inside a tunnel they would reach the origin.
    Proxy,
}

/// Shows the method and path; the query and the fields may hold secrets.
impl fmt::Debug for RequestView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RequestView({} {}, {} fields)", self.method, self.uri.path(), self.headers.len())
    }
}

/// A body, as far as it was asked for with a [`Need`].
#[derive(Clone, Copy)]
pub enum Body<'a> {
    /// All of it.
    Bytes(&'a [u8]),
    /// Nobody asked for it, or it is still to come.
    Unread,
}

/// Shows how much is there, never what.
impl fmt::Debug for Body<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "Bytes({} bytes)", bytes.len()),
            Self::Unread => f.write_str("Unread"),
        }
    }
}

/// The sender of a request, as the server adapter knows it from the connection: nothing here is from a header.
#[derive(Clone, Copy, Debug, Default)]
pub struct Peer<'a> {
    /// The client's address, behind trusted proxies if any. `None` when it is not known: a verifier with an address
    /// list must then refuse.
    pub address: Option<IpAddr>,
    /// Did the request come over TLS, all the way from the client?
    pub encrypted: bool,
    /// The client's certificate, verified by the TLS layer, in DER.
    pub certificate: Option<&'a [u8]>,
}

impl Peer<'_> {
    /// Nothing is known.
    pub const UNKNOWN: Self = Self { address: None, encrypted: false, certificate: None };
}

/// How much of a body a scheme must see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Need {
    /// Nothing: the body is left to stream.
    #[default]
    Nothing,
    /// All of it, up to `limit` bytes; a longer one is refused.
    Bytes {
        /// In bytes.
        limit: usize,
    },
}

impl Need {
    /// What serves both: of two limits the lower holds.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Nothing, need) | (need, Self::Nothing) => need,
            (Self::Bytes { limit: a }, Self::Bytes { limit: b }) => Self::Bytes { limit: a.min(b) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(a: Need, b: Need, expected: Need) {
        assert_eq!((a.and(b), b.and(a)), (expected, expected));
    }

    #[test]
    fn joined_needs_serve_both() {
        check(Need::Nothing, Need::Nothing, Need::Nothing);
        check(Need::Nothing, Need::Bytes { limit: 9 }, Need::Bytes { limit: 9 });
        check(Need::Bytes { limit: 7 }, Need::Bytes { limit: 9 }, Need::Bytes { limit: 7 });
    }

    #[test]
    fn debug_shows_no_query_field_or_body() {
        let uri = Uri::from_static("https://example.com/p?apikey=canary");
        let mut headers = HeaderMap::new();
        headers.insert("key", http::HeaderValue::from_static("canary"));
        let request =
            RequestView::new(&Method::GET, &uri, &headers).with_body(Body::Bytes(b"canary"));
        assert_eq!(format!("{request:?}"), "RequestView(GET /p, 1 fields)");
        assert_eq!(format!("{:?}", request.body), "Bytes(6 bytes)");
    }
}
