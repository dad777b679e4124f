//! One file, and the threads that have it open.

mod connection;
mod file;
mod job;
mod queue;
mod schema;
#[cfg(test)]
mod tests;
mod threads;

pub(crate) use schema::VERSION as SCHEMA_VERSION;

use crate::{
    fault::Fault,
    lifecycle::{SqliteLifecycleStore, Watchers},
    tokens::SqliteTokenStore,
};
use auth_core::{Clock, Flow, Result, TenantId};
use auth_session::Sealer;
use file::DatabaseFile;
use rusqlite::Connection;
use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};
use threads::Threads;

/// One SQLite file that the processes of one machine share.
///
/// A clone is the same database; opened again, in this process or another, the same file is the same database too. It
/// works on threads of its own, one that writes and two that read, which end when the last clone and the last flow of it
/// are dropped.
///
/// # Security
///
/// The file belongs to its owner alone (mode 0600, and so do the files that SQLite keeps beside it). A file that others
/// can open, that belongs to another user, or that is a symbolic link is refused, and so is a directory in which others
/// than the user and root can put files. That protects from other users, not from backups or from root: what is kept in the file is sealed.
/// Names, tenants and times are not. On other systems than Unix the permissions are those of the directory.
///
/// What is deleted is overwritten (`secure_delete`).
#[derive(Clone)]
pub struct SqliteDatabase(Arc<Inner>);

struct Inner {
    path: PathBuf,
    clock: Arc<dyn Clock>,
    threads: Threads,
    watchers: Arc<Watchers>,
}

/// What is told in place of a path.
const IN_MEMORY: &str = "the database in memory";

impl SqliteDatabase {
    /// Opens this file, which is made if it is not there; its directory has to be. This reads and writes files on the
    /// thread that calls it.
    ///
    /// # Errors
    ///
    /// - `Error::Config` when the directory or the file is not its owner's alone (`sqlite_permissions`,
    ///   `sqlite_directory_permissions`), is another user's (`sqlite_owner`, `sqlite_directory_owner`) or a symbolic link
    ///   (`sqlite_symlink`), cannot be opened (`sqlite_file`), cannot be written (`sqlite_read_only`), is no file of ours (`sqlite_foreign`), is damaged
    ///   (`sqlite_corrupt`) or was written by a newer program (`sqlite_schema_newer`). None of them changes the file.
    /// - `Error::Unavailable` when other processes keep it locked (`sqlite_busy`) or the disk is full
    ///   (`sqlite_disk_full`).
    /// - `Error::Transport` when it cannot be read or written, or no thread can be started.
    pub fn open(path: &Path, clock: impl Clock + 'static) -> Result<Self> {
        let file = DatabaseFile::open(path, connection::fill)?;
        let (writer, readers) =
            connection::all(&file).map_err(|fault| fault.into_error(file.path()))?;
        Self::over(clock, Some(file), writer, readers)
    }

    /// An empty database in memory, for tests: it is shared by its clones and ends with the last of them.
    ///
    /// # Errors
    ///
    /// `Error::Transport` when no thread can be started.
    pub fn in_memory(clock: impl Clock + 'static) -> Result<Self> {
        let writer = connection::in_memory();
        let writer = writer.map_err(|fault| fault.into_error(Path::new(IN_MEMORY)))?;
        Self::over(clock, None, writer, Vec::new())
    }

    /// The tokens of one tenant, sealed by this sealer.
    #[must_use]
    pub fn tokens(&self, sealer: Sealer, tenant: TenantId) -> SqliteTokenStore {
        SqliteTokenStore::new(self.clone(), sealer, tenant)
    }

    /// The credentials of all tenants.
    #[must_use]
    pub fn credentials(&self) -> SqliteLifecycleStore {
        SqliteLifecycleStore::new(self.clone())
    }

    fn over(
        clock: impl Clock + 'static,
        file: Option<DatabaseFile>,
        writer: Connection,
        readers: Vec<Connection>,
    ) -> Result<Self> {
        let path = file.as_ref().map_or(Path::new(IN_MEMORY), DatabaseFile::path).to_owned();
        let watchers = Arc::<Watchers>::default();
        let threads = Threads::start(file, writer, readers, &watchers)?;
        Ok(Self(Arc::new(Inner { path, clock: Arc::new(clock), threads, watchers })))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0.path
    }

    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.0.clock)
    }

    pub(crate) fn watchers(&self) -> &Watchers {
        &self.0.watchers
    }

    /// Reads, on a thread of the database, what was committed at one moment: all statements of the work see the same.
    ///
    /// It begins when the flow is first polled.
    pub(crate) fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Flow<'static, Result<T, Fault>> {
        let inner = Arc::clone(&self.0);
        Flow::new(async move { Ok(inner.threads.read(work).await) })
    }

    /// Changes something, on the thread that writes; the flow is done when the change is committed and synced, or when it
    /// is rolled back because the work ended with a fault.
    ///
    /// It begins when the flow is first polled, and is then seen through though nobody polls. The work may share its
    /// transaction with that of other callers: so it has no transaction statements of its own, and a fault of the commit
    /// is the fault of all of them.
    pub(crate) fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Flow<'static, Result<T, Fault>> {
        let inner = Arc::clone(&self.0);
        Flow::new(async move { Ok(inner.threads.write(work).await) })
    }
}

impl fmt::Debug for SqliteDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SqliteDatabase({})", self.0.path.display())
    }
}
