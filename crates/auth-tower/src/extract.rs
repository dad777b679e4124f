//! The axum extractor.

use crate::Authenticated;
use axum::{
    extract::{FromRequestParts, OptionalFromRequestParts},
    response::{IntoResponse, Response},
};
use http::{StatusCode, request::Parts};
use std::{any::type_name, convert::Infallible};

/// `Authenticated<P>` as a handler's argument: there behind a [`VerifyLayer`](crate::VerifyLayer) whose principal is
/// `P`. Without one the handler is not run, and the answer is a 500: a route that forgot its layer must not look open.
/// The log names the type of the principal that the handler asks for, and the one that the layer provides.
impl<P, S> FromRequestParts<S> for Authenticated<P>
where
    P: Clone + Send + Sync + 'static,
    S: Sync,
{
    type Rejection = NoSuchPrincipal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, NoSuchPrincipal> {
        parts.extensions.get().cloned().ok_or_else(NoSuchPrincipal::of::<P>)
    }
}

/// `Option<Authenticated<P>>` as a handler's argument, for a handler that serves routes with a layer and routes without:
/// `None` where no [`VerifyLayer`](crate::VerifyLayer) provides a principal `P`.
impl<P, S> OptionalFromRequestParts<S> for Authenticated<P>
where
    P: Clone + Send + Sync + 'static,
    S: Sync,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Infallible> {
        Ok(parts.extensions.get().cloned())
    }
}

/// A handler asked for a principal of a type that no layer provides: a 500 outside, and an error in the log.
#[derive(Clone, Copy, Debug)]
pub struct NoSuchPrincipal {
    asked_for: &'static str,
}

impl NoSuchPrincipal {
    fn of<P>() -> Self {
        let asked_for = type_name::<P>();
        tracing::error!(asked_for, "handler asks for a principal that no layer provides");
        Self { asked_for }
    }
}

impl IntoResponse for NoSuchPrincipal {
    /// With itself in the extensions, so that the layers around the handler can say what they provide.
    fn into_response(self) -> Response {
        let text = "Internal Server Error\n";
        let mut response = (StatusCode::INTERNAL_SERVER_ERROR, text).into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Logs what this layer provides, when the handler has asked for another principal.
pub(crate) fn explain<P, R>(response: &http::Response<R>) {
    if response.status() != StatusCode::INTERNAL_SERVER_ERROR {
        return;
    }
    if let Some(NoSuchPrincipal { asked_for }) = response.extensions().get() {
        tracing::error!(
            asked_for,
            provided = type_name::<P>(),
            "handler asks for another principal than this layer provides: map the verifier, or ask for the one that is \
             provided"
        );
    }
}
