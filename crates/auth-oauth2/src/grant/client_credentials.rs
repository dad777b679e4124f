//! The client's own token (RFC 6749 section 4.4).

use super::{Grant, OpenGrant};
use crate::{ClientRegistration, OAuthToken, TokenRequest};
use auth_core::{ConnectionId, Context, Flow, KeyHasher, Renewal, Result, TokenSource};
use std::borrow::Cow;

/// Obtains tokens for the client itself, outside any user's context (RFC 6749 section 4.4).
///
/// ```
/// use auth_oauth2::{ClientAuthentication, ClientCredentials, ClientRegistration, Context, TokenEndpoint};
/// use auth_session::Session;
/// # use auth_testing::ScriptedTransport;
/// # let transport = ScriptedTransport::new(|_| Ok(http::Response::new(
/// #     br#"{"access_token":"2YotnFZFEjr1zCsicMWpAA","expires_in":3600}"#.to_vec())));
/// let client = ClientAuthentication::client_secret_post("acme", "s3cret")?;
/// let registration = ClientRegistration::new(TokenEndpoint::new("https://login.example/token")?, client);
/// let grant = ClientCredentials::new(registration).with_scope("sms:message:send")?;
///
/// // An authenticator: one token for all requests, renewed ahead of its end.
/// let session = Session::new(grant, Context::new(transport));
/// assert!(session.token().wait()?.token.access_token().matches(b"2YotnFZFEjr1zCsicMWpAA"));
/// # Ok::<_, auth_oauth2::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ClientCredentials(OpenGrant);

impl ClientCredentials {
    /// Tokens for the client of this registration.
    #[must_use]
    pub fn new(registration: ClientRegistration) -> Self {
        Self(OpenGrant::new(registration, TokenRequest::new("client_credentials")))
    }

    /// With the scopes that are asked for, one space between two; without, or empty, the server decides.
    ///
    /// # Errors
    ///
    /// As for [`TokenRequest::with_scope`].
    pub fn with_scope(self, scope: &str) -> Result<Self> {
        self.with(|request| request.with_scope(scope))
    }

    /// With a resource that tokens are for (RFC 8707); may be called several times.
    ///
    /// # Errors
    ///
    /// As for [`TokenRequest::with_resource`].
    pub fn with_resource(self, resource: &str) -> Result<Self> {
        self.with(|request| request.with_resource(resource))
    }

    /// With the audience that some servers want to know.
    ///
    /// # Errors
    ///
    /// As for [`TokenRequest::with_parameter`].
    pub fn with_audience(self, audience: &str) -> Result<Self> {
        self.with(|request| request.with_audience(audience))
    }

    /// With another parameter.
    ///
    /// # Errors
    ///
    /// As for [`TokenRequest::with_parameter`].
    pub fn with_parameter(
        self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<String>,
    ) -> Result<Self> {
        self.with(|request| request.with_parameter(name, value))
    }

    fn with(self, change: impl FnOnce(TokenRequest) -> Result<TokenRequest>) -> Result<Self> {
        self.0.with_request(change).map(Self)
    }
}

impl Grant for ClientCredentials {
    fn token_name(&self, hasher: &KeyHasher, connection: &ConnectionId) -> String {
        self.0.token_name(hasher, connection)
    }

    fn revoke<'a>(&'a self, token: &'a OAuthToken, context: &'a Context) -> Flow<'a, ()> {
        self.0.revoke(token, context)
    }
}

impl TokenSource for ClientCredentials {
    type Token = OAuthToken;

    fn token<'a>(&'a self, context: &'a Context, why: Renewal<OAuthToken>) -> Flow<'a, OAuthToken> {
        self.0.token(context, why)
    }
}
