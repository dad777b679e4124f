//! The end of a token at the server that gave it (RFC 7009).

use super::ClientRegistration;
use crate::{OAuthToken, TokenEndpoint, TokenError, TokenRequest};
use auth_core::{Context, Flow, Result, Secret};

impl ClientRegistration {
    /// Tokens are revoked at this endpoint (RFC 7009); without it nobody is told of their end.
    #[must_use]
    pub fn with_revocation_endpoint(self, endpoint: TokenEndpoint) -> Self {
        Self { revocation_endpoint: Some(endpoint), ..self }
    }

    /// Revokes a token: its refresh token first, with which most servers end all that came of it, and then the access
    /// token. A server that says that it does not revoke tokens of a type is believed.
    ///
    /// Without a revocation endpoint it does nothing.
    ///
    /// # Errors
    ///
    /// Those of the transport, and what the server refused with.
    pub fn revoke<'a>(&'a self, token: &'a OAuthToken, context: &'a Context) -> Flow<'a, ()> {
        let Some(endpoint) = &self.revocation_endpoint else { return Flow::ready(()) };
        Flow::new(async move {
            if let Some(refresh_token) = token.refresh_token() {
                self.revoke_at(endpoint, refresh_token, "refresh_token", context).await?;
            }
            self.revoke_at(endpoint, token.access_token(), "access_token", context).await
        })
    }

    async fn revoke_at(
        &self,
        endpoint: &TokenEndpoint,
        token: &Secret,
        hint: &str,
        context: &Context,
    ) -> Result<()> {
        let text = String::from_utf8_lossy(token.expose());
        let request = TokenRequest::of_revocation(&text, hint);
        let (exchange, secrets) = request.prepare(endpoint, &self.client, context)?;
        let answer = context.transport.fetch(exchange).await?;
        if answer.status().is_success() {
            return Ok(());
        }
        match self.format.read_without(&answer, context.clock.now(), &secrets) {
            Err(error) if is_unsupported(&error) => Ok(()),
            refused => refused.map(drop),
        }
    }
}

fn is_unsupported(error: &auth_core::Error) -> bool {
    TokenError::of(error).is_some_and(|refused| &*refused.error == "unsupported_token_type")
}
