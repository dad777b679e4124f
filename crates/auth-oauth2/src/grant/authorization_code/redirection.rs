//! Where users come back to a server.

use super::{
    AuthorizationCallback, AuthorizationCode, PendingAuthorization, PendingAuthorizations, pending,
};
use crate::OAuthToken;
use auth_core::{ConnectionId, Context, Error, Flow, Result, finish_even_if_dropped};
use http::{HeaderValue, Response, StatusCode, header};
use std::{fmt, sync::Arc};

/// The redirection endpoint of one connection (RFC 6749 section 3.1.2): where its users' browsers come back to a server.
///
/// The server's own framework calls it: [`begin`](Self::begin) for the page that sends a user away,
/// [`redeem`](Self::redeem) for a GET of the redirect URI, and [`page`](Self::page) for the answer to that.
///
/// # Security
///
/// The user is the one in whose session the request arrived, by the server's own log-in, and never a name that the request
/// brings. So a callback that an attacker began, or that another connection's server sends, redeems nothing.
///
/// What was begun is taken out of its store in one step before anything is asked: of two nodes, or of two requests, that
/// bring the same callback one redeems. A callback that is refused has spent what was begun, and the user begins again.
///
/// ```
/// use auth_core::{ConnectionId, SystemClock, TenantId};
/// use auth_oauth2::{AuthorizationCodeForm, Context, MemoryPendingAuthorizations, RedirectionEndpoint, Session};
/// # use auth_testing::ScriptedTransport;
/// # let transport = ScriptedTransport::new(|_| Ok(http::Response::new(br#"{"access_token":"t"}"#.to_vec())));
/// # let context = Context::new(transport);
/// let grant = AuthorizationCodeForm::new()
///     .with_consumer_id("acme")
///     .with_consumer_secret("s3cret")
///     .with_callback_url("https://platform.example/callback/acme-crm")
///     .with_authorization_url("https://login.example/authorize")
///     .with_access_token_url("https://login.example/token")
///     .build()?;
/// let connection = ConnectionId::new(TenantId::new("acme"), "crm");
/// let waiting = MemoryPendingAuthorizations::new(SystemClock);
/// let session = Session::new(grant.clone(), context.clone());
/// let endpoint = RedirectionEndpoint::new(grant, connection, waiting, context);
///
/// // Alice's browser is sent to `url`, and comes back with `query`.
/// let url = endpoint.begin("alice").wait()?;
/// # let state = url.split("state=").nth(1).unwrap().split('&').next().unwrap();
/// # let query = format!("code=SplxlOBeZQQYbYS6WxSbIA&state={state}");
/// let keeping = session.clone();
/// let outcome = endpoint.redeem(&query, "alice", move |token| keeping.put(token).map(drop).into()).wait();
/// assert_eq!(RedirectionEndpoint::page(&outcome).status(), 200);
/// assert!(session.token().wait()?.token.access_token().matches(b"t"));
/// # Ok::<_, auth_oauth2::Error>(())
/// ```
#[derive(Clone)]
pub struct RedirectionEndpoint(Arc<Inner>);

struct Inner {
    grant: AuthorizationCode,
    connection: ConnectionId,
    waiting: Box<dyn PendingAuthorizations>,
    context: Context,
}

impl RedirectionEndpoint {
    /// The endpoint of this connection, which has a redirect URI of its own; the connection's user is the one that each
    /// call names. Endpoints of several connections, and of several nodes, share one store of what is begun.
    pub fn new(
        grant: AuthorizationCode,
        connection: ConnectionId,
        waiting: impl PendingAuthorizations + 'static,
        context: Context,
    ) -> Self {
        Self(Arc::new(Inner { grant, connection, waiting: Box::new(waiting), context }))
    }

    /// Begins an authorization for this user, and keeps it until the browser comes back: the URL to send the browser to.
    ///
    /// # Errors
    ///
    /// Those of [`AuthorizationCode::begin`] and of [`PendingAuthorizations::keep`].
    pub fn begin(&self, user: &str) -> Flow<'_, String> {
        let connection = self.0.connection.clone().on_behalf_of(user);
        match self.0.grant.begin(&connection, &self.0.context) {
            Ok((url, pending)) => self.0.waiting.keep(pending).map(move |()| url),
            Err(error) => Flow::failed(error),
        }
    }

    /// Redeems what the browser of this user came back with: `query` is what stood behind `?`, and `keep` puts the token
    /// where it is used, into the user's [`Session`](auth_session::Session) for example.
    ///
    /// Once the callback has been read, all of it is done though the browser goes away, where the context's transport has
    /// something to run it on: a code is spent by being redeemed.
    ///
    /// # Errors
    ///
    /// `Error::Protocol` with `oauth2_callback` when the query is none that an authorization server sends, as when a
    /// person opens the redirect URI: nobody is asked then. `Error::Refused` with `oauth2_state` when this user has begun
    /// nothing of that `state` here. Else those of the store, of [`AuthorizationCode::redeem`] and of `keep`.
    pub fn redeem(
        &self,
        query: &str,
        user: &str,
        keep: impl FnOnce(OAuthToken) -> Flow<'static, ()> + Send + 'static,
    ) -> Flow<'static, ()> {
        let callback = match AuthorizationCallback::parse(query) {
            Ok(callback) => callback,
            Err(error) => return Flow::failed(error),
        };
        let inner = Arc::clone(&self.0);
        let connection = inner.connection.clone().on_behalf_of(user);
        let work = async move {
            let Inner { grant, waiting, context, .. } = &*inner;
            let begun: Option<PendingAuthorization> = waiting.take(callback.state()).await?;
            let begun = begun.ok_or_else(pending::unknown)?;
            keep(grant.redeem(begun, callback, &connection, context).await?).await
        };
        finish_even_if_dropped(&*self.0.context.transport, Flow::new(work))
    }

    /// What the browser is answered: a plain sentence for each outcome, which repeats nothing of what came, and which no
    /// cache keeps.
    ///
    /// | outcome | status |
    /// |---|---|
    /// | redeemed | 200 |
    /// | no callback, not begun here, or refused by the user or the server | 400 |
    /// | the store or the server is down or asked too often | 503 |
    /// | another error, which is the operator's to mend | 502 |
    #[must_use]
    pub fn page(outcome: &Result<()>) -> Response<String> {
        let (status, sentence) = match outcome {
            Ok(()) => (StatusCode::OK, "The connection is authorized. You can close this window."),
            Err(error) if error.code() == "oauth2_callback" => (
                StatusCode::BAD_REQUEST,
                "This address is opened by an authorization server alone. Begin the authorization in the program.",
            ),
            Err(error) if error.code() == "oauth2_authorization_refused" => (
                StatusCode::BAD_REQUEST,
                "The authorization was refused. You can close this window, or begin again.",
            ),
            Err(Error::Refused(_)) => (
                StatusCode::BAD_REQUEST,
                "This answer belongs to no authorization that you have begun here in the last ten minutes. Begin again.",
            ),
            Err(Error::Unavailable { .. } | Error::Transport(_)) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "The authorization could not be finished now. Begin again in some minutes.",
            ),
            Err(_) => (
                StatusCode::BAD_GATEWAY,
                "The authorization could not be finished. Tell the operator of this program.",
            ),
        };
        let mut page = Response::new(String::from(sentence));
        *page.status_mut() = status;
        let fields = page.headers_mut();
        fields.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        // The URL of the page has the code and the state.
        fields.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        page
    }
}

impl fmt::Debug for RedirectionEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedirectionEndpoint({:?})", self.0.connection)
    }
}
