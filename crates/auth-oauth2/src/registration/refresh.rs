//! A new token in place of an old one (RFC 6749 section 6).

use super::ClientRegistration;
use crate::{
    OAuthToken, TokenRequest,
    token::{RefreshOutcome, Replaced},
};
use auth_core::{Context, Error, Flow, Result, Secret};

impl ClientRegistration {
    /// Asks for a new token in place of one that has a refresh token (RFC 6749 section 6).
    ///
    /// A server that rotates may lose the refresh token that it gave last, in a failover for example. So the one before is
    /// kept until the newest has been taken, and is tried once when the newest is refused with `invalid_grant`; unless the
    /// newest was sent before and the answer did not arrive, because then it was the newest that the server took. When
    /// both are refused, nobody asks with this token again, nor with its clones.
    ///
    /// # Errors
    ///
    /// `Error::Refused` with `oauth2_no_refresh_token` when it has none, or when that has ended; else those of
    /// [`obtain`](Self::obtain).
    pub fn refresh<'a>(
        &'a self,
        token: &'a OAuthToken,
        context: &'a Context,
    ) -> Flow<'a, OAuthToken> {
        Flow::new(async move {
            let text =
                "token has no refresh token that can still be used; the grant has to be made again";
            let mut refused = Error::refused("oauth2_no_refresh_token", text);
            let usable = token.usable_refresh_tokens(context.clock.now());
            let before = token.outcome();
            token.asked(RefreshOutcome::Unknown);
            for refresh_token in usable {
                match self.refresh_with(token, refresh_token, context).await {
                    Err(error @ Error::Refused(_)) => refused = error,
                    Err(error @ (Error::Transport(_) | Error::Protocol(_))) => return Err(error),
                    answered => {
                        // It says nothing of an answer that was lost earlier.
                        token.asked(before);
                        return answered;
                    }
                }
            }
            token.end();
            Err(refused)
        })
    }

    async fn refresh_with(
        &self,
        token: &OAuthToken,
        refresh_token: &Secret,
        context: &Context,
    ) -> Result<OAuthToken> {
        let text = String::from_utf8_lossy(refresh_token.expose());
        let request = TokenRequest::new("refresh_token").with_parameter("refresh_token", text)?;
        let endpoint = self.refresh_endpoint.as_ref().unwrap_or(&self.endpoint);
        self.ask(endpoint, &request, context, Some(Replaced { token, refresh_token })).await
    }
}
