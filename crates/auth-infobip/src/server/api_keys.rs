//! API keys over a registry: created, listed, seen, updated. Nothing deletes one: to revoke it is to disable it.

mod endpoint;
mod fields;
mod refusal;
mod view;

pub use endpoint::ApiKeyEndpoint;

use super::{
    InfobipPlatform,
    accounts::{YEAR, key_text},
};
use auth_core::{Caller, Secret};
use auth_lifecycle::{
    Actor, Commands, CredentialId, CredentialView, FieldChange, Issued, Kind, NewSecret, Role,
    ServiceId, State, Update, Wanted,
};
use fields::{KeyFields, KeyFilter, NewKey};
use refusal::KeyRefusal;
use std::sync::Arc;
use view::{KeyPage, KeyView};

/// The API keys of all accounts, as users with the scope for it manage those of their own.
struct ApiKeys {
    platform: InfobipPlatform,
}

/// A group may change between a look at it and a command.
const MOST_ATTEMPTS: usize = 20;

impl ApiKeys {
    /// A new key, and its secret, which is shown this once: the platform does not say whether it shows it again.
    async fn create(&self, caller: &Caller, fields: KeyFields) -> Result<KeyView, KeyRefusal> {
        let now = self.platform.clock.now();
        let NewKey { name, given, from } = fields.new_key(caller, now)?;
        let secret = key_text(&*self.platform.random)?;
        let wanted = Wanted {
            secret: NewSecret::Given(Secret::new(secret.expose())),
            label: name,
            not_before: from,
            expires: Some(given.until.unwrap_or(now.after(YEAR))),
            scopes: given.scopes(caller.scopes.iter()),
            allowed_addresses: given.addresses.flatten(),
        };
        let service = self.service(caller).await?;
        let made = self.by(caller).create(Some(&service), Kind::ApiKey, wanted).await??;
        let Issued { credential, .. } = made;
        Ok(KeyView::of(&credential).with_secret(&secret))
    }

    /// The keys that the filter leaves, one page of them, the oldest first.
    async fn list(&self, caller: &Caller, filter: &KeyFilter) -> Result<KeyPage, KeyRefusal> {
        let service = self.service(caller).await?;
        let groups = self.by(caller).list(Some(&service)).await??;
        let keys = groups.iter().filter(|group| group.id.kind == Kind::ApiKey);
        let all: Vec<_> = keys.flat_map(|group| &group.credentials).map(KeyView::of).collect();
        Ok(KeyPage::of(all, filter))
    }

    async fn see(&self, caller: &Caller, id: &str) -> Result<KeyView, KeyRefusal> {
        let seen = self.find(&self.by(caller), &CredentialId::new(id)).await?;
        Ok(KeyView::of(&seen))
    }

    /// What the update does not name stays as it is.
    async fn update(
        &self,
        caller: &Caller,
        id: &str,
        fields: KeyFields,
    ) -> Result<KeyView, KeyRefusal> {
        let (by, id) = (self.by(caller), CredentialId::new(id));
        let mut seen = self.find(&by, &id).await?;
        let (enabled, label) = (fields.enabled, fields.name.as_deref().map(Arc::from));
        let given = fields.changes(caller, &seen)?;
        let update = Update {
            label: label.filter(|label: &Arc<str>| *label != seen.label),
            scopes: given.changes_scopes().then(|| given.scopes(seen.scopes.iter())),
            allowed_addresses: match given.addresses {
                None => FieldChange::Keep,
                Some(None) => FieldChange::Clear,
                Some(Some(addresses)) => FieldChange::Set(addresses),
            },
            expires: given.until.map_or(FieldChange::Keep, FieldChange::Set),
        };
        // A key that has ended can still be disabled, and nothing else.
        if !is_empty(&update) {
            seen = by.update(&id, update).await??;
        }
        match enabled {
            Some(true) if seen.state == State::Inactive => seen = by.reactivate(&id).await??,
            Some(false) => seen = self.disable(&by, &id).await?,
            _ => {}
        }
        Ok(KeyView::of(&seen))
    }

    async fn disable(
        &self,
        by: &Commands,
        id: &CredentialId,
    ) -> Result<CredentialView, KeyRefusal> {
        let mut attempts = 0;
        loop {
            let seen = self.find(by, id).await?;
            if seen.state != State::Active {
                return Ok(seen);
            }
            match by.discard(id, seen.group_version).await? {
                Ok(seen) => return Ok(seen),
                Err(_) if attempts < MOST_ATTEMPTS => attempts += 1,
                Err(refusal) => return Err(refusal.into()),
            }
        }
    }

    /// A key of the account: no other credential has an API.
    async fn find(&self, by: &Commands, id: &CredentialId) -> Result<CredentialView, KeyRefusal> {
        let seen = by.credential(id).await??;
        let is_key = seen.group.kind == Kind::ApiKey;
        if is_key { Ok(seen) } else { Err(KeyRefusal::Unknown) }
    }

    async fn service(&self, caller: &Caller) -> Result<ServiceId, KeyRefusal> {
        Ok(self.platform.known_keys_of(&caller.tenant).await?)
    }

    fn by(&self, caller: &Caller) -> Commands {
        let name = caller.service.as_ref().unwrap_or(&caller.credential);
        let actor = Actor::new(caller.tenant.clone(), Arc::clone(name), Role::FullAccess);
        self.platform.registry.by(&actor)
    }
}

fn is_empty(update: &Update) -> bool {
    let Update { label, scopes, allowed_addresses, expires } = update;
    let keeps = *allowed_addresses == FieldChange::Keep && *expires == FieldChange::Keep;
    label.is_none() && scopes.is_none() && keeps
}
