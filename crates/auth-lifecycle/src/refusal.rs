//! Why a command is refused, and what to do then.

use crate::{CommandName, Status};
use std::{error, fmt, time::Duration};

/// Why a command is refused. Nothing has changed then.
///
/// Each kind has a stable [code](Self::code), and its text says what to do next.
///
/// # Security
///
/// What belongs to another tenant is [`Unknown`](Self::Unknown), in the same bytes as what never was.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CommandRefusal {
    /// The actor's tenant has nothing of this name.
    Unknown,
    /// The actor's role does not include the command.
    Forbidden,
    /// The credential's status does not allow the command.
    WrongState {
        /// What the credential is now.
        status: Status,
    },
    /// Credentials of this kind have no such command.
    NotForKind {
        /// The command.
        command: CommandName,
    },
    /// The group is full.
    CapReached {
        /// How many credentials it may have.
        most: u16,
    },
    /// A session is alive, and there may be one only.
    SessionAlreadyActive,
    /// Too many credentials were created in 24 hours.
    CreationRate {
        /// When the next may be created.
        retry_after: Duration,
    },
    /// The command would leave too few lasting credentials.
    LastActive,
    /// The command would leave too few lasting credentials, since another one of the group is being rotated.
    LastBesideRotation,
    /// As many credentials are inactive as may be.
    InactiveSlotTaken {
        /// How many may be.
        most: u16,
    },
    /// The credential has ended.
    Expired,
    /// The command needs a fresh proof of who the actor is.
    StepUpRequired,
    /// The group has changed since the actor saw it.
    VersionChanged {
        /// Its version now.
        current: u64,
    },
    /// A credential of the group is being rotated already.
    RotationInProgress,
    /// The secret is not kept in a form that could be shown.
    NotRecoverable,
    /// A field of the command is wrong.
    Invalid {
        /// The field.
        field: &'static str,
        /// What was expected.
        expected: &'static str,
    },
    /// The secret, or the name that it is found by, belongs to a credential already, or did once.
    SecretTaken,
    /// The idempotency key came with another command before.
    IdempotencyKeyReused,
    /// What depends on a credential cannot use it.
    DependantStranded {
        /// The name of what depends on it.
        dependant: std::sync::Arc<str>,
        /// What the credential is now.
        status: Status,
    },
}

impl CommandRefusal {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "lifecycle_unknown",
            Self::Forbidden => "lifecycle_forbidden",
            Self::WrongState { .. } => "lifecycle_wrong_state",
            Self::NotForKind { .. } => "lifecycle_not_for_kind",
            Self::CapReached { .. } => "lifecycle_cap_reached",
            Self::SessionAlreadyActive => "lifecycle_session_already_active",
            Self::CreationRate { .. } => "lifecycle_creation_rate",
            Self::LastActive | Self::LastBesideRotation => "lifecycle_last_active",
            Self::InactiveSlotTaken { .. } => "lifecycle_inactive_slot_taken",
            Self::Expired => "lifecycle_expired",
            Self::StepUpRequired => "lifecycle_step_up_required",
            Self::VersionChanged { .. } => "lifecycle_version_changed",
            Self::RotationInProgress => "lifecycle_rotation_in_progress",
            Self::NotRecoverable => "lifecycle_not_recoverable",
            Self::Invalid { .. } => "lifecycle_invalid",
            Self::SecretTaken => "lifecycle_secret_taken",
            Self::IdempotencyKeyReused => "lifecycle_idempotency_key_reused",
            Self::DependantStranded { .. } => "lifecycle_dependant_stranded",
        }
    }

    /// The status of the HTTP answer that says so (RFC 9110 section 15.5): what the guide's table has.
    #[must_use]
    pub const fn http_status(&self) -> u16 {
        match self {
            Self::Unknown => 404,
            Self::Forbidden | Self::StepUpRequired => 403,
            Self::VersionChanged { .. } => 412,
            Self::Invalid { .. } | Self::IdempotencyKeyReused => 422,
            Self::CreationRate { .. } => 429,
            Self::WrongState { .. }
            | Self::NotForKind { .. }
            | Self::CapReached { .. }
            | Self::SessionAlreadyActive
            | Self::LastActive
            | Self::LastBesideRotation
            | Self::InactiveSlotTaken { .. }
            | Self::Expired
            | Self::RotationInProgress
            | Self::NotRecoverable
            | Self::SecretTaken
            | Self::DependantStranded { .. } => 409,
        }
    }

    /// How long to wait before the command is given again; `None` where waiting does not help.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::CreationRate { retry_after } => Some(*retry_after),
            _ => None,
        }
    }
}

