//! The tables, and how older ones become them.

use crate::fault::Fault;
use rusqlite::{Connection, Transaction, TransactionBehavior};

/// What the header of every file of ours says, so that no other program's file is taken for one ("mAth").
pub(super) const APPLICATION_ID: i32 = i32::from_be_bytes(*b"mAth");

/// Number `n` brings a file from version `n` to `n + 1`. One that was released is never changed.
const MIGRATIONS: &[&str] = &[
    include_str!("schema/0001_tokens.sql"),
    include_str!("schema/0002_lifecycle.sql"),
    include_str!("schema/0003_tenant_events.sql"),
];

/// The version of the schema that this program reads and writes.
pub(crate) const VERSION: i64 = 3;

/// Makes the tables, or brings older ones up to date: all of it or nothing, and once, whatever other processes do at the
/// same time.
pub(super) fn migrate(connection: &Connection) -> Result<(), Fault> {
    // Most often there is nothing to do, and then no lock is waited for.
    if is_up_to_date(version(connection)?)? {
        return Ok(());
    }
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    let version = version(&transaction)?;
    if is_up_to_date(version)? {
        return Ok(());
    }
    for migration in MIGRATIONS.iter().skip(usize::try_from(version).unwrap_or(0)) {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit().map_err(Fault::from)
}

/// Refuses tables that a newer program has changed, as they are for the transaction that has begun.
pub(super) fn refuse_newer(transaction: &Connection) -> Result<(), Fault> {
    is_up_to_date(version(transaction)?).map(drop)
}

fn version(connection: &Connection) -> Result<i64, Fault> {
    let mut pragma = connection.prepare_cached("PRAGMA user_version")?;
    Ok(pragma.query_row([], |row| row.get(0))?)
}

fn is_up_to_date(version: i64) -> Result<bool, Fault> {
    if version > VERSION { Err(Fault::SchemaNewer(version)) } else { Ok(version == VERSION) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_version_has_its_migration() {
        assert_eq!(i64::try_from(MIGRATIONS.len()).unwrap(), VERSION);
    }
}
