//! The access keys of AWS Signature Version 4.

use super::{Kinds, Known, Opened, RawSecret};
use crate::{Kind, Registry};
use auth_core::{Candidates, Flow, Lookup, Result, Secret};
use auth_sigv4::{AccessKey, AccessKeyRecord, CredentialScope, DerivedKeys, ScopedKeyId};
use std::{fmt, sync::Arc};

/// The access keys of a registry: the look-up of [`auth_sigv4::SigV4Verifier`].
#[derive(Clone)]
pub struct SigV4Keys {
    registry: Registry,
    /// Derived where the id is unknown, so that it costs the same.
    decoy: Arc<DerivedKeys>,
}

impl Registry {
    /// The access keys of AWS Signature Version 4.
    #[must_use]
    pub fn sigv4_keys(&self) -> SigV4Keys {
        SigV4Keys { registry: self.clone(), decoy: Arc::new(DerivedKeys::decoy()) }
    }
}

impl<'k> Lookup<ScopedKeyId<'k>> for SigV4Keys {
    type Found = Candidates<AccessKeyRecord, Known>;

    fn lookup(&self, id: &ScopedKeyId<'k>) -> Flow<'_, Option<Self::Found>> {
        let digest = self.registry.0.hashers.name(Kind::SigV4Key, &[id.id]);
        let CredentialScope { day, region, service, .. } = id.scope;
        let scope = [day, region, service].map(String::from);
        self.registry.usable(digest, Kinds::of(&[Kind::SigV4Key])).map(move |known| {
            let [day, region, service] = &scope;
            let scope = CredentialScope::new(day, region, service);
            let keys: Candidates<_, _> = known
                .into_iter()
                .filter_map(|known| match known.opened() {
                    Opened::AccessKey(keys) => {
                        Some((AccessKeyRecord::new(keys.derive(scope)), known))
                    }
                    _ => None,
                })
                .collect();
            if keys.is_empty() {
                let _ = std::hint::black_box(self.decoy.derive(scope));
                return None;
            }
            Some(keys)
        })
    }
}

pub(super) fn parse(raw: &RawSecret<'_>) -> Result<Opened> {
    let id = raw.name.map(|name| &**name).unwrap_or_default();
    let key = AccessKey::new(id, Secret::new(raw.secret.expose()))?;
    Ok(Opened::AccessKey(Box::new(DerivedKeys::new(key))))
}

impl fmt::Debug for SigV4Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigV4Keys(..)")
    }
}
