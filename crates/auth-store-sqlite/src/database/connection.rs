//! Connections, and what each of them is told.

use super::{
    file::DatabaseFile,
    schema::{self, APPLICATION_ID},
};
use crate::fault::Fault;
use auth_core::Error;
use rusqlite::{Connection, ErrorCode, MAIN_DB, OpenFlags, config::DbConfig};
use std::{path::Path, thread, time::Duration};

/// How many connections read at a time.
const READERS: usize = 2;

/// How long a lock of another process is waited for: this many naps.
const MOST_NAPS: i32 = 5000;

/// How long a thread sleeps when another process has the lock.
const NAP: Duration = Duration::from_millis(1);

/// All statements of the stores, each compiled once for a connection.
const MOST_STATEMENTS: usize = 64;

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

/// Refuses a file that another program made, or that is no database, without changing anything: first SQLite reads the
/// header of the file, with no lock and nothing that lies beside it.
///
/// What it reads so is not whole while another process brings what was written ahead into the file, or if the machine
/// stopped while one did: then it is read once more as it is meant to be.
fn refuse_foreign(file: &DatabaseFile) -> Result<(), Fault> {
    let alone = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    let alone = application_id(&file.immutable_uri(), alone);
    let is_whole = match &alone {
        Ok(_) => true,
        Err(error) => match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt) => false,
            Some(ErrorCode::NotADatabase) => !file.is_written_ahead(),
            _ => true,
        },
    };
    let found = match is_whole {
        true => alone,
        false => application_id(file.path(), OpenFlags::SQLITE_OPEN_READ_WRITE),
    };
    let what = match found {
        Ok(APPLICATION_ID) => return Ok(()),
        Ok(id) => format!("is a database of another program (application id {id})"),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::NotADatabase) => {
            String::from("is no database, or its first bytes are damaged")
        }
        Err(error) => return Err(error.into()),
    };
    let path = file.path().display();
    let text = format!("{path} {what}; give the path of a file that this library made, or of none");
    Err(Error::config("sqlite_foreign", text).into())
}

fn application_id(path: &Path, flags: OpenFlags) -> rusqlite::Result<i32> {
    let connection = Connection::open_with_flags(path, flags | common())?;
    // Closing it brings nothing into the file.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.query_row("PRAGMA application_id", [], |row| row.get(0))
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
    // SQLite then opens it to be read alone, and makes files beside it that nobody can write later either.
    if connection.is_readonly(MAIN_DB)? {
        return Err(Fault::ReadOnly(String::from("it can only be read")));
    }
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
    connection.set_prepared_statement_cache_capacity(MOST_STATEMENTS);
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
    #[cfg(all(test, target_os = "linux"))]
    crate::crashes::settle(connection);
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
