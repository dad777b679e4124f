//! What a token endpoint refuses with, and what to do about it.

use crate::ConsentNeeded;
use auth_core::Error;
use http::StatusCode;
use std::{error, fmt};

/// The error of a token endpoint (RFC 6749 section 5.2): the cause of the [`Error`](auth_core::Error) that a grant fails
/// with.
///
/// # Security
///
/// The texts come from the server. They are cut to the characters of the specification and to 256 bytes, and the secrets
/// of the request are cut out of them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenError {
    /// The status of the answer.
    pub status: StatusCode,
    /// What is wrong.
    pub kind: TokenErrorKind,
    /// `error`, as the server wrote it; empty when it wrote none.
    pub error: Box<str>,
    /// `error_description`.
    pub description: Option<Box<str>>,
    /// `error_uri`.
    pub uri: Option<Box<str>>,
    /// Every other field of the answer that is text, a number or a truth value: its name and value. One that stands inside
    /// of others has their names before its own: `requestError.serviceException.messageId`.
    pub others: Vec<(Box<str>, Box<str>)>,
}

/// The codes of the specifications.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenErrorKind {
    /// `invalid_request`: a parameter is missing, unknown or given twice.
    InvalidRequest,
    /// `invalid_client`: the client is unknown, or its authentication is wrong.
    InvalidClient,
    /// `invalid_grant`: the code or the refresh token is expired, revoked, used, or another client's.
    InvalidGrant,
    /// `unauthorized_client`: this client may not use this grant.
    UnauthorizedClient,
    /// `unsupported_grant_type`.
    UnsupportedGrantType,
    /// `invalid_scope`: unknown, malformed, or more than was granted.
    InvalidScope,
    /// `invalid_target`: the resource is unknown or not permitted (RFC 8707 section 2).
    InvalidTarget,
    /// `server_error` or `temporarily_unavailable`: sent by some servers though RFC 6749 has them for the authorization
    /// endpoint alone.
    Temporary,
    /// Another code, or none.
    Other,
}

/// What is to be done about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Ask again later: nothing is wrong with what was sent.
    Retry,
    /// Ask the user: what they agreed to has ended, or does not suffice.
    Consent,
    /// Correct the configuration: the same request will be refused again.
    Fix,
}

impl Remedy {
    /// What is to be done about any error of this crate, or of a session over one of its grants.
    ///
    /// | error | remedy |
    /// |---|---|
    /// | the user has to consent ([`ConsentNeeded`]), what the user agreed to has ended, or the callback brought no code of this authorization | `Consent` |
    /// | `Error::Transport`, `Error::Unavailable`: an outage, a timeout, a store that failed | `Retry` |
    /// | every other one | `Fix` |
    ///
    /// ```
    /// use auth_oauth2::{Error, Remedy};
    ///
    /// fn what_to_do(error: &Error) -> &'static str {
    ///     match Remedy::of(error) {
    ///         Remedy::Retry => "ask again later",
    ///         Remedy::Consent => "send the user through the authorization again",
    ///         Remedy::Fix => "show the error to whoever configured the client",
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn of(error: &Error) -> Self {
        match error {
            Error::Transport(_) | Error::Unavailable { .. } => Self::Retry,
            Error::Refused(_) if OF_THE_USER.contains(&error.code()) => Self::Consent,
            _ => Self::Fix,
        }
    }
}

/// Codes of refusals that the user resolves by another authorization.
const OF_THE_USER: &[&str] = &[
    ConsentNeeded::CODE,
    "oauth2_invalid_grant",
    "oauth2_no_refresh_token",
    "oauth2_state",
    "oauth2_authorization_refused",
];

impl TokenErrorKind {
    pub(crate) fn of(error: &str) -> Self {
        match error {
            "invalid_request" => Self::InvalidRequest,
            "invalid_client" => Self::InvalidClient,
            "invalid_grant" => Self::InvalidGrant,
            "unauthorized_client" => Self::UnauthorizedClient,
            "unsupported_grant_type" => Self::UnsupportedGrantType,
            "invalid_scope" => Self::InvalidScope,
            "invalid_target" => Self::InvalidTarget,
            "server_error" | "temporarily_unavailable" => Self::Temporary,
            _ => Self::Other,
        }
    }

    /// The stable code of the [`Error`](auth_core::Error).
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::InvalidRequest => "oauth2_invalid_request",
            Self::InvalidClient => "oauth2_invalid_client",
            Self::InvalidGrant => "oauth2_invalid_grant",
            Self::UnauthorizedClient => "oauth2_unauthorized_client",
            Self::UnsupportedGrantType => "oauth2_unsupported_grant_type",
            Self::InvalidScope => "oauth2_invalid_scope",
            Self::InvalidTarget => "oauth2_invalid_target",
            Self::Temporary => "oauth2_temporarily_unavailable",
            Self::Other => "oauth2_other_error",
        }
    }
}

impl TokenError {
    /// What the token endpoint refused with, where that is behind this error: as its cause, or as that of a
    /// [`ConsentNeeded`].
    ///
    /// ```
    /// # use auth_oauth2::Error;
    /// use auth_oauth2::{Remedy, TokenError};
    ///
    /// fn is_ours_to_mend(error: &Error) -> bool {
    ///     TokenError::of(error).is_some_and(|refused| refused.remedy() == Remedy::Fix)
    /// }
    /// ```
    #[must_use]
    pub fn of(error: &Error) -> Option<&Self> {
        let cause = error.cause().error();
        cause.downcast_ref().or_else(|| cause.downcast_ref::<ConsentNeeded>()?.refused.as_ref())
    }

