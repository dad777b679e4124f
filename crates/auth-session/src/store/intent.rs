//! The note that a token is being obtained.

use auth_core::{Error, Timestamp, Unique};
use std::{error, fmt, time::Duration};

/// The note that a process is about to ask for a token while only one may live at a time.
///
/// The process writes it before it asks and removes it with the answer. If the answer is lost, the token that the issuer
/// made lives on, no process can use it or end it, and the issuer makes no other one: then the note stays, and says when
/// that is over.
///
/// # Clocks
///
/// It ends at a moment, by the clock of each process: one that is ahead of the process which wrote it asks that much too
/// early, and one that is behind waits that much longer. To a process that is behind by more than the token lives (and
/// more than [`Unique::NODES_APART`](auth_core::Unique::NODES_APART)) it looks as if the clock had been set back. So that
/// nobody waits for as long as a clock was set, its span then begins again, by the clock of that process: that makes
/// [`retry_at`](Self::retry_at) earlier for all, by no more than that process is behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intent {
    /// When the token was asked for.
    pub since: Timestamp,
    /// When a token that the issuer made then has ended for sure. No process asks for another one before, unless the
    /// intent was removed. A process that waited for the answer in vain moves it on by as long as it waited; one that
    /// died meanwhile cannot.
    pub retry_at: Timestamp,
}

/// Why no token can be had: a process asked for one, its answer was lost, and the issuer lets only one live at a time.
///
/// It is the cause of an `Error::Unavailable` with the code `session_held_elsewhere`.
///
/// ```
/// use auth_core::{Error, Timestamp};
/// use auth_session::SessionHeldElsewhere;
///
/// /// When it is worth trying again.
/// fn retry_at(error: &Error) -> Option<Timestamp> {
///     error.cause().error().downcast_ref::<SessionHeldElsewhere>().map(|held| held.retry_at)
/// }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SessionHeldElsewhere {
    /// When the token was asked for whose answer was lost.
    pub since: Timestamp,
    /// When that token has ended for sure, so that another one may be asked for.
    pub retry_at: Timestamp,
    lost: Option<Error>,
}

impl Intent {
    /// That of a token which is asked for now, and lives for so long.
    pub(crate) fn of(life: Duration, now: Timestamp) -> Self {
        Self { since: now, retry_at: now.after(life) }
    }

    /// Was it written so far ahead of now that the clock must have been set back? Less is taken for the difference between
    /// the clocks of two processes: if it began again for that, it would end too early for those whose clocks are right.
    pub(crate) fn is_beyond_reach(&self, now: Timestamp) -> bool {
        self.since.since(now) > Unique::NODES_APART.max(self.span())
    }

    /// The same for as long as it was, from now on.
    pub(crate) fn begun(&self, now: Timestamp) -> Self {
        Self::of(self.span(), now)
    }

    /// The same when its answer was lost by now: the token may have been made as late as that.
    pub(crate) fn lost(&self, now: Timestamp) -> Self {
        let ends = now.after(self.span());
        Self { retry_at: self.retry_at.max(ends), ..*self }
    }

    /// Does it keep others from asking? One of no span only says that somebody has asked.
    pub(crate) fn holds(&self) -> bool {
        self.span() > Duration::ZERO
    }

    fn span(&self) -> Duration {
        self.retry_at.since(self.since)
    }

    /// The error of a caller that may not ask; with the error of the exchange whose answer was just `lost`.
    pub(crate) fn error(&self, now: Timestamp, lost: Option<Error>) -> Error {
        let Self { since, retry_at } = *self;
        let held = SessionHeldElsewhere { since, retry_at, lost };
        Error::unavailable("session_held_elsewhere", Some(retry_at.since(now)), held)
    }
}

impl fmt::Display for SessionHeldElsewhere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { since, retry_at, .. } = self;
        write!(
            f,
            "a token was asked for at {since} and its answer was lost; only one may live at a time, so ask for \
             another one at {retry_at} (seconds since 1970) or use another way to authenticate"
        )
    }
}

impl error::Error for SessionHeldElsewhere {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        let lost: &(dyn error::Error + 'static) = self.lost.as_ref()?;
        Some(lost)
    }
}
