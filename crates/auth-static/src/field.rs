//! What the clients keep: made once, handed out for every request.

use auth_core::{Credentials, Error, Result};
use http::{HeaderValue, header::AUTHORIZATION};

/// An `Authorization` field with this scheme.
pub(crate) fn authorization(scheme: &str, credentials: &str) -> Result<Credentials> {
    let mut text = String::with_capacity(scheme.len() + 1 + credentials.len());
    text.push_str(scheme);
    text.push(' ');
    text.push_str(credentials);
    let value = HeaderValue::from_maybe_shared(text)
        .map_err(|error| Error::config("authorization_unprintable", error))?;
    Credentials::header(AUTHORIZATION, value).map(|made| made.kept())
}
