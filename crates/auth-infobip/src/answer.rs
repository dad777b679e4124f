//! What an answer of the platform says, in either of its two envelopes.

use auth_core::{Error, Timestamp, text_for_log};
use auth_ibsso::error_code;
use auth_session::retry_after;
use http::{HeaderMap, StatusCode};
use serde_json::Value;
use std::{fmt, time::Duration};

/// What an answer says.
///
/// # Security
///
/// `Debug` and `Display` show nothing of the platform's texts, which may repeat what was sent.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct InfobipAnswer {
    /// What it comes to.
    pub outcome: InfobipOutcome,
    /// The status.
    pub status: StatusCode,
    /// The [code](error_code) of the envelope: `UNAUTHORIZED`, `E401`.
    pub code: Option<Box<str>>,
    /// What the platform says beside it, cut to 256 bytes that a log can show.
    pub text: Option<Box<str>>,
    /// Which fields of the request are wrong.
    pub violations: Vec<Violation>,
    /// How long to wait, when the platform says so.
    pub retry_after: Option<Duration>,
}

/// A field of a request that is wrong. `Debug` shows neither name nor text, which are the platform's.
#[derive(Clone, PartialEq, Eq)]
pub struct Violation {
    /// Its name.
    pub field: Box<str>,
    /// What is wrong with it.
    pub text: Box<str>,
}

/// What an answer comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InfobipOutcome {
    /// Taken.
    Accepted,
    /// 401: the credentials are missing, wrong, ended, disabled, or used from an address that is not listed.
    CredentialRefused,
    /// 403: the credentials are good, and lack a scope or a permission. Another log-in does not help.
    ScopeMissing,
    /// 404.
    NotFound,
    /// 429.
    RateLimited,
    /// Another 4xx: the request is wrong.
    RequestWrong,
    /// 5xx.
    PlatformFailed,
    /// Something else.
    Other,
}

/// As much of a body is read, as by [`error_code`], and so many violations; as much is kept of each text.
const MOST_BYTES: usize = 16 * 1024;
const MOST_VIOLATIONS: usize = 32;
const MOST_SHOWN: usize = 256;

impl InfobipAnswer {
    /// Reads an answer that came now.
    #[must_use]
    pub fn read(status: StatusCode, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Self {
        let outcome = InfobipOutcome::of(status);
        let mut answer = Self {
            outcome,
            status,
            code: None,
            text: None,
            violations: Vec::new(),
            retry_after: retry_after(headers, now),
        };
        if outcome != InfobipOutcome::Accepted && body.len() <= MOST_BYTES {
            if let Ok(read) = serde_json::from_slice(body) {
                answer.code = error_code(body);
                answer.take(&read);
            }
        }
        answer
    }

    fn take(&mut self, body: &Value) {
        let text = |path: &str| body.pointer(path).and_then(Value::as_str).map(shown);
        let exception = "/requestError/serviceException";
        self.text = text(&format!("{exception}/text")).or_else(|| text("/description"));
        let named =
            body.pointer(&format!("{exception}/validationErrors")).and_then(Value::as_object);
        for (field, texts) in named.into_iter().flatten() {
            for text in texts.as_array().into_iter().flatten().filter_map(Value::as_str) {
                self.violated(field, text);
            }
        }
        for violation in body.pointer("/violations").and_then(Value::as_array).into_iter().flatten()
        {
            let member = |name: &str| violation.get(name).and_then(Value::as_str);
            if let (Some(field), Some(text)) = (member("property"), member("violation")) {
                self.violated(field, text);
            }
        }
    }

    fn violated(&mut self, field: &str, text: &str) {
        if self.violations.len() < MOST_VIOLATIONS {
            self.violations.push(Violation { field: shown(field), text: shown(text) });
        }
    }

    /// The answer as an error, with what to do; `None` for one that was taken.
    ///
    /// | outcome | error |
    /// |---|---|
    /// | credentials refused, scope missing | `Error::Refused` |
    /// | rate limited, platform failed | `Error::Unavailable` |
    /// | request wrong, not found, other | `Error::Config` |
    #[must_use]
    pub fn error(&self) -> Option<Error> {
        let text = self.to_string();
        Some(match self.outcome {
            InfobipOutcome::Accepted => return None,
            InfobipOutcome::CredentialRefused => Error::refused("infobip_credential", text),
            InfobipOutcome::ScopeMissing => Error::refused("infobip_scope", text),
            InfobipOutcome::RateLimited => {
                Error::unavailable("infobip_rate", self.retry_after, text)
            }
            InfobipOutcome::PlatformFailed => {
                Error::unavailable("infobip_platform", self.retry_after, text)
            }
            InfobipOutcome::NotFound => Error::config("infobip_not_found", text),
            InfobipOutcome::RequestWrong | InfobipOutcome::Other => {
                Error::config("infobip_request", text)
            }
        })
    }
}

impl InfobipOutcome {
    const fn of(status: StatusCode) -> Self {
        match status.as_u16() {
            200..=299 => Self::Accepted,
            401 => Self::CredentialRefused,
            403 => Self::ScopeMissing,
            404 => Self::NotFound,
            429 => Self::RateLimited,
            400..=499 => Self::RequestWrong,
            500..=599 => Self::PlatformFailed,
            _ => Self::Other,
        }
    }

