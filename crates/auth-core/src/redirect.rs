//! Redirects, one hop at a time (RFC 9110 section 15.4).

mod reference;

use crate::{Answer, Error, Origin, Result};
use http::{
    HeaderMap, HeaderName, Method, StatusCode, Uri,
    header::{
        AUTHORIZATION, COOKIE, EXPECT, HOST, LAST_MODIFIED, LOCATION, PROXY_AUTHORIZATION, TRAILER,
        TRANSFER_ENCODING,
    },
};
use reference::resolve;
use std::fmt;

/// Bounds the redirects of one request (RFC 9110 section 15.4): a client adapter asks it after each answer, and has its
/// HTTP client follow none, since that would take fields along that hold credentials.
///
/// # Security
///
/// Once a redirect has left the origin of the caller's own request, no later request of the chain is authenticated
/// ([`left_origin`](Self::left_origin)), not even one that comes back: its target was chosen by another origin.
///
/// ```
/// use auth_core::{Answer, Redirects, RequestView};
/// use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
///
/// let (uri, mut sent) = (Uri::from_static("https://api.example/a"), HeaderMap::new());
/// sent.insert(header::COOKIE, HeaderValue::from_static("c=1"));
/// let moved = HeaderMap::from_iter([(header::LOCATION, HeaderValue::from_static("//other.example/b"))]);
/// let request = RequestView::new(&Method::POST, &uri, &sent);
/// let answer = Answer::new(request, StatusCode::FOUND, &moved);
///
/// let redirect = Redirects::default().next(answer)?.expect("one that is followed");
/// assert!(redirect.becomes_get());
/// assert_eq!(redirect.target(), "https://other.example/b");
/// redirect.prune(&mut sent);
/// assert!(sent.is_empty());
/// # Ok::<_, auth_core::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct Redirects {
    met: usize,
    left_origin: bool,
}

impl Redirects {
    /// The most requests that are made of one.
    pub const MOST: usize = 10;

    /// Where an answer sends its request, which is the caller's own and never held credentials of ours; `None` when the
    /// answer is no redirect, or one that is not followed.
    ///
    /// # Errors
    ///
    /// `Error::Protocol` when the last of [`MOST`](Self::MOST) requests is redirected too.
    pub fn next(&mut self, answer: Answer<'_>) -> Result<Option<Redirect>> {
        let redirect = Redirect::of(answer);
        self.met += usize::from(redirect.is_some());
        self.left_origin |= redirect.as_ref().is_some_and(|redirect| redirect.leaves_origin);
        if self.met < Self::MOST {
            return Ok(redirect);
        }
        let text = "10 requests were redirected one after the other, expected an answer";
        Err(Error::protocol("client_redirects", text))
    }

    /// Has a redirect left the origin of the caller's own request? From then on an adapter sends every request of the
    /// chain without asking the authenticator. The same host under another scheme or port is another origin.
    #[must_use]
    pub const fn left_origin(&self) -> bool {
        self.left_origin
    }
}

/// Where a request goes next, and what becomes of it on the way (RFC 9110 section 15.4).
///
/// # Security
///
/// It goes to http or https, never from https to http, and never to a URL that names a user.
pub struct Redirect {
    target: Uri,
    becomes_get: bool,
    leaves_origin: bool,
}

impl Redirect {
    fn of(answer: Answer<'_>) -> Option<Self> {
        let request = answer.request;
        let becomes_get = match answer.status {
            StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => *request.method == Method::POST,
            StatusCode::SEE_OTHER => !matches!(*request.method, Method::GET | Method::HEAD),
            StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => false,
            _ => return None,
        };
        let target = resolve(request.uri, answer.headers.get(LOCATION)?.to_str().ok()?)?;
        // No origin has a user name: nobody is sent on with somebody else's credentials.
        let (here, there) = (Origin::of(request.uri).ok()?, Origin::of(&target).ok()?);
        if here.is_encrypted() && !there.is_encrypted() {
            return None;
        }
        Some(Self { target, becomes_get, leaves_origin: here != there })
    }

    /// Where it goes: the `Location`, resolved against the target of the request (RFC 3986 section 5.2), without its
    /// fragment.
    #[must_use]
    pub const fn target(&self) -> &Uri {
        &self.target
    }

    /// Is it a GET from here on, without its body?
    #[must_use]
    pub const fn becomes_get(&self) -> bool {
        self.becomes_get
    }

