//! A proxy over http or https.

use auth_core::{Error, Origin, Result};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderValue, Uri, uri::Authority};
use std::{fmt, net::IpAddr};

/// Through which proxy requests go, and which hosts they reach without it.
///
/// The URL is that of the proxy, `http://HOST:PORT` or `https://HOST:PORT`, with `USER:PASSWORD@` before the host if the
/// proxy asks for Basic; what is not allowed there is percent-encoded.
///
/// # Security
///
/// The proxy sees where a request goes and, unless the request is https, the whole of it. `Debug` shows neither user
/// nor password.
///
/// ```
/// use auth_outbound::Proxy;
/// let proxy = Proxy::new("http://user:pa%3Ass@proxy.example:3128")?.with_exception(".internal.example");
/// assert_eq!(proxy.host(), "proxy.example");
/// assert!(proxy.carries("api.example.com"));
/// assert!(!proxy.carries("db.internal.example"));
/// # Ok::<_, auth_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Proxy {
    /// Without a user.
    uri: Uri,
    authorization: Option<HeaderValue>,
    except: Vec<Box<str>>,
    addresses: ProxyAddresses,
}

/// Who looks at the addresses that names resolve to behind a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ProxyAddresses {
    /// Nobody that is known of.
    Unfiltered,
    /// The proxy, by the operator's word.
    FilteredByProxy,
}

impl Proxy {
    /// Reads the URL of a proxy.
    ///
    /// # Errors
    ///
    /// `Error::Config` when it is not a URL of http or https with a host, or has anything behind that but one slash.
    pub fn new(url: &str) -> Result<Self> {
        let wrong = || {
            let text = "proxy is no URL of http or https, expected http://USER:PASSWORD@HOST:PORT";
            Error::config("outbound_proxy", text)
        };
        let uri: Uri = url.parse().map_err(|_| wrong())?;
        let authority = uri.authority().map(Authority::as_str).ok_or_else(wrong)?;
        let (user, place) = match authority.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, authority),
        };
        let known = matches!(uri.scheme_str(), Some("http" | "https"));
        let bare =
            uri.path() == "/" && uri.query().is_none() && !uri.host().unwrap_or("").is_empty();
        let scheme = uri.scheme_str().filter(|_| known && bare).ok_or_else(wrong)?;
        let without_user = format!("{scheme}://{place}/").parse().map_err(|_| wrong())?;
        let authorization = user.map(|user| basic(user).ok_or_else(wrong)).transpose()?;
        Ok(Self {
            uri: without_user,
            authorization,
            except: Vec::new(),
            addresses: ProxyAddresses::Unfiltered,
        })
    }

    /// Reaches this host without the proxy; a name that begins with a dot stands for all names that end with it.
    #[must_use]
    pub fn with_exception(mut self, host: &str) -> Self {
        self.except.push(spelled(host));
        self
    }

    /// Trusts the proxy to keep connections from addresses inside: it resolves the names, so an
    /// [`AddressFilter`](crate::AddressFilter) on this side sees addresses that are written as such, and nothing else.
    ///
    /// Without this, a transport refuses names that this proxy would resolve (`transport_proxy_resolves`). A client whose
    /// caller chose the URL asks no filter, and needs no such word.
    #[must_use]
    pub fn trusting_its_address_filter(self) -> Self {
        Self { addresses: ProxyAddresses::FilteredByProxy, ..self }
    }

    /// Would it resolve this name, with nobody who looks at the address?
    pub(crate) fn resolves_unfiltered(&self, name: &str) -> bool {
        self.addresses == ProxyAddresses::Unfiltered && self.carries(name)
    }

    /// Does a request to this host go through the proxy?
    #[must_use]
    pub fn carries(&self, host: &str) -> bool {
        let host = spelled(host);
        !self.except.iter().any(|except| match except.strip_prefix('.') {
            Some(_) => host.ends_with(&**except),
            None => host == *except,
        })
    }

    /// Does a request to this host leave this machine, because a proxy on another one carries it? A loopback address means
    /// that machine then.
    pub(crate) fn carries_away(&self, host: &str) -> bool {
        let is_elsewhere = Origin::of(&self.uri).map_or(true, |proxy| !proxy.is_loopback());
        is_elsewhere && self.carries(host)
    }

    /// The URL, without a user.
    #[must_use]
    pub const fn uri(&self) -> &Uri {
        &self.uri
    }

    /// The host; an IPv6 address is in brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        self.uri.host().unwrap_or_default()
    }

    /// The value of `Proxy-Authorization` that it is given, if it has a user: marked sensitive.
    #[must_use]
    pub const fn authorization(&self) -> Option<&HeaderValue> {
        self.authorization.as_ref()
    }
}

