//! What people see of credentials, which is never a secret.

use super::{Issued, Registry};
use crate::{
    CommandName, CommandRefusal, Credential, CredentialId, FoundBy, Group, GroupId, Service,
    Snapshot, State, Status, Use,
    decide::{Tally, permitted_on},
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
    /// The version of its group, which a command may [expect](crate::Commands::expecting) and a discard or a deletion
    /// confirms.
    pub group_version: u64,
    /// What stands for its secret, or the public name that belongs to it: `sk_live_....x7Qb`, a user name. Where there is
    /// neither, the last four characters of its [`id`](Self::id): `....9f3a`, or `imported ....9f3a` of a token that was
    /// brought along in another form than the registry's.
    ///
    /// # Security
    ///
    /// No part of a secret is shown, and not the end of a token in a foreign form either: nobody here knows which part of it
    /// can be guessed.
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
        Self::among(snapshot, Tally::of(snapshot, now), it, now)
    }

    /// Of a group whose counts are known already.
    fn among(snapshot: &Snapshot, tally: Tally, it: &Credential, now: Timestamp) -> Self {
        Self {
            id: it.id.clone(),
            group: snapshot.group.id.clone(),
            group_version: snapshot.group.version,
            mask: mask(snapshot, it),
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
            permitted: permitted_on(snapshot, tally, it, now),
        }
    }
}

/// What stands for the secret: the name that belongs to it, or that nothing of it may be shown, and the end of the
/// credential's own name, so that two of them are told apart.
fn mask(snapshot: &Snapshot, it: &Credential) -> Arc<str> {
    if let Some(name) = &it.kept.name {
        return Arc::clone(name);
    }
    let id = it.id.as_str();
    let end = id.char_indices().rev().nth(3).and_then(|(at, _)| id.get(at..)).unwrap_or(id);
    let imported =
        if snapshot.group.id.kind.row().found_by == FoundBy::Token { "imported " } else { "" };
    format!("{imported}....{end}").into()
}

impl GroupView {
    pub(super) fn of(snapshot: &Snapshot, now: Timestamp) -> Self {
        let tally = Tally::of(snapshot, now);
        let view = |it| CredentialView::among(snapshot, tally, it, now);
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
