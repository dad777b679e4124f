//! Authentication for messaging platforms, on both ends of the wire.
//!
//! For programs that call Webex Connect, Infobip or Symphony, for platforms that send webhooks and receivers that verify
//! them, and for platforms that issue credentials and verify callers. This crate only re-exports; each part is a crate
//! of its own, stands here under its own name (`messaging_auth::auth_static`), and can be depended on alone. Each of them
//! says what it does not do.

pub use auth_core;
pub use auth_net;

#[cfg(feature = "digest")]
pub use auth_digest;
#[cfg(feature = "ibsso")]
pub use auth_ibsso;
#[cfg(feature = "jwt")]
pub use auth_jwt;
#[cfg(feature = "lifecycle")]
pub use auth_lifecycle;
#[cfg(feature = "local")]
pub use auth_local;
#[cfg(feature = "oauth2")]
pub use auth_oauth2;
#[cfg(feature = "outbound")]
pub use auth_outbound;
#[cfg(feature = "reqwest")]
pub use auth_reqwest;
#[cfg(feature = "session")]
pub use auth_session;
#[cfg(feature = "sigv4")]
pub use auth_sigv4;
#[cfg(feature = "static")]
pub use auth_static;
#[cfg(feature = "sqlite")]
pub use auth_store_sqlite;
#[cfg(feature = "symphony")]
pub use auth_symphony;
#[cfg(feature = "tower")]
pub use auth_tower;
#[cfg(feature = "ureq")]
pub use auth_ureq;
#[cfg(feature = "webhook")]
pub use auth_webhook;

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
#[cfg(all(
    doctest,
    feature = "axum",
    feature = "local",
    feature = "oauth2",
    feature = "reqwest",
    feature = "ureq"
))]
#[doc = include_str!("../../../docs/guide/oauth2.md")]
pub use auth_core as guide_oauth2;
#[cfg(all(doctest, feature = "axum", feature = "sqlite"))]
#[doc = include_str!("../../../docs/guide/lifecycle.md")]
pub use auth_core as guide_lifecycle;
#[cfg(all(
    doctest,
    feature = "axum",
    feature = "ibsso",
    feature = "sqlite",
    feature = "ureq"
))]
#[doc = include_str!("../../../docs/guide/infobip.md")]
pub use auth_core as guide_infobip;
#[cfg(all(doctest, feature = "bdk-config", feature = "ureq"))]
#[doc = include_str!("../../../docs/guide/symphony.md")]
pub use auth_core as guide_symphony;
