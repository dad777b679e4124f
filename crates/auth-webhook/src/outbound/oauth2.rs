//! The fields of OAuth 2.0, and the grant that they make.

use crate::{FieldValue, resolved::Resolved};
use auth_core::{Error, Result};
use auth_oauth2::{
    AdvancedSettings, AuthorizationCode, AuthorizationCodeForm, ClientCredentials,
    ClientCredentialsForm, ParameterPlacement,
};
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, collections::BTreeMap, time::Duration};

/// The fields of OAuth 2.0. What both grants have stands here; what one of them has, in its [`OAuth2Grant`].
#[derive(Clone, Debug, PartialEq)]
pub struct OAuth2Fields {
    /// How tokens are obtained: `grant_type`, with the fields of that grant.
    pub grant: OAuth2Grant,
    /// The scopes that are asked for, one space between two. Without it no parameter is sent.
    pub scope: Option<String>,
    /// The token endpoint.
    pub access_token_url: String,
    /// Does the access token have a limited validity, though the server does not say which? What the server says wins.
    pub access_token_limited_validity: bool,
    /// How long it is valid, where that is limited. Without effect else.
    pub validity: Option<Duration>,
    /// Where tokens are refreshed; the token endpoint unless filled in.
    pub refresh_token_url: Option<String>,
    /// How the client proves who it is.
    pub client_authentication: ClientAuthenticationMethod,
    /// What few servers need. Without effect unless it is enabled.
    pub advanced_settings: OAuth2AdvancedSettings,
}

/// `grant_type`, with the fields that this grant has.
#[derive(Clone, Debug, PartialEq)]
pub enum OAuth2Grant {
    /// A token of the client itself (RFC 6749 section 4.4).
    ClientCredentials {
        /// The client's identifier.
        client_id: Option<String>,
        /// The same, where the form of the platform calls it so; one of the two is filled in.
        consumer_id: Option<String>,
        /// The client's secret.
        client_secret: FieldValue,
    },
    /// A token in a user's context (RFC 6749 section 4.1).
    AuthorizationCode {
        /// The client's identifier.
        consumer_id: String,
        /// The client's secret.
        consumer_secret: FieldValue,
        /// Where users come back to, as it is registered at the authorization server.
        callback_url: String,
        /// Where users are sent to.
        authorization_url: String,
    },
}

/// How the client proves who it is at the token endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthenticationMethod {
    /// Identifier and secret stand in the body: `client_secret_post`.
    #[default]
    Body,
    /// They are sent as Basic: `client_secret_basic`.
    Basic,
}

/// The advanced settings. They change nothing while they are not enabled.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct OAuth2AdvancedSettings {
    /// Are they switched on?
    pub enabled: bool,
    /// The method of the token request.
    pub access_token_url_method: TokenRequestMethod,
    /// Where its parameters stand.
    pub access_token_url_parameter_type: TokenRequestParameters,
    /// Header fields that it carries.
    pub access_token_url_headers: BTreeMap<String, FieldValue>,
    /// May secrets stand in a URL, which logs write down?
    pub allow_secrets_in_url: bool,
    /// Where tokens are revoked when the authorization is deleted (RFC 7009).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revocation_url: Option<String>,
}

impl OAuth2AdvancedSettings {
    /// The most header fields that a token request carries.
    pub const MOST_HEADERS: usize = 32;

    /// What is wrong with how many there are.
    pub(super) fn too_many(&self) -> Option<String> {
        let count = self.access_token_url_headers.len();
        let what = "advanced_settings.access_token_url_headers has";
        let most = Self::MOST_HEADERS;
        (count > most).then(|| format!("{what} {count} fields, expected at most {most}"))
    }
}

/// The method of a token request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum TokenRequestMethod {
    /// POST, as RFC 6749 has it.
    #[default]
    Post,
    /// GET, which some servers want.
    Get,
}

/// Where the parameters of a token request stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenRequestParameters {
    /// In its body, as a form.
    #[default]
    Body,
    /// In its URL.
    Url,
}

/// The grant that a configuration makes.
pub(crate) enum MadeGrant {
    ClientCredentials(ClientCredentials),
    AuthorizationCode(AuthorizationCode),
}

const HEADERS: &str = "advanced_settings.access_token_url_headers.";

impl OAuth2Fields {
    pub(super) fn values(&self) -> Vec<(Cow<'static, str>, &FieldValue)> {
        let secret = match &self.grant {
            OAuth2Grant::ClientCredentials { client_secret, .. } => {
                ("client_secret", client_secret)
            }
            OAuth2Grant::AuthorizationCode { consumer_secret, .. } => {
                ("consumer_secret", consumer_secret)
            }
        };
        let headers = self.advanced_settings.access_token_url_headers.iter();
        let headers = headers.map(|(name, value)| (Cow::from(format!("{HEADERS}{name}")), value));
        std::iter::once((Cow::from(secret.0), secret.1)).chain(headers).collect()
    }

