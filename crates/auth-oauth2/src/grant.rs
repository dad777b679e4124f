//! Grants: what a client may obtain tokens by.

mod client_credentials;
mod open;

pub use client_credentials::ClientCredentials;
pub use open::OpenGrant;
