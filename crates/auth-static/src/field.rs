//! What the clients keep: made once, handed out for every request.

use auth_core::{Credentials, Error, Result};
use http::{HeaderValue, header::AUTHORIZATION};

/// Refuses the line break that is left at the end of a text which was read from a file or a form.
pub(crate) fn check_end(code: &'static str, name: &str, text: &str) -> Result<()> {
    if text.ends_with(['\n', '\r']) {
        return Err(Error::config(code, format!("{name} ends with a line break; remove it")));
    }
    Ok(())
}

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