impl fmt::Display for CommandRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("there is nothing of this name; check the identifier"),
            Self::Forbidden => {
                f.write_str("the actor's role does not include this command; ask an owner of the tenant")
            }
            Self::WrongState { status } => write!(
                f,
                "the credential is {status}, which this command does not allow; see which commands are permitted"
            ),
            Self::NotForKind { command } => {
                write!(f, "credentials of this kind have no command {command}; see which commands are permitted")
            }
            Self::CapReached { most } => {
                write!(f, "the group has {most} credentials, the most it may have; delete or revoke one first")
            }
            Self::SessionAlreadyActive => f.write_str(
                "a session is alive and there may be one only; destroy it first, or wait until it ends",
            ),
            Self::CreationRate { retry_after } => write!(
                f,
                "too many credentials were created in 24 hours; create the next in {} s",
                retry_after.as_secs()
            ),
            Self::LastActive => f.write_str(
                "too few lasting credentials would be left; create or reactivate another one first",
            ),
            Self::LastBesideRotation => f.write_str(
                "too few lasting credentials would be left, since another one is being retired; end its rotation with \
                 cancel_retire, or create or reactivate another one first",
            ),
            Self::InactiveSlotTaken { most: 0 } => {
                f.write_str("credentials of this group cannot be inactive; revoke it instead")
            }
            Self::InactiveSlotTaken { most } => {
                write!(f, "{most} credentials are inactive, the most there may be; delete or reactivate one first")
            }
            Self::Expired => f.write_str("the credential has ended; create another one"),
            Self::StepUpRequired => f.write_str(
                "the command needs a proof, not older than five minutes, that the actor gave its password for this \
                 command on this credential; ask for the password again",
            ),
            Self::VersionChanged { current } => write!(
                f,
                "the group has changed and has version {current} now; look at it again and repeat the command"
            ),
            Self::RotationInProgress => f.write_str(
                "a credential of the group is being rotated; wait until it is retired, or cancel that",
            ),
            Self::NotRecoverable => f.write_str(
                "the secret was shown once and cannot be shown again; regenerate or rotate the credential",
            ),
            Self::Invalid { field, expected } => write!(f, "{field} is wrong, expected {expected}"),
            Self::SecretTaken => {
                f.write_str("the secret belongs to a credential already, or did once; use another one")
            }
            Self::IdempotencyKeyReused => {
                f.write_str("the idempotency key came with another command before; use a new one")
            }
            Self::DependantStranded { dependant, status } => write!(
                f,
                "{dependant:?} uses a credential that is {status}; bind it to another one"
            ),
        }
    }
}

impl error::Error for CommandRefusal {}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Usable => "usable",
            Self::NotYet => "not yet usable",
            Self::Expired => "expired",
            Self::Retired => "retired",
            Self::Inactive => "inactive",
            Self::Revoked => "revoked",
            Self::Deleted => "deleted",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guide_has_the_code_and_the_status_of_every_refusal() {
        let guide = include_str!("../../../docs/guide/lifecycle.md");
        let (status, most, retry_after) = (Status::Inactive, 2, Duration::from_secs(60));
        let all = [
            CommandRefusal::Unknown,
            CommandRefusal::Forbidden,
            CommandRefusal::WrongState { status },
            CommandRefusal::NotForKind { command: CommandName::Rotate },
            CommandRefusal::CapReached { most },
            CommandRefusal::SessionAlreadyActive,
            CommandRefusal::CreationRate { retry_after },
            CommandRefusal::LastActive,
            CommandRefusal::InactiveSlotTaken { most },
            CommandRefusal::Expired,
            CommandRefusal::StepUpRequired,
            CommandRefusal::VersionChanged { current: 7 },
            CommandRefusal::RotationInProgress,
            CommandRefusal::NotRecoverable,
            CommandRefusal::Invalid { field: "label", expected: "text" },
            CommandRefusal::SecretTaken,
            CommandRefusal::IdempotencyKeyReused,
            CommandRefusal::DependantStranded { dependant: "scheduler".into(), status },
        ];
        // The other text of the same refusal: in a rotation there is one way out more.
        let rotating = CommandRefusal::LastBesideRotation;
        assert_eq!(
            (rotating.code(), rotating.http_status()),
            (CommandRefusal::LastActive.code(), CommandRefusal::LastActive.http_status())
        );
        assert!(rotating.to_string().contains("cancel_retire"));
        for refusal in &all {
            let row = format!("| `{}` | {} |", refusal.code(), refusal.http_status());
            assert!(guide.contains(&row), "{row}");
        }
        assert_eq!(guide.matches("\n| `lifecycle_").count(), all.len());
        assert_eq!(all.iter().filter_map(CommandRefusal::retry_after).count(), 1);
    }
}
