//! Any grant that is one request: a type and its parameters.

use super::Grant;
use crate::{
    ClientRegistration, OAuthToken, TokenRequest, token_name::NameParts,
    token_request::SECRET_IN_URL,
};
use auth_core::{ConnectionId, Context, Error, Flow, KeyHasher, Renewal, Result, TokenSource};

/// A grant whose every token is asked for by the same request: a token exchange, a JWT for a token, a vendor's own.
///
/// In a [`Session`](auth_session::Session) its tokens are kept and renewed. A token that came with a refresh token is
/// refreshed; when the server has ended that grant (`invalid_grant`), the request is made again.
#[derive(Clone, Debug)]
pub struct OpenGrant {
    registration: ClientRegistration,
    request: TokenRequest,
}

impl OpenGrant {
    /// Obtains tokens by this request.
    #[must_use]
    pub const fn new(registration: ClientRegistration, request: TokenRequest) -> Self {
        Self { registration, request }
    }

    pub(super) fn with_request(
        self,
        change: impl FnOnce(TokenRequest) -> Result<TokenRequest>,
    ) -> Result<Self> {
        Ok(Self { request: change(self.request)?, ..self })
    }
}

impl Grant for OpenGrant {
    fn token_name(&self, hasher: &KeyHasher, connection: &ConnectionId) -> String {
        let mut name = NameParts::of(connection);
        self.registration.add_to_name(&mut name, hasher);
        self.request.0.add_to(&mut name);
        name.name(hasher)
    }

    fn revoke<'a>(&'a self, token: &'a OAuthToken, context: &'a Context) -> Flow<'a, ()> {
        self.registration.revoke(token, context)
    }
}

impl TokenSource for OpenGrant {
    type Token = OAuthToken;

    fn token<'a>(&'a self, context: &'a Context, why: Renewal<OAuthToken>) -> Flow<'a, OAuthToken> {
        let (Renewal::Due(old) | Renewal::Refused(old, _)) = why else {
            return self.registration.obtain(&self.request, context);
        };
        Flow::new(async move {
            match self.registration.refresh(&old, context).await {
                // There is no refresh token, or it has ended, or no URL may hold it; the grant has not ended.
                Err(error) if is_no_refresh(&error) => {
                    self.registration.obtain(&self.request, context).await
                }
                refreshed => refreshed,
            }
        })
    }
}

fn is_no_refresh(error: &Error) -> bool {
    matches!(error, Error::Refused(_)) || error.code() == SECRET_IN_URL
}
