//! Authenticated requests with ureq, for blocking programs, and a hardened transport for token endpoints.
//!
//! For programs without an async runtime. [`AuthClient`] sends requests under any
//! [`Authenticator`](auth_core::Authenticator): every attempt authenticated afresh, redirects followed hop by hop,
//! credentials kept to their origin. [`UreqTransport`] is the door that schemes use for exchanges of their own (a token
//! endpoint, a key set), and trusts nobody: https alone, no redirects, denied address ranges, deadlines, small answers.
//!
//! # Which thread does what
//!
//! The client works on the thread that calls it, and blocks it. It begins a thread to look a name up, once for all
//! callers that wait for it and not again for ten seconds, and to read an answer without a length whose body the scheme
//! asks for, so that it can be given up. The transport exchanges on threads of its own, one for each exchange, and its
//! flows never block the thread that polls them: a session may be shared by plain threads that wait and by an async
//! runtime that polls, an exchange that has begun is seen through though its caller is gone, and a flow that races
//! another one loses no time. A thread costs some tens of microseconds, where an exchange over the network costs
//! thousands; sessions make one exchange for all callers that wait. A program that keeps thousands of sessions at once
//! is async, and better served by `auth-reqwest`.
//!
//! # What it does not do
//!
//! It knows no scheme, keeps no cookies, decompresses nothing, speaks HTTP/1.1 alone and takes nothing from the
//! environment. Trailer fields of an answer do not reach a scheme: ureq drops them.
//!
//! TLS is rustls over ring, given as a value: no provider is installed for the process, and none needs to be. With the
//! feature `pkcs12`, [`ClientIdentity`] is also read from PKCS#12 (`.p12`, `.pfx`). A server that does not take the client's
//! certificate is an `Error::Refused` with the code `tls_client_certificate`, which says why.
//!
//! # Security
//!
//! ureq logs through the crate `log`. Up to the level debug it leaves out fields and URLs; at the level **trace** it
//! writes down what it sends and receives, credentials and new tokens included. Keep `ureq` and `ureq_proto` off that
//! level, or compile it out with the feature `release_max_level_debug` of `log`.

mod agent;
mod ahead;
mod client;
mod connect;
mod content;
mod exchange;
mod failure;
mod names;
mod read;
mod thread;
mod transport;
mod tunnel;

pub use auth_outbound::{ClientIdentity, Proxy, TlsSettings};
pub use client::AuthClient;
pub use content::RequestContent;
pub use transport::UreqTransport;

/// Builds an [`AuthClient`]. Its methods are those of `auth_outbound::ClientBuilder`: `with_tls`, `with_proxy`,
/// `with_connect_timeout`, `with_timeout`, `with_observer`, `allowing_plain_http` and `build`.
pub type ClientBuilder = auth_outbound::ClientBuilder<AuthClient>;

/// Builds a [`UreqTransport`].
pub type TransportBuilder = auth_outbound::TransportBuilder<UreqTransport>;
