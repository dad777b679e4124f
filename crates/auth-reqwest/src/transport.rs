//! A transport that trusts nobody: for token endpoints, whose addresses a tenant may have typed.

use crate::{Proxy, TransportBuilder, failure, http::bare};
use auth_core::{Error, Exchange, Flow, Result};
use auth_outbound::{AddressFilter, ConnectionPath, TransportSettings};
use http::{HeaderValue, Method, Response, header::CONTENT_LENGTH};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::{fmt, time::Duration};
use tokio::{runtime::Handle, sync::oneshot};

/// Exchanges requests of schemes on the tokio runtime that the program names, so that its flows can be polled from any
/// thread and any runtime.
///
/// An exchange begins when it is asked for, and is seen through though its caller is gone;
/// [`detach`](auth_core::Transport::detach) runs the work on the same runtime.
///
/// # Security
///
/// https, unless loopback is allowed and it is loopback. No redirects, no proxy from the environment. Addresses are
/// filtered when connecting, after the name was resolved, so that a name cannot change between check and use: whatever
/// is not a public unicast address is denied ([`AddressFilter`]), the explicit proxy's own excepted. Connecting takes at
/// most 5 seconds, an exchange 10, and an answer has the bytes that its [`Exchange`] allows. Behind a proxy it is the
/// proxy that resolves names: they are refused unless the proxy is trusted with keeping connections from addresses inside
/// ([`Proxy::trusting_its_address_filter`](auth_outbound::Proxy::trusting_its_address_filter)).
pub struct ReqwestTransport {
    runtime: Handle,
    http: reqwest::Client,
    filter: AddressFilter,
    proxy: Option<Proxy>,
}

impl ReqwestTransport {
    /// Begins a transport that runs on this runtime: system authorities, no proxy, public addresses alone. The runtime
    /// needs its I/O and its timers (`enable_all`).
    #[must_use]
    pub fn builder(runtime: Handle) -> TransportBuilder {
        TransportBuilder::new(move |settings| Self::new(runtime, settings))
    }

    fn new(runtime: Handle, settings: TransportSettings) -> Result<Self> {
        let proxy = settings.proxy.as_ref();
        let http = bare(&settings.tls, proxy)?
            .connect_timeout(settings.connect_timeout())
            .timeout(settings.deadline)
            .dns_resolver(Filtered {
                filter: settings.filter.clone(),
                proxy: proxy.map(|proxy| proxy.host().to_ascii_lowercase()),
            });
        let http = http.build().map_err(failure::made)?;
        Ok(Self { runtime, http, filter: settings.filter, proxy: settings.proxy })
    }
}

impl auth_core::Transport for ReqwestTransport {
    fn fetch(&self, request: Exchange) -> Flow<'_, Response<Vec<u8>>> {
        let (most_bytes, request) = (request.most_bytes(), request.into_request());
        if let Err(error) = self.filter.check(request.uri()) {
            return Flow::failed(error);
        }
        let host = request.uri().host().unwrap_or_default();
        let (http, path) = (self.http.clone(), ConnectionPath::to(host, self.proxy.as_ref()));
        let (send, receive) = oneshot::channel();
        self.runtime.spawn(async move {
            // Nobody may be waiting any more; the exchange is seen through all the same.
            let _ = send.send(exchange(http, path, request, most_bytes).await);
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
    path: ConnectionPath,
    request: http::Request<Vec<u8>>,
    most_bytes: usize,
) -> Result<Response<Vec<u8>>> {
    let request = reqwest::Request::try_from(with_length(request)).map_err(failure::made)?;
    let url = request.url().clone();
    let failed = |error| failure::transport(path, &url, error);
    let mut answer = http.execute(request).await.map_err(failed)?;
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(failed)? {
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

/// Says that an empty body is empty, where the method has bodies (RFC 9110 section 8.6): some servers answer 411 else.
fn with_length(mut request: http::Request<Vec<u8>>) -> http::Request<Vec<u8>> {
    let has_bodies = matches!(*request.method(), Method::POST | Method::PUT | Method::PATCH);
    if has_bodies && request.body().is_empty() {
        let zero = HeaderValue::from_static("0");
        request.headers_mut().entry(CONTENT_LENGTH).or_insert(zero);
    }
    request
}

/// Resolves names, and keeps only addresses that may be connected to.
struct Filtered {
    filter: AddressFilter,
    /// Its address is not filtered: the program that configured it decided where it is.
    proxy: Option<String>,
}

impl Resolve for Filtered {
    fn resolve(&self, name: Name) -> Resolving {
        let proxied = self.proxy.as_deref() == Some(name.as_str());
        let filter = self.filter.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let kept: Addrs = match proxied {
                true => Box::new(found.collect::<Vec<_>>().into_iter()),
                false => Box::new(filter.keep(found)?.into_iter()),
            };
            Ok(kept)
        })
    }
}

fn gone() -> Error {
    Error::transport("transport_runtime_gone", "the runtime of the transport is shutting down")
}

impl fmt::Debug for ReqwestTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReqwestTransport(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many addresses `localhost` has left.
    async fn kept(filter: AddressFilter, proxy: Option<&str>) -> usize {
        let filtered = Filtered { filter, proxy: proxy.map(str::to_owned) };
        let kept = filtered.resolve("localhost".parse().unwrap()).await;
        kept.map_or(0, Iterator::count)
    }

    #[tokio::test]
    async fn a_name_is_judged_by_what_it_resolves_to() {
        let public = AddressFilter::default();
        assert_eq!(kept(public.clone(), None).await, 0);
        assert!(kept(public.clone().allowing_loopback(), None).await > 0);
        let proxied = kept(public.clone(), Some("localhost")).await;
        assert!(proxied > 0, "a proxy on this machine could not be reached");
        let past = kept(public, Some("proxy.example")).await;
        assert_eq!(past, 0, "what goes past the proxy is not filtered");
    }
}
