//! No credentials, said by name.

use auth_core::{
    Accepted, Authenticator, Credentials, Flow, Outcome, Presence, RequestView, Verifier,
};

/// No authentication: adds nothing on the client, accepts everybody on the server.
///
/// It is there so that an open door is something that was written down, never something that was forgotten. Among
/// several schemes it lets in callers without any credentials: bad ones are still refused by their own scheme.
///
/// ```
/// use auth_core::{RequestView, Verifier};
/// use auth_static::NoAuth;
/// use http::{HeaderMap, Method, Uri};
/// let (uri, headers) = (Uri::from_static("/"), HeaderMap::new());
/// let door = NoAuth.map(|_| "anonymous");
/// let outcome = door.verify(RequestView::new(&Method::GET, &uri, &headers)).wait()?;
/// assert_eq!(outcome.unwrap().principal, "anonymous");
/// # Ok::<_, auth_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct NoAuth;

/// Nobody in particular: the principal of [`NoAuth`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Anonymous;

impl Authenticator for NoAuth {
    fn credentials<'a>(&'a self, _: RequestView<'a>) -> Flow<'a, Credentials> {
        Flow::ready(Credentials::none())
    }
}

impl Verifier for NoAuth {
    type Principal = Anonymous;

    /// Never present: it has no credentials to bring.
    fn presence(&self, _: RequestView<'_>) -> Presence {
        Presence::Absent
    }

    fn verify<'a>(&'a self, _: RequestView<'a>) -> Flow<'a, Outcome<Anonymous>> {
        Flow::ready(Ok(Accepted::new("none", Anonymous)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderMap, HeaderValue, Method, Uri, header::AUTHORIZATION};

    #[test]
    fn adds_nothing() {
        let (uri, headers) = (Uri::from_static("/"), HeaderMap::new());
        let made = NoAuth.credentials(RequestView::new(&Method::GET, &uri, &headers)).wait();
        assert!(made.unwrap().is_empty());
    }

    #[test]
    fn accepts_everybody_and_claims_no_credentials() {
        let uri = Uri::from_static("/");
        let headers = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static("Basic x"))]);
        let request = RequestView::new(&Method::GET, &uri, &headers);
        assert_eq!(NoAuth.presence(request), Presence::Absent);
        assert_eq!(NoAuth.verify(request).wait().unwrap().unwrap().principal, Anonymous);
    }
}
