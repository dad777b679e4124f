//! Secrets that stand in a file or in the environment.

use crate::threads::Threads;
use auth_core::{Error, Flow, Result, Secret, SecretSource};
use std::{
    env,
    ffi::OsString,
    fmt,
    fs::File,
    io::{ErrorKind, Read},
    path::{Path, PathBuf},
    sync::Arc,
};
use zeroize::Zeroizing;

/// A secret in a file, as orchestrators mount them. It is read at each use, on a thread of its own, so that a file that
/// was replaced is in use at once.
///
/// One line break at the end is not part of the secret, since editors and `echo` leave one; all else is.
///
/// # Security
///
/// Whoever may write the path decides what is sent, so it comes from the operator of the program and never from a
/// tenant.
///
/// ```
/// # let path = std::env::temp_dir().join("messaging-auth-doc-secret");
/// # std::fs::write(&path, "s3cret\n").unwrap();
/// use auth_core::SecretSource;
/// use auth_local::SecretFile;
/// let source = SecretFile::new(path);
/// assert!(source.secret().wait()?.matches(b"s3cret"));
/// # Ok::<_, auth_core::Error>(())
/// ```
pub struct SecretFile {
    path: Arc<Path>,
    threads: Threads,
}

impl SecretFile {
    /// The most bytes that a secret may have: 64 KiB.
    pub const MOST_BYTES: usize = 64 * 1024;

    /// The secret in this file, which need not be there yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: Arc::from(path.into()), threads: Threads::default() }
    }
}

impl SecretSource for SecretFile {
    fn secret(&self) -> Flow<'_, Arc<Secret>> {
        let path = Arc::clone(&self.path);
        self.threads.run(move |_| Some(read(&path).map(Arc::new)))
    }
}

fn read(path: &Path) -> Result<Secret> {
    let failed = |error: std::io::Error| {
        let text = format!("secret file {} cannot be read: {error}", path.display());
        match error.kind() {
            ErrorKind::NotFound | ErrorKind::PermissionDenied => Error::config("secret_file", text),
            _ => Error::transport("secret_file", text),
        }
    };
    let most = SecretFile::MOST_BYTES;
    // Never moved to a larger buffer, so that no copy is left behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(most.saturating_add(2)));
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(2);
    File::open(path).map_err(failed)?.take(limit).read_to_end(&mut bytes).map_err(failed)?;
    let text =
        bytes.strip_suffix(b"\n").map_or(&**bytes, |text| text.strip_suffix(b"\r").unwrap_or(text));
    let wrong = match text.len() {
        0 => "is empty, expected a secret",
        length if length > most => "is longer than 64 KiB, expected a secret",
        _ => return Ok(Secret::new(text)),
    };
    Err(Error::config("secret_file", format!("secret file {} {wrong}", path.display())))
}

/// A secret in an environment variable, read at each use.
///
/// # Security
///
/// The environment of a process is shown to its children and, on many systems, to its user; a file is the better place.
/// The name comes from the operator of the program and never from a tenant.
///
/// ```
/// use auth_core::SecretSource;
/// use auth_local::SecretVariable;
/// let source = SecretVariable::new("MESSAGING_AUTH_NO_SUCH_VARIABLE");
/// assert_eq!(source.secret().wait().unwrap_err().code(), "secret_variable");
/// ```
pub struct SecretVariable {
    name: OsString,
}

impl SecretVariable {
    /// The secret in the variable of this name, which need not be set yet.
    pub fn new(name: impl Into<OsString>) -> Self {
        Self { name: name.into() }
    }

    fn read(&self) -> Result<Secret> {
        let name = self.name.to_string_lossy();
        let wrong = match env::var_os(&self.name) {
            None => "is not set, expected a secret",
            Some(value) if value.is_empty() => "is empty, expected a secret",
            Some(value) => return Ok(Secret::new(value.into_encoded_bytes())),
        };
        Err(Error::config("secret_variable", format!("environment variable {name} {wrong}")))
    }
}

impl SecretSource for SecretVariable {
    fn secret(&self) -> Flow<'_, Arc<Secret>> {
        self.read().map(Arc::new).into()
    }
}

impl fmt::Debug for SecretFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretFile({})", self.path.display())
    }
}

impl fmt::Debug for SecretVariable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretVariable({})", self.name.to_string_lossy())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[track_caller]
    fn check(content: Option<&[u8]>, expected: Result<&[u8], &str>) {
        let name =
            format!("messaging-auth-secret-{}-{:?}", std::process::id(), content.map(<[u8]>::len));
        let path = env::temp_dir().join(name);
        if let Some(content) = content {
            fs::write(&path, content).unwrap();
        }
        let told = SecretFile::new(&path).secret().wait();
        let _ = fs::remove_file(&path);
        let told = told.as_ref().map(|secret| secret.expose()).map_err(|error| error.code());
        assert_eq!(told, expected);
    }

    #[test]
    fn a_file_is_the_secret_but_for_one_line_break_at_its_end() {
        check(Some(b"s3cret"), Ok(b"s3cret"));
        check(Some(b"s3crets\n"), Ok(b"s3crets"));
        check(Some(b"s3crets\r\n"), Ok(b"s3crets"));
        check(Some(b"a\nsecret\n\n"), Ok(b"a\nsecret\n"));
        check(Some(b""), Err("secret_file"));
        check(Some(b"\n"), Err("secret_file"));
        check(None, Err("secret_file"));
        let long = vec![b'a'; SecretFile::MOST_BYTES];
        check(Some(&long), Ok(&long));
        check(Some(&[&long[..], b"a\n"].concat()), Err("secret_file"));
    }

    #[test]
    fn a_file_that_was_replaced_is_in_use_at_once() {
        let path = env::temp_dir().join(format!("messaging-auth-replaced-{}", std::process::id()));
        let source = SecretFile::new(&path);
        assert!(source.secret().wait().is_err());
        for secret in ["first", "second"] {
            fs::write(&path, secret).unwrap();
            assert!(source.secret().wait().unwrap().matches(secret.as_bytes()));
        }
        fs::remove_file(&path).unwrap();
    }

    #[test]
    fn a_variable_that_is_not_set_is_named() {
        let error = SecretVariable::new("MESSAGING_AUTH_NOT_SET").secret().wait().unwrap_err();
        assert_eq!(error.code(), "secret_variable");
        assert!(error.to_string().contains("MESSAGING_AUTH_NOT_SET"), "{error}");
        let path = SecretVariable::new("PATH").secret().wait().unwrap();
        assert!(!path.expose().is_empty());
    }
}
