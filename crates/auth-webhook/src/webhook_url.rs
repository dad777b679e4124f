//! Where webhooks go.

use auth_core::{Error, Origin, Result};
use http::Uri;
use std::fmt;
use url::{Host, Url};

/// The URL of a receiver, normalized once: what is compared with rules is what is sent.
///
/// Scheme and host are in lower case, the port is left out where it is that of the scheme, `.` and `..` are resolved
/// (their encoded forms too), the host has no dot at its end, and what needs no encoding in the path is not encoded
/// (RFC 3986 section 6.2.2).
///
/// ```
/// use auth_webhook::WebhookUrl;
/// let url = WebhookUrl::parse("HTTPS://Hooks.Example.:443/a/%2e%2e/%6frders?x=1")?;
/// assert_eq!(url.as_str(), "https://hooks.example/orders?x=1");
/// # Ok::<_, auth_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WebhookUrl {
    url: Url,
    /// Where it leads, read once: the credentials of every delivery are bound to it.
    origin: Origin,
}

impl WebhookUrl {
    /// The most bytes that a URL may have.
    pub const MOST_BYTES: usize = 2048;

    /// Reads an https URL; http is taken for loopback alone.
    ///
    /// # Errors
    ///
    /// `Error::Config` when it is no URL, not https, longer than [`MOST_BYTES`](Self::MOST_BYTES), or has a user, a
    /// password, a fragment, a backslash, a blank, a control character, or `..` beside an encoded slash or a semicolon.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = |what: &str| Err(Error::config("webhook_url", format!("url {what}")));
        if text.len() > Self::MOST_BYTES {
            return wrong("is longer than 2048 bytes; shorten it");
        }
        // Programs that read URLs drop or rewrite these, each in another way.
        if text.contains(|byte: char| byte == '\\' || byte.is_whitespace() || byte.is_control()) {
            return wrong("holds a backslash, a blank or a control character; remove or encode it");
        }
        let Ok(mut url) = Url::parse(text) else {
            return wrong("cannot be read, expected something like https://hooks.example/orders");
        };
        if !matches!(url.scheme(), "https" | "http") {
            return wrong("is neither https nor http; use https");
        }
        // `https:host` and `https:///host` are URLs of a browser alone.
        let is_whole = |(scheme, rest): (&str, &str)| {
            scheme.eq_ignore_ascii_case(url.scheme()) && !rest.starts_with('/')
        };
        if !text.split_once("://").is_some_and(is_whole) {
            return wrong(
                "has no host behind its scheme, expected something like https://hooks.example/orders",
            );
        }
        if !url.username().is_empty()
            || url.password().is_some()
            || text.contains('@') && has_user(text)
        {
            return wrong(
                "holds a user name or password; configure a basic authorization in its place",
            );
        }
        if url.fragment().is_some() {
            return wrong("has a fragment (#), which is never sent; remove it");
        }
        if let Some(Host::Domain(host)) = url.host() {
            let bare = host.trim_end_matches('.').to_owned();
            if bare.is_empty() || url.set_host(Some(&bare)).is_err() {
                return wrong("has no host; name the receiver's");
            }
        }
        let path = unreserved_decoded(url.path());
        url.set_path(&path);
        if unreserved_decoded(url.path()) != url.path() {
            return wrong("has a % that begins no encoded byte before one that does; write %25");
        }
        if hides_dot_segment(url.path()) {
            return wrong(
                "has . or .. beside an encoded slash or a semicolon, which receivers read as another path; remove it",
            );
        }
        let origin = Origin::of(&uri(&url)?)?;
        if !origin.is_confidential() {
            return wrong("is http, which anybody on the way can read; use https");
        }
        Ok(Self { url, origin })
    }

    /// As it is sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.url.as_str()
    }

    /// Where it leads.
    pub(crate) const fn origin(&self) -> &Origin {
        &self.origin
    }

    pub(crate) fn uri(&self) -> Result<Uri> {
        uri(&self.url)
    }

    /// As it is sent, without its query.
    pub(crate) fn without_query(&self) -> &str {
        self.as_str().split('?').next().unwrap_or_default()
    }

    /// What the URLs below this one begin with, before a slash or their end.
    pub(crate) fn as_prefix(&self) -> &str {
        self.without_query().trim_end_matches('/')
    }

    pub(crate) fn has_query(&self) -> bool {
        self.url.query().is_some()
    }
}

/// The URL as a request has it.
fn uri(url: &Url) -> Result<Uri> {
    let read = url.as_str().parse::<Uri>();
    read.map_err(|error| Error::config("webhook_url", format!("url cannot be sent: {error}")))
}

/// Would a path have `.` or `..` for receivers that decode slashes first, or cut parameters off segments?
fn hides_dot_segment(path: &str) -> bool {
    let decoded = path.replace("%2F", "/").replace("%5C", "/").replace("%3B", ";");
    decoded.split('/').any(|segment| matches!(segment.split(';').next(), Some("." | "..")))
}

