//! Tokens in files.

mod place;
mod record;
mod seal;

use auth_core::{Clock, Flow, Random, Result, Secret, Timestamp};
use auth_session::{Entry, Lease, Saved, TokenStore};
use place::{Guard, Place};
use record::Record;
use seal::Seal;
use std::{
    collections::HashMap,
    fmt,
    fs::File,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// Keeps tokens in one directory, a file for each name, for all processes of one user.
///
/// A file is written aside, synced and renamed: whoever reads finds the old token or the new one, whole, whatever is
/// killed in between. A lease is a lock of the operating system that ends with its process, so nobody waits for the
/// dead; and it has an end, so nobody waits for long for one that hangs. Its fence only grows: a process that was too
/// slow cannot save over what another saved since.
///
/// A clone is the same store. Several in one process exclude each other as several processes do.
///
/// # Security
///
/// The directory and its files belong to their owner alone (0700 and 0600 on Unix): what others can read is refused, not
/// used. That protects from other users, not from backups, and not from whoever is root: give it a
/// [key](Self::encrypted). On other systems the permissions are those of the directory.
///
/// ```
/// use auth_core::{SystemClock, SystemRandom};
/// use auth_local::FileTokenStore;
///
/// # fn open(directory: &std::path::Path, key: &auth_core::Secret) -> auth_core::Result<()> {
/// let store = FileTokenStore::open(directory, SystemClock)?.encrypted(key, SystemRandom::new())?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct FileTokenStore(Arc<Inner>);

struct Inner {
    place: Place,
    clock: Arc<dyn Clock>,
    seal: Seal,
    /// The locks of the leases that are held here.
    held: Mutex<HashMap<(Box<str>, u64), File>>,
}

impl FileTokenStore {
    /// The store in this directory, which is made if it is not there.
    ///
    /// # Errors
    ///
    /// `Error::Config` when it cannot be made or read, is no directory, or others than its owner can open it.
    pub fn open(directory: &Path, clock: impl Clock + 'static) -> Result<Self> {
        Ok(Self(Arc::new(Inner {
            place: Place::open(directory)?,
            clock: Arc::new(clock),
            seal: Seal::Plain,
            held: Mutex::default(),
        })))
    }

    /// Encrypted under a key of 32 bytes (AES-256-GCM). A file that is not is then refused, and the other way round.
    ///
    /// # Errors
    ///
    /// `Error::Config` when the key has not 32 bytes.
    pub fn encrypted(self, key: &Secret, random: impl Random + 'static) -> Result<Self> {
        let Inner { place, clock, .. } = &*self.0;
        Ok(Self(Arc::new(Inner {
            place: place.clone(),
            clock: Arc::clone(clock),
            seal: Seal::under(key, Arc::new(random))?,
            held: Mutex::default(),
        })))
    }

    fn load_now(&self, name: &str) -> Result<Option<Entry>> {
        let guard = self.0.place.guard(name)?;
        let Some(record) = self.read(&guard)? else { return Ok(None) };
        let Some(sealed) = record.token else { return Ok(None) };
        let token = self.0.seal.open(name, record.saved, sealed, guard.path())?;
        Ok(Some(Entry { token, fence: record.saved }))
    }

    fn lease_now(&self, name: &str, hold: Duration) -> Result<Option<Lease>> {
        let guard = self.0.place.guard(name)?;
        let now = self.0.clock.now();
        let mut record = self.read(&guard)?.unwrap_or_default();
        if now < record.leased_until && guard.is_held(record.fence)? {
            return Ok(None);
        }
        let last = record.fence;
        record.fence = last.saturating_add(1);
        record.leased_until = now.after(hold);
        let lock = guard.hold(record.fence)?;
        guard.write(&record)?;
        guard.forget(last);
        self.held().insert((name.into(), record.fence), lock);
        Ok(Some(Lease { fence: record.fence }))
    }

    fn save_now(&self, name: &str, lease: Lease, token: &Secret) -> Result<Saved> {
        let guard = self.0.place.guard(name)?;
        match self.read(&guard)? {
            Some(mut record) if record.fence == lease.fence => {
                record.token = Some(self.0.seal.close(name, lease.fence, token)?);
                record.saved = lease.fence;
                guard.write(&record).map(|()| Saved::Kept)
            }
            _ => Ok(Saved::Lost),
        }
    }

    fn release_now(&self, name: &str, lease: Lease) -> Result<()> {
        // The lock first: from here on nobody waits for it, whatever becomes of the file.
        drop(self.held().remove(&(name.into(), lease.fence)));
        let guard = self.0.place.guard(name)?;
        if let Some(mut record) = self.read(&guard)? {
            if record.fence == lease.fence {
                record.leased_until = Timestamp::default();
                guard.write(&record)?;
                guard.forget(lease.fence);
            }
        }
        Ok(())
    }

    fn read(&self, guard: &Guard<'_>) -> Result<Option<Record>> {
        guard.read()?.map(|bytes| Record::read(&bytes, guard.path())).transpose()
    }

    fn held(&self) -> std::sync::MutexGuard<'_, HashMap<(Box<str>, u64), File>> {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TokenStore for FileTokenStore {
    fn load(&self, name: &str) -> Flow<'_, Option<Entry>> {
        Flow::from(self.load_now(name))
    }

    fn lease(&self, name: &str, hold: Duration) -> Flow<'_, Option<Lease>> {
        Flow::from(self.lease_now(name, hold))
    }

    fn save(&self, name: &str, lease: Lease, token: &Secret) -> Flow<'_, Saved> {
        Flow::from(self.save_now(name, lease, token))
    }

    fn release(&self, name: &str, lease: Lease) -> Flow<'_, ()> {
        Flow::from(self.release_now(name, lease))
    }
}

impl fmt::Debug for FileTokenStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileTokenStore({})", self.0.place.directory().display())
    }
}
