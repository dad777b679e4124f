//! Tokens in the database.

mod lease;
mod row;

use crate::{database::SqliteDatabase, fault::Fault};
use auth_core::{Flow, Result, Secret, TenantId};
use auth_session::{Intent, Lease, SaveOutcome, SealedFor, Sealer, StoredEntry, TokenStore};
use row::Note;
use rusqlite::Connection;
use std::{fmt, time::Duration};

/// Keeps the tokens of one tenant in a database that several processes share. Made by [`SqliteDatabase::tokens`].
///
/// A clone is the same store, and so is another one of the same tenant, in this process or another.
///
/// # Leases
///
/// A lease ends at a moment by the clock of the machine, since its holder may die and others have to know when to go on.
/// Each has a higher fence than all before it, whatever the clock does, and what is saved under an earlier fence is
/// refused. So a clock that jumps ahead ends leases early, and then two callers may ask the issuer at a time, of which one
/// saves. A clock that is set back makes nobody wait for as long as it was set: a lease whose end is further ahead than
/// the span for which it was taken ends that span after somebody first looks at it.
///
/// # Security
///
/// Tokens and intents are sealed for their tenant, kind, name and fence: a row that is copied to another place, or an
/// older one that is put back under a newer fence, does not open. Names and tenants are kept as they are: a name is no
/// secret (`auth_oauth2` names tokens by keyed hashes).
#[derive(Clone)]
pub struct SqliteTokenStore {
    database: SqliteDatabase,
    sealer: Sealer,
    tenant: TenantId,
}

/// What is sealed in place of a token that was removed: no token is written as no bytes.
const REMOVED: &[u8] = &[];

impl SqliteTokenStore {
    pub(crate) const fn new(database: SqliteDatabase, sealer: Sealer, tenant: TenantId) -> Self {
        Self { database, sealer, tenant }
    }

    fn place<'a>(&'a self, kind: &'a str, name: &'a str, fence: u64) -> SealedFor<'a> {
        SealedFor { tenant: &self.tenant, kind, name, fence }
    }

    fn seal(&self, kind: &str, name: &str, lease: Lease, plain: &Secret) -> Result<Note> {
        let sealed = self.sealer.seal(self.place(kind, name, lease.fence), plain)?;
        Ok(Note { fence: lease.fence, sealed })
    }

    fn open(&self, kind: &str, name: &str, note: &Note) -> Result<Secret> {
        self.sealer.open(self.place(kind, name, note.fence), &note.sealed)
    }

    fn entry(&self, name: &str, kept: row::Kept) -> Result<Option<StoredEntry>> {
        let row::Kept { token, intent } = kept;
        if token.is_none() && intent.is_none() {
            return Ok(None);
        }
        let fence = token.as_ref().map_or(0, |note| note.fence);
        let token = token.map(|note| self.open("token", name, &note)).transpose()?;
        let token = token.filter(|token| token.expose() != REMOVED);
        let intent = intent.map(|note| self.open("intent", name, &note)).transpose()?;
        let intent = intent.map(|plain| row::read_intent(&plain, name)).transpose()?;
        Ok(Some(StoredEntry { token, fence, intent }))
    }

    fn key(&self, name: &str) -> row::Key {
        row::Key { tenant: self.tenant.clone(), name: name.into() }
    }

    fn change<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Flow<'_, T> {
        self.told(self.database.write(work))
    }

    fn told<'a, T: Send + 'a>(&'a self, flow: Flow<'a, Result<T, Fault>>) -> Flow<'a, T> {
        let told = |fault: Fault| fault.into_error(self.database.path());
        flow.and_then(move |outcome| outcome.map_err(told).into())
    }
}

impl TokenStore for SqliteTokenStore {
    fn load(&self, name: &str) -> Flow<'_, Option<StoredEntry>> {
        let (key, name) = (self.key(name), Box::<str>::from(name));
        let kept = self.told(self.database.read(move |connection| row::load(connection, &key)));
        kept.and_then(move |kept| match kept {
            Some(kept) => self.entry(&name, kept).into(),
            None => Flow::ready(None),
        })
    }

    fn lease(&self, name: &str, hold: Duration) -> Flow<'_, Option<Lease>> {
        let (key, clock) = (self.key(name), self.database.clock());
        self.change(move |connection| lease::take(connection, &key, &*clock, hold))
    }

    fn save(&self, name: &str, lease: Lease, token: Option<&Secret>) -> Flow<'_, SaveOutcome> {
        let removed = Secret::new(REMOVED);
        match self.seal("token", name, lease, token.unwrap_or(&removed)) {
            Ok(note) => {
                let key = self.key(name);
                self.change(move |connection| row::save(connection, &key, lease, &note))
            }
            Err(error) => Flow::failed(error),
        }
    }

    fn intend(&self, name: &str, lease: Lease, intent: Option<Intent>) -> Flow<'_, SaveOutcome> {
        let plain = intent.map(|intent| row::write_intent(&intent));
        match plain.map(|plain| self.seal("intent", name, lease, &plain)).transpose() {
            Ok(note) => {
                let key = self.key(name);
                self.change(move |connection| row::intend(connection, &key, lease, note.as_ref()))
            }
            Err(error) => Flow::failed(error),
        }
    }

    fn release(&self, name: &str, lease: Lease) -> Flow<'_, ()> {
        let key = self.key(name);
        self.change(move |connection| lease::release(connection, &key, lease))
    }
}

impl fmt::Debug for SqliteTokenStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SqliteTokenStore({} in {:?})", self.tenant, self.database)
    }
}
