//! The axum extractor.

use crate::Authenticated;
use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use http::{Extensions, StatusCode, request::Parts};
use std::any::type_name;

/// `Authenticated<P>` as a handler's argument: there behind a [`VerifyLayer`](crate::VerifyLayer) whose principal is
/// `P`. Without one the handler is not run, and the answer is a 500: a route that forgot its layer must not look open.
/// The log says which principal the handler asked for, and which one there is.
impl<P, S> FromRequestParts<S> for Authenticated<P>
where
    P: Clone + Send + Sync + 'static,
    S: Sync,
{
    type Rejection = (StatusCode, &'static str);

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        parts.extensions.get().cloned().ok_or_else(|| missing::<P>(&parts.extensions))
    }
}

/// `Option<Authenticated<P>>` as a handler's argument: `None` on a route without any [`VerifyLayer`](crate::VerifyLayer),
/// for a handler that serves routes with a layer and routes without.
///
/// Behind a layer with another principal the answer is a 500, as it is for `Authenticated<P>`: a caller who is known
/// must not be taken for one who is not.
impl<P, S> OptionalFromRequestParts<S> for Authenticated<P>
where
    P: Clone + Send + Sync + 'static,
    S: Sync,
{
    type Rejection = (StatusCode, &'static str);

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Self::Rejection> {
        match (parts.extensions.get(), parts.extensions.get::<Provided>()) {
            (Some(found), _) => Ok(Some(Self::clone(found))),
            (None, None) => Ok(None),
            (None, Some(_)) => Err(missing::<P>(&parts.extensions)),
        }
    }
}

/// The type of the principal that the layer nearest to the handler provides.
#[derive(Clone, Copy)]
struct Provided(&'static str);

pub(crate) fn provides<P>(extensions: &mut Extensions) {
    extensions.insert(Provided(type_name::<P>()));
}

fn missing<P>(extensions: &Extensions) -> (StatusCode, &'static str) {
    let provided = extensions.get::<Provided>().map_or("none", |provided| provided.0);
    tracing::error!(
        asked_for = type_name::<P>(),
        provided,
        "handler asks for a principal that no layer provides; map the verifier to it, or ask for the other one"
    );
    (StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error\n")
}
