//! `POST /auth/1/oauth2/token`.

use super::{answers, app::App, oauth::LIFETIME};
use crate::request::Whole;
use auth_core::{Error, Lookup, Secret};
use auth_ibsso::{ErrorForm, UserPassword};
use axum::{extract::State, response::Response};
use http::StatusCode;
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) async fn token(State(app): State<Arc<App>>, request: Whole) -> Response {
    match issue(&app, &request).await {
        Ok(token) => {
            let body = json!({
                "access_token": String::from_utf8_lossy(token.expose()),
                "expires_in": LIFETIME.as_secs(),
                "token_type": "bearer",
            });
            answers::json(StatusCode::OK, &body)
        }
        Err(refused) => refused.answer(),
    }
}

/// Why there is no token.
enum Refused {
    Field { field: &'static str, expected: &'static str },
    WrongLogIn,
    Failed(Error),
}

async fn issue(app: &App, request: &Whole) -> Result<Secret, Refused> {
    // Some clients send the fields in the query, and a form that is empty.
    let query = request.head.uri.query().unwrap_or_default().as_bytes();
    let form = if request.body.is_empty() { query } else { &request.body };
    let user = field(form, "client_id")?;
    let password = Secret::new(field(form, "client_secret")?);
    let wrong = |expected| Err(Refused::Field { field: "grant_type", expected });
    match &*field(form, "grant_type")? {
        "client_credentials" => {}
        // The vendor's own enumeration has a space at the end.
        "authorization_code" | "authorization_code " => {
            return wrong(
                "the emulator issues no authorization codes, expected client_credentials",
            );
        }
        _ => return wrong("expected client_credentials"),
    }
    let login = UserPassword { user: (*user).into(), password: Arc::new(password) };
    let found = app.users.lookup(&login).await.map_err(Refused::Failed)?;
    let caller = found.ok_or(Refused::WrongLogIn)?;
    let token = app.tokens.issue(&user, &caller, &*app.random).map_err(Refused::Failed)?;
    app.record.count(|counts| counts.tokens_issued += 1);
    Ok(token)
}

/// The one value of a field.
fn field(form: &[u8], name: &'static str) -> Result<String, Refused> {
    let refused = |expected| Refused::Field { field: name, expected };
    let mut values = url::form_urlencoded::parse(form).filter(|(known, _)| known == name);
    match (values.next(), values.next()) {
        (Some((_, value)), None) if !value.is_empty() => Ok(value.into_owned()),
        (Some(_), Some(_)) => Err(refused("must be given once")),
        _ => Err(refused("must not be empty")),
    }
}

impl Refused {
    /// The usual form, and in it the member `error`, which the vendor calls deprecated.
    fn answer(&self) -> Response {
        let (status, mut body) = match self {
            Self::Field { field, expected } => {
                (StatusCode::BAD_REQUEST, answers::invalid_body(field, expected))
            }
            Self::WrongLogIn => {
                let body = ErrorForm::ServiceException
                    .body(StatusCode::UNAUTHORIZED, "Invalid login details");
                (StatusCode::UNAUTHORIZED, serde_json::from_slice(&body).unwrap_or_default())
            }
            Self::Failed(error) => return answers::failed(ErrorForm::ServiceException, error),
        };
        let text = body.pointer("/requestError/serviceException/text").cloned();
        if let (Some(members), Some(text)) = (Value::as_object_mut(&mut body), text) {
            members.insert("error".into(), text);
        }
        answers::json(status, &body)
    }
}
