//! Reads of a store through a cache that says how old it is.

mod back_off;
mod landing;
mod waits;

use crate::cache::{Cache, CacheSettings, Change, LogPage, Seen};
use auth_core::{Clock, Error, Flow, KeyDigest, Random, Result};
use std::{fmt, sync::Arc, time::Duration};
use waits::Waits;

/// A store that writes down in a log what changes, and says at which position of the log a reading was true.
///
/// # Security
///
/// A position that is told too high makes revocations late. The log is read as it was when the store is asked, never from a
/// replica that is behind; a change that is committed later than another one stands after it. `find` may read from a
/// replica, as long as `as_of` is that replica's position.
///
/// Each call has to end by itself, well before the staleness bound: those who wait for it have no clock to give up by.
pub trait LoggedStore: Send + Sync {
    /// What verifiers need of a credential.
    type Value: Send + Sync + 'static;

    /// What the store knows of a key.
    fn find(&self, key: &KeyDigest) -> Flow<'static, Found<Self::Value>>;

    /// What was changed after this position.
    fn changes_since(&self, position: u64) -> Flow<'static, LogPage>;

    /// The position of the log: that of the last change.
    fn position(&self) -> Flow<'static, u64>;
}

/// What a store knows of a key.
pub struct Found<T> {
    /// `None` when the store knows nothing of it.
    pub value: Option<Arc<T>>,
    /// The position of the log at which that was true. Take it before the reading, or in the same transaction.
    pub as_of: u64,
}

/// Reads a store through a [`Cache`], whose log it polls.
///
/// A key that is known costs no reading and no allocation. One that is not is read once for all who wait for it, and a
/// caller that gives up takes nothing from the others. When a poll is due one caller makes it, while the others go on with
/// what is known; call [`poll`](Self::poll) from a timer, a little more often than the poll interval, and no caller has to.
///
/// When the store does not answer, what is known is answered until it is as old as the staleness bound. From then on every
/// answer is an error of which the caller is to be told to come again (503 with Retry-After), not that its credential is bad.
/// The store is polled again after pauses of one second at first and two seconds at most, half of them by chance, so
/// that an outage ends within about two seconds of the first caller that comes after it.
///
/// A clone shares the cache.
///
/// ```
/// use auth_core::{Flow, KeyDigest, KeyHasher, SystemClock, SystemRandom};
/// use auth_lifecycle::{CacheSettings, cache::LogPage, cached_store::{CachedStore, Found, LoggedStore}};
/// use std::sync::Arc;
///
/// /// Knows one key, for ever.
/// struct Constant(KeyDigest);
///
/// impl LoggedStore for Constant {
///     type Value = &'static str;
///
///     fn find(&self, key: &KeyDigest) -> Flow<'static, Found<&'static str>> {
///         let value = (*key == self.0).then(|| Arc::new("orders"));
///         Flow::ready(Found { value, as_of: 1 })
///     }
///
///     fn changes_since(&self, _: u64) -> Flow<'static, LogPage> {
///         Flow::ready(LogPage::Last { changes: Vec::new(), reached: 1 })
///     }
///
///     fn position(&self) -> Flow<'static, u64> {
///         Flow::ready(1)
///     }
/// }
///
/// let random = SystemRandom::new();
/// let hasher = KeyHasher::random(&random)?;
/// let (settings, store) = (CacheSettings::default(), Constant(hasher.hash(b"the key")));
/// let store = CachedStore::new(store, settings, |name| size_of_val(name) + name.len(), SystemClock, random)?;
/// assert_eq!(store.get(&hasher.hash(b"the key")).wait()?.as_deref(), Some(&"orders"));
/// assert!(store.get(&hasher.hash(b"another")).wait()?.is_none());
/// # Ok::<_, auth_core::Error>(())
/// ```
pub struct CachedStore<S: LoggedStore>(Arc<Inner<S>>);

struct Inner<S: LoggedStore> {
    store: S,
    cache: Cache<S::Value>,
    bound: Duration,
    poll_interval: Duration,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    waits: Waits<S::Value>,
}

/// A caller looks again so often when what was read was changed meanwhile.
const ROUNDS: usize = 4;

