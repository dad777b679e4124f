//! How an origin is reached.

use crate::{Origin, Secret};
use std::{fmt, sync::Arc, time::Duration};

/// How one origin is reached, as the configuration of an operator says it.
///
/// The crate of a scheme makes it of a file that it reads, and knows no HTTP client; `auth_outbound::configured_transport`
/// makes a transport of it, and knows no scheme.
///
/// # Security
///
/// It comes from the operator of the program and never from a tenant: hosts that it names are reached through a proxy
/// without a check of their addresses. `Debug` shows neither the proxy, whose URL may hold a password, nor the certificate.
///
/// ```
/// use auth_core::RouteSettings;
/// use std::time::Duration;
/// let mut route = RouteSettings::new("https://agent.acme.com:8443".parse()?);
/// route.deadline = Some(Duration::from_secs(60));
/// # Ok::<_, auth_core::Error>(())
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct RouteSettings {
    /// What is reached.
    pub origin: Origin,
    /// The URL of the proxy that it is reached through: `http://USER:PASSWORD@HOST:PORT`, percent-encoded.
    pub proxy: Option<Arc<Secret>>,
    /// Authorities that are trusted beside the system's: certificates in PEM.
    pub authorities: Option<Arc<[u8]>>,
    /// The certificate that is shown to a server that asks for one, with its chain and its key: PEM, or PKCS#12 where there
    /// is a password.
    pub certificate: Option<Arc<Secret>>,
    /// The password of that PKCS#12.
    pub certificate_password: Option<Arc<Secret>>,
    /// An exchange is given up after so long.
    pub deadline: Option<Duration>,
}

impl RouteSettings {
    /// Reached as the transport does without settings.
    #[must_use]
    pub const fn new(origin: Origin) -> Self {
        Self {
            origin,
            proxy: None,
            authorities: None,
            certificate: None,
            certificate_password: None,
            deadline: None,
        }
    }
}

impl fmt::Debug for RouteSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RouteSettings")
            .field("origin", &self.origin)
            .field("proxy", &self.proxy)
            .field("authorities", &self.authorities.is_some())
            .field("certificate", &self.certificate)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}
