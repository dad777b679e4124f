//! Where tokens are kept between processes, and which process may renew.

mod intent;
mod memory;

pub use intent::{Intent, SessionHeldElsewhere};
pub use memory::MemoryTokenStore;

use auth_core::{Error, Flow, Result, Secret, Token};
use std::{sync::Arc, time::Duration};

/// Keeps tokens where other processes find them, and lets one process at a time renew.
///
/// A lease is taken before a token is renewed, and a token is saved under it before it is first used. Each lease has a
/// higher number than all before it, its fence: a process that was too slow, and lost the lease to another, cannot save
/// over what that one saved.
///
/// Beside the token there may be an [`Intent`], the note that another token is being obtained. It is written under a
/// lease as a token is, and saving a token removes it.
///
/// # Security
///
/// What is kept is as good as a password until it expires. A store that outlives the process should
/// [seal](crate::Sealer) it.
pub trait TokenStore: Send + Sync {
    /// What is kept under this name; `None` if nothing ever was.
    fn load(&self, name: &str) -> Flow<'_, Option<StoredEntry>>;

    /// Takes the lease on this name for so long; `None` while another process has it.
    fn lease(&self, name: &str, hold: Duration) -> Flow<'_, Option<Lease>>;

    /// Keeps a token under this name, or removes the one that is there (`None`), for good when the flow is done, and
    /// removes the intent. The fence stays as [`StoredEntry::fence`] either way, so that other processes learn of it.
    fn save(&self, name: &str, lease: Lease, token: Option<&Secret>) -> Flow<'_, SaveOutcome>;

    /// Keeps an intent under this name, for good when the flow is done, or removes the one that is there. The token
    /// beside it and its fence stay as they are.
    fn intend(&self, name: &str, lease: Lease, intent: Option<Intent>) -> Flow<'_, SaveOutcome>;

    /// Gives the lease back early. It runs out by itself too.
    fn release(&self, name: &str, lease: Lease) -> Flow<'_, ()>;
}

/// What is kept under one name: a token, an intent, both, or the note that a token was removed.
#[derive(Debug)]
pub struct StoredEntry {
    /// The token, as [`StorableToken`] wrote it.
    pub token: Option<Secret>,
    /// The fence of the lease under which the token was saved or removed: what was done later has a higher one. Zero if
    /// neither ever was.
    pub fence: u64,
    /// That another token is being obtained, or was and its answer was lost.
    pub intent: Option<Intent>,
}

/// The right to renew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Higher than that of every lease on this name before it.
    pub fence: u64,
}

/// Was it kept?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SaveOutcome {
    /// Yes, and it stays.
    Kept,
    /// No: the lease ran out, and another process has taken it.
    Lost,
}

/// A token that can be kept where it outlives the process.
pub trait StorableToken: Token {
    /// All that is needed to use and renew it, as bytes, of which there is at least one.
    fn to_rest(&self) -> Secret;

    /// Reads what [`to_rest`](Self::to_rest) wrote, perhaps in another version of the program: the first byte should be
    /// the version of the form.
    ///
    /// # Errors
    ///
    /// When it cannot be read. Every caller that needs the token gets this error. It is never obtained anew instead,
    /// because the newer program that wrote it may be using it.
    fn from_rest(bytes: &[u8]) -> Result<Self>;

    /// Does a renewal spend what it is asked with, as it does with a refresh token that rotates? Then a note is written
    /// before the issuer is asked, which keeps nobody from asking.
    fn is_spent_by_renewal(&self) -> bool {
        false
    }

    /// The same token, when a process has asked for its renewal and nobody knows what came of it: the process died, or the
    /// answer did not arrive.
    #[must_use]
    fn after_lost_renewal(self) -> Self {
        self
    }

    /// Does this error of its renewal say that the issuer will never renew it, because what it was granted for has
    /// ended? Then it is removed from the store, unless another process has saved something since, and no process asks
    /// with it again. Without a word of the scheme no error says so.
    fn is_ended_by(error: &Error) -> bool {
        let _ = error;
        false
    }
}

macro_rules! forward {
    ($($pointer:ident),*) => {$(
        impl<K: TokenStore + ?Sized> TokenStore for $pointer<K> {
            fn load(&self, name: &str) -> Flow<'_, Option<StoredEntry>> {
                (**self).load(name)
            }

            fn lease(&self, name: &str, hold: Duration) -> Flow<'_, Option<Lease>> {
                (**self).lease(name, hold)
            }

            fn save(&self, name: &str, lease: Lease, token: Option<&Secret>) -> Flow<'_, SaveOutcome> {
                (**self).save(name, lease, token)
            }

            fn intend(&self, name: &str, lease: Lease, intent: Option<Intent>) -> Flow<'_, SaveOutcome> {
                (**self).intend(name, lease, intent)
            }

            fn release(&self, name: &str, lease: Lease) -> Flow<'_, ()> {
                (**self).release(name, lease)
            }
        }
    )*};
}

forward!(Arc, Box);
