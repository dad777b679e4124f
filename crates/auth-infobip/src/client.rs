//! The platform as a program calls it.

use crate::{ApiKeyCalls, InfobipAnswer, InfobipAuthorization};
use auth_core::{
    Answer, Authenticator, Clock, Context, Credentials, Error, Flow, Need, Origin, OriginBound,
    RequestView, Result, Verdict,
};
use auth_ibsso::{IbssoSession, LogIn};
use auth_oauth2::{ClientAuthentication, ClientCredentials, ClientRegistration, TokenEndpoint};
use auth_session::{MemoryTokenStore, Session, TokenStore};
use auth_static::{ApiKey, Basic, Placement};
use http::{HeaderMap, StatusCode};
use std::{fmt, sync::Arc};

/// Infobip at a personal base URL, under one authorization: an [`Authenticator`] that is bound to that host.
///
/// A clone shares session and token.
#[derive(Clone)]
pub struct Infobip {
    base: Arc<str>,
    method: &'static str,
    clock: Arc<dyn Clock>,
    session: Option<InfobipSession>,
    authenticator: Arc<OriginBound<Arc<dyn Authenticator>>>,
}

/// The session of an [`Infobip`] under `ibsso`: [`Infobip::session`].
pub type InfobipSession = IbssoSession<Arc<dyn TokenStore>>;

impl Infobip {
    /// The platform at this base URL, which the account's pages show: `https://xyz12.api.infobip.com`.
    ///
    /// Nothing is sent before the first request. `context` brings the transport of log-ins and token requests.
    ///
    /// Under `ibsso` the session is of this process alone: with several processes, or where the next run logs in before the
    /// session has ended, take [`sharing_session`](Self::sharing_session).
    ///
    /// # Errors
    ///
    /// `Error::Config`: `infobip_base_url` for a URL with a path or a query, and those of the schemes for user name, password
    /// and key.
    pub fn new(
        base_url: &str,
        authorization: InfobipAuthorization,
        context: Context,
    ) -> Result<Self> {
        let store = MemoryTokenStore::new(Arc::clone(&context.clock));
        Self::sharing_session(base_url, authorization, store, "ibsso", context)
    }

    /// The platform, as [`new`](Self::new) makes it; under `ibsso` all processes that use this name in this store share one
    /// session, and so do a program and its next run. The other methods have no session, and leave the store alone.
    ///
    /// ```
    /// # use auth_infobip::{Context, Infobip, InfobipAuthorization, Result};
    /// # use auth_session::TokenStore;
    /// # fn of(authorization: InfobipAuthorization, store: impl TokenStore + 'static, context: Context) -> Result<()> {
    /// // `store` is a `SqliteTokenStore` of auth-store-sqlite or a `FileTokenStore` of auth-local, for example.
    /// let base = "https://xyz12.api.infobip.com";
    /// let infobip = Infobip::sharing_session(base, authorization, store, "acme at infobip", context)?;
    /// # let _ = infobip;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`new`](Self::new).
    ///
    /// # Security
    ///
    /// Whoever uses the name in the store gets the session, whichever password was configured: the name stands for the
    /// account and its user.
    pub fn sharing_session(
        base_url: &str,
        authorization: InfobipAuthorization,
        store: impl TokenStore + 'static,
        name: &str,
        context: Context,
    ) -> Result<Self> {
        let base = base_url.trim_end_matches('/');
        let origin = origin(base)?;
        let (method, clock) = (authorization.method(), Arc::clone(&context.clock));
        let mut session = None;
        let authenticator: Arc<dyn Authenticator> = match authorization {
            InfobipAuthorization::ApiKey { key, query_parameter } => {
                let placement = match query_parameter {
                    Some(name) => Placement::query(&name)?,
                    None => Placement::scheme("App")?,
                };
                Arc::new(ApiKey::new(placement, &key)?)
            }
            InfobipAuthorization::Basic { username, password } => {
                Arc::new(Basic::new(&username, &password)?)
            }
            InfobipAuthorization::Ibsso { username, password } => {
                let (log_in, store) = (LogIn::new(base, &username, &password)?, Arc::new(store));
                let made = InfobipSession::stored(log_in, store, name, context);
                session = Some(made.clone());
                Arc::new(made)
            }
            InfobipAuthorization::OAuth2 { client_id, client_secret } => {
                let endpoint = TokenEndpoint::new(&format!("{base}/auth/1/oauth2/token"))?;
                let client =
                    ClientAuthentication::client_secret_post(&client_id, client_secret.as_str())?;
                let grant = ClientCredentials::new(ClientRegistration::new(endpoint, client));
                Arc::new(Session::new(grant, context))
            }
        };
        let authenticator = Arc::new(OriginBound::new([origin], authenticator));
        Ok(Self { base: base.into(), method, clock, session, authenticator })
    }

    /// The session, under `ibsso`; `None` under the other methods, which have none.
    ///
    /// It is there to be ended before its time, so that the user can log in elsewhere:
    ///
    /// ```
    /// # fn end(infobip: &auth_infobip::Infobip) -> auth_infobip::Result<()> {
    /// if let Some(session) = infobip.session() {
    ///     session.destroy().wait()?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub const fn session(&self) -> Option<&InfobipSession> {
        self.session.as_ref()
    }

    /// The URL of an API, by its path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}/{}", self.base, path.strip_prefix('/').unwrap_or(path))
    }

    /// The `method` of the authorization.
    #[must_use]
    pub const fn method(&self) -> &'static str {
        self.method
    }

    /// What an answer says.
    #[must_use]
    pub fn read_answer(
        &self,
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
    ) -> InfobipAnswer {
        InfobipAnswer::read(status, headers, body, self.clock.now())
    }

    /// The calls that manage API keys.
    ///
    /// # Errors
    ///
    /// `Error::Config` with `infobip_api_key_cannot` under `api_key`: the platform lets no key manage keys.
    pub fn api_keys(&self) -> Result<ApiKeyCalls> {
        if self.method == "api_key" {
            let text = "API keys are managed under basic, ibsso or oauth2: the platform lets no key manage keys; configure \
                        another method for this";
            return Err(Error::config("infobip_api_key_cannot", text));
        }
        Ok(ApiKeyCalls::at(&self.base, Arc::clone(&self.clock)))
    }
}

fn origin(base: &str) -> Result<Origin> {
    let wrong = |why: &dyn fmt::Display| {
        let text = format!(
            "base URL of Infobip: {why}; expected something like https://xyz12.api.infobip.com"
        );
        Error::config("infobip_base_url", text)
    };
    let origin: Origin = base.parse().map_err(|error: Error| wrong(error.cause()))?;
    if !origin.is_confidential() {
        return Err(wrong(&"it is http, which anybody on the way can read"));
    }
    Ok(origin)
}

impl Authenticator for Infobip {
    fn credentials<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Credentials> {
        self.authenticator.credentials(request)
    }

    fn assess(&self, sent: &Credentials, answer: Answer<'_>) -> Verdict {
        self.authenticator.assess(sent, answer)
    }

    fn needs(&self, head: RequestView<'_>) -> Need {
        self.authenticator.needs(head)
    }

    fn reads(&self, status: StatusCode, headers: &HeaderMap) -> Need {
        self.authenticator.reads(status, headers)
    }
}

impl fmt::Debug for Infobip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Infobip({} at {})", self.method, self.base)
    }
}

#[cfg(test)]
mod tests;
