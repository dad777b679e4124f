//! What Infobip brings to the gate of its requests.

use super::{answers, app::App};
use crate::{Endpoint, Fault, gate::Gated, record::scheme, shared::Shared};
use auth_core::Result;
use auth_ibsso::{ErrorForm, SESSION_PATH};
use auth_lifecycle::Registry;
use axum::response::Response;
use http::{HeaderMap, Method, StatusCode};

impl Gated for App {
    const UNAUTHORIZED: &'static str = "Invalid login details";

    fn shared(&self) -> &Shared {
        &self.shared
    }

    fn registry(&self) -> &Registry {
        self.platform.registry()
    }

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

    fn scheme(headers: &HeaderMap) -> Option<&'static str> {
        scheme(headers)
    }

    async fn expire(&self, fault: Fault) -> Result<()> {
        if fault == Fault::ExpireNow {
            self.end_tokens()?;
        }
        match fault {
            Fault::ExpireNow | Fault::ExpireSessions => {
                self.platform.sessions().end_all(&self.account).await
            }
            _ => Ok(()),
        }
    }

    fn error(endpoint: Option<Endpoint>, status: StatusCode, text: &str) -> Response {
        let form = match endpoint {
            Some(Endpoint::Settings) => ErrorForm::ErrorCode,
            _ => ErrorForm::ServiceException,
        };
        answers::error(form, status, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::in_form;
    use axum::body::{Body, Bytes};
    use http_body_util::{BodyExt, Full};
    use std::sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    };

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
        let formed = in_form::<App>(Some(Endpoint::Settings), refusal).await;
        assert!(waited.load(Ordering::SeqCst));
        let body = formed.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(auth_ibsso::error_code(&body).as_deref(), Some("E401"));
    }

    #[test]
    fn paths_are_those_of_their_endpoints() {
        let check = |method: &Method, path: &str, expected: Option<Endpoint>| {
            assert_eq!(App::endpoint(method, path), expected, "{method} {path}");
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
