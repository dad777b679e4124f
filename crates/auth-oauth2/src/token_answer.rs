//! What a token endpoint answers: read as a pure function, in the shapes that servers send.

use crate::{
    foreign_text::Secrets,
    members::{Member, Members},
    nested_fields::nested_fields,
    token_error::{TokenError, TokenErrorKind},
};
use auth_core::{Error, Result, Secret, Timestamp};
use auth_session::retry_after;
use http::{Response, StatusCode};
use std::{borrow::Cow, fmt, time::Duration};

/// A token that was granted (RFC 6749 section 5.1), as it stands in the answer.
///
/// Its `Debug` shows no secret.
#[non_exhaustive]
pub struct TokenAnswer {
    /// `access_token`.
    pub access_token: Secret,
    /// `token_type`, in small letters; many servers leave it out.
    pub token_type: Option<Cow<'static, str>>,
    /// `expires_in`: how long the access token lasts, if the server says so. Not more than a hundred years; zero where
    /// it is negative.
    pub expires_in: Option<Duration>,
    /// `refresh_in`: when the server wants the token to be renewed, if it says so.
    pub refresh_in: Option<Duration>,
    /// `refresh_token`.
    pub refresh_token: Option<Secret>,
    /// `refresh_token_expires_in`, or as some call it `refresh_expires_in`.
    pub refresh_token_expires_in: Option<Duration>,
    /// `scope`, if the server says what it granted.
    pub scope: Option<Box<str>>,
    /// `id_token` (OpenID Connect Core 1.0 section 3.1.3.3), as the server wrote it. Nobody has verified it.
    pub id_token: Option<Secret>,
}

/// The names under which a server's answers have their fields, and the unit of their times.
///
/// ```
/// use auth_oauth2::TokenAnswerFormat;
/// use std::time::Duration;
/// let format = TokenAnswerFormat::new()
///     .with_access_token("token")
///     .with_expires_in("validForMillis", Duration::from_millis(1));
/// ```
#[derive(Clone, Debug)]
pub struct TokenAnswerFormat {
    access_token: Cow<'static, str>,
    refresh_token: Cow<'static, str>,
    expires_in: Cow<'static, str>,
    unit: Duration,
}

impl Default for TokenAnswerFormat {
    fn default() -> Self {
        Self::new()
    }
}

impl TokenAnswerFormat {
    /// The names of RFC 6749, and seconds.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            access_token: Cow::Borrowed("access_token"),
            refresh_token: Cow::Borrowed("refresh_token"),
            expires_in: Cow::Borrowed("expires_in"),
            unit: Duration::from_secs(1),
        }
    }

    /// With the access token under another name.
    #[must_use]
    pub fn with_access_token(self, name: impl Into<Cow<'static, str>>) -> Self {
        Self { access_token: name.into(), ..self }
    }

    /// With the refresh token under another name.
    #[must_use]
    pub fn with_refresh_token(self, name: impl Into<Cow<'static, str>>) -> Self {
        Self { refresh_token: name.into(), ..self }
    }

    /// With how long the access token lasts under another name, and in another unit.
    #[must_use]
    pub fn with_expires_in(self, name: impl Into<Cow<'static, str>>, unit: Duration) -> Self {
        Self { expires_in: name.into(), unit, ..self }
    }

    /// Reads the answer to a token request, JSON or a form.
    ///
    /// # Errors
    ///
    /// | the answer | error |
    /// |---|---|
    /// | an error of RFC 6749 or another refusal | its cause is a [`TokenError`], which says what to do |
    /// | 429, 503, `temporarily_unavailable` | `Error::Unavailable`, with the time that was said |
    /// | another 5xx, 408 | `Error::Transport`: it is not known what was done |
    /// | `invalid_grant` with a 4xx | `Error::Refused` |
    /// | 401 without a code | `Error::Config`, as `invalid_client`: RFC 6749 section 5.2 has that status for it |
    /// | another 4xx, or a 200 with `error` | `Error::Config` |
    /// | a 2xx that cannot be read or has no access token | `Error::Protocol` |
    ///
    /// # Security
    ///
    /// What the server says is in the error, cut to what a log can show. A server may repeat what it was asked with: this
    /// function does not know that, and [`ClientRegistration::obtain`](crate::ClientRegistration::obtain) cuts it out.
    pub fn read(&self, answer: &Response<Vec<u8>>, now: Timestamp) -> Result<TokenAnswer> {
        self.read_without(answer, now, &Secrets::default())
    }

    /// The same, with the secrets of the request cut out of errors.
    pub(crate) fn read_without(
        &self,
        answer: &Response<Vec<u8>>,
        now: Timestamp,
        secrets: &Secrets<'_>,
    ) -> Result<TokenAnswer> {
        let members = Members::read(answer);
        let says_error = members
            .as_ref()
            .is_ok_and(|members| members.text("error").is_some_and(|error| !error.is_empty()));
        if !answer.status().is_success() || says_error {
            return Err(refused(answer, members.ok().as_ref(), now, secrets));
        }
        let members = members?;
        let access_token = members.text(&self.access_token).filter(|token| !token.is_empty());
        let Some(access_token) = access_token else {
            let text = format!("answer of the token endpoint has no {}", self.access_token);
            return Err(Error::protocol("oauth2_no_access_token", text));
        };
        let ends = ["refresh_token_expires_in", "refresh_expires_in"];
        Ok(TokenAnswer {
            access_token: access_token.into(),
            token_type: members.text("token_type").map(|text| token_type(text, secrets)),
            expires_in: members.time(&self.expires_in, self.unit)?,
            refresh_in: members.time("refresh_in", self.unit)?,
            refresh_token: members
                .text(&self.refresh_token)
                .filter(|token| !token.is_empty())
                .map(Secret::from),
            refresh_token_expires_in: match members.time(ends[0], self.unit)? {
                None => members.time(ends[1], self.unit)?,
                said => said,
            },
            id_token: members.text("id_token").map(Secret::from),
            // Screens show it.
            scope: members.text("scope").map(|text| secrets.hide(text).into()),
        })
    }
}

