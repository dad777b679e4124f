//! The directory, its files and their locks.

use super::record::Record;
use auth_core::{Error, Result};
use fs4::FileExt;
use ring::digest::{SHA256, digest};
use std::{
    fmt::Write as _,
    fs::{self, File},
    io::{self, ErrorKind, Read, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

/// No file of a token is longer.
const MOST_BYTES: u64 = 1024 * 1024;

/// How long a guard is waited for: it is held for as long as it takes to write a file.
const PATIENCE: Duration = Duration::from_secs(5);

/// A directory that belongs to its owner alone.
#[derive(Clone)]
pub(super) struct StoreDirectory(PathBuf);

impl StoreDirectory {
    pub(super) fn open(directory: &Path) -> Result<Self> {
        make(directory).map_err(|error| {
            let directory = directory.display();
            Error::config("token_store_directory", format!("directory {directory}: {error}"))
        })?;
        let about = fs::metadata(directory).map_err(|error| failed(directory, &error))?;
        if !about.is_dir() {
            let text = format!("{} is a file, expected a directory", directory.display());
            return Err(Error::config("token_store_directory", text));
        }
        private(directory, &about, "700")?;
        Ok(Self(directory.to_owned()))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Keeps all others from the files of this name, for as long as it lives; `None` while another keeps us from them,
    /// and an error when that has lasted for too long.
    pub(super) fn guard<'a>(
        &'a self,
        name: &'a str,
        waited: Duration,
    ) -> Result<Option<Guard<'a>>> {
        let file = file_name(name);
        let path = self.0.join(format!("{file}.guard"));
        let lock = open(&path).map_err(|error| failed(&path, &error))?;
        if try_lock(&lock, &path)? {
            let token = self.0.join(format!("{file}.token"));
            return Ok(Some(Guard { directory: self, name, file, token, _lock: lock }));
        }
        if waited <= PATIENCE {
            return Ok(None);
        }
        let text = format!("{} is locked by a process that hangs", path.display());
        Err(Error::unavailable("token_store_locked", None, text))
    }
}

/// The files of one name, while nobody else touches them.
pub(super) struct Guard<'a> {
    directory: &'a StoreDirectory,
    name: &'a str,
    file: String,
    token: PathBuf,
    /// Gone when it is closed.
    _lock: File,
}

impl Guard<'_> {
    /// The name whose files they are.
    pub(super) const fn name(&self) -> &str {
        self.name
    }

    /// The file of the token.
    pub(super) fn path(&self) -> &Path {
        &self.token
    }

    pub(super) fn read(&self) -> Result<Option<Vec<u8>>> {
        let file = match File::open(&self.token) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            file => file.map_err(|error| failed(&self.token, &error))?,
        };
        let about = file.metadata().map_err(|error| failed(&self.token, &error))?;
        private(&self.token, &about, "600")?;
        let mut bytes = Vec::new();
        let read = file.take(MOST_BYTES + 1).read_to_end(&mut bytes);
        read.map_err(|error| failed(&self.token, &error))?;
        if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > MOST_BYTES {
            let text = format!("{} is longer than a token is", self.token.display());
            return Err(Error::config("token_store_corrupt", text));
        }
        Ok(Some(bytes))
    }

    /// Aside, synced, renamed, and the renaming synced: then it is kept, and never half.
    pub(super) fn write(&self, record: &Record) -> Result<()> {
        let aside = self.directory.0.join(format!("{}.new", self.file));
        let written = (|| {
            let mut file = open(&aside)?;
            file.set_len(0)?;
            file.write_all(&record.write())?;
            file.sync_all()?;
            fs::rename(&aside, &self.token)?;
            sync(&self.directory.0)
        })();
        written.map_err(|error| failed(&self.token, &error))
    }

    /// Takes the lock that says that the holder of this fence lives.
    pub(super) fn hold(&self, fence: u64) -> Result<File> {
        let path = self.holder(fence);
        let file = open(&path).map_err(|error| failed(&path, &error))?;
        if !try_lock(&file, &path)? {
            let text = format!("{} is locked, expected it to be new", path.display());
            return Err(Error::config("token_store_corrupt", text));
        }
        Ok(file)
    }

    /// Does the holder of this fence live?
    pub(super) fn is_held(&self, fence: u64) -> Result<bool> {
        let path = self.holder(fence);
        match File::open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(failed(&path, &error)),
            Ok(file) => Ok(!try_lock(&file, &path)?),
        }
    }

    /// Nobody asks for the holder of this fence any more.
    pub(super) fn forget(&self, fence: u64) {
        // Left behind it would be in nobody's way.
        let _ = fs::remove_file(self.holder(fence));
    }

    fn holder(&self, fence: u64) -> PathBuf {
        self.directory.0.join(format!("{}.{fence}.held", self.file))
    }
}

fn try_lock(file: &File, path: &Path) -> Result<bool> {
    match FileExt::try_lock(file) {
        Ok(()) => Ok(true),
        Err(fs4::TryLockError::WouldBlock) => Ok(false),
        Err(fs4::TryLockError::Error(error)) => Err(failed(path, &error)),
    }
}

/// A file name for any name, and different ones for different names, also where case makes no difference.
fn file_name(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_') {
            text.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(text, "%{byte:02x}");
        }
    }
    if !text.is_empty() && text.len() <= 128 {
        return text;
    }
    let hash = digest(&SHA256, name.as_bytes());
    let hex = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    format!("={hex}")
}

fn failed(path: &Path, error: &io::Error) -> Error {
    Error::config("token_store_file", format!("{}: {error}", path.display()))
}

#[cfg(unix)]
mod system {
    use super::io;
    use auth_core::{Error, Result};
    use std::{
        fs::{DirBuilder, File, Metadata, OpenOptions},
        os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
        path::Path,
    };

    pub(super) fn make(directory: &Path) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(directory)
    }

    pub(super) fn open(path: &Path) -> io::Result<File> {
        OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
    }

    pub(super) fn private(path: &Path, about: &Metadata, mode: &str) -> Result<()> {
        if about.mode() & 0o077 == 0 {
            return Ok(());
        }
        let (path, now) = (path.display(), about.mode() & 0o777);
        let text = format!(
            "{path} can be opened by others (mode {now:o}), expected its owner alone: chmod {mode} {path}"
        );
        Err(Error::config("token_store_permissions", text))
    }

    pub(super) fn sync(directory: &Path) -> io::Result<()> {
        File::open(directory)?.sync_all()
    }
}

#[cfg(not(unix))]
mod system {
    use super::{File, Path, fs, io};
    use auth_core::Result;
    use std::fs::OpenOptions;

    pub(super) fn make(directory: &Path) -> io::Result<()> {
        fs::create_dir_all(directory)
    }

    pub(super) fn open(path: &Path) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
    }

    pub(super) fn private(_: &Path, _: &fs::Metadata, _: &str) -> Result<()> {
        Ok(())
    }

    pub(super) fn sync(_: &Path) -> io::Result<()> {
        Ok(())
    }
}

use system::{make, open, private, sync};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_a_file_name_of_its_own() {
        let long = "x".repeat(300);
        let names =
            ["a", "A", "", ".", "..", "a/b", "a%2fb", "é", "tenant 1", "=", &long, "%", "con"];
        let files: std::collections::HashSet<_> =
            names.iter().map(|name| file_name(name)).collect();
        assert_eq!(files.len(), names.len());
        for file in files {
            assert!(file.len() <= 128 && !file.contains(['/', '\\', '.']), "{file}");
            assert_eq!(file, file.to_lowercase());
        }
    }
}
