//! The log-in, session and API ends of messaging platforms, for tests without a network or an account.
//!
//! For tests of programs that log in to Infobip: the emulator creates and destroys sessions, issues OAuth tokens and API
//! keys, accepts messages that it never sends, and goes wrong on demand. It verifies with the same verifiers that this
//! project offers to platforms.
//!
//! ```
//! # async fn test() -> Result<(), Box<dyn std::error::Error>> {
//! use auth_emulator::{Endpoint, Fault, Infobip, Secret};
//!
//! let infobip = Infobip::builder().with_user("acme", Secret::new("pa55:word")).start().await?;
//! infobip.faults().arm(Fault::ExpireNow, Endpoint::Messages, 1);
//! // A program sends to `infobip.base_url()`, and finds its session ended once.
//! assert_eq!(infobip.counts().sessions_created, 0);
//! infobip.stop().await;
//! # Ok(())
//! # }
//! # tokio::runtime::Runtime::new().unwrap().block_on(test()).unwrap();
//! ```
//!
//! | | |
//! |---|---|
//! | [`Infobip`], [`InfobipBuilder`], [`RunningInfobip`] | the platform: in the process, or listening on loopback |
//! | [`Faults`], [`Fault`], [`Endpoint`] | what goes wrong with the next requests, and where |
//! | [`Counts`], [`Recorded`] | what arrived, without secrets |
//!
//! `cargo run -p auth-emulator -- infobip --port 8081` is the same as a program; its faults are an API on a second port.
//!
//! # Where the vendor does not say
//!
//! - A session lives 60 minutes from its creation, or from its last use: the vendor says both, and
//!   [`with_session_lifetime`](InfobipBuilder::with_session_lifetime) chooses.
//! - A second session while one is alive is a 400; the vendor says only that it cannot be created.
//! - A session that is used from another address than that of its creation is a 401. So is an API key.
//! - A challenge (`WWW-Authenticate`) goes with each 401, as HTTP has it; the vendor documents none.
//! - Two things are not the vendor's: the member `replace` of a creation ends the session that is alive in the same step,
//!   and the header field `idempotency-key` repeats a creation whose answer was lost.
//! - Rates are not limited, except to 40 API keys a day: [`Fault::TooManyRequests`] answers a 429 on demand.
//!
//! # Security
//!
//! It is a test tool and not for production: everything is in memory and is lost when it ends, it listens without TLS, its
//! API of faults needs no credentials, passwords that were right once are checked by a fast hash, and the program prints
//! its password and its key.

mod faults;
mod faults_api;
mod infobip;
mod listen;
mod record;

// What the signatures of this crate need of other crates of ours, so that a test can depend on this crate alone.
pub use auth_core::{Clock, Error, Random, Result, Secret, SystemClock, SystemRandom, Timestamp};
pub use auth_ibsso::SessionLifetime;

pub use faults::{Armed, Endpoint, Fault, Faults};
pub use infobip::{Infobip, InfobipBuilder, RunningInfobip};
pub use listen::ConnectionDropped;
pub use record::{Counts, Recorded};
