//! Secrets that a configuration names instead of holding them.

use crate::{Flow, Secret};
use std::sync::Arc;

/// Gives a secret whenever it is needed: a literal, a file, an environment variable, a vault.
///
/// It is asked at each use, so a secret that was replaced is in use without a restart. A source that reads keeps what it
/// read for as long as it finds right. `auth-local` has sources for files and environment variables.
///
/// # Security
///
/// A configuration that comes from a tenant may name only sources that were granted to that tenant, since a source
/// reads with the rights of the program.
///
/// ```
/// use auth_core::{Secret, SecretSource};
/// let source: &dyn SecretSource = &Secret::from("a literal");
/// assert!(source.secret().wait()?.matches(b"a literal"));
/// # Ok::<_, auth_core::Error>(())
/// ```
pub trait SecretSource: Send + Sync {
    /// The secret as it is now.
    ///
    /// # Errors
    ///
    /// `Error::Config` that names the source when there is no secret, `Error::Transport` or `Error::Unavailable` when it
    /// could not be read now. Nothing is sent without a secret that was to be sent.
    fn secret(&self) -> Flow<'_, Arc<Secret>>;
}

/// A literal; each use copies it.
impl SecretSource for Secret {
    fn secret(&self) -> Flow<'_, Arc<Secret>> {
        Flow::ready(Arc::new(Self::new(self.expose())))
    }
}

macro_rules! forward {
    ($($pointer:ident),*) => {$(
        impl<S: SecretSource + ?Sized> SecretSource for $pointer<S> {
            fn secret(&self) -> Flow<'_, Arc<Secret>> {
                (**self).secret()
            }
        }
    )*};
}

forward!(Arc, Box);