    pub(super) fn values_mut(&mut self) -> Vec<(Cow<'static, str>, &mut FieldValue)> {
        let secret = match &mut self.grant {
            OAuth2Grant::ClientCredentials { client_secret, .. } => {
                ("client_secret", client_secret)
            }
            OAuth2Grant::AuthorizationCode { consumer_secret, .. } => {
                ("consumer_secret", consumer_secret)
            }
        };
        let headers = self.advanced_settings.access_token_url_headers.iter_mut();
        let headers = headers.map(|(name, value)| (Cow::from(format!("{HEADERS}{name}")), value));
        std::iter::once((Cow::from(secret.0), secret.1)).chain(headers).collect()
    }

    /// The URLs that secrets are sent to.
    pub(super) fn secrets_go_to(&self) -> impl Iterator<Item = &str> {
        let others = [self.refresh_token_url.as_deref(), self.revocation_url()];
        let others = others.into_iter().flatten().filter(|url| !url.is_empty());
        std::iter::once(&*self.access_token_url).chain(others)
    }

    /// Where tokens are revoked, if the advanced settings are enabled and say so.
    fn revocation_url(&self) -> Option<&str> {
        let advanced = Some(&self.advanced_settings).filter(|settings| settings.enabled);
        advanced.and_then(|settings| settings.revocation_url.as_deref())
    }

    fn advanced(&self, resolved: &Resolved) -> Result<AdvancedSettings> {
        let given = &self.advanced_settings;
        let mut made = AdvancedSettings::new();
        if self.client_authentication == ClientAuthenticationMethod::Basic {
            made = made.with_client_secret_basic();
        }
        if let Some(text) = given.too_many() {
            return Err(Error::config("webhook_token_headers", text));
        }
        if !given.enabled {
            return Ok(made);
        }
        if given.access_token_url_method == TokenRequestMethod::Get {
            made = made.with_get();
        }
        if given.access_token_url_parameter_type == TokenRequestParameters::Url {
            made = made.with_placement(ParameterPlacement::Url);
        }
        if given.allow_secrets_in_url {
            made = made.allowing_secrets_in_url();
        }
        for name in given.access_token_url_headers.keys() {
            let value = resolved.secret(&format!("{HEADERS}{name}"))?;
            made = made.with_header(name, value);
        }
        Ok(made)
    }
}

/// The grant of these fields, with the values that they have now.
pub(crate) fn of(fields: &OAuth2Fields, resolved: &Resolved) -> Result<MadeGrant> {
    let advanced = fields.advanced(resolved)?;
    let validity = fields.access_token_limited_validity.then_some(fields.validity).flatten();
    if fields.access_token_limited_validity && validity.is_none() {
        let text = "validity is missing while access_token_limited_validity is true; write how long a token lasts, such as \
                    \"3600s\"";
        return Err(Error::config("webhook_validity", text));
    }
    let scope = fields.scope.as_deref().unwrap_or_default();
    let refresh = fields.refresh_token_url.as_deref().unwrap_or_default();
    let revocation = fields.revocation_url().unwrap_or_default();
    match &fields.grant {
        OAuth2Grant::ClientCredentials { client_id, consumer_id, .. } => {
            let mut form = ClientCredentialsForm::new()
                .with_client_id(client_id.as_deref().unwrap_or_default())
                .with_consumer_id(consumer_id.as_deref().unwrap_or_default())
                .with_client_secret(resolved.secret("client_secret")?)
                .with_access_token_url(&fields.access_token_url)
                .with_refresh_url(refresh)
                .with_revocation_url(revocation)
                .with_scope(scope)
                .with_advanced_settings(advanced);
            if let Some(validity) = validity {
                form = form.with_limited_validity(validity);
            }
            Ok(MadeGrant::ClientCredentials(form.build()?))
        }
        OAuth2Grant::AuthorizationCode { consumer_id, callback_url, authorization_url, .. } => {
            let mut form = AuthorizationCodeForm::new()
                .with_consumer_id(consumer_id)
                .with_consumer_secret(resolved.secret("consumer_secret")?)
                .with_callback_url(callback_url)
                .with_authorization_url(authorization_url)
                .with_access_token_url(&fields.access_token_url)
                .with_refresh_url(refresh)
                .with_revocation_url(revocation)
                .with_scope(scope)
                .with_advanced_settings(advanced);
            if let Some(validity) = validity {
                form = form.with_limited_validity(validity);
            }
            Ok(MadeGrant::AuthorizationCode(form.build()?))
        }
    }
}
