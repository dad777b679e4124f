//! What tests of authentication need: a clock that moves when told, randomness that repeats, a transport that plays the
//! server.
//!
//! For tests of a program that authenticates, or of a new scheme. A test with these neither sleeps nor opens
//! a connection, and fails the same way every time.
//!
//! | | |
//! |---|---|
//! | [`ManualClock`] | time that stands still until it is moved |
//! | [`SeededRandom`] | the same bytes for the same seed |
//! | [`ScriptedTransport`], [`Gate`] | a transport that asks a closure for its answers, and counts them |
//! | [`Canary`], [`CapturedOutput`] | secrets that are planted, and looked for in everything that was shown |
//! | [`broken_promises_of_token_store`] | what a store of tokens promises, tried on yours |
//!
//! # What it does not do
//!
//! It imitates no platform. And nothing here is for production: seeded randomness can be predicted.
//!
//! ```
//! use auth_core::{Clock, Exchange, Transport};
//! use auth_testing::{ManualClock, ScriptedTransport};
//! use http::{Request, Response};
//! use std::time::Duration;
//!
//! let clock = ManualClock::at(1_700_000_000);
//! let transport = ScriptedTransport::new(|request| {
//!     assert_eq!(request.uri().path(), "/token");
//!     Ok(Response::new(b"answer".to_vec()))
//! });
//! let request = Request::get("https://issuer.example/token").body(Vec::new())?;
//! assert_eq!(transport.fetch(Exchange::new(request)).wait()?.body(), b"answer");
//! assert_eq!(transport.exchanges(), 1);
//! clock.advance(Duration::from_secs(60));
//! assert_eq!(clock.now().unix(), 1_700_000_060);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

mod canary;
mod clock;
mod random;
mod scripted;
mod token_store;

pub use canary::{Canary, CapturedOutput};
pub use clock::ManualClock;
pub use random::SeededRandom;
pub use scripted::{Gate, ScriptedTransport};
pub use token_store::broken_promises_of_token_store;
