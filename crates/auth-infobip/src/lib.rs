//! Infobip for programs that call it: four ways to authenticate, of which the configuration chooses one.
//!
//! | `method` | field | what it is for |
//! |---|---|---|
//! | `api_key` | `Authorization: App KEY` | the usual one; a key cannot manage keys |
//! | `basic` | `Authorization: Basic` | first steps, and the management of keys |
//! | `ibsso` | `Authorization: IBSSO TOKEN` | one session for several systems |
//! | `oauth2` | `Authorization: Bearer TOKEN` | tokens of an hour |
//!
//! ```
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
//! ```
//!
//! # What it does not do
//!
//! It sends nothing but log-ins and token requests, and knows no bodies but those of errors and of API keys. The platform's
//! own end is in auth-ibsso (sessions) and auth-emulator.

mod answer;
mod api_keys;
mod authorization;
mod client;
mod object;

// What the signatures of this crate need of other crates of ours, so that a program can depend on this crate alone.
pub use auth_core::{Authenticator, Context, Error, Result, Secret};

pub use answer::{InfobipAnswer, InfobipOutcome, Violation};
pub use api_keys::{ApiKeyCalls, ApiKeyChanges, InfobipApiKey, NewApiKey};
pub use authorization::InfobipAuthorization;
pub use client::Infobip;
