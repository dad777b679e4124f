//! Infobip's IBSSO sessions: one at a time, created, presented, renewed and destroyed.
//!
//! For programs that call the Infobip API with a session, and for platforms that offer such sessions themselves.
//!
//! | | |
//! |---|---|
//! | [`IbssoSession`] | the session of a user, for all who send: an [`Authenticator`] |
//! | [`LogIn`], [`SessionLifetime`] | where and as whom it is created, and how long it is taken to live |
//! | [`SessionToken`], [`SCHEME`] | its token, and the scheme word |
//! | [`SessionHeldElsewhere`] | why no session can be had for a while |
//! | [`IbssoVerifier`], [`SessionEndpoint`], [`Sessions`] | the server: tokens judged, sessions created and destroyed |
//! | [`ErrorForm`], [`error_code`] | the two forms of the platform's errors |
//!
//! # What it does not do
//!
//! It opens no connection: a [`Context`] brings the transport. It knows no other method of the platform, and no API of it.
//!
//! # Security
//!
//! A session is bound to the address that creates it unless [`LogIn::with_unsafe_sessions`] says otherwise. The password
//! goes to the base URL of the account alone, and so does the token.

mod client;
mod error_body;
mod exchange;
mod json;
mod server;
mod token;

// What the signatures of this crate need of other crates of ours, so that a program can depend on this crate alone.
pub use auth_core::{
    Accepted, AttemptLimit, Authenticator, Context, Error, Flow, Lookup, Reason, Rejection,
    Renewal, RequestView, Result, Secret, Timestamp, Token, TokenSource, Verifier,
};
pub use auth_session::{MemoryTokenStore, SessionHeldElsewhere, StorableToken, TokenStore};

pub use client::{DestroyOnDrop, IbssoSession, LogIn};
pub use error_body::{ErrorForm, error_code};
pub use exchange::SESSION_PATH;
pub use server::{
    CreateOutcome, IbssoVerifier, NewSession, SessionAnswer, SessionEndpoint, Sessions,
    UserPassword,
};
pub use token::{SCHEME, SessionLifetime, SessionToken};
