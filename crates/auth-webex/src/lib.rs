//! Webex Connect on both ends: which credential each API takes, where it is, and what its answers say.
//!
//! Feature `client` (on unless switched off) is for programs that call the platform, `server` for a platform that is called
//! as it is: its doors over the registry of auth-lifecycle.
//!
//! | APIs | credential | field |
//! |---|---|---|
//! | Messaging v1 and v2, Custom Event v1, inbound webhooks, RCS capability look-up | service key | `key` |
//! | the same | service JWT | `Authorization: Bearer` |
//! | Contact Policy | profile key | `Authorization: Bearer` |
//! | Profile v2 | profile key | `key` |
//! | Thread, Segment, Topic | app JWT | `Authorization: Bearer` |
//! | the sandbox | service key or service JWT | `Authorization: Bearer` |
//!
//! Each credential has a type of its own, which offers the APIs that take it: the wrong one does not compile.
//!
//! The platform tells a refused credential by a code in the body, behind a 200, a 400 or a 403 as the API has it. So the
//! answers are read, and a token that was refused is renewed: `WebexApi::read_answer`.
//!
//! ```
//! # #[cfg(feature = "client")] {
//! use auth_core::Context;
//! use auth_webex::{Region, ServiceApi, ServiceCredential, Webex};
//! # fn example(context: Context) -> auth_core::Result<()> {
//! let webex = Webex::in_region(Region::Eu)?;
//! let service = webex.service(ServiceCredential::key("4f5c-service-key")?);
//! let messages = service.api(ServiceApi::MessagingV2);
//! assert_eq!(messages.url(), "https://api.eu.webexconnect.io/v2/messages");
//! // `messages` is an authenticator: `client.send(&messages, request)`.
//! # Ok(()) }
//! # example(Context::new(auth_testing::ScriptedTransport::new(|_| panic!()))).unwrap();
//! # }
//! ```
//!
//! # What it does not do
//!
//! It sends nothing, and knows no bodies but those of refusals.

mod answer;
#[cfg(feature = "client")]
mod api;
#[cfg(feature = "client")]
mod client;
mod family;
#[cfg(feature = "client")]
mod hosts;
mod json;
#[cfg(feature = "server")]
mod server;

// What the signatures of this crate need of other crates of ours, so that a program can depend on this crate alone.
pub use auth_core::{
    AttemptLimit, Authenticator, Clock, Context, Error, Result, Secret, SystemClock, Verifier,
};

pub use answer::{WebexAnswer, WebexOutcome};
#[cfg(feature = "client")]
pub use api::{AppApi, ServiceApi, TenantApi};
#[cfg(feature = "client")]
pub use client::{
    AppCredential, ServiceCredential, Webex, WebexApi, WebexApp, WebexService, WebexTenant,
};
pub use family::WebexFamily;
#[cfg(feature = "client")]
pub use hosts::{Region, WebexHosts};
#[cfg(feature = "server")]
pub use server::{
    AppCaller, AppDoor, BearerDoor, ProvenApp, ServiceDoor, WebexDoors, refusal_answer,
};
