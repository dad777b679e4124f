//! Where tokens are asked for, and in which form.

use crate::token_name::NameParts;
use auth_core::{Error, Origin, Result};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use std::fmt;
use url::Url;

/// The token endpoint of an authorization server (RFC 6749 section 3.2): its URL, and how requests to it look.
///
/// Without anything set, requests are a POST with a form in the body, as the specification has them. The rest is for
/// servers that want it otherwise.
///
/// ```
/// use auth_oauth2::{ParameterPlacement, TokenEndpoint};
/// let plain = TokenEndpoint::new("https://login.example/token")?;
/// let other = TokenEndpoint::new("https://login.example/token")?
///     .with_placement(ParameterPlacement::JsonBody)
///     .with_header("x-tenant", "acme")?;
/// # Ok::<_, auth_oauth2::Error>(())
/// ```
#[derive(Clone)]
pub struct TokenEndpoint {
    pub(crate) url: Url,
    /// The same for a request; none if it holds a character that no request line may have.
    pub(crate) uri: Option<Uri>,
    pub(crate) method: Method,
    pub(crate) placement: ParameterPlacement,
    pub(crate) headers: HeaderMap,
    pub(crate) secrets_in_url: SecretsInUrl,
}

/// Where the parameters of a token request stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ParameterPlacement {
    /// In the body, as `application/x-www-form-urlencoded` (RFC 6749 appendix B).
    #[default]
    FormBody,
    /// In the body, as the members of a JSON object.
    JsonBody,
    /// In the query of the URL.
    Url,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SecretsInUrl {
    Refused,
    Allowed,
}

impl TokenEndpoint {
    /// The endpoint at this URL.
    ///
    /// # Errors
    ///
    /// `Error::Config` when it is no absolute `https` URL (`http` for this machine alone), has a fragment (RFC 6749
    /// section 3.2) or a user name.
    pub fn new(url: &str) -> Result<Self> {
        Ok(Self::at(read_url("token URL", url)?))
    }

    pub(crate) fn at(url: Url) -> Self {
        Self {
            uri: url.as_str().parse().ok(),
            url,
            method: Method::POST,
            placement: ParameterPlacement::default(),
            headers: HeaderMap::new(),
            secrets_in_url: SecretsInUrl::Refused,
        }
    }

    /// With the parameters in another place.
    #[must_use]
    pub const fn with_placement(mut self, placement: ParameterPlacement) -> Self {
        self.placement = placement;
        self
    }

    /// With GET in place of POST. Where the parameters stand is [set apart](Self::with_placement).
    #[must_use]
    pub fn with_get(mut self) -> Self {
        self.method = Method::GET;
        self
    }

    /// With a header field in every request; two of one name are both sent.
    ///
    /// # Errors
    ///
    /// `Error::Config` when the name or the value is none, or when the name is one that the client itself sets:
    /// `Authorization`, `Accept`, `Content-Type`, `Host`, or a field of the framing or of the connection.
    pub fn with_header(mut self, name: &str, value: &str) -> Result<Self> {
        let named = HeaderName::try_from(name).map_err(|_| {
            config("oauth2_header_name", "header name holds a character that no name may have")
        })?;
        if RESERVED.contains(&named) {
            let text = format!("header {named} is set by the client itself; leave it out");
            return Err(config("oauth2_header_reserved", text));
        }
        let mut value = HeaderValue::try_from(value).map_err(|_| {
            let text =
                format!("value of header {named} holds a line break or another control character");
            config("oauth2_header_value", text)
        })?;
        // It may be a key.
        value.set_sensitive(true);
        self.headers.append(named, value);
        Ok(self)
    }

    /// Lets a client secret stand in the query of the URL.
    ///
    /// # Security
    ///
    /// URLs are written down by servers, proxies and their logs, secrets with them.
    #[must_use]
    pub const fn allowing_secrets_in_url(mut self) -> Self {
        self.secrets_in_url = SecretsInUrl::Allowed;
        self
    }

    pub(crate) fn add_to(&self, name: &mut NameParts) {
        name.add(self.url.as_str());
        name.add(self.method.as_str());
        name.add(match self.placement {
            ParameterPlacement::FormBody => "form",
            ParameterPlacement::JsonBody => "json",
            ParameterPlacement::Url => "url",
        });
        name.add(self.headers.len().to_string());
        self.headers.iter().for_each(|(field, value)| {
            name.add(field.as_str());
            name.add(value);
        });
    }

    /// The URL, as it was read.
    #[must_use]
    pub fn url(&self) -> &str {
        self.url.as_str()
    }
}

