//! Each command as a screen would give it, to see whether it is permitted.

use super::Snapshot;
use crate::{
    Actor, Command, CommandName, CredentialId, Kept, Material, NewCredential, Order, RevokeGuard,
    Role, StepUp, Update,
};
use auth_core::{KeyDigest, Scopes, Timestamp};
use std::{sync::Arc, time::Duration};

/// Every command on this credential, given by an owner that has just proved its password.
pub(super) fn commands(
    snapshot: &Snapshot,
    credential: &CredentialId,
    now: Timestamp,
) -> Vec<Order> {
    let tenant = snapshot.group.id.tenant.clone();
    let actor = Actor::new(tenant, "", Role::Owner);
    let (confirmed, id) = (snapshot.group.version, || credential.clone());
    let at = now.max(snapshot.group.latest);
    let proof =
        |command| StepUp { actor: Arc::clone(&actor.id), credential: id(), command, at: now };
    let dependant: Arc<str> = Arc::from("a dependant");
    let commands = [
        Command::Discard { credential: id(), confirmed },
        Command::Reactivate(id()),
        Command::Delete { credential: id(), confirmed, proof: Some(proof(CommandName::Delete)) },
        Command::Regenerate { credential: id(), kept: nothing() },
        Command::Rotate {
            credential: id(),
            overlap: Duration::MAX,
            new: Box::new(new(snapshot, at)),
        },
        Command::CancelRetire(id()),
        Command::Revoke { credential: id(), guard: RevokeGuard::KeepLast },
        Command::Reveal(id()),
        Command::Update { credential: id(), update: Box::new(Update::default()) },
        Command::Destroy(id()),
        Command::ReportLeaked(id()),
        Command::Bind { credential: id(), dependant: Arc::clone(&dependant) },
        Command::Unbind { credential: id(), dependant },
    ];
    commands.into_iter().map(|command| Order::new(actor.clone(), command)).collect()
}

fn new(snapshot: &Snapshot, now: Timestamp) -> NewCredential {
    let longest = snapshot.policy.lifetime.or(snapshot.policy.longest_lifetime);
    NewCredential {
        id: CredentialId::new(""),
        kept: nothing(),
        not_before: None,
        expires: longest.map(|life| now.after(life)),
        scopes: Scopes::default(),
        allowed_addresses: None,
        label: Arc::from(""),
    }
}

fn nothing() -> Kept {
    let nothing = KeyDigest::from_bytes([0; 32]);
    Kept { found_by: nothing, fingerprint: nothing, name: None, material: Material::Nothing }
}
