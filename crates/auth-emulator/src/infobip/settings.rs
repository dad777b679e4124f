//! `/settings/2/api-keys`: API keys, which no API key manages.

use super::{
    answers,
    app::{App, Door},
    messages::needing,
    platform::{KeyFields, KeyFilter, KeyPage, KeyRefusal, KeyView},
};
use crate::{gate::wait, request::Whole};
use auth_core::{Caller, Flow, Reason, Rejection, Verifier};
use auth_ibsso::ErrorForm;
use auth_tower::{Authenticated, VerifyLayer};
use axum::{
    Router,
    extract::{Path, State},
    response::Response,
    routing::get,
};
use http::StatusCode;
use serde_json::json;
use std::sync::Arc;

pub(super) fn routes(door: &Door) -> Router<Arc<App>> {
    let door = needing(door, &["account-management:manage"]).check(|caller: &Caller, _| {
        let is_key = caller.kind == "api_key";
        Flow::ready(if is_key { Err(Rejection::forbidden(KEY)) } else { Ok(()) })
    });
    Router::new()
        .route("/settings/2/api-keys", get(list).post(create))
        .route("/settings/2/api-keys/{id}", get(see).put(update))
        .route_layer(VerifyLayer::new(door))
}

const KEY: Reason = Reason::new("infobip_key_manages_no_keys", "API keys cannot manage API keys");

type By = Authenticated<Caller>;

async fn create(State(app): State<Arc<App>>, by: By, request: Whole) -> Response {
    let created = match fields(&request) {
        Ok(fields) => app.keys.create(&by.principal, fields).await,
        Err(refusal) => Err(refusal),
    };
    if created.is_ok() {
        app.record.count(|counts| counts.keys_created += 1);
    }
    answer(created)
}

async fn list(State(app): State<Arc<App>>, by: By, request: Whole) -> Response {
    match filter(request.head.uri.query().unwrap_or_default()) {
        Ok(filter) => {
            let listed: Result<KeyPage, _> = app.keys.list(&by.principal, &filter).await;
            match listed {
                Ok(page) => answers::json(StatusCode::OK, &page),
                Err(refusal) => refused(&refusal),
            }
        }
        Err(refusal) => refused(&refusal),
    }
}

async fn see(State(app): State<Arc<App>>, by: By, Path(id): Path<String>) -> Response {
    answer(app.keys.see(&by.principal, &id).await)
}

async fn update(
    State(app): State<Arc<App>>,
    by: By,
    Path(id): Path<String>,
    request: Whole,
) -> Response {
    answer(match fields(&request) {
        Ok(fields) => app.keys.update(&by.principal, &id, fields).await,
        Err(refusal) => Err(refusal),
    })
}

fn fields(request: &Whole) -> Result<KeyFields, KeyRefusal> {
    serde_json::from_slice(&request.body).map_err(|error| {
        let violation = format!("is not JSON with the members of an API key: {error}");
        KeyRefusal::Invalid { property: "body", violation }
    })
}

fn filter(query: &str) -> Result<KeyFilter, KeyRefusal> {
    let mut filter = KeyFilter { name: None, enabled: None, page: 0, size: MOST_KEYS };
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let number = |property, least: usize| {
            let violation = format!("must be a number from {least} to {MOST_KEYS}");
            let read = value.parse().ok().filter(|it| (least..=MOST_KEYS).contains(it));
            read.ok_or(KeyRefusal::Invalid { property, violation })
        };
        match &*name {
            "name" => filter.name = Some(value.into_owned()),
            "enabled" => {
                let violation = "must be true or false".to_owned();
                let invalid = KeyRefusal::Invalid { property: "enabled", violation };
                filter.enabled = Some(value.parse().map_err(|_| invalid)?);
            }
            "page" => filter.page = number("page", 0)?,
            "size" => filter.size = number("size", 1)?,
            // The order is that of creation, whatever is asked for.
            _ => {}
        }
    }
    Ok(filter)
}

const MOST_KEYS: usize = 100;

fn answer(done: Result<KeyView, KeyRefusal>) -> Response {
    match done {
        Ok(key) => answers::json(StatusCode::OK, &key),
        Err(refusal) => refused(&refusal),
    }
}

fn refused(refusal: &KeyRefusal) -> Response {
    let form = ErrorForm::ErrorCode;
    match refusal {
        KeyRefusal::Invalid { property, violation } => {
            let body = json!({
                "errorCode": "E400",
                "description": "The request is not valid.",
                "action": "Correct the request.",
                "violations": [{ "property": property, "violation": violation }],
                "resources": [],
            });
            answers::json(StatusCode::BAD_REQUEST, &body)
        }
        KeyRefusal::Unknown => {
            answers::error(form, StatusCode::NOT_FOUND, "There is no such API key.")
        }
        KeyRefusal::Forbidden(text) => answers::error(form, StatusCode::FORBIDDEN, text),
        KeyRefusal::TooMany { retry_after } => {
            let text = "40 API keys were created in 24 hours, which is the most of an account.";
            let mut response = answers::error(form, StatusCode::TOO_MANY_REQUESTS, text);
            wait(&mut response, *retry_after);
            response
        }
        KeyRefusal::Failed(error) => answers::failed(form, error),
    }
}
