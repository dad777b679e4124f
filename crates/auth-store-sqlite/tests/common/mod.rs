//! A directory of its own for each test, and stores in it.

#![allow(dead_code, unreachable_pub)]

use auth_core::{Clock, Secret, SystemRandom, TenantId};
use auth_session::Sealer;
use auth_store_sqlite::{SqliteDatabase, SqliteTokenStore};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

/// Gone when it is dropped.
pub struct Directory(pub PathBuf);

impl Directory {
    pub fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("auth-store-sqlite-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        Self(path)
    }

    pub fn file(&self) -> PathBuf {
        self.0.join("auth.db")
    }

    pub fn open(&self, clock: impl Clock + 'static) -> SqliteDatabase {
        SqliteDatabase::open(&self.file(), clock).unwrap()
    }

    /// Opens it, and the code of the error.
    pub fn refused(&self) -> (&'static str, String) {
        let error = SqliteDatabase::open(&self.file(), auth_core::SystemClock).unwrap_err();
        (error.code(), error.to_string())
    }

    pub fn files(&self) -> Vec<PathBuf> {
        fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().path()).collect()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub fn tokens(database: &SqliteDatabase, tenant: &str, key: u8) -> SqliteTokenStore {
    let sealer = Sealer::new(&Secret::new([key; 32]), SystemRandom::new()).unwrap();
    database.tokens(sealer, TenantId::new(tenant))
}

/// The bytes of a file, read by another process: one that opened and closed it here would give back SQLite's locks.
pub fn bytes(path: &Path) -> Vec<u8> {
    let read = Command::new("cat").arg(path).output().unwrap();
    assert!(read.status.success(), "{}", path.display());
    read.stdout
}

/// A connection of another program, while no database of ours is open.
pub fn foreign(path: &Path) -> rusqlite::Connection {
    rusqlite::Connection::open(path).unwrap()
}

/// Waits until no thread of a database is left, and with it nothing open.
pub fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(20), "waited in vain: {what}");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Drops the last handle, and waits until the file is closed.
pub fn close(database: SqliteDatabase, directory: &Directory) {
    drop(database);
    wait_until("the file is closed", || open_files(&directory.0) == 0);
}

pub fn open_files(directory: &Path) -> usize {
    let links = fs::read_dir("/proc/self/fd").unwrap().flatten();
    let files = links.filter_map(|link| fs::read_link(link.path()).ok());
    files.filter(|file| file.starts_with(directory)).count()
}
