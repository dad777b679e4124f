//! What went wrong in ureq, in our words.

use auth_core::{Error, Origin};
use auth_outbound::{ConnectionPath, FailedExchange, refused_certificate};
use http::Uri;
use std::{error, fmt, io};
use ureq::Timeout;

/// Something failed before the request was sent. ureq itself does not tell that from what fails later.
#[derive(Debug)]
pub(crate) struct NotConnected {
    path: ConnectionPath,
    error: ureq::Error,
}

/// Marks a failure as one of connecting; running out of time stays what it is.
pub(crate) fn connecting(path: ConnectionPath, error: ureq::Error) -> ureq::Error {
    let error = match error {
        ureq::Error::Timeout(_) => return error,
        // The step that marked it first did not know the path.
        ureq::Error::Other(error) => match error.downcast::<NotConnected>() {
            Ok(marked) => marked.error,
            Err(error) => ureq::Error::Other(error),
        },
        error => error,
    };
    ureq::Error::Other(Box::new(NotConnected { path, error }))
}

/// A request to this target that brought no answer.
pub(crate) fn transport(target: &Uri, error: ureq::Error) -> Error {
    if let Some(refused) =
        beneath(&error).and_then(|io| refused_certificate(Origin::of(target).ok(), io))
    {
        return refused;
    }
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
    let is_not_sent = is_not_connected(&error) || is_connect_timeout(&error);
    let failed = FailedExchange::new(Origin::of(target).ok(), InWords(error));
    if is_not_sent { Error::not_sent(code, failed) } else { Error::transport(code, failed) }
}

/// An answer from this target that broke off.
pub(crate) fn body(target: &Uri, error: io::Error) -> Error {
    // ureq hides its own errors in those of I/O.
    match ureq::Error::from(error) {
        error @ ureq::Error::Timeout(_) => transport(target, error),
        error => {
            let failed = FailedExchange::new(Origin::of(target).ok(), InWords(error));
            Error::transport("ureq_body", failed)
        }
    }
}

/// The error of I/O that ureq carries; it does not tell of it itself.
fn beneath(error: &ureq::Error) -> Option<&io::Error> {
    match error {
        ureq::Error::Io(error) => Some(error),
        ureq::Error::Other(inner) => match &inner.downcast_ref::<NotConnected>()?.error {
            ureq::Error::Io(error) => Some(error),
            _ => None,
        },
        _ => None,
    }
}

const fn is_connect_timeout(error: &ureq::Error) -> bool {
    matches!(error, ureq::Error::Timeout(Timeout::Resolve | Timeout::Connect))
}

fn is_not_connected(error: &ureq::Error) -> bool {
    matches!(error, ureq::Error::Other(inner) if inner.is::<NotConnected>())
}

impl fmt::Display for NotConnected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.path)?;
        write_words(&self.error, f)
    }
}

impl error::Error for NotConnected {}

/// An error of ureq that says what did not happen.
#[derive(Debug)]
struct InWords(ureq::Error);

impl fmt::Display for InWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_words(&self.0, f)
    }
}

impl error::Error for InWords {}

fn write_words(error: &ureq::Error, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match error {
        ureq::Error::Timeout(Timeout::Resolve) => f.write_str("the name was not resolved in time"),
        ureq::Error::Timeout(Timeout::Connect) => f.write_str("not connected in time"),
        ureq::Error::Timeout(limit) => write!(f, "no whole answer in time (limit: {limit})"),
        // An error of ours, which ureq only carried.
        ureq::Error::Other(error) => write!(f, "{error}"),
        error => write!(f, "{error}"),
    }
}
