//! What a caller is told when its credentials do not do.

use crate::Challenge;
use http::StatusCode;
use std::{fmt, time::Duration};

/// The caller's fault: a status, challenges, and a reason that only the [`Observer`](crate::Observer) gets to see.
///
/// It is made by constructors alone, so a 401 always has its challenge (RFC 9110 section 15.5.2).
///
/// # Security
///
/// To the outside, unknown, wrong, inactive and expired are one refusal: same status, same challenge, same body. The
/// reason tells them apart, and stays inside.
#[derive(Clone, Debug)]
pub struct Rejection {
    status: StatusCode,
    reason: Reason,
    challenges: Vec<Challenge>,
    retry_after: Option<Duration>,
}

impl Rejection {
    /// 401: credentials are missing or do not do, and this is what would.
    #[must_use]
    pub fn unauthenticated(reason: Reason, challenge: Challenge) -> Self {
        Self { challenges: vec![challenge], ..Self::of(StatusCode::UNAUTHORIZED, reason) }
    }

    /// 400: the request can be read in more than one way, or not at all.
    #[must_use]
    pub fn malformed(reason: Reason) -> Self {
        Self::of(StatusCode::BAD_REQUEST, reason)
    }

    /// 403: known, and not allowed; or refused under a scheme that has no challenge.
    #[must_use]
    pub fn forbidden(reason: Reason) -> Self {
        Self::of(StatusCode::FORBIDDEN, reason)
    }

    /// 413: the body is longer than what a check of it may buffer.
    #[must_use]
    pub fn too_large(reason: Reason) -> Self {
        Self::of(StatusCode::PAYLOAD_TOO_LARGE, reason)
    }

    /// 429: too many attempts; come back later (RFC 6585 section 4).
    #[must_use]
    pub fn throttled(reason: Reason, retry_after: Duration) -> Self {
        Self { retry_after: Some(retry_after), ..Self::of(StatusCode::TOO_MANY_REQUESTS, reason) }
    }

    /// 200: this very delivery was handled before, so nothing is left to do. The sender stops repeating it.
    #[must_use]
    pub fn served(reason: Reason) -> Self {
        Self::of(StatusCode::OK, reason)
    }

    /// 503: this very delivery is being handled by another request; come back later to learn how it ended.
    #[must_use]
    pub fn under_way(reason: Reason, retry_after: Duration) -> Self {
        Self { retry_after: Some(retry_after), ..Self::of(StatusCode::SERVICE_UNAVAILABLE, reason) }
    }

    /// With one more challenge: another scheme that would do, or the error that a scheme reports in its challenge.
    #[must_use]
    pub fn with_challenge(mut self, challenge: Challenge) -> Self {
        self.challenges.push(challenge);
        self
    }

    /// The status to answer with.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// Why, for the log: never for the caller.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        self.reason
    }

    /// One `WWW-Authenticate` field each.
    #[must_use]
    pub fn challenges(&self) -> &[Challenge] {
        &self.challenges
    }

    /// How long the caller should wait, when that is what it is told.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    const fn of(status: StatusCode, reason: Reason) -> Self {
        Self { status, reason, challenges: Vec::new(), retry_after: None }
    }
}

/// The value of `Retry-After` (RFC 9110 section 10.2.3) for a pause: whole seconds, rounded up so that a caller that comes
/// back on time is not early, and at least one.
#[must_use]
pub fn retry_after_seconds(pause: Duration) -> u64 {
    pause.as_secs().saturating_add(u64::from(pause.subsec_nanos() > 0)).max(1)
}

/// Why a request was rejected: a stable code for counters, a sentence for people.
///
/// Both are fixed in the program, so neither can hold anything that a request brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reason {
    /// `scheme_what_happened`.
    pub code: &'static str,
    /// The field, and what was expected.
    pub text: &'static str,
}

impl Reason {
    /// A reason.
    #[must_use]
    pub const fn new(code: &'static str, text: &'static str) -> Self {
        Self { code, text }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.text, self.code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHY: Reason = Reason::new("test_why", "field was wrong, expected it right");

    #[track_caller]
    fn check(rejection: Rejection, status: u16, retry_after: Option<u64>) {
        assert_eq!(rejection.status().as_u16(), status);
        assert_eq!(rejection.retry_after().map(|wait| wait.as_secs()), retry_after);
        assert_eq!(rejection.reason(), WHY);
        assert_eq!(rejection.challenges().is_empty(), status != 401);
    }

    #[test]
    fn only_a_401_begins_with_a_challenge() {
        let challenge = Challenge::build("Basic").finish().unwrap();
        check(Rejection::unauthenticated(WHY, challenge), 401, None);
        check(Rejection::malformed(WHY), 400, None);
        check(Rejection::forbidden(WHY), 403, None);
        check(Rejection::too_large(WHY), 413, None);
        check(Rejection::throttled(WHY, Duration::from_secs(9)), 429, Some(9));
        check(Rejection::served(WHY), 200, None);
        check(Rejection::under_way(WHY, Duration::from_secs(9)), 503, Some(9));
    }

    #[test]
    fn a_pause_is_rounded_up_to_whole_seconds() {
        let seconds = |nanos| retry_after_seconds(Duration::from_nanos(nanos));
        assert_eq!([0, 1, 999_999_999].map(seconds), [1, 1, 1]);
        assert_eq!([1_000_000_000, 1_000_000_001].map(seconds), [1, 2]);
        assert_eq!(retry_after_seconds(Duration::MAX), u64::MAX);
    }

    #[test]
    fn a_reason_prints_its_sentence_and_its_code() {
        assert_eq!(WHY.to_string(), "field was wrong, expected it right (test_why)");
    }
}
