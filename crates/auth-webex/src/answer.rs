//! What an answer of the platform says.

use crate::{WebexFamily, json::Entry};
use auth_core::text_for_log;
use http::StatusCode;
use std::fmt;

/// What an answer says: by its family, its status and the code in its body, never by the status alone.
///
/// # Security
///
/// `Debug` and `Display` show nothing of the description, which may repeat what was sent.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WebexAnswer {
    /// What it comes to.
    pub outcome: WebexOutcome,
    /// The code of the body, if there is one.
    pub code: Option<u32>,
    /// What the platform says beside it, cut to 256 bytes that a log can show.
    pub description: Option<Box<str>>,
    /// The identifier of the transaction, for the platform's support.
    pub transaction: Option<Box<str>>,
}

/// What an answer comes to, and what to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WebexOutcome {
    /// Taken.
    Accepted,
    /// 7001: the service key, the profile key or the JWT is wrong, ended or of another service.
    CredentialRefused,
    /// 7002: there was no credential.
    CredentialMissing,
    /// 7007: the service is inactive or deleted.
    ServiceInactive,
    /// 7010: calls come from an address that the tenant has not listed.
    AddressNotListed,
    /// 7020: the limit of transactions is reached.
    RateLimited,
    /// The request is wrong: its body, a value, a parameter.
    RequestWrong,
    /// The platform failed.
    PlatformFailed,
    /// Something else.
    Other,
}

impl WebexAnswer {
    /// Reads an answer of this family.
    ///
    /// Where it lists one entry for each event or destination, the first that is refused counts; the platform has taken the
    /// others.
    #[must_use]
    pub fn read(family: WebexFamily, status: StatusCode, body: &[u8]) -> Self {
        // Bytes that are no text may be in a member that nobody reads.
        let body = String::from_utf8_lossy(body);
        let entry = Entry::read(&body);
        let said = entry.description.as_deref().or(entry.message.as_deref());
        let shown = |text: &str| text_for_log(text, MOST_SHOWN);
        Self {
            outcome: WebexOutcome::of(family, status, entry.code),
            code: entry.code,
            description: said.map(shown),
            transaction: entry.transid.as_deref().map(shown),
        }
    }
}

impl WebexOutcome {
    fn of(family: WebexFamily, status: StatusCode, code: Option<u32>) -> Self {
        match code {
            // Everywhere the same.
            Some(7001) => return Self::CredentialRefused,
            Some(7002) => return Self::CredentialMissing,
            Some(7007) => return Self::ServiceInactive,
            Some(7010) => return Self::AddressNotListed,
            Some(7020) => return Self::RateLimited,
            Some(7000 | 7003 | 7004 | 7008 | 7019 | 7025 | 7027..=7029) => {
                return Self::RequestWrong;
            }
            // An internal error of some, and a matter of the request in others.
            Some(7005)
                if matches!(family, WebexFamily::CustomEvent | WebexFamily::InboundWebhook) =>
            {
                return Self::PlatformFailed;
            }
            Some(7006) if matches!(family, WebexFamily::Profile | WebexFamily::Sandbox) => {
                return Self::PlatformFailed;
            }
            _ => {}
        }
        match status.as_u16() {
            200..=299 if code.is_none_or(|code| code < 7000) => Self::Accepted,
            401 | 403 => Self::CredentialRefused,
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
                "check that the key or secret is active and of the service that is called; a JWT needs the decoded secret, the \
                 Service ID as iss and a clock that is right"
            }
            Self::CredentialMissing => {
                "send a service key, a profile key or a JWT in the field that this API takes"
            }
            Self::ServiceInactive => "activate the service, or use the credentials of another one",
            Self::AddressNotListed => {
                "have an owner of the tenant list the address that calls come from"
            }
            Self::RateLimited => "send less, and try again later",
            Self::RequestWrong => "correct the request; it is refused again as it is",
            Self::PlatformFailed => "try again later, with the same identifier",
            Self::Other => "look at the status and the code",
        }
    }
}

/// As much is kept of each text of the platform.
const MOST_SHOWN: usize = 256;

impl fmt::Debug for WebexAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { outcome, code, .. } = self;
        write!(f, "WebexAnswer({outcome:?}, {code:?})")
    }
}

