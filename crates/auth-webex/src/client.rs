//! The calling end: one type for each credential, with the APIs that take it.

mod credential;

pub use credential::{AppCredential, ServiceCredential};

use crate::{
    AppApi, Region, ServiceApi, TenantApi, WebexAnswer, WebexFamily, WebexHosts, json::Entry,
};
use auth_core::{
    Answer, Authenticator, Credentials, Error, Flow, Need, OriginBound, RequestView, Result,
    Verdict,
};
use auth_static::{ApiKey, Bearer, Placement};
use http::{HeaderMap, StatusCode};
use std::{fmt, sync::Arc};

type Shared = Arc<dyn Authenticator>;

/// Webex Connect as a tenant sees it: its hosts, and what to call them with.
#[derive(Clone, Debug)]
pub struct Webex {
    hosts: WebexHosts,
}

impl Webex {
    /// The platform in this region.
    ///
    /// # Errors
    ///
    /// Those of [`WebexHosts::of`].
    pub fn in_region(region: Region) -> Result<Self> {
        WebexHosts::of(region).map(Self::at)
    }

    /// The platform at these hosts.
    #[must_use]
    pub const fn at(hosts: WebexHosts) -> Self {
        Self { hosts }
    }

    /// A service, and the APIs that take its key or its JWT.
    #[must_use]
    pub fn service(&self, credential: ServiceCredential) -> WebexService {
        WebexService { hosts: self.hosts.clone(), credential }
    }

    /// The tenant, and the APIs that take its profile key.
    ///
    /// # Errors
    ///
    /// Those of [`ApiKey::new`] for the profile key.
    pub fn tenant(&self, profile_key: &str) -> Result<WebexTenant> {
        let in_key: Shared = Arc::new(ApiKey::new(Placement::header("key")?, profile_key)?);
        let as_bearer: Shared = Arc::new(Bearer::new(profile_key)?);
        Ok(WebexTenant { hosts: self.hosts.clone(), in_key, as_bearer })
    }

    /// An app, and the APIs that take its JWT.
    #[must_use]
    pub fn app(&self, credential: AppCredential) -> WebexApp {
        WebexApp { hosts: self.hosts.clone(), credential }
    }
}

/// A service: [`Webex::service`].
#[derive(Clone, Debug)]
pub struct WebexService {
    hosts: WebexHosts,
    credential: ServiceCredential,
}

/// The tenant: [`Webex::tenant`].
#[derive(Clone)]
pub struct WebexTenant {
    hosts: WebexHosts,
    in_key: Shared,
    as_bearer: Shared,
}

/// An app: [`Webex::app`].
#[derive(Clone, Debug)]
pub struct WebexApp {
    hosts: WebexHosts,
    credential: AppCredential,
}

impl WebexService {
    /// An API that takes this credential, as an authenticator.
    #[must_use]
    pub fn api(&self, api: ServiceApi) -> WebexApi {
        let credential = match api {
            ServiceApi::Sandbox => &self.credential.as_bearer,
            _ => &self.credential.in_its_field,
        };
        WebexApi::new(&self.hosts, api.family(), api.path(), credential)
    }
}

impl WebexService {
    /// The inbound webhook of this id, as it stands at the end of its URL.
    ///
    /// # Errors
    ///
    /// `Error::Config` when the id is empty or has other characters than letters and digits.
    pub fn inbound_webhook(&self, id: &str) -> Result<WebexApi> {
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            let text = "id of an inbound webhook is empty or has other characters than letters and digits; copy it from the \
                        end of its URL";
            return Err(Error::config("webex_webhook_id", text));
        }
        let (family, path) = (WebexFamily::InboundWebhook, format!("/events/{id}"));
        Ok(WebexApi::new(&self.hosts, family, &path, &self.credential.in_its_field))
    }
}

impl WebexTenant {
    /// An API that takes the profile key, as an authenticator.
    #[must_use]
    pub fn api(&self, api: TenantApi) -> WebexApi {
        let credential = match api {
            TenantApi::Profile => &self.in_key,
            TenantApi::ContactPolicy => &self.as_bearer,
        };
        WebexApi::new(&self.hosts, api.family(), api.path(), credential)
    }
}

impl WebexApp {
    /// An API that takes the app's JWT, as an authenticator.
    #[must_use]
    pub fn api(&self, api: AppApi) -> WebexApi {
        let path = format!("/rtmsAPI/api/v1/apps/{}/{}", self.credential.app_id, api.path());
        WebexApi::new(&self.hosts, WebexFamily::Rtm, &path, &self.credential.token)
    }
}

/// One API with its credential: an [`Authenticator`] that is bound to the API's host.
///
/// Of its answers the code in the body is read, because a refused token may come with a 200. What says that the credential
/// was refused is to the scheme what a 401 is: a token is renewed, and the request is sent once more.
#[derive(Clone)]
pub struct WebexApi {
    family: WebexFamily,
    url: Box<str>,
    credential: Arc<OriginBound<Shared>>,
}

/// As much of an answer is read; a longer one has no code.
const MOST_READ: usize = 64 * 1024;

impl WebexApi {
    fn new(hosts: &WebexHosts, family: WebexFamily, path: &str, credential: &Shared) -> Self {
        let base = hosts.of_family(family);
        let credential = OriginBound::new([base.origin.clone()], Arc::clone(credential));
        let url = format!("{}{path}", base.url).into();
        Self { family, url, credential: Arc::new(credential) }
    }

    /// The URL of the API. What is at an object's own URL is below it.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What an answer of this API says.
    #[must_use]
    pub fn read_answer(&self, status: StatusCode, body: &[u8]) -> WebexAnswer {
        WebexAnswer::read(self.family, status, body)
    }
}

impl Authenticator for WebexApi {
    fn credentials<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Credentials> {
        self.credential.credentials(request)
    }

    fn assess(&self, sent: &Credentials, answer: Answer<'_>) -> Verdict {
        // Of the answer the code alone counts here: no text is copied.
        let body = String::from_utf8_lossy(answer.body.unwrap_or_default());
        match Entry::read(&body) {
            // What was taken in part is not sent once more: the platform would do that part twice.
            Entry { code: Some(7001), is_partial: false, .. } => {
                let fields = HeaderMap::new();
                let refused = Answer::new(answer.request, StatusCode::UNAUTHORIZED, &fields);
                self.credential.assess(sent, refused)
            }
            _ => self.credential.assess(sent, answer),
        }
    }

    fn needs(&self, head: RequestView<'_>) -> Need {
        self.credential.needs(head)
    }

    fn reads(&self, status: StatusCode, headers: &HeaderMap) -> Need {
        match status.as_u16() {
            200 | 400 | 401 | 403 => Need::Bytes { limit: MOST_READ },
            _ => self.credential.reads(status, headers),
        }
    }
}

impl fmt::Debug for WebexTenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebexTenant({:?})", self.hosts)
    }
}

impl fmt::Debug for WebexApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebexApi({:?})", self.family)
    }
}

#[cfg(test)]
mod tests;
