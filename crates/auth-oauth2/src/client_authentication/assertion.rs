//! JWTs that authenticate a client (RFC 7523 section 2.2, as RFC 10070 has it).

use crate::token_name::NameParts;
use auth_core::{Context, KeyHasher, Result};
use auth_jwt::{ClaimsToSign, SignedJwt, SigningKey};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use std::time::Duration;

/// Whom an assertion is for. It is one string, never a list (RFC 10070).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AssertionAudience {
    /// The authorization server, by its issuer identifier: what its metadata says.
    Issuer(Box<str>),
    /// The endpoint that the assertion is sent to, by its exact URL: for servers without metadata.
    Endpoint,
}

impl AssertionAudience {
    /// The authorization server with this issuer identifier.
    #[must_use]
    pub fn issuer(identifier: &str) -> Self {
        Self::Issuer(identifier.into())
    }
}

#[derive(Clone)]
pub(super) struct Assertion {
    claims: ClaimsToSign,
    key: SigningKey,
    audience: AssertionAudience,
}

impl Assertion {
    const LIFETIME: Duration = Duration::from_secs(60);
    const TOKEN_TYPE: &str = "client-authentication+jwt";

    pub(super) fn new(
        client_id: &str,
        key: SigningKey,
        audience: AssertionAudience,
    ) -> Result<Self> {
        let claims = ClaimsToSign::expiring_in(Self::LIFETIME)?.with_issuer(client_id);
        let claims = claims.with_subject(client_id).with_token_type(Self::TOKEN_TYPE);
        let claims = match &audience {
            AssertionAudience::Issuer(identifier) => claims.with_audience(identifier),
            AssertionAudience::Endpoint => claims,
        };
        Ok(Self { claims, key, audience })
    }

    /// The issuer that it is for, if it is for one.
    pub(super) fn issuer(&self) -> Option<&str> {
        match &self.audience {
            AssertionAudience::Issuer(identifier) => Some(identifier),
            AssertionAudience::Endpoint => None,
        }
    }

    pub(super) fn with_key_id(self, kid: &str) -> Result<Self> {
        Ok(Self { claims: self.claims.with_key_id(kid)?, ..self })
    }

    pub(super) fn without_token_type(self) -> Self {
        Self { claims: self.claims.with_token_type("JWT"), ..self }
    }

    pub(super) fn add_to_name(&self, name: &mut NameParts, hasher: &KeyHasher) {
        name.add(self.key.digest(hasher).as_bytes());
        name.add_or_none(match &self.audience {
            AssertionAudience::Issuer(identifier) => Some(identifier),
            AssertionAudience::Endpoint => None,
        });
    }

    /// One assertion more: its time and its identifier are its own.
    pub(super) fn sign(&self, endpoint: &str, context: &Context) -> Result<SignedJwt> {
        let mut id = [0; 16];
        context.random.fill(&mut id)?;
        let (id, now) = (URL_SAFE_NO_PAD.encode(id), context.clock.now());
        match self.audience {
            AssertionAudience::Issuer(_) => self.claims.sign(&self.key, now, Some(&id)),
            AssertionAudience::Endpoint => {
                self.claims.clone().with_audience(endpoint).sign(&self.key, now, Some(&id))
            }
        }
    }
}

/// `client_assertion_type` (RFC 7523 section 2.2).
pub(super) const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
