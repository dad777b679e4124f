//! The process that dies, and the directory that it leaves behind.

use super::work::{give, registry};
use crate::SqliteDatabase;
use auth_core::SystemClock;
use std::{
    env,
    fs::{self, DirBuilder, File},
    io::Write,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    process::{self, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

const DIRECTORY: &str = "AUTH_STORE_SQLITE_DIES_IN";
const MOST: &str = "AUTH_STORE_SQLITE_COMMANDS";

/// Gone when it is dropped. In memory where there is such a file system: what is kept there outlives a process.
pub(super) struct Directory(pub(super) PathBuf);

impl Directory {
    pub(super) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() { memory.to_owned() } else { env::temp_dir() };
        let path = parent.join(format!("auth-store-sqlite-dies-{}-{number}", process::id()));
        DirBuilder::new().mode(0o700).create(&path).unwrap();
        Self(path)
    }

    pub(super) fn file(&self) -> PathBuf {
        self.0.join("auth.db")
    }

    /// Waits until the last database of it is closed: then what was written ahead is in the file.
    pub(super) fn wait_until_closed(&self) {
        let began = Instant::now();
        while self.0.join("auth.db-wal").exists() {
            assert!(began.elapsed() < Duration::from_secs(20), "it is never closed");
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// The lines of the commands that were acknowledged.
    pub(super) fn told(&self) -> Vec<String> {
        let text = fs::read_to_string(self.0.join("told")).unwrap_or_default();
        // What is not a whole line was not told.
        text.split_inclusive('\n')
            .filter_map(|line| line.strip_suffix('\n'))
            .map(String::from)
            .collect()
    }

    /// Starts a process that goes on with the commands, up to so many in all.
    pub(super) fn process(&self, commands: usize) -> Command {
        self.started(Command::new(env::current_exe().unwrap()), commands)
    }

    /// Lets this program start it.
    pub(super) fn process_under(&self, mut starter: Command, commands: usize) -> Command {
        starter.arg(env::current_exe().unwrap());
        self.started(starter, commands)
    }

    fn started(&self, mut command: Command, commands: usize) -> Command {
        command.args(["--exact", "crashes::process::one_that_dies"]);
        command.env(DIRECTORY, &self.0).env(MOST, commands.to_string());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Does nothing unless this process was started to die.
#[test]
fn one_that_dies() {
    let Some(directory) = env::var_os(DIRECTORY) else { return };
    let most: usize = env::var(MOST).unwrap().parse().unwrap();
    // Nobody else holds it; it is dropped by the process that started this one.
    let directory = std::mem::ManuallyDrop::new(Directory(directory.into()));
    let mut told = directory.told();
    let mut file =
        File::options().append(true).create(true).open(directory.0.join("told")).unwrap();
    let database = SqliteDatabase::open(&directory.file(), SystemClock).unwrap();
    let registry = registry(database.credentials());
    for n in told.len()..most {
        let line = give(&registry, &told, n).unwrap();
        // In one call, so that it is told whole or not at all.
        file.write_all(format!("{line}\n").as_bytes()).unwrap();
        told.push(line);
    }
    drop((registry, database));
    directory.wait_until_closed();
}
