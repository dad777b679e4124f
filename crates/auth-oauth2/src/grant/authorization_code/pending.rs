//! An authorization that a user has begun and not come back from.

use super::random_text;
use auth_core::{ConnectionId, Context, Error, Result, Secret, Timestamp, Unique};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

/// What has to be kept, for the user who began it and no other, until the browser comes back.
///
/// Its `Debug` shows the connection alone.
pub struct PendingAuthorization {
    pub(super) state: Secret,
    pub(super) code_verifier: Secret,
    pub(super) nonce: Secret,
    pub(super) server: Server,
    pub(super) connection: ConnectionId,
    pub(super) begun: Timestamp,
}

/// The authorization server that an authorization was begun at: the code goes to no other, though the connection was edited
/// meanwhile.
#[derive(Clone, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Server {
    pub(super) token_endpoint: Box<str>,
    /// Where the grant names one.
    pub(super) issuer: Option<Box<str>>,
}

impl PendingAuthorization {
    /// How long a user may take.
    pub const LIFETIME: Duration = Duration::from_secs(600);

    pub(super) fn new(connection: ConnectionId, server: Server, context: &Context) -> Result<Self> {
        let (state, code_verifier) = (random_text(context)?, random_text(context)?);
        let (nonce, begun) = (random_text(context)?, context.clock.now());
        Ok(Self { state, code_verifier, nonce, server, connection, begun })
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
        server: &Server,
        now: Timestamp,
    ) -> Result<()> {
        let is_late = now.since(self.begun) >= Self::LIFETIME;
        // The clock was set back by more than two nodes may be apart: nobody knows how long ago it was begun.
        let is_ahead = self.begun.since(now) > Unique::NODES_APART;
        let is_same = self.connection == *connection && self.server == *server;
        if self.state.matches(state.expose()) && is_same && !is_late && !is_ahead {
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

    fn server() -> Server {
        Server { token_endpoint: "https://login.example/token".into(), issuer: None }
    }

    /// RFC 7636 appendix B.
    #[test]
    fn the_challenge_is_that_of_the_specifications_example() {
        let pending = PendingAuthorization {
            state: Secret::from("s"),
            code_verifier: Secret::from("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            nonce: Secret::from("n"),
            server: server(),
            connection: ConnectionId::new(TenantId::new("acme"), "crm"),
            begun: Timestamp::from_unix(0),
        };
        assert_eq!(pending.code_challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    /// One that a browser keeps has no other end than this.
    #[test]
    fn ends_after_ten_minutes_and_when_the_clock_is_set_back() {
        let connection = ConnectionId::new(TenantId::new("acme"), "crm");
        let pending = PendingAuthorization {
            state: Secret::from("s"),
            code_verifier: Secret::from("v"),
            nonce: Secret::from("n"),
            server: server(),
            connection: connection.clone(),
            begun: Timestamp::from_unix(1_000_000),
        };
        for (now, expected) in [
            (1_000_000, true),
            (1_000_599, true),
            (1_000_600, false),
            (999_880, true),
            (999_879, false),
            (0, false),
        ] {
            let now = Timestamp::from_unix(now);
            let checked = pending.check(&Secret::from("s"), &connection, &server(), now);
            assert_eq!(checked.is_ok(), expected, "{now}");
        }
    }
}
