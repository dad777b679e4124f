//! A ureq agent that does nothing by itself.

use crate::{Proxy, TlsSettings, connect::Connect, names::Names};
use auth_core::Result;
use auth_outbound::AddressFilter;
use std::time::Duration;
use ureq::Agent;

/// How an agent connects: what a client's and a transport's settings have in common.
pub(crate) struct AgentSettings<'a> {
    pub(crate) tls: &'a TlsSettings,
    pub(crate) proxy: Option<&'a Proxy>,
    pub(crate) filter: Option<&'a AddressFilter>,
    /// How long resolving a name may take, and then connecting.
    pub(crate) connect: Duration,
    /// How long all of it may take.
    pub(crate) total: Option<Duration>,
}

impl AgentSettings<'_> {
    /// No redirects, no verdict on a status, no proxy from the environment.
    pub(crate) fn agent(self) -> Result<Agent> {
        let config = Agent::config_builder()
            .proxy(None)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .timeout_resolve(Some(self.connect))
            .timeout_connect(Some(self.connect))
            .timeout_global(self.total)
            .build();
        let names = Names::new(self.filter.cloned(), self.proxy.cloned());
        let connect = Connect::new(self.tls.config(&[b"http/1.1"])?, names.clone());
        Ok(Agent::with_parts(config, connect, names))
    }
}
