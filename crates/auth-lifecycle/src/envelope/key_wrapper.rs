//! What encrypts the keys that secrets are encrypted under.

use auth_core::{Flow, Secret};
use std::{fmt, sync::Arc};

/// Encrypts and decrypts data keys under a master key: one in this process
/// ([`LocalKeyWrapper`](crate::LocalKeyWrapper)), or one that never leaves a key management service.
///
/// It may have several master keys, so that one can replace another: the newest wraps, and all of them unwrap. A
/// wrapped key names the master key that wrapped it; a wrapper uses that one and never tries others.
///
/// A flow borrows the wrapper and nothing else: a wrapper that has to ask somebody copies what it needs.
pub trait KeyWrapper: Send + Sync {
    /// The identifier of the master key that [`wrap_key`](Self::wrap_key) uses now: 1 to 255 visible ASCII characters.
    fn newest_key_id(&self) -> Arc<str>;

    /// Encrypts a data key of 32 bytes under the newest master key.
    ///
    /// # Errors
    ///
    /// `Error::Transport` or `Error::Unavailable` when a service could not be asked.
    fn wrap_key(&self, data_key: &Secret) -> Flow<'_, WrappedKey>;

    /// Decrypts a data key under the master key that `wrapped` names.
    ///
    /// # Errors
    ///
    /// `Error::Config` when this master key is not known, or did not wrap these bytes; `Error::Transport` or
    /// `Error::Unavailable` when a service could not be asked.
    fn unwrap_key(&self, wrapped: &WrappedKey) -> Flow<'_, Secret>;
}

/// A data key that a master key has encrypted, and the identifier of that master key.
#[derive(Clone, PartialEq, Eq)]
pub struct WrappedKey {
    /// The identifier of the master key: 1 to 255 visible ASCII characters. It is stored beside the secret and shown in
    /// errors.
    pub key_id: Arc<str>,
    /// What the wrapper needs to get the data key back: 1 to 4096 bytes, in a form of its own.
    pub bytes: Vec<u8>,
}

/// Shows which master key it was, and nothing of the data key.
impl fmt::Debug for WrappedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WrappedKey({:?} ..)", self.key_id)
    }
}

macro_rules! forward {
    ($($pointer:ident),*) => {$(
        impl<W: KeyWrapper + ?Sized> KeyWrapper for $pointer<W> {
            fn newest_key_id(&self) -> Arc<str> {
                (**self).newest_key_id()
            }

            fn wrap_key(&self, data_key: &Secret) -> Flow<'_, WrappedKey> {
                (**self).wrap_key(data_key)
            }

            fn unwrap_key(&self, wrapped: &WrappedKey) -> Flow<'_, Secret> {
                (**self).unwrap_key(wrapped)
            }
        }
    )*};
}

forward!(Arc, Box);
