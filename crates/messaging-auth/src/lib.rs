//! Authentication for messaging platforms, on both ends of the wire.
//!
//! For programs that call Webex Connect, Infobip or Symphony, for platforms that send webhooks and receivers that verify
//! them, and for platforms that issue credentials and verify callers. This crate only re-exports; each part is a crate
//! of its own and can be depended on alone.
//!
//! What it does not do: see the crates, each of which says so.

pub use auth_core as core;
pub use auth_net as net;

#[cfg(feature = "digest")]
pub use auth_digest as digest;
#[cfg(feature = "jwt")]
pub use auth_jwt as jwt;
#[cfg(feature = "local")]
pub use auth_local as local;
#[cfg(feature = "outbound")]
pub use auth_outbound as outbound;
#[cfg(feature = "reqwest")]
pub use auth_reqwest as reqwest;
#[cfg(feature = "session")]
pub use auth_session as session;
#[cfg(feature = "sigv4")]
pub use auth_sigv4 as sigv4;
#[cfg(feature = "static")]
pub use auth_static::*;
#[cfg(feature = "tower")]
pub use auth_tower as tower;
#[cfg(feature = "ureq")]
pub use auth_ureq as ureq;

#[cfg(all(doctest, feature = "axum", feature = "reqwest"))]
#[doc = include_str!("../../../README.md")]
pub use auth_core as readme;
#[cfg(all(
    doctest,
    feature = "axum",
    feature = "outbound",
    feature = "reqwest",
    feature = "ureq"
))]
#[doc = include_str!("../../../docs/guide/getting-started.md")]
pub use auth_core as getting_started;
