//! The form under the grant of authorization codes.

use super::{Field, SharedFields, filled_in, filled_in_with, label, of_field};
use crate::{
    AuthorizationCode,
    endpoint::read_url_like,
    grant::{check_redirect_uri, read_authorization_url},
};
use auth_core::{Result, Secret};
use std::fmt;

/// The fields of a form of authorizations under the grant type "Authorization Code".
///
/// [`build`](Self::build) makes the grant of them. A field that is empty counts as not filled in; which fields are needed,
/// and what the others mean when they are left out:
///
/// | field | method | when it is left out |
/// |---|---|---|
/// | Consumer ID | [`with_consumer_id`](Self::with_consumer_id) | an error, unless the chosen client authentication names the client |
/// | Consumer Secret | [`with_consumer_secret`](Self::with_consumer_secret) | an error, unless a client authentication without it is chosen |
/// | Call Back URL | [`with_callback_url`](Self::with_callback_url) | an error |
/// | Authorization URL | [`with_authorization_url`](Self::with_authorization_url) | an error |
/// | Access Token URL | [`with_access_token_url`](Self::with_access_token_url) | an error |
/// | Scope | [`with_scope`](Self::with_scope) | no `scope` is sent, and the server decides |
/// | limited validity, and Validity | [`with_limited_validity`](Self::with_limited_validity) | a token is used until its `expires_in`, or without one until it is refused |
/// | Refresh URL Token | [`with_refresh_url`](Self::with_refresh_url) | tokens are refreshed at the access token URL |
/// | the advanced settings | [`with_advanced_settings`](Self::with_advanced_settings) | see [`AdvancedSettings`](crate::AdvancedSettings) |
///
/// ```
/// use auth_oauth2::AuthorizationCodeForm;
/// let grant = AuthorizationCodeForm::new()
///     .with_consumer_id("acme")
///     .with_consumer_secret("s3cret")
///     .with_callback_url("https://platform.example/callback/acme-crm")
///     .with_authorization_url("https://login.example/authorize")
///     .with_access_token_url("https://login.example/token")
///     .build()?;
/// # Ok::<_, auth_oauth2::Error>(())
/// ```
pub struct AuthorizationCodeForm {
    consumer_secret: Secret,
    callback_url: String,
    authorization_url: String,
    pub(super) shared: SharedFields,
}

impl AuthorizationCodeForm {
    /// The empty form.
    #[must_use]
    pub fn new() -> Self {
        Self {
            consumer_secret: Secret::from(""),
            callback_url: String::new(),
            authorization_url: String::new(),
            shared: SharedFields::default(),
        }
    }

    /// Consumer ID: the client's identifier (`client_id`) at the authorization server.
    #[must_use]
    pub fn with_consumer_id(mut self, id: &str) -> Self {
        id.clone_into(&mut self.shared.consumer_id);
        self
    }

    /// Consumer Secret: the client's secret (`client_secret`).
    #[must_use]
    pub fn with_consumer_secret(self, secret: impl Into<Secret>) -> Self {
        Self { consumer_secret: secret.into(), ..self }
    }

    /// Call Back URL: the redirect URI, as it was registered at the authorization server to the letter. Each connection
    /// has one of its own.
    #[must_use]
    pub fn with_callback_url(self, url: &str) -> Self {
        Self { callback_url: url.to_owned(), ..self }
    }

    /// Authorization URL: the authorization endpoint, where users agree.
    #[must_use]
    pub fn with_authorization_url(self, url: &str) -> Self {
        Self { authorization_url: url.to_owned(), ..self }
    }

    /// The grant that these fields describe. What no field has (an issuer, a resource, another parameter) can be added to
    /// it.
    ///
    /// # Errors
    ///
    /// `Error::Config`, which names the field, when one is needed and empty, when what was filled in is not what the
    /// field is for, and when codes and secrets would stand in the access token URL without being
    /// [allowed](crate::AdvancedSettings::allowing_secrets_in_url) there.
    pub fn build(self) -> Result<AuthorizationCode> {
        let Self { consumer_secret, callback_url, authorization_url, shared } = self;
        let id = Field { label: label::CONSUMER_ID, value: shared.consumer_id.as_str() };
        let secret = Field { label: label::CONSUMER_SECRET, value: consumer_secret };
        check_callback_url(&callback_url)?;
        filled_in(label::AUTHORIZATION_URL, &authorization_url)?;
        read_authorization_url(label::AUTHORIZATION_URL, &authorization_url)?;
        let (scope, registration) = (shared.scope()?, shared.registration(&id, secret)?);
        shared.advanced.check_secret_in_url("the authorization code")?;
        let grant = AuthorizationCode::new(registration, &authorization_url, &callback_url)?;
        grant.with_scope(scope).map_err(|error| of_field(label::AUTHORIZATION_URL, &error))
    }
}

/// Where users come back to: a URL of the platform's own, which is not for the authorization server's owner to say.
fn check_callback_url(url: &str) -> Result<()> {
    let own = "the URL of this platform that users come back to, as it is registered at the authorization server";
    let url = filled_in_with(own, label::CALL_BACK_URL, url)?;
    read_url_like("https://platform.example/callback", label::CALL_BACK_URL, url)?;
    check_redirect_uri(label::CALL_BACK_URL, url)
}

impl Default for AuthorizationCodeForm {
    fn default() -> Self {
        Self::new()
    }
}

/// Shows no more than whose it is.
impl fmt::Debug for AuthorizationCodeForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AuthorizationCodeForm({:?})", self.shared.consumer_id)
    }
}
