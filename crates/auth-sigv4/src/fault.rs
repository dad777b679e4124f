//! What AWS says when it refuses a signature.

use http::{HeaderMap, StatusCode};

/// Why a signed request was refused, as far as its signer can do something about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The key is expired, revoked or not known: another one may do.
    Key(String),
    /// Signed too early or too late: the clocks differ.
    Skew,
}

/// The field that AWS's JSON services name their errors in.
const ERROR_TYPE: &str = "x-amzn-errortype";

/// Is there an error code to be read, and where?
pub(crate) fn is_refusal(status: StatusCode) -> bool {
    // S3 answers 400 to an expired token, others 401 or 403.
    matches!(status.as_u16(), 400 | 401 | 403)
}

/// What a refusal means, from its code: in a field, in XML or in JSON.
pub(crate) fn fault(status: StatusCode, headers: &HeaderMap, body: Option<&[u8]>) -> Option<Fault> {
    if !is_refusal(status) {
        return None;
    }
    let body = body.and_then(|body| std::str::from_utf8(body).ok()).unwrap_or_default();
    let field = headers.get(ERROR_TYPE).and_then(|value| value.to_str().ok());
    let code = field.or_else(|| between(body, "<Code>", "</Code>")).or_else(|| json_code(body))?;
    // `com.amazonaws.sts#ExpiredTokenException:http://..` is all of them.
    let code = code.rsplit('#').next().unwrap_or(code);
    let code = code.split(':').next().unwrap_or(code);
    let code = code.strip_suffix("Exception").unwrap_or(code);
    match code {
        "ExpiredToken"
        | "TokenRefreshRequired"
        | "InvalidToken"
        | "InvalidClientTokenId"
        | "UnrecognizedClient"
        | "InvalidAccessKeyId" => Some(Fault::Key(code.to_owned())),
        "RequestTimeTooSkewed" | "RequestExpired" | "RequestInTheFuture" => Some(Fault::Skew),
        // One code for two faults: only the sentence tells a clock from a secret.
        "SignatureDoesNotMatch" | "InvalidSignature"
            if ["Signature expired", "Signature not yet current"]
                .iter()
                .any(|said| body.contains(said)) =>
        {
            Some(Fault::Skew)
        }
        _ => None,
    }
}

/// The first member `__type` or `code` that is a string.
fn json_code(body: &str) -> Option<&str> {
    let member = |name: &str| {
        let (_, rest) = body.split_once(name)?;
        let rest = rest.trim_ascii_start().strip_prefix(':')?.trim_ascii_start();
        rest.strip_prefix('"')?.split_once('"').map(|(value, _)| value)
    };
    member("\"__type\"").or_else(|| member("\"code\""))
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(start)?;
    rest.split_once(end).map(|(inside, _)| inside)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[track_caller]
    fn check(status: u16, field: Option<&'static str>, body: &str, expected: Option<Fault>) {
        let field = field.map(|value| {
            (http::HeaderName::from_static(ERROR_TYPE), HeaderValue::from_static(value))
        });
        let headers = HeaderMap::from_iter(field);
        let status = StatusCode::from_u16(status).unwrap();
        assert_eq!(fault(status, &headers, Some(body.as_bytes())), expected);
    }

    fn key(code: &str) -> Option<Fault> {
        Some(Fault::Key(code.to_owned()))
    }

    #[test]
    fn codes_are_read_wherever_a_service_puts_them() {
        let s3 =
            "<?xml version=\"1.0\"?><Error><Code>ExpiredToken</Code><Message>m</Message></Error>";
        check(400, None, s3, key("ExpiredToken"));
        check(500, None, s3, None);
        check(200, None, s3, None);
        check(403, None, &s3.replace("ExpiredToken", "AccessDenied"), None);
        check(
            403,
            None,
            &s3.replace("ExpiredToken", "InvalidAccessKeyId"),
            key("InvalidAccessKeyId"),
        );
        check(403, None, &s3.replace("ExpiredToken", "RequestTimeTooSkewed"), Some(Fault::Skew));
        check(
            400,
            None,
            r#"{"__type":"com.amazon.coral.service#ExpiredTokenException"}"#,
            key("ExpiredToken"),
        );
        check(
            400,
            None,
            r#"{ "code" : "UnrecognizedClientException" }"#,
            key("UnrecognizedClient"),
        );
        check(403, Some("ExpiredTokenException:http://a/"), "", key("ExpiredToken"));
        check(403, Some("AccessDeniedException"), s3, None);
    }

    #[test]
    fn a_wrong_secret_is_no_wrong_clock() {
        let said = |message: &str| {
            format!("<Code>SignatureDoesNotMatch</Code><Message>{message}</Message>")
        };
        check(403, None, &said("The request signature we calculated does not match"), None);
        check(
            403,
            None,
            &said("Signature expired: 20150830T123600Z is now earlier than"),
            Some(Fault::Skew),
        );
        check(403, None, &said("Signature not yet current: 20150830T123600Z"), Some(Fault::Skew));
    }

    #[test]
    fn what_cannot_be_read_is_nobodys_fault() {
        for body in ["", "<Code>", "{\"__type\"", "{\"__type\":1}", "\u{0}"] {
            check(403, None, body, None);
        }
        assert_eq!(fault(StatusCode::FORBIDDEN, &HeaderMap::new(), Some(b"\xff")), None);
    }
}
