//! Where tokens are kept between processes, and who of them may renew.

mod memory;

pub use memory::MemoryTokenStore;

use auth_core::{Flow, Result, Secret, Token};
use std::{sync::Arc, time::Duration};

/// Keeps tokens where other processes find them, and lets one process at a time renew.
///
/// A lease is taken before a token is renewed, and a token is saved under it before it is first used. Each lease has a
/// higher number than all before it, its fence: whoever was too slow, and lost the lease to another, cannot save over
/// what that one saved.
///
/// # Security
///
/// What is kept is as good as a password until it expires. A store that outlives the process should encrypt it.
pub trait TokenStore: Send + Sync {
    /// What is kept under this name.
    fn load(&self, name: &str) -> Flow<'_, Option<Entry>>;

    /// Takes the lease on this name for so long; `None` while somebody else has it.
    fn lease(&self, name: &str, hold: Duration) -> Flow<'_, Option<Lease>>;

    /// Keeps a token under this name, for good when the flow is done.
    fn save(&self, name: &str, lease: Lease, token: &Secret) -> Flow<'_, Saved>;

    /// Gives the lease back early. It runs out by itself too.
    fn release(&self, name: &str, lease: Lease) -> Flow<'_, ()>;
}

/// A token that is kept.
#[derive(Debug)]
pub struct Entry {
    /// As [`AtRest`] wrote it.
    pub token: Secret,
    /// The fence of the lease under which it was saved: what was saved later has a higher one.
    pub fence: u64,
}

/// The right to renew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Higher than that of every lease on this name before it.
    pub fence: u64,
}

/// Was it kept?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saved {
    /// Yes, and it stays.
    Kept,
    /// No: the lease ran out, and somebody else has taken it.
    Lost,
}

/// A token that can be kept where it outlives the process.
pub trait AtRest: Token {
    /// All that is needed to use and renew it, as bytes.
    fn to_rest(&self) -> Secret;

    /// Reads what [`to_rest`](Self::to_rest) wrote, perhaps in another version of the program.
    ///
    /// # Errors
    ///
    /// When it cannot be read. It is then obtained anew.
    fn from_rest(bytes: &[u8]) -> Result<Self>;
}

impl<K: TokenStore + ?Sized> TokenStore for Arc<K> {
    fn load(&self, name: &str) -> Flow<'_, Option<Entry>> {
        (**self).load(name)
    }

    fn lease(&self, name: &str, hold: Duration) -> Flow<'_, Option<Lease>> {
        (**self).lease(name, hold)
    }

    fn save(&self, name: &str, lease: Lease, token: &Secret) -> Flow<'_, Saved> {
        (**self).save(name, lease, token)
    }

    fn release(&self, name: &str, lease: Lease) -> Flow<'_, ()> {
        (**self).release(name, lease)
    }
}
