//! One connection at an authorization server, whose tokens outlive the process.

use crate::{Grant, MaskedToken, OAuthToken};
use auth_core::{
    Answer, Authenticator, ConnectionId, Context, Credentials, Flow, KeyHasher, Need, Renewal,
    RequestView, Result, TokenSource, Verdict, finish_even_if_dropped,
};
use auth_session::{Session, Stored, TokenStore};
use http::{HeaderMap, StatusCode};
use std::fmt;

/// One connection of a tenant at an authorization server: a grant, its tokens in a store, and the session that presents
/// them. It is an [`Authenticator`], and the place where a platform's form asks for a token and shows it.
///
/// Processes that share the store and the key of the hasher share the tokens: one of them renews for all.
///
/// A clone is the same connection.
///
/// # Security
///
/// Tokens are kept under a [keyed hash](Grant::token_name) of the connection and of all that they are obtained with: an
/// edited secret or scope never serves an old token, and no tenant can be served a token of another one.
///
/// ```
/// use auth_oauth2::{ClientAuthentication, ClientCredentials, ClientRegistration, ConnectionId, Context};
/// use auth_oauth2::{KeyHasher, OAuthConnection, Secret, SystemClock, TenantId, TokenEndpoint};
/// use auth_session::MemoryTokenStore;
/// # use auth_testing::ScriptedTransport;
/// # let transport = ScriptedTransport::new(|_| Ok(http::Response::new(
/// #     br#"{"access_token":"2YotnFZFEjr1zCsicMWpAA","expires_in":3600}"#.to_vec())));
/// let client = ClientAuthentication::client_secret_post("acme", "s3cret")?;
/// let grant = ClientCredentials::new(ClientRegistration::new(TokenEndpoint::new("https://login.example/token")?, client));
///
/// let hasher = KeyHasher::new(&Secret::new([7; 32]))?; // 32 random bytes of the platform
/// let id = ConnectionId::new(TenantId::new("acme"), "crm");
/// let store = MemoryTokenStore::new(SystemClock);
/// let connection = OAuthConnection::new(grant, store, &hasher, &id, Context::new(transport));
///
/// // The button "get access token": fetched now, shown masked, revealed by another call.
/// let shown = connection.fetch_token().wait()?;
/// assert_eq!((shown.token_type, &*shown.access_token), ("Bearer", "WpAA"));
/// # Ok::<_, auth_oauth2::Error>(())
/// ```
pub struct OAuthConnection<G, K>(Session<Stored<G, K>>)
where
    G: Grant + 'static,
    K: TokenStore + 'static;

