//! Is a response about this request (RFC 7616 section 3.4.6)?

use crate::target::target;
use auth_core::RequestView;
use http::Method;

/// Is this `uri` the target of the request?
///
/// It is the same bytes, with two exceptions that proxies make necessary, since they rewrite the one and not the other:
/// an absolute URL of the request's host stands for its path and query, and so the other way round. Nothing is decoded,
/// normalized or cut off: a URI without its query is another one.
pub(super) fn is_target(uri: &[u8], request: RequestView<'_>) -> bool {
    if *request.method == Method::CONNECT {
        return request.uri.authority().is_some_and(|host| host.as_str().as_bytes() == uri);
    }
    let target = target(request.uri);
    if uri == target.as_bytes() {
        return true;
    }
    let Some((authority, path)) = absolute(uri) else { return false };
    let same_host = match request.authority() {
        Ok(Some(host)) => host.as_bytes().eq_ignore_ascii_case(authority),
        _ => false,
    };
    let same_path = path == target.as_bytes() || (path.is_empty() && *target == *"/");
    same_host && same_path
}

/// Host and port, and what is behind them.
fn absolute(uri: &[u8]) -> Option<(&[u8], &[u8])> {
    let behind = |scheme: &[u8]| {
        let (begin, rest) = uri.split_at_checked(scheme.len())?;
        begin.eq_ignore_ascii_case(scheme).then_some(rest)
    };
    let rest = behind(b"https://").or_else(|| behind(b"http://"))?;
    let end = rest.iter().position(|byte| *byte == b'/').unwrap_or(rest.len());
    rest.split_at_checked(end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderMap, HeaderValue, Uri, header::HOST};

    #[track_caller]
    fn check(method: Method, wire: &'static str, uri: &str, expected: bool) {
        let (target, mut headers) = (Uri::from_static(wire), HeaderMap::new());
        headers.insert(HOST, HeaderValue::from_static("a.example"));
        let view = RequestView::new(&method, &target, &headers);
        assert_eq!(is_target(uri.as_bytes(), view), expected, "{wire} and {uri}");
    }

    #[test]
    fn it_is_the_same_bytes_or_the_same_place_as_a_url() {
        for (wire, uri) in [
            ("/a?b=%41", "/a?b=%41"),
            ("/a", "http://a.example/a"),
            ("/a?b", "HTTPS://A.Example/a?b"),
            ("/", "http://a.example"),
            ("https://a.example/a", "/a"),
            ("https://a.example/a", "https://a.example/a"),
        ] {
            check(Method::GET, wire, uri, true);
        }
        check(Method::OPTIONS, "*", "*", true);
        check(Method::CONNECT, "a.example:443", "a.example:443", true);
    }

    #[test]
    fn anything_else_is_about_another_request() {
        for (wire, uri) in [
            ("/a?b=%41", "/a?b=A"),
            ("/a?b", "/a"),
            ("/a", "/a?b"),
            ("/a", "/A"),
            ("/a", "/a/"),
            ("/a", "//a.example/a"),
            ("/a", "http://b.example/a"),
            ("/a", "http://a.example:80/a"),
            ("/a", "ftp://a.example/a"),
            ("/a", "http://a.example/b"),
            ("/a", "http://user@a.example/a"),
            ("/a", ""),
            ("/?b", "http://a.example?b"),
            ("/a", "http://a.example"),
            ("/", "http://a.example/b"),
        ] {
            check(Method::GET, wire, uri, false);
        }
        check(Method::CONNECT, "a.example:443", "a.example", false);
        check(Method::CONNECT, "a.example:443", "/", false);
    }
}
