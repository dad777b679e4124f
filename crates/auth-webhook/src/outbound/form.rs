//! An authorization as it is written: every field of every scheme, in one object.

use super::{
    ApiKeyFields, AwsSignatureFields, BasicFields, ClientAuthenticationMethod, DigestFields,
    OAuth2AdvancedSettings, OAuth2Fields, OAuth2Grant, OutboundAuthorization, OutboundScheme,
};
use crate::{FieldValue, duration};
use serde::{Deserialize, Serialize};
use std::time::Duration;

#[derive(Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum SchemeName {
    None,
    Basic,
    Digest,
    AwsSignature,
    ApiKey,
    Oauth2,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum GrantName {
    ClientCredentials,
    AuthorizationCode,
}

/// The fields, each with the types that have it.
macro_rules! form {
    ($($(#[$attribute:meta])* $field:ident: $type:ty, $of:literal;)*) => {
        #[derive(Deserialize, Serialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct Form {
            #[serde(rename = "type")]
            scheme: SchemeName,
            $(
                $(#[$attribute])*
                #[serde(default, skip_serializing_if = "Option::is_none")]
                $field: Option<$type>,
            )*
        }

        impl Form {
            fn new(scheme: SchemeName) -> Self {
                Self { scheme, $($field: None,)* }
            }

            /// A field that is there and of another type or grant, with what it is of.
            fn foreign(&self, is_of: impl Fn(&str) -> bool) -> Option<(&'static str, &'static str)> {
                $(if self.$field.is_some() && !is_of($of) {
                    return Some((stringify!($field), $of));
                })*
                None
            }
        }
    };
}

form! {
    client_certificate: String, "every type";
    username: FieldValue, "basic and digest";
    password: FieldValue, "basic and digest";
    realm: String, "digest";
    nonce: String, "digest";
    algorithm: String, "digest";
    qop: String, "digest";
    nonce_count: String, "digest";
    client_nonce: String, "digest";
    opaque: String, "digest";
    proving_first: bool, "digest";
    access_key: FieldValue, "aws_signature";
    secret_key: FieldValue, "aws_signature";
    region: String, "aws_signature";
    service_name: String, "aws_signature";
    key: String, "api_key";
    key_value: FieldValue, "api_key";
    grant_type: GrantName, "oauth2";
    client_id: String, "oauth2 with the grant client_credentials";
    client_secret: FieldValue, "oauth2 with the grant client_credentials";
    consumer_id: String, "oauth2";
    consumer_secret: FieldValue, "oauth2 with the grant authorization_code";
    callback_url: String, "oauth2 with the grant authorization_code";
    authorization_url: String, "oauth2 with the grant authorization_code";
    scope: String, "oauth2";
    access_token_url: String, "oauth2";
    access_token_limited_validity: bool, "oauth2";
    #[serde(with = "duration::optional")]
    validity: Duration, "oauth2";
    refresh_token_url: String, "oauth2";
    client_authentication: ClientAuthenticationMethod, "oauth2";
    advanced_settings: OAuth2AdvancedSettings, "oauth2";
}

impl TryFrom<Form> for OutboundAuthorization {
    type Error = String;

    /// A field that is of something else is told before one that is missing: it is often the same one under another name.
    fn try_from(mut form: Form) -> Result<Self, String> {
        let name = form.scheme.name();
        let grant = match (form.scheme, form.grant_type) {
            (SchemeName::Oauth2, Some(grant)) => format!(" with the grant {}", grant.name()),
            _ => String::new(),
        };
        let is_of = |of: &str| {
            of == "every type"
                || of == name
                || of.split(" and ").any(|one| one == name)
                || (!grant.is_empty() && of == format!("{name}{grant}"))
        };
        if let Some((field, of)) = form.foreign(is_of) {
            return Err(format!(
                "{field} is a field of {of}, and the type is {name}{grant}; remove it"
            ));
        }
        if let Some(text) = form.advanced_settings.as_ref().and_then(|it| it.too_many()) {
            return Err(text);
        }
        let client_certificate = form.client_certificate.take();
        Ok(Self { scheme: form.take_scheme()?, client_certificate })
    }
}

impl SchemeName {
    const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Basic => "basic",
            Self::Digest => "digest",
            Self::AwsSignature => "aws_signature",
            Self::ApiKey => "api_key",
            Self::Oauth2 => "oauth2",
        }
    }
}

impl GrantName {
    const fn name(self) -> &'static str {
        match self {
            Self::ClientCredentials => "client_credentials",
            Self::AuthorizationCode => "authorization_code",
        }
    }
}

impl Form {
    fn take_scheme(&mut self) -> Result<OutboundScheme, String> {
        Ok(match self.scheme {
            SchemeName::None => OutboundScheme::None,
            SchemeName::Basic => OutboundScheme::Basic(BasicFields {
                username: needed("username", self.username.take())?,
                password: needed("password", self.password.take())?,
            }),
            SchemeName::Digest => OutboundScheme::Digest(Box::new(self.take_digest()?)),
            SchemeName::AwsSignature => OutboundScheme::AwsSignature(AwsSignatureFields {
                access_key: needed("access_key", self.access_key.take())?,
                secret_key: needed("secret_key", self.secret_key.take())?,
                region: needed("region", self.region.take())?,
                service_name: needed("service_name", self.service_name.take())?,
            }),
            SchemeName::ApiKey => OutboundScheme::ApiKey(ApiKeyFields {
                key: needed("key", self.key.take())?,
                key_value: needed("key_value", self.key_value.take())?,
            }),
            SchemeName::Oauth2 => OutboundScheme::OAuth2(Box::new(self.take_oauth2()?)),
        })
    }

