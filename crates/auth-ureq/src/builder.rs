//! How a client connects.

use crate::{Client, Tls, client::PlainHttp, connect::Connect};
use auth_core::{Error, Observer, Result};
use std::{fmt, sync::Arc, time::Duration};
use ureq::{
    Agent, Proxy, ProxyProtocol,
    unversioned::resolver::{DefaultResolver, Resolver},
};

/// Builds a [`Client`]. Nothing is taken from the environment: no proxy, no provider of cryptography.
pub struct ClientBuilder {
    tls: Tls,
    proxy: Option<Proxy>,
    connect: Duration,
    total: Option<Duration>,
    observer: Arc<dyn Observer>,
    plain_http: PlainHttp,
}

impl Default for ClientBuilder {
    fn default() -> Self {
        Self {
            tls: Tls::system(),
            proxy: None,
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

    /// Goes through this proxy over http or https, credentials for it included. It sees where a request goes and, unless
    /// the request is https, the whole of it.
    #[must_use]
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.proxy = Some(proxy);
        self
    }

    /// Gives up resolving a name, and then connecting, after so long; 5 seconds unless set.
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
    /// `Error::Config` when TLS cannot be set up as asked, or the proxy is none over http or https.
    pub fn build(self) -> Result<Client> {
        let resolver = DefaultResolver::default();
        let agent = agent(self.tls, self.proxy, self.connect, self.total, resolver)?;
        Ok(Client { agent, observer: self.observer, plain_http: self.plain_http })
    }
}

/// A ureq agent that does nothing by itself: no redirects, no verdict on a status, no proxy from the environment.
pub(crate) fn agent(
    tls: Tls,
    proxy: Option<Proxy>,
    connect: Duration,
    total: Option<Duration>,
    resolver: impl Resolver,
) -> Result<Agent> {
    if proxy.as_ref().is_some_and(|proxy| !is_http(proxy.protocol())) {
        let error = "proxy is none over http or https";
        return Err(Error::config("ureq_proxy", error));
    }
    let config = Agent::config_builder()
        .proxy(proxy)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .allow_non_standard_methods(true)
        .timeout_resolve(Some(connect))
        .timeout_connect(Some(connect))
        .timeout_global(total)
        .build();
    Ok(Agent::with_parts(config, Connect::new(tls.into_config()?), resolver))
}

const fn is_http(protocol: ProxyProtocol) -> bool {
    matches!(protocol, ProxyProtocol::Http | ProxyProtocol::Https)
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder").field("tls", &self.tls).finish_non_exhaustive()
    }
}