impl<S: LoggedStore + 'static> CachedStore<S> {
    /// Reads this store. `weigh` says what a value holds in memory, in bytes, with its own size. Nothing is read before
    /// somebody asks.
    ///
    /// # Errors
    ///
    /// Those of [`Cache::new`].
    pub fn new(
        store: S,
        settings: CacheSettings,
        weigh: fn(&S::Value) -> usize,
        clock: impl Clock + 'static,
        random: impl Random + 'static,
    ) -> Result<Self> {
        Ok(Self(Arc::new(Inner {
            store,
            cache: Cache::new(settings, weigh, clock.steady())?,
            bound: settings.staleness_bound(),
            poll_interval: settings.poll_interval(),
            clock: Arc::new(clock),
            random: Arc::new(random),
            waits: Waits::default(),
        })))
    }

    /// What the store knows of a key, or knew less than the staleness bound ago.
    ///
    /// # Errors
    ///
    /// `Error::Unavailable` with the code `lifecycle_stale`, and when to come again, when the log could not be read for as
    /// long as the bound. Those of the store when it cannot read a key that is not known.
    #[inline]
    pub fn get(&self, key: &KeyDigest) -> Flow<'static, Option<Arc<S::Value>>> {
        let now = self.0.clock.steady();
        if let Some(value) = self.0.cache.fresh(key, now) {
            return Flow::ready(value);
        }
        match self.0.cache.look(key, now) {
            Seen::Hit(value) if !self.0.cache.poll_due(now) => Flow::ready(value),
            _ => self.settle(key),
        }
    }

    /// Polls the log now, due or not, or waits for the poll that is under way. For a timer of the program.
    ///
    /// # Errors
    ///
    /// `Error::Unavailable` with the code `lifecycle_stale` when the store did not answer, or did not answer just now. An
    /// `Error::Config` of the store, as it is: a person has to mend something.
    pub fn poll(&self) -> Flow<'static, ()> {
        let inner = Arc::clone(&self.0);
        Flow::new(async move { inner.polled().await })
    }

    /// Something was changed, as a notification of the store says: the next caller polls. Hints may be lost, late or
    /// repeated.
    pub fn hint(&self) {
        self.0.cache.hint();
    }

    /// What this process has just committed: it is respected here at once.
    pub fn forget(&self, change: &Change) {
        self.0.cache.forget(change);
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &S {
        &self.0.store
    }

    /// How much is kept: [`Cache::size`].
    #[must_use]
    pub fn size(&self) -> [(usize, usize); 2] {
        self.0.cache.size()
    }

    #[cold]
    fn settle(&self, key: &KeyDigest) -> Flow<'static, Option<Arc<S::Value>>> {
        let (inner, key) = (Arc::clone(&self.0), *key);
        Flow::new(async move { inner.read(key).await })
    }
}

impl<S: LoggedStore + 'static> Inner<S> {
    async fn read(self: Arc<Self>, key: KeyDigest) -> Result<Option<Arc<S::Value>>> {
        if self.cache.poll_due(self.clock.steady()) {
            if let Some(landing) = self.begin_poll() {
                // Good or bad: what is known may be young enough all the same.
                let _ = landing.await;
            }
        }
        for _ in 0..ROUNDS {
            let now = self.clock.steady();
            match self.cache.look(&key, now) {
                Seen::Hit(value) => return Ok(value),
                Seen::TooOld => self.polled().await?,
                Seen::Miss(ticket) => {
                    let filled = self.join_fill(key, ticket, now).await?;
                    let now = self.clock.steady();
                    if filled.good_until.is_some_and(|until| now < until) {
                        return Ok(filled.value);
                    }
                }
            }
        }
        let text = "a key was changed during each reading of it, or the store is slower than the staleness bound";
        Err(stale(self.poll_interval, text))
    }

    /// Waits for the poll that is under way, or makes one.
    async fn polled(self: &Arc<Self>) -> Result<()> {
        match self.join_poll() {
            Ok(landing) => landing.await,
            Err(error) => Err(error),
        }
    }
}

/// Why a log could not be read. What has to be mended by a person stays what it is: to come again does not help.
fn unread(retry_after: Duration, why: &Error) -> Error {
    match why {
        Error::Config(_) => why.clone(),
        _ => stale(retry_after, &why.to_string()),
    }
}

fn stale(retry_after: Duration, why: &str) -> Error {
    let text =
        format!("what is known of credentials is too old, expected their store to answer: {why}");
    Error::unavailable("lifecycle_stale", Some(retry_after), text)
}

macro_rules! forward {
    ($($pointer:ident),*) => {$(
        impl<S: LoggedStore + ?Sized> LoggedStore for $pointer<S> {
            type Value = S::Value;

            fn find(&self, key: &KeyDigest) -> Flow<'static, Found<S::Value>> {
                (**self).find(key)
            }

            fn changes_since(&self, position: u64) -> Flow<'static, LogPage> {
                (**self).changes_since(position)
            }

            fn position(&self) -> Flow<'static, u64> {
                (**self).position()
            }
        }
    )*};
}

forward!(Arc, Box);

impl<S: LoggedStore> Clone for CachedStore<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// Shows nothing of the value.
impl<T> fmt::Debug for Found<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = if self.value.is_some() { "known" } else { "unknown" };
        write!(f, "Found({known} as of {})", self.as_of)
    }
}

impl<S: LoggedStore> fmt::Debug for CachedStore<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CachedStore({:?})", self.0.cache)
    }
}

#[cfg(test)]
mod tests;
