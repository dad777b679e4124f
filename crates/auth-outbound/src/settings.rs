//! The settings of every client and every transport, and the builders that collect them.

use crate::{AddressFilter, ClientIdentity, Proxy, TlsSettings};
use auth_core::{Observer, PlainHttp, Result};
use auth_net::AddressList;
use http::Uri;
use std::{fmt, sync::Arc, time::Duration};

/// How a client connects and what it lets through: what a [`ClientBuilder`] has collected.
#[derive(Clone)]
#[non_exhaustive]
pub struct ClientSettings {
    /// Whose certificates are trusted, and the client's own.
    pub tls: TlsSettings,
    /// Through which proxy requests go.
    pub proxy: Option<Proxy>,
    /// How long resolving a name may take, and then connecting.
    pub connect_timeout: Duration,
    /// How long an attempt may take, its answer included.
    pub timeout: Option<Duration>,
    /// Hears of retries and failures.
    pub observer: Arc<dyn Observer>,
    /// May credentials travel unencrypted beyond this machine?
    pub plain_http: PlainHttp,
}

impl ClientSettings {
    /// What holds for credentials of a request to this target, which may be one that a proxy carries.
    ///
    /// # Security
    ///
    /// To a proxy on another machine a loopback address means that machine, and all that is in the clear travels there.
    #[must_use]
    pub fn plain_http_to(&self, target: &Uri) -> PlainHttp {
        let host = target.host().unwrap_or_default();
        match (self.plain_http, &self.proxy) {
            (PlainHttp::ToLoopback, Some(proxy)) if proxy.carries_away(host) => PlainHttp::Nowhere,
            (as_set, _) => as_set,
        }
    }
}

impl Default for ClientSettings {
    fn default() -> Self {
        Self {
            tls: TlsSettings::system(),
            proxy: None,
            connect_timeout: Duration::from_secs(5),
            timeout: None,
            observer: Arc::new(()),
            plain_http: PlainHttp::ToLoopback,
        }
    }
}

/// Builds a client of an adapter. Nothing is taken from the environment: no proxy, no provider of cryptography.
pub struct ClientBuilder<C> {
    settings: ClientSettings,
    make: fn(ClientSettings) -> Result<C>,
}

impl<C> ClientBuilder<C> {
    /// For an adapter: begins with the usual settings, and `make`s the client of what was set.
    #[must_use]
    pub fn new(make: fn(ClientSettings) -> Result<C>) -> Self {
        Self { settings: ClientSettings::default(), make }
    }

    /// Whose certificates are trusted, and the client's own; the system's authorities and none unless set.
    #[must_use]
    pub fn with_tls(mut self, tls: TlsSettings) -> Self {
        self.settings.tls = tls;
        self
    }

    /// Goes through this proxy.
    #[must_use]
    pub fn with_proxy(mut self, proxy: Proxy) -> Self {
        self.settings.proxy = Some(proxy);
        self
    }

    /// Gives up resolving a name, and then connecting, after so long; 5 seconds unless set.
    #[must_use]
    pub fn with_connect_timeout(mut self, limit: Duration) -> Self {
        self.settings.connect_timeout = limit;
        self
    }

    /// Gives up an attempt, answer included, after so long; never unless set.
    #[must_use]
    pub fn with_timeout(mut self, limit: Duration) -> Self {
        self.settings.timeout = Some(limit);
        self
    }

    /// Tells an observer what happened.
    #[must_use]
    pub fn with_observer(mut self, observer: impl Observer + 'static) -> Self {
        self.settings.observer = Arc::new(observer);
        self
    }

    /// Lets credentials travel unencrypted to any host: only for networks that are private end to end.
    #[must_use]
    pub fn allowing_plain_http(mut self) -> Self {
        self.settings.plain_http = PlainHttp::ToAnywhere;
        self
    }

    /// The client.
    ///
    /// # Errors
    ///
    /// `Error::Config` when TLS cannot be set up as asked.
    pub fn build(self) -> Result<C> {
        (self.make)(self.settings)
    }
}

