//! What went wrong in reqwest, in our words.

use auth_core::{Error, Origin};
use auth_outbound::{ConnectionPath, FailedExchange, refused_certificate};
use http::Uri;
use reqwest::Url;
use std::{error, fmt};

/// A client or a request that could not be made.
pub(crate) fn made(error: reqwest::Error) -> Error {
    sorted(ConnectionPath::Direct, None, error)
}

/// An exchange that failed, told without the path and the query of its URL, which may hold a secret.
pub(crate) fn transport(path: ConnectionPath, url: &Url, error: reqwest::Error) -> Error {
    let origin = url.as_str().parse::<Uri>().ok().and_then(|uri| Origin::of(&uri).ok());
    sorted(path, origin, error)
}

fn sorted(path: ConnectionPath, origin: Option<Origin>, error: reqwest::Error) -> Error {
    let code = if error.is_timeout() {
        "reqwest_timeout"
    } else if error.is_connect() {
        "reqwest_connect"
    } else if error.is_body() || error.is_decode() {
        "reqwest_body"
    } else {
        "reqwest_request"
    };
    if let Some(refused) = refused_certificate(origin.clone(), &error) {
        return refused;
    }
    let error = error.without_url();
    if error.is_builder() {
        return Error::config("reqwest_builder", error);
    }
    let is_not_sent = error.is_connect();
    let failed = FailedExchange::new(origin, InWords { path, error });
    if is_not_sent { Error::not_sent(code, failed) } else { Error::transport(code, failed) }
}

/// An error of reqwest that says what did not happen. What lies beneath stands in its text when nothing was sent yet;
/// later a peer may have chosen it, or repeat what it was sent.
#[derive(Debug)]
struct InWords {
    path: ConnectionPath,
    error: reqwest::Error,
}

impl fmt::Display for InWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.error.is_connect(), self.error.is_timeout()) {
            (true, true) => f.write_str("not connected in time"),
            (true, false) => {
                self.path.fmt(f)?;
                beneath(&self.error).try_for_each(|error| write!(f, ": {error}"))
            }
            (false, true) => f.write_str("no whole answer in time"),
            (false, false) => self.error.fmt(f),
        }
    }
}

impl error::Error for InWords {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        // What is in the text is not told twice.
        error::Error::source(&self.error).filter(|_| !self.error.is_connect())
    }
}

/// The errors beneath one, without the step of the client that it failed in: the text says that.
fn beneath(error: &reqwest::Error) -> impl Iterator<Item = &(dyn error::Error + 'static)> {
    let first = error::Error::source(error);
    let first = first.map(|client| client.source().unwrap_or(client));
    std::iter::successors(first, |error| error.source())
}
