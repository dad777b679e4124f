//! Connections, and what each of them is told.

use super::{
    file::DatabaseFile,
    schema::{self, APPLICATION_ID},
};
use crate::fault::Fault;
use auth_core::Error;
use rusqlite::{Connection, OpenFlags, config::DbConfig};
use std::{path::Path, thread, time::Duration};

/// How many connections read at a time.
const READERS: usize = 2;

/// How long a lock of another process is waited for: this many naps.
const MOST_NAPS: i32 = 5000;

/// How long a thread sleeps when another process has the lock.
const NAP: Duration = Duration::from_millis(1);

/// The connection that writes and those that read, to a file that has the tables of this program from here on.
pub(super) fn all(file: &DatabaseFile) -> Result<(Connection, Vec<Connection>), Fault> {
    refuse_foreign(file)?;
    let writer = open(file.path())?;
    schema::migrate(&writer)?;
    write_ahead(&writer)?;
    let reader = |_| {
        let connection = open(file.path())?;
        connection.pragma_update(None, "query_only", true)?;
        Ok(connection)
    };
    let readers = (0..READERS).map(reader).collect::<Result<_, Fault>>()?;
    file.check()?;
    Ok((writer, readers))
}

/// Makes an empty file a database.
pub(super) fn fill(path: &Path) -> Result<(), Fault> {
    let connection = open(path)?;
    // Before it writes ahead: so the file itself says whose it is.
    schema::migrate(&connection)?;
    write_ahead(&connection)?;
    connection.close().map_err(|(_, error)| Fault::from(error))
}

/// Refuses a file that another program made, or that is no database, without changing anything: SQLite reads the header
/// of the file, with no lock and nothing that lies beside it.
fn refuse_foreign(file: &DatabaseFile) -> Result<(), Fault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | common();
    let found = Connection::open_with_flags(file.immutable_uri(), flags)
        .and_then(|connection| connection.query_row("PRAGMA application_id", [], |row| row.get(0)));
    let what = match found.map_err(Fault::from) {
        Ok(APPLICATION_ID) => return Ok(()),
        Ok(id) => format!("is a database of another program (application id {id})"),
        Err(Fault::Corrupt(_)) => String::from("is no database, or its first bytes are damaged"),
        Err(fault) => return Err(fault),
    };
    let path = file.path().display();
    let text = format!("{path} {what}; give the path of a file that this library made, or of none");
    Err(Error::config("sqlite_foreign", text).into())
}

pub(super) fn in_memory() -> Result<Connection, Fault> {
    let connection = Connection::open_in_memory()?;
    settle(&connection)?;
    schema::migrate(&connection)?;
    Ok(connection)
}

fn open(path: &Path) -> Result<Connection, Fault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | common();
    let connection = Connection::open_with_flags(path, flags)?;
    settle(&connection)?;
    Ok(connection)
}

/// Each connection is used by one thread at a time; no symbolic link is followed.
fn common() -> OpenFlags {
    OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW
        | OpenFlags::SQLITE_OPEN_PRIVATE_CACHE
}

/// Settings of this connection alone: none of them writes.
fn settle(connection: &Connection) -> Result<(), Fault> {
    connection.busy_handler(Some(|naps| {
        thread::sleep(NAP);
        naps < MOST_NAPS
    }))?;
    // Neither the tables of a file that was tampered with nor a statement of ours may harm the file.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
    for (name, value) in [
        ("trusted_schema", "off"),
        ("cell_size_check", "on"),
        ("mmap_size", "0"),
        ("foreign_keys", "on"),
        ("secure_delete", "on"),
        // Where a sync alone does not reach the disk (macOS).
        ("fullfsync", "on"),
        ("checkpoint_fullfsync", "on"),
        ("synchronous", "full"),
        // No copy of a row in a file for sorting.
        ("temp_store", "memory"),
    ] {
        // Some of them answer with a row, and others do not.
        connection.pragma(None, name, value, |_| Ok(()))?;
    }
    Ok(())
}

/// Once a file writes ahead it does so for all who open it. Changing it takes a lock that SQLite does not wait for.
fn write_ahead(connection: &Connection) -> Result<(), Fault> {
    let mut naps = 0;
    loop {
        let mode = connection
            .pragma_update_and_check(None, "journal_mode", "wal", |row| row.get::<_, String>(0));
        match mode.map_err(Fault::from) {
            Ok(mode) if mode == "wal" => return Ok(()),
            Err(Fault::Busy(_)) | Ok(_) if naps < MOST_NAPS => thread::sleep(NAP),
            Ok(mode) => {
                return Err(Fault::Io(format!("its journal mode stays {mode}, expected wal")));
            }
            Err(fault) => return Err(fault),
        }
        naps += 1;
    }
}
