//! What every request goes through: faults, the record, and the form of errors.

use super::{answers, app::App, request::source};
use crate::{
    ConnectionDropped, Endpoint, Fault,
    record::{Recorded, scheme},
};
use auth_ibsso::{ErrorForm, SESSION_PATH};
use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::{Method, StatusCode, header};
use std::sync::Arc;

pub(super) async fn gate(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let endpoint = endpoint(request.method(), request.uri().path());
    let fault = endpoint.and_then(|endpoint| app.faults.take(endpoint));
    let arrived = Recorded {
        at: app.clock.now(),
        endpoint,
        method: request.method().clone(),
        path: request.uri().path().into(),
        source: source(request.extensions()),
        scheme: scheme(request.headers()),
        status: None,
        fault,
    };
    app.trust_clock();
    let form = form(endpoint);
    let response = in_form(form, with_fault(&app, fault, form, request, next).await);
    let status = (!ConnectionDropped::is(&response)).then(|| response.status());
    app.record.note(Recorded { at: app.clock.now(), status, ..arrived });
    response
}

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

/// Where requests with this method and path go.
fn endpoint(method: &Method, path: &str) -> Option<Endpoint> {
    if path == SESSION_PATH {
        let destroys = method == Method::DELETE;
        return Some(if destroys { Endpoint::DestroySession } else { Endpoint::CreateSession });
    }
    if path == super::TOKEN_PATH {
        return Some(Endpoint::Token);
    }
    if path.starts_with("/settings/") {
        return Some(Endpoint::Settings);
    }
    let channels = ["/sms/", "/whatsapp/"];
    channels.iter().any(|channel| path.starts_with(channel)).then_some(Endpoint::Messages)
}

const fn form(endpoint: Option<Endpoint>) -> ErrorForm {
    match endpoint {
        Some(Endpoint::Settings) => ErrorForm::ErrorCode,
        _ => ErrorForm::ServiceException,
    }
}

/// Errors of layers and of the router have no form yet; those of handlers are JSON already.
fn in_form(form: ErrorForm, response: Response) -> Response {
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
    let (mut head, _) = response.into_parts();
    let formed = answers::error(form, status, text);
    head.headers.remove(header::CONTENT_LENGTH);
    head.headers.insert(header::CONTENT_TYPE, answers::JSON);
    Response::from_parts(head, formed.into_body())
}

#[cfg(test)]
mod tests {
    use super::*;

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
        check(&Method::GET, "/smsx", None);
        check(&Method::GET, "/", None);
    }
}
