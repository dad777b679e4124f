//! The client: authenticates every attempt, follows redirects hop by hop.

use crate::{
    ClientBuilder,
    exchange::{copy, is_repeatable},
    failure::{made, transport},
    http::{bare, target, url},
};
use auth_core::{Answer, Authenticator, Event, Redirects, RequestView, Result};
use auth_outbound::ClientSettings;
use http::Method;
use reqwest::{Body, Request, RequestBuilder, Response};
use std::{fmt, sync::Arc};

/// Sends requests under any [`Authenticator`].
///
/// Every attempt is authenticated afresh. A request is tried again when the scheme says that it helps and its body can
/// be sent again; otherwise the caller gets the answer as it came. Redirects are followed here, hop by hop: hops are
/// authenticated until the first one that leaves the origin of the caller's own request, and none after it.
///
/// # Security
///
/// Credentials go over https, or to this machine, unless the builder was told otherwise. They are never in the request
/// that a redirect is made from, so no header of theirs, whatever its name, can follow one to another origin; the
/// caller's own `Authorization`, `Cookie` and headers marked sensitive are taken off there too. A redirect from https to
/// http is not followed.
///
/// ```no_run
/// # use auth_core::Authenticator;
/// # async fn example(key: &dyn Authenticator) -> Result<(), Box<dyn std::error::Error>> {
/// let client = auth_reqwest::AuthClient::new()?;
/// let answer = client.send(key, client.http().get("https://api.example.com/balance")).await?;
/// println!("{}", answer.text().await?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct AuthClient {
    pub(crate) http: reqwest::Client,
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
        let http = bare(&settings.tls, settings.proxy.as_ref())?;
        let http = http.connect_timeout(settings.connect_timeout);
        let http = settings.timeout.into_iter().fold(http, reqwest::ClientBuilder::timeout);
        Ok(Self { http: http.build().map_err(made)?, settings: Arc::new(settings) })
    }

    /// The client beneath, to build requests with. What it sends by itself is not authenticated.
    #[must_use]
    pub const fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// Authenticates a request, sends it, and gives the answer to the last attempt.
    ///
    /// The request is one of reqwest, the builder that [`http`](Self::http) makes, or one of the crate `http`.
    ///
    /// # Errors
    ///
    /// Whatever the authenticator says; `Error::Config` when the request cannot carry the credentials or would carry them in
    /// the clear, and with the code `reqwest_builder` when there is no request to send: a builder was given what makes none,
    /// or a URL has no host; `Error::Transport` when no whole answer came.
    pub async fn send(
        &self,
        authenticator: &dyn Authenticator,
        request: impl IntoRequest,
    ) -> Result<Response> {
        let outcome = match request.into_request() {
            Ok(request) => self.follow(authenticator, request).await,
            Err(error) => Err(made(error)),
        };
        if let Err(error) = &outcome {
            self.settings.observer.observe(Event::Failed(error));
        }
        outcome
    }

    async fn follow(
        &self,
        authenticator: &dyn Authenticator,
        mut request: Request,
    ) -> Result<Response> {
        let mut uri = target(request.url())?;
        let mut redirects = Redirects::default();
        loop {
            let repeatable = is_repeatable(&request);
            let answer = if redirects.left_origin() {
                let answer = self.http.execute(copy(&mut request)).await;
                answer.map_err(|error| transport(self.path(&uri), request.url(), error))?
            } else {
                self.exchange(authenticator, &mut request, &uri).await?
            };
            if !repeatable {
                return Ok(answer);
            }
            let head = RequestView::new(request.method(), &uri, request.headers());
            let seen = Answer::new(head, answer.status(), answer.headers());
            let Some(redirect) = redirects.next(seen)? else { return Ok(answer) };
            let Ok(to) = url(redirect.target()) else { return Ok(answer) };
            if redirect.becomes_get() {
                *request.method_mut() = Method::GET;
                *request.body_mut() = None;
            }
            redirect.prune(request.headers_mut());
            // As reqwest writes it, which is where it goes.
            uri = target(&to)?;
            *request.url_mut() = to;
        }
    }
}

/// What [`AuthClient::send`] sends: a request of reqwest, the builder of one, or a request of the crate `http`.
pub trait IntoRequest: Send {
    /// The request.
    ///
    /// # Errors
    ///
    /// When a builder was given what makes no request, or the URL of a request has no host.
    fn into_request(self) -> reqwest::Result<Request>;
}

impl IntoRequest for Request {
    fn into_request(self) -> reqwest::Result<Request> {
        Ok(self)
    }
}

impl IntoRequest for RequestBuilder {
    fn into_request(self) -> reqwest::Result<Request> {
        self.build()
    }
}

impl<B: Into<Body> + Send> IntoRequest for http::Request<B> {
    fn into_request(self) -> reqwest::Result<Request> {
        self.try_into()
    }
}

impl fmt::Debug for AuthClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthClient(..)")
    }
}
