//! What can be done with the credentials of a group.

mod name;
mod step_up;

pub use name::CommandName;
pub use step_up::StepUp;

use crate::{Actor, Credential, CredentialId, Kept, Material};
use auth_core::{Scopes, Timestamp};
use auth_net::AddressList;
use std::{sync::Arc, time::Duration};

/// A command, and the actor that gives it.
#[derive(Clone, Debug)]
pub struct Order {
    /// Who gives the command.
    pub actor: Actor,
    /// What is to be done.
    pub command: Command,
    /// The command is refused unless the group still has this version; `None` to take the group as it is.
    pub expected_version: Option<u64>,
    /// Why, in the actor's words, for the audit; empty if the actor does not say.
    pub cause: Arc<str>,
}

/// What is to be done with the credentials of one group.
///
/// Secrets are made before: a command carries what is [kept](Kept) of them, and the decision over it is pure.
#[derive(Clone, Debug)]
pub enum Command {
    /// A new credential.
    Create {
        /// What is created.
        new: Box<NewCredential>,
        /// What becomes of the session that is alive, where there may be one only.
        live: LiveSession,
    },
    /// A credential that callers have already, from the platform's former registry. Imports are not counted as creations.
    Import(Box<NewCredential>),
    /// Makes an active credential inactive. It can be reactivated.
    Discard {
        /// The credential.
        credential: CredentialId,
        /// The version of the dry run that the actor has seen and confirms.
        confirmed: u64,
    },
    /// Makes an inactive credential active.
    Reactivate(CredentialId),
    /// Deletes an inactive or revoked credential. Only its name is left.
    Delete {
        /// The credential.
        credential: CredentialId,
        /// The version of the dry run that the actor has seen and confirms.
        confirmed: u64,
        /// That the actor has proved anew who it is.
        proof: Option<StepUp>,
    },
    /// Replaces the secret of a credential. The old secret ends at once.
    Regenerate {
        /// The credential.
        credential: CredentialId,
        /// The new secret.
        kept: Kept,
    },
    /// Creates a successor; the credential itself is retired after the overlap, whether or not the successor is used.
    Rotate {
        /// The credential that is to be retired.
        credential: CredentialId,
        /// How long both are good, at most.
        overlap: Duration,
        /// The successor. The label, the scopes and the addresses that it is not given it has from the credential.
        new: Box<NewCredential>,
    },
    /// Ends a rotation without retiring the old credential.
    CancelRetire(CredentialId),
    /// What time does: credentials expire and are retired, owners are told what is due.
    RetireDue,
    /// Ends a credential for good.
    Revoke {
        /// The credential.
        credential: CredentialId,
        /// What holds it back.
        guard: RevokeGuard,
    },
    /// Shows the secret again.
    Reveal(CredentialId),
    /// Changes what a credential may be used for.
    Update {
        /// The credential.
        credential: CredentialId,
        /// What is changed.
        update: Box<Update>,
    },
    /// Ends a session.
    Destroy(CredentialId),
    /// Says that the secret of a credential is known to strangers.
    ReportLeaked(CredentialId),
    /// Notes that a scheduler or a webhook uses the credential, and no other of the group any more.
    Bind {
        /// The credential.
        credential: CredentialId,
        /// The name of what uses it.
        dependant: Arc<str>,
    },
    /// Notes that it no longer does.
    Unbind {
        /// The credential.
        credential: CredentialId,
        /// The name of what used it.
        dependant: Arc<str>,
    },
    /// Keeps an imported password under the registry's own hash: when its owner has used it, the password is at hand.
    Rehash {
        /// The credential.
        credential: CredentialId,
        /// The generation whose password was checked.
        generation: u64,
        /// The new hash.
        material: Material,
    },
}

/// What becomes of the session that is alive when another is created, where there may be one only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LiveSession {
    /// The creation is refused.
    Keep,
    /// It ends in the same step: for a user that has lost its token and has proved its password.
    Replace,
}

/// What holds a revocation back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevokeGuard {
    /// The last lasting credential of a group is not revoked.
    KeepLast,
    /// Nothing: its service is locked out. The actor needs the permission to break glass.
    BreakGlass,
}

