//! The secrets of services that sign JWTs, by what stands in `iss`.

use auth_core::{Flow, KeyHasher, Lookup};
use auth_jwt::{JwtKeys, KeyId};
use auth_lifecycle::{JwtIssuers, Kind, Known, Registry, Tokens};

/// May `iss` be a service key in place of the Service ID?
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ServiceKeyAsIssuer {
    Refused,
    Allowed,
}

/// The look-up of service JWTs.
#[derive(Clone)]
pub(super) struct ServiceIssuers {
    issuers: JwtIssuers,
    /// How service keys are found, where one may stand for its service.
    keys: Option<(KeyHasher, Tokens)>,
}

impl ServiceIssuers {
    pub(super) fn new(registry: &Registry, key: ServiceKeyAsIssuer) -> Self {
        let keys = || (registry.token_hasher(), registry.tokens(&[Kind::ServiceKey]));
        Self {
            issuers: registry.jwt_issuers(Kind::ServiceJwtSecret),
            keys: (key == ServiceKeyAsIssuer::Allowed).then(keys),
        }
    }

    async fn of_key(
        &self,
        id: KeyId,
        (hasher, tokens): &(KeyHasher, Tokens),
    ) -> auth_core::Result<Option<JwtKeys<Known>>> {
        if let Some(found) = self.issuers.lookup(&id).await? {
            return Ok(Some(found));
        }
        let digest = hasher.hash(id.issuer.as_deref().unwrap_or_default().as_bytes());
        let found = tokens.lookup(&digest).await?;
        let known = found.and_then(|found| found.principal(0));
        let Some(service) = known.and_then(|known| known.caller().service.clone()) else {
            return Ok(None);
        };
        self.issuers.lookup(&KeyId { issuer: Some((&*service).into()), kid: id.kid }).await
    }
}

impl Lookup<KeyId> for ServiceIssuers {
    type Found = JwtKeys<Known>;

    fn lookup(&self, id: &KeyId) -> Flow<'_, Option<Self::Found>> {
        match &self.keys {
            None => self.issuers.lookup(id),
            Some(keys) => Flow::new(self.of_key(id.clone(), keys)),
        }
    }
}
