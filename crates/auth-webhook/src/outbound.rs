//! Under what authorization a platform sends: what is filled in.

mod form;
mod oauth2;

pub use oauth2::{
    ClientAuthenticationMethod, OAuth2AdvancedSettings, OAuth2Fields, OAuth2Grant,
    TokenRequestMethod, TokenRequestParameters,
};
pub(crate) use oauth2::{MadeGrant, of as oauth2_grant};

use crate::{ConfiguredBy, FieldValue, SecretSources};
use auth_core::{Result, TenantId};
use form::Form;
use serde::{Deserialize, Serialize, Serializer};
use std::{borrow::Cow, fmt};

/// Under what authorization webhooks are sent: one of six schemes with its fields, and a client certificate beside any of
/// them.
///
/// It is what a person fills in, as JSON or TOML. Each field has the name that the form of Webex Connect has, in
/// snake_case; a field of another scheme or of the other grant is an error that names it.
///
/// | `type` | fields |
/// |---|---|
/// | `none` | |
/// | `basic` | `username`, `password` |
/// | `digest` | `username`, `password`; typed beforehand: `realm`, `nonce`, `algorithm`, `qop`, `nonce_count`, `client_nonce`, `opaque`; `proving_first` |
/// | `aws_signature` | `access_key`, `secret_key`, `region`, `service_name` |
/// | `api_key` | `key`, the name of the header field, and `key_value` |
/// | `oauth2` | those of [`OAuth2Fields`] |
///
/// A field that holds a secret, a user name or an access key may name a [source](FieldValue) in place of its value.
///
/// # Security
///
/// What it writes shows no secret: [`revealed`](Self::revealed) does. `Debug` shows none.
///
/// ```
/// use auth_webhook::OutboundAuthorization;
/// let text = r#"{ "type": "basic", "username": "acme", "password": "s3cret" }"#;
/// let authorization: OutboundAuthorization = serde_json::from_str(text).unwrap();
/// assert!(!serde_json::to_string(&authorization).unwrap().contains("s3cret"));
///
/// let seventh = serde_json::from_str::<OutboundAuthorization>(r#"{ "type": "hawk" }"#).unwrap_err();
/// assert!(seventh.to_string().contains("`none`, `basic`, `digest`, `aws_signature`, `api_key`, `oauth2`"));
/// ```
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "Form")]
#[non_exhaustive]
pub struct OutboundAuthorization {
    /// The scheme and its fields.
    pub scheme: OutboundScheme,
    /// The name of the client certificate that connections to the receiver show, beside whatever the scheme adds. The
    /// program's [`Transports`](crate::Transports) know it.
    pub client_certificate: Option<String>,
}

/// One of the six schemes, with what is filled in for it.
#[derive(Clone, Debug, PartialEq)]
pub enum OutboundScheme {
    /// No authorization.
    None,
    /// Basic (RFC 7617).
    Basic(BasicFields),
    /// Digest (RFC 7616).
    Digest(Box<DigestFields>),
    /// AWS Signature Version 4.
    AwsSignature(AwsSignatureFields),
    /// A key in a header field.
    ApiKey(ApiKeyFields),
    /// A Bearer token of an authorization server (RFC 6749, RFC 6750).
    OAuth2(Box<OAuth2Fields>),
}

/// The fields of Basic.
#[derive(Clone, Debug, PartialEq)]
pub struct BasicFields {
    /// The user name.
    pub username: FieldValue,
    /// The password.
    pub password: FieldValue,
}

/// The fields of Digest. Those of a challenge are typed where the receiver gave them beforehand; a challenge that it sends
/// takes their place.
#[derive(Clone, Debug, PartialEq)]
pub struct DigestFields {
    /// The user name.
    pub username: FieldValue,
    /// The password.
    pub password: FieldValue,
    /// The realm; with a nonce, the first request answers before it is asked.
    pub realm: Option<String>,
    /// The nonce.
    pub nonce: Option<String>,
    /// The algorithm, as RFC 7616 names it.
    pub algorithm: Option<String>,
    /// `auth` or `auth-int`.
    pub qop: Option<String>,
    /// The count of the first request, in hexadecimal; it rises from there. Only with a qop.
    pub nonce_count: Option<String>,
    /// The client nonce. Only with a qop.
    pub client_nonce: Option<String>,
    /// What is returned as it is.
    pub opaque: Option<String>,
    /// Does the sender prove who it is before the body goes out?
    pub proving_first: bool,
}

/// The fields of AWS Signature.
#[derive(Clone, Debug, PartialEq)]
pub struct AwsSignatureFields {
    /// The identifier of the access key.
    pub access_key: FieldValue,
    /// The secret access key.
    pub secret_key: FieldValue,
    /// The region that receives the request.
    pub region: String,
    /// The service that receives the request, such as `execute-api`.
    pub service_name: String,
}

/// The fields of an API key.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiKeyFields {
    /// The name of the header field.
    pub key: String,
    /// The key.
    pub key_value: FieldValue,
}

impl OutboundAuthorization {
    /// This scheme, and no client certificate.
    #[must_use]
    pub const fn new(scheme: OutboundScheme) -> Self {
        Self { scheme, client_certificate: None }
    }

