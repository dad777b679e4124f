//! OAuth 2.0 for clients.

mod client_authentication;
mod endpoint;
mod parameters;
mod token_request;

// What the signatures of this crate need of `auth-core`, so that a program can depend on this crate alone.
pub use auth_core::{Context, Error, Exchange, Result, Secret};

pub use client_authentication::{AssertionAudience, ClientAuthentication};
pub use endpoint::{ParameterPlacement, TokenEndpoint};
pub use token_request::TokenRequest;
