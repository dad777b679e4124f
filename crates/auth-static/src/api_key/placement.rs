//! Where a key goes.

use auth_core::{Authorization, Credentials, Error, Result};
use http::{HeaderName, HeaderValue};

/// Where a key goes, and the only place a verifier reads it from.
///
/// # Security
///
/// The query is the last resort, for callers that can only type a URL: URLs end up in the logs of every hop, in
/// histories and in `Referer`. Nothing here shows it, what others log is out of reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Placement {
    /// In a header field of its own: `key: KEY`.
    Header(HeaderName),
    /// In the `Authorization` field, behind a scheme word: `Authorization: App KEY`. A verifier takes it in any case.
    Scheme(SchemeWord),
    /// In the query, as a parameter: `?apikey=KEY`, with both percent-encoded.
    Query(ParameterName),
}

impl Placement {
    /// In a header field of this name.
    ///
    /// # Errors
    ///
    /// `Error::Config` when it is not the name of a field, or of one that routes or frames messages.
    pub fn header(name: &str) -> Result<Self> {
        let text = "header name is not a token (RFC 9110 section 5.6.2)";
        let name = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| Error::config("api_key_header_name", text))?;
        carries_credentials(&name)?;
        Ok(Self::Header(name))
    }

    /// In the `Authorization` field, behind this scheme word.
    ///
    /// # Errors
    ///
    /// `Error::Config` when it is not a scheme (RFC 9110 section 11.1).
    pub fn scheme(word: &str) -> Result<Self> {
        if Authorization::parse(word.as_bytes()).is_ok_and(|read| read.scheme() == word) {
            return Ok(Self::Scheme(SchemeWord(word.into())));
        }
        let text = "scheme word is not a token (RFC 9110 section 11.1), expected one word like App";
        Err(Error::config("api_key_scheme_word", text))
    }

    /// In the query, as a parameter of this name.
    ///
    /// # Errors
    ///
    /// `Error::Config` when it is empty, not visible ASCII, or holds what a query gives a meaning: `%`, `&`, `=`, `+`
    /// and `#`. It is the name as it reads, so one that was copied with its encoding is told.
    pub fn query(name: &str) -> Result<Self> {
        let part = |byte: u8| byte.is_ascii_graphic() && !b"%&=+#".contains(&byte);
        if !name.is_empty() && name.bytes().all(part) {
            return Ok(Self::Query(ParameterName(name.into())));
        }
        let text = "parameter name is empty or holds a character it may not, \
                    expected visible ASCII other than % & = + #";
        Err(Error::config("api_key_parameter_name", text))
    }
}

/// The scheme that stands before a key in the `Authorization` field; made by [`Placement::scheme`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemeWord(Box<str>);

impl SchemeWord {
    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The name of the query parameter that a key is in; made by [`Placement::query`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterName(Box<str>);

impl ParameterName {
    /// As it was written, not encoded.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Wherever the name came from, it is never one that routes or frames messages: credentials know which those are.
pub(super) fn carries_credentials(name: &HeaderName) -> Result<()> {
    Credentials::header(name.clone(), HeaderValue::from_static("")).map(drop)
}