/// How a transport connects, and where to: what a [`TransportBuilder`] has collected.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TransportSettings {
    /// Whose certificates are trusted, and the client's own.
    pub tls: TlsSettings,
    /// Through which proxy requests go.
    pub proxy: Option<Proxy>,
    /// To which addresses connections may be made.
    pub filter: AddressFilter,
    /// How long an exchange may take.
    pub deadline: Duration,
}

impl TransportSettings {
    /// How long resolving a name may take, and then connecting: 5 seconds, and no longer than the exchange.
    #[must_use]
    pub fn connect_timeout(&self) -> Duration {
        Duration::from_secs(5).min(self.deadline)
    }
}

/// Builds a transport of an adapter, for public addresses alone unless more is allowed.
pub struct TransportBuilder<T> {
    settings: TransportSettings,
    make: Box<dyn FnOnce(TransportSettings) -> Result<T> + Send>,
}

impl<T> TransportBuilder<T> {
    /// For an adapter: begins with the usual settings, and `make`s the transport of what was set.
    #[must_use]
    pub fn new(make: impl FnOnce(TransportSettings) -> Result<T> + Send + 'static) -> Self {
        let settings = TransportSettings {
            tls: TlsSettings::system(),
            proxy: None,
            filter: AddressFilter::default(),
            deadline: Duration::from_secs(10),
        };
        Self { settings, make: Box::new(make) }
    }

    /// Whose certificates are trusted, and the client's own; the system's authorities and none unless set.
    #[must_use]
    pub fn with_tls(mut self, tls: TlsSettings) -> Self {
        self.settings.tls = tls;
        self
    }

    /// Trusts these authorities beside those that are trusted already.
    pub(crate) fn with_authorities(mut self, pem: &[u8]) -> Result<Self> {
        self.settings.tls = self.settings.tls.with_authorities(pem)?;
        Ok(self)
    }

    /// For [`Routes`](crate::Routes), whatever the factory has set.
    pub(crate) fn with_identity(mut self, identity: ClientIdentity) -> Self {
        self.settings.tls = self.settings.tls.with_identity(identity);
        self
    }

    /// Goes through this proxy.
    #[must_use]
    pub fn with_proxy(mut self, proxy: Proxy) -> Self {
        self.settings.proxy = Some(proxy);
        self
    }

    /// Also connects to these addresses, though they are not public: a token endpoint in one's own network.
    #[must_use]
    pub fn allowing_addresses(mut self, addresses: AddressList) -> Self {
        self.settings.filter = self.settings.filter.allowing_addresses(addresses);
        self
    }

    /// Also connects to this machine, in the clear too: for tests and local emulators. What a proxy on another machine
    /// carries stays https, since a loopback address means that machine there.
    #[must_use]
    pub fn allowing_loopback(mut self) -> Self {
        self.settings.filter = self.settings.filter.allowing_loopback();
        self
    }

    /// Gives up an exchange after so long; 10 seconds unless set.
    #[must_use]
    pub fn with_deadline(mut self, limit: Duration) -> Self {
        self.settings.deadline = limit;
        self
    }

    /// The transport.
    ///
    /// # Errors
    ///
    /// `Error::Config` when TLS cannot be set up as asked.
    pub fn build(mut self) -> Result<T> {
        self.settings.filter = self.settings.filter.behind(self.settings.proxy.clone());
        (self.make)(self.settings)
    }
}

impl fmt::Debug for ClientSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientSettings")
            .field("tls", &self.tls)
            .field("proxy", &self.proxy)
            .field("plain_http", &self.plain_http)
            .finish_non_exhaustive()
    }
}

impl<C> fmt::Debug for ClientBuilder<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ClientBuilder").field(&self.settings).finish()
    }
}

impl<T> fmt::Debug for TransportBuilder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TransportBuilder").field(&self.settings).finish()
    }
}
