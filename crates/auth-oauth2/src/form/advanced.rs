//! The settings of a form that stay hidden until they are switched on.

use super::{Field, label, of_field};
use crate::{
    ClientAuthentication, ParameterPlacement, TokenEndpoint,
    client_authentication::{check_client_id, check_secret},
    endpoint::{SecretsInUrl, config},
};
use auth_core::{Error, Result, Secret};
use http::Method;
use std::fmt;
use url::Url;

/// The advanced settings of a form: how its token endpoint differs from that of RFC 6749.
///
/// A form without them, and every one of them that is not set, means:
///
/// | setting | when it is not set |
/// |---|---|
/// | method of the access token URL | POST |
/// | place of its parameters | in the body, as `application/x-www-form-urlencoded` |
/// | secrets in a URL | refused |
/// | headers of the access token URL | none beside the client's own |
/// | client authentication | the client credentials are sent in the body (`client_secret_post`) |
///
/// Requests to the refresh URL look like those to the access token URL.
///
/// ```
/// use auth_oauth2::{AdvancedSettings, ParameterPlacement};
/// let settings = AdvancedSettings::new()
///     .with_placement(ParameterPlacement::JsonBody)
///     .with_header("x-tenant", "acme")
///     .with_client_secret_basic();
/// ```
pub struct AdvancedSettings {
    method: Method,
    placement: ParameterPlacement,
    secrets_in_url: SecretsInUrl,
    headers: Vec<(String, Secret)>,
    client: FormClient,
}

/// How the client authenticates.
enum FormClient {
    SecretPost,
    SecretBasic,
    /// It brings all that it needs.
    Brought(ClientAuthentication),
}

impl AdvancedSettings {
    /// None is set.
    #[must_use]
    pub fn new() -> Self {
        Self {
            method: Method::POST,
            placement: ParameterPlacement::FormBody,
            secrets_in_url: SecretsInUrl::Refused,
            headers: Vec::new(),
            client: FormClient::SecretPost,
        }
    }

    /// With GET for the access token URL, in place of POST.
    #[must_use]
    pub fn with_get(self) -> Self {
        Self { method: Method::GET, ..self }
    }

    /// With the parameters of the access token URL in another place.
    #[must_use]
    pub fn with_placement(self, placement: ParameterPlacement) -> Self {
        Self { placement, ..self }
    }

    /// Lets secrets stand in the URL, where the parameters do.
    ///
    /// # Security
    ///
    /// URLs are written down by servers, proxies and their logs, secrets with them.
    #[must_use]
    pub fn allowing_secrets_in_url(self) -> Self {
        Self { secrets_in_url: SecretsInUrl::Allowed, ..self }
    }

    /// With a header field in every request to the access token URL; may be called several times.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<Secret>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// With the client credentials in the field `Authorization` (`client_secret_basic`), in place of the body.
    #[must_use]
    pub fn with_client_secret_basic(self) -> Self {
        Self { client: FormClient::SecretBasic, ..self }
    }

    /// With another client authentication: an assertion, or none for a public client. It brings its identifier and its
    /// key, so the form's secret is left empty, and the form's identifier is left empty or is the same.
    #[must_use]
    pub fn with_client_authentication(self, client: ClientAuthentication) -> Self {
        Self { client: FormClient::Brought(client), ..self }
    }

    /// The endpoint at this URL, as it was set.
    pub(super) fn endpoint(&self, url: Url) -> Result<TokenEndpoint> {
        let mut endpoint = TokenEndpoint::at(url);
        endpoint.method = self.method.clone();
        endpoint.placement = self.placement;
        endpoint.secrets_in_url = self.secrets_in_url;
        for (name, value) in &self.headers {
            let named = endpoint.with_header(name, &String::from_utf8_lossy(value.expose()));
            endpoint = named.map_err(|error| of_field(label::ACCESS_TOKEN_URL_HEADERS, &error))?;
        }
        Ok(endpoint)
    }

    /// The client with this identifier and this secret.
    pub(super) fn client(
        &self,
        id: &Field<&str>,
        secret: Field<Secret>,
    ) -> Result<ClientAuthentication> {
        let authentication = match &self.client {
            FormClient::Brought(client) => return brought(client, id, &secret),
            FormClient::SecretPost => ClientAuthentication::client_secret_post,
            FormClient::SecretBasic => ClientAuthentication::client_secret_basic,
        };
        check_client_id(id.label, id.value)?;
        if secret.label == label::CONSUMER_SECRET && secret.value.expose().is_empty() {
            return Err(no_secret(secret.label));
        }
        check_secret(secret.label, &secret.value)?;
        authentication(id.value, secret.value)
    }

    /// Refuses what proves the client in the URL, unless that was allowed.
    pub(super) fn check_client_in_url(&self) -> Result<()> {
        match &self.client {
            FormClient::SecretBasic => Ok(()),
            FormClient::SecretPost => self.check_secret_in_url("the client secret"),
            FormClient::Brought(client) if client.is_proven_by_parameters() => {
                self.check_secret_in_url("what proves the client")
            }
            FormClient::Brought(_) => Ok(()),
        }
    }

    /// Refuses a secret in the URL, unless that was allowed.
    pub(super) fn check_secret_in_url(&self, secret: &str) -> Result<()> {
        let is_allowed = self.secrets_in_url == SecretsInUrl::Allowed;
        if self.placement != ParameterPlacement::Url || is_allowed {
            return Ok(());
        }
        let text = format!(
            "{} is URL, which logs write down, and {secret} would stand in it; choose Body, or have \
             secrets in a URL allowed in the advanced settings (allowing_secrets_in_url)",
            label::ACCESS_TOKEN_URL_PARAMETER_TYPE
        );
        Err(config("oauth2_form_secret_in_url", text))
    }
}

/// Where users agree, a client may be a public one.
fn no_secret(field: &str) -> Error {
    let text = format!(
        "{field} is empty; fill in what the authorization server gave the client, or, for a public client, which has no \
         secret, set {} to none (ClientAuthentication::none)",
        label::CLIENT_AUTHENTICATION
    );
    config("oauth2_client_secret", text)
}

/// What brings its own identifier and key agrees with what was filled in beside it.
fn brought(
    client: &ClientAuthentication,
    id: &Field<&str>,
    secret: &Field<Secret>,
) -> Result<ClientAuthentication> {
    let (chosen, mut fault) = (label::CLIENT_AUTHENTICATION, None);
    if !secret.value.expose().is_empty() {
        fault = Some(format!("{chosen} needs no {0}; leave {0} empty", secret.label));
    } else if !id.value.is_empty() && id.value != client.client_id() {
        let what = format!("{chosen} is for another client than {0} names", id.label);
        fault = Some(format!("{what}; make them the same, or leave {} empty", id.label));
    }
    match fault {
        None => Ok(client.clone()),
        Some(fault) => Err(config("oauth2_form_client", fault)),
    }
}

impl Default for AdvancedSettings {
    fn default() -> Self {
        Self::new()
    }
}

/// Shows no value of a header, which may be a key.
impl fmt::Debug for AdvancedSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AdvancedSettings({}, {:?})", self.method, self.placement)
    }
}
