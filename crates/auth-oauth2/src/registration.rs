//! A client at an authorization server: where it asks, who it is, and how it is answered.

use crate::{
    ClientAuthentication, OAuthToken, TokenAnswerFormat, TokenEndpoint, TokenRequest, token::Asked,
};
use auth_core::{Context, Error, Flow, Result};
use std::{fmt, time::Duration};

/// What an operator was given when the client was registered at an authorization server, and what they know of the
/// server. Every grant is made of one.
///
/// ```
/// use auth_oauth2::{ClientAuthentication, ClientRegistration, TokenEndpoint};
/// use std::time::Duration;
///
/// let client = ClientAuthentication::client_secret_post("acme", "s3cret")?;
/// let registration = ClientRegistration::new(TokenEndpoint::new("https://login.example/token")?, client)
///     .with_validity(Duration::from_secs(3600));
/// # Ok::<_, auth_oauth2::Error>(())
/// ```
#[derive(Clone)]
pub struct ClientRegistration {
    endpoint: TokenEndpoint,
    refresh_endpoint: Option<TokenEndpoint>,
    client: ClientAuthentication,
    format: TokenAnswerFormat,
    validity: Option<Duration>,
}

impl ClientRegistration {
    /// The client with this authentication at this endpoint.
    #[must_use]
    pub const fn new(endpoint: TokenEndpoint, client: ClientAuthentication) -> Self {
        Self {
            endpoint,
            refresh_endpoint: None,
            client,
            format: TokenAnswerFormat::new(),
            validity: None,
        }
    }

    /// With another endpoint for refreshing tokens. The client authenticates there as it does at the token endpoint, so
    /// it has to be the same server's.
    #[must_use]
    pub fn with_refresh_endpoint(self, endpoint: TokenEndpoint) -> Self {
        Self { refresh_endpoint: Some(endpoint), ..self }
    }

    /// With answers in another form than that of RFC 6749.
    #[must_use]
    pub fn with_answer_format(self, format: TokenAnswerFormat) -> Self {
        Self { format, ..self }
    }

    /// With how long tokens last where the server does not say it. Without that, and without the server's word, a token
    /// is used until it is refused.
    #[must_use]
    pub const fn with_validity(mut self, validity: Duration) -> Self {
        self.validity = Some(validity);
        self
    }

    /// Asks the token endpoint, and reads its answer.
    ///
    /// # Errors
    ///
    /// Those of [`TokenRequest::exchange`], of the transport, and of [`TokenAnswerFormat::read`].
    pub fn obtain<'a>(
        &'a self,
        request: &'a TokenRequest,
        context: &'a Context,
    ) -> Flow<'a, OAuthToken> {
        Flow::new(self.ask(&self.endpoint, request, context, None))
    }

    /// Asks for a new token in place of one that has a refresh token (RFC 6749 section 6).
    ///
    /// # Errors
    ///
    /// `Error::Refused` with `oauth2_no_refresh_token` when it has none, or when that has ended; else those of
    /// [`obtain`](Self::obtain).
    pub fn refresh<'a>(
        &'a self,
        token: &'a OAuthToken,
        context: &'a Context,
    ) -> Flow<'a, OAuthToken> {
        Flow::new(async move {
            let request = self.refresh_request(token, context)?;
            let endpoint = self.refresh_endpoint.as_ref().unwrap_or(&self.endpoint);
            self.ask(endpoint, &request, context, Some(token)).await
        })
    }

    fn refresh_request(&self, token: &OAuthToken, context: &Context) -> Result<TokenRequest> {
        let now = context.clock.now();
        let usable =
            token.refresh_token().filter(|_| token.refresh_ends().is_none_or(|ends| now < ends));
        let Some(refresh_token) = usable.and_then(|token| std::str::from_utf8(token.expose()).ok())
        else {
            let text =
                "token has no refresh token that can still be used; the grant has to be made again";
            return Err(Error::refused("oauth2_no_refresh_token", text));
        };
        TokenRequest::new("refresh_token").with_parameter("refresh_token", refresh_token)
    }

    pub(crate) fn client_id(&self) -> &str {
        self.client.client_id()
    }

    async fn ask(
        &self,
        endpoint: &TokenEndpoint,
        request: &TokenRequest,
        context: &Context,
        replaced: Option<&OAuthToken>,
    ) -> Result<OAuthToken> {
        let (exchange, secrets) = request.prepare(endpoint, &self.client, context)?;
        let answer = context.transport.fetch(exchange).await?;
        let now = context.clock.now();
        let answer = self.format.read_without(&answer, now, &secrets)?;
        OAuthToken::granted(answer, now, Asked { validity: self.validity, replaced })
    }
}

impl fmt::Debug for ClientRegistration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientRegistration({:?} at {:?})", self.client, self.endpoint)
    }
}
