//! The API of faults: what a test in another process arms, and what it asks.

use crate::{Armed, Counts, Endpoint, Fault, Faults, Recorded, record::Record};
use axum::{
    Router,
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, State},
    response::Response,
    routing::get,
};
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;

/// `POST /faults` arms one, `GET /faults` lists them, `DELETE /faults` disarms all; `GET /counts` and `GET /requests` say
/// what arrived.
pub(crate) fn router(state: Switches) -> Router {
    Router::new()
        .route("/faults", get(list).post(arm).delete(clear))
        .route("/counts", get(counts))
        .route("/requests", get(requests))
        .layer(DefaultBodyLimit::max(MOST_BODY_BYTES))
        .with_state(state)
}

/// What a test may ask and arm: the faults, the record, and the endpoints that the platform has.
pub(crate) type Switches = (Faults, Record, &'static [Endpoint]);

const MOST_BODY_BYTES: usize = 16 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    fault: String,
    endpoint: String,
    #[serde(default = "one")]
    requests: u32,
    /// How long `slow` waits, and what `too_many_requests` says in `Retry-After`.
    #[serde(default)]
    seconds: f64,
}

const fn one() -> u32 {
    1
}

async fn arm(State((faults, _, endpoints)): State<Switches>, body: Bytes) -> Response {
    match read(&body, endpoints) {
        Ok(Armed { fault, endpoint, requests }) => {
            faults.arm(fault, endpoint, requests);
            answer(StatusCode::CREATED, &armed(&faults))
        }
        Err(text) => answer(StatusCode::BAD_REQUEST, &json!({ "error": text })),
    }
}

fn read(body: &[u8], endpoints: &[Endpoint]) -> Result<Armed, String> {
    let wanted: Wanted = serde_json::from_slice(body).map_err(|error| {
        format!(
            "body is not {{\"fault\":\"..\",\"endpoint\":\"..\",\"requests\":1,\"seconds\":0}}: {error}"
        )
    })?;
    let span = Duration::try_from_secs_f64(wanted.seconds)
        .map_err(|_| "seconds is negative or too large, expected a number of seconds")?;
    let fault = Fault::from_name(&wanted.fault, span).ok_or_else(|| {
        let names = Fault::all(span).map(Fault::name);
        format!("fault is unknown, expected one of {}", names.join(", "))
    })?;
    let endpoint = Endpoint::from_name(&wanted.endpoint).filter(|it| endpoints.contains(it));
    let endpoint = endpoint.ok_or_else(|| {
        let names: Vec<_> = endpoints.iter().map(|one| one.name()).collect();
        format!("endpoint is unknown, expected one of {}", names.join(", "))
    })?;
    if wanted.requests == 0 {
        return Err("requests is 0, expected how many meet the fault".to_owned());
    }
    let expires = [Fault::ExpireNow, Fault::ExpireSessions, Fault::ExpireKeyManagerTokens];
    if expires.contains(&fault) && matches!(endpoint, Endpoint::Webex(_)) {
        let text = "Webex Connect keeps no sessions and no tokens that could expire";
        return Err(format!("fault is {}: {text}, expected unauthorized", fault.name()));
    }
    if matches!(fault, Fault::Slow(Duration::ZERO)) {
        return Err("seconds is missing or 0, expected how long slow waits".to_owned());
    }
    Ok(Armed { fault, endpoint, requests: wanted.requests })
}

async fn list(State((faults, ..)): State<Switches>) -> Response {
    answer(StatusCode::OK, &armed(&faults))
}

async fn clear(State((faults, ..)): State<Switches>) -> Response {
    faults.clear();
    answer(StatusCode::OK, &armed(&faults))
}

fn armed(faults: &Faults) -> Value {
    let one = |it: &Armed| {
        json!({
            "fault": it.fault.name(),
            "endpoint": it.endpoint.name(),
            "requests": it.requests,
            "seconds": it.fault.span().map(|span| span.as_secs_f64()),
        })
    };
    faults.armed().iter().map(one).collect()
}

async fn counts(State((_, record, _)): State<Switches>) -> Response {
    let Counts {
        requests,
        sessions_created,
        sessions_destroyed,
        tokens_issued,
        keys_created,
        key_manager_tokens,
        session_infos,
        messages_accepted,
        flows_triggered,
        refused,
        unauthorized,
        forbidden,
        throttled,
        dropped,
    } = record.counts();
    let body = json!({
        "requests": requests,
        "sessions_created": sessions_created,
        "sessions_destroyed": sessions_destroyed,
        "tokens_issued": tokens_issued,
        "keys_created": keys_created,
        "key_manager_tokens": key_manager_tokens,
        "session_infos": session_infos,
        "messages_accepted": messages_accepted,
        "flows_triggered": flows_triggered,
        "refused": refused,
        "unauthorized": unauthorized,
        "forbidden": forbidden,
        "throttled": throttled,
        "dropped": dropped,
    });
    answer(StatusCode::OK, &body)
}

async fn requests(State((_, record, _)): State<Switches>) -> Response {
    let one = |it: &Recorded| {
        json!({
            "at": it.at.unix(),
            "endpoint": it.endpoint.map(Endpoint::name),
            "method": it.method.as_str(),
            "path": it.path,
            "source": it.source,
            "scheme": it.scheme,
            "status": it.status.map(|status| status.as_u16()),
            "fault": it.fault.map(Fault::name),
        })
    };
    answer(StatusCode::OK, &record.requests().iter().map(one).collect())
}

fn answer(status: StatusCode, body: &Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}
