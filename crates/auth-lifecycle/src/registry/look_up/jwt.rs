//! The keys of issuers of JWTs.

use super::{Kinds, Known, Opened, RawSecret};
use crate::{FoundBy, Kind, Registry, registry::source::not_text};
use auth_core::{Candidates, Flow, Lookup, Result};
use auth_jwt::{JwsAlgorithm, JwtKeys, KeyId, VerifyingKey};
use std::fmt;

/// The keys of the services that sign JWTs: the look-up of [`auth_jwt::JwtVerifier`].
///
/// The issuer is the name of the service ([`ServiceId`](crate::ServiceId)). All usable secrets of the service are found, so
/// a service rotates its secret without a `kid`; keys that have a `kid` are found by it alone.
#[derive(Clone)]
pub struct JwtIssuers {
    registry: Registry,
    kind: Kind,
}

impl Registry {
    /// The issuers whose keys are of this kind: [`Kind::ServiceJwtSecret`], [`Kind::AppJwtSecret`] or [`Kind::AppJwtKey`]; or
    /// the bots that sign for themselves with a [`Kind::BotPublicKey`], and are named by their `sub`.
    #[must_use]
    pub fn jwt_issuers(&self, kind: Kind) -> JwtIssuers {
        JwtIssuers { registry: self.clone(), kind }
    }
}

impl Lookup<KeyId> for JwtIssuers {
    type Found = JwtKeys<Known>;

    fn lookup(&self, id: &KeyId) -> Flow<'_, Option<Self::Found>> {
        let issuer = id.issuer.as_deref().unwrap_or_default();
        let names = &self.registry.0.hashers;
        let digest = match self.kind.row().found_by {
            FoundBy::KeyId => {
                names.name(self.kind, &[issuer, id.kid.as_deref().unwrap_or_default()])
            }
            _ => names.name(self.kind, &[issuer]),
        };
        self.registry.usable(digest, Kinds::of(&[self.kind])).map(|known| {
            let keys: Candidates<_, _> = known
                .into_iter()
                .filter_map(|known| match known.opened() {
                    Opened::Jwt(key) => Some(((**key).clone(), known)),
                    _ => None,
                })
                .collect();
            (!keys.is_empty()).then_some(keys)
        })
    }
}

pub(super) fn parse(raw: &RawSecret<'_>) -> Result<Opened> {
    let text = raw.secret.expose_text().ok_or_else(|| not_text(raw.id))?;
    let key = match raw.kind {
        Kind::AppJwtKey => VerifyingKey::from_pem(JwsAlgorithm::RS256, text)?,
        Kind::BotPublicKey => VerifyingKey::from_pem(JwsAlgorithm::RS512, text)?,
        _ => VerifyingKey::from_base64_secret(JwsAlgorithm::HS256, text)?,
    };
    Ok(Opened::Jwt(Box::new(key)))
}

impl fmt::Debug for JwtIssuers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JwtIssuers({})", self.kind)
    }
}