impl<G, K> OAuthConnection<G, K>
where
    G: Grant + 'static,
    K: TokenStore + 'static,
{
    /// The connection of this grant over a store. Nothing is read or fetched before it is used.
    pub fn new(
        grant: G,
        store: K,
        hasher: &KeyHasher,
        connection: &ConnectionId,
        context: Context,
    ) -> Self {
        let name = grant.token_name(hasher, connection);
        Self(Session::new(Stored::new(grant, store, &name), context))
    }

    /// The session that presents its tokens, for whatever wants one.
    #[must_use]
    pub const fn session(&self) -> &Session<Stored<G, K>> {
        &self.0
    }

    /// Fetches another token now, keeps it, and returns what a screen may show of it. A token with a refresh token is
    /// refreshed; the session uses the new token from here on.
    ///
    /// The exchange is seen through though the caller gives up.
    ///
    /// # Errors
    ///
    /// Those of the grant and of the store. The token that was kept before stays.
    pub fn fetch_token(&self) -> Flow<'static, MaskedToken> {
        self.seen_through(|session| async move {
            let stored = session.source();
            let why = stored.kept().await?.map_or(Renewal::First, Renewal::Due);
            let token = stored.token(session.context(), why).await?;
            session.put(token.clone())?;
            Ok(token.token().masked())
        })
    }

    /// Keeps a token that was obtained elsewhere, such as one that a code was
    /// [redeemed](crate::AuthorizationCode::redeem) for, and uses it from here on.
    ///
    /// # Errors
    ///
    /// `Error::Unavailable` with `session_token_not_saved` when the store fails. The connection keeps the token in memory
    /// then, and its next renewal saves it in place of an exchange and uses it; where the connection has no token that
    /// lives, the next request is such a renewal. `Error::Config` with `session_ended` after [`forget`](Self::forget).
    pub fn put_token(&self, token: OAuthToken) -> Flow<'static, MaskedToken> {
        self.seen_through(|session| async move {
            let kept = session.source().put(session.context(), token).await?;
            session.put(kept.clone())?;
            Ok(kept.token().masked())
        })
    }

    /// Forgets the connection: its session is ended, what is being obtained is seen through, and what is kept is removed.
    /// No process that shares the store uses or refreshes the token any more, once the one that it has in memory is due.
    /// Another process whose connection goes on obtains another token, where its grant needs no user.
    ///
    /// The authorization server is not told: [`revoke`](Self::revoke) tells it.
    ///
    /// # Errors
    ///
    /// Those of the store. The session has ended all the same.
    pub fn forget(&self) -> Flow<'static, ()> {
        self.seen_through(|session| async move {
            session.end().await?;
            session.source().remove(session.context()).await
        })
    }

    /// Forgets the connection as [`forget`](Self::forget) does, and has its token revoked at the authorization server, where
    /// the registration says [at which endpoint](crate::ClientRegistration::with_revocation_endpoint).
    ///
    /// # Errors
    ///
    /// Those of the store, and those of the server. The connection is forgotten whatever the server says.
    pub fn revoke(&self) -> Flow<'static, ()> {
        self.seen_through(|session| async move {
            session.end().await?;
            let (stored, context) = (session.source(), session.context());
            match stored.take(context).await? {
                Some(token) => stored.source().revoke(&token, context).await,
                None => Ok(()),
            }
        })
    }

    /// What a screen may show of the token that is kept, if one is; nothing is fetched.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub fn masked_token(&self) -> Flow<'_, Option<MaskedToken>> {
        self.0.source().kept().map(|kept| kept.map(|kept| kept.token().masked()))
    }

    /// The token that is kept, in full: [`access_token`](OAuthToken::access_token) and
    /// [`refresh_token`](OAuthToken::refresh_token) reveal it. Nothing is fetched.
    ///
    /// # Security
    ///
    /// The program decides which of its users may see a token, and should record who saw it and when.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub fn reveal_token(&self) -> Flow<'_, Option<OAuthToken>> {
        self.0.source().kept().map(|kept| kept.map(|kept| kept.token().clone()))
    }

    fn seen_through<T, F>(&self, act: impl FnOnce(Session<Stored<G, K>>) -> F) -> Flow<'static, T>
    where
        T: Clone + Send + Sync + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        finish_even_if_dropped(&*self.0.context().transport, Flow::new(act(self.0.clone())))
    }
}

impl<G, K> Authenticator for OAuthConnection<G, K>
where
    G: Grant + 'static,
    K: TokenStore + 'static,
{
    #[inline]
    fn credentials<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Credentials> {
        self.0.credentials(request)
    }

    fn assess(&self, sent: &Credentials, answer: Answer<'_>) -> Verdict {
        self.0.assess(sent, answer)
    }

    fn reads(&self, status: StatusCode, headers: &HeaderMap) -> Need {
        self.0.reads(status, headers)
    }
}

impl<G, K> Clone for OAuthConnection<G, K>
where
    G: Grant + 'static,
    K: TokenStore + 'static,
{
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<G, K> fmt::Debug for OAuthConnection<G, K>
where
    G: Grant + 'static,
    K: TokenStore + 'static,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OAuthConnection({:?})", self.0)
    }
}
