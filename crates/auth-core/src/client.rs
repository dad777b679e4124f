//! The client's side: what to add to a request, and what the answer means.

use crate::{Credentials, Error, Flow, Need, RequestView, Result, Stamp};
use http::{HeaderMap, StatusCode};
use std::{fmt, sync::Arc, time::Duration};

/// Authenticates requests: source, present, assess.
///
/// An adapter has [`authenticate`](crate::authenticate) ask [`needs`](Self::needs), then
/// [`credentials`](Self::credentials), and commit them to a copy of the request; it sends the copy, and lets
/// [`assess`](Self::assess) read the answer. Each attempt is authenticated afresh. All attempts at one request have one
/// [`RequestMemory`](crate::RequestMemory).
///
/// What an answer means is the scheme's business alone: a status says different things under different schemes.
pub trait Authenticator: Send + Sync {
    /// What to add to this request.
    fn credentials<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Credentials>;

    /// Reads the answer: learns from it, and says whether trying again can help.
    fn assess(&self, sent: &Credentials, answer: Answer<'_>) -> Verdict {
        let (_, _) = (sent, answer);
        Verdict::Accept
    }

    /// How much of the request's body [`credentials`](Self::credentials) must see.
    fn needs(&self, head: RequestView<'_>) -> Need {
        let _ = head;
        Need::Nothing
    }

    /// How much of the answer's body [`assess`](Self::assess) must see, from its head.
    fn reads(&self, status: StatusCode, headers: &HeaderMap) -> Need {
        let (_, _) = (status, headers);
        Need::Nothing
    }
}

/// An answer, as an [`Authenticator`] reads it.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Answer<'a> {
    /// The head of the request before credentials; what was added is read from what was sent, the [`Credentials`].
    pub request: RequestView<'a>,
    /// The status.
    pub status: StatusCode,
    /// All header fields.
    pub headers: &'a HeaderMap,
    /// The body, when [`reads`](Authenticator::reads) asked for it and it was within the limit.
    pub body: Option<&'a [u8]>,
    /// The trailer fields, when the body was read and had any.
    pub trailers: Option<&'a HeaderMap>,
}

impl<'a> Answer<'a> {
    /// The head of an answer.
    #[must_use]
    pub const fn new(request: RequestView<'a>, status: StatusCode, headers: &'a HeaderMap) -> Self {
        Self { request, status, headers, body: None, trailers: None }
    }

    /// With its body.
    #[must_use]
    pub const fn with_body(self, body: &'a [u8]) -> Self {
        Self { body: Some(body), ..self }
    }

    /// With its trailer fields.
    #[must_use]
    pub const fn with_trailers(self, trailers: &'a HeaderMap) -> Self {
        Self { trailers: Some(trailers), ..self }
    }
}

impl fmt::Debug for Answer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Answer({} to {:?})", self.status, self.request)
    }
}

/// What an answer means for the credentials that were sent.
#[derive(Debug)]
pub enum Verdict {
    /// Hand the answer to the caller: it is good, or trying again cannot help.
    Accept,
    /// Fresh credentials may do better, at once or after a while.
    Retry {
        /// How long to wait first.
        after: Option<Duration>,
    },
    /// The credentials will not work, and the answer itself would mislead.
    Refused(Error),
}

impl Verdict {
    /// Both verdicts on one answer: a refusal counts most, then a retry with the longer wait.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Refused(error), _) | (_, Self::Refused(error)) => Self::Refused(error),
            (Self::Retry { after: a }, Self::Retry { after: b }) => Self::Retry { after: a.max(b) },
            (verdict, Self::Accept) | (Self::Accept, verdict) => verdict,
        }
    }
}

/// Bounds the attempts at one request: the loop of every client adapter asks it after each answer.
///
/// At most [`MOST`](Self::MOST) (4) attempts are made, and at most one retry for the same stamps: what was refused and
/// then not renewed will be refused again.
#[derive(Debug, Default)]
pub struct RetryBudget {
    retried: Vec<Vec<Stamp>>,
}

/// What an adapter does next.
#[derive(Debug)]
pub enum NextStep {
    /// Hand the answer to the caller.
    Deliver,
    /// Authenticate and send again, after a while.
    Again {
        /// How long to wait first.
        after: Option<Duration>,
    },
}

impl RetryBudget {
    /// The most attempts at one request.
    pub const MOST: usize = 4;

    /// What to do about the verdict on an answer to `sent`.
    ///
    /// # Errors
    ///
    /// The error of a [`Verdict::Refused`].
    pub fn next(&mut self, sent: &Credentials, verdict: Verdict) -> Result<NextStep> {
        let after = match verdict {
            Verdict::Accept => return Ok(NextStep::Deliver),
            Verdict::Refused(error) => return Err(error),
            Verdict::Retry { after } => after,
        };
        let stamps: Vec<_> = sent.stamps().collect();
        if self.retried.len() + 1 >= Self::MOST || self.retried.contains(&stamps) {
            return Ok(NextStep::Deliver);
        }
        self.retried.push(stamps);
        Ok(NextStep::Again { after })
    }
}

macro_rules! forward {
    ($($pointer:ident),*) => {$(
        impl<A: Authenticator + ?Sized> Authenticator for $pointer<A> {
            fn credentials<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Credentials> {
                (**self).credentials(request)
            }

            fn assess(&self, sent: &Credentials, answer: Answer<'_>) -> Verdict {
                (**self).assess(sent, answer)
            }

            fn needs(&self, head: RequestView<'_>) -> Need {
                (**self).needs(head)
            }

            fn reads(&self, status: StatusCode, headers: &HeaderMap) -> Need {
                (**self).reads(status, headers)
            }
        }
    )*};
}

forward!(Arc, Box);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Stamper;

    const RETRY: Verdict = Verdict::Retry { after: None };

    fn again(next: Result<NextStep>) -> bool {
        matches!(next.unwrap(), NextStep::Again { .. })
    }

    #[test]
    fn the_same_stamps_are_retried_once() {
        let stamper = Stamper::new();
        let sent = Credentials::none().stamped(stamper.stamp(1));
        let mut attempts = RetryBudget::default();
        assert!(again(attempts.next(&sent, RETRY)));
        assert!(!again(attempts.next(&sent, RETRY)));
    }

    #[test]
    fn four_attempts_are_the_most() {
        let stamper = Stamper::new();
        let mut attempts = RetryBudget::default();
        let retries = (0..9).take_while(|generation| {
            again(attempts.next(&Credentials::none().stamped(stamper.stamp(*generation)), RETRY))
        });
        assert_eq!(retries.count() + 1, RetryBudget::MOST);
    }

    #[test]
    fn a_refusal_outweighs_a_retry_and_the_longer_wait_holds() {
        let refused = || Verdict::Refused(Error::refused("r", "no"));
        assert!(matches!(RETRY.and(refused()), Verdict::Refused(_)));
        assert!(matches!(refused().and(Verdict::Accept), Verdict::Refused(_)));
        let long = Verdict::Retry { after: Some(Duration::from_secs(9)) };
        let short = Verdict::Retry { after: Some(Duration::from_secs(1)) };
        assert!(
            matches!(long.and(short), Verdict::Retry { after: Some(wait) } if wait.as_secs() == 9)
        );
        assert!(matches!(Verdict::Accept.and(RETRY), Verdict::Retry { after: None }));
    }
}