const RESERVED: &[HeaderName] = &[
    header::ACCEPT,
    header::AUTHORIZATION,
    header::CONNECTION,
    header::CONTENT_ENCODING,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::EXPECT,
    header::HOST,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// A URL that a person typed, or that metadata names.
pub(crate) fn read_url(field: &str, text: &str) -> Result<Url> {
    read_url_like("https://login.example/token", field, text)
}

/// The same, with what a URL of this kind looks like for whoever typed none.
pub(crate) fn read_url_like(example: &str, field: &str, text: &str) -> Result<Url> {
    let fault = |what: &str| Err(config("oauth2_url", format!("{field} {what}")));
    let Ok(url) = Url::parse(text) else {
        return fault(&format!("is no absolute URL, expected one as {example}"));
    };
    let origin = url.as_str().parse().ok().and_then(|uri| Origin::of(&uri).ok());
    match url.scheme() {
        "https" => {}
        "http" if origin.as_ref().is_some_and(Origin::is_loopback) => {}
        "http" => return fault("is http, which shows secrets to everybody on the way; use https"),
        _ => return fault("is neither https nor http"),
    }
    if url.fragment().is_some() {
        return fault("has a fragment, which no request sends; leave out '#' and what follows");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return fault("has a user name; set the client's authentication instead");
    }
    if origin.is_none() {
        return fault("names no host that a request can go to, or holds a character of no request");
    }
    Ok(url)
}

pub(crate) fn is_of_this_machine(url: &Url) -> bool {
    url.as_str().parse().is_ok_and(|uri| Origin::of(&uri).is_ok_and(|to| to.is_loopback()))
}

pub(crate) fn config(code: &'static str, text: impl Into<String>) -> Error {
    Error::config(code, text.into())
}

/// Shows the host, since a path or query may hold a secret.
impl fmt::Debug for TokenEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.url.host_str().unwrap_or("no host");
        write!(f, "TokenEndpoint({} {host}, {:?})", self.method, self.placement)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, expected: Result<&str, &str>) {
        let read = TokenEndpoint::new(url);
        let read = read.as_ref().map(TokenEndpoint::url).map_err(ToString::to_string);
        let expected = expected.map_err(|text| format!("configuration: token URL {text}"));
        assert_eq!(read, expected, "{url}");
    }

    #[test]
    fn takes_https_and_this_machine_and_says_what_is_wrong_with_others() {
        check("https://login.example/token?tenant=a", Ok("https://login.example/token?tenant=a"));
        check("http://127.0.0.1:8080/token", Ok("http://127.0.0.1:8080/token"));
        check("http://[::1]/token", Ok("http://[::1]/token"));
        check("http://localhost/token", Ok("http://localhost/token"));
        let http = "is http, which shows secrets to everybody on the way; use https";
        check("http://login.example/token", Err(http));
        check("http://127.0.0.1.nip.example/", Err(http));
        check("ftp://login.example/", Err("is neither https nor http"));
        let no_url = "is no absolute URL, expected one as https://login.example/token";
        check("login.example/token", Err(no_url));
        check("", Err(no_url));
        let no_host = "names no host that a request can go to, or holds a character of no request";
        check("https:......", Err(no_host));
        let user = "has a user name; set the client's authentication instead";
        check("https://a:b@login.example/", Err(user));
        check(
            "https://login.example/#a",
            Err("has a fragment, which no request sends; leave out '#' and what follows"),
        );
    }

    #[test]
    fn a_header_that_the_client_sets_is_refused_by_name() {
        let endpoint = || TokenEndpoint::new("https://login.example/").unwrap();
        for name in ["Authorization", "content-LENGTH", "host", "transfer-encoding"] {
            let error = endpoint().with_header(name, "x").unwrap_err();
            assert_eq!(error.code(), "oauth2_header_reserved", "{name}");
        }
        assert_eq!(endpoint().with_header("a b", "x").unwrap_err().code(), "oauth2_header_name");
        assert_eq!(
            endpoint().with_header("x", "a\r\nb: c").unwrap_err().code(),
            "oauth2_header_value"
        );
        let two = endpoint().with_header("x", "1").unwrap().with_header("x", "2").unwrap();
        assert_eq!(two.headers.get_all("x").iter().count(), 2);
    }

    #[test]
    fn debug_shows_no_more_than_the_host() {
        let shown =
            format!("{:?}", TokenEndpoint::new("https://login.example/a?key=canary").unwrap());
        assert_eq!(shown, "TokenEndpoint(POST login.example, FormBody)");
    }
}
