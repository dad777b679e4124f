//! Webex Connect for programs that call it: which credential each API takes, where it is, and what its answers say.
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
//! answers are read, and a token that was refused is renewed: [`read_answer`](WebexApi::read_answer).
//!
//! ```
//! use auth_core::{Context, OriginBound};
//! use auth_webex::{Region, ServiceApi, ServiceCredential, Webex};
//! # fn example(context: Context) -> auth_core::Result<()> {
//! let webex = Webex::in_region(Region::Eu)?;
//! let service = webex.service(ServiceCredential::key("4f5c-service-key")?);
//! let messages = service.api(ServiceApi::MessagingV2);
//! assert_eq!(messages.url(), "https://api.eu.webexconnect.io/v2/messages");
//! // `messages` is an authenticator: `client.send(&messages, request)`.
//! # Ok(()) }
//! # example(Context::new(auth_testing::ScriptedTransport::new(|_| panic!()))).unwrap();
//! ```
//!
//! # What it does not do
//!
//! It sends nothing, and knows no bodies but those of refusals. The platform's own end is not here yet.

mod answer;
mod api;
mod client;
mod hosts;
mod json;

// What the signatures of this crate need of other crates of ours, so that a program can depend on this crate alone.
pub use auth_core::{Authenticator, Clock, Context, Error, Result, Secret, SystemClock};

pub use answer::{WebexAnswer, WebexOutcome};
pub use api::{AppApi, ServiceApi, TenantApi, WebexFamily};
pub use client::{
    AppCredential, ServiceCredential, Webex, WebexApi, WebexApp, WebexService, WebexTenant,
};
pub use hosts::{Region, WebexHosts};