    /// Removes the fields that do not go along: those that describe a body which is left behind (RFC 9110 section 15.4)
    /// and, to another origin, what the caller itself put there for the first one: every sensitive value, the fields
    /// that are made for credentials, and `Host`, which names that origin.
    pub fn prune(&self, headers: &mut HeaderMap) {
        let left = headers.iter().filter(|(name, value)| {
            let for_origin = value.is_sensitive() || FOR_ONE_ORIGIN.contains(name);
            (self.becomes_get && describes_body(name)) || (self.leaves_origin && for_origin)
        });
        for name in left.map(|(name, _)| name.clone()).collect::<Vec<HeaderName>>() {
            headers.remove(name);
        }
    }
}

const FOR_ONE_ORIGIN: [HeaderName; 4] = [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE, HOST];

/// Does a field describe, frame or announce the body of its request? Then it says something untrue of a GET without one.
fn describes_body(name: &HeaderName) -> bool {
    const DIGESTS: [&str; 2] = ["digest", "repr-digest"];
    [EXPECT, LAST_MODIFIED, TRAILER, TRANSFER_ENCODING].contains(name)
        || name.as_str().starts_with("content-")
        || DIGESTS.contains(&name.as_str())
}

/// Shows what becomes of the request, and not where it goes: a target may hold secrets.
impl fmt::Debug for Redirect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let method = if self.becomes_get { "a GET" } else { "its own method" };
        let origin = if self.leaves_origin { "elsewhere" } else { "here" };
        write!(f, "Redirect({method}, {origin})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RequestView;
    use http::{
        HeaderValue,
        header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE},
    };

    const FROM: &str = "https://a.example/b/c?d";

    /// What comes of a request: `GET` when it becomes one, where it goes, and which fields go along.
    fn sent_on(method: &Method, from: &str, status: u16, location: &str) -> Option<String> {
        let mut key = HeaderValue::from_static("k");
        key.set_sensitive(true);
        let mut headers = HeaderMap::from_iter([(HeaderName::from_static("key"), key)]);
        for name in [AUTHORIZATION, COOKIE, HOST, PROXY_AUTHORIZATION] {
            headers.insert(name, HeaderValue::from_static("s"));
        }
        let along = [CONTENT_TYPE, CONTENT_LENGTH, TRANSFER_ENCODING];
        for name in along.into_iter().chain([ACCEPT]) {
            headers.insert(name, HeaderValue::from_static("t"));
        }
        let uri = from.parse().unwrap();
        let moved = HeaderMap::from_iter([(LOCATION, HeaderValue::from_str(location).unwrap())]);
        let view = RequestView::new(method, &uri, &headers);
        let answer = Answer::new(view, StatusCode::from_u16(status).unwrap(), &moved);
        let redirect = Redirects::default().next(answer).unwrap()?;
        redirect.prune(&mut headers);
        let mut names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        let method = if redirect.becomes_get() { "GET" } else { "kept" };
        Some(format!("{method} {} {}", redirect.target(), names.join(" ")))
    }

    #[track_caller]
    fn check(method: &Method, status: u16, location: &str, expected: Option<&str>) {
        assert_eq!(sent_on(method, FROM, status, location).as_deref(), expected, "{location}");
    }

    const ALL: &str = "accept authorization content-length content-type cookie host key \
                       proxy-authorization transfer-encoding";
    const WITHOUT_BODY: &str = "accept authorization cookie host key proxy-authorization";
    const ELSEWHERE: &str = "accept content-length content-type transfer-encoding";

    #[test]
    fn the_status_says_what_becomes_of_method_and_body() {
        let here = "https://a.example/b/e";
        let (kept, get) = (format!("kept {here} {ALL}"), format!("GET {here} {WITHOUT_BODY}"));
        for (status, methods_that_become_get) in [
            (301, &[Method::POST][..]),
            (302, &[Method::POST]),
            (303, &[Method::POST, Method::PUT, Method::DELETE]),
            (307, &[]),
            (308, &[]),
        ] {
            for method in [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::DELETE] {
                let becomes_get = methods_that_become_get.contains(&method);
                check(&method, status, "e", Some(if becomes_get { &get } else { &kept }));
            }
        }
        for status in [200, 300, 304, 305, 306, 401] {
            check(&Method::GET, status, "e", None);
        }
    }

    #[test]
    fn what_the_caller_gave_to_one_origin_does_not_go_to_another() {
        for elsewhere in ["https://b.example/", "https://a.example:8443/", "https://sub.a.example/"]
        {
            check(&Method::PUT, 307, elsewhere, Some(&format!("kept {elsewhere} {ELSEWHERE}")));
            check(&Method::PUT, 303, elsewhere, Some(&format!("GET {elsewhere} accept")));
        }
        for here in ["https://a.example/", "https://a.example:443/", "https://A.example/"] {
            check(&Method::PUT, 307, here, Some(&format!("kept {here} {ALL}")));
        }
    }

    #[test]
    fn a_target_is_of_http_without_a_user_and_no_less_private() {
        for refused in [
            "http://a.example/",
            "ftp://a.example/",
            "javascript:0",
            "https://user@a.example/",
            "https://user:password@a.example/",
            "https://",
            "/a b",
        ] {
            check(&Method::GET, 302, refused, None);
        }
        let up = sent_on(&Method::GET, "http://a.example/", 302, "https://a.example/");
        assert_eq!(up, Some(format!("kept https://a.example/ {ELSEWHERE}")));
    }

    #[test]
    fn an_endless_redirect_ends() {
        let (uri, headers) = (Uri::from_static(FROM), HeaderMap::new());
        let moved = HeaderMap::from_iter([(LOCATION, HeaderValue::from_static("/"))]);
        let view = RequestView::new(&Method::GET, &uri, &headers);
        let next = |redirects: &mut Redirects, status| {
            redirects.next(Answer::new(view, status, &moved)).map(|redirect| redirect.is_some())
        };
        let mut redirects = Redirects::default();
        for _ in 1..Redirects::MOST {
            assert!(next(&mut redirects, StatusCode::FOUND).unwrap());
        }
        assert!(!next(&mut redirects, StatusCode::OK).unwrap(), "the answer to the last of them");
        let many = next(&mut redirects, StatusCode::FOUND).unwrap_err();
        assert_eq!(many.code(), "client_redirects");
    }

    /// What told of a body does not outlive it, and what tells of the answer that is wanted does.
    #[test]
    fn the_fields_of_a_dropped_body_are_dropped_with_it() {
        let of_the_body = [
            "content-digest",
            "content-disposition",
            "content-encoding",
            "content-language",
            "content-length",
            "content-location",
            "content-md5",
            "content-range",
            "content-type",
            "digest",
            "expect",
            "last-modified",
            "repr-digest",
            "trailer",
            "transfer-encoding",
        ];
        let of_the_request =
            ["accept", "cookie", "idempotency-key", "if-match", "te", "want-digest"];
        for (status, expected) in [(303, &of_the_request[..]), (307, &[])] {
            let uri = Uri::from_static(FROM);
            let names = of_the_body.iter().chain(&of_the_request);
            let mut headers: HeaderMap = names
                .map(|name| (HeaderName::from_static(name), HeaderValue::from_static("x")))
                .collect();
            let all = headers.len();
            let moved = HeaderMap::from_iter([(LOCATION, HeaderValue::from_static("/"))]);
            let view = RequestView::new(&Method::PUT, &uri, &headers);
            let status = StatusCode::from_u16(status).unwrap();
            Redirect::of(Answer::new(view, status, &moved)).unwrap().prune(&mut headers);
            let mut left: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
            left.sort_unstable();
            if expected.is_empty() {
                assert_eq!(left.len(), all, "the body goes along");
            } else {
                assert_eq!(left, expected);
            }
        }
    }

    /// Where a chain is after each of its redirects: still at the origin of the caller's own request, or not any more.
    #[track_caller]
    fn check_chain(from: &str, locations: &[&str], expected: &[bool]) {
        let (mut redirects, mut uri) = (Redirects::default(), from.parse::<Uri>().unwrap());
        assert!(!redirects.left_origin(), "before the first redirect");
        let none = HeaderMap::new();
        let left = locations.iter().map(|location| {
            let moved = HeaderMap::from_iter([(LOCATION, location.parse().unwrap())]);
            let view = RequestView::new(&Method::GET, &uri, &none);
            let followed = redirects.next(Answer::new(view, StatusCode::FOUND, &moved)).unwrap();
            uri = followed.unwrap().target().clone();
            redirects.left_origin()
        });
        assert_eq!(left.collect::<Vec<_>>(), expected, "{from} {locations:?}");
    }

    #[test]
    fn a_chain_that_has_left_its_origin_never_comes_home() {
        let home = "https://a.example/";
        check_chain(home, &["/1", "/2", "https://a.example:443/3"], &[false, false, false]);
        check_chain(home, &["/1", "https://b.example/", "/2", home], &[false, true, true, true]);
        check_chain(home, &["//a.example:8443/", home], &[true, true]);
        check_chain("http://a.example/", &[home, "/1", home], &[true, true, true]);
    }

    #[test]
    fn shows_no_target() {
        let (uri, headers) = (Uri::from_static(FROM), HeaderMap::new());
        let moved = HeaderMap::from_iter([(LOCATION, HeaderValue::from_static("/?t=canary"))]);
        let view = RequestView::new(&Method::POST, &uri, &headers);
        let redirect = Redirect::of(Answer::new(view, StatusCode::FOUND, &moved));
        assert_eq!(format!("{:?}", redirect.unwrap()), "Redirect(a GET, here)");
    }
}
