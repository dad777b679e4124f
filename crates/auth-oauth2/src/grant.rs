//! Grants: what a client may obtain tokens by.

mod authorization_code;
mod client_credentials;
mod open;

pub use authorization_code::{
    AuthorizationCallback, AuthorizationCode, IssuerParameter, MemoryPendingAuthorizations,
    PendingAuthorization, PendingAuthorizations, RedirectionEndpoint,
};
pub(crate) use authorization_code::{check_redirect_uri, read_authorization_url};
pub use client_credentials::ClientCredentials;
pub use open::OpenGrant;
