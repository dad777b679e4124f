//! The axum extractor.

use crate::Authenticated;
use axum::extract::FromRequestParts;
use http::{StatusCode, request::Parts};

/// `Authenticated<P>` as a handler's argument: there behind a [`VerifyLayer`](crate::VerifyLayer) whose principal is
/// `P`. Without one the handler is not run, and the answer is a 500: a route that forgot its layer must not look open.
impl<P, S> FromRequestParts<S> for Authenticated<P>
where
    P: Clone + Send + Sync + 'static,
    S: Sync,
{
    type Rejection = (StatusCode, &'static str);

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        parts
            .extensions
            .get()
            .cloned()
            .ok_or((StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error\n"))
    }
}
