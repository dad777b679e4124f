//! A transport that trusts nobody: for token endpoints, whose addresses a tenant may have typed.

use crate::{Tls, builder::bare, failure};
use auth_core::{Error, Exchange, Flow, Origin, Result};
use auth_net::{AddressList, DeniedRanges};
use http::{Response, Uri, uri::InvalidUri};
use reqwest::{
    Proxy,
    dns::{Addrs, Name, Resolve, Resolving},
};
use std::{fmt, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{runtime::Handle, sync::oneshot};

/// Exchanges requests of schemes on a tokio runtime of its own choosing, so that its flows can be polled from any thread
/// and any runtime.
///
/// # Security
///
/// https, unless loopback is allowed and it is loopback. No redirects, no proxy from the environment. Addresses are
/// filtered when connecting, after the name was resolved, so that a name cannot change between check and use: whatever
/// is not a public unicast address is denied ([`DeniedRanges`]), the explicit proxy's own excepted. Connecting takes at
/// most 5 seconds, an exchange 10, and an answer has the bytes that its [`Exchange`] allows. Behind a proxy it is the
/// proxy that resolves names: then the filter covers address literals alone, and the proxy must have one of its own.
pub struct Transport {
    runtime: Handle,
    http: reqwest::Client,
    rules: Arc<Rules>,
}

/// Builds a [`Transport`].
pub struct TransportBuilder {
    runtime: Handle,
    tls: Tls,
    proxy: Option<Proxy>,
    rules: Rules,
    deadline: Duration,
}

struct Rules {
    denied: DeniedRanges,
    loopback: Loopback,
    /// Where the proxy is was decided by who configured it.
    proxy: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Loopback {
    Denied,
    Allowed,
}

impl Transport {
    /// Begins a transport that runs on this runtime.
    #[must_use]
    pub fn builder(runtime: Handle) -> TransportBuilder {
        let rules =
            Rules { denied: DeniedRanges::default(), loopback: Loopback::Denied, proxy: None };
        TransportBuilder {
            runtime,
            tls: Tls::system(),
            proxy: None,
            rules,
            deadline: Duration::from_secs(10),
        }
    }
}

impl TransportBuilder {
    /// Whom to trust, and who we are.
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = tls;
        self
    }

    /// Goes through this proxy, with every request: `http://user:password@proxy.example:3128`.
    ///
    /// # Errors
    ///
    /// `Error::Config` when it is no URL of http or https.
    pub fn proxy(mut self, url: &str) -> Result<Self> {
        let wrong = |error: Box<dyn std::error::Error + Send + Sync>| {
            Error::config("transport_proxy", error)
        };
        let uri: Uri = url.parse().map_err(|error: InvalidUri| wrong(error.into()))?;
        let host = uri.host().filter(|_| matches!(uri.scheme_str(), Some("http" | "https")));
        let text = "proxy is no URL of http or https, expected http://HOST:PORT";
        self.rules.proxy = Some(host.ok_or_else(|| wrong(text.into()))?.to_owned());
        self.proxy = Some(Proxy::all(url).map_err(|error| wrong(error.into()))?);
        Ok(self)
    }

    /// Also connects to these addresses, though they are not public: a token endpoint in one's own network.
    #[must_use]
    pub fn allowing(mut self, addresses: AddressList) -> Self {
        self.rules.denied = self.rules.denied.allowing(addresses);
        self
    }

    /// Also connects to this machine, in the clear: for tests and local emulators.
    #[must_use]
    pub const fn allowing_loopback(mut self) -> Self {
        self.rules.loopback = Loopback::Allowed;
        self
    }

    /// Gives up an exchange after so long; 10 seconds unless set.
    #[must_use]
    pub const fn deadline(mut self, limit: Duration) -> Self {
        self.deadline = limit;
        self
    }

    /// The transport.
    ///
    /// # Errors
    ///
    /// `Error::Config` when TLS cannot be set up as asked.
    pub fn build(self) -> Result<Transport> {
        let rules = Arc::new(self.rules);
        let http = bare(self.tls, self.proxy.into_iter().collect())?
            .connect_timeout(Duration::from_secs(5).min(self.deadline))
            .timeout(self.deadline)
            .dns_resolver(Filter(Arc::clone(&rules)))
            .build()
            .map_err(failure::transport)?;
        Ok(Transport { runtime: self.runtime, http, rules })
    }
}

impl auth_core::Transport for Transport {
    fn fetch(&self, request: Exchange) -> Flow<'_, Response<Vec<u8>>> {
        let (most_bytes, request) = (request.most_bytes(), request.into_request());
        if let Err(error) = self.rules.check(request.uri()) {
            return Flow::failed(error);
        }
        let http = self.http.clone();
        let (send, receive) = oneshot::channel();
        self.runtime.spawn(async move {
            // Nobody may be waiting any more; the exchange is seen through all the same.
            let _ = send.send(exchange(http, request, most_bytes).await);
        });
        Flow::new(async move { receive.await.unwrap_or_else(|_| Err(gone())) })
    }

    fn pause(&self, duration: Duration) -> Flow<'_, ()> {
        let slept = self.runtime.spawn(async move { tokio::time::sleep(duration).await });
        Flow::new(async move { slept.await.map_err(|_| gone()) })
    }

    fn detach(&self, work: Flow<'static, ()>) -> Option<Flow<'static, ()>> {
        self.runtime.spawn(work);
        None
    }
}