    /// What is to be done. A server that fails (5xx), gives up waiting (408) or is asked too often (429) says nothing about
    /// what was sent, and a page with another status than 4xx is no word of a token endpoint: `invalid_grant` is believed
    /// of neither.
    #[must_use]
    pub fn remedy(&self) -> Remedy {
        let again = [StatusCode::TOO_MANY_REQUESTS, StatusCode::REQUEST_TIMEOUT];
        if self.status.is_server_error() || again.contains(&self.status) {
            return Remedy::Retry;
        }
        match self.kind {
            TokenErrorKind::Temporary => Remedy::Retry,
            // With another status it is no word of the token endpoint.
            TokenErrorKind::InvalidGrant if self.status.is_client_error() => Remedy::Consent,
            _ => Remedy::Fix,
        }
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let error = if self.error.is_empty() { "no error code" } else { &self.error };
        write!(f, "token endpoint refused with {} and {error}", self.status.as_u16())?;
        if let Some(description) = &self.description {
            write!(f, " ({description})")?;
        } else if self.error.is_empty() {
            // What the server says in its own way is better than nothing.
            let mut others = self.others.iter().take(4).peekable();
            let mut border = " (";
            while let Some((name, value)) = others.next() {
                let end = if others.peek().is_none() { ")" } else { "" };
                write!(f, "{border}{name}: {value}{end}")?;
                border = ", ";
            }
        }
        f.write_str(match self.remedy() {
            Remedy::Retry => "; ask again later",
            Remedy::Consent => "; the grant has ended: let the user consent again",
            Remedy::Fix if is_elsewhere(self.status) => "; check the URL of the endpoint",
            Remedy::Fix => "; correct the configuration of the client",
        })
    }
}

/// Is there no token endpoint at this URL, or is it at another one?
fn is_elsewhere(status: StatusCode) -> bool {
    let nothing = [StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED, StatusCode::GONE];
    status.is_redirection() || nothing.contains(&status)
}

impl error::Error for TokenError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(status: u16, error: &str, expected: Remedy) {
        let refused = TokenError {
            status: StatusCode::from_u16(status).unwrap(),
            kind: TokenErrorKind::of(error),
            error: error.into(),
            description: None,
            uri: None,
            others: Vec::new(),
        };
        assert_eq!(refused.remedy(), expected, "{status} {error}");
    }

    #[test]
    fn every_error_has_one_remedy() {
        for (error, expected) in [
            (ConsentNeeded::at_first(), Remedy::Consent),
            (Error::refused("oauth2_state", "begin again"), Remedy::Consent),
            (Error::transport("ureq_connect", "connection refused"), Remedy::Retry),
            (Error::unavailable("session_token_not_saved", None, "full"), Remedy::Retry),
            (Error::config("oauth2_url", "is http"), Remedy::Fix),
            (Error::protocol("oauth2_answer", "no JSON"), Remedy::Fix),
            (Error::refused("oauth2_issuer", "another"), Remedy::Fix),
        ] {
            assert_eq!(Remedy::of(&error), expected, "{error}");
        }
    }

    #[test]
    fn a_url_at_which_there_is_no_endpoint_is_said_to_be_one() {
        for (status, is_of_the_url) in [(404, true), (405, true), (302, true), (400, false)] {
            let refused = TokenError {
                status: StatusCode::from_u16(status).unwrap(),
                kind: TokenErrorKind::Other,
                error: "".into(),
                description: None,
                uri: None,
                others: Vec::new(),
            };
            let said = refused.to_string().ends_with("check the URL of the endpoint");
            assert_eq!(said, is_of_the_url, "{status}");
        }
    }

    #[test]
    fn a_server_without_codes_is_quoted() {
        let fields = [("requestError.text", "Invalid login details"), ("more", "1")];
        let mut refused = TokenError {
            status: StatusCode::UNAUTHORIZED,
            kind: TokenErrorKind::InvalidClient,
            error: "".into(),
            description: None,
            uri: None,
            others: fields.map(|(name, value)| (name.into(), value.into())).to_vec(),
        };
        let begins = "token endpoint refused with 401 and no error code";
        let ends = "; correct the configuration of the client";
        let quoted = format!("{begins} (requestError.text: Invalid login details, more: 1){ends}");
        assert_eq!(refused.to_string(), quoted);
        refused.others.clear();
        assert_eq!(refused.to_string(), format!("{begins}{ends}"));
    }

    #[test]
    fn each_error_says_what_to_do() {
        check(400, "invalid_grant", Remedy::Consent);
        for status in [408, 429, 500, 502, 503] {
            check(status, "invalid_grant", Remedy::Retry);
        }
        check(200, "temporarily_unavailable", Remedy::Retry);
        check(400, "server_error", Remedy::Retry);
        check(302, "invalid_grant", Remedy::Fix);
        for error in [
            "invalid_request",
            "invalid_client",
            "unauthorized_client",
            "unsupported_grant_type",
            "invalid_scope",
            "invalid_target",
            "another",
            "",
        ] {
            check(401, error, Remedy::Fix);
        }
    }
}
