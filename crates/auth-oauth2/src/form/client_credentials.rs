//! The form under the grant of client credentials.

use super::{Field, SharedFields, label};
use crate::{ClientCredentials, endpoint::config};
use auth_core::{Result, Secret};
use std::fmt;

/// The fields of a form of authorizations under the grant type "Client Credentials".
///
/// [`build`](Self::build) makes the grant of them. A field that is empty counts as not filled in; which fields are needed,
/// and what the others mean when they are left out:
///
/// | field | method | when it is left out |
/// |---|---|---|
/// | Client ID | [`with_client_id`](Self::with_client_id) | the Consumer ID is the identifier |
/// | Consumer ID | [`with_consumer_id`](Self::with_consumer_id) | the Client ID is the identifier; one of both is needed |
/// | Client Secret | [`with_client_secret`](Self::with_client_secret) | an error, unless a client authentication without it is chosen |
/// | Access Token URL | [`with_access_token_url`](Self::with_access_token_url) | an error |
/// | Scope | [`with_scope`](Self::with_scope) | no `scope` is sent, and the server decides |
/// | limited validity, and Validity | [`with_limited_validity`](Self::with_limited_validity) | a token is used until its `expires_in`, or without one until it is refused |
/// | Refresh URL Token | [`with_refresh_url`](Self::with_refresh_url) | tokens are refreshed at the access token URL |
/// | the advanced settings | [`with_advanced_settings`](Self::with_advanced_settings) | see [`AdvancedSettings`](crate::AdvancedSettings) |
///
/// ```
/// use auth_oauth2::ClientCredentialsForm;
/// let grant = ClientCredentialsForm::new()
///     .with_client_id("acme")
///     .with_client_secret("s3cret")
///     .with_access_token_url("https://login.example/token")
///     .with_scope("messages:send receipts:read")
///     .build()?;
/// # Ok::<_, auth_oauth2::Error>(())
/// ```
pub struct ClientCredentialsForm {
    client_id: String,
    client_secret: Secret,
    pub(super) shared: SharedFields,
}

impl ClientCredentialsForm {
    /// The empty form.
    #[must_use]
    pub fn new() -> Self {
        Self {
            client_id: String::new(),
            client_secret: Secret::from(""),
            shared: SharedFields::default(),
        }
    }

    /// Client ID: the client's identifier at the authorization server.
    #[must_use]
    pub fn with_client_id(self, id: &str) -> Self {
        Self { client_id: id.to_owned(), ..self }
    }

    /// Client Secret.
    #[must_use]
    pub fn with_client_secret(self, secret: impl Into<Secret>) -> Self {
        Self { client_secret: secret.into(), ..self }
    }

    /// Consumer ID: under this grant another name of the client ID.
    #[must_use]
    pub fn with_consumer_id(mut self, id: &str) -> Self {
        id.clone_into(&mut self.shared.consumer_id);
        self
    }

    /// The grant that these fields describe. What no field has (a resource, another parameter) can be added to it.
    ///
    /// # Errors
    ///
    /// `Error::Config`, which names the field, when one is needed and empty, when what was filled in is not what the
    /// field is for, when Consumer ID and Client ID differ, and when a secret would stand in the access token URL without
    /// being [allowed](crate::AdvancedSettings::allowing_secrets_in_url) there.
    pub fn build(self) -> Result<ClientCredentials> {
        let Self { client_id, client_secret, shared } = self;
        let id = identifier(&client_id, &shared.consumer_id)?;
        let secret = Field { label: label::CLIENT_SECRET, value: client_secret };
        let (scope, registration) = (shared.scope()?, shared.registration(&id, secret)?);
        shared.advanced.check_client_in_url()?;
        ClientCredentials::new(registration).with_scope(scope)
    }
}

/// Consumer ID and Client ID are one identifier.
fn identifier<'a>(client_id: &'a str, consumer_id: &'a str) -> Result<Field<&'a str>> {
    match (client_id, consumer_id) {
        ("", consumer_id) if !consumer_id.is_empty() => {
            Ok(Field { label: label::CONSUMER_ID, value: consumer_id })
        }
        (client_id, consumer_id) if consumer_id.is_empty() || client_id == consumer_id => {
            Ok(Field { label: label::CLIENT_ID, value: client_id })
        }
        _ => {
            let (consumer, client) = (label::CONSUMER_ID, label::CLIENT_ID);
            let text = format!(
                "{consumer} and {client} differ, and under Client Credentials they name one client; fill in one of them"
            );
            Err(config("oauth2_form_client", text))
        }
    }
}

impl Default for ClientCredentialsForm {
    fn default() -> Self {
        Self::new()
    }
}

/// Shows no more than whose it is.
impl fmt::Debug for ClientCredentialsForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientCredentialsForm({:?})", self.client_id)
    }
}
