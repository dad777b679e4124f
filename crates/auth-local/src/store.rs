//! Tokens in files.

mod directory;
mod leases;
mod record;

use crate::threads::Threads;
use auth_core::{Clock, Error, Flow, Result, Secret, TenantId, Timestamp};
use auth_session::{Intent, Lease, SaveOutcome, SealedFor, Sealer, StoredEntry, TokenStore};
use directory::{Guard, StoreDirectory};
use leases::HeldLeases;
use record::{Note, Record};
use std::{fmt, path::Path, sync::Arc, time::Duration};

/// Keeps tokens in one directory, a file for each name, for all processes of one user.
///
/// A file is written aside, synced and renamed: whoever reads finds the old token or the new one, whole, whatever is
/// killed in between. A lease is a lock of the operating system that ends with its process, so no process waits for
/// one that died; and it has an end, so none waits for long for one that hangs, not even when the clock is set back. Its
/// fence only grows: a process that was too slow cannot save over what another saved since.
///
/// Files are read and written on threads of the store, of which there are a few while there is work and none
/// otherwise. So its flows can be made and polled on any thread and in any runtime, and block neither.
///
/// A clone is the same store. Several in one process exclude each other as several processes do.
///
/// # Security
///
/// The directory and its files belong to their owner alone (0700 and 0600 on Unix): what others can read is refused, not
/// used. That protects from other users, not from backups, and not from whoever is root: [seal](Self::with_sealer) them. On
/// other systems the permissions are those of the directory.
///
/// ```
/// use auth_core::{Secret, SystemClock, SystemRandom, TenantId};
/// use auth_local::FileTokenStore;
/// use auth_session::Sealer;
///
/// # fn open(directory: &std::path::Path, key: &Secret) -> auth_core::Result<()> {
/// let sealer = Sealer::new(key, SystemRandom::new())?;
/// let store = FileTokenStore::open(directory, SystemClock)?.with_sealer(sealer, TenantId::new("acme"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct FileTokenStore(Arc<Inner>);

struct Inner {
    directory: StoreDirectory,
    clock: Arc<dyn Clock>,
    seal: Option<Seal>,
    held: HeldLeases,
    threads: Threads,
}

struct Seal {
    sealer: Sealer,
    tenant: TenantId,
}

impl FileTokenStore {
    /// The store in this directory, which is made if it is not there. This opens files on the thread that calls it.
    ///
    /// # Errors
    ///
    /// `Error::Config` when it cannot be made or read, is no directory, or others than its owner can open it.
    pub fn open(directory: &Path, clock: impl Clock + 'static) -> Result<Self> {
        Ok(Self::over(StoreDirectory::open(directory)?, Arc::new(clock), None))
    }

    /// With everything that it keeps sealed, for this tenant. A file that is not sealed is then refused, and the other
    /// way round. To be called before it is used.
    #[must_use]
    pub fn with_sealer(self, sealer: Sealer, tenant: TenantId) -> Self {
        let (directory, clock) = (self.0.directory.clone(), Arc::clone(&self.0.clock));
        Self::over(directory, clock, Some(Seal { sealer, tenant }))
    }

    fn over(directory: StoreDirectory, clock: Arc<dyn Clock>, seal: Option<Seal>) -> Self {
        let (held, threads) = (HeldLeases::default(), Threads::default());
        Self(Arc::new(Inner { directory, clock, seal, held, threads }))
    }

    /// Does something with the files of a name, on a thread of the store, when nobody else is at them.
    fn at<T: Send + 'static>(
        &self,
        name: &str,
        act: impl Fn(&Inner, &Guard<'_>) -> Result<T> + Send + 'static,
    ) -> Flow<'_, T> {
        let (inner, name) = (Arc::clone(&self.0), Box::<str>::from(name));
        self.0.threads.run(move |waited| {
            inner.held.forget_what_ran_out(inner.clock.steady());
            let guard = inner.directory.guard(&name, waited).transpose()?;
            Some(guard.and_then(|guard| act(&inner, &guard)))
        })
    }
}

impl Inner {
    fn load(&self, guard: &Guard<'_>) -> Result<Option<StoredEntry>> {
        let Some(record) = read(guard)? else { return Ok(None) };
        let token = record.token.map(|note| self.open("token", note, guard)).transpose()?;
        let intent = record.intent.map(|note| self.open("intent", note, guard)).transpose()?;
        if token.is_none() && intent.is_none() {
            return Ok(None);
        }
        let intent = intent.map(|(bytes, _)| record::read_intent(&bytes, guard.path()));
        let (token, fence) = token.map_or((None, 0), |(token, fence)| (Some(token), fence));
        let token = token.filter(|token| token.expose() != REMOVED);
        Ok(Some(StoredEntry { token, fence, intent: intent.transpose()? }))
    }

