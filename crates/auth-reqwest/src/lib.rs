//! Authenticated requests with reqwest, and a hardened transport for token endpoints.
//!
//! For async programs. [`AuthClient`] sends requests under any [`Authenticator`](auth_core::Authenticator): every attempt
//! authenticated afresh, redirects followed hop by hop, credentials kept to their origin. [`ReqwestTransport`] is the door that
//! schemes use for exchanges of their own (a token endpoint, a key set), and trusts nobody: https alone, no redirects,
//! denied address ranges, deadlines, small answers.
//!
//! TLS is rustls over ring, given as a value: no provider is installed for the process, and none needs to be. With the
//! feature `pkcs12`, [`ClientIdentity`] is also read from PKCS#12 (`.p12`, `.pfx`). A server that does not take the client's
//! certificate is an `Error::Refused` with the code `tls_client_certificate`, which says why.
//!
//! What it does not do: it knows no scheme, keeps no cookies, and takes nothing from the environment.

mod client;
mod exchange;
mod failure;
mod http;
mod read;
mod transport;

pub use auth_outbound::{ClientIdentity, Proxy, TlsSettings};
pub use client::{AuthClient, IntoRequest};
pub use transport::ReqwestTransport;

/// Builds an [`AuthClient`]. Its methods are those of `auth_outbound::ClientBuilder`: `with_tls`, `with_proxy`,
/// `with_connect_timeout`, `with_timeout`, `with_observer`, `allowing_plain_http` and `build`.
pub type ClientBuilder = auth_outbound::ClientBuilder<AuthClient>;

/// Builds a [`ReqwestTransport`].
pub type TransportBuilder = auth_outbound::TransportBuilder<ReqwestTransport>;
