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
                    Err(error @ (Error::Transport(_) | Error::Protocol(_)))
                        if !error.is_not_sent() =>
                    {
                        return Err(error);
                    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ClientAuthentication, TokenAnswerFormat, TokenEndpoint};
    use auth_core::Clock;
    use auth_testing::{ManualClock, ScriptedTransport};
    use http::Response;

    #[track_caller]
    fn check(error: Error, may_be_spent: bool) {
        let clock = ManualClock::at(1_700_000_000);
        let client = ClientAuthentication::client_secret_post("acme", "s3cret").unwrap();
        let endpoint = TokenEndpoint::new("https://login.example/token").unwrap();
        let registration = ClientRegistration::new(endpoint, client);
        let answer = Response::new(br#"{"access_token":"a","refresh_token":"r"}"#.to_vec());
        let answer = TokenAnswerFormat::new().read(&answer, clock.now()).unwrap();
        let token = OAuthToken::new(answer, clock.now()).unwrap();
        let failing = error.clone();
        let transport = ScriptedTransport::new(move |_| Err(failing.clone()));
        let context = Context::new(transport).with_clock(clock);
        let failed = registration.refresh(&token, &context).wait().unwrap_err();
        assert_eq!(failed.code(), error.code());
        assert_eq!(token.outcome() == RefreshOutcome::Unknown, may_be_spent, "{error}");
    }

    #[test]
    fn a_request_that_was_not_sent_has_spent_no_refresh_token() {
        check(Error::transport("timeout", "no answer"), true);
        check(Error::not_sent("connect", "connection refused"), false);
    }
}
