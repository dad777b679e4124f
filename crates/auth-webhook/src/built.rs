//! What an authorization is made into: the state that all its webhooks share.

use crate::{
    DigestFields, OutboundAuthorization, OutboundScheme,
    outbound::{MadeGrant, oauth2_grant},
    resolved::Resolved,
    subscription,
};
use auth_core::{Authenticator, ConnectionId, Context, Error, KeyDigest, KeyHasher, Result};
use auth_digest::{ChallengePolicy, Digest, DigestAlgorithm, DigestPreset, NonceCount, Qop};
use auth_oauth2::{
    AuthorizationCode, ClientCredentials, OAuthConnection, PendingAuthorizations,
    RedirectionEndpoint,
};
use auth_session::TokenStore;
use auth_sigv4::{AccessKey, AwsService, SigV4};
use auth_static::{ApiKey, Basic, NoAuth, Placement};
use std::sync::Arc;

pub(crate) type Tokens = Arc<dyn TokenStore>;

/// What makes requests of one configuration authentic, made once for all of them.
pub(crate) struct Built {
    pub(crate) authenticator: Arc<dyn Authenticator>,
    pub(crate) connection: Option<Connection>,
    /// Tells the secrets that it was made with.
    pub(crate) secrets: KeyDigest,
}

/// The connection of an authorization under OAuth 2.0.
#[derive(Clone)]
pub(crate) enum Connection {
    ClientCredentials(OAuthConnection<ClientCredentials, Tokens>),
    AuthorizationCode(OAuthConnection<AuthorizationCode, Tokens>, RedirectionEndpoint),
}

/// What connections are made with.
pub(crate) struct Means<'a> {
    pub(crate) context: Context,
    pub(crate) tokens: &'a Tokens,
    pub(crate) pending: &'a Arc<dyn PendingAuthorizations>,
    pub(crate) hasher: &'a KeyHasher,
    pub(crate) id: &'a ConnectionId,
}

impl Built {
    /// Makes an authorization of its fields and the values that they have now.
    pub(crate) fn of(
        authorization: &OutboundAuthorization,
        resolved: &Resolved,
        means: &Means<'_>,
    ) -> Result<Self> {
        let context = &means.context;
        let mut connection = None;
        let authenticator: Arc<dyn Authenticator> = match &authorization.scheme {
            OutboundScheme::None => Arc::new(NoAuth),
            OutboundScheme::Basic(_) => {
                Arc::new(Basic::new(resolved.text("username")?, resolved.text("password")?)?)
            }
            OutboundScheme::Digest(fields) => Arc::new(digest(fields, resolved, context)?),
            OutboundScheme::AwsSignature(fields) => {
                let key =
                    AccessKey::new(resolved.text("access_key")?, resolved.secret("secret_key")?)?;
                let service = AwsService::named(&fields.service_name);
                Arc::new(SigV4::new(key, &fields.region, service, Arc::clone(&context.clock))?)
            }
            OutboundScheme::ApiKey(fields) => {
                if subscription::is_ours(&fields.key) {
                    let text = format!(
                        "key is {:?}, which the sender of the webhook writes; name another header field",
                        fields.key
                    );
                    return Err(Error::config("webhook_header", text));
                }
                let named = |field: &'static str| {
                    move |error: Error| {
                        Error::config(error.code(), format!("{field}: {}", error.cause()))
                    }
                };
                let placement = Placement::header(&fields.key).map_err(named("key"))?;
                let key = ApiKey::new(placement, resolved.text("key_value")?);
                Arc::new(key.map_err(named("key_value"))?)
            }
            OutboundScheme::OAuth2(fields) => {
                let made = Connection::of(oauth2_grant(fields, resolved)?, means);
                connection.insert(made).authenticator()
            }
        };
        Ok(Self { authenticator, connection, secrets: resolved.digest(means.hasher) })
    }
}

fn digest(fields: &DigestFields, resolved: &Resolved, context: &Context) -> Result<Digest> {
    let random = Arc::clone(&context.random);
    let digest = Digest::new(resolved.text("username")?, resolved.secret("password")?, random)?
        .with_observer(Arc::clone(&context.observer));
    let digest = match (&fields.realm, &fields.nonce) {
        (Some(realm), Some(nonce)) => digest.with_form(&preset(fields, realm, nonce)?)?,
        _ => match typed_without_nonce(fields) {
            Some(field) => {
                let text = format!(
                    "{field} is typed without realm and nonce; type those too, or leave it empty"
                );
                return Err(Error::config("webhook_digest_typed", text));
            }
            // The challenge says the rest.
            None => match &fields.qop {
                Some(typed) => digest.with_policy(ChallengePolicy::new().with_qop(qop(typed)?)),
                None => digest,
            },
        },
    };
    if fields.proving_first {
        return Ok(digest.proving_first(Arc::clone(&context.transport)));
    }
    Ok(digest)
}

/// A field of a challenge that says nothing without the nonce of that challenge.
fn typed_without_nonce(fields: &DigestFields) -> Option<&'static str> {
    [
        ("realm", &fields.realm),
        ("nonce", &fields.nonce),
        ("algorithm", &fields.algorithm),
        ("nonce_count", &fields.nonce_count),
        ("client_nonce", &fields.client_nonce),
        ("opaque", &fields.opaque),
    ]
    .into_iter()
    .find_map(|(name, typed)| typed.as_ref().map(|_| name))
}

fn preset<'a>(
    fields: &'a DigestFields,
    realm: &'a str,
    nonce: &'a str,
) -> Result<DigestPreset<'a>> {
    let mut preset = DigestPreset::new(realm, nonce);
    if let Some(typed) = &fields.algorithm {
        let known = DigestAlgorithm::named(typed.as_bytes());
        preset.algorithm = Some(known.ok_or_else(|| {
            unknown("algorithm", typed, "MD5, SHA-256 or SHA-512-256, or one of them with -sess")
        })?);
    }
    preset.qop = fields.qop.as_deref().map(qop).transpose()?;
    preset.nonce_count = fields.nonce_count.as_deref().map(NonceCount::typed).transpose()?;
    preset.client_nonce = fields.client_nonce.as_deref();
    preset.opaque = fields.opaque.as_deref();
    Ok(preset)
}

fn qop(typed: &str) -> Result<Qop> {
    Qop::named(typed.as_bytes()).ok_or_else(|| unknown("qop", typed, "auth or auth-int"))
}

fn unknown(field: &str, typed: &str, expected: &str) -> Error {
    Error::config("webhook_digest_typed", format!("{field} is {typed:?}, expected {expected}"))
}

impl Connection {
    fn of(grant: MadeGrant, means: &Means<'_>) -> Self {
        let Means { context, tokens, pending, hasher, id } = means;
        let (store, context) = (Arc::clone(tokens), context.clone());
        match grant {
            MadeGrant::ClientCredentials(grant) => {
                Self::ClientCredentials(OAuthConnection::new(grant, store, hasher, id, context))
            }
            MadeGrant::AuthorizationCode(grant) => {
                let waiting = Arc::clone(pending);
                let redirection = RedirectionEndpoint::new(
                    grant.clone(),
                    (*id).clone(),
                    waiting,
                    context.clone(),
                );
                let connection = OAuthConnection::new(grant, store, hasher, id, context);
                Self::AuthorizationCode(connection, redirection)
            }
        }
    }

    fn authenticator(&self) -> Arc<dyn Authenticator> {
        match self {
            Self::ClientCredentials(connection) => Arc::new(connection.clone()),
            Self::AuthorizationCode(connection, _) => Arc::new(connection.clone()),
        }
    }
}