    /// What to do, in a sentence.
    #[must_use]
    pub const fn advice(self) -> &'static str {
        match self {
            Self::Accepted => "nothing",
            Self::CredentialRefused => {
                "check key or password, whether the key is enabled and has not ended, and the addresses that it may be used from"
            }
            Self::ScopeMissing => {
                "give the key, or the role of the user, the scope that this call needs"
            }
            Self::NotFound => "check the path, and the base URL of the account",
            Self::RateLimited => "wait, and send less",
            Self::RequestWrong => "correct the request; it is refused again as it is",
            Self::PlatformFailed => "try again later",
            Self::Other => "look at the status",
        }
    }
}

fn shown(text: &str) -> Box<str> {
    text_for_log(text, MOST_SHOWN)
}

impl fmt::Debug for InfobipAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { outcome, status, code, violations, .. } = self;
        let (status, wrong) = (status.as_u16(), violations.len());
        write!(f, "InfobipAnswer({outcome:?}, {status}, {code:?}, {wrong} violations)")
    }
}

impl fmt::Debug for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Violation(..)")
    }
}

/// The status, the code and what to do: never the platform's text, which may repeat what was sent.
impl fmt::Display for InfobipAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Infobip answered {}", self.status.as_u16())?;
        if let Some(code) = &self.code {
            write!(f, " ({code})")?;
        }
        match self.outcome {
            InfobipOutcome::Accepted => Ok(()),
            outcome => write!(f, "; {}", outcome.advice()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_unix(1_700_000_000);

    #[track_caller]
    fn check(status: u16, body: &str, expected: &str, code: Option<&str>) {
        let status = StatusCode::from_u16(status).unwrap();
        let read = InfobipAnswer::read(status, &HeaderMap::new(), body.as_bytes(), NOW);
        let told = read.error().map(|error| error.code()).unwrap_or_default();
        assert_eq!((told, read.code.as_deref()), (expected, code), "{status} {body}");
    }

    #[test]
    fn both_envelopes_are_read() {
        let first = r#"{"requestError":{"serviceException":{"messageId":"UNAUTHORIZED","text":"Invalid login details"}}}"#;
        check(401, first, "infobip_credential", Some("UNAUTHORIZED"));
        let second =
            r#"{"errorCode":"E403","description":"d","action":"a","violations":[],"resources":[]}"#;
        check(403, second, "infobip_scope", Some("E403"));
        check(429, r#"{"errorCode":"E429"}"#, "infobip_rate", Some("E429"));
        check(
            400,
            r#"{"error":"x","requestError":{"serviceException":{"messageId":"BAD_REQUEST"}}}"#,
            "infobip_request",
            Some("BAD_REQUEST"),
        );
        check(503, "<html>", "infobip_platform", None);
        check(404, "", "infobip_not_found", None);
        check(200, second, "", None);
    }

    #[test]
    fn fields_that_are_wrong_are_named() {
        let first = r#"{"requestError":{"serviceException":{"messageId":"BAD_REQUEST","text":"Bad",
            "validationErrors":{"messages[0].to":["must not be empty","must be a number"]}}}}"#;
        let second = r#"{"errorCode":"E400","violations":[{"property":"validTo","violation":"is before validFrom"},{"property":7}]}"#;
        let read = |body: &str| {
            InfobipAnswer::read(StatusCode::BAD_REQUEST, &HeaderMap::new(), body.as_bytes(), NOW)
        };
        let named = |answer: &InfobipAnswer| -> Vec<String> {
            answer.violations.iter().map(|it| format!("{}: {}", it.field, it.text)).collect()
        };
        assert_eq!(
            named(&read(first)),
            ["messages[0].to: must not be empty", "messages[0].to: must be a number"]
        );
        assert_eq!(named(&read(second)), ["validTo: is before validFrom"]);
        let many: Vec<String> =
            (0..100).map(|n| format!(r#"{{"property":"p{n}","violation":"v"}}"#)).collect();
        assert_eq!(read(&format!(r#"{{"violations":[{}]}}"#, many.join(","))).violations.len(), 32);
    }

    #[test]
    fn an_error_has_advice_and_nothing_that_was_sent() {
        let body = r#"{"requestError":{"serviceException":{"messageId":"s3cret key","text":"bad key s3cret"}}}"#;
        let error =
            InfobipAnswer::read(StatusCode::UNAUTHORIZED, &HeaderMap::new(), body.as_bytes(), NOW)
                .error()
                .unwrap();
        let shown = error.to_string();
        assert!(
            shown.contains("Infobip answered 401; check key or password")
                && !shown.contains("s3cret"),
            "{shown}"
        );
        let answer =
            InfobipAnswer::read(StatusCode::UNAUTHORIZED, &HeaderMap::new(), body.as_bytes(), NOW);
        assert_eq!(
            format!("{answer:?}"),
            "InfobipAnswer(CredentialRefused, 401, None, 0 violations)"
        );
    }

    #[test]
    fn a_pause_is_what_the_platform_says() {
        let headers = HeaderMap::from_iter([(
            http::header::RETRY_AFTER,
            http::HeaderValue::from_static("7"),
        )]);
        let read = InfobipAnswer::read(StatusCode::TOO_MANY_REQUESTS, &headers, b"", NOW);
        let Some(Error::Unavailable { retry_after, .. }) = read.error() else { panic!("{read:?}") };
        assert_eq!(retry_after, Some(Duration::from_secs(7)));
    }
}
