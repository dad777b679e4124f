//! What is known about an identifier.

use crate::Flow;
use std::{
    borrow::Borrow,
    collections::HashMap,
    hash::{BuildHasher, Hash},
    sync::Arc,
};

/// Finds what is known about an identifier: a password's hash by user, a record by key, a session by token.
///
/// Keys are typed (`(realm, user, algorithm)`, `KeyId { issuer, kid }`), never glued into one string. The flow does
/// not borrow the key, so that a store may answer after the request is gone. A map is a lookup.
///
/// ```
/// use auth_core::Lookup;
/// use std::collections::HashMap;
/// let known = HashMap::from([(String::from("alice"), 7)]);
/// assert_eq!(Lookup::<str>::lookup(&known, "alice").wait()?, Some(7));
/// # Ok::<_, auth_core::Error>(())
/// ```
pub trait Lookup<K: ?Sized>: Send + Sync {
    /// What is known.
    type Found: Send;

    /// Finds it; `None` when nothing is known, an error when nobody could tell.
    fn lookup(&self, id: &K) -> Flow<'_, Option<Self::Found>>;
}

impl<K, V, S, Q> Lookup<Q> for HashMap<K, V, S>
where
    K: Borrow<Q> + Eq + Hash + Send + Sync,
    V: Clone + Send + Sync,
    S: BuildHasher + Send + Sync,
    Q: Eq + Hash + ?Sized,
{
    type Found = V;

    fn lookup(&self, id: &Q) -> Flow<'_, Option<V>> {
        Flow::ready(self.get(id).cloned())
    }
}

macro_rules! forward {
    ($($pointer:ident),*) => {$(
        impl<K: ?Sized, L: Lookup<K> + ?Sized> Lookup<K> for $pointer<L> {
            type Found = L::Found;

            fn lookup(&self, id: &K) -> Flow<'_, Option<L::Found>> {
                (**self).lookup(id)
            }
        }
    )*};
}

forward!(Arc, Box);
