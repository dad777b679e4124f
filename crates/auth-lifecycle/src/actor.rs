//! Who gives a command, and what each role may do.

use crate::CommandName;
use auth_core::TenantId;
use std::{fmt, sync::Arc};

/// Who gives a command or asks for a view: a person, or a program, of one tenant.
///
/// The platform knows its users and makes the actor of whoever has logged in. Nothing of another tenant exists for an
/// actor: an identifier that belongs to another tenant gets the same answer as one that was never given.
///
/// ```
/// use auth_core::TenantId;
/// use auth_lifecycle::{Actor, Role};
/// let actor = Actor::new(TenantId::new("acme"), "alice@acme.example", Role::Owner);
/// # let _ = actor;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The tenant that the actor belongs to.
    pub tenant: TenantId,
    /// The name of the actor, as the audit has it.
    pub id: Arc<str>,
    /// What the actor may do.
    pub role: Role,
    permissions: Permissions,
}

/// What an actor may do with the credentials of its tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Everything.
    Owner,
    /// Everything.
    FullAccess,
    /// See the credentials, and reveal their secrets.
    LimitedAccess,
    /// See the credentials, with masks in place of secrets.
    ReadOnly,
    /// See the credentials and the audit.
    Auditor,
    /// The holder of a session, who may destroy that session. The [`id`](Actor::id) of this actor is the
    /// [`CredentialId`](crate::CredentialId) of the session.
    Bearer,
    /// The platform itself: what time does, and a secret that is hashed anew at its first use.
    System,
}

/// What no role includes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Permissions {
    break_glass: bool,
    acts_as_services: bool,
}

impl Actor {
    /// The actor of this name with this role.
    pub fn new(tenant: TenantId, id: impl Into<Arc<str>>, role: Role) -> Self {
        Self { tenant, id: id.into(), role, permissions: Permissions::default() }
    }

    /// Also allows to revoke the last lasting credential of a group, which locks its service out.
    #[must_use]
    pub const fn allowing_break_glass(mut self) -> Self {
        self.permissions.break_glass = true;
        self
    }

    /// Also allows to act as a service, without one of its credentials; each time is audited.
    #[must_use]
    pub const fn allowing_acting_as_services(mut self) -> Self {
        self.permissions.acts_as_services = true;
        self
    }

    /// May the actor revoke the last lasting credential of a group?
    #[must_use]
    pub const fn may_break_glass(&self) -> bool {
        self.permissions.break_glass
    }

    /// May the actor act as a service?
    #[must_use]
    pub const fn may_act_as_services(&self) -> bool {
        self.permissions.acts_as_services
    }
}

impl Role {
    /// May this role give this command?
    #[must_use]
    pub const fn may(self, command: CommandName) -> bool {
        match self {
            Self::Owner | Self::FullAccess => {
                !matches!(command, CommandName::RetireDue | CommandName::Rehash)
            }
            Self::LimitedAccess => matches!(command, CommandName::Reveal),
            Self::ReadOnly | Self::Auditor => false,
            Self::Bearer => matches!(command, CommandName::Destroy),
            Self::System => {
                matches!(
                    command,
                    CommandName::RetireDue | CommandName::ReportLeaked | CommandName::Rehash
                )
            }
        }
    }

    /// May this role see the credentials of its tenant, with masks in place of secrets?
    #[must_use]
    pub const fn may_list(self) -> bool {
        !matches!(self, Self::Bearer)
    }

    /// May this role read the audit?
    #[must_use]
    pub const fn may_audit(self) -> bool {
        matches!(self, Self::Owner | Self::FullAccess | Self::Auditor)
    }

    /// Every role.
    pub const ALL: [Self; 7] = [
        Self::Owner,
        Self::FullAccess,
        Self::LimitedAccess,
        Self::ReadOnly,
        Self::Auditor,
        Self::Bearer,
        Self::System,
    ];

    /// The role of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// Its name in events.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::FullAccess => "full_access",
            Self::LimitedAccess => "limited_access",
            Self::ReadOnly => "read_only",
            Self::Auditor => "auditor",
            Self::Bearer => "bearer",
            Self::System => "system",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owner_full_and_limited_access_reveal_and_nobody_else_does() {
        let reveals = [Role::Owner, Role::FullAccess, Role::LimitedAccess];
        for role in Role::ALL {
            assert_eq!(Role::from_name(role.name()), Some(role));
            assert_eq!(role.may(CommandName::Reveal), reveals.contains(&role), "{role}");
        }
    }

    #[test]
    fn a_permission_that_no_role_includes_is_given_by_name() {
        let owner = Actor::new(TenantId::new("acme"), "alice", Role::Owner);
        assert!(!owner.may_break_glass() && !owner.may_act_as_services());
        assert!(owner.clone().allowing_break_glass().may_break_glass());
        assert!(owner.allowing_acting_as_services().may_act_as_services());
    }
}
