//! What every request of a platform goes through: faults, the record, and the form of errors.

use crate::{
    ConnectionDropped, Endpoint, Fault,
    record::Recorded,
    request::{MOST_BODY_BYTES, source},
    shared::Shared,
};
use auth_core::Result;
use auth_lifecycle::Registry;
use axum::{
    body::to_bytes,
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use std::{sync::Arc, time::Duration};

/// What a platform brings to its gate.
pub(crate) trait Gated: Send + Sync + 'static {
    /// What a 401 says that no handler has made.
    const UNAUTHORIZED: &'static str;

    fn shared(&self) -> &Shared;

    /// What holds its credentials.
    fn registry(&self) -> &Registry;

    /// Where requests with this method and path go; `None` where the platform has nothing.
    fn endpoint(method: &Method, path: &str) -> Option<Endpoint>;

    /// What is recorded of the credentials of a request: never a part of them.
    fn scheme(headers: &HeaderMap) -> Option<&'static str>;

    /// Ends the sessions and tokens that a fault ends.
    fn expire(&self, fault: Fault) -> impl Future<Output = Result<()>> + Send;

    /// An error in the form of this endpoint.
    fn error(endpoint: Option<Endpoint>, status: StatusCode, text: &str) -> Response;
}

/// What has arrived is done to its end though its client hangs up, as platforms do.
pub(crate) async fn gate<P: Gated>(
    State(platform): State<Arc<P>>,
    request: Request,
    next: Next,
) -> Response {
    let endpoint = P::endpoint(request.method(), request.uri().path());
    tokio::spawn(judged(platform, endpoint, request, next)).await.unwrap_or_else(|_| {
        let text = "the emulator failed: a handler panicked, or the runtime is shutting down";
        P::error(endpoint, StatusCode::SERVICE_UNAVAILABLE, text)
    })
}

async fn judged<P: Gated>(
    platform: Arc<P>,
    endpoint: Option<Endpoint>,
    request: Request,
    next: Next,
) -> Response {
    let shared = platform.shared();
    let fault = endpoint.and_then(|endpoint| shared.faults.take(endpoint));
    let arrived = Recorded {
        at: shared.now(),
        endpoint,
        method: request.method().clone(),
        path: request.uri().path().chars().take(MOST_PATH).collect(),
        source: source(request.extensions()),
        scheme: P::scheme(request.headers()),
        status: None,
        fault,
    };
    let response = match settle(platform.registry()).await {
        Ok(()) => {
            let response = with_fault(&*platform, fault, endpoint, request, next).await;
            in_form::<P>(endpoint, response).await
        }
        Err(error) => failed::<P>(endpoint, &error),
    };
    let status = (!ConnectionDropped::is(&response)).then(|| response.status());
    shared.record.note(Recorded { at: shared.now(), status, ..arrived });
    response
}

/// The registry has no background: it believes the clock, however far and in which direction a test has moved it, and knows
/// what was used when.
pub(crate) async fn settle(registry: &Registry) -> Result<()> {
    if registry.clock_suspicion().is_some() {
        registry.trust_clock();
    }
    registry.flush_uses().await
}

/// So many characters of a path are recorded: no path of a platform has as many.
const MOST_PATH: usize = 200;

async fn with_fault<P: Gated>(
    platform: &P,
    fault: Option<Fault>,
    endpoint: Option<Endpoint>,
    request: Request,
    next: Next,
) -> Response {
    match fault {
        None => next.run(request).await,
        Some(
            fault @ (Fault::ExpireNow | Fault::ExpireSessions | Fault::ExpireKeyManagerTokens),
        ) => match platform.expire(fault).await {
            Ok(()) => next.run(request).await,
            Err(error) => failed::<P>(endpoint, &error),
        },
        Some(Fault::Slow(span)) => {
            tokio::time::sleep(span).await;
            next.run(request).await
        }
        Some(Fault::Unauthorized) => P::error(endpoint, StatusCode::UNAUTHORIZED, P::UNAUTHORIZED),
        Some(Fault::Forbidden) => P::error(endpoint, StatusCode::FORBIDDEN, "Forbidden"),
        Some(Fault::TooManyRequests(span)) => {
            let status = StatusCode::TOO_MANY_REQUESTS;
            let mut response = P::error(endpoint, status, "Too many requests");
            wait(&mut response, span);
            response
        }
        Some(Fault::Reset) => ConnectionDropped::response(),
        Some(Fault::LostAnswer) => {
            next.run(request).await;
            ConnectionDropped::response()
        }
    }
}

/// A 503 that says what the emulator could not do. A platform would not say it; who tests wants to know.
pub(crate) fn failed<P: Gated>(endpoint: Option<Endpoint>, error: &auth_core::Error) -> Response {
    let text = format!("the emulator failed: {error}");
    P::error(endpoint, StatusCode::SERVICE_UNAVAILABLE, &text)
}

/// How long to wait, in whole seconds, rounded up.
pub(crate) fn wait(response: &mut Response, span: Duration) {
    let seconds = span.as_secs().saturating_add(u64::from(span.subsec_nanos() > 0));
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
}

pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Errors of layers and of the router have no form yet; those of handlers are JSON already.
pub(crate) async fn in_form<P: Gated>(endpoint: Option<Endpoint>, response: Response) -> Response {
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    let is_json = response.headers().get(header::CONTENT_TYPE) == Some(&JSON);
    if !is_error || is_json || ConnectionDropped::is(&response) {
        return response;
    }
    let text = match status {
        StatusCode::UNAUTHORIZED => P::UNAUTHORIZED,
        _ => status.canonical_reason().unwrap_or("Error"),
    };
    let (mut head, body) = response.into_parts();
    // The body of a refusal ends when the rest of an upload was read: its sender would not see the answer before that.
    let _ = to_bytes(body, MOST_BODY_BYTES).await;
    let formed = P::error(endpoint, status, text);
    head.headers.remove(header::CONTENT_LENGTH);
    head.headers.insert(header::CONTENT_TYPE, JSON);
    Response::from_parts(head, formed.into_body())
}
