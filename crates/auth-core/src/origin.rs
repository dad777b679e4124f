//! Where a request goes: scheme, host and port.

use crate::{Error, Result};
use http::{
    Uri,
    uri::{Authority, Scheme},
};
use std::{fmt, str::FromStr};

/// Scheme, host and port of a URL (RFC 6454 section 4): `https://api.example.com`, `http://127.0.0.1:8080`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    encrypted: bool,
    host: Box<str>,
    port: u16,
}

impl Origin {
    /// The origin that a request goes to.
    ///
    /// # Errors
    ///
    /// `Error::Config` when the target is not an absolute http or https URL, names a user, or has a port that is none.
    pub fn of(uri: &Uri) -> Result<Self> {
        let Parts { encrypted, host, port } = Parts::of(uri)?;
        Ok(Self { encrypted, host: host.to_ascii_lowercase().into(), port })
    }

    /// Does a request for this target go here? Unlike a comparison with [`Origin::of`] it allocates nothing.
    #[must_use]
    pub fn covers(&self, uri: &Uri) -> bool {
        // Most targets are written as the origin is: its host alone, which names neither a user nor a port.
        let own = if self.encrypted { Scheme::HTTPS } else { Scheme::HTTP };
        let is_plain = self.port == own_port(self.encrypted)
            && uri.authority().is_some_and(|authority| authority.as_str() == &*self.host);
        if is_plain && uri.scheme() == Some(&own) {
            return true;
        }
        Parts::of(uri).is_ok_and(|parts| {
            parts.encrypted == self.encrypted
                && parts.port == self.port
                && parts.host.eq_ignore_ascii_case(&self.host)
        })
    }

    /// Is what is sent there protected by TLS, or kept within this machine?
    #[must_use]
    pub fn is_confidential(&self) -> bool {
        self.encrypted || self.is_loopback()
    }

    /// Is the host this machine: a loopback address literal, or `localhost` (RFC 6761 section 6.3)?
    ///
    /// No other name counts: what it resolves to is known too late.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
    }

    /// Is it https?
    #[must_use]
    pub const fn is_encrypted(&self) -> bool {
        self.encrypted
    }

    /// The host, in lower case; an IPv6 address is in brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, given or the scheme's own.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }
}

/// What an origin consists of, as a target has it.
struct Parts<'a> {
    encrypted: bool,
    /// In the case in which it was written, without a final dot.
    host: &'a str,
    port: u16,
}

impl<'a> Parts<'a> {
    fn of(uri: &'a Uri) -> Result<Self> {
        let encrypted = is_https(uri)?;
        let (host, authority) = host(uri)?;
        let port = port(authority)?.unwrap_or(own_port(encrypted));
        Ok(Self { encrypted, host, port })
    }
}

const fn own_port(encrypted: bool) -> u16 {
    if encrypted { 443 } else { 80 }
}

pub(crate) fn is_https(uri: &Uri) -> Result<bool> {
    match uri.scheme_str() {
        Some("https") => Ok(true),
        Some("http") => Ok(false),
        _ => {
            let text = "url is not absolute, expected http:// or https://";
            Err(Error::config("origin_scheme", text))
        }
    }
}

/// The host without a final dot, and the authority that it is in, which names no user.
fn host(uri: &Uri) -> Result<(&str, &Authority)> {
    let none = || Error::config("origin_host", "url has no host");
    let authority = uri.authority().ok_or_else(none)?;
    if authority.as_str().contains('@') {
        let text = "url names a user before its host, expected credentials to be given apart";
        return Err(Error::config("origin_user", text));
    }
    let host = authority.host().trim_end_matches('.');
    if host.is_empty() { Err(none()) } else { Ok((host, authority)) }
}

