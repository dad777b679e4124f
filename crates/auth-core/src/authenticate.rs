//! The one law of client adapters: how an attempt at a request gets its credentials.

use crate::{
    Authenticator, Body, Credentials, Error, Flow, Need, RequestView, Result,
    origin::{is_confidential, is_https},
};
use http::{HeaderMap, Uri};

/// May credentials travel unencrypted beyond this machine?
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PlainHttp {
    /// No, not even to loopback: for a request that a proxy on another machine carries, where loopback is not this
    /// machine's.
    Nowhere,
    /// No: over plain http they go to loopback alone.
    #[default]
    ToLoopback,
    /// Yes, to any host: for networks that are private end to end.
    ToAnywhere,
}

/// Authenticates one attempt at a request: every client adapter does it through this function, so that none has a law of
/// its own.
///
/// `request` is the request before credentials, with the whole body if it is at hand and [`Body::Unread`] if it is a
/// stream, and with a [`RequestMemory`](crate::RequestMemory) that is the same for all attempts. `uri` and `headers` are
/// those of the copy that will be sent. In this order:
///
/// 1. The authenticator is asked how much of the body it [`needs`](Authenticator::needs), and is shown that much and no
///    more.
/// 2. It makes [`credentials`](Authenticator::credentials). If they fail, the body was not shown and the authenticator
///    needs it by now (another request was challenged meanwhile), it is asked once more, with the body.
/// 3. Credentials that would go over plain http are refused, unless the host is loopback or `plain_http` allows it.
/// 4. The credentials commit themselves to the copy.
///
/// The copy is changed whole or, on any error, not at all.
///
/// # Errors
///
/// Those of the authenticator and of [`Credentials::commit`]. `Error::Config` when the body is longer than the
/// authenticator takes (`client_body_limit`), or credentials would go over plain http (`client_plain_http`).
///
/// ```
/// # use auth_core::{Authenticator, Credentials, Flow};
/// # struct Key; impl Authenticator for Key { fn credentials<'a>(&'a self, _: RequestView<'a>) -> Flow<'a, Credentials> {
/// #   Credentials::header(http::HeaderName::from_static("key"), http::HeaderValue::from_static("k")).into() } }
/// use auth_core::{Body, PlainHttp, RequestView, authenticate};
/// use http::Request;
///
/// let request = Request::post("https://api.example/messages").body(b"{}".to_vec()).unwrap();
/// let view = RequestView::new(request.method(), request.uri(), request.headers());
/// let view = view.with_body(Body::Bytes(request.body()));
///
/// let (mut uri, mut headers) = (request.uri().clone(), request.headers().clone());
/// let sent = authenticate(&Key, PlainHttp::ToLoopback, view, &mut uri, &mut headers).wait()?;
/// assert_eq!(headers["key"], "k");
/// # Ok::<_, auth_core::Error>(())
/// ```
pub fn authenticate<'a, A: Authenticator + ?Sized>(
    authenticator: &'a A,
    plain_http: PlainHttp,
    request: RequestView<'a>,
    uri: &'a mut Uri,
    headers: &'a mut HeaderMap,
) -> Flow<'a, Credentials> {
    let shown = match shown(authenticator, request) {
        Ok(shown) => shown,
        Err(error) => return Flow::failed(error),
    };
    authenticator
        .credentials(shown)
        .then(move |made| match made {
            Ok(made) => Flow::ready(made),
            Err(error) => with_body(authenticator, request, shown.body, error),
        })
        .and_then(move |made| {
            let checked = plain_http.check(&made, request.uri);
            checked.and_then(|()| made.commit(uri, headers)).map(|()| made).into()
        })
}

/// The request as the authenticator gets to see it: with its body if that is at hand and needed.
fn shown<'a, A: Authenticator + ?Sized>(
    authenticator: &A,
    request: RequestView<'a>,
) -> Result<RequestView<'a>> {
    let head = request.with_body(Body::Unread);
    match (authenticator.needs(head), request.body) {
        (Need::Nothing, _) => Ok(head),
        (Need::Bytes { limit }, Body::Bytes(bytes)) if bytes.len() > limit => {
            let text = format!("body has more bytes than the {limit} that the scheme reads");
            Err(Error::config("client_body_limit", text))
        }
        _ => Ok(request),
    }
}

/// The second and last question: does the authenticator fail because it has not seen the body?
fn with_body<'a, A: Authenticator + ?Sized>(
    authenticator: &'a A,
    request: RequestView<'a>,
    was_shown: Body<'a>,
    error: Error,
) -> Flow<'a, Credentials> {
    let (Body::Unread, Body::Bytes(_)) = (was_shown, request.body) else {
        return Flow::failed(error);
    };
    match shown(authenticator, request) {
        Ok(RequestView { body: Body::Unread, .. }) => Flow::failed(error),
        Ok(request) => authenticator.credentials(request),
        Err(too_long) => Flow::failed(too_long),
    }
}

impl PlainHttp {
    fn check(self, made: &Credentials, uri: &Uri) -> Result<()> {
        let is_confidential = match self {
            Self::Nowhere => is_https(uri)?,
            Self::ToLoopback => is_confidential(uri)?,
            Self::ToAnywhere => true,
        };
        if is_confidential || made.is_empty() {
            return Ok(());
        }
        let text = "url is http; use https or allow it with allowing_plain_http";
        Err(Error::config("client_plain_http", text))
    }
}
