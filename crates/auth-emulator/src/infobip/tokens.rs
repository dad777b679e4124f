//! OAuth tokens, which a fault ends all at once.

use auth_core::{Flow, Need, Outcome, Presence, RequestView, Result, Secret, Verifier};
use auth_infobip::{InfobipPlatform, OAuthTokens};
use auth_lifecycle::Known;
use std::sync::{Arc, PoisonError, RwLock};

/// The tokens of the emulator. A clone has the same ones.
#[derive(Clone)]
pub(super) struct EndableTokens(Arc<RwLock<OAuthTokens>>);

/// The issuer in the vendor's sample.
const ISSUER: &str = "infobip.com";

impl EndableTokens {
    pub(super) fn new(platform: &InfobipPlatform, secret: &Secret) -> Result<Self> {
        Ok(Self(Arc::new(RwLock::new(platform.tokens(ISSUER, secret)?))))
    }

    /// Ends every token that was issued: those that are signed with another secret are refused.
    pub(super) fn end_all(&self, platform: &InfobipPlatform, secret: &Secret) -> Result<()> {
        let next = platform.tokens(ISSUER, secret)?;
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(())
    }

    pub(super) fn current(&self) -> OAuthTokens {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Verifier for EndableTokens {
    type Principal = Known;

    fn presence(&self, head: RequestView<'_>) -> Presence {
        self.current().presence(head)
    }

    fn needs(&self, head: RequestView<'_>) -> Need {
        self.current().needs(head)
    }

    fn verify<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Outcome<Known>> {
        let current = self.current();
        Flow::new(async move { current.verify(request).await })
    }
}
