//! Refusals as the platform's pages have them.

use crate::WebexFamily;
use auth_core::{Rejection, retry_after_seconds};
use http::{HeaderValue, Response, StatusCode, header};

/// How a family of APIs answers a request that was rejected: its status, and the body with the platform's code.
///
/// | rejected because | code |
/// |---|---|
/// | there is no credential | 7002 |
/// | the address is not on the list | 7010 |
/// | too many wrong attempts | 7020 |
/// | anything else | 7001 |
///
/// Custom Event answers every refusal with 200, Messaging v1 with 400 and the sandbox with 403, as their pages have it. All
/// others answer with the rejection's own status. `transaction` is the platform's own identifier of the request.
///
/// # Security
///
/// Codes 7001, 7002 and 7010 tell callers apart that every other door of this library answers alike, because the
/// platform's documentation promises them. None of them tells an unknown credential from a wrong or an inactive one.
#[must_use]
pub fn refusal_answer(
    family: WebexFamily,
    rejection: &Rejection,
    transaction: &str,
) -> Response<Vec<u8>> {
    let (code, text) = match rejection.reason().code {
        "api_key_missing" | "bearer_missing" | "jwt_missing" => ("7002", missing(family)),
        "lifecycle_address" => ("7010", "IP address not allowed"),
        _ if rejection.status() == StatusCode::TOO_MANY_REQUESTS => {
            ("7020", "Transaction limit reached")
        }
        _ => ("7001", "Authentication failed"),
    };
    // Nothing that a caller sent is repeated but the identifier, which is ours.
    let transaction: String =
        transaction.chars().filter(|it| it.is_ascii_alphanumeric() || *it == '-').collect();
    let (status, body) = match family {
        WebexFamily::CustomEvent => (StatusCode::OK, enveloped(code, text, &transaction)),
        WebexFamily::MessagingV1 => (StatusCode::BAD_REQUEST, enveloped(code, text, &transaction)),
        WebexFamily::InboundWebhook => (rejection.status(), enveloped(code, text, &transaction)),
        WebexFamily::Sandbox => (StatusCode::FORBIDDEN, bare(code, text)),
        _ => (rejection.status(), bare(code, text)),
    };
    let mut answer = Response::new(body.into_bytes());
    *answer.status_mut() = status;
    let fields = answer.headers_mut();
    fields.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(pause) = rejection.retry_after() {
        fields.insert(header::RETRY_AFTER, HeaderValue::from(retry_after_seconds(pause)));
    }
    if status == StatusCode::UNAUTHORIZED {
        for challenge in rejection.challenges() {
            fields.append(header::WWW_AUTHENTICATE, challenge.field().clone());
        }
    }
    answer
}

/// What is missing is told by the family alone.
const fn missing(family: WebexFamily) -> &'static str {
    match family {
        WebexFamily::Profile | WebexFamily::ContactPolicy => "Profile key missing",
        WebexFamily::Rtm => "JWT missing",
        _ => "Service key missing",
    }
}

fn enveloped(code: &str, text: &str, transaction: &str) -> String {
    format!(
        r#"{{"response":{{"code":"{code}","description":"{text}","transid":"{transaction}"}}}}"#
    )
}

fn bare(code: &str, text: &str) -> String {
    format!(r#"{{"code":"{code}","message":"{text}"}}"#)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{WebexAnswer, WebexOutcome};
    use auth_core::{Challenge, Reason};
    use std::time::Duration;

    #[test]
    fn what_is_written_is_read_again() {
        let refused = |code| {
            let challenge = Challenge::without_parameters("Bearer");
            Rejection::unauthenticated(Reason::new(code, "a reason"), challenge)
        };
        for family in [
            WebexFamily::MessagingV1,
            WebexFamily::MessagingV2,
            WebexFamily::CustomEvent,
            WebexFamily::InboundWebhook,
            WebexFamily::Sandbox,
            WebexFamily::Profile,
        ] {
            for (rejection, outcome) in [
                (refused("jwt_signature"), WebexOutcome::CredentialRefused),
                (refused("api_key_unknown"), WebexOutcome::CredentialRefused),
                (refused("api_key_missing"), WebexOutcome::CredentialMissing),
                (refused("jwt_missing"), WebexOutcome::CredentialMissing),
                (
                    Rejection::forbidden(Reason::new("lifecycle_address", "a reason")),
                    WebexOutcome::AddressNotListed,
                ),
                (
                    Rejection::throttled(
                        Reason::new("attempts_many", "a reason"),
                        Duration::from_secs(1),
                    ),
                    WebexOutcome::RateLimited,
                ),
            ] {
                let answer = refusal_answer(family, &rejection, "98cc\"4a33");
                let read = WebexAnswer::read(family, answer.status(), answer.body());
                assert_eq!(read.outcome, outcome, "{family:?} {:?}", rejection.reason());
                assert!(read.transaction.is_none_or(|it| &*it == "98cc4a33"));
                let has_challenge = answer.headers().contains_key("www-authenticate");
                assert_eq!(has_challenge, answer.status() == 401);
            }
        }
        let custom = refusal_answer(WebexFamily::CustomEvent, &refused("jwt_exp_past"), "1");
        assert_eq!(custom.status(), 200);
    }
}
