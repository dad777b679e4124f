//! The form by which people who run a platform describe an authorization server, field by field.

mod advanced;
mod authorization_code;
mod client_credentials;

pub use advanced::AdvancedSettings;
pub use authorization_code::AuthorizationCodeForm;
pub use client_credentials::ClientCredentialsForm;

use crate::{
    ClientRegistration, TokenEndpoint,
    endpoint::{config, read_url},
    parameters::check_scope,
};
use auth_core::{Error, Result, Secret};
use std::time::Duration;

/// What a field is called where a person fills it in.
mod label {
    pub(super) const ACCESS_TOKEN_URL: &str = "Access Token URL";
    pub(super) const ACCESS_TOKEN_URL_HEADERS: &str = "Access Token URL Headers";
    pub(super) const ACCESS_TOKEN_URL_PARAMETER_TYPE: &str = "Access Token URL Parameter type";
    pub(super) const AUTHORIZATION_URL: &str = "Authorization URL";
    pub(super) const CALL_BACK_URL: &str = "Call Back URL";
    pub(super) const CLIENT_AUTHENTICATION: &str = "Client Authentication";
    pub(super) const CLIENT_ID: &str = "Client ID";
    pub(super) const CLIENT_SECRET: &str = "Client Secret";
    pub(super) const CONSUMER_ID: &str = "Consumer ID";
    pub(super) const CONSUMER_SECRET: &str = "Consumer Secret";
    pub(super) const REFRESH_URL: &str = "Refresh URL Token";
    pub(super) const REVOCATION_URL: &str = "Revocation URL";
    pub(super) const SCOPE: &str = "Scope";
    pub(super) const VALIDITY: &str = "Validity";
}

/// The fields that both grants have. A text that is empty was not filled in.
#[derive(Default)]
struct SharedFields {
    consumer_id: String,
    scope: String,
    access_token_url: String,
    refresh_url: String,
    revocation_url: String,
    validity: Option<Duration>,
    advanced: AdvancedSettings,
}

/// A field, and what was filled in; empty, where nothing was.
struct Field<T> {
    label: &'static str,
    value: T,
}

impl SharedFields {
    /// The client with this identifier and this secret.
    fn registration(&self, id: &Field<&str>, secret: Field<Secret>) -> Result<ClientRegistration> {
        let endpoint = self.endpoint(label::ACCESS_TOKEN_URL, &self.access_token_url)?;
        let client = self.advanced.client(id, secret)?;
        let mut registration = ClientRegistration::new(endpoint, client);
        if !self.refresh_url.is_empty() {
            let endpoint = self.endpoint(label::REFRESH_URL, &self.refresh_url)?;
            registration = registration.with_refresh_endpoint(endpoint);
        }
        if !self.revocation_url.is_empty() {
            let url = read_url(label::REVOCATION_URL, &self.revocation_url)?;
            registration = registration.with_revocation_endpoint(TokenEndpoint::at(url));
        }
        let Some(validity) = self.validity else { return Ok(registration) };
        if validity < Duration::from_secs(1) {
            let text = format!(
                "{} is shorter than a second; fill in how long a token lasts, or switch the limited validity off",
                label::VALIDITY
            );
            return Err(config("oauth2_form_validity", text));
        }
        Ok(registration.with_validity(validity))
    }

    fn endpoint(&self, label: &'static str, url: &str) -> Result<TokenEndpoint> {
        self.advanced.endpoint(read_url(label, filled_in(label, url)?)?)
    }

    fn scope(&self) -> Result<&str> {
        check_scope(label::SCOPE, &self.scope)?;
        Ok(&self.scope)
    }
}

/// The methods of the fields that both grants have.
macro_rules! shared_fields {
    ($form:ident) => {
        impl $form {
            /// Scope: the scopes that are asked for, one space between two.
            #[must_use]
            pub fn with_scope(mut self, scope: &str) -> Self {
                scope.clone_into(&mut self.shared.scope);
                self
            }

            /// Access Token URL: the token endpoint.
            #[must_use]
            pub fn with_access_token_url(mut self, url: &str) -> Self {
                url.clone_into(&mut self.shared.access_token_url);
                self
            }

            /// Access token has a limited validity, and for how long, where the server does not say it. What the server says
            /// wins.
            #[must_use]
            pub fn with_limited_validity(mut self, validity: Duration) -> Self {
                self.shared.validity = Some(validity);
                self
            }

            /// Refresh URL Token: where tokens are refreshed that came with a refresh token.
            #[must_use]
            pub fn with_refresh_url(mut self, url: &str) -> Self {
                url.clone_into(&mut self.shared.refresh_url);
                self
            }

            /// Revocation URL: where tokens are revoked (RFC 7009).
            #[must_use]
            pub fn with_revocation_url(mut self, url: &str) -> Self {
                url.clone_into(&mut self.shared.revocation_url);
                self
            }

            /// The advanced settings, switched on.
            #[must_use]
            pub fn with_advanced_settings(mut self, settings: AdvancedSettings) -> Self {
                self.shared.advanced = settings;
                self
            }
        }
    };
}

shared_fields!(AuthorizationCodeForm);
shared_fields!(ClientCredentialsForm);

fn filled_in<'a>(label: &str, text: &'a str) -> Result<&'a str> {
    filled_in_with("what the owner of the authorization server says", label, text)
}

/// The same, for what does not come from there.
fn filled_in_with<'a>(what: &str, label: &str, text: &'a str) -> Result<&'a str> {
    if text.is_empty() {
        let text = format!("{label} is empty; fill in {what}");
        return Err(config("oauth2_form_empty", text));
    }
    Ok(text)
}

/// An error of a part, as one of the field that the part was made of.
fn of_field(label: &str, error: &Error) -> Error {
    config(error.code(), format!("{label}: {}", error.cause()))
}
