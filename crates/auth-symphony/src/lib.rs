//! Log-ins of Symphony: bots, extension apps, and apps on behalf of users.
//!
//! For programs that call a Symphony pod and its agents. A bot has two tokens: the session token, which the pod gives and
//! every call carries, and the key manager token, which calls of an agent carry beside it. Neither says when it ends, and an
//! agent that refuses a call does not say which of the two died: this crate finds out, and renews that one alone.
//!
//! ```
//! use auth_symphony::{Bot, Context, SymphonyEndpoints, SymphonyLogIn};
//! # fn with(transport: impl auth_core::Transport + 'static, pem: &str) -> Result<(), auth_symphony::Error> {
//! let endpoints = SymphonyEndpoints::new("https://acme.symphony.com")?;
//! let bot = Bot::new(endpoints, SymphonyLogIn::rsa("my-bot", pem)?, Context::new(transport));
//! let (pod, agent) = (bot.pod(), bot.agent());
//! # let _: [&dyn auth_core::Authenticator; 2] = [&pod, &agent];
//! # Ok(())
//! # }
//! ```
//!
//! | | |
//! |---|---|
//! | [`Bot`] | the two tokens of a bot, for all who send: [`Bot::pod`] and [`Bot::agent`] are authenticators |
//! | [`App`] | an extension app, and the sessions that it has [on behalf of](App::on_behalf_of) users |
//! | [`CircleOfTrust`], [`UserJwtVerifier`] | what an app's backend checks before it believes who its user is |
//! | [`SymphonyLogIn`], [`LogInRetry`] | by a key or a certificate, and how often it is tried |
//! | [`LogInEndpoint`], [`certificate_user`], [`TokenLifetime`] | the server: log-ins judged, tokens issued |
//! | `BdkConfig` (feature `bdk-config`) | the configuration file of the vendor's kits |
//! | [`SymphonyEndpoints`] | where pod, key manager and agent are |
//! | [`SessionToken`], [`KeyManagerToken`], [`CommonJwt`] | the tokens |
//!
//! # What it does not do
//!
//! It opens no connection: a [`Context`] brings the transport, which presents the client certificate where one is the
//! log-in. It reads no messages and no datafeed.
//!
//! # Security
//!
//! Tokens go to the origins of their components alone. What a component writes into an error is never repeated: it may
//! hold what it was sent.

mod app;
#[cfg(feature = "bdk-config")]
mod bdk;
mod bot;
mod circle_of_trust;
mod claims;
mod common_jwt;
mod component_fields;
mod endpoints;
mod exchange;
mod json;
mod log_in;
mod on_behalf_of;
mod retry;
mod server;
mod signer;
mod token;
mod user_jwt;

// What the signatures of this crate need of other crates of ours, so that a program can depend on this crate alone.
pub use auth_core::{
    AttemptLimit, Authenticator, Clock, Context, Error, Flow, Lookup, OriginBound, Reason, Renewal,
    ReplayStore, RequestView, Result, RouteSettings, Secret, Token, TokenSource,
};
pub use auth_jwt::{Claims, JwtKeys, JwtRefused, KeyId, VerifyingKey};
pub use auth_session::CurrentToken;

pub use app::App;
#[cfg(feature = "bdk-config")]
pub use bdk::{BdkConfig, BdkIdentity, BdkMaterial};
pub use bot::{Agent, Bot, Pod};
pub use circle_of_trust::CircleOfTrust;
pub use common_jwt::CommonJwt;
pub use endpoints::SymphonyEndpoints;
pub use log_in::SymphonyLogIn;
pub use on_behalf_of::{OnBehalfOf, SymphonyUser};
pub use retry::LogInRetry;
pub use server::{
    LogInAnswer, LogInEndpoint, TokenIssuer, TokenLifetime, TokenName, certificate_user,
};
pub use token::{KeyManagerToken, SessionToken};
pub use user_jwt::UserJwtVerifier;