    /// Connections to the receiver show the client certificate of this name.
    #[must_use]
    pub fn with_client_certificate(self, name: &str) -> Self {
        Self { client_certificate: Some(name.to_owned()), ..self }
    }

    /// The `type` of its scheme.
    #[must_use]
    pub const fn scheme_name(&self) -> &'static str {
        match &self.scheme {
            OutboundScheme::None => "none",
            OutboundScheme::Basic(_) => "basic",
            OutboundScheme::Digest(_) => "digest",
            OutboundScheme::AwsSignature(_) => "aws_signature",
            OutboundScheme::ApiKey(_) => "api_key",
            OutboundScheme::OAuth2(_) => "oauth2",
        }
    }

    /// The same with its secrets, to write it whole.
    ///
    /// # Security
    ///
    /// For a person who may see them, and for a store that is sealed. Record who asked.
    #[must_use]
    pub const fn revealed(&self) -> RevealedAuthorization<'_> {
        RevealedAuthorization(self)
    }

    /// Keeps the secrets that an edit left hidden: those of `before`, field by field, where the scheme is the same.
    ///
    /// # Security
    ///
    /// Under OAuth 2.0 none is kept where it would be sent to a URL that it was not sent to before: whoever may edit an
    /// authorization without seeing its secrets would else have them sent to a server of their own. It stays hidden then,
    /// and is an error when the authorization is saved.
    #[must_use]
    pub fn keeping_hidden(mut self, before: &Self) -> Self {
        let is_sent_elsewhere = match (&self.scheme, &before.scheme) {
            (OutboundScheme::OAuth2(now), OutboundScheme::OAuth2(before)) => {
                now.secrets_go_to().any(|url| before.secrets_go_to().all(|known| known != url))
            }
            _ => false,
        };
        if self.scheme_name() == before.scheme_name() && !is_sent_elsewhere {
            let had = before.values();
            for (field, value) in self.values_mut() {
                let kept = had.iter().find(|(name, _)| *name == field);
                if let (true, Some((_, kept))) = (value.is_hidden(), kept) {
                    value.clone_from(kept);
                }
            }
        }
        self
    }

    /// Checks that whoever wrote it may name the sources that it names.
    pub(crate) fn check_sources(
        &self,
        sources: &SecretSources,
        tenant: &TenantId,
        by: ConfiguredBy,
    ) -> Result<()> {
        for (field, value) in self.values() {
            if let Some(name) = value.source() {
                sources.check(&field, name, tenant, by)?;
            }
        }
        Ok(())
    }

    /// The fields that may come from a source, by name.
    pub(crate) fn values(&self) -> Vec<(Cow<'static, str>, &FieldValue)> {
        let two =
            |one, value, other, secret| vec![(Cow::from(one), value), (Cow::from(other), secret)];
        match &self.scheme {
            OutboundScheme::None => Vec::new(),
            OutboundScheme::Basic(it) => two("username", &it.username, "password", &it.password),
            OutboundScheme::Digest(it) => two("username", &it.username, "password", &it.password),
            OutboundScheme::AwsSignature(it) => {
                two("access_key", &it.access_key, "secret_key", &it.secret_key)
            }
            OutboundScheme::ApiKey(it) => vec![(Cow::from("key_value"), &it.key_value)],
            OutboundScheme::OAuth2(it) => it.values(),
        }
    }

    fn values_mut(&mut self) -> Vec<(Cow<'static, str>, &mut FieldValue)> {
        match &mut self.scheme {
            OutboundScheme::None => Vec::new(),
            OutboundScheme::Basic(BasicFields { username, password }) => {
                vec![("username".into(), username), ("password".into(), password)]
            }
            OutboundScheme::Digest(it) => {
                vec![("username".into(), &mut it.username), ("password".into(), &mut it.password)]
            }
            OutboundScheme::AwsSignature(AwsSignatureFields { access_key, secret_key, .. }) => {
                vec![("access_key".into(), access_key), ("secret_key".into(), secret_key)]
            }
            OutboundScheme::ApiKey(it) => vec![("key_value".into(), &mut it.key_value)],
            OutboundScheme::OAuth2(it) => it.values_mut(),
        }
    }

    /// With each literal that is a secret hidden.
    fn hiding(mut self) -> Self {
        for (field, value) in self.values_mut() {
            let is_shown = matches!(&*field, "username" | "access_key");
            if !is_shown && value.source().is_none() {
                *value = FieldValue::hidden();
            }
        }
        self
    }
}

/// An authorization that is written with its secrets: [`OutboundAuthorization::revealed`].
pub struct RevealedAuthorization<'a>(&'a OutboundAuthorization);

impl Serialize for RevealedAuthorization<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Form::of(self.0.clone()).serialize(serializer)
    }
}

/// In place of each secret stands `{ "hidden": true }`.
impl Serialize for OutboundAuthorization {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Form::of(self.clone().hiding()).serialize(serializer)
    }
}

impl fmt::Debug for RevealedAuthorization<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RevealedAuthorization({:?})", self.0)
    }
}

#[cfg(test)]
mod tests;
