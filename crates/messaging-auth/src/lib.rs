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
#[cfg(any(feature = "infobip", feature = "infobip-server"))]
pub use auth_infobip;
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
#[cfg(any(feature = "webex", feature = "webex-server"))]
pub use auth_webex;
#[cfg(feature = "webhook")]
pub use auth_webhook;

/// Their programs are tested with everything there is.
#[cfg(all(
    doctest,
    feature = "axum",
    feature = "bdk-config",
    feature = "infobip",
    feature = "infobip-server",
    feature = "pkcs12",
    feature = "reqwest",
    feature = "sqlite",
    feature = "ureq",
    feature = "webex",
    feature = "webhook"
))]
#[doc = include_str!("../../../README.md")]
#[doc = include_str!("../../../docs/guide/getting-started.md")]
#[doc = include_str!("../../../docs/guide/infobip.md")]
#[doc = include_str!("../../../docs/guide/infobip-platform.md")]
#[doc = include_str!("../../../docs/guide/lifecycle.md")]
#[doc = include_str!("../../../docs/guide/oauth2.md")]
#[doc = include_str!("../../../docs/guide/symphony.md")]
#[doc = include_str!("../../../docs/guide/webex.md")]
#[doc = include_str!("../../../docs/guide/webhooks.md")]
pub use auth_core as guides;
