//! What client adapters share: how a program connects to others, as values that are passed.
//!
//! For authors of client adapters, and for programs that call on behalf of many tenants. Programs that only send
//! requests meet these types as settings of `auth-reqwest` and `auth-ureq`, which re-export what their callers need.
//!
//! | | |
//! |---|---|
//! | [`TlsSettings`], [`ClientIdentity`] | whose certificates are trusted, and the certificate that this side shows |
//! | [`Proxy`] | through which proxy requests go, and which hosts they reach without it |
//! | [`AddressFilter`] | to which addresses a connection may be made, names judged by what they resolve to |
//! | [`ClientBuilder`], [`TransportBuilder`] | the settings of every client and every transport |
//! | [`FailedExchange`], [`ConnectionPath`] | what went wrong, with the host and port that a request was for, and whether a proxy stood between |
//! | [`configured_transport`] | a transport that reaches each origin as a configuration says it |
//! | [`Routes`] | one transport for each tenant, origin and client identity |
//!
//! What it does not do: it opens no connection, resolves no name and reads no file; it knows no HTTP client.

mod configured;
mod failed_exchange;
mod filter;
mod identity;
mod proxy;
mod routes;
mod settings;
mod tls;

pub use auth_core::{RouteSettings, TenantId};
pub use configured::configured_transport;
pub use failed_exchange::{ConnectionPath, FailedExchange};
pub use filter::AddressFilter;
pub use identity::ClientIdentity;
pub use proxy::Proxy;
pub use routes::Routes;
pub use settings::{ClientBuilder, ClientSettings, TransportBuilder, TransportSettings};
pub use tls::TlsSettings;
