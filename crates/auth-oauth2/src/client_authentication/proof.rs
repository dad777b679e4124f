//! What one request has of its client's authentication.

use super::{ClientAuthentication, Method, assertion};
use auth_core::Secret;
use auth_jwt::SignedJwt;
use http::HeaderValue;

/// How a client authenticates in one request.
pub(crate) struct ClientProof<'a> {
    client: &'a ClientAuthentication,
    /// One assertion more: its time and its identifier are its own.
    assertion: Option<SignedJwt>,
}

impl<'a> ClientProof<'a> {
    pub(super) const fn new(
        client: &'a ClientAuthentication,
        assertion: Option<SignedJwt>,
    ) -> Self {
        Self { client, assertion }
    }

    /// The field `Authorization`, if it stands there.
    pub(crate) fn authorization(&self) -> Option<&HeaderValue> {
        match &self.client.method {
            Method::Basic(field, _) => Some(field),
            Method::None | Method::Post(_) | Method::Assertion(_) => None,
        }
    }

    /// The parameters of the request.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = (&str, &str)> + Clone {
        let id = match &self.client.method {
            Method::Basic(..) => None,
            Method::None | Method::Post(_) | Method::Assertion(_) => Some(&*self.client.client_id),
        };
        let secret = match &self.client.method {
            Method::Post(secret) => Some(text(secret)),
            Method::None | Method::Basic(..) | Method::Assertion(_) => None,
        };
        let assertion = self.assertion.as_ref().map(SignedJwt::expose);
        let kind = assertion.map(|_| assertion::TYPE);
        let all = [
            ("client_id", id),
            ("client_secret", secret),
            ("client_assertion_type", kind),
            ("client_assertion", assertion),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value?)))
    }

    /// What a server that repeats its request would show.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &str> {
        let (secret, field) = match &self.client.method {
            Method::Post(secret) => (Some(text(secret)), None),
            Method::Basic(field, secret) => (Some(text(secret)), field.to_str().ok()),
            Method::None | Method::Assertion(_) => (None, None),
        };
        let field = field.and_then(|field| field.strip_prefix("Basic "));
        [secret, field, self.assertion.as_ref().map(SignedJwt::expose)].into_iter().flatten()
    }
}

/// Secrets were checked to be text.
fn text(secret: &Secret) -> &str {
    secret.expose_text().unwrap_or_default()
}