    fn lease(&self, guard: &Guard<'_>, hold: Duration) -> Result<Option<Lease>> {
        let (now, steady) = (self.clock.now(), self.clock.steady());
        let mut record = read(guard)?.unwrap_or_default();
        let taken = now < record.leased_until && guard.is_held(record.fence)?;
        // Its end is a moment, which never comes while the clock is set back: so its span is watched too.
        if taken && !self.held.has_seen_the_end(guard.name(), record.fence, record.hold, steady) {
            return Ok(None);
        }
        let last = record.fence;
        record.fence = last.saturating_add(1);
        (record.leased_until, record.hold) = (now.after(hold), hold);
        let lock = guard.hold(record.fence)?;
        guard.write(&record)?;
        guard.forget(last);
        self.held.insert(guard.name(), record.fence, lock, steady, hold);
        Ok(Some(Lease { fence: record.fence }))
    }

    /// Changes the record, if this is its last lease.
    fn change(
        &self,
        guard: &Guard<'_>,
        lease: Lease,
        change: impl FnOnce(&mut Record),
    ) -> Result<SaveOutcome> {
        match read(guard)? {
            Some(mut record) if record.fence == lease.fence => {
                change(&mut record);
                guard.write(&record).map(|()| SaveOutcome::Kept)
            }
            _ => Ok(SaveOutcome::Lost),
        }
    }

    fn release(&self, guard: &Guard<'_>, lease: Lease) -> Result<()> {
        let released =
            self.change(guard, lease, |record| record.leased_until = Timestamp::default())?;
        if released == SaveOutcome::Kept {
            guard.forget(lease.fence);
        }
        Ok(())
    }

    fn close(&self, kind: &str, name: &str, lease: Lease, plain: &Secret) -> Result<Note> {
        let fence = lease.fence;
        let bytes = match &self.seal {
            None => [&[PLAIN], plain.expose()].concat(),
            Some(Seal { sealer, tenant }) => {
                let sealed = sealer.seal(SealedFor { tenant, kind, name, fence }, plain)?;
                [&[SEALED], &sealed[..]].concat()
            }
        };
        Ok(Note { fence, bytes })
    }

    fn open(&self, kind: &str, note: Note, guard: &Guard<'_>) -> Result<(Secret, u64)> {
        let Note { fence, bytes } = note;
        let refuse = |what: &str| {
            let text = format!("{kind} in {} {what}", guard.path().display());
            Err(Error::config("token_store_sealed", text))
        };
        match (&self.seal, bytes.split_first()) {
            (None, Some((&PLAIN, plain))) => Ok((Secret::new(plain), fence)),
            (None, Some((&SEALED, _))) => refuse("is sealed; open the store with its key"),
            (Some(_), Some((&PLAIN, _))) => {
                refuse("is not sealed, expected it to be; remove the file to log in anew")
            }
            (Some(Seal { sealer, tenant }), Some((&SEALED, sealed))) => {
                let sealed_for = SealedFor { tenant, kind, name: guard.name(), fence };
                sealer.open(sealed_for, sealed).map(|plain| (plain, fence))
            }
            _ => refuse("cannot be read; remove the file to log in anew"),
        }
    }
}

/// How a note is written: the first byte says so.
const PLAIN: u8 = 0;
const SEALED: u8 = 1;

/// What is written, and sealed, in place of a token that was removed: no token is written as no bytes.
const REMOVED: &[u8] = &[];

fn read(guard: &Guard<'_>) -> Result<Option<Record>> {
    guard.read()?.map(|bytes| Record::read(&bytes, guard.path())).transpose()
}

impl TokenStore for FileTokenStore {
    fn load(&self, name: &str) -> Flow<'_, Option<StoredEntry>> {
        self.at(name, Inner::load)
    }

    fn lease(&self, name: &str, hold: Duration) -> Flow<'_, Option<Lease>> {
        self.at(name, move |inner, guard| inner.lease(guard, hold))
    }

    fn save(&self, name: &str, lease: Lease, token: Option<&Secret>) -> Flow<'_, SaveOutcome> {
        let removed = Secret::new(REMOVED);
        let note = match self.0.close("token", name, lease, token.unwrap_or(&removed)) {
            Ok(note) => note,
            Err(error) => return Flow::failed(error),
        };
        self.at(name, move |inner, guard| {
            let note = note.clone();
            inner.change(guard, lease, |record| (record.token, record.intent) = (Some(note), None))
        })
    }

    fn intend(&self, name: &str, lease: Lease, intent: Option<Intent>) -> Flow<'_, SaveOutcome> {
        let written = intent.map(|intent| record::write_intent(&intent));
        let closed = written.map(|plain| self.0.close("intent", name, lease, &plain)).transpose();
        let note = match closed {
            Ok(note) => note,
            Err(error) => return Flow::failed(error),
        };
        self.at(name, move |inner, guard| {
            let note = note.clone();
            inner.change(guard, lease, |record| record.intent = note)
        })
    }

    fn release(&self, name: &str, lease: Lease) -> Flow<'_, ()> {
        // The lock first: from here on nobody waits for it, whatever becomes of the file.
        self.0.held.remove(name, lease.fence);
        self.at(name, move |inner, guard| inner.release(guard, lease))
    }
}

impl fmt::Debug for FileTokenStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileTokenStore({})", self.0.directory.path().display())
    }
}
