//! Authentication layers for tower servers and clients, and an axum extractor.
//!
//! For servers built on tower, axum, tonic or hyper, and for clients that are tower services. [`VerifyLayer`] asks any
//! [`Verifier`](auth_core::Verifier) who is calling; [`AuthenticateLayer`] lets any
//! [`Authenticator`](auth_core::Authenticator) authenticate requests. Neither knows a scheme.
//!
//! Features: `axum` gives the extractor `Authenticated<P>`, sees the original URI under `nest`, and takes the peer's
//! address from `ConnectInfo`.
//!
//! What it does not do: it accepts no connections and terminates no TLS, follows no redirects, and answers no request
//! but those that it rejects.

mod admit;
mod blocking;
mod buffered;
mod checked;
mod client;
mod complete;
mod connection;
mod drain;
#[cfg(feature = "axum")]
mod extract;
mod joined;
mod judge;
mod outgoing_body;
mod reply;
mod reply_body;
mod server;
mod tracing_observer;
mod verify;

pub use blocking::BlockingThreads;
pub use buffered::BufferedBody;
pub use checked::CheckedBody;
pub use client::{Authenticate, AuthenticateLayer, ClientError};
pub use connection::ConnectionInfo;
#[cfg(feature = "axum")]
pub use extract::NoSuchPrincipal;
pub use outgoing_body::OutgoingBody;
pub use reply_body::ReplyBody;
pub use server::{Authenticated, VerifyLayer};
pub use tracing_observer::TracingObserver;
pub use verify::Verify;

/// Any error of a body beneath.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