async fn exchange(
    http: reqwest::Client,
    request: http::Request<Vec<u8>>,
    most_bytes: usize,
) -> Result<Response<Vec<u8>>> {
    let request = reqwest::Request::try_from(request).map_err(failure::transport)?;
    let mut answer = http.execute(request).await.map_err(failure::transport)?;
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(failure::transport)? {
        if body.len().saturating_add(piece.len()) > most_bytes {
            return Err(Error::protocol(
                "transport_answer_too_long",
                format!("answer is longer than {most_bytes} bytes"),
            ));
        }
        body.extend_from_slice(&piece);
    }
    let mut whole = Response::new(body);
    (*whole.status_mut(), *whole.version_mut()) = (answer.status(), answer.version());
    *whole.headers_mut() = std::mem::take(answer.headers_mut());
    Ok(whole)
}

impl Rules {
    /// What can be told from the URL alone; names are judged when they are resolved.
    fn check(&self, uri: &Uri) -> Result<()> {
        let origin = Origin::of(uri)?;
        if origin.is_loopback() {
            return match self.loopback {
                Loopback::Allowed => Ok(()),
                Loopback::Denied => {
                    Err(denied("url goes to this machine, expected a public address"))
                }
            };
        }
        if !origin.is_encrypted() {
            return Err(Error::config("transport_plain_http", "url is http, expected https"));
        }
        match self.denied.permits_host(origin.host()) {
            Ok(_) => Ok(()),
            Err(error) => Err(denied(error.to_string())),
        }
    }
}

/// Resolves names, and keeps only addresses that may be connected to.
struct Filter(Arc<Rules>);

impl Resolve for Filter {
    fn resolve(&self, name: Name) -> Resolving {
        let rules = Arc::clone(&self.0);
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let proxy = rules.proxy.as_deref() == Some(name.as_str());
            let permitted = |address: &SocketAddr| {
                let loopback = rules.loopback == Loopback::Allowed
                    && address.ip().to_canonical().is_loopback();
                proxy || loopback || rules.denied.permits(address.ip()).is_ok()
            };
            let kept: Vec<SocketAddr> = found.filter(permitted).collect();
            if kept.is_empty() {
                return Err("the name resolves to no address that may be connected to".into());
            }
            Ok::<Addrs, _>(Box::new(kept.into_iter()))
        })
    }
}

fn denied(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::config("transport_denied_address", error)
}

fn gone() -> Error {
    Error::transport("transport_runtime_gone", "the runtime of the transport is shutting down")
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Transport(..)")
    }
}

impl fmt::Debug for TransportBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransportBuilder").field("tls", &self.tls).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many addresses `localhost` has left.
    async fn kept(loopback: Loopback, proxy: Option<&str>) -> usize {
        let proxy = proxy.map(str::to_owned);
        let rules = Rules { denied: DeniedRanges::default(), loopback, proxy };
        Filter(Arc::new(rules))
            .resolve("localhost".parse().unwrap())
            .await
            .map_or(0, Iterator::count)
    }

    #[tokio::test]
    async fn a_name_is_judged_by_what_it_resolves_to() {
        assert_eq!(kept(Loopback::Denied, None).await, 0);
        assert!(kept(Loopback::Allowed, None).await > 0);
        let proxied = kept(Loopback::Denied, Some("localhost")).await;
        assert!(proxied > 0, "a proxy on this machine could not be reached");
        let past = kept(Loopback::Denied, Some("proxy.example")).await;
        assert_eq!(past, 0, "what goes past the proxy is not filtered");
    }

    #[tokio::test]
    async fn a_proxy_is_a_url() {
        let builder = || Transport::builder(Handle::current());
        for url in ["http://proxy.example:3128", "https://user:word@proxy.example"] {
            assert!(builder().proxy(url).and_then(TransportBuilder::build).is_ok(), "{url}");
        }
        for url in ["", "proxy.example:3128", "socks5://proxy.example", "http://", "/p"] {
            assert_eq!(builder().proxy(url).unwrap_err().code(), "transport_proxy", "{url}");
        }
    }
}
