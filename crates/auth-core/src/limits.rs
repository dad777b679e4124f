//! How often a secret may be wrong: the same limit for every scheme.

mod attempt;
mod buckets;
mod key;
mod memory;
mod seed;

pub use attempt::{Attempt, AttemptLimit, AttemptOutcome};
pub use buckets::AttemptRate;
pub use key::AttemptKey;
pub use memory::MemoryAttemptLimits;

use crate::Flow;
use std::{sync::Arc, time::Duration};

/// Counts wrong attempts, for each source and for each identity that is claimed: a user name, a key's id.
///
/// [`MemoryAttemptLimits`] counts in this process; a store that several nodes share counts for all of them. Each call is one
/// step for the store: two callers never both get what was left for one.
///
/// A verifier asks through an [`AttemptLimit`], which it is given with `with_limit`. What passes the limit is a 429,
/// never a 401: the caller has not been told that the secret was wrong.
pub trait Limits: Send + Sync {
    /// May this attempt be made now? If not, how long should the caller wait?
    ///
    /// # Errors
    ///
    /// When the store cannot tell; no attempt is then made.
    fn may_try(&self, by: AttemptKey) -> Flow<'_, Result<(), Duration>>;

    /// Notes how an attempt ended. The caller does not wait until the store has done so.
    fn note(&self, by: AttemptKey, settled: AttemptOutcome);
}

macro_rules! forward {
    ($($pointer:ident),*) => {$(
        impl<L: Limits + ?Sized> Limits for $pointer<L> {
            fn may_try(&self, by: AttemptKey) -> Flow<'_, Result<(), Duration>> {
                (**self).may_try(by)
            }

            fn note(&self, by: AttemptKey, settled: AttemptOutcome) {
                (**self).note(by, settled);
            }
        }
    )*};
}

forward!(Arc, Box);