    fn take_digest(&mut self) -> Result<DigestFields, String> {
        Ok(DigestFields {
            username: needed("username", self.username.take())?,
            password: needed("password", self.password.take())?,
            realm: self.realm.take(),
            nonce: self.nonce.take(),
            algorithm: self.algorithm.take(),
            qop: self.qop.take(),
            nonce_count: self.nonce_count.take(),
            client_nonce: self.client_nonce.take(),
            opaque: self.opaque.take(),
            proving_first: self.proving_first.take().unwrap_or_default(),
        })
    }

    fn take_oauth2(&mut self) -> Result<OAuth2Fields, String> {
        let grant = match needed("grant_type", self.grant_type.take())? {
            GrantName::ClientCredentials => OAuth2Grant::ClientCredentials {
                client_id: self.client_id.take(),
                consumer_id: self.consumer_id.take(),
                client_secret: needed("client_secret", self.client_secret.take())?,
            },
            GrantName::AuthorizationCode => OAuth2Grant::AuthorizationCode {
                consumer_id: needed("consumer_id", self.consumer_id.take())?,
                consumer_secret: needed("consumer_secret", self.consumer_secret.take())?,
                callback_url: needed("callback_url", self.callback_url.take())?,
                authorization_url: needed("authorization_url", self.authorization_url.take())?,
            },
        };
        Ok(OAuth2Fields {
            grant,
            scope: self.scope.take(),
            access_token_url: needed("access_token_url", self.access_token_url.take())?,
            access_token_limited_validity: self
                .access_token_limited_validity
                .take()
                .unwrap_or_default(),
            validity: self.validity.take(),
            refresh_token_url: self.refresh_token_url.take(),
            client_authentication: self.client_authentication.take().unwrap_or_default(),
            advanced_settings: self.advanced_settings.take().unwrap_or_default(),
        })
    }

    /// As it is written.
    pub(super) fn of(authorization: OutboundAuthorization) -> Self {
        let OutboundAuthorization { scheme, client_certificate } = authorization;
        let form = match scheme {
            OutboundScheme::None => Self::new(SchemeName::None),
            OutboundScheme::Basic(BasicFields { username, password }) => Self {
                username: Some(username),
                password: Some(password),
                ..Self::new(SchemeName::Basic)
            },
            OutboundScheme::Digest(fields) => Self::of_digest(*fields),
            OutboundScheme::AwsSignature(fields) => Self {
                access_key: Some(fields.access_key),
                secret_key: Some(fields.secret_key),
                region: Some(fields.region),
                service_name: Some(fields.service_name),
                ..Self::new(SchemeName::AwsSignature)
            },
            OutboundScheme::ApiKey(ApiKeyFields { key, key_value }) => {
                Self { key: Some(key), key_value: Some(key_value), ..Self::new(SchemeName::ApiKey) }
            }
            OutboundScheme::OAuth2(fields) => Self::of_oauth2(*fields),
        };
        Self { client_certificate, ..form }
    }

    fn of_digest(fields: DigestFields) -> Self {
        Self {
            username: Some(fields.username),
            password: Some(fields.password),
            realm: fields.realm,
            nonce: fields.nonce,
            algorithm: fields.algorithm,
            qop: fields.qop,
            nonce_count: fields.nonce_count,
            client_nonce: fields.client_nonce,
            opaque: fields.opaque,
            proving_first: fields.proving_first.then_some(true),
            ..Self::new(SchemeName::Digest)
        }
    }

    fn of_oauth2(fields: OAuth2Fields) -> Self {
        let shared = Self {
            scope: fields.scope,
            access_token_url: Some(fields.access_token_url),
            access_token_limited_validity: fields.access_token_limited_validity.then_some(true),
            validity: fields.validity,
            refresh_token_url: fields.refresh_token_url,
            client_authentication: Some(fields.client_authentication),
            advanced_settings: Some(fields.advanced_settings),
            ..Self::new(SchemeName::Oauth2)
        };
        match fields.grant {
            OAuth2Grant::ClientCredentials { client_id, consumer_id, client_secret } => Self {
                grant_type: Some(GrantName::ClientCredentials),
                client_id,
                consumer_id,
                client_secret: Some(client_secret),
                ..shared
            },
            OAuth2Grant::AuthorizationCode {
                consumer_id,
                consumer_secret,
                callback_url,
                authorization_url,
            } => Self {
                grant_type: Some(GrantName::AuthorizationCode),
                consumer_id: Some(consumer_id),
                consumer_secret: Some(consumer_secret),
                callback_url: Some(callback_url),
                authorization_url: Some(authorization_url),
                ..shared
            },
        }
    }
}

fn needed<T>(field: &str, value: Option<T>) -> Result<T, String> {
    value.ok_or_else(|| format!("{field} is missing; fill it in"))
}
