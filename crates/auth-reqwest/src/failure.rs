//! What went wrong in reqwest, in our words.

use auth_core::Error;

/// Without the URL, which may hold a secret.
pub(crate) fn transport(error: reqwest::Error) -> Error {
    let code = if error.is_timeout() {
        "reqwest_timeout"
    } else if error.is_connect() {
        "reqwest_connect"
    } else if error.is_body() || error.is_decode() {
        "reqwest_body"
    } else {
        "reqwest_request"
    };
    let error = error.without_url();
    if error.is_builder() {
        Error::config("reqwest_builder", error)
    } else {
        Error::transport(code, error)
    }
}