/// In small letters. What is no Bearer is told in an error, so it is foreign text like any other.
fn token_type(text: &str, secrets: &Secrets<'_>) -> Cow<'static, str> {
    if text.eq_ignore_ascii_case("bearer") {
        return Cow::Borrowed("bearer");
    }
    Cow::Owned(secrets.cut(text).to_ascii_lowercase())
}

impl Members<'_> {
    /// A time that the server wrote as a number, or as text that is one.
    fn time(&self, name: &str, unit: Duration) -> Result<Option<Duration>> {
        /// A hundred years: more is for ever, and less arithmetic overflows.
        const MOST: f64 = 100.0 * 365.25 * 86_400.0;
        let number = match self.find(name) {
            None | Some(Member::Null) => return Ok(None),
            Some(Member::Text(text)) if text.is_empty() => return Ok(None),
            Some(Member::Number(number)) => Some(number.value()),
            Some(Member::Text(text)) => text.trim().parse::<f64>().ok(),
            Some(Member::Truth(_) | Member::Other) => None,
        };
        let seconds = number.map(|number| number * unit.as_secs_f64());
        // Infinity of a unit of no length is no number either.
        let Some(seconds) = seconds.filter(|seconds| !seconds.is_nan()) else {
            let text = format!("{name} of the token endpoint's answer is no number");
            return Err(Error::protocol("oauth2_expires_in", text));
        };
        Ok(Some(Duration::from_secs_f64(seconds.clamp(0.0, MOST))))
    }
}

/// The error that an answer means.
#[cold]
fn refused(
    answer: &Response<Vec<u8>>,
    members: Option<&Members<'_>>,
    now: Timestamp,
    secrets: &Secrets<'_>,
) -> Error {
    let status = answer.status();
    let text = |name| members.and_then(|members| members.text(name)).map(|text| secrets.cut(text));
    // What it means is read from what the server wrote: a secret may be a word of it.
    let kind = members.and_then(|members| members.text("error")).unwrap_or_default();
    let error = text("error").unwrap_or_default();
    let named = ["error", "error_description", "error_uri"];
    let others =
        members.into_iter().flat_map(Members::iter).filter(|(name, _)| !named.contains(name));
    let kind = match TokenErrorKind::of(kind) {
        // What a server means that has no such codes (RFC 6749 section 5.2).
        TokenErrorKind::Other if kind.is_empty() && status == StatusCode::UNAUTHORIZED => {
            TokenErrorKind::InvalidClient
        }
        kind => kind,
    };
    let others = others.filter_map(|(name, value)| {
        let value = secrets.cut(&value.text()?);
        Some((secrets.cut(name).into(), value.into()))
    });
    let nested = members.map(|members| nested_fields(answer.body(), members, secrets));
    let error = TokenError {
        status,
        kind,
        description: text("error_description").map(Into::into),
        uri: text("error_uri").map(Into::into),
        others: others.chain(nested.into_iter().flatten()).collect(),
        error: error.into(),
    };
    let code = error.kind.code();
    match status {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            let code = "oauth2_temporarily_unavailable";
            Error::unavailable(code, retry_after(answer.headers(), now), error)
        }
        status if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT => {
            Error::transport("oauth2_server_error", error)
        }
        _ => match error.kind {
            TokenErrorKind::Temporary => {
                Error::unavailable(code, retry_after(answer.headers(), now), error)
            }
            // With any other status it is not believed: nobody should be sent through consent for a proxy's page.
            TokenErrorKind::InvalidGrant if status.is_client_error() => Error::refused(code, error),
            _ => Error::config(code, error),
        },
    }
}

