//! A pending authorization that the user's browser keeps.

use super::{PendingAuthorization, pending::Server, text};
use auth_core::{ConnectionId, Error, Result, Secret, Timestamp};
use auth_session::{SealedFor, Sealer};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Rest {
    state: Zeroizing<String>,
    code_verifier: Zeroizing<String>,
    nonce: Zeroizing<String>,
    server: Server,
    begun: u64,
}

const KIND: &str = "authorization";

impl PendingAuthorization {
    /// Sealed, as text for a cookie: for servers that keep nothing. It opens under the same key, for the same connection
    /// alone.
    ///
    /// # Security
    ///
    /// Nothing keeps a sealed one from being used twice within its ten minutes, but the authorization server, which takes
    /// each code once. Make the cookie `Secure`, `HttpOnly` and `SameSite=Lax`.
    ///
    /// # Errors
    ///
    /// Those of [`Sealer::seal`].
    pub fn seal(&self, sealer: &Sealer) -> Result<Secret> {
        let rest = Rest {
            state: Zeroizing::new(text(&self.state)),
            code_verifier: Zeroizing::new(text(&self.code_verifier)),
            nonce: Zeroizing::new(text(&self.nonce)),
            server: self.server.clone(),
            begun: self.begun.unix(),
        };
        let mut json = Vec::new();
        // Texts and a number can always be written.
        let _ = serde_json::to_writer(&mut json, &rest);
        let name = name(&self.connection);
        let sealed = sealer.seal(place(&self.connection, &name), &Secret::new(json))?;
        Ok(Secret::from(URL_SAFE_NO_PAD.encode(sealed)))
    }

    /// Opens what was sealed for this connection.
    ///
    /// # Errors
    ///
    /// `Error::Refused` with `oauth2_state` when it does not open: it was changed, or sealed for another connection or
    /// under another key. What a browser brings is no fault of the configuration.
    pub fn unseal(sealer: &Sealer, connection: &ConnectionId, sealed: &str) -> Result<Self> {
        let refused = || {
            let text = "sealed authorization does not open for this connection; begin again";
            Error::refused("oauth2_state", text)
        };
        let bytes = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| refused())?;
        let name = name(connection);
        let json = sealer.open(place(connection, &name), &bytes).map_err(|_| refused())?;
        let rest: Rest = serde_json::from_slice(json.expose()).map_err(|_| refused())?;
        Ok(Self {
            state: Secret::from(rest.state.as_str()),
            code_verifier: Secret::from(rest.code_verifier.as_str()),
            nonce: Secret::from(rest.nonce.as_str()),
            server: rest.server,
            connection: connection.clone(),
            begun: Timestamp::from_unix(rest.begun),
        })
    }
}

/// The parts of a connection, each with its length, so that no two are written alike.
fn name(connection: &ConnectionId) -> String {
    let (authorization, user) = (&connection.authorization, connection.user.as_deref());
    match user {
        None => format!("{}:{authorization}", authorization.len()),
        Some(user) => format!("{}:{authorization}:{user}", authorization.len()),
    }
}

fn place<'a>(connection: &'a ConnectionId, name: &'a str) -> SealedFor<'a> {
    SealedFor { tenant: &connection.tenant, kind: KIND, name, fence: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server() -> Server {
        Server {
            token_endpoint: "https://login.example/token".into(),
            issuer: Some("https://login.example".into()),
        }
    }
    use auth_core::{Context, TenantId};
    use auth_testing::{ScriptedTransport, SeededRandom};

    #[test]
    fn opens_for_its_connection_and_key_alone() {
        let sealer = |key| Sealer::new(&Secret::new([key; 32]), SeededRandom::new(7)).unwrap();
        let context = Context::new(ScriptedTransport::new(|_| panic!("nothing is fetched")))
            .with_clock(Timestamp::from_unix(1_700_000_000))
            .with_random(SeededRandom::new(9));
        let connection = |tenant: &str, authorization: &str, user: &str| {
            ConnectionId::new(TenantId::new(tenant), authorization).on_behalf_of(user)
        };
        let own = connection("acme", "crm", "alice");
        let pending = PendingAuthorization::new(own.clone(), server(), &context).unwrap();
        let sealed = text(&pending.seal(&sealer(1)).unwrap());
        let again = PendingAuthorization::unseal(&sealer(1), &own, &sealed).unwrap();
        assert!(again.state.matches(pending.state.expose()));
        assert!(again.code_verifier.matches(pending.code_verifier.expose()));
        assert_eq!((again.begun, again.connection()), (pending.begun, &own));
        assert!(!sealed.contains(&text(&pending.state)));
        let refused = |sealer: Sealer, connection: &ConnectionId, sealed: &str| {
            let opened = PendingAuthorization::unseal(&sealer, connection, sealed);
            assert_eq!(opened.unwrap_err().code(), "oauth2_state");
        };
        refused(sealer(2), &own, &sealed);
        for other in [
            connection("other", "crm", "alice"),
            connection("acme", "other", "alice"),
            connection("acme", "crm", "mallory"),
            ConnectionId::new(TenantId::new("acme"), "crm:alice"),
        ] {
            refused(sealer(1), &other, &sealed);
        }
        let cut = sealed.get(..sealed.len() - 2).unwrap();
        for broken in ["", "!", cut, &format!("{sealed}AA")] {
            refused(sealer(1), &own, broken);
        }
    }
}
