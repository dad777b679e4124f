//! What went wrong with an exchange, and where it was to go.

use crate::Proxy;
use auth_core::Origin;
use std::{error::Error, fmt};

type BoxError = Box<dyn Error + Send + Sync>;

/// An error of an HTTP client, told with the scheme, the host and the port that its request was for.
///
/// # Security
///
/// It shows neither path nor query of the URL, which may hold a secret. Of what the client says it shows the visible
/// characters, at most 256 of them: a peer may have chosen some.
///
/// ```
/// use auth_core::Origin;
/// use auth_outbound::FailedExchange;
/// let origin = Origin::of(&"https://login.example/token?key=s3cret".parse()?)?;
/// let failed = FailedExchange::new(Some(origin), "not connected: connection refused");
/// assert_eq!(failed.to_string(), "https://login.example:443: not connected: connection refused");
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct FailedExchange {
    origin: Option<Origin>,
    error: BoxError,
}

impl FailedExchange {
    /// The most characters of what a client says that are shown.
    const MOST: usize = 256;

    /// This error of a request for that origin, if it is known. What lies beneath the error is not to stand in its text as
    /// well: it is the [`source`](Error::source).
    pub fn new(origin: Option<Origin>, error: impl Into<BoxError>) -> Self {
        Self { origin, error: error.into() }
    }
}

impl fmt::Display for FailedExchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(origin) = &self.origin {
            let scheme = if origin.is_encrypted() { "https" } else { "http" };
            write!(f, "{scheme}://{}:{}: ", shown(origin.host(), Self::MOST), origin.port())?;
        }
        f.write_str(&shown(&self.error.to_string(), Self::MOST))
    }
}

impl Error for FailedExchange {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }
}

/// How an HTTP client reaches a target. What failed on the way through a proxy may be the proxy or, behind it, the target.
///
/// As text it says that there was no connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionPath {
    /// The client connects to the target itself.
    Direct,
    /// The client connects to a proxy, which connects to the target.
    ThroughProxy,
}

impl ConnectionPath {
    /// The path to this host for a client that has this proxy, or none.
    #[must_use]
    pub fn to(host: &str, proxy: Option<&Proxy>) -> Self {
        match proxy {
            Some(proxy) if proxy.carries(host) => Self::ThroughProxy,
            _ => Self::Direct,
        }
    }
}

impl fmt::Display for ConnectionPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Direct => "not connected",
            Self::ThroughProxy => "not connected through the proxy",
        })
    }
}

/// So many of its visible characters.
pub(crate) fn shown(text: &str, most: usize) -> String {
    text.chars().filter(|char| matches!(char, ' '..='~')).take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Reading(fmt::Error);

    impl fmt::Display for Reading {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("answer was cut off")
        }
    }

    impl Error for Reading {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    #[track_caller]
    fn check(url: &str, error: &str, expected: &str) {
        let failed = FailedExchange::new(Origin::of(&url.parse().unwrap()).ok(), error);
        assert_eq!(failed.to_string(), expected, "{url}");
    }

    #[test]
    fn names_scheme_host_and_port_and_neither_path_nor_query() {
        check("https://login.example/canary?key=canary", "a", "https://login.example:443: a");
        check("http://LOCALHOST:8080/canary", "a", "http://localhost:8080: a");
        check("https://[::1]/", "a", "https://[::1]:443: a");
        check("https://canary:canary@login.example/", "a", "a");
        check("/canary", "a", "a");
    }

    #[test]
    fn shows_visible_characters_and_not_without_end() {
        check("http://a/", "a\r\nb\u{1b}[31m\u{202e}c", "http://a:80: ab[31mc");
        check("http://a/", &"x".repeat(300), &format!("http://a:80: {}", "x".repeat(256)));
    }

    #[test]
    fn a_path_leads_through_the_proxy_unless_the_host_is_excepted() {
        let proxy = Proxy::new("http://proxy.example:3128").unwrap().with_exception("near.example");
        for (host, proxy, expected) in [
            ("far.example", Some(&proxy), "not connected through the proxy"),
            ("near.example", Some(&proxy), "not connected"),
            ("far.example", None, "not connected"),
        ] {
            assert_eq!(ConnectionPath::to(host, proxy).to_string(), expected);
        }
    }

    #[test]
    fn each_link_of_the_chain_is_there_once() {
        let failed = FailedExchange::new(None, Reading(fmt::Error));
        assert_eq!(failed.to_string(), "answer was cut off");
        assert_eq!(failed.source().map(ToString::to_string), Some(fmt::Error.to_string()));
    }
}
