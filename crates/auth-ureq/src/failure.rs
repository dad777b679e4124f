//! What went wrong in ureq, in our words.

use auth_core::Error;
use std::{error, fmt, io};

/// Something failed before the request was sent. ureq itself does not tell that from what fails later.
#[derive(Debug)]
pub(crate) struct NotConnected(ureq::Error);

/// Marks a failure as one of connecting; running out of time stays what it is.
pub(crate) fn connecting(error: ureq::Error) -> ureq::Error {
    match error {
        ureq::Error::Timeout(_) => error,
        error if is_not_connected(&error) => error,
        error => ureq::Error::Other(Box::new(NotConnected(error))),
    }
}

/// A request that brought no answer.
pub(crate) fn transport(error: ureq::Error) -> Error {
    let code = match &error {
        // These name the URL or a field, which may hold a secret.
        ureq::Error::BadUri(_) | ureq::Error::Http(_) | ureq::Error::BodyExceedsLimit(_) => {
            return Error::config(
                "ureq_builder",
                "request cannot be sent, expected an absolute url and a body as long as content-length says",
            );
        }
        ureq::Error::Timeout(_) => "ureq_timeout",
        error if is_not_connected(error) => "ureq_connect",
        _ => "ureq_request",
    };
    Error::transport(code, error)
}

/// An answer that broke off.
pub(crate) fn body(error: io::Error) -> Error {
    // ureq hides its own errors in those of I/O.
    match ureq::Error::from(error) {
        error @ ureq::Error::Timeout(_) => transport(error),
        error => Error::transport("ureq_body", error),
    }
}

fn is_not_connected(error: &ureq::Error) -> bool {
    matches!(error, ureq::Error::Other(inner) if inner.is::<NotConnected>())
}

impl fmt::Display for NotConnected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not connected: {}", self.0)
    }
}

impl error::Error for NotConnected {}
