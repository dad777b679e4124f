//! A process dies in the middle of commands, or the machine loses power, and everything that was acknowledged is there.
//!
//! The process that dies is this test's own program, started again. `MESSAGING_AUTH_LONG=1` lets it die more often.

mod disk;
mod kills;
mod points;
mod power;
mod process;
mod reference;
mod rotation;
mod trace;
mod verify;
mod work;

use rusqlite::Connection;
use rustix::process::Signal;
use std::{
    env,
    sync::atomic::{AtomicU32, Ordering},
};

/// Names a point and how often it is passed before the process is killed there.
const ABORT_AT: &str = "AUTH_STORE_SQLITE_ABORT_AT";

/// No sync of the disk is asked for.
const UNSYNCED: &str = "AUTH_STORE_SQLITE_UNSYNCED";

/// Kills this process, if the environment says so.
pub(crate) fn at(point: &str) {
    static PASSED: AtomicU32 = AtomicU32::new(0);
    let Ok(wanted) = env::var(ABORT_AT) else { return };
    let (wanted, times) = wanted.rsplit_once(' ').unwrap();
    if wanted == point && PASSED.fetch_add(1, Ordering::Relaxed) == times.parse::<u32>().unwrap() {
        // As by kill -9: nothing runs after it.
        let _ = rustix::process::kill_process(rustix::process::getpid(), Signal::KILL);
    }
}

pub(crate) fn settle(connection: &Connection) {
    if env::var_os(UNSYNCED).is_some() {
        connection.pragma_update(None, "synchronous", "off").unwrap();
    }
}