/// A credential to be created.
#[derive(Clone, Debug)]
pub struct NewCredential {
    /// Its name, made by the registry.
    pub id: CredentialId,
    /// What is kept of its secret.
    pub kept: Kept,
    /// It is good from this moment on; `None` at once.
    pub not_before: Option<Timestamp>,
    /// It is good strictly before this moment; `None` for the lifetime of the policy.
    pub expires: Option<Timestamp>,
    /// What it may be used for.
    pub scopes: Scopes,
    /// From where it may be used; `None` from everywhere.
    pub allowed_addresses: Option<AddressList>,
    /// What people call it.
    pub label: Arc<str>,
}

/// What an update changes.
#[derive(Clone, Debug, Default)]
pub struct Update {
    /// What people call it.
    pub label: Option<Arc<str>>,
    /// What it may be used for.
    pub scopes: Option<Scopes>,
    /// From where it may be used. Cleared, it may be used from everywhere.
    pub allowed_addresses: FieldChange<AddressList>,
    /// Its end. Cleared, only a command ends it.
    pub expires: FieldChange<Timestamp>,
}

/// What becomes of a value that may be absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum FieldChange<T> {
    /// It stays as it is.
    #[default]
    Keep,
    /// It is removed.
    Clear,
    /// It is this from now on.
    Set(T),
}

impl Order {
    /// This command of this actor, over the group as it is.
    pub fn new(actor: Actor, command: Command) -> Self {
        Self { actor, command, expected_version: None, cause: Arc::from("") }
    }
}

impl Command {
    /// The name of the command.
    #[must_use]
    pub const fn name(&self) -> CommandName {
        match self {
            Self::Create { live, .. } => live.command(),
            Self::Import(_) => CommandName::Import,
            Self::Discard { .. } => CommandName::Discard,
            Self::Reactivate(_) => CommandName::Reactivate,
            Self::Delete { .. } => CommandName::Delete,
            Self::Regenerate { .. } => CommandName::Regenerate,
            Self::Rotate { .. } => CommandName::Rotate,
            Self::CancelRetire(_) => CommandName::CancelRetire,
            Self::RetireDue => CommandName::RetireDue,
            Self::Revoke { .. } => CommandName::Revoke,
            Self::Reveal(_) => CommandName::Reveal,
            Self::Update { .. } => CommandName::Update,
            Self::Destroy(_) => CommandName::Destroy,
            Self::ReportLeaked(_) => CommandName::ReportLeaked,
            Self::Bind { .. } => CommandName::Bind,
            Self::Unbind { .. } => CommandName::Unbind,
            Self::Rehash { .. } => CommandName::Rehash,
        }
    }

    /// The credential that the command is about; `None` for a new one, and for what time does to a whole group.
    #[must_use]
    pub const fn credential(&self) -> Option<&CredentialId> {
        match self {
            Self::Create { .. } | Self::Import(_) | Self::RetireDue => None,
            Self::Reactivate(credential)
            | Self::CancelRetire(credential)
            | Self::Reveal(credential)
            | Self::Destroy(credential)
            | Self::ReportLeaked(credential)
            | Self::Discard { credential, .. }
            | Self::Delete { credential, .. }
            | Self::Regenerate { credential, .. }
            | Self::Rotate { credential, .. }
            | Self::Revoke { credential, .. }
            | Self::Update { credential, .. }
            | Self::Bind { credential, .. }
            | Self::Unbind { credential, .. }
            | Self::Rehash { credential, .. } => Some(credential),
        }
    }
}

impl<T: Clone> FieldChange<T> {
    pub(crate) fn apply(&self, to: &mut Option<T>) {
        match self {
            Self::Keep => {}
            Self::Clear => *to = None,
            Self::Set(value) => *to = Some(value.clone()),
        }
    }
}

impl NewCredential {
    /// The credential, made by this actor at this moment.
    pub(crate) fn into_credential(
        self,
        by: &Actor,
        now: Timestamp,
        idle: Option<Duration>,
    ) -> Credential {
        Credential {
            id: self.id,
            state: crate::State::Active,
            generation: 1,
            created: now,
            secret_since: now,
            created_by: Arc::clone(&by.id),
            not_before: self.not_before,
            expires: self.expires,
            retire_at: None,
            idle_timeout: idle.map(|span| span.saturating_add(crate::GroupPolicy::USE_GRAIN)),
            last_used: None,
            ended: false,
            notices_told: 0,
            rotation_told: false,
            scopes: self.scopes,
            allowed_addresses: self.allowed_addresses,
            label: self.label,
            dependants: Vec::new(),
            kept: self.kept,
        }
    }
}