/// An `@` before the path is that of a user, though both name and password are empty.
fn has_user(text: &str) -> bool {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().is_some_and(|authority| authority.contains('@'))
}

/// Decodes what needs no encoding (RFC 3986 section 6.2.2.2), and writes the rest in upper case.
fn unreserved_decoded(path: &str) -> String {
    let mut rest = path;
    let mut decoded = String::with_capacity(path.len());
    while let Some((before, after)) = rest.split_once('%') {
        decoded.push_str(before);
        let digits = after.get(..2).filter(|two| two.bytes().all(|byte| byte.is_ascii_hexdigit()));
        match digits.and_then(|two| u8::from_str_radix(two, 16).ok().map(|byte| (two, byte))) {
            Some((two, byte)) => {
                if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                    decoded.push(char::from(byte));
                } else {
                    decoded.push('%');
                    decoded.push_str(&two.to_ascii_uppercase());
                }
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                decoded.push('%');
                rest = after;
            }
        }
    }
    decoded + rest
}

/// Shows where it leads, and neither path nor query, in which some receivers want a key.
impl fmt::Debug for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebhookUrl({})", self.url.origin().ascii_serialization())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, &str>) {
        let read = WebhookUrl::parse(text).map(|url| url.as_str().to_owned());
        match (read, expected) {
            (Ok(read), Ok(expected)) => assert_eq!(read, expected),
            (Err(error), Err(expected)) => {
                assert!(error.to_string().contains(expected), "{error}, expected {expected}");
            }
            (read, _) => panic!("{text}: {read:?}"),
        }
    }

    #[test]
    fn a_url_is_normalized_once() {
        check("https://a.example", Ok("https://a.example/"));
        check("HTTPS://A.Example.:443/X", Ok("https://a.example/X"));
        check("https://a.example/a/../b", Ok("https://a.example/b"));
        check("https://a.example/a/%2e%2E/b", Ok("https://a.example/b"));
        check("https://a.example/%61%2d%7e", Ok("https://a.example/a-~"));
        check("https://a.example/a%2fb%3a", Ok("https://a.example/a%2Fb%3A"));
        check("https://a.example/%zz%4", Ok("https://a.example/%zz%4"));
        check("https://a.example/?u=a@b", Ok("https://a.example/?u=a@b"));
        check("http://127.0.0.1:8080/x", Ok("http://127.0.0.1:8080/x"));
        check("https://[2001:DB8::1]:8443/", Ok("https://[2001:db8::1]:8443/"));
        check("http://127.1/", Ok("http://127.0.0.1/"));
        check("http://[::ffff:127.0.0.1]/", Ok("http://[::ffff:7f00:1]/"));
        check("https://a.example/..a/...;/a%2Fb", Ok("https://a.example/..a/...;/a%2Fb"));
        check("https://bücher.example/", Ok("https://xn--bcher-kva.example/"));
    }

    #[test]
    fn what_is_no_receiver_is_refused() {
        check("http://a.example/", Err("url is http, which"));
        check("ftp://a.example/", Err("neither https nor http"));
        check("https://u:p@a.example/", Err("user name or password"));
        check("https://@a.example/", Err("user name or password"));
        check("https://a.example@evil.example/", Err("user name or password"));
        check("https://a.example/#x", Err("fragment"));
        check("https://a.example\\@evil.example/", Err("backslash"));
        check("https://a.example/a b", Err("blank"));
        check("https://a.example/\n", Err("control"));
        for hidden in
            ["a/..%2fb", "a/%2E%2e%2Fb", "a%5c..%5cb", "a/..;/b", "a/..;x=1/b", "a/.%3b/b"]
        {
            check(&format!("https://a.example/{hidden}"), Err("has . or .. beside"));
        }
        for unstable in ["%%36%31", "%2%66", "x%%32f", "%8%61%62"] {
            check(&format!("https://a.example/{unstable}"), Err("write %25"));
        }
        for remote in [
            "http://localhost.evil.example/",
            "http://evil.example/localhost",
            "http://127.0.0.1.evil.example/",
            "http://0.0.0.0/",
            "http://[::]/",
            "http://[::ffff:192.0.2.1]/",
        ] {
            check(remote, Err("url is http, which"));
        }
        check("/relative", Err("cannot be read"));
        check("https://./", Err("no host"));
        check("https:a.example/", Err("no host behind its scheme"));
        check("https:/a.example/", Err("no host behind its scheme"));
        check("https:///a.example/", Err("no host behind its scheme"));
        check("https:x://a.example/", Err("no host behind its scheme"));
        check("", Err("cannot be read"));
        check(&format!("https://a.example/{}", "x".repeat(2048)), Err("2048"));
    }

    #[test]
    fn normalizing_again_changes_nothing() {
        for text in [
            "https://a.example/%25%32%65/x",
            "https://a.example/a/.%2e/%2e/b?x=%2e",
            "https://a.example/%2525",
        ] {
            let once = WebhookUrl::parse(text).unwrap();
            assert_eq!(WebhookUrl::parse(once.as_str()).unwrap(), once, "{text}");
        }
    }
}
