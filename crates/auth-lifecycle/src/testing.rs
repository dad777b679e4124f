//! What tests of this crate begin with.

use crate::{
    Actor, Credential, CredentialId, EventName, Happening, Kept, Material, NewCredential, Role,
};
use auth_core::{KeyDigest, Scopes, TenantId, Timestamp};
use std::sync::Arc;

pub(crate) fn digest(of: &str) -> KeyDigest {
    let mut bytes = [0; 32];
    bytes.iter_mut().zip(of.bytes()).for_each(|(to, from)| *to = from);
    KeyDigest::from_bytes(bytes)
}

pub(crate) fn kept(of: &str) -> Kept {
    Kept { found_by: digest(of), fingerprint: digest(of), name: None, material: Material::Nothing }
}

pub(crate) fn new(id: &str) -> NewCredential {
    NewCredential {
        id: CredentialId::new(id),
        kept: kept(id),
        not_before: None,
        expires: None,
        scopes: Scopes::default(),
        allowed_addresses: None,
        label: Arc::from(""),
    }
}

pub(crate) fn owner() -> Actor {
    Actor::new(TenantId::new("acme"), "alice", Role::Owner)
}

/// An active credential that was created at this moment.
pub(crate) fn credential(id: &str, created: u64) -> Credential {
    new(id).into_credential(&owner(), Timestamp::from_unix(created), None)
}

pub(crate) fn happening(id: &str, name: EventName) -> Happening {
    Happening {
        tenant: TenantId::new("acme"),
        service: None,
        group: None,
        credential: Some(CredentialId::new(id)),
        name,
        at: Timestamp::from_unix(1000),
        actor: Arc::from("alice"),
        role: Role::Owner,
        cause: Arc::from(""),
        states: None,
        detail: String::new(),
        touched: Vec::new(),
    }
}
