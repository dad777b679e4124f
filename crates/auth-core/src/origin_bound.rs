//! Credentials bound to origins.

use crate::{
    Answer, Authenticator, Credentials, Error, Flow, Need, Origin, RequestView, Result, Verdict,
};
use http::{HeaderMap, StatusCode, Uri};

/// Binds credentials to origins: a request to any other is not sent at all.
///
/// Every platform's constructor sets it. It is also what a redirect cannot get around: see the client adapters.
///
/// ```
/// # use auth_core::{Authenticator, Credentials, Flow, RequestView};
/// # struct Key; impl Authenticator for Key { fn credentials<'a>(&'a self, _: RequestView<'a>) -> Flow<'a, Credentials> { Flow::ready(Credentials::none()) } }
/// use auth_core::OriginBound;
/// let bound = OriginBound::new(["https://api.example.com".parse()?], Key);
/// # let _: &dyn Authenticator = &bound;
/// # Ok::<_, auth_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct OriginBound<A> {
    origins: Vec<Origin>,
    authenticator: A,
}

impl<A> OriginBound<A> {
    /// Binds `authenticator` to `origins`.
    pub fn new(origins: impl IntoIterator<Item = Origin>, authenticator: A) -> Self {
        Self { origins: origins.into_iter().collect(), authenticator }
    }

    fn check(&self, uri: &Uri) -> Result<()> {
        if self.origins.iter().any(|origin| origin.covers(uri)) {
            return Ok(());
        }
        let origin = Origin::of(uri)?;
        let bound: Vec<_> = self.origins.iter().map(ToString::to_string).collect();
        let text =
            format!("credentials are bound to {}, the request goes to {origin}", bound.join(", "));
        Err(Error::config("only_other_origin", text))
    }
}

impl<A: Authenticator> Authenticator for OriginBound<A> {
    fn credentials<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Credentials> {
        match self.check(request.uri) {
            Ok(()) => self.authenticator.credentials(request),
            Err(error) => Flow::failed(error),
        }
    }

    fn assess(&self, sent: &Credentials, answer: Answer<'_>) -> Verdict {
        self.authenticator.assess(sent, answer)
    }

    fn needs(&self, head: RequestView<'_>) -> Need {
        self.authenticator.needs(head)
    }

    fn reads(&self, status: StatusCode, headers: &HeaderMap) -> Need {
        self.authenticator.reads(status, headers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue, Method};

    struct Key;

    impl Authenticator for Key {
        fn credentials<'a>(&'a self, _: RequestView<'a>) -> Flow<'a, Credentials> {
            Credentials::header(HeaderName::from_static("key"), HeaderValue::from_static("k"))
                .into()
        }
    }

    #[track_caller]
    fn check(target: &'static str, expected: Result<bool, &str>) {
        let bound = OriginBound::new(
            ["https://a.example", "https://b.example:8443"].map(|url| url.parse().unwrap()),
            Key,
        );
        let (uri, headers) = (Uri::from_static(target), HeaderMap::new());
        let made = bound.credentials(RequestView::new(&Method::GET, &uri, &headers)).wait();
        assert_eq!(made.map(|made| !made.is_empty()).map_err(|error| error.code()), expected);
    }

    #[test]
    fn credentials_go_to_the_named_origins_alone() {
        check("https://a.example/x", Ok(true));
        check("https://A.example:443/", Ok(true));
        check("https://b.example:8443/", Ok(true));
        check("http://a.example/", Err("only_other_origin"));
        check("https://a.example:8443/", Err("only_other_origin"));
        check("https://a.example.evil.example/", Err("only_other_origin"));
        check("https://a.example@evil.example/", Err("origin_user"));
        check("/relative", Err("origin_scheme"));
    }
}
