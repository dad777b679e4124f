//! The file itself: made and kept for its owner alone.

use crate::fault::Fault;
use auth_core::{Error, Result};
use std::{
    ffi::{OsStr, OsString},
    fs::{self, Metadata},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    process,
};

/// A file that is its owner's alone, in a directory in which nobody else can put files.
#[derive(Debug)]
pub(super) struct DatabaseFile {
    path: PathBuf,
    identity: Identity,
}

/// What SQLite keeps beside a file: it reads them as a part of it.
const BESIDE: [&str; 3] = ["-journal", "-wal", "-shm"];

impl DatabaseFile {
    /// Makes the file if it is not there: it is filled before it has its name, so nobody ever sees half of it.
    pub(super) fn open(path: &Path, fill: impl FnOnce(&Path) -> Result<(), Fault>) -> Result<Self> {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let parent = fs::canonicalize(parent.unwrap_or(Path::new(".")));
        let parent = parent.map_err(|error| failed("the directory of", path, &error))?;
        let Some(name) = path.file_name() else {
            let text = format!("{} is no path of a file", path.display());
            return Err(Error::config("sqlite_no_file_name", text));
        };
        let directory = fs::metadata(&parent).map_err(|error| failed("", &parent, &error))?;
        refuse_shared_directory(&parent, &directory)?;
        let path = parent.join(name);
        if fs::symlink_metadata(&path).is_err_and(|error| error.kind() == ErrorKind::NotFound) {
            let aside = make_aside(&parent, name).map_err(|error| failed("", &path, &error))?;
            let filled = fill(&aside).map_err(|fault| fault.into_error(&aside));
            let linked = filled.and_then(|()| {
                link(&aside, &path, &parent).map_err(|error| failed("", &path, &error))
            });
            // Left behind they would be in nobody's way; most often there is one.
            for ending in BESIDE.into_iter().chain([""]) {
                let _ = fs::remove_file(beside(&aside, ending));
            }
            linked?;
        }
        let identity = check(&path)?;
        Ok(Self { path, identity })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Is it still the file that was opened, and still its owner's alone?
    pub(super) fn check(&self) -> Result<()> {
        if check(&self.path)? == self.identity {
            return Ok(());
        }
        let text = format!("{} was replaced while it was opened", self.path.display());
        Err(Error::config("sqlite_replaced_at_once", text))
    }

    /// Is it still at its path? This opens nothing.
    pub(super) fn is_in_place(&self) -> bool {
        fs::symlink_metadata(&self.path).is_ok_and(|about| identity(&about) == self.identity)
    }

    /// Is there something that is yet to be brought into the file?
    pub(super) fn is_written_ahead(&self) -> bool {
        fs::symlink_metadata(beside(&self.path, "-wal")).is_ok_and(|about| about.len() > 0)
    }

    /// To read what the file itself holds, without a lock and without what is beside it.
    pub(super) fn immutable_uri(&self) -> PathBuf {
        let mut uri = OsString::from("file:");
        uri.push(escaped(self.path.as_os_str()));
        uri.push("?immutable=1");
        PathBuf::from(uri)
    }
}

/// An empty file beside the one that is to be.
///
/// It is closed before it has a name under which SQLite could have it open: closing a file gives back all locks that the
/// process has on it, those of SQLite too.
fn make_aside(parent: &Path, name: &OsStr) -> io::Result<PathBuf> {
    for number in 0..1000 {
        let mut aside = name.to_owned();
        aside.push(format!(".{}-{number}.new", process::id()));
        let aside = parent.join(aside);
        match create(&aside) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            made => return made.map(|_| aside),
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

/// Gives it its name, unless another process has given that to a file of its own; and syncs that it has.
fn link(aside: &Path, path: &Path, parent: &Path) -> io::Result<()> {
    match fs::hard_link(aside, path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        linked => linked.and_then(|()| sync(parent)),
    }
}

fn check(path: &Path) -> Result<Identity> {
    let about = fs::symlink_metadata(path).map_err(|error| failed("", path, &error))?;
    refuse_others(path, &about)?;
    for ending in BESIDE {
        let beside = beside(path, ending);
        match fs::symlink_metadata(&beside) {
            Ok(about) => refuse_others(&beside, &about)?,
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(failed("", &beside, &error)),
        }
    }
    Ok(identity(&about))
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut beside = path.as_os_str().to_owned();
    beside.push(ending);
    PathBuf::from(beside)
}

fn refuse_others(path: &Path, about: &Metadata) -> Result<()> {
    let at = path.display();
    if about.is_symlink() {
        let text = format!("{at} is a symbolic link; give the path of the file itself");
        return Err(Error::config("sqlite_symlink", text));
    }
    if !about.is_file() {
        return Err(Error::config("sqlite_no_file", format!("{at} is no file, expected one")));
    }
    refuse_shared_file(path, about)
}

fn failed(what: &str, path: &Path, error: &io::Error) -> Error {
    let space = if what.is_empty() { "" } else { " " };
    let text = format!("{what}{space}{}: {error}", path.display());
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            Error::unavailable("sqlite_disk_full", None, format!("{text}; make room"))
        }
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            let todo = "make its directory readable and writable by the user of this program";
            Error::config("sqlite_file", format!("{text}; {todo}"))
        }
        _ => Error::config("sqlite_file", text),
    }
}

