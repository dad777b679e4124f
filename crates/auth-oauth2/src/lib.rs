//! OAuth 2.0 for clients.

mod client_authentication;
mod endpoint;
mod foreign_text;
mod grant;
mod members;
mod metadata;
mod parameters;
mod registration;
mod token;
mod token_answer;
mod token_error;
mod token_request;

// What the signatures of this crate need of `auth-core`, so that a program can depend on this crate alone.
pub use auth_core::{Context, Error, Exchange, Result, Secret, Timestamp};

pub use client_authentication::{AssertionAudience, ClientAuthentication};
pub use endpoint::{ParameterPlacement, TokenEndpoint};
pub use grant::{
    AuthorizationCallback, AuthorizationCode, ClientCredentials, IssuerParameter,
    MemoryPendingAuthorizations, OpenGrant, PendingAuthorization, PendingAuthorizations,
};
pub use metadata::{AuthorizationServerMetadata, MetadataLocation};
pub use registration::ClientRegistration;
pub use token::{MaskedToken, OAuthToken};
pub use token_answer::{TokenAnswer, TokenAnswerFormat};
pub use token_error::{Remedy, TokenError, TokenErrorKind};
pub use token_request::TokenRequest;
