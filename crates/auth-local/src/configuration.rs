//! A configuration file, what it refers to in the environment, and the files that it names.

use auth_core::{Error, Result, Secret};
use std::{
    env, fmt,
    fs::File,
    io::{ErrorKind, Read},
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// The text of a configuration file, for the crate that knows its form: this one knows none.
///
/// The text is handed to a parser together with [`environment_variable`], which finds what it refers to, and
/// [`read_named_file`], which reads the files that it names.
///
/// # Security
///
/// It may hold passwords: the text is wiped when it is dropped, and `Debug` shows the path alone. Whoever may write the file
/// decides which files and variables are read and where they are sent, so it is the operator's and never a tenant's.
///
/// ```
/// # let path = std::env::temp_dir().join("messaging-auth-doc-configuration.yaml");
/// # std::fs::write(&path, "host: acme.symphony.com\n").unwrap();
/// use auth_local::ConfigurationFile;
/// let file = ConfigurationFile::read(path)?;
/// // `BdkConfig::parse(file.text(), environment_variable)` of auth-symphony, for example.
/// assert_eq!(file.text(), "host: acme.symphony.com\n");
/// # Ok::<_, auth_core::Error>(())
/// ```
pub struct ConfigurationFile {
    path: PathBuf,
    text: Zeroizing<String>,
}

impl ConfigurationFile {
    /// The most bytes of a file: 256 KiB.
    pub const MOST_BYTES: usize = 256 * 1024;

    /// Reads a file; a path that is not absolute begins at the working directory of the process. It blocks the thread that
    /// calls it, as programs do when they start.
    ///
    /// # Errors
    ///
    /// `Error::Config` or `Error::Transport` (`configuration_file`) that names the path: a file that cannot be read, is longer
    /// than [`MOST_BYTES`](Self::MOST_BYTES), or is no text in UTF-8.
    pub fn read(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        let what = FileKind { code: "configuration_file", name: "configuration file" };
        let bytes = bounded(&path, Self::MOST_BYTES, &what)?;
        let text = std::str::from_utf8(&bytes).map_err(|error| {
            let at = error.valid_up_to();
            what.wrong(
                &path,
                &format!("is no text in UTF-8 (byte {at}), expected it saved as UTF-8"),
            )
        })?;
        Ok(Self { text: Zeroizing::new(text.to_owned()), path })
    }

    /// What is in it.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// The value of a variable of this process's environment; `None` where there is none, or it is no text in UTF-8.
///
/// ```
/// assert_eq!(auth_local::environment_variable("MESSAGING_AUTH_NO_SUCH_VARIABLE"), None);
/// ```
#[must_use]
pub fn environment_variable(name: &str) -> Option<String> {
    env::var(name).ok()
}

/// Reads a file that a configuration names, byte for byte: a key, a certificate, authorities that are trusted.
///
/// A path that is not absolute begins at the working directory of the process, and not where the configuration file is: so
/// do the programs whose configurations are taken over. It blocks the thread that calls it, as programs do when they start.
///
/// ```
/// let error = auth_local::read_named_file("no/such/key.pem").unwrap_err();
/// assert!(error.to_string().contains("no/such/key.pem"));
/// ```
///
/// # Errors
///
/// `Error::Config` or `Error::Transport` (`named_file`) that names the path: a file that cannot be read, is empty, or is longer
/// than a megabyte.
pub fn read_named_file(path: &str) -> Result<Secret> {
    const MOST_BYTES: usize = 1024 * 1024;
    let what = FileKind { code: "named_file", name: "file that the configuration names," };
    let bytes = bounded(Path::new(path), MOST_BYTES, &what)?;
    if bytes.is_empty() {
        return Err(what.wrong(Path::new(path), "is empty"));
    }
    Ok(Secret::new(bytes.as_slice()))
}

struct FileKind {
    code: &'static str,
    name: &'static str,
}

impl FileKind {
    fn wrong(&self, path: &Path, what: &str) -> Error {
        Error::config(self.code, format!("{} {} {what}", self.name, path.display()))
    }
}

fn bounded(path: &Path, most: usize, what: &FileKind) -> Result<Zeroizing<Vec<u8>>> {
    let failed = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound if path.is_relative() => {
            let from = env::current_dir().unwrap_or_default();
            what.wrong(path, &format!("cannot be read from {}: {error}", from.display()))
        }
        ErrorKind::NotFound | ErrorKind::PermissionDenied | ErrorKind::IsADirectory => {
            what.wrong(path, &format!("cannot be read: {error}"))
        }
        _ => {
            let text = format!("{} {} cannot be read: {error}", what.name, path.display());
            Error::transport(what.code, text)
        }
    };
    let file = File::open(path).map_err(failed)?;
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    let length = file.metadata().map_err(failed)?.len().min(limit);
    // Room for all of it, so that no copy is left behind in a smaller buffer.
    let room = usize::try_from(length).unwrap_or(most).saturating_add(1);
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    file.take(limit).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > most {
        return Err(what.wrong(path, &format!("is longer than {} KiB", most / 1024)));
    }
    Ok(bytes)
}

impl fmt::Debug for ConfigurationFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConfigurationFile({})", self.path.display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// A file with this content, for as long as it is looked at.
    fn with<T>(name: &str, content: &[u8], look: impl FnOnce(&str) -> T) -> T {
        let name = format!("messaging-auth-configuration-{name}-{}", std::process::id());
        let path = env::temp_dir().join(name);
        fs::write(&path, content).unwrap();
        let seen = look(path.to_str().unwrap());
        fs::remove_file(&path).unwrap();
        seen
    }

    #[track_caller]
    fn check(name: &str, content: &[u8], expected: Result<&str, &str>) {
        with(name, content, |path| match (ConfigurationFile::read(path), expected) {
            (Ok(file), Ok(expected)) => {
                assert_eq!(file.text(), expected);
                assert_eq!(format!("{file:?}"), format!("ConfigurationFile({path})"));
            }
            (Err(error), Err(part)) => {
                let shown = error.to_string();
                assert!(shown.contains(path) && shown.contains(part), "{shown}");
                assert_eq!(error.code(), "configuration_file");
                assert!(!format!("{error:?}").contains("canary"));
            }
            (other, _) => panic!("{other:?}"),
        });
    }

    #[test]
    fn a_configuration_is_text_in_utf_8_of_a_bounded_size_and_its_errors_name_it() {
        check("text", "host: ä\r\n".as_bytes(), Ok("host: ä\r\n"));
        check("empty", b"", Ok(""));
        let most = "#".repeat(ConfigurationFile::MOST_BYTES);
        check("most", most.as_bytes(), Ok(&most));
        check("long", format!("{most}#").as_bytes(), Err("is longer than 256 KiB"));
        check("utf-16", b"\xff\xfeh\0o\0", Err("is no text in UTF-8 (byte 0)"));
        check("latin-1", b"canary: \xe4", Err("is no text in UTF-8 (byte 8)"));
    }

    #[test]
    fn what_is_not_there_is_named_with_the_folder_that_it_was_looked_for_in() {
        let error = ConfigurationFile::read("no/such/config.yaml").unwrap_err();
        let folder = env::current_dir().unwrap().display().to_string();
        let shown = error.to_string();
        assert!(shown.contains("no/such/config.yaml") && shown.contains(&folder), "{shown}");
        let error = read_named_file(env::temp_dir().to_str().unwrap()).unwrap_err();
        assert!(error.code() == "named_file", "a folder is no file: {error}");
    }

    #[test]
    fn a_named_file_is_read_byte_for_byte_and_no_farther_than_a_megabyte() {
        let long = vec![b'\n'; 1024 * 1024];
        with("named", &long, |path| assert!(read_named_file(path).unwrap().matches(&long)));
        let error = with("over", &[&long[..], b"x"].concat(), read_named_file).unwrap_err();
        assert!(error.to_string().contains("is longer than 1024 KiB"), "{error}");
        let error = with("nothing", b"", read_named_file).unwrap_err();
        assert!(error.to_string().contains("is empty"), "{error}");
        if cfg!(target_os = "linux") {
            assert!(read_named_file("/dev/zero").unwrap_err().to_string().contains("longer"));
        }
    }

    #[test]
    fn a_path_that_is_not_absolute_begins_at_the_working_directory() {
        // Tests run in the folder of their crate.
        assert!(!read_named_file("Cargo.toml").unwrap().expose().is_empty());
        assert!(ConfigurationFile::read("Cargo.toml").unwrap().text().contains("auth-local"));
    }

    #[test]
    fn a_variable_is_found_and_one_that_is_not_there_is_none() {
        assert!(environment_variable("PATH").is_some_and(|path| !path.is_empty()));
        for none in ["MESSAGING_AUTH_NOT_SET", "", "A=B", "A\0B"] {
            assert_eq!(environment_variable(none), None, "{none:?}");
        }
    }
}
