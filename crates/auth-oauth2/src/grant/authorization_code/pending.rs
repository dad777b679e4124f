//! An authorization that a user has begun and not come back from.

use super::random_text;
use auth_core::{ConnectionId, Context, Error, Result, Secret, Timestamp};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use std::{fmt, time::Duration};

/// What has to be kept, for the user who began it and no other, until the browser comes back.
///
/// Its `Debug` shows the connection alone.
pub struct PendingAuthorization {
    pub(super) state: Secret,
    pub(super) code_verifier: Secret,
    pub(super) nonce: Secret,
    /// The issuer that the user was sent to, where the grant names one.
    pub(super) issuer: Option<Box<str>>,
    pub(super) connection: ConnectionId,
    pub(super) begun: Timestamp,
}

impl PendingAuthorization {
    /// How long a user may take.
    pub const LIFETIME: Duration = Duration::from_secs(600);

    pub(super) fn new(
        connection: ConnectionId,
        issuer: Option<&str>,
        context: &Context,
    ) -> Result<Self> {
        let (state, code_verifier) = (random_text(context)?, random_text(context)?);
        let (nonce, issuer) = (random_text(context)?, issuer.map(Into::into));
        let begun = context.clock.now();
        Ok(Self { state, code_verifier, nonce, issuer, connection, begun })
    }

    /// `state`: what a callback is recognised by.
    #[must_use]
    pub const fn state(&self) -> &Secret {
        &self.state
    }

    /// `nonce`: what an ID token of this authorization has to repeat (OpenID Connect Core 1.0 section 3.1.3.7). It is sent
    /// where the scope `openid` is asked for.
    #[must_use]
    pub const fn nonce(&self) -> &Secret {
        &self.nonce
    }

    /// The connection that it was begun for.
    #[must_use]
    pub const fn connection(&self) -> &ConnectionId {
        &self.connection
    }

    /// `BASE64URL(SHA256(code_verifier))` (RFC 7636 section 4.2).
    pub(super) fn code_challenge(&self) -> String {
        let hash = ring::digest::digest(&ring::digest::SHA256, self.code_verifier.expose());
        URL_SAFE_NO_PAD.encode(hash)
    }

    /// One refusal for all: which of them it was helps nobody who came back honestly.
    pub(super) fn check(
        &self,
        state: &Secret,
        connection: &ConnectionId,
        issuer: Option<&str>,
        now: Timestamp,
    ) -> Result<()> {
        let is_late = now.since(self.begun) >= Self::LIFETIME;
        let is_same = self.connection == *connection && self.issuer.as_deref() == issuer;
        if self.state.matches(state.expose()) && is_same && !is_late {
            return Ok(());
        }
        Err(unknown())
    }
}

/// What a callback is refused with that belongs to nothing which was begun here.
pub(super) fn unknown() -> Error {
    let text = "callback belongs to no authorization that was begun for this connection in the last ten minutes; \
                begin again";
    Error::refused("oauth2_state", text)
}

impl fmt::Debug for PendingAuthorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PendingAuthorization({:?})", self.connection)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use auth_core::TenantId;

    /// RFC 7636 appendix B.
    #[test]
    fn the_challenge_is_that_of_the_specifications_example() {
        let pending = PendingAuthorization {
            state: Secret::from("s"),
            code_verifier: Secret::from("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            nonce: Secret::from("n"),
            issuer: None,
            connection: ConnectionId::new(TenantId::new("acme"), "crm"),
            begun: Timestamp::from_unix(0),
        };
        assert_eq!(pending.code_challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }
}
