//! Which state of which scheme made some credentials.

use crate::Credentials;
use std::sync::Arc;

/// The mark of one generation of one scheme's state (a token, a nonce, a pair of keys) on the credentials made with it.
///
/// When a request is refused, the stamp says what was refused: not whatever the scheme holds by then. So a thousand
/// requests refused at one generation renew once, and a late refusal of an older one renews nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    by: usize,
    generation: u64,
}

/// Leaves stamps and finds them again: one for each thing that has generations.
///
/// ```
/// use auth_core::{Credentials, Stamper};
/// let stamper = Stamper::new();
/// let sent = Credentials::none().stamped(stamper.stamp(3));
/// assert_eq!(stamper.find(&sent), Some(3));
/// assert_eq!(Stamper::new().find(&sent), None);
/// ```
#[derive(Debug)]
pub struct Stamper(Arc<()>);

impl Stamper {
    /// A stamper that no other in this process is equal to while it lives.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(()))
    }

    /// The stamp of a generation.
    #[must_use]
    pub fn stamp(&self, generation: u64) -> Stamp {
        Stamp { by: self.address(), generation }
    }

    /// The generation that made these credentials; `None` when another scheme did.
    #[must_use]
    pub fn find(&self, sent: &Credentials) -> Option<u64> {
        sent.stamps().find(|stamp| stamp.by == self.address()).map(|stamp| stamp.generation)
    }

    /// An allocation of its own is what tells it from all others, with no counter shared by the process.
    pub(crate) fn address(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }
}

impl Default for Stamper {
    fn default() -> Self {
        Self::new()
    }
}
