//! Why nothing was done with a key.

use auth_core::Error;
use auth_lifecycle::CommandRefusal;
use std::time::Duration;

/// Why nothing was done with a key.
#[derive(Debug)]
pub(super) enum KeyRefusal {
    /// A member of the body is wrong.
    Invalid { property: &'static str, violation: String },
    /// The account has no such key.
    Unknown,
    /// The caller may not do it.
    Forbidden(&'static str),
    /// 40 keys were created in 24 hours.
    TooMany { retry_after: Duration },
    /// The platform itself failed.
    Failed(Error),
}

impl KeyRefusal {
    pub(super) fn invalid(property: &'static str, violation: impl Into<String>) -> Self {
        Self::Invalid { property, violation: violation.into() }
    }
}

impl From<Error> for KeyRefusal {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// The registry has other names for what the platform's API has.
impl From<CommandRefusal> for KeyRefusal {
    fn from(refusal: CommandRefusal) -> Self {
        match refusal {
            CommandRefusal::Unknown => Self::Unknown,
            CommandRefusal::CreationRate { retry_after } => Self::TooMany { retry_after },
            CommandRefusal::Expired => {
                Self::invalid("validTo", "the key has ended and cannot be changed any more")
            }
            CommandRefusal::Invalid { field, expected } => {
                let property = match field {
                    "label" => "name",
                    "scopes" => "scopeGuids",
                    "expires" => "validTo",
                    other => other,
                };
                Self::invalid(property, format!("expected {expected}"))
            }
            other => Self::invalid("enabled", other.to_string()),
        }
    }
}
