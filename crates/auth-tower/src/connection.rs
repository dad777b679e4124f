//! What the server knows of a connection.

use auth_net::{ClientAddress, TrustedProxies};
use http::{HeaderMap, request::Parts};
use std::{borrow::Cow, net::IpAddr, sync::Arc};

/// Facts about the connection that a request came over; put into the request's extensions by the server
/// that accepted the connection.
///
/// # Security
///
/// Nothing in it may come from a header: verifiers rely on it.
#[derive(Clone, Debug, Default)]
pub struct ConnectionInfo {
    /// The address at the other end: the client, or the nearest proxy.
    pub address: Option<IpAddr>,
    /// Did the request travel encrypted all the way from the client?
    pub encrypted: bool,
    /// The client's certificate, verified by the TLS layer, in DER.
    pub certificate: Option<Arc<[u8]>>,
}

impl ConnectionInfo {
    pub(crate) fn of(head: &Parts) -> Cow<'_, Self> {
        if let Some(known) = head.extensions.get::<Self>() {
            return Cow::Borrowed(known);
        }
        #[cfg(feature = "axum")]
        if let Some(info) =
            head.extensions.get::<axum::extract::ConnectInfo<std::net::SocketAddr>>()
        {
            return Cow::Owned(Self { address: Some(info.0.ip()), ..Self::default() });
        }
        Cow::Owned(Self::default())
    }

    /// The client's address: `None` when it is not known, and a verifier with an address list must then refuse.
    pub(crate) fn client(
        &self,
        proxies: Option<&TrustedProxies>,
        headers: &HeaderMap,
    ) -> Option<IpAddr> {
        let address = self.address?.to_canonical();
        match proxies.map(|proxies| proxies.client_address(address, headers)) {
            None => Some(address),
            Some(ClientAddress::Known(client)) => Some(client),
            Some(ClientAddress::Unknown(_)) => None,
        }
    }
}
