//! Redirects, one hop at a time (RFC 9110 section 15.4).

use crate::{Content, reference::resolve};
use auth_core::{Cause, Error, Origin};
use http::{
    HeaderMap, HeaderName, Method, Response, StatusCode, Uri,
    header::{
        AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, LOCATION, PROXY_AUTHORIZATION,
        TRANSFER_ENCODING,
    },
    request::Parts,
};

/// Where an answer sends a request, and what becomes of it on the way.
pub(crate) struct Hop {
    to: Uri,
    method: Rewrite,
    origin: Crossing,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Rewrite {
    Kept,
    ToGet,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Crossing {
    Stays,
    Leaves,
}

/// The hop that an answer asks for; `None` when it is none that is followed.
pub(crate) fn next<B>(head: &Parts, content: &Content, answer: &Response<B>) -> Option<Hop> {
    let rewritten = match answer.status() {
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => head.method == Method::POST,
        StatusCode::SEE_OTHER => !matches!(head.method, Method::GET | Method::HEAD),
        StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => false,
        _ => return None,
    };
    // What was read once is gone.
    content.bytes()?;
    let to = resolve(&head.uri, answer.headers().get(LOCATION)?.to_str().ok()?)?;
    // No origin has a user name: nobody is sent on with somebody else's credentials.
    let (here, there) = (Origin::of(&head.uri).ok()?, Origin::of(&to).ok()?);
    if here.is_encrypted() && !there.is_encrypted() {
        return None;
    }
    let method = if rewritten { Rewrite::ToGet } else { Rewrite::Kept };
    let origin = if here == there { Crossing::Stays } else { Crossing::Leaves };
    Some(Hop { to, method, origin })
}

impl Hop {
    /// The request to send next, made from the caller's own, which never held credentials of ours.
    pub(crate) fn apply(self, mut head: Parts, mut content: Content) -> (Parts, Content) {
        if self.method == Rewrite::ToGet {
            head.method = Method::GET;
            content = Content::default();
            for name in [CONTENT_TYPE, CONTENT_LENGTH, TRANSFER_ENCODING] {
                head.headers.remove(name);
            }
        }
        if self.origin == Crossing::Leaves {
            remove_secrets(&mut head.headers);
        }
        head.uri = self.to;
        (head, content)
    }
}

/// What the caller itself put there for the first origin.
fn remove_secrets(headers: &mut HeaderMap) {
    let named = [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE];
    let secret: Vec<HeaderName> = headers
        .iter()
        .filter(|(name, value)| value.is_sensitive() || named.contains(name))
        .map(|(name, _)| name.clone())
        .collect();
    for name in secret {
        headers.remove(name);
    }
}

pub(crate) fn too_many() -> Error {
    Error::Protocol(Cause::new("client_redirects", "more than 10 redirects, expected an answer"))
}
