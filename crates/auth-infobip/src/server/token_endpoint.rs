//! `POST /auth/1/oauth2/token`, for any server framework.

use super::{
    InfobipUsers, OAuthTokens, PlatformAnswer,
    request::{body_of, invalid_body},
    tokens::LIFETIME,
};
use auth_core::{
    Attempt, AttemptLimit, AttemptOutcome, Challenge, Flow, Reason, Rejection, RequestView, Result,
    Secret,
};
use auth_ibsso::{ErrorForm, UserPassword};
use http::StatusCode;
use serde_json::{Value, json};
use std::sync::Arc;

/// Issues OAuth tokens, as requests ask for them: `POST /auth/1/oauth2/token`.
///
/// `platform.token_endpoint(..)` makes it. A server gives it a [`RequestView`] with the body and the address of the caller;
/// the [crate documentation](crate) has a whole platform. Its answers are whole: statuses and bodies as the platform
/// documents them.
#[derive(Debug)]
pub struct OAuthTokenEndpoint {
    tokens: OAuthTokens,
    users: InfobipUsers,
    limit: Option<AttemptLimit>,
}

impl OAuthTokenEndpoint {
    pub(super) const fn new(
        tokens: OAuthTokens,
        users: InfobipUsers,
        limit: Option<AttemptLimit>,
    ) -> Self {
        Self { tokens, users, limit }
    }

    /// Issues a token for the user name and password of the form.
    ///
    /// The fields are `client_id` (the user name), `client_secret` (the password) and `grant_type`, which is
    /// `client_credentials`; authorization codes are refused with a 400, since no page of the platform says where a user
    /// would get one. Where the form is empty they are read from the query, as some clients send them. The field
    /// `Authorization` is not read, since clients send all kinds of things in it here.
    ///
    /// # Errors
    ///
    /// Those of the look-up of users and of the limit; and `Error::Config` with the code `infobip_body_unread` when the
    /// adapter did not give the body.
    ///
    /// # Security
    ///
    /// A query stands in the access logs of servers and proxies. Accepting the fields there is what the platform's own
    /// clients need; the clients of this project send them in the form.
    pub fn issue<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, PlatformAnswer> {
        Flow::new(async move {
            Ok(match self.token(request).await? {
                Ok(token) => PlatformAnswer::told(&json!({
                    "access_token": token.expose_text(),
                    "expires_in": LIFETIME.as_secs(),
                    "token_type": "bearer",
                })),
                Err(refused) => refused.answer(),
            })
        })
    }

    async fn token(&self, request: RequestView<'_>) -> Result<Result<Secret, Refused>> {
        let body = match body_of(request)? {
            Ok(body) => body,
            Err(reason) => return Ok(Err(Refused::TooLong(reason))),
        };
        let query = request.uri.query().unwrap_or_default().as_bytes();
        let form = if body.is_empty() { query } else { body };
        let login = match read(form) {
            Ok(login) => login,
            Err(refused) => return Ok(Err(refused)),
        };
        let identity = Some(login.user.as_bytes());
        let attempt = Attempt::begin(self.limit.as_ref(), request, "oauth_token", identity);
        let attempt = match attempt.await? {
            Ok(attempt) => attempt,
            Err(rejection) => return Ok(Err(Refused::Rejected(rejection))),
        };
        let found = self.users.proved(&login).await;
        attempt.settle(match &found {
            Ok(found) => found.is_some().into(),
            Err(_) => AttemptOutcome::Unknown,
        });
        match found? {
            Some(password) => self.tokens.issue(&login.user, &password).map(Ok),
            None => Ok(Err(Refused::Rejected(Rejection::unauthenticated(
                WRONG,
                Challenge::without_parameters("Bearer"),
            )))),
        }
    }
}

/// Why there is no token.
enum Refused {
    Field { field: &'static str, expected: &'static str },
    TooLong(Reason),
    Rejected(Rejection),
}

/// The user name and the password of a form that asks for a token with them.
fn read(form: &[u8]) -> Result<UserPassword, Refused> {
    let user = field(form, "client_id")?.into();
    let password = Arc::new(Secret::new(field(form, "client_secret")?));
    let wrong = |expected| Err(Refused::Field { field: "grant_type", expected });
    match &*field(form, "grant_type")? {
        "client_credentials" => Ok(UserPassword { user, password }),
        // The platform's own enumeration has a space at the end.
        "authorization_code" | "authorization_code " => {
            wrong("authorization codes are not issued here, expected client_credentials")
        }
        _ => wrong("expected client_credentials"),
    }
}

/// The one value of a field.
fn field(form: &[u8], name: &'static str) -> Result<String, Refused> {
    let refused = |expected| Refused::Field { field: name, expected };
    let mut values = form_urlencoded::parse(form).filter(|(known, _)| known == name);
    match (values.next(), values.next()) {
        (Some((_, value)), None) if !value.is_empty() => Ok(value.into_owned()),
        (Some(_), Some(_)) => Err(refused("must be given once")),
        _ => Err(refused("must not be empty")),
    }
}

impl Refused {
    /// The usual form, and in it the member `error`, which the platform calls deprecated.
    fn answer(&self) -> PlatformAnswer {
        let form = ErrorForm::ServiceException;
        let mut answer = match self {
            Self::Field { field, expected } => {
                let body = invalid_body(field, expected);
                PlatformAnswer::error_of(StatusCode::BAD_REQUEST, &body, FIELD)
            }
            Self::TooLong(reason) => {
                PlatformAnswer::error(form, StatusCode::PAYLOAD_TOO_LARGE, reason.text, *reason)
            }
            Self::Rejected(rejection) => PlatformAnswer::rejected(form, rejection),
        };
        let mut body: Value = serde_json::from_slice(answer.response.body()).unwrap_or_default();
        let text = body.pointer("/requestError/serviceException/text").cloned();
        if let (Some(members), Some(text)) = (body.as_object_mut(), text) {
            members.insert("error".into(), text);
        }
        *answer.response.body_mut() = body.to_string().into_bytes();
        answer
    }
}

const FIELD: Reason = Reason::new(
    "infobip_token_field",
    "request for an OAuth token has a field that is missing, twice there, or not as it is expected",
);
const WRONG: Reason =
    Reason::new("infobip_token_password", "client_id and client_secret are not those of a user");