/// The port that is written; one that no host has must not be taken for the scheme's own.
fn port(authority: &Authority) -> Result<Option<u16>> {
    let written = authority.as_str().strip_prefix(authority.host()).unwrap_or_default();
    match (authority.port_u16(), written) {
        (None, "" | ":") => Ok(None),
        (None, _) => {
            Err(Error::config("origin_port", "url has a port that is not from 0 to 65535"))
        }
        (port, _) => Ok(port),
    }
}

/// As [`Origin::is_confidential`] of the target's origin, without making one.
pub(crate) fn is_confidential(uri: &Uri) -> Result<bool> {
    let encrypted = is_https(uri)?;
    let (host, _) = host(uri)?;
    Ok(encrypted || is_loopback(host))
}

fn is_loopback(host: &str) -> bool {
    let literal = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || literal
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.to_canonical().is_loopback())
}

/// Reads a URL that has nothing behind the host and port but at most one slash.
impl FromStr for Origin {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let uri: Uri = text.parse().map_err(|error| {
            let text = format!("url cannot be read ({error}), expected https:// and a host");
            Error::config("origin_url", text)
        })?;
        let origin = Self::of(&uri)?;
        // The fragment is no part of a `Uri`.
        if uri.path() != "/" || uri.query().is_some() || text.contains('#') {
            return Err(Error::config(
                "origin_path",
                "origin has a path, query or fragment, expected scheme, host and port alone",
            ));
        }
        Ok(origin)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, own) = if self.encrypted { ("https", 443) } else { ("http", 80) };
        write!(f, "{scheme}://{}", self.host)?;
        if self.port != own { write!(f, ":{}", self.port) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, &str>) {
        let origin = text.parse::<Origin>();
        let shown = origin.as_ref().map(ToString::to_string);
        assert_eq!(shown.as_deref().map_err(|error| error.code()), expected);
        if let Ok(origin) = origin {
            assert_eq!(origin.to_string().parse::<Origin>().unwrap(), origin);
        }
    }

    #[test]
    fn reads_origins() {
        check("https://API.example.com", Ok("https://api.example.com"));
        check("https://api.example.com:443/", Ok("https://api.example.com"));
        check("https://api.example.com.:8443", Ok("https://api.example.com:8443"));
        check("http://[::1]:8080", Ok("http://[::1]:8080"));
        check("https://a.example/path", Err("origin_path"));
        check("https://a.example/?q", Err("origin_path"));
        check("https://a.example#f", Err("origin_path"));
        check("https://a.example/#f", Err("origin_path"));
        check("https://a.example:", Ok("https://a.example"));
        check("https://a.example:65536", Err("origin_port"));
        check("http://[::1]:99999", Err("origin_port"));
        check("https://user@a.example", Err("origin_user"));
        check("ftp://a.example", Err("origin_scheme"));
        check("a.example", Err("origin_scheme"));
        check("", Err("origin_url"));
    }

    #[test]
    fn has_a_scheme_a_host_and_a_port() {
        let parts = |url: &str| {
            let origin: Origin = url.parse().unwrap();
            (origin.is_encrypted(), origin.host().to_owned(), origin.port())
        };
        assert_eq!(parts("https://A.example"), (true, String::from("a.example"), 443));
        assert_eq!(parts("http://[::1]"), (false, String::from("[::1]"), 80));
        assert_eq!(parts("http://a.example:8080"), (false, String::from("a.example"), 8080));
    }

    #[test]
    fn only_tls_and_loopback_are_confidential() {
        for (url, expected) in [
            ("https://a.example", true),
            ("http://127.0.0.1:80", true),
            ("http://127.8.8.8", true),
            ("http://[::1]", true),
            ("http://[::ffff:127.0.0.1]", true),
            ("http://localhost:8080", true),
            ("http://localhost.example.com", false),
            ("http://10.0.0.1", false),
            ("http://127.0.0.1.example.com", false),
        ] {
            assert_eq!(url.parse::<Origin>().unwrap().is_confidential(), expected, "{url}");
        }
    }
}