#[cfg(unix)]
mod system {
    use super::{Error, Metadata, OsStr, OsString, Path, Result, io};
    use std::{
        fs::{File, OpenOptions},
        os::unix::{
            ffi::{OsStrExt, OsStringExt},
            fs::{MetadataExt, OpenOptionsExt},
        },
    };

    /// Can put files anywhere.
    const ROOT: u32 = 0;

    /// Device and inode.
    pub(super) type Identity = (u64, u64);

    pub(super) fn identity(about: &Metadata) -> Identity {
        (about.dev(), about.ino())
    }

    pub(super) fn create(path: &Path) -> io::Result<File> {
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
    }

    pub(super) fn sync(directory: &Path) -> io::Result<()> {
        File::open(directory)?.sync_all()
    }

    pub(super) fn refuse_shared_directory(path: &Path, about: &Metadata) -> Result<()> {
        let (path, now) = (path.display(), about.mode() & 0o7777);
        let (owner, us) = (about.uid(), rustix::process::geteuid().as_raw());
        if owner != us && owner != ROOT {
            let text = format!(
                "{path} belongs to user {owner}, and this program runs as user {us}; run it as the owner of the \
                 directory, or use another directory"
            );
            return Err(Error::config("sqlite_directory_owner", text));
        }
        if about.mode() & 0o022 == 0 {
            return Ok(());
        }
        let text = format!(
            "others can put files into {path} (mode {now:o}), expected its owner alone: chmod go-w {path}, or use another \
             directory"
        );
        Err(Error::config("sqlite_directory_permissions", text))
    }

    pub(super) fn refuse_shared_file(path: &Path, about: &Metadata) -> Result<()> {
        let path = path.display();
        let (owner, us) = (about.uid(), rustix::process::geteuid().as_raw());
        if owner != us {
            let text = format!(
                "{path} belongs to user {owner}, and this program runs as user {us}; run it as the owner of the file"
            );
            return Err(Error::config("sqlite_owner", text));
        }
        if about.mode() & 0o077 == 0 {
            return Ok(());
        }
        let now = about.mode() & 0o777;
        let text = format!(
            "{path} can be opened by others (mode {now:o}), expected its owner alone: chmod 600 {path}"
        );
        Err(Error::config("sqlite_permissions", text))
    }

    /// As a path is written in a URI.
    pub(super) fn escaped(path: &OsStr) -> OsString {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte);
        let escaped = path.as_bytes().iter().flat_map(|&byte| match plain(byte) {
            true => vec![byte],
            false => format!("%{byte:02x}").into_bytes(),
        });
        OsString::from_vec(escaped.collect())
    }
}

#[cfg(not(unix))]
mod system {
    use super::{Metadata, OsStr, OsString, Path, Result, fs, io};

    pub(super) type Identity = ();

    pub(super) fn identity(_: &Metadata) -> Identity {}

    pub(super) fn create(path: &Path) -> io::Result<fs::File> {
        fs::OpenOptions::new().write(true).create_new(true).open(path)
    }

    pub(super) fn sync(_: &Path) -> io::Result<()> {
        Ok(())
    }

    pub(super) fn refuse_shared_directory(_: &Path, _: &Metadata) -> Result<()> {
        Ok(())
    }

    pub(super) fn refuse_shared_file(_: &Path, _: &Metadata) -> Result<()> {
        Ok(())
    }

    /// As a path is written in a URI.
    pub(super) fn escaped(path: &OsStr) -> OsString {
        let path = path.to_string_lossy().replace('\\', "/");
        let path = path.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
        OsString::from(format!("/{path}"))
    }
}

use system::{
    Identity, create, escaped, identity, refuse_shared_directory, refuse_shared_file, sync,
};
