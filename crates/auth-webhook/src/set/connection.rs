//! Tokens of an authorization under OAuth 2.0: fetched now, shown, consented to, ended.

use super::{
    SlotName, TenantAuthorizations, late,
    slots::{Slot, Slots},
};
use crate::{DeliveryPlan, OutboundScheme, built::Connection, delivery::within};
use auth_core::{Error, Flow, Result, finish_even_if_dropped};
use auth_oauth2::{MaskedToken, OAuthToken};
use std::sync::Arc;

impl TenantAuthorizations {
    /// Fetches an access token now, keeps it, and returns what a screen may show of it: the button "Get Access Token".
    ///
    /// # Errors
    ///
    /// `webhook_authorization_unknown`; `webhook_no_tokens` for an authorization of another type; else those of
    /// [`OAuthConnection::fetch_token`](auth_oauth2::OAuthConnection::fetch_token).
    pub fn fetch_token(&self, name: &str, slot: SlotName) -> Flow<'static, MaskedToken> {
        self.with_connection(name, slot, |connection| match connection {
            Connection::ClientCredentials(it) => it.fetch_token(),
            Connection::AuthorizationCode(it, _) => it.fetch_token(),
        })
    }

    /// What a screen may show of the token that is kept, if one is; nothing is fetched.
    ///
    /// # Errors
    ///
    /// Those of [`fetch_token`](Self::fetch_token), but for those of the authorization server.
    pub fn masked_token(&self, name: &str, slot: SlotName) -> Flow<'static, Option<MaskedToken>> {
        self.with_connection(name, slot, |connection| {
            Flow::new(async move { connection.masked().await })
        })
    }

    /// The token that is kept, in full.
    ///
    /// # Security
    ///
    /// The program decides which of its users may see it, and records who saw it and when.
    ///
    /// # Errors
    ///
    /// Those of [`masked_token`](Self::masked_token).
    pub fn reveal_token(&self, name: &str, slot: SlotName) -> Flow<'static, Option<OAuthToken>> {
        self.with_connection(name, slot, |connection| {
            Flow::new(async move {
                match &connection {
                    Connection::ClientCredentials(it) => it.reveal_token().await,
                    Connection::AuthorizationCode(it, _) => it.reveal_token().await,
                }
            })
        })
    }

    /// Begins an authorization in the context of this user, under the grant authorization code: the URL to send the
    /// user's browser to.
    ///
    /// # Errors
    ///
    /// `webhook_no_consent` under another grant; else those of
    /// [`RedirectionEndpoint::begin`](auth_oauth2::RedirectionEndpoint::begin).
    pub fn begin_consent(&self, name: &str, slot: SlotName, user: &str) -> Flow<'static, String> {
        let user = user.to_owned();
        self.with_connection(name, slot, |connection| match connection {
            Connection::AuthorizationCode(_, endpoint) => {
                Flow::new(async move { endpoint.begin(&user).await })
            }
            Connection::ClientCredentials(_) => Flow::failed(no_consent()),
        })
    }

    /// Redeems what the browser of this user came back with, and uses the token from here on. `query` is what stood behind
    /// `?` of the callback URL.
    ///
    /// # Errors
    ///
    /// `webhook_no_consent` under another grant; else those of
    /// [`RedirectionEndpoint::redeem`](auth_oauth2::RedirectionEndpoint::redeem), whose
    /// [`page`](auth_oauth2::RedirectionEndpoint::page) answers the browser.
    pub fn finish_consent(
        &self,
        name: &str,
        slot: SlotName,
        user: &str,
        query: &str,
    ) -> Flow<'static, ()> {
        let (user, query) = (user.to_owned(), query.to_owned());
        self.with_connection(name, slot, move |connection| match connection {
            Connection::AuthorizationCode(connection, endpoint) => {
                let keep = move |token| connection.put_token(token).map(drop);
                endpoint.redeem(&query, &user, keep)
            }
            Connection::ClientCredentials(_) => Flow::failed(no_consent()),
        })
    }

    fn with_connection<T: Send + 'static>(
        &self,
        name: &str,
        slot: SlotName,
        act: impl FnOnce(Connection) -> Flow<'static, T> + Send + 'static,
    ) -> Flow<'static, T> {
        let slot = match self.look(|tenant| tenant.slots(name)?.named(name, slot)) {
            Ok(slot) => slot,
            Err(error) => return Flow::failed(error),
        };
        let scheme = slot.authorization.scheme_name();
        slot.built(self, name).and_then(move |built| match &built.connection {
            Some(connection) => act(connection.clone()),
            None => {
                let text =
                    format!("authorization is of type {scheme} and has no tokens, expected oauth2");
                Flow::failed(Error::config("webhook_no_tokens", text))
            }
        })
    }

    /// Ends what the slots of a deleted authorization hold: all of it, though one of them cannot be ended.
    pub(super) fn end(&self, name: &str, slots: Slots) -> Flow<'static, ()> {
        let has_tokens =
            |slot: &Arc<Slot>| matches!(slot.authorization.scheme, OutboundScheme::OAuth2(_));
        let slots: Vec<_> = slots.all().filter(|slot| has_tokens(slot)).map(Arc::clone).collect();
        if slots.is_empty() {
            return Flow::ready(());
        }
        let (of, name) = (self.clone(), name.to_owned());
        let transport = match self.context(None) {
            Ok(context) => context.transport,
            Err(error) => return Flow::failed(error),
        };
        let background = Arc::clone(&transport);
        let work = async move {
            let mut ended = Ok(());
            for slot in slots {
                // Where the secrets come from a source, nothing may have been sent since the process began.
                let built = match slot.last_built() {
                    Some(built) => Ok(built),
                    None => {
                        let deadline = DeliveryPlan::default().deadline();
                        let built = within(&*transport, deadline, slot.built(&of, &name)).await;
                        let text = "a secret source did not answer in time; revoke the token at its server";
                        built.unwrap_or_else(|| Err(late(text)))
                    }
                };
                let one = match built.map(|built| built.connection.clone()) {
                    Ok(Some(connection)) => connection.revoke().await,
                    Ok(None) => Ok(()),
                    Err(error) => Err(error),
                };
                ended = ended.and(one);
            }
            ended
        };
        finish_even_if_dropped(&*background, Flow::new(work))
    }
}

impl Connection {
    pub(super) async fn masked(&self) -> Result<Option<MaskedToken>> {
        match self {
            Self::ClientCredentials(it) => it.masked_token().await,
            Self::AuthorizationCode(it, _) => it.masked_token().await,
        }
    }

    async fn revoke(&self) -> Result<()> {
        match self {
            Self::ClientCredentials(it) => it.revoke().await,
            Self::AuthorizationCode(it, _) => it.revoke().await,
        }
    }
}

fn no_consent() -> Error {
    let text =
        "the grant is client_credentials, which no user consents to, expected authorization_code";
    Error::config("webhook_no_consent", text)
}
