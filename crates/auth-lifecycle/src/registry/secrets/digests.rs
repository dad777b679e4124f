//! By what a secret is found, and told from all others.

use super::{parts_hash, plain::Plain};
use crate::{Kind, StorageClass, registry::Hashers};
use auth_core::{KeyDigest, Secret};

impl Hashers {
    /// What a token is found by, and what tells it from all others: that is a hash over its SHA-256, so that a token of
    /// which a former registry kept no more is the same one.
    pub(super) fn token(&self, plain: &Plain) -> Option<(KeyDigest, KeyDigest)> {
        match (plain.sha256, &plain.value) {
            (Some(hash), _) => {
                let digest = self.sha256_tokens.hash_sha256(&hash);
                Some((digest, digest))
            }
            (None, Some(value)) => {
                let value = value.expose();
                Some((self.tokens.hash(value), self.sha256_tokens.hash(value)))
            }
            (None, None) => None,
        }
    }

    /// What tells a secret that is not found by itself from all others.
    pub(super) fn fingerprint(
        &self,
        storage: StorageClass,
        about: &[u8],
        value: &[u8],
    ) -> KeyDigest {
        parts_hash(&self.fingerprints, &[storage.name(), about, value])
    }

    /// Every fingerprint that a secret can have whose name nobody knows: as a token, and as what JWTs or webhooks are signed
    /// with.
    pub(in crate::registry) fn fingerprints_of(&self, secret: &Secret) -> [KeyDigest; 2] {
        let value = secret.expose();
        [self.sha256_tokens.hash(value), self.fingerprint(StorageClass::Sealed, b"", value)]
    }

    /// What a name is found by, among those of its kind.
    pub(in crate::registry) fn name(&self, kind: Kind, parts: &[&str]) -> KeyDigest {
        let parts = parts.iter().map(|part| part.as_bytes());
        let parts: Vec<_> = [kind.name().as_bytes()].into_iter().chain(parts).collect();
        parts_hash(&self.names, &parts)
    }
}