impl fmt::Debug for TokenAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenAnswer")
            .field("token_type", &self.token_type)
            .field("expires_in", &self.expires_in)
            .field("refresh_token", &self.refresh_token.is_some())
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_unix(1_700_000_000);

    fn answer(status: u16, kind: &str, body: &str) -> Response<Vec<u8>> {
        let answer = Response::builder().status(status).header("content-type", kind);
        answer.header("retry-after", "7").body(body.as_bytes().to_vec()).unwrap()
    }

    /// What is said of the token: its type, its life, that of its refresh token and its scope.
    #[track_caller]
    fn check(kind: &str, body: &str, token: &str, expected: &str) {
        let read = TokenAnswerFormat::new().read(&answer(200, kind, body), NOW).unwrap();
        let refresh = read.refresh_token.as_ref().map(|token| token.expose().len());
        let shown = format!(
            "{:?} {:?} {refresh:?} {:?} {:?}",
            read.token_type, read.expires_in, read.refresh_token_expires_in, read.scope
        );
        assert_eq!((read.access_token.expose(), shown.as_str()), (token.as_bytes(), expected));
    }

    #[test]
    fn answers_as_they_are_in_the_world() {
        let json = "application/json;charset=UTF-8";
        let hour = |text: &str| format!(r#"{{"access_token":"t","expires_in":{text}}}"#);
        for text in ["3600", "\"3600\"", "3600.0", "\" 3600 \""] {
            check(json, &hour(text), "t", "None Some(3600s) None None None");
        }
        for text in ["0", "-1", "-1e18"] {
            check(json, &hour(text), "t", "None Some(0ns) None None None");
        }
        check(json, &hour("1e18"), "t", "None Some(3155760000s) None None None");
        check(json, &hour("null"), "t", "None None None None None");
        check(json, &hour("\"\""), "t", "None None None None None");
        check(
            json,
            r#"{"access_token":"t","token_type":"bearer","refresh_token":"abc","refresh_expires_in":"5","scope":"a b","error":null}"#,
            "t",
            r#"Some("bearer") None Some(3) Some(5s) Some("a b")"#,
        );
        check(
            "application/x-www-form-urlencoded",
            "access_token=t&token_type=BEARER&expires_in=5",
            "t",
            r#"Some("bearer") Some(5s) None None None"#,
        );
    }

    #[test]
    fn another_servers_names_and_units() {
        let format = TokenAnswerFormat::new()
            .with_access_token("token")
            .with_refresh_token("renewal")
            .with_expires_in("millis", Duration::from_millis(1));
        let body = r#"{"token":"t","renewal":"r","millis":1500}"#;
        let read = format.read(&answer(200, "application/json", body), NOW).unwrap();
        assert_eq!(read.expires_in, Some(Duration::from_millis(1500)));
        assert_eq!(
            (read.access_token.expose(), read.refresh_token.unwrap().expose()),
            (&b"t"[..], &b"r"[..])
        );
    }

    #[test]
    fn no_time_in_no_unit_panics() {
        let format = TokenAnswerFormat::new().with_expires_in("expires_in", Duration::ZERO);
        for (text, expected) in [("inf", Err("oauth2_expires_in")), ("7", Ok(Some(Duration::ZERO)))]
        {
            let body = format!(r#"{{"access_token":"t","expires_in":"{text}"}}"#);
            let read = format.read(&answer(200, "application/json", &body), NOW);
            let read = read.map(|read| read.expires_in).map_err(|error| error.code());
            assert_eq!(read, expected, "{text}");
        }
    }

    #[track_caller]
    fn check_refused(status: u16, body: &str, code: &str, text: &str) {
        let mut secrets = Secrets::default();
        secrets.add("s3cret");
        let answer = answer(status, "application/json", body);
        let error = TokenAnswerFormat::new().read_without(&answer, NOW, &secrets).unwrap_err();
        assert_eq!((error.code(), error.to_string().as_str()), (code, text), "{status} {body}");
    }

    #[test]
    fn refusals_say_what_to_do() {
        check_refused(
            400,
            r#"{"error":"invalid_grant","error_description":"code s3cret is used"}"#,
            "oauth2_invalid_grant",
            "refused: token endpoint refused with 400 and invalid_grant (code [secret] is used); the grant has ended: \
             let the user consent again",
        );
        check_refused(
            302,
            r#"{"error":"invalid_grant"}"#,
            "oauth2_invalid_grant",
            "configuration: token endpoint refused with 302 and invalid_grant; check the URL of the endpoint",
        );
        check_refused(
            200,
            r#"{"error":"invalid_grant"}"#,
            "oauth2_invalid_grant",
            "configuration: token endpoint refused with 200 and invalid_grant; correct the configuration of the client",
        );
        check_refused(
            401,
            r#"{"error":"invalid_client"}"#,
            "oauth2_invalid_client",
            "configuration: token endpoint refused with 401 and invalid_client; correct the configuration of the client",
        );
        check_refused(
            200,
            r#"{"error":"invalid_scope","access_token":""}"#,
            "oauth2_invalid_scope",
            "configuration: token endpoint refused with 200 and invalid_scope; correct the configuration of the client",
        );
        check_refused(
            500,
            r#"{"error":"invalid_grant"}"#,
            "oauth2_server_error",
            "transport: token endpoint refused with 500 and invalid_grant; ask again later",
        );
        check_refused(
            429,
            "<html>",
            "oauth2_temporarily_unavailable",
            "unavailable: token endpoint refused with 429 and no error code; ask again later",
        );
        check_refused(
            200,
            "{}",
            "oauth2_no_access_token",
            "protocol: answer of the token endpoint has no access_token",
        );
        let number = "protocol: expires_in of the token endpoint's answer is no number";
        for text in ["true", "[]", "\"soon\"", "\"NaN\""] {
            let body = format!(r#"{{"access_token":"t","expires_in":{text}}}"#);
            check_refused(200, &body, "oauth2_expires_in", number);
        }
    }

    #[test]
    fn a_secret_that_is_a_word_of_an_error_code_changes_nothing_of_what_it_means() {
        let mut secrets = Secrets::default();
        secrets.add("grant");
        let answer = answer(400, "", r#"{"error":"invalid_grant"}"#);
        let error = TokenAnswerFormat::new().read_without(&answer, NOW, &secrets).unwrap_err();
        assert_eq!(error.code(), "oauth2_invalid_grant");
        assert!(!error.to_string().contains("invalid_grant"), "{error}");
    }

    #[test]
    fn what_is_shown_of_a_grant_repeats_no_secret() {
        let mut secrets = Secrets::default();
        secrets.add("S3cret");
        let body = r#"{"access_token":"t","token_type":"x S3cret\r\n","scope":"a\nS3cret"}"#;
        let answer = answer(200, "application/json", body);
        let read = TokenAnswerFormat::new().read_without(&answer, NOW, &secrets).unwrap();
        assert_eq!(read.token_type.as_deref(), Some("x [secret]"));
        assert_eq!(read.scope.as_deref(), Some("a[secret]"));
    }

    #[test]
    fn the_time_that_a_server_asks_for_and_its_other_fields_are_kept() {
        let body = r#"{"requestError":{"a":1},"error_code":"E429","number":7}"#;
        let error = TokenAnswerFormat::new().read(&answer(503, "", body), NOW).unwrap_err();
        let Error::Unavailable { retry_after, cause } = error else { panic!("{error}") };
        assert_eq!(retry_after, Some(Duration::from_secs(7)));
        let precise = cause.error().downcast_ref::<TokenError>().unwrap();
        let others: Vec<_> =
            precise.others.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(others, [("error_code", "E429"), ("number", "7"), ("requestError.a", "1")]);
    }
}
