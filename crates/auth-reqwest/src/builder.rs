//! How a client connects.

use crate::{Client, Tls, client::PlainHttp, failure::transport};
use auth_core::{Observer, Result};
use reqwest::{Proxy, redirect::Policy};
use std::{fmt, sync::Arc, time::Duration};

/// Builds a [`Client`]. Nothing is taken from the environment: no proxy, no provider of cryptography.
pub struct ClientBuilder {
    tls: Tls,
    proxies: Vec<Proxy>,
    connect: Duration,
    total: Option<Duration>,
    observer: Arc<dyn Observer>,
    plain_http: PlainHttp,
}

impl Default for ClientBuilder {
    fn default() -> Self {
        Self {
            tls: Tls::system(),
            proxies: Vec::new(),
            connect: Duration::from_secs(5),
            total: None,
            observer: Arc::new(()),
            plain_http: PlainHttp::Loopback,
        }
    }
}

impl ClientBuilder {
    /// Whom to trust, and who we are.
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = tls;
        self
    }

    /// Goes through this proxy, credentials for it included; the first that fits a request is taken.
    #[must_use]
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.proxies.push(proxy);
        self
    }

    /// Gives up connecting after so long; 5 seconds unless set.
    #[must_use]
    pub const fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect = limit;
        self
    }

    /// Gives up an attempt, answer included, after so long; never unless set.
    #[must_use]
    pub const fn timeout(mut self, limit: Duration) -> Self {
        self.total = Some(limit);
        self
    }

    /// Tells an observer what happened.
    #[must_use]
    pub fn observed_by(mut self, observer: impl Observer + 'static) -> Self {
        self.observer = Arc::new(observer);
        self
    }

    /// Lets credentials travel unencrypted to any host: only for networks that are private end to end.
    #[must_use]
    pub const fn allowing_plain_http(mut self) -> Self {
        self.plain_http = PlainHttp::Anywhere;
        self
    }

    /// The client.
    ///
    /// # Errors
    ///
    /// `Error::Config` when TLS cannot be set up as asked.
    pub fn build(self) -> Result<Client> {
        let mut http = bare(self.tls, self.proxies)?.connect_timeout(self.connect);
        if let Some(total) = self.total {
            http = http.timeout(total);
        }
        let http = http.build().map_err(transport)?;
        Ok(Client { http, observer: self.observer, plain_http: self.plain_http })
    }
}

/// A reqwest client that does nothing by itself: no redirects, no retries, no proxy from the environment.
pub(crate) fn bare(tls: Tls, proxies: Vec<Proxy>) -> Result<reqwest::ClientBuilder> {
    let http = reqwest::Client::builder()
        .tls_backend_preconfigured(tls.into_config()?)
        .no_proxy()
        .redirect(Policy::none())
        .retry(reqwest::retry::never())
        .referer(false);
    Ok(proxies.into_iter().fold(http, reqwest::ClientBuilder::proxy))
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder").field("tls", &self.tls).finish_non_exhaustive()
    }
}
