//! The law of client adapters for the body of an answer: how much of it is read before it is assessed.

use crate::Need;
use http::StatusCode;
use std::time::Duration;

/// How much of an answer's body a client adapter reads, so that [`assess`](crate::Authenticator::assess) can see it: what
/// the scheme asked for, and never so much that the caller waits for an answer that does not end.
///
/// An adapter asks [`of`](Self::of) when the head of the answer is here. What it has read is in front of the body that the
/// caller gets. If that is not all of the body, the scheme sees none of it.
///
/// ```
/// use auth_core::{AnswerBodyLimit, Need};
/// use http::StatusCode;
///
/// let need = Need::Bytes { limit: 1024 };
/// let read = |status, size| AnswerBodyLimit::of(need, status, size);
/// assert_eq!(read(StatusCode::OK, Some(1025)), None);
/// assert_eq!(read(StatusCode::SWITCHING_PROTOCOLS, None), None);
/// let known = read(StatusCode::OK, Some(7)).unwrap();
/// assert_eq!((known.limit, known.within), (1024, None));
/// let unknown = read(StatusCode::OK, None).unwrap();
/// assert_eq!((unknown.limit, unknown.within), (1024, Some(AnswerBodyLimit::PATIENCE)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AnswerBodyLimit {
    /// The most bytes that the body may have.
    pub limit: usize,
    /// Where the size is not known: for how long, from the head of the answer on, the end of the body is waited for.
    pub within: Option<Duration>,
}

impl AnswerBodyLimit {
    /// How long a body of unknown size is read for: an error that a scheme reads is here in less, and a stream of events
    /// is held up once and for no longer.
    pub const PATIENCE: Duration = Duration::from_secs(2);

    /// What is read of the body of an answer with this status, whose size is `exact` if its framing says it.
    ///
    /// `None` when the scheme needs nothing, when the body is longer than it takes, and after `101 Switching Protocols`,
    /// behind which another protocol begins.
    #[must_use]
    pub fn of(need: Need, status: StatusCode, exact: Option<u64>) -> Option<Self> {
        let Need::Bytes { limit } = need else { return None };
        let fits = exact.is_none_or(|size| usize::try_from(size).is_ok_and(|size| size <= limit));
        let within = if exact.is_some() { None } else { Some(Self::PATIENCE) };
        (fits && status != StatusCode::SWITCHING_PROTOCOLS).then_some(Self { limit, within })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(need: Need, status: u16, exact: Option<u64>, expected: Option<(usize, bool)>) {
        let limit = AnswerBodyLimit::of(need, StatusCode::from_u16(status).unwrap(), exact);
        let shown = limit.map(|part| (part.limit, part.within == Some(AnswerBodyLimit::PATIENCE)));
        assert_eq!(shown, expected, "{need:?} {status} {exact:?}");
    }

    #[test]
    fn what_ends_within_the_limit_is_read_and_what_may_not_end_is_waited_for_once() {
        let need = Need::Bytes { limit: 8 };
        for size in [0, 7, 8] {
            check(need, 200, Some(size), Some((8, false)));
        }
        for size in [9, u64::MAX] {
            check(need, 200, Some(size), None);
        }
        check(need, 401, None, Some((8, true)));
        for exact in [None, Some(0), Some(8)] {
            check(need, 101, exact, None);
            check(Need::Nothing, 200, exact, None);
        }
    }
}
