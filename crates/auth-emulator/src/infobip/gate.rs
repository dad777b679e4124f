//! What every request goes through: faults, the record, and the form of errors.

use super::{
    answers,
    app::App,
    request::{MOST_BODY_BYTES, source},
};
use crate::{
    ConnectionDropped, Endpoint, Fault,
    record::{Recorded, scheme},
};
use auth_ibsso::{ErrorForm, SESSION_PATH};
use axum::{
    body::to_bytes,
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::{Method, StatusCode, header};
use std::sync::Arc;

/// What has arrived is done to its end though its client hangs up, as platforms do.
pub(super) async fn gate(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let form = form(endpoint(request.method(), request.uri().path()));
    tokio::spawn(judged(app, request, next)).await.unwrap_or_else(|_| {
        let text = "the emulator failed: a handler panicked, or the runtime is shutting down";
        answers::error(form, StatusCode::SERVICE_UNAVAILABLE, text)
    })
}

async fn judged(app: Arc<App>, request: Request, next: Next) -> Response {
    let endpoint = endpoint(request.method(), request.uri().path());
    let fault = endpoint.and_then(|endpoint| app.faults.take(endpoint));
    let arrived = Recorded {
        at: app.clock.now(),
        endpoint,
        method: request.method().clone(),
        path: request.uri().path().chars().take(MOST_PATH).collect(),
        source: source(request.extensions()),
        scheme: scheme(request.headers()),
        status: None,
        fault,
    };
    let form = form(endpoint);
    let response = match app.begin().await {
        Ok(()) => in_form(form, with_fault(&app, fault, form, request, next).await).await,
        Err(error) => answers::failed(form, &error),
    };
    let status = (!ConnectionDropped::is(&response)).then(|| response.status());
    app.record.note(Recorded { at: app.clock.now(), status, ..arrived });
    response
}

/// So many characters of a path are recorded: no path of the platform has as many.
const MOST_PATH: usize = 200;

async fn with_fault(
    app: &App,
    fault: Option<Fault>,
    form: ErrorForm,
    request: Request,
    next: Next,
) -> Response {
    match fault {
        None => next.run(request).await,
        Some(Fault::ExpireNow) => match app.expire_all().await {
            Ok(()) => next.run(request).await,
            Err(error) => answers::failed(form, &error),
        },
        Some(Fault::Slow(span)) => {
            tokio::time::sleep(span).await;
            next.run(request).await
        }
        Some(Fault::Unauthorized) => {
            answers::error(form, StatusCode::UNAUTHORIZED, "Invalid login details")
        }
        Some(Fault::TooManyRequests(span)) => {
            let status = StatusCode::TOO_MANY_REQUESTS;
            let mut response = answers::error(form, status, "Too many requests");
            answers::wait(&mut response, span);
            response
        }
        Some(Fault::Reset) => ConnectionDropped::response(),
        Some(Fault::LostAnswer) => {
            next.run(request).await;
            ConnectionDropped::response()
        }
    }
}

/// Where requests with this method and path go; `None` where the platform has nothing.
fn endpoint(method: &Method, path: &str) -> Option<Endpoint> {
    match (method, path) {
        (&Method::POST, SESSION_PATH) => Some(Endpoint::CreateSession),
        (&Method::DELETE, SESSION_PATH) => Some(Endpoint::DestroySession),
        (&Method::POST, super::TOKEN_PATH) => Some(Endpoint::Token),
        _ if path.starts_with("/settings/") => Some(Endpoint::Settings),
        _ if path.starts_with("/sms/") || path.starts_with("/whatsapp/") => {
            Some(Endpoint::Messages)
        }
        _ => None,
    }
}

const fn form(endpoint: Option<Endpoint>) -> ErrorForm {
    match endpoint {
        Some(Endpoint::Settings) => ErrorForm::ErrorCode,
        _ => ErrorForm::ServiceException,
    }
}

/// Errors of layers and of the router have no form yet; those of handlers are JSON already.
async fn in_form(form: ErrorForm, response: Response) -> Response {
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    let is_json = response.headers().get(header::CONTENT_TYPE) == Some(&answers::JSON);
    if !is_error || is_json || ConnectionDropped::is(&response) {
        return response;
    }
    let text = match status {
        StatusCode::UNAUTHORIZED => "Invalid login details",
        _ => status.canonical_reason().unwrap_or("Error"),
    };
    let (mut head, body) = response.into_parts();
    // The body of a refusal ends when the rest of an upload was read: its sender would not see the answer before that.
    let _ = to_bytes(body, MOST_BODY_BYTES).await;
    let formed = answers::error(form, status, text);
    head.headers.remove(header::CONTENT_LENGTH);
    head.headers.insert(header::CONTENT_TYPE, answers::JSON);
    Response::from_parts(head, formed.into_body())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::{Body, Bytes};
    use http_body_util::{BodyExt, Full};
    use std::sync::atomic::{AtomicBool, Ordering};

    /// A layer reads the rest of an upload for as long as the body of its refusal lasts.
    #[tokio::test]
    async fn the_refusal_of_a_layer_is_waited_for_and_given_the_form_of_its_endpoint() {
        let waited = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&waited);
        let body = Full::new(Bytes::from_static(b"Unauthorized")).map_frame(move |frame| {
            told.store(true, Ordering::SeqCst);
            frame
        });
        let mut refusal = Response::new(Body::new(body));
        *refusal.status_mut() = StatusCode::UNAUTHORIZED;
        let formed = in_form(ErrorForm::ErrorCode, refusal).await;
        assert!(waited.load(Ordering::SeqCst));
        let body = formed.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(auth_ibsso::error_code(&body).as_deref(), Some("E401"));
    }

    #[test]
    fn paths_are_those_of_their_endpoints() {
        let check = |method: &Method, path: &str, expected: Option<Endpoint>| {
            assert_eq!(endpoint(method, path), expected, "{method} {path}");
        };
        check(&Method::POST, "/auth/1/session", Some(Endpoint::CreateSession));
        check(&Method::DELETE, "/auth/1/session", Some(Endpoint::DestroySession));
        check(&Method::POST, "/auth/1/oauth2/token", Some(Endpoint::Token));
        check(&Method::PUT, "/settings/2/api-keys/x", Some(Endpoint::Settings));
        check(&Method::GET, "/sms/1/logs", Some(Endpoint::Messages));
        check(&Method::GET, "/auth/1/session", None);
        check(&Method::PUT, "/auth/1/oauth2/token", None);
        check(&Method::GET, "/smsx", None);
        check(&Method::GET, "/", None);
    }
}
