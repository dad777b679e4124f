//! Reads an answer's body as far as a scheme must see it, and gives the answer back whole.

use crate::failure;
use auth_core::{Need, Result};
use http::{Response, response::Parts};
use std::io::{Cursor, Read as _};
use ureq::{Body, BodyReader};

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
    /// Its beginning, when it was longer than asked for, and the rest.
    Begun(Vec<u8>, BodyReader<'static>),
}

pub(crate) fn read(answer: Response<Body>, need: Need) -> Result<Read> {
    let (head, body) = answer.into_parts();
    let limit = match need {
        Need::Nothing => return Ok(Read { head, body: Arrived::Unread(body) }),
        Need::Bytes { limit } => u64::try_from(limit).unwrap_or(u64::MAX),
    };
    let (mut bytes, mut rest) = (Vec::new(), body.into_reader());
    let read = rest.by_ref().take(limit.saturating_add(1)).read_to_end(&mut bytes);
    let read = u64::try_from(read.map_err(failure::body)?).unwrap_or(u64::MAX);
    let body = if read > limit { Arrived::Begun(bytes, rest) } else { Arrived::Whole(bytes) };
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