/// A host in the one spelling in which two are compared: without a final dot, an address as it is written by itself.
fn spelled(host: &str) -> Box<str> {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    match bare.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().to_string().into(),
        Err(_) => host.trim_end_matches('.').to_ascii_lowercase().into(),
    }
}

/// Basic for `user:password` as it stands in a URL.
fn basic(user: &str) -> Option<HeaderValue> {
    let (user, password) = user.split_once(':').unwrap_or((user, ""));
    let mut plain = decoded(user)?;
    plain.push(b':');
    plain.extend(decoded(password)?);
    let mut value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(plain))).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Without percent-encoding (RFC 3986 section 2.1); `None` when it is broken.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut pieces = text.split('%');
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2)?;
        let well_formed = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        bytes.push(u8::from_str_radix(digits, 16).ok().filter(|_| well_formed)?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    Some(bytes)
}

/// Shows where it is, and not who goes through it.
impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({})", self.uri)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, expected: Result<(&str, &str), &str>) {
        let read = Proxy::new(url).map(|proxy| {
            let field = proxy.authorization().map_or(Vec::new(), |field| {
                assert!(field.is_sensitive());
                STANDARD.decode(&field.as_bytes()["Basic ".len()..]).unwrap()
            });
            (proxy.uri().to_string(), String::from_utf8(field).unwrap())
        });
        let read = read.as_ref().map(|(uri, user)| (uri.as_str(), user.as_str()));
        assert_eq!(read.map_err(Error::code), expected, "{url}");
    }

    #[test]
    fn a_proxy_is_a_url() {
        check("http://proxy.example:3128", Ok(("http://proxy.example:3128/", "")));
        check("https://proxy.example/", Ok(("https://proxy.example/", "")));
        check("http://[::1]:3128", Ok(("http://[::1]:3128/", "")));
        check("http://u:p@h:1", Ok(("http://h:1/", "u:p")));
        check("http://u@h:1", Ok(("http://h:1/", "u:")));
        check("http://a%40b:p%3A%25@h:1", Ok(("http://h:1/", "a@b:p:%")));
        for wrong in [
            "",
            "/p",
            "proxy.example:3128",
            "socks5://proxy.example",
            "http://",
            "http://:3128",
            "http://h/path",
            "http://h/?q",
            "http://u:%4@h",
            "http://u:%+1@h",
        ] {
            check(wrong, Err("outbound_proxy"));
        }
    }

    #[test]
    fn exceptions_are_hosts_and_what_is_below_a_domain() {
        let proxy = Proxy::new("http://p:1")
            .unwrap()
            .with_exception("Localhost")
            .with_exception(".in.example");
        for (host, expected) in [
            ("localhost", false),
            ("LOCALHOST.", false),
            ("api.in.example", false),
            ("a.b.in.example", false),
            ("in.example", true),
            ("xin.example", true),
            ("localhost.example", true),
            ("127.0.0.1", true),
        ] {
            assert_eq!(proxy.carries(host), expected, "{host}");
        }
    }

    #[test]
    fn an_exception_holds_however_it_is_spelled() {
        for (except, hosts) in [
            ("db.example.", ["db.example", "DB.example."]),
            (".in.example.", ["a.in.example", "a.in.example."]),
            ("::1", ["[::1]", "[0:0:0:0:0:0:0:1]"]),
            ("[FD00::1]", ["[fd00::1]", "[fd00:0::1]"]),
            ("10.0.0.1", ["10.0.0.1", "[::ffff:10.0.0.1]"]),
        ] {
            let proxy = Proxy::new("http://p:1").unwrap().with_exception(except);
            for host in hosts {
                assert!(!proxy.carries(host), "{host} goes through the proxy, except {except}");
            }
        }
    }

    #[test]
    fn shows_no_password() {
        let proxy = Proxy::new("http://canary:canary@h:1").unwrap();
        assert_eq!(format!("{proxy:?}"), "Proxy(http://h:1/)");
        let error = Proxy::new("socks5://canary:canary@h:1").unwrap_err();
        assert!(!format!("{error:?}").contains("canary"));
    }
}
