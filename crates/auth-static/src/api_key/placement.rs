//! Where a key goes.

use crate::config;
use auth_core::{Authorization, Credentials, Result};
use http::{HeaderName, HeaderValue};

/// Where a key goes, and where alone it is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement(pub(super) Place);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Header(HeaderName),
    Scheme(Box<str>),
    Query(Box<str>),
}

impl Placement {
    /// In a field of its own: `key: KEY`.
    ///
    /// # Errors
    ///
    /// `Error::Config` when the name is no field name, or one that routes or frames messages.
    pub fn header(name: &str) -> Result<Self> {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| {
            config(
                "api_key_header_name",
                "header name: expected letters, digits and -!#$%&'*+.^_`|~",
            )
        })?;
        Credentials::header(name.clone(), HeaderValue::from_static(""))?;
        Ok(Self(Place::Header(name)))
    }

    /// Behind a scheme word: `Authorization: App KEY`. Verifiers take the word in any casing.
    ///
    /// # Errors
    ///
    /// `Error::Config` when the word is no token (RFC 9110 section 11.1).
    pub fn scheme(word: &str) -> Result<Self> {
        let whole = Authorization::parse(word.as_bytes()).is_ok_and(|read| read.scheme() == word);
        let place = whole.then(|| Place::Scheme(word.into()));
        place
            .map(Self)
            .ok_or_else(|| config("api_key_scheme_word", "scheme word: expected a token, as App"))
    }

    /// In the query: `?apikey=KEY`.
    ///
    /// # Errors
    ///
    /// `Error::Config` when the name is empty, or not visible ASCII.
    ///
    /// # Security
    ///
    /// The last resort: URLs end up in logs, histories and Referer fields. Nothing of ours logs one.
    pub fn query(name: &str) -> Result<Self> {
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(config(
                "api_key_parameter_name",
                "parameter name: expected visible ASCII characters",
            ));
        }
        Ok(Self(Place::Query(name.into())))
    }
}
