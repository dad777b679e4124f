//! A transport that trusts nobody: for token endpoints, whose addresses a tenant may have typed.

use crate::{RequestContent, TransportBuilder, agent::AgentSettings, failure, thread::on_its_own};
use auth_core::{Error, Exchange, Flow, Result};
use auth_outbound::{AddressFilter, TransportSettings};
use http::Response;
use std::{fmt, io::Read, thread, time::Duration};
use ureq::Agent;

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
/// is not a public unicast address is denied ([`AddressFilter`]), the explicit proxy's own excepted. Connecting takes at
/// most 5 seconds, an exchange 10, and an answer has the bytes that its [`Exchange`] allows. Behind a proxy it is the
/// proxy that resolves names: they are refused unless the proxy is trusted with keeping connections from addresses inside
/// ([`Proxy::trusting_its_address_filter`](auth_outbound::Proxy::trusting_its_address_filter)).
///
/// ```
/// # fn example() -> auth_core::Result<()> {
/// let transport = auth_ureq::UreqTransport::builder().build()?;
/// let context = auth_core::Context::new(transport);
/// # let _ = context;
/// # Ok(())
/// # }
/// # example().unwrap();
/// ```
pub struct UreqTransport {
    agent: Agent,
    filter: AddressFilter,
}

impl UreqTransport {
    /// Begins a transport: system authorities, no proxy, public addresses alone.
    #[must_use]
    pub fn builder() -> TransportBuilder {
        TransportBuilder::new(Self::new)
    }

    fn new(settings: TransportSettings) -> Result<Self> {
        let agent = AgentSettings {
            tls: &settings.tls,
            proxy: settings.proxy.as_ref(),
            filter: Some(&settings.filter),
            connect: settings.connect_timeout(),
            total: Some(settings.deadline),
        }
        .agent()?;
        Ok(Self { agent, filter: settings.filter })
    }
}

impl auth_core::Transport for UreqTransport {
    fn fetch(&self, request: Exchange) -> Flow<'_, Response<Vec<u8>>> {
        if let Err(error) = self.filter.check(request.request().uri()) {
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
    let target = head.uri.clone();
    let (head, answer) = RequestContent::from(sent).send(agent, head)?.into_parts();
    let limit = u64::try_from(most_bytes).unwrap_or(u64::MAX).saturating_add(1);
    let mut body = Vec::new();
    let read = answer.into_reader().take(limit).read_to_end(&mut body);
    read.map_err(|error| failure::body(&target, error))?;
    if body.len() > most_bytes {
        return Err(Error::protocol(
            "transport_answer_too_long",
            format!("answer is longer than {most_bytes} bytes"),
        ));
    }
    Ok(Response::from_parts(head, body))
}

impl fmt::Debug for UreqTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UreqTransport(..)")
    }
}
