//! How tokens of users are renewed, and what they are named by.

use super::AuthorizationCode;
use crate::{ConsentNeeded, Grant, OAuthToken, token_name::NameParts};
use auth_core::{ConnectionId, Context, Error, Flow, KeyHasher, Renewal, TokenSource};

/// Refreshes. The first token, and one in place of a grant that has ended, need the user.
impl TokenSource for AuthorizationCode {
    type Token = OAuthToken;

    fn token<'a>(&'a self, context: &'a Context, why: Renewal<OAuthToken>) -> Flow<'a, OAuthToken> {
        let (Renewal::Due(old) | Renewal::Refused(old, _)) = why else {
            return Flow::failed(ConsentNeeded::at_first());
        };
        Flow::new(async move {
            match self.registration.refresh(&old, context).await {
                // The refresh token has ended, or there is none.
                Err(error @ Error::Refused(_)) => Err(ConsentNeeded::after(&error)),
                refreshed => refreshed,
            }
        })
    }
}

impl Grant for AuthorizationCode {
    fn token_name(&self, hasher: &KeyHasher, connection: &ConnectionId) -> String {
        let mut name = NameParts::of(connection);
        self.registration.add_to_name(&mut name, hasher);
        // Another grant of the same registration and parameters has another name.
        name.add("authorization_code");
        name.add(self.authorization_url.as_str());
        name.add(&self.redirect_uri);
        self.parameters.add_to(&mut name);
        name.name(hasher)
    }

    fn revoke<'a>(&'a self, token: &'a OAuthToken, context: &'a Context) -> Flow<'a, ()> {
        self.registration.revoke(token, context)
    }
}
