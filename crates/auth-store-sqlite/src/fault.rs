//! What can go wrong in the database, told apart by what became of the change.

use auth_core::Error;
use rusqlite::{ErrorCode, ffi::SQLITE_IOERR_SHMSIZE};
use std::{path::Path, time::Duration};

/// Why a read or a change has no result.
///
/// After every fault but [`CommitUnknown`](Self::CommitUnknown) nothing was changed.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// Other processes kept the database locked for longer than is waited for.
    Busy(String),
    /// As many calls wait as may.
    QueueFull,
    /// The disk, or the quota of the user, is full.
    DiskFull(String),
    /// The file or its file system cannot be written.
    ReadOnly(String),
    /// The operating system failed to read or write the file.
    Io(String),
    /// The file is damaged, or is no database.
    Corrupt(String),
    /// A newer program has changed the schema.
    SchemaNewer(i64),
    /// The file is no longer at its path: it was removed, or another was put there.
    Replaced,
    /// The work panicked. The work of others went on.
    Panicked,
    /// The commit was begun and it is not known whether it will be found after the next start.
    CommitUnknown(String),
    /// SQLite refuses a statement of ours.
    Statement(String),
    /// The work itself ended with this error.
    Own(Error),
}

/// How long a caller is asked to wait when other callers are in the way.
const PATIENCE: Duration = Duration::from_secs(1);

impl Fault {
    /// That of a COMMIT, which may have reached the disk before it failed: the next start then finds it.
    pub(crate) fn of_commit(error: &rusqlite::Error) -> Self {
        Self::CommitUnknown(error.to_string())
    }

    /// As the caller of a store is told it, with the file that it is about.
    pub(crate) fn into_error(self, path: &Path) -> Error {
        let at = path.display();
        let soon = Some(PATIENCE);
        match self {
            Self::Busy(text) => {
                let text = format!("{at} stayed locked by other processes ({text}); try again");
                Error::unavailable("sqlite_busy", soon, text)
            }
            Self::QueueFull => {
                let text = format!("too many calls wait for {at}; try again");
                Error::unavailable("sqlite_queue_full", soon, text)
            }
            Self::DiskFull(text) => {
                let text = format!("the disk of {at} is full ({text}); make room");
                Error::unavailable("sqlite_disk_full", None, text)
            }
            Self::ReadOnly(text) => {
                let text = format!(
                    "{at} cannot be written ({text}); make it writable by its owner, and its directory too"
                );
                Error::config("sqlite_read_only", text)
            }
            Self::Io(text) => {
                Error::transport("sqlite_io", format!("{at} cannot be read or written: {text}"))
            }
            Self::Corrupt(text) => {
                let text =
                    format!("{at} is damaged or no database ({text}); put a backup in its place");
                Error::config("sqlite_corrupt", text)
            }
            Self::SchemaNewer(version) => {
                let ours = crate::database::SCHEMA_VERSION;
                let text = format!(
                    "{at} has schema version {version}, and this program knows versions up to {ours}; use the newer \
                     program"
                );
                Error::config("sqlite_schema_newer", text)
            }
            Self::Replaced => {
                let text = format!(
                    "{at} was removed or replaced while it was open; start the program again"
                );
                Error::config("sqlite_replaced", text)
            }
            Self::Panicked => Error::transport(
                "sqlite_panicked",
                format!("work on {at} panicked; nothing was changed"),
            ),
            Self::CommitUnknown(text) => {
                let text = format!(
                    "whether the change is in {at} is not known, since its commit failed ({text}); look before it is \
                     tried again"
                );
                Error::transport("sqlite_commit_unknown", text)
            }
            Self::Statement(text) => {
                Error::config("sqlite_statement", format!("{at} does not take a statement: {text}"))
            }
            Self::Own(error) => error,
        }
    }
}

/// SQLite's messages name tables and columns, never values.
impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        let text = error.to_string();
        let extended = error.sqlite_error().map(|error| error.extended_code);
        match error.sqlite_error_code() {
            // The memory that connections share is a file too, and found no room to grow.
            Some(ErrorCode::SystemIoFailure) if extended == Some(SQLITE_IOERR_SHMSIZE) => {
                Self::DiskFull(text)
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy(text),
            Some(ErrorCode::DiskFull) => Self::DiskFull(text),
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Self::ReadOnly(text),
            Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen | ErrorCode::OutOfMemory) => {
                Self::Io(text)
            }
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Corrupt(text),
            Some(_) => Self::Statement(text),
            None => match error {
                // What a row holds is not what its table says.
                rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::IntegralValueOutOfRange(..)
                | rusqlite::Error::InvalidColumnType(..)
                | rusqlite::Error::Utf8Error(..) => Self::Corrupt(text),
                _ => Self::Statement(text),
            },
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Own(error)
    }
}
