//! A client at an authorization server: where it asks, who it is, and how it is answered.

mod refresh;
mod refused_client;
mod revoke;

use crate::{
    ClientAuthentication, OAuthToken, TokenAnswerFormat, TokenEndpoint, TokenRequest,
    token::{Asked, Replaced},
    token_name::NameParts,
};
use auth_core::{Context, Flow, KeyHasher, Result};
use refused_client::RefusedClient;
use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

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
    revocation_endpoint: Option<TokenEndpoint>,
    client: ClientAuthentication,
    format: TokenAnswerFormat,
    validity: Option<Duration>,
    rotation_hook: Option<Arc<RotationHook>>,
    refused: Arc<RefusedClient>,
}

type RotationHook = dyn Fn(&OAuthToken) + Send + Sync;

impl ClientRegistration {
    /// The client with this authentication at this endpoint.
    #[must_use]
    pub fn new(endpoint: TokenEndpoint, client: ClientAuthentication) -> Self {
        Self {
            endpoint,
            refresh_endpoint: None,
            revocation_endpoint: None,
            client,
            format: TokenAnswerFormat::new(),
            validity: None,
            rotation_hook: None,
            refused: Arc::default(),
        }
    }

    /// With another endpoint for refreshing tokens. The client authenticates there as it does at the token endpoint, so
    /// it has to be the same server's.
    #[must_use]
    pub fn with_refresh_endpoint(self, endpoint: TokenEndpoint) -> Self {
        Self { refresh_endpoint: Some(endpoint), refused: Arc::default(), ..self }
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

    /// With a hook that is told of every rotation: of each token whose refresh token is another one than that which it
    /// was obtained with, before the token is used or saved.
    ///
    /// To keep tokens, give the session a [store](crate::OAuthConnection): a store can say that it failed. A hook that
    /// panics is passed over.
    #[must_use]
    pub fn with_rotation_hook(self, hook: impl Fn(&OAuthToken) + Send + Sync + 'static) -> Self {
        Self { rotation_hook: Some(Arc::new(hook)), ..self }
    }

    /// Asks the token endpoint, and reads its answer.
    ///
    /// After `invalid_client` the server is not asked for five minutes, and then twice as long each time, up to an hour:
    /// until then the same error is the answer, to every clone of this registration.
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

    pub(crate) fn token_endpoint(&self) -> &str {
        self.endpoint.url()
    }

    pub(crate) fn client_id(&self) -> &str {
        self.client.client_id()
    }

    /// All that is sent in its name: another secret, or another endpoint, makes another name.
    pub(crate) fn add_to_name(&self, name: &mut NameParts, hasher: &KeyHasher) {
        self.endpoint.add_to(name);
        name.add([u8::from(self.refresh_endpoint.is_some())]);
        self.refresh_endpoint.iter().for_each(|endpoint| endpoint.add_to(name));
        self.client.add_to_name(name, hasher);
    }

    async fn ask(
        &self,
        endpoint: &TokenEndpoint,
        request: &TokenRequest,
        context: &Context,
        replaced: Option<Replaced<'_>>,
    ) -> Result<OAuthToken> {
        self.refused.may_ask(context.clock.steady())?;
        let (exchange, secrets) = request.prepare(endpoint, &self.client, context)?;
        let answer = context.transport.fetch(exchange).await?;
        let now = context.clock.now();
        let answer = self.format.read_without(&answer, now, &secrets);
        self.refused.answered(&answer, context.clock.steady());
        let token = OAuthToken::granted(answer?, now, Asked { validity: self.validity, replaced })?;
        if replaced.is_some_and(|replaced| token.is_rotated_from(replaced.token)) {
            self.tell_rotated(&token);
        }
        Ok(token)
    }

    /// A hook that panics takes no token along. The panic was reported where it began.
    fn tell_rotated(&self, token: &OAuthToken) {
        if let Some(hook) = &self.rotation_hook {
            let _ = catch_unwind(AssertUnwindSafe(|| hook(token)));
        }
    }
}

impl fmt::Debug for ClientRegistration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientRegistration({:?} at {:?})", self.client, self.endpoint)
    }
}
