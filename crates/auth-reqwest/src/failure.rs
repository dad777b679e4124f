//! What went wrong in reqwest, in our words.

use auth_core::Error;

/// Without the URL, which may hold a secret.
pub(crate) fn transport(error: reqwest::Error) -> Error {
    let code = match () {
        () if error.is_timeout() => "reqwest_timeout",
        () if error.is_connect() => "reqwest_connect",
        () if error.is_body() || error.is_decode() => "reqwest_body",
        () => "reqwest_request",
    };
    let error = error.without_url();
    if error.is_builder() {
        Error::config("reqwest_builder", error)
    } else {
        Error::transport(code, error)
    }
}
