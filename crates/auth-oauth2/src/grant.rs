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

use crate::OAuthToken;
use auth_core::{ConnectionId, Context, Flow, KeyHasher, TokenSource};

/// What a client obtains its tokens by. All grants of this crate are one.
pub trait Grant: TokenSource<Token = OAuthToken> {
    /// The name under which tokens of this grant are kept for this connection: a keyed hash of all that is sent to obtain
    /// them (endpoints, client, secret or key, scope, resource, audience, every other parameter) and of the connection.
    ///
    /// So a token that was obtained with an old secret, or for other scopes, is found by nobody once the configuration has
    /// been edited.
    fn token_name(&self, hasher: &KeyHasher, connection: &ConnectionId) -> String;

    /// Ends a token at the server that gave it (RFC 7009), where the registration says at which endpoint.
    ///
    /// # Errors
    ///
    /// Those of [`ClientRegistration::revoke`](crate::ClientRegistration::revoke).
    fn revoke<'a>(&'a self, token: &'a OAuthToken, context: &'a Context) -> Flow<'a, ()>;
}
