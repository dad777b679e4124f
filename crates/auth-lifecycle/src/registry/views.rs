//! What people see of credentials, which is never a secret.

use super::{Issued, Registry};
use crate::{
    CommandName, CommandRefusal, Credential, CredentialId, Group, GroupId, Service, Snapshot,
    State, Status, Use, permitted,
};
use auth_core::{Scopes, Timestamp};
use auth_net::AddressList;
use std::sync::Arc;

/// A credential as a list shows it: everything but the secret.
#[derive(Clone, Debug, PartialEq)]
pub struct CredentialView {
    /// Its name, for commands.
    pub id: CredentialId,
    /// Its group.
    pub group: GroupId,
    /// What stands for its secret, or the public name that belongs to it: `sk_live_....x7Qb`, a user name.
    pub mask: Arc<str>,
    /// What commands made of it.
    pub state: State,
    /// What it is now.
    pub status: Status,
    /// Grows by one when its secret is replaced.
    pub generation: u64,
    /// What people call it.
    pub label: Arc<str>,
    /// When it was made.
    pub created: Timestamp,
    /// The actor that made it.
    pub created_by: Arc<str>,
    /// It is good from this moment on.
    pub not_before: Option<Timestamp>,
    /// It is good strictly before this moment.
    pub expires: Option<Timestamp>,
    /// It will be retired at this moment, at which the overlap of its rotation is over.
    pub retire_at: Option<Timestamp>,
    /// When its policy wants it rotated.
    pub rotation_due_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub last_used: Option<Timestamp>,
    /// What it may be used for.
    pub scopes: Scopes,
    /// From where it may be used.
    pub allowed_addresses: Option<AddressList>,
    /// What depends on it.
    pub dependants: Vec<Arc<str>>,
    /// The commands that would not be refused now: what a screen enables.
    pub permitted: Vec<CommandName>,
}

/// A group as a list shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupView {
    /// The group.
    pub id: GroupId,
    /// Its version, which a command may [expect](crate::Commands::expecting).
    pub version: u64,
    /// Its credentials, in the order of their creation.
    pub credentials: Vec<CredentialView>,
}

/// What a discard or a deletion would do.
#[derive(Clone, Debug, PartialEq)]
pub struct DryRun {
    /// The version that the actor has seen, which the command confirms.
    pub version: u64,
    /// The credential.
    pub credential: CredentialView,
    /// Its last uses, the latest first, one of each source.
    pub uses: Vec<Use>,
    /// What depends on it, and fails until it is bound to another credential.
    pub dependants: Vec<Arc<str>>,
    /// Why the discard would be refused now; `None` if it would not.
    pub refused: Option<CommandRefusal>,
}

/// A service that was made, with its first credentials.
#[derive(Debug)]
pub struct NewService {
    /// The service.
    pub service: Service,
    /// Its first service key.
    pub key: Issued,
    /// Its first JWT secret.
    pub jwt: Issued,
}

impl CredentialView {
    pub(super) fn of(snapshot: &Snapshot, it: &Credential, now: Timestamp) -> Self {
        let mask = it.kept.name.clone().unwrap_or_else(|| Arc::from("........"));
        Self {
            id: it.id.clone(),
            group: snapshot.group.id.clone(),
            mask,
            state: it.state,
            status: it.status(now),
            generation: it.generation,
            label: Arc::clone(&it.label),
            created: it.created,
            created_by: Arc::clone(&it.created_by),
            not_before: it.not_before,
            expires: it.expires,
            retire_at: it.retire_at,
            rotation_due_at: it.rotation_due_at(&snapshot.policy),
            last_used: it.last_used,
            scopes: it.scopes.clone(),
            allowed_addresses: it.allowed_addresses.clone(),
            dependants: it.dependants.clone(),
            permitted: permitted(snapshot, &it.id, now),
        }
    }
}

impl GroupView {
    pub(super) fn of(snapshot: &Snapshot, now: Timestamp) -> Self {
        let view = |it| CredentialView::of(snapshot, it, now);
        let Group { id, version, credentials, .. } = &snapshot.group;
        Self {
            id: id.clone(),
            version: *version,
            credentials: credentials.iter().map(view).collect(),
        }
    }
}

impl Registry {
    pub(super) async fn snapshot(&self, id: &GroupId) -> auth_core::Result<Snapshot> {
        let group = self.0.store.load(id).await?;
        Ok(Snapshot { policy: self.policy(id.kind), group })
    }
}
