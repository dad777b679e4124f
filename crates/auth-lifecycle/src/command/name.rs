//! The names of commands.

#[cfg(doc)]
use super::Command;
use super::LiveSession;
use std::fmt;

/// A command without what it is about: what roles, step-up proofs and screens speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CommandName {
    /// [`Command::Create`].
    Create,
    /// [`Command::Create`] with [`LiveSession::Replace`].
    ReplaceSession,
    /// [`Command::Import`].
    Import,
    /// [`Command::Discard`].
    Discard,
    /// [`Command::Reactivate`].
    Reactivate,
    /// [`Command::Delete`].
    Delete,
    /// [`Command::Regenerate`].
    Regenerate,
    /// [`Command::Rotate`].
    Rotate,
    /// [`Command::CancelRetire`].
    CancelRetire,
    /// [`Command::RetireDue`].
    RetireDue,
    /// [`Command::Revoke`].
    Revoke,
    /// [`Command::Reveal`].
    Reveal,
    /// [`Command::Update`].
    Update,
    /// [`Command::Destroy`].
    Destroy,
    /// [`Command::ReportLeaked`].
    ReportLeaked,
    /// [`Command::Bind`].
    Bind,
    /// [`Command::Unbind`].
    Unbind,
    /// [`Command::Rehash`].
    Rehash,
}

impl CommandName {
    /// Its name in events and proofs, which never changes.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::ReplaceSession => "replace_session",
            Self::Import => "import",
            Self::Discard => "discard",
            Self::Reactivate => "reactivate",
            Self::Delete => "delete",
            Self::Regenerate => "regenerate",
            Self::Rotate => "rotate",
            Self::CancelRetire => "cancel_retire",
            Self::RetireDue => "retire_due",
            Self::Revoke => "revoke",
            Self::Reveal => "reveal",
            Self::Update => "update",
            Self::Destroy => "destroy",
            Self::ReportLeaked => "report_leaked",
            Self::Bind => "bind",
            Self::Unbind => "unbind",
            Self::Rehash => "rehash",
        }
    }
}

impl LiveSession {
    /// The command that creates a session and leaves the one that is alive like this.
    pub(super) const fn command(self) -> CommandName {
        match self {
            Self::Keep => CommandName::Create,
            Self::Replace => CommandName::ReplaceSession,
        }
    }
}

impl fmt::Display for CommandName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
