//! The two forms in which the platform writes errors.

use http::StatusCode;
use serde_json::{Value, json};

/// Which of the two forms an error is written in: older APIs (messaging, sessions) have one, newer ones (settings) the
/// other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ErrorForm {
    /// `{"requestError":{"serviceException":{"messageId":"UNAUTHORIZED","text":"…"}}}`
    #[default]
    ServiceException,
    /// `{"errorCode":"E401","description":"…","action":"…","violations":[],"resources":[]}`
    ErrorCode,
}

impl ErrorForm {
    /// The body of an error of this form, as JSON. `text` is for the caller: it names what to do, and no secret.
    #[must_use]
    pub fn body(self, status: StatusCode, text: &str) -> Vec<u8> {
        let body = match self {
            Self::ServiceException => {
                let exception = json!({ "messageId": message_id(status), "text": text });
                json!({ "requestError": { "serviceException": exception } })
            }
            Self::ErrorCode => json!({
                "errorCode": format!("E{}", status.as_u16()),
                "description": text,
                "action": action(status),
                "violations": [],
                "resources": [],
            }),
        };
        body.to_string().into_bytes()
    }
}

/// The code of an error of either form: `UNAUTHORIZED`, `E401`. None when the body has neither, or a code of other
/// characters than upper-case letters, digits and `_`.
///
/// It reads a body of at most 16 KiB; of a longer one it knows nothing.
#[must_use]
pub fn error_code(body: &[u8]) -> Option<Box<str>> {
    if body.len() > MOST_BODY_BYTES {
        return None;
    }
    let read: Value = serde_json::from_slice(body).ok()?;
    let member = |path| read.pointer(path).and_then(Value::as_str);
    let code =
        member("/requestError/serviceException/messageId").or_else(|| member("/errorCode"))?;
    let is_code = |byte: u8| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'_');
    let is_short = (1..=MOST_CODE_BYTES).contains(&code.len());
    (is_short && code.bytes().all(is_code)).then(|| code.into())
}

/// The most bytes of an answer of the log-in that are read.
pub(crate) const MOST_BODY_BYTES: usize = 16 * 1024;

const MOST_CODE_BYTES: usize = 64;

const fn message_id(status: StatusCode) -> &'static str {
    match status.as_u16() {
        400 => "BAD_REQUEST",
        401 => "UNAUTHORIZED",
        403 => "FORBIDDEN",
        404 => "NOT_FOUND",
        429 => "TOO_MANY_REQUESTS",
        _ => "GENERAL_ERROR",
    }
}

const fn action(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 => "Check the credentials of the request.",
        403 => "Ask for the permission that this call needs.",
        429 => "Wait, and send the request again.",
        500.. => "Send the request again later.",
        _ => "Correct the request.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(body: &str, expected: Option<&str>) {
        assert_eq!(error_code(body.as_bytes()).as_deref(), expected, "{body}");
    }

    #[test]
    fn reads_the_vendors_samples() {
        check(
            r#"{"requestError":{"serviceException":{"messageId":"UNAUTHORIZED","text":"Unauthorized","validationErrors":{"field":["must not be null"]}}}}"#,
            Some("UNAUTHORIZED"),
        );
        check(
            r#"{"errorCode":"E401","description":"d","action":"a","violations":[{"property":"p","violation":"v"}],"resources":[{"name":"API Authentication","url":"https://x.example"}]}"#,
            Some("E401"),
        );
        check(
            r#"{"error":"x","requestError":{"serviceException":{"messageId":"BAD_REQUEST"}}}"#,
            Some("BAD_REQUEST"),
        );
    }

    #[test]
    fn what_is_no_code_is_none() {
        for body in [
            "",
            "{}",
            "[]",
            "null",
            "<html>",
            r#"{"errorCode":401}"#,
            r#"{"requestError":{}}"#,
            r#"[null,"E401"]"#,
            r#"{"requestError":[["UNAUTHORIZED"]]}"#,
        ] {
            check(body, None);
        }
        for code in ["", "p4ssword", "A B", "A\\nB", "\\u00c9", &"A".repeat(65)] {
            check(&format!(r#"{{"errorCode":"{code}"}}"#), None);
        }
        check(&format!(r#"{{"errorCode":"{}"}}"#, "A".repeat(64)), Some(&"A".repeat(64)));
        let padded = |length| format!("{:length$}", r#"{"errorCode":"E401"}"#);
        check(&padded(MOST_BODY_BYTES), Some("E401"));
        check(&padded(MOST_BODY_BYTES + 1), None);
    }

    #[test]
    fn what_is_written_is_read() {
        for (status, id) in [
            (400, "BAD_REQUEST"),
            (401, "UNAUTHORIZED"),
            (403, "FORBIDDEN"),
            (404, "NOT_FOUND"),
            (429, "TOO_MANY_REQUESTS"),
            (500, "GENERAL_ERROR"),
        ] {
            let code = StatusCode::from_u16(status).unwrap();
            let text = "say \"no\"\u{7}";
            assert_eq!(
                error_code(&ErrorForm::ServiceException.body(code, text)).as_deref(),
                Some(id)
            );
            let newer = error_code(&ErrorForm::ErrorCode.body(code, text));
            assert_eq!(newer.as_deref(), Some(&*format!("E{status}")));
        }
    }

    proptest! {
        #[test]
        fn no_body_panics(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = error_code(&body);
        }
    }
}
