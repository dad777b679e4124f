//! Infobip on both ends: four ways to authenticate, of which the configuration chooses one, and a platform that takes all of
//! them.
//!
//! Feature `client` (on unless switched off) is for programs that call Infobip, `server` for a platform that is called as
//! Infobip is: authorization server and resource server in one.
//!
//! | `method` | field | what it is for |
//! |---|---|---|
//! | `api_key` | `Authorization: App KEY` | the usual one; a key cannot manage keys |
//! | `basic` | `Authorization: Basic` | first steps, and the management of keys |
//! | `ibsso` | `Authorization: IBSSO TOKEN` | one session for several systems |
//! | `oauth2` | `Authorization: Bearer TOKEN` | tokens of an hour |
//!
//! # A program that calls Infobip
//!
//! ```
//! # #[cfg(feature = "client")] {
//! use auth_core::Context;
//! use auth_infobip::{Infobip, InfobipAuthorization};
//! # fn example(context: Context) -> auth_core::Result<()> {
//! let text = r#"{ "method": "api_key", "key": "003026bbc133714df1834b8638bb496e-8f4b3d9a" }"#;
//! let authorization: InfobipAuthorization = serde_json::from_str(text).unwrap();
//! let infobip = Infobip::new("https://xyz12.api.infobip.com", authorization, context)?;
//! assert_eq!(infobip.url("/sms/3/messages"), "https://xyz12.api.infobip.com/sms/3/messages");
//! // `infobip` is an authenticator: `client.send(&infobip, request)`.
//! # Ok(()) }
//! # example(Context::new(auth_testing::ScriptedTransport::new(|_| panic!()))).unwrap();
//! # }
//! ```
//!
//! # A platform that is called as Infobip is
//!
//! ```
//! # #[cfg(feature = "server")] {
//! use auth_core::{AttemptLimit, InlineWorkers, MemoryAttemptLimits, Secret, SystemClock};
//! use auth_ibsso::SessionLifetime;
//! use auth_infobip::{InfobipPlatform, InfobipUsers};
//! use auth_lifecycle::{MemoryLifecycleStore, Registry, RegistryKeys};
//! use auth_static::{Argon2Concurrency, Argon2Cost};
//!
//! # fn platform(master: &Secret, token_secret: &Secret) -> auth_core::Result<()> {
//! let registry = Registry::build(MemoryLifecycleStore::new(), RegistryKeys::from_master(master)?);
//! let limit = AttemptLimit::new(MemoryAttemptLimits::new(SystemClock));
//! let platform = InfobipPlatform::new(registry, SessionLifetime::default())?.with_limit(limit);
//! let concurrency = Argon2Concurrency { running: 2, waiting: 64 };
//! let passwords = platform.registry().basic_passwords(Argon2Cost::default(), concurrency, InlineWorkers)?;
//! let users = InfobipUsers::new(passwords);
//! let tokens = platform.tokens("https://api.acme.example", token_secret)?;
//!
//! let door = platform.door(&users, tokens.clone())?; // all four methods
//! let messages = door.needing(&["sms:message:send"]); // the door of one API: `VerifyLayer::new(messages)`
//! let sessions = platform.session_endpoint(&users, &door); // POST and DELETE /auth/1/session
//! let oauth = platform.token_endpoint(&users, &tokens); // POST /auth/1/oauth2/token
//! let keys = platform.api_key_endpoint(); // /settings/2/api-keys
//! # let _ = (messages, sessions, oauth, keys);
//! # Ok(()) }
//! # platform(&Secret::new([7; 32]), &Secret::new([8; 32])).unwrap();
//! # }
//! ```
//!
//! [`InfobipPlatform`](https://docs.rs/auth-infobip/latest/auth_infobip/struct.InfobipPlatform.html) says what each part is
//! for.
//!
//! # What it does not do
//!
//! The calling end sends nothing but log-ins and token requests, and knows no bodies but those of errors and of API keys. The
//! platform's end has no routes, no background and no messages: a server framework calls its endpoints. It issues no
//! authorization codes. Sessions alone, over
//! sessions and users of your own, are in auth-ibsso.

#[cfg(feature = "client")]
mod answer;
#[cfg(feature = "client")]
mod api_keys;
#[cfg(feature = "client")]
mod authorization;
#[cfg(feature = "client")]
mod client;
#[cfg(any(feature = "client", feature = "server"))]
mod object;
#[cfg(feature = "server")]
mod server;

// What the signatures of this crate need of other crates of ours, so that a program can depend on this crate alone.
pub use auth_core::{
    AttemptLimit, Authenticator, Caller, Clock, Context, Error, Flow, Random, Reason, Rejection,
    RequestView, Result, Secret, TenantId, Verifier,
};
pub use auth_ibsso::{ErrorForm, SessionAnswer, SessionEndpoint, SessionLifetime};
#[cfg(feature = "server")]
pub use auth_lifecycle::{Known, Registry, RegistryBuilder, ServiceId};
#[cfg(feature = "client")]
pub use auth_session::TokenStore;
#[cfg(feature = "server")]
pub use auth_static::Passwords;

#[cfg(feature = "client")]
pub use answer::{InfobipAnswer, InfobipOutcome, Violation};
#[cfg(feature = "client")]
pub use api_keys::{ApiKeyCalls, ApiKeyChanges, InfobipApiKey, NewApiKey};
#[cfg(feature = "client")]
pub use authorization::InfobipAuthorization;
#[cfg(feature = "client")]
pub use client::{Infobip, InfobipSession};
#[cfg(feature = "server")]
pub use server::{
    ApiKeyEndpoint, EVERY_SCOPE, InfobipDoor, InfobipPlatform, InfobipUsers, OAuthTokenEndpoint,
    OAuthTokens, PlatformAnswer, RegistrySessions,
};
