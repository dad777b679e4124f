//! The store as the cache reads it: what verifiers need of credentials, opened and parsed.

use super::{
    LedgerClock,
    known::{Known, KnownSet, Opened},
    look_up::RawSecret,
};
use crate::{
    Credential, EnvelopePlace, EnvelopeSealer, GroupId, Kind, LifecycleStore, Material, Sealed,
    cache::{Change, LogPage},
    cached_store::{Found, LoggedStore},
};
use auth_core::{Flow, KeyDigest, Result, Secret};
use std::sync::Arc;

pub(super) struct Source {
    pub(super) store: Arc<dyn LifecycleStore>,
    pub(super) sealer: EnvelopeSealer,
    pub(super) clock: Arc<LedgerClock>,
}

/// Entries of the ledger that are read at once.
const PAGE: usize = 1000;

impl LoggedStore for Source {
    type Value = KnownSet;

    fn find(&self, key: &KeyDigest) -> Flow<'static, Found<KnownSet>> {
        let (store, sealer, key) = (Arc::clone(&self.store), self.sealer.clone(), *key);
        Flow::new(async move {
            let found = store.find(&key).await?;
            let mut known = Vec::new();
            for (group, it) in &found.credentials {
                known.push(Known::new(group, it, open(&sealer, group, it).await?));
            }
            let value = KnownSet::new(known).map(Arc::new);
            Ok(Found { value, as_of: found.as_of })
        })
    }

    fn changes_since(&self, position: u64) -> Flow<'static, LogPage> {
        let store = Arc::clone(&self.store);
        Flow::new(async move {
            let page = store.changes_since(position, PAGE).await?;
            let change = |event: crate::LedgerEvent| Change {
                sequence: event.seq,
                keys: event.what.touched,
            };
            let changes = page.events.into_iter().map(change).collect();
            let reached = page.position;
            Ok(if reached < position {
                // The store is another one, or an older copy of itself.
                LogPage::Gone { reached }
            } else if page.is_last {
                LogPage::Last { changes, reached }
            } else {
                LogPage::Part { changes, reached }
            })
        })
    }

    /// It is where this process takes up the ledger, so the clock learns the moment that the ledger has reached.
    fn position(&self) -> Flow<'static, u64> {
        let (store, clock) = (Arc::clone(&self.store), Arc::clone(&self.clock));
        Flow::new(async move {
            let position = store.position().await?;
            if let Some(before) = position.checked_sub(1) {
                let last = store.changes_since(before, 1).await?;
                last.events.iter().for_each(|event| clock.learn(event.what.at));
            }
            Ok(position)
        })
    }
}

/// What a verifier computes with. A credential whose secret cannot be read is an error of ours, never a refusal.
async fn open(sealer: &EnvelopeSealer, group: &GroupId, it: &Credential) -> Result<Opened> {
    let secret = match &it.kept.material {
        Material::Sealed(bytes) if is_computed_with(group.kind) => {
            let parts = [group.service_text(), group.kind.name()];
            let (tenant, credential, generation) = (&group.tenant, it.id.as_str(), it.generation);
            let place =
                EnvelopePlace { tenant, group: &parts, credential, generation, purpose: "secret" };
            sealer.open(place, &Sealed::from_bytes(bytes)?).await?
        }
        Material::PasswordHash(hash) => Secret::new(hash.expose()),
        Material::Public(key) => Secret::new(&**key),
        Material::Sealed(_) | Material::Nothing => return Ok(Opened::Nothing),
    };
    let (kind, id, name) = (group.kind, &it.id, it.kept.name.as_ref());
    super::look_up::parse(&RawSecret { kind, id, name, secret: &secret })
}

/// Does a verifier compute with the sealed secret? A copy that may be revealed is opened for nobody else.
const fn is_computed_with(kind: Kind) -> bool {
    matches!(kind, Kind::ServiceJwtSecret | Kind::AppJwtSecret | Kind::DigestHa1 | Kind::SigV4Key)
}

#[cfg(any(feature = "jwt", feature = "digest", feature = "basic"))]
pub(super) fn not_text(id: &crate::CredentialId) -> auth_core::Error {
    let text = format!(
        "stored secret of credential {id} is no text: it was changed outside of this program"
    );
    auth_core::Error::config("lifecycle_stored_unreadable", text)
}
