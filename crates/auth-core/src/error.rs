//! What went wrong on our side or the peer's, sorted by what to do about it.

use std::{error, fmt, sync::Arc, time::Duration};

/// A failure that is not the caller's: one variant for each thing to do about it.
///
/// Branch on the variant, print the whole; [`code`](Error::code) is stable and made for counters and alerts.
/// [`Error::config`] and its kin make one of such a code and the precise error, or a message that names the field.
/// It is `Clone` because one exchange may be awaited by many, and all of them get its outcome.
///
/// # Security
///
/// Messages name the field and what was expected, and never hold a secret: a scheme that builds one keeps that promise.
///
/// ```
/// use auth_core::Error;
/// let error = Error::config("basic_user_name_colon", "user name holds ':', which ends it (RFC 7617 section 2)");
/// assert_eq!(error.code(), "basic_user_name_colon");
/// assert!(error.to_string().starts_with("configuration: user name holds ':'"));
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub enum Error {
    /// The program or its configuration is wrong. What to do: fix it; trying again changes nothing.
    Config(Cause),
    /// The peer was not reached, or the answer did not arrive whole. What to do: try later.
    Transport(Cause),
    /// The peer, or a limit of ours, asks for patience. What to do: wait `retry_after`, or back off.
    Unavailable {
        /// How long to wait, when it was said.
        retry_after: Option<Duration>,
        /// What was said.
        cause: Cause,
    },
    /// The peer does not take these credentials. What to do: get others; the same ones will be refused again.
    Refused(Cause),
    /// The peer broke the specification. What to do: tell its owner.
    Protocol(Cause),
}

type BoxError = Box<dyn error::Error + Send + Sync>;

/// The result of everything here that can fail on our side or the peer's.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// The program or its configuration is wrong: [`Error::Config`].
    pub fn config(code: &'static str, error: impl Into<BoxError>) -> Self {
        Self::Config(Cause::new(code, error))
    }

    /// The peer was not reached: [`Error::Transport`].
    pub fn transport(code: &'static str, error: impl Into<BoxError>) -> Self {
        Self::Transport(Cause::new(code, error))
    }

    /// The peer was not reached, and nothing of the request was sent: an [`Error::Transport`] that
    /// [`is_not_sent`](Self::is_not_sent).
    pub fn not_sent(code: &'static str, error: impl Into<BoxError>) -> Self {
        Self::Transport(Cause { sent: Sent::Nothing, ..Cause::new(code, error) })
    }

    /// The peer does not take these credentials: [`Error::Refused`].
    pub fn refused(code: &'static str, error: impl Into<BoxError>) -> Self {
        Self::Refused(Cause::new(code, error))
    }

    /// The peer broke the specification: [`Error::Protocol`].
    pub fn protocol(code: &'static str, error: impl Into<BoxError>) -> Self {
        Self::Protocol(Cause::new(code, error))
    }

    /// The peer is there and cannot serve now, for so long if it said that: [`Error::Unavailable`].
    pub fn unavailable(
        code: &'static str,
        retry_after: Option<Duration>,
        error: impl Into<BoxError>,
    ) -> Self {
        Self::Unavailable { retry_after, cause: Cause::new(code, error) }
    }

    /// The stable code of what happened, in the form `scheme_what_happened`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.cause().code
    }

    /// Is it known that nothing of the request was sent, because no connection came about? Then the peer has done nothing,
    /// and the request can be sent again though it may be done once only. Of an answer that did not arrive nobody knows
    /// that.
    #[must_use]
    pub fn is_not_sent(&self) -> bool {
        self.cause().sent == Sent::Nothing
    }

    /// What exactly happened.
    #[must_use]
    pub fn cause(&self) -> &Cause {
        match self {
            Self::Config(cause)
            | Self::Transport(cause)
            | Self::Unavailable { cause, .. }
            | Self::Refused(cause)
            | Self::Protocol(cause) => cause,
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Config(_) => "configuration",
            Self::Transport(_) => "transport",
            Self::Unavailable { .. } => "unavailable",
            Self::Refused(_) => "refused",
            Self::Protocol(_) => "protocol",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind(), self.cause())
    }
}

/// The same sentence, and the code: a `main` that returns an error prints this.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} [{}]", self.code())
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.cause().error.source()
    }
}

/// The precise error beneath an [`Error`], with its stable code; cheap to clone.
#[derive(Clone)]
pub struct Cause {
    code: &'static str,
    error: Arc<dyn error::Error + Send + Sync>,
    sent: Sent,
}

/// How much of the request is known to have been sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sent {
    Nothing,
    Unknown,
}

impl Cause {
    /// Wraps a precise error, or a message that names the field and what was expected.
    pub fn new(code: &'static str, error: impl Into<BoxError>) -> Self {
        Self { code, error: error.into().into(), sent: Sent::Unknown }
    }

    /// The precise error, to downcast where the scheme is known.
    #[must_use]
    pub fn error(&self) -> &(dyn error::Error + Send + Sync + 'static) {
        &*self.error
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

/// The same sentence, and the code.
impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} [{}]", self.code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error as _;

    #[track_caller]
    fn check(error: &Error, code: &str, text: &str) {
        assert_eq!((error.code(), error.to_string().as_str()), (code, text));
    }

    #[test]
    fn says_whose_fault_it_is_and_what_was_expected() {
        check(&Error::config("a_b", "realm is empty"), "a_b", "configuration: realm is empty");
        check(&Error::refused("c", "key is unknown"), "c", "refused: key is unknown");
        let unavailable =
            Error::Unavailable { retry_after: None, cause: Cause::new("d", "queue is full") };
        check(&unavailable, "d", "unavailable: queue is full");
    }

    /// What a `main` that returns an error prints.
    #[test]
    fn is_debugged_as_its_sentence_and_its_code() {
        let error = Error::config("api_key_malformed", "key ends with a line break; remove it");
        let expected = "configuration: key ends with a line break; remove it [api_key_malformed]";
        assert_eq!(format!("{error:?}"), expected);
        let cause = format!("{:#?}", error.cause());
        assert_eq!(cause, "key ends with a line break; remove it [api_key_malformed]");
    }

    #[test]
    fn only_a_request_that_met_no_connection_is_known_not_to_be_sent() {
        let refused = Error::not_sent("t", "not connected");
        assert!(refused.is_not_sent() && refused.clone().is_not_sent());
        check(&refused, "t", "transport: not connected");
        for other in [Error::transport("t", "cut off"), Error::config("c", "x")] {
            assert!(!other.is_not_sent(), "{other}");
        }
    }

    #[test]
    fn shows_each_link_of_the_chain_once() {
        #[derive(Debug)]
        struct Reading(fmt::Error);
        impl fmt::Display for Reading {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("answer was cut off")
            }
        }
        impl error::Error for Reading {
            fn source(&self) -> Option<&(dyn error::Error + 'static)> {
                Some(&self.0)
            }
        }
        let error = Error::transport("t", Reading(fmt::Error));
        assert_eq!(error.to_string(), "transport: answer was cut off");
        let beneath = error.source().map(ToString::to_string);
        assert_eq!(beneath, Some(fmt::Error.to_string()), "and not the cause itself once more");
        assert!(Error::transport("t", "reset").source().is_none());
    }
}
