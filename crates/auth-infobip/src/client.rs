//! The platform as a program calls it.

use crate::{ApiKeyCalls, InfobipAnswer, InfobipAuthorization};
use auth_core::{
    Answer, Authenticator, Clock, Context, Credentials, Error, Flow, Need, Origin, OriginBound,
    RequestView, Result, Verdict,
};
use auth_ibsso::{IbssoSession, LogIn};
use auth_oauth2::{ClientAuthentication, ClientCredentials, ClientRegistration, TokenEndpoint};
use auth_session::Session;
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
    authenticator: Arc<OriginBound<Arc<dyn Authenticator>>>,
}

impl Infobip {
    /// The platform at this base URL, which the account's pages show: `https://xyz12.api.infobip.com`.
    ///
    /// Nothing is sent before the first request. `context` brings the transport of log-ins and token requests.
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
        let base = base_url.trim_end_matches('/');
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
        let (method, clock) = (authorization.method(), Arc::clone(&context.clock));
        let authenticator: Arc<dyn Authenticator> = match authorization {
            InfobipAuthorization::ApiKey { key } => {
                Arc::new(ApiKey::new(Placement::scheme("App")?, &key)?)
            }
            InfobipAuthorization::Basic { username, password } => {
                Arc::new(Basic::new(&username, &password)?)
            }
            InfobipAuthorization::Ibsso { username, password } => Arc::new(IbssoSession::new(
                LogIn::new(base, &username, password.as_str())?,
                context,
            )),
            InfobipAuthorization::OAuth2 { client_id, client_secret } => {
                let endpoint = TokenEndpoint::new(&format!("{base}/auth/1/oauth2/token"))?;
                let client =
                    ClientAuthentication::client_secret_post(&client_id, client_secret.as_str())?;
                let grant = ClientCredentials::new(ClientRegistration::new(endpoint, client));
                Arc::new(Session::new(grant, context))
            }
        };
        let authenticator = Arc::new(OriginBound::new([origin], authenticator));
        Ok(Self { base: base.into(), method, clock, authenticator })
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
        Ok(ApiKeyCalls::at(&self.base))
    }
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
