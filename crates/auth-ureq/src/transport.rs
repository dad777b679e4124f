//! A transport that trusts nobody: for token endpoints, whose addresses a tenant may have typed.

use crate::{Content, Tls, builder::agent, failure, thread::on_its_own};
use auth_core::{Error, Exchange, Flow, Origin, Result};
use auth_net::{AddressList, DeniedRanges};
use http::{Response, Uri};
use std::{error, fmt, io::Read, net::IpAddr, sync::Arc, thread, time::Duration};
use ureq::{
    Agent, Proxy,
    config::Config,
    unversioned::{
        resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver},
        transport::NextTimeout,
    },
};

/// Exchanges requests of schemes, each on a thread of its own, so that its flows can be waited for on a plain thread and
/// polled from any runtime.
///
/// An exchange begins when it is asked for, and is seen through though its caller is gone. There is no background:
/// [`detach`](auth_core::Transport::detach) gives the work back, because a program that ends would end it half way, and
/// with it a token that was just created or rotated.
///
/// # Security
///
/// https, unless loopback is allowed and it is loopback. No redirects, no proxy from the environment. Addresses are
/// filtered when connecting, after the name was resolved, so that a name cannot change between check and use: whatever
/// is not a public unicast address is denied ([`DeniedRanges`]), the explicit proxy's own excepted. Connecting takes at
/// most 5 seconds, an exchange 10, and an answer has the bytes that its [`Exchange`] allows. Behind a proxy it is the
/// proxy that resolves names: then the filter covers address literals alone, and the proxy must have one of its own.
///
/// ```
/// # fn example() -> auth_core::Result<()> {
/// let transport = auth_ureq::Transport::builder().build()?;
/// let context = auth_core::Context::new(transport);
/// # let _ = context;
/// # Ok(())
/// # }
/// # example().unwrap();
/// ```
pub struct Transport {
    agent: Agent,
    rules: Arc<Rules>,
}

/// Builds a [`Transport`].
pub struct TransportBuilder {
    tls: Tls,
    proxy: Option<Proxy>,
    rules: Rules,
    deadline: Duration,
}

struct Rules {
    denied: DeniedRanges,
    loopback: Loopback,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Loopback {
    Denied,
    Allowed,
}

impl Transport {
    /// Begins a transport: system authorities, no proxy, public addresses alone.
    #[must_use]
    pub fn builder() -> TransportBuilder {
        TransportBuilder {
            tls: Tls::system(),
            proxy: None,
            rules: Rules { denied: DeniedRanges::default(), loopback: Loopback::Denied },
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

    /// Goes through this proxy, credentials for it included.
    #[must_use]
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.proxy = Some(proxy);
        self
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
    /// `Error::Config` when TLS cannot be set up as asked, or the proxy is none over http or https.
    pub fn build(self) -> Result<Transport> {
        let rules = Arc::new(self.rules);
        let connecting = Duration::from_secs(5).min(self.deadline);
        let filter = Filter(Arc::clone(&rules));
        let agent = agent(self.tls, self.proxy, connecting, Some(self.deadline), filter)?;
        Ok(Transport { agent, rules })
    }
}

impl auth_core::Transport for Transport {
    fn fetch(&self, request: Exchange) -> Flow<'_, Response<Vec<u8>>> {
        if let Err(error) = self.rules.check(request.request().uri()) {
            return Flow::failed(error);
        }
        let agent = self.agent.clone();
        on_its_own(move || exchange(&agent, request))
    }

    fn pause(&self, duration: Duration) -> Flow<'_, ()> {
        on_its_own(move || {
            thread::sleep(duration);
            Ok(())
        })
    }

    fn detach(&self, work: Flow<'static, ()>) -> Option<Flow<'static, ()>> {
        Some(work)
    }
}

fn exchange(agent: &Agent, request: Exchange) -> Result<Response<Vec<u8>>> {
    let most_bytes = request.most_bytes();
    let (head, sent) = request.into_request().into_parts();
    let (head, answer) = Content::from(sent).send(agent, head)?.into_parts();
    let limit = u64::try_from(most_bytes).unwrap_or(u64::MAX).saturating_add(1);
    let mut body = Vec::new();
    answer.into_reader().take(limit).read_to_end(&mut body).map_err(failure::body)?;
    if body.len() > most_bytes {
        return Err(Error::protocol(
            "transport_answer_too_long",
            format!("answer is longer than {most_bytes} bytes"),
        ));
    }
    Ok(Response::from_parts(head, body))
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
            let error = "url is http, expected https";
            return Err(Error::config("transport_plain_http", error));
        }
        // Of a name this says no more than that it is one.
        let _ =
            self.denied.permits_host(origin.host()).map_err(|error| denied(error.to_string()))?;
        Ok(())
    }

    fn permits(&self, address: IpAddr) -> bool {
        let loopback = self.loopback == Loopback::Allowed && address.to_canonical().is_loopback();
        loopback || self.denied.permits(address).is_ok()
    }
}

/// Resolves names, and keeps only addresses that may be connected to.
struct Filter(Arc<Rules>);

impl Resolver for Filter {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = DefaultResolver::default()
            .resolve(uri, config, timeout)
            .map_err(failure::connecting)?;
        // Where the proxy is was decided by who configured it. What goes past it is filtered like anything else.
        if config.proxy().is_some_and(|proxy| proxy.uri() == uri) {
            return Ok(found);
        }
        let mut kept = self.empty();
        for address in found.iter().filter(|address| self.0.permits(address.ip())) {
            kept.push(*address);
        }
        if kept.is_empty() {
            let error = "the name resolves to no address that may be connected to";
            return Err(failure::connecting(ureq::Error::Other(error.into())));
        }
        Ok(kept)
    }
}

fn denied(error: impl Into<Box<dyn error::Error + Send + Sync>>) -> Error {
    Error::config("transport_denied_address", error)
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

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Filter(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ureq::unversioned::transport::time;

    /// How many addresses are left of the host of `url`.
    fn kept(loopback: Loopback, proxy: Option<&str>, url: &str) -> Option<usize> {
        let rules = Rules { denied: DeniedRanges::default(), loopback };
        let proxy = proxy.map(|proxy| Proxy::new(proxy).unwrap());
        let config = Agent::config_builder().proxy(proxy).build();
        let timeout = NextTimeout { after: time::Duration::from_secs(5), ..NextTimeout::default() };
        let kept = Filter(Arc::new(rules)).resolve(&url.parse().unwrap(), &config, timeout);
        kept.ok().map(|kept| kept.len())
    }

    #[test]
    fn a_name_is_judged_by_what_it_resolves_to() {
        let (url, proxy) = ("https://localhost:8443", Some("http://localhost:3128"));
        assert_eq!(kept(Loopback::Denied, None, url), None);
        assert!(kept(Loopback::Allowed, None, url) > Some(0));
        assert_eq!(
            kept(Loopback::Denied, proxy, url),
            None,
            "what goes past the proxy was not filtered"
        );
        assert!(
            kept(Loopback::Denied, proxy, "http://localhost:3128") > Some(0),
            "a proxy on this machine could not be reached"
        );
    }
}
