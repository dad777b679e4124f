//! Redirects, one hop at a time (RFC 9110 section 15.4).

use auth_core::{Cause, Error};
use http::{
    HeaderMap, HeaderName, Method, StatusCode,
    header::{
        AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, LOCATION, PROXY_AUTHORIZATION,
        TRANSFER_ENCODING,
    },
};
use reqwest::{Request, Response, Url};

/// The request that a redirect asks for, made from the caller's own, which never held credentials of ours; `None` when
/// the answer is none that is followed.
pub(crate) fn next(mut request: Request, answer: &Response) -> Option<Request> {
    let rewrite = match answer.status() {
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => request.method() == Method::POST,
        StatusCode::SEE_OTHER => !matches!(*request.method(), Method::GET | Method::HEAD),
        StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => false,
        _ => return None,
    };
    let location = answer.headers().get(LOCATION)?.to_str().ok()?;
    let target =
        request.url().join(location).ok().filter(|target| may_follow(request.url(), target))?;
    if rewrite {
        *request.method_mut() = Method::GET;
        *request.body_mut() = None;
        for name in [CONTENT_TYPE, CONTENT_LENGTH, TRANSFER_ENCODING] {
            request.headers_mut().remove(name);
        }
    }
    if request.url().origin() != target.origin() {
        remove_secrets(request.headers_mut());
    }
    *request.url_mut() = target;
    Some(request)
}

/// To http or https, never from https to http, and never with a user name in the URL.
fn may_follow(from: &Url, to: &Url) -> bool {
    let secure = to.scheme() == "https" || (to.scheme() == "http" && from.scheme() == "http");
    secure && to.username().is_empty() && to.password().is_none()
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
