//! What a request carries (RFC 9110 section 6.4).

use crate::failure::transport;
use auth_core::Result;
use http::{Extensions, Method, Request, Response, request::Parts};
use std::{fmt, io::Read};
use ureq::{Agent, SendBody};

/// The body of a request: bytes that are here, which can be sent again, or what is read as it is sent, once.
///
/// ```
/// use auth_ureq::RequestContent;
/// let again = RequestContent::from(r#"{"messages":[]}"#);
/// let once = RequestContent::reader(std::io::stdin());
/// # let _ = (again, once);
/// ```
pub struct RequestContent(Kind);

enum Kind {
    Bytes(Vec<u8>),
    Reader(Box<dyn Read + Send>),
}

impl RequestContent {
    /// What is read as it is sent: its request is tried once, and follows no redirect.
    ///
    /// It goes in chunks, unless the request has a `Content-Length`.
    #[must_use]
    pub fn reader(reader: impl Read + Send + 'static) -> Self {
        Self(Kind::Reader(Box::new(reader)))
    }

    /// The bytes, unless they are still to be read.
    pub(crate) fn bytes(&self) -> Option<&[u8]> {
        match &self.0 {
            Kind::Bytes(bytes) => Some(bytes),
            Kind::Reader(_) => None,
        }
    }

    /// Sends it under this head, once.
    pub(crate) fn send(&mut self, agent: &Agent, mut head: Parts) -> Result<Response<ureq::Body>> {
        // ureq would take settings from there: redirects of its own, another proxy.
        head.extensions = Extensions::new();
        let target = head.uri.clone();
        let sent = match &mut self.0 {
            Kind::Bytes(bytes) if bytes.is_empty() && !announces_nothing(&head.method) => {
                agent.run(Request::from_parts(head, ()))
            }
            Kind::Bytes(bytes) => agent.run(Request::from_parts(head, bytes.as_slice())),
            Kind::Reader(reader) => {
                agent.run(Request::from_parts(head, SendBody::from_reader(reader)))
            }
        };
        sent.map_err(|error| transport(&target, error))
    }
}

/// Is `Content-Length: 0` expected with this method when there is no content (RFC 9110 section 8.6)?
fn announces_nothing(method: &Method) -> bool {
    matches!(*method, Method::POST | Method::PUT | Method::PATCH)
}

impl Default for RequestContent {
    fn default() -> Self {
        Self(Kind::Bytes(Vec::new()))
    }
}

impl From<()> for RequestContent {
    fn from((): ()) -> Self {
        Self::default()
    }
}

impl From<Vec<u8>> for RequestContent {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Kind::Bytes(bytes))
    }
}

impl From<String> for RequestContent {
    fn from(text: String) -> Self {
        Self::from(text.into_bytes())
    }
}

impl From<&[u8]> for RequestContent {
    fn from(bytes: &[u8]) -> Self {
        Self::from(bytes.to_vec())
    }
}

impl From<&str> for RequestContent {
    fn from(text: &str) -> Self {
        Self::from(text.as_bytes())
    }
}

/// Shows how much is there, never what.
impl fmt::Debug for RequestContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Bytes(bytes) => write!(f, "RequestContent({} bytes)", bytes.len()),
            Kind::Reader(_) => f.write_str("RequestContent(reader)"),
        }
    }
}
