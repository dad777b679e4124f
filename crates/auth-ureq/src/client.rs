//! The client: authenticates every attempt, follows redirects hop by hop.

use crate::{ClientBuilder, RequestContent, agent::AgentSettings};
use auth_core::{Answer, Authenticator, Event, Origin, Redirects, RequestView, Result};
use auth_outbound::ClientSettings;
use http::{Method, Request, Response, request::Parts};
use std::{fmt, sync::Arc};
use ureq::{Agent, Body};

/// Sends requests under any [`Authenticator`], on the thread that calls.
///
/// Every attempt is authenticated afresh. A request is tried again when the scheme says that it helps and its body can
/// be sent again; otherwise the caller gets the answer as it came, whatever its status. Redirects are followed here, hop
/// by hop: hops are authenticated until the first one that leaves the origin of the caller's own request, and none after
/// it.
///
/// # Security
///
/// Credentials go over https, or to this machine, unless the builder was told otherwise. They are never in the request
/// that a redirect is made from, so no header of theirs, whatever its name, can follow one to another origin; the
/// caller's own `Authorization`, `Cookie` and headers marked sensitive are taken off there too. A redirect from https to
/// http is not followed. Extensions of a request are not sent along, since they could change all of this.
///
/// ```no_run
/// # use auth_core::Authenticator;
/// # fn example(key: &dyn Authenticator) -> Result<(), Box<dyn std::error::Error>> {
/// let client = auth_ureq::AuthClient::new()?;
/// let request = http::Request::get("https://api.example.com/balance").body(())?;
/// let mut answer = client.send(key, request)?;
/// println!("{} {}", answer.status(), answer.body_mut().read_to_string()?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct AuthClient {
    pub(crate) agent: Agent,
    pub(crate) settings: Arc<ClientSettings>,
}

impl AuthClient {
    /// A client as it is unless something is set: system authorities, no proxy, a time limit to connecting.
    ///
    /// # Errors
    ///
    /// Those of [`builder`](Self::builder)'s `build`.
    pub fn new() -> Result<Self> {
        Self::builder().build()
    }

    /// Begins a client: system authorities, no proxy but the one asked for, a time limit to connecting.
    #[must_use]
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new(Self::with_settings)
    }

    fn with_settings(settings: ClientSettings) -> Result<Self> {
        let agent = AgentSettings {
            tls: &settings.tls,
            proxy: settings.proxy.as_ref(),
            filter: None,
            connect: settings.connect_timeout,
            total: settings.timeout,
        }
        .agent()?;
        Ok(Self { agent, settings: Arc::new(settings) })
    }

    /// Authenticates a request, sends it, and gives the answer to the last attempt.
    ///
    /// It blocks: never call it on a worker thread of an async runtime.
    ///
    /// # Errors
    ///
    /// Whatever the authenticator says; `Error::Config` when the request cannot carry the credentials or would carry
    /// them in the clear; `Error::Transport` when no whole answer came.
    pub fn send(
        &self,
        authenticator: &dyn Authenticator,
        request: Request<impl Into<RequestContent>>,
    ) -> Result<Response<Body>> {
        let (head, content) = request.into_parts();
        let outcome = self.follow(authenticator, head, content.into());
        if let Err(error) = &outcome {
            self.settings.observer.observe(Event::Failed(error));
        }
        outcome
    }

    fn follow(
        &self,
        authenticator: &dyn Authenticator,
        mut head: Parts,
        mut content: RequestContent,
    ) -> Result<Response<Body>> {
        Origin::of(&head.uri)?;
        let mut redirects = Redirects::default();
        loop {
            let answer = if redirects.left_origin() {
                content.send(&self.agent, head.clone())?
            } else {
                self.exchange(authenticator, &head, &mut content)?
            };
            let request = RequestView::new(&head.method, &head.uri, &head.headers);
            let seen = Answer::new(request, answer.status(), answer.headers());
            let redirect = redirects.next(seen)?;
            // What was read once is gone.
            let Some(redirect) = redirect.filter(|_| content.bytes().is_some()) else {
                return Ok(answer);
            };
            if redirect.becomes_get() {
                (head.method, content) = (Method::GET, RequestContent::default());
            }
            redirect.prune(&mut head.headers);
            head.uri = redirect.target().clone();
        }
    }
}

impl fmt::Debug for AuthClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthClient(..)")
    }
}
