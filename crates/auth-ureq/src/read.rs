//! Reads an answer's body as far as a scheme must see it, and gives the answer back whole.

use crate::{ahead::Ahead, failure};
use auth_core::{AnswerBodyLimit, Need, Result};
use http::{Response, Uri, response::Parts};
use std::io::{Cursor, Read as _};
use ureq::Body;

/// An answer, of whose body something may have been read.
pub(crate) struct Read {
    pub(crate) head: Parts,
    body: Arrived,
}

enum Arrived {
    /// Nobody asked for it.
    Unread(Body),
    /// All of it.
    Whole(Vec<u8>),
    /// Its beginning, when it was longer than asked for or did not end in time, and the rest.
    Begun(Vec<u8>, Ahead),
}

/// The answer of this target.
pub(crate) fn read(target: &Uri, answer: Response<Body>, need: Need) -> Result<Read> {
    let (head, body) = answer.into_parts();
    let Some(part) = AnswerBodyLimit::of(need, head.status, body.content_length()) else {
        return Ok(Read { head, body: Arrived::Unread(body) });
    };
    let mut body = body.into_reader();
    let broke_off = |error| failure::body(target, error);
    let body = if let Some(patience) = part.within {
        match Ahead::read(body, part.limit, patience).map_err(broke_off)? {
            (bytes, None) => Arrived::Whole(bytes),
            (bytes, Some(rest)) => Arrived::Begun(bytes, rest),
        }
    } else {
        // No longer than the limit: its framing says so.
        let mut bytes = Vec::new();
        body.read_to_end(&mut bytes).map_err(broke_off)?;
        Arrived::Whole(bytes)
    };
    Ok(Read { head, body })
}

impl Read {
    /// The body, when it was asked for and within the limit.
    pub(crate) fn whole(&self) -> Option<&[u8]> {
        match &self.body {
            Arrived::Whole(bytes) => Some(bytes),
            Arrived::Unread(_) | Arrived::Begun(..) => None,
        }
    }

    /// The answer as it came.
    pub(crate) fn into_response(self) -> Response<Body> {
        let body = match self.body {
            Arrived::Unread(body) => body,
            Arrived::Whole(bytes) => Body::builder().data(bytes),
            Arrived::Begun(bytes, rest) => Body::builder().reader(Cursor::new(bytes).chain(rest)),
        };
        Response::from_parts(self.head, body)
    }
}
