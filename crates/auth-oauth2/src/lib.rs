//! OAuth 2.0 for clients: tokens obtained, kept and refreshed (RFC 6749).
//!
//! For programs that call APIs with Bearer tokens of an authorization server, and for platforms whose tenants type the
//! URLs of such servers into a form. Tokens live in a [`Session`]: one exchange for all callers,
//! renewal ahead of the end, the last good token through outages.
//!
//! | | |
//! |---|---|
//! | what an operator was given | [`ClientRegistration`]: [`TokenEndpoint`], [`ClientAuthentication`], [`TokenAnswerFormat`] |
//! | the same, as people fill it in | [`ClientCredentialsForm`], [`AuthorizationCodeForm`], [`AdvancedSettings`] |
//! | what a server says of itself | [`RemoteAuthorizationServerMetadata`] |
//! | the client's own tokens | [`ClientCredentials`] |
//! | tokens on behalf of a user | [`AuthorizationCode`], with PKCE always; [`RedirectionEndpoint`], [`PendingAuthorizations`] |
//! | any other grant of one request | [`OpenGrant`] |
//! | tokens that outlive the process and are shown to people | [`OAuthConnection`] |
//! | plain functions | [`TokenRequest::exchange`], [`TokenAnswerFormat::read`], [`AuthorizationServerMetadata`] |
//! | what went wrong | [`TokenError`], whose [`Remedy`] says what to do; [`ConsentNeeded`] |
//!
//! # Security
//!
//! A client secret or an assertion goes to the endpoint that it was configured with, or to that of the issuer that it was
//! configured for, and nowhere else: nothing that a challenge, a redirect or another server's metadata names is ever
//! asked. Give every connection of a tenant a redirect URI of its own.
//!
//! # What it does not do
//!
//! It opens no connection: a [`Context`] brings the transport, and that of `auth-reqwest` or `auth-ureq` connects to
//! public addresses alone. It verifies no tokens, and signs none but assertions; that is `auth-jwt`.

mod client_authentication;
mod connection;
mod consent_needed;
mod endpoint;
mod foreign_text;
mod form;
mod grant;
mod members;
mod metadata;
mod nested_fields;
mod parameters;
mod registration;
mod token;
mod token_answer;
mod token_error;
mod token_name;
mod token_request;

// What the signatures of this crate need of other crates of ours, so that a program can depend on this crate alone.
pub use auth_core::{
    Clock, ConnectionId, Context, Error, Exchange, Flow, KeyHasher, PresentableToken, Renewal,
    Result, Secret, SystemClock, TenantId, Timestamp, Token, TokenSource,
};
pub use auth_jwt::{JwsAlgorithm, SigningKey};
pub use auth_session::{Sealer, Session, StorableToken, Stored, TokenStore};

pub use client_authentication::{AssertionAudience, ClientAuthentication};
pub use connection::OAuthConnection;
pub use consent_needed::ConsentNeeded;
pub use endpoint::{ParameterPlacement, TokenEndpoint};
pub use form::{AdvancedSettings, AuthorizationCodeForm, ClientCredentialsForm};
pub use grant::{
    AuthorizationCallback, AuthorizationCode, ClientCredentials, Grant, IssuerParameter,
    MemoryPendingAuthorizations, OpenGrant, PendingAuthorization, PendingAuthorizations,
    RedirectionEndpoint,
};
pub use metadata::{
    AuthorizationServerMetadata, MetadataLocation, RemoteAuthorizationServerMetadata,
};
pub use registration::ClientRegistration;
pub use token::{MaskedToken, OAuthToken};
pub use token_answer::{TokenAnswer, TokenAnswerFormat};
pub use token_error::{Remedy, TokenError, TokenErrorKind};
pub use token_request::TokenRequest;