/// The outcome with its code, and what to do unless the request was accepted.
impl fmt::Display for WebexAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.outcome)?;
        if let Some(code) = self.code {
            write!(f, " ({code})")?;
        }
        match self.outcome {
            WebexOutcome::Accepted => Ok(()),
            outcome => write!(f, ": {}", outcome.advice()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use WebexFamily as F;
    use WebexOutcome as O;

    #[track_caller]
    fn check(family: F, status: u16, body: &str, expected: (O, Option<u32>)) {
        let read =
            WebexAnswer::read(family, StatusCode::from_u16(status).unwrap(), body.as_bytes());
        assert_eq!((read.outcome, read.code), expected, "{status} {body}");
    }

    /// The samples of the platform's pages.
    #[test]
    fn one_refusal_has_three_statuses() {
        let object = r#"{"response":{"code":"7001","description":"Authentication failed","transid":"98cc4a33"}}"#;
        check(F::CustomEvent, 200, object, (O::CredentialRefused, Some(7001)));
        check(F::MessagingV1, 400, object, (O::CredentialRefused, Some(7001)));
        let bare = r#"{"code":"7001","message":"Authentication failed"}"#;
        check(F::Sandbox, 403, bare, (O::CredentialRefused, Some(7001)));
        let queued = r#"{"response":[{"code":"1002","description":"Queued","transid":"9f2b","correlationid":""}]}"#;
        check(F::CustomEvent, 200, queued, (O::Accepted, Some(1002)));
        check(F::MessagingV2, 201, r#"{"messageId":"m","status":"queued"}"#, (O::Accepted, None));
        check(
            F::Rtm,
            200,
            r#"{"code":"0","description":"success","thread":{}}"#,
            (O::Accepted, Some(0)),
        );
        check(
            F::MessagingV2,
            400,
            r#"{"code":"7004","message":"invalid"}"#,
            (O::RequestWrong, Some(7004)),
        );
        check(
            F::MessagingV1,
            200,
            r#"{"response":{"code":7010}}"#,
            (O::AddressNotListed, Some(7010)),
        );
    }

    /// A refusal that is not seen is a message that is taken for sent, and a token that is not renewed.
    #[test]
    fn nothing_beside_a_code_hides_it() {
        let deep = "[".repeat(10_000) + &"]".repeat(10_000);
        for beside in [
            r#""transid":5"#,
            r#""description":["a"]"#,
            r#""message":{"text":{"a":1}},"description":false"#,
            r#""description":null,"message":1.5,"transid":-1"#,
            r#""description":"a\ud83d\ude00\"b""#,
            &format!(r#""x":{deep}"#),
        ] {
            for body in [
                format!(r#"{{{beside},"code":"7001"}}"#),
                format!(r#"{{"code":7001,{beside}}}"#),
                format!(r#"{{"response":{{"code":"7001",{beside}}},{beside}}}"#),
                format!(r#"{{"response":[{{{beside},"code":"7001"}},5,{{}}]}}"#),
                format!(r#"{{"response":[{{"code":"1002"}},5,[],{{{beside},"code":"7001"}}]}}"#),
                format!(r#"{{"response":"none","code":"7001",{beside}}}"#),
                format!(r#"{{{beside},"response":[],"code":"1002","c\u006fde":"\u0037001"}}"#),
            ] {
                check(F::CustomEvent, 200, &body, (O::CredentialRefused, Some(7001)));
            }
        }
        let bytes = b"{\"code\":\"7001\",\"message\":\"\xff\"}";
        let read = WebexAnswer::read(F::CustomEvent, StatusCode::OK, bytes);
        assert_eq!(read.outcome, O::CredentialRefused);
    }

    #[test]
    fn the_first_refusal_of_a_list_counts() {
        let body =
            r#"{"response":[{"code":"1002"},{"code":"7008","transid":"b"},{"code":"7004"}]}"#;
        check(F::CustomEvent, 200, body, (O::RequestWrong, Some(7008)));
        let read = WebexAnswer::read(F::CustomEvent, StatusCode::OK, body.as_bytes());
        assert_eq!(read.transaction.as_deref(), Some("b"));
        let body = r#"{"response":[{"code":"1002"},{"code":"1001"}]}"#;
        check(F::CustomEvent, 200, body, (O::Accepted, Some(1002)));
    }

    #[test]
    fn what_is_no_code_is_none() {
        for body in [
            r#"{"code":-7001}"#,
            r#"{"code":7001.5}"#,
            r#"{"code":4294974297}"#,
            r#"{"code":{"7001":"7001"}}"#,
            r#"{"code":["7001"]}"#,
            r#"{"response":["7001"]}"#,
            r#"{"response":[["7001"]]}"#,
            r#"{"response":["7001",{}]}"#,
            r#"["7001","7001"]"#,
        ] {
            check(F::CustomEvent, 200, body, (O::Accepted, None));
        }
    }

    #[test]
    fn a_code_means_what_its_family_says() {
        let body = r#"{"code":"7005"}"#;
        check(F::CustomEvent, 200, body, (O::PlatformFailed, Some(7005)));
        check(F::MessagingV1, 400, body, (O::RequestWrong, Some(7005)));
        check(F::MessagingV1, 200, body, (O::Other, Some(7005)));
        check(F::Sandbox, 500, r#"{"code":"7006"}"#, (O::PlatformFailed, Some(7006)));
    }

    #[test]
    fn without_a_code_the_status_speaks() {
        for body in [
            "",
            "<html>",
            "{}",
            "[]",
            r#"{"response":[]}"#,
            r#"{"code":"70010000000"}"#,
            r#"{"code":null}"#,
        ] {
            check(F::MessagingV1, 200, body, (O::Accepted, None));
            check(F::MessagingV1, 401, body, (O::CredentialRefused, None));
            check(F::MessagingV1, 403, body, (O::CredentialRefused, None));
            check(F::MessagingV1, 429, body, (O::RateLimited, None));
            check(F::MessagingV1, 503, body, (O::PlatformFailed, None));
        }
    }

    #[test]
    fn the_platforms_words_are_cut_for_a_log() {
        let body = format!(r#"{{"code":"7001","message":"a\u0000\n{}é"}}"#, "x".repeat(300));
        let read = WebexAnswer::read(F::Sandbox, StatusCode::FORBIDDEN, body.as_bytes());
        let said = read.description.clone().unwrap();
        assert!(said.len() == 256 && said.starts_with("axx"), "{said}");
        assert_eq!(format!("{read:?}"), "WebexAnswer(CredentialRefused, Some(7001))");
        assert!(read.to_string().starts_with("CredentialRefused (7001): check that"), "{read}");
    }
}
