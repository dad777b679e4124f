//! Custom Event and inbound webhooks: each event and each webhook is of one service.

use super::{
    answers,
    app::{Answer, App, EventsOfOthers},
};
use crate::request::Whole;
use auth_core::{Challenge, Reason, Rejection};
use auth_webex::WebexFamily;
use axum::{
    Router,
    extract::{Path, State},
    response::Response,
    routing::post,
};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/resources/v1/events/externalevent", post(event))
        // The vendor prints it with a slash at the end too.
        .route("/resources/v1/events/externalevent/", post(event))
        .route("/events/{id}", post(webhook))
}

#[derive(Deserialize)]
struct Events {
    events: Vec<Event>,
}

#[derive(Deserialize)]
struct Event {
    evtid: Option<String>,
    correlationid: Option<String>,
}

async fn event(State(app): State<Arc<App>>, request: Whole) -> Answer {
    let all = events(&app, &request).await?;
    Ok(answers::json(StatusCode::OK, &json!({ "response": all })))
}

/// One answer for each event. Where an event is refused none of them has triggered anything.
async fn events(app: &App, request: &Whole) -> Result<Vec<Value>, Response> {
    const FAMILY: WebexFamily = WebexFamily::CustomEvent;
    let service = app.service(FAMILY, request).await?;
    let wrong = |code, text: &str| app.wrong(FAMILY, code, text);
    let body: Value =
        serde_json::from_slice(&request.body).map_err(|_| wrong("7000", "Invalid JSON"))?;
    let Events { events } = serde_json::from_value(body)
        .map_err(|_| wrong("7003", "Mandatory parameter missing: events"))?;
    let (mut triggered, mut answered) = (0, Vec::new());
    for Event { evtid, correlationid } in &events {
        let id =
            evtid.as_deref().ok_or_else(|| wrong("7003", "Mandatory parameter missing: evtid"))?;
        let owner = app.events.get(id).ok_or_else(|| wrong("7008", "Invalid or unsaved event"))?;
        let begins = triggers(app, owner, &service);
        triggered += u64::from(begins.map_err(|rejection| app.refused(FAMILY, &rejection))?);
        let transaction = app.shared.uuid().map_err(|error| answers::failed(FAMILY, &error))?;
        let mut answer = answers::queued("1002", &transaction);
        if let Some(members) = answer.as_object_mut() {
            let correlation = correlationid.as_deref().unwrap_or_default();
            members.insert("correlationid".into(), correlation.into());
        }
        answered.push(answer);
    }
    if answered.is_empty() {
        return Err(wrong("7003", "Mandatory parameter missing: events"));
    }
    app.shared.record.count(|counts| counts.flows_triggered += triggered);
    Ok(answered)
}

async fn webhook(State(app): State<Arc<App>>, Path(id): Path<String>, request: Whole) -> Answer {
    const FAMILY: WebexFamily = WebexFamily::InboundWebhook;
    let triggered = match app.webhooks.get(&*id) {
        // One that no flow is associated with is answered like any other.
        None => false,
        Some(_) if app.open_webhooks.contains(&*id) => true,
        Some(owner) => {
            let service = app.service(FAMILY, &request).await?;
            triggers(&app, owner, &service).map_err(|rejection| app.refused(FAMILY, &rejection))?
        }
    };
    let transaction = app.shared.uuid().map_err(|error| answers::failed(FAMILY, &error))?;
    app.shared.record.count(|counts| counts.flows_triggered += u64::from(triggered));
    let body = json!({ "response": [answers::queued("1002", &transaction)] });
    Ok(answers::json(StatusCode::OK, &body))
}

/// Does a flow of its owner begin, when this service calls? That of another service is refused, unless the emulator does
/// as the vendor documents it.
fn triggers(app: &App, owner: &str, service: &str) -> Result<bool, Rejection> {
    match app.events_of_others {
        _ if owner == service => Ok(true),
        EventsOfOthers::AcceptedAndNotTriggered => Ok(false),
        EventsOfOthers::Refused => {
            let challenge = Challenge::without_parameters("Bearer");
            Err(Rejection::unauthenticated(OTHER_SERVICE, challenge))
        }
    }
}

const OTHER_SERVICE: Reason =
    Reason::new("emulator_other_service", "event or webhook is of another service");
