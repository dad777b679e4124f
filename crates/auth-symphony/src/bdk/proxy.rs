//! The proxy of a component.

use super::document::Section;
use crate::on_behalf_of::percent_encoded;
use auth_core::{Result, Secret};
use http::Uri;
use std::{net::Ipv6Addr, sync::Arc};
use zeroize::Zeroizing;

/// The URL of a proxy: `http://USER:PASSWORD@HOST:PORT`.
#[derive(Clone)]
pub(super) struct ProxyUrl(Arc<Secret>);

impl ProxyUrl {
    pub(super) fn read(mut section: Section, warnings: &mut Vec<String>) -> Result<Self> {
        let host = section.text("host")?.ok_or_else(|| section.wrong("host", "is missing"))?;
        let port = section.port("port")?.ok_or_else(|| section.wrong("port", "is missing"))?;
        let place = match host.parse::<Ipv6Addr>() {
            Ok(address) => format!("[{address}]:{port}"),
            Err(_) => format!("{}:{port}", *host),
        };
        let is_host = |uri: Uri| uri.host().is_some_and(|host| !host.is_empty());
        let is_bare = !host.contains(['/', '@', '?', '#']);
        if !is_bare || !format!("http://{place}").parse().is_ok_and(is_host) {
            let what = "is no host, expected a name such as proxy.acme.com";
            return Err(section.wrong("host", what));
        }
        let user = match (section.text("username")?, section.text("password")?) {
            (Some(user), Some(password)) => {
                let password = Zeroizing::new(percent_encoded(&password));
                Zeroizing::new(format!("{}:{}@", percent_encoded(&user), *password))
            }
            (None, None) => Zeroizing::default(),
            (Some(_), None) => return Err(section.wrong("password", "is missing")),
            (None, Some(_)) => return Err(section.wrong("username", "is missing")),
        };
        section.end(warnings);
        Ok(Self(Arc::new(Secret::new(format!("http://{}{place}", *user)))))
    }

    pub(super) fn shared(&self) -> Arc<Secret> {
        Arc::clone(&self.0)
    }
}

impl PartialEq for ProxyUrl {
    fn eq(&self, other: &Self) -> bool {
        self.0.matches(other.0.expose())
    }
}
