//! The client: authenticates every attempt, follows redirects hop by hop.

use crate::{ClientBuilder, exchange::Sending, failure::transport, redirect};
use auth_core::{Authenticator, Event, Observer, Origin, Result};
use reqwest::{Request, Response};
use std::{fmt, sync::Arc};

/// Sends requests under any [`Authenticator`].
///
/// Every attempt is authenticated afresh. A request is tried again when the scheme says that it helps and its body can
/// be sent again; otherwise the caller gets the answer as it came. Redirects are followed here, hop by hop: only hops
/// to the origin of the caller's own request are authenticated.
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
/// let client = auth_reqwest::Client::builder().build()?;
/// let request = client.http().get("https://api.example.com/balance").build()?;
/// let answer = client.send(key, request).await?;
/// println!("{}", answer.text().await?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client {
    pub(crate) http: reqwest::Client,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) plain_http: PlainHttp,
}

/// May credentials travel unencrypted beyond this machine?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PlainHttp {
    Loopback,
    Anywhere,
}

impl Client {
    /// The most redirects that are followed.
    pub const MOST_REDIRECTS: usize = 10;

    /// Begins a client: system authorities, no proxy but those asked for, time limits set.
    #[must_use]
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// The client beneath, to build requests with. What it sends by itself is not authenticated.
    #[must_use]
    pub const fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// Authenticates a request, sends it, and gives the answer to the last attempt.
    ///
    /// # Errors
    ///
    /// Whatever the authenticator says; `Error::Config` when the request cannot carry the credentials or would carry
    /// them in the clear; `Error::Transport` when no whole answer came.
    pub async fn send(
        &self,
        authenticator: &dyn Authenticator,
        request: Request,
    ) -> Result<Response> {
        let outcome = self.follow(authenticator, request).await;
        if let Err(error) = &outcome {
            self.observer.observe(Event::Failed(error));
        }
        outcome
    }

    async fn follow(
        &self,
        authenticator: &dyn Authenticator,
        mut request: Request,
    ) -> Result<Response> {
        let home = origin(&request)?;
        for _ in 0..Self::MOST_REDIRECTS {
            let template = request.try_clone();
            let answer = if origin(&request)? == home {
                Sending { client: self, authenticator, request }.run().await?
            } else {
                self.http.execute(request).await.map_err(transport)?
            };
            match template.and_then(|template| redirect::next(template, &answer)) {
                None => return Ok(answer),
                Some(next) => request = next,
            }
        }
        Err(redirect::too_many())
    }
}

fn origin(request: &Request) -> Result<Origin> {
    crate::exchange::target(request).and_then(|uri| Origin::of(&uri))
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client(..)")
    }
}
