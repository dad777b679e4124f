//! A source whose tokens are kept in a store.

mod entry;
mod exchange;
mod not_saved;
mod put;
mod token;
mod unsaved;

pub use not_saved::TokenNotSaved;
pub use token::StoredToken;

use crate::{
    Intent, Lease, SaveOutcome, StorableToken, StoredEntry, TokenStore, schedule::fraction,
};
use auth_core::{Context, Error, Flow, Renewal, Result, Secret, TokenSource};
use entry::{is_dead, newer};
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use unsaved::{Unsaved, UnsavedToken};

/// A source whose tokens are kept in a [`TokenStore`], so that they outlive the process and several processes share
/// them.
///
/// A session that needs a token looks into the store first: another process may have renewed. If not, it takes the lease, looks
/// again, renews *what is kept* (a refresh token that rotates is good once), and saves the new one before anybody uses
/// it. If the store fails then, callers get an `Error::Unavailable` whose cause is [`TokenNotSaved`]; the next attempt saves
/// the token that was obtained, and asks for no other. A token that the issuer will never renew
/// ([`StorableToken::is_ended_by`]) is removed, unless another process has saved one meanwhile. A process that does not get the lease waits for the other's token, or for the end of the lease.
///
/// A process that dies between the issuer's answer and the saving takes the answer with it. What that means depends on
/// the issuer:
///
/// - It lets an old refresh token be used until the new one has been: the next process renews what was kept before, and
///   knows that somebody has asked with it already ([`StorableToken::after_lost_renewal`]).
/// - It revokes the whole family when the old one comes again: a new log-in is wanted.
/// - It lets only one token live at a time: no process can have another one until the lost one has ended. Set
///   [`with_intents`](Self::with_intents) for these.
pub struct Stored<S, K> {
    source: S,
    store: Arc<K>,
    name: Arc<str>,
    hold: Duration,
    /// How long a token lives whose answer was lost, if that keeps others from being made.
    life: Option<Duration>,
    /// A token that was obtained and is not in the store yet.
    unsaved: Arc<Unsaved>,
    /// The fence of what the store had when it was last looked at.
    seen: AtomicU64,
}

impl<S, K> Stored<S, K> {
    /// Keeps the tokens of `source` in `store` under this name: all who use the name there share them.
    pub fn new(source: S, store: K, name: &str) -> Self {
        let hold = Duration::from_secs(60);
        let (store, unsaved) = (Arc::new(store), Arc::default());
        let (name, seen) = (name.into(), AtomicU64::new(0));
        Self { source, store, name, hold, life: None, unsaved, seen }
    }

    /// What tokens are obtained from.
    #[must_use]
    pub const fn source(&self) -> &S {
        &self.source
    }

    /// How long a renewal may take before another process takes over; a minute unless set.
    #[must_use]
    pub fn with_lease(self, hold: Duration) -> Self {
        Self { hold, ..self }
    }

    /// Writes an [`Intent`] before each exchange, for issuers that let only one token live at a time; `life` is how
    /// long a token lives there.
    ///
    /// The intent is removed with the saving of the token, or with an error that says that the issuer made no token:
    /// `Error::Refused`, `Error::Config`, and `Error::Unavailable`, which stands for a 429 or 503 by which the issuer
    /// itself says that it did nothing, and an `Error::Transport` of a request that
    /// [was not sent](Error::is_not_sent). The source has to give a timeout, a 500, a 502 and a 504 as `Error::Transport`
    /// ([`TokenSource::token`]), or a token that was made is lost and the next exchange ends it.
    ///
    /// After any other error (`Error::Transport` otherwise, `Error::Protocol`), and after the death of the process, the intent
    /// stays: until it is older than `life` no process that shares the store asks the issuer, and all get an
    /// `Error::Unavailable` with the code `session_held_elsewhere`, whose cause is a
    /// [`SessionHeldElsewhere`](crate::SessionHeldElsewhere).
    #[must_use]
    pub fn with_intents(self, life: Duration) -> Self {
        Self { life: Some(life), ..self }
    }
}

impl<S, K> Stored<S, K>
where
    S: TokenSource,
    S::Token: StorableToken,
    K: TokenStore,
{
    async fn obtain(
        &self,
        context: &Context,
        why: Renewal<StoredToken<S::Token>>,
    ) -> Result<StoredToken<S::Token>> {
        loop {
            let kept = self.store.load(&self.name).await?;
            self.seen.store(kept.as_ref().map_or(0, |kept| kept.fence), Ordering::Relaxed);
            if let Some(other) = newer(context, kept.as_ref(), &why)? {
                self.unsaved.forget_replaced(other.fence);
                return Ok(other);
            }
            let Some(lease) = self.lease(context).await? else { continue };
            let renewed = self.renew(context, lease, &why).await;
            self.release(lease).await;
            if let Some(token) = renewed? {
                return Ok(token);
            }
        }
    }

    /// The lease; none after a pause, if another process has it.
    async fn lease(&self, context: &Context) -> Result<Option<Lease>> {
        let lease = self.store.lease(&self.name, self.hold).await?;
        if lease.is_none() {
            Self::wait(context).await?;
        }
        Ok(lease)
    }

    async fn wait(context: &Context) -> Result<()> {
        let wait = 50.0 + 100.0 * fraction(&*context.random);
        context.transport.pause(Duration::from_millis(1).mul_f64(wait)).await
    }

    async fn release(&self, lease: Lease) {
        // A lease that cannot be given back runs out by itself. It hides neither a token that was saved nor an error.
        let _ = self.store.release(&self.name, lease).await;
    }

    /// Renews what is kept, under a lease; `None` when the lease was lost meanwhile. A token that was obtained and then
    /// could not be saved, for that reason or because the store failed, is the first choice of the next attempt.
    async fn renew(
        &self,
        context: &Context,
        lease: Lease,
        why: &Renewal<StoredToken<S::Token>>,
    ) -> Result<Option<StoredToken<S::Token>>> {
        let kept = self.store.load(&self.name).await?;
        if let Some(other) = newer(context, kept.as_ref(), why)? {
            self.unsaved.forget();
            return Ok(Some(other));
        }
        let replaces = kept.as_ref().map_or(0, |kept| kept.fence);
        let unsaved = self.left_unsaved(kept.as_ref())?;
        // One that ended before it could be saved is renewed as what is kept.
        let is_over = unsaved.as_ref().is_some_and(|(token, _)| is_dead(context, token));
        let obtained = match unsaved {
            Some(unsaved) => Some(unsaved),
            None => match self.exchange(context, lease, why, kept.as_ref()).await {
                Err(error) if S::Token::is_ended_by(&error) => {
                    return self.remove_ended(lease, error, kept.as_ref()).await;
                }
                obtained => obtained?,
            },
        };
        let Some((token, noted)) = obtained else { return Ok(None) };
        let rest = token.to_rest();
        let bytes = Secret::new(rest.expose());
        *self.unsaved.lock() = Some(UnsavedToken { bytes, replaces, noted });
        let saved = self.store.save(&self.name, lease, Some(&rest)).await;
        if saved.map_err(TokenNotSaved::error)? == SaveOutcome::Lost {
            return Ok(None);
        }
        self.seen.store(lease.fence, Ordering::Relaxed);
        self.unsaved.forget();
        Ok((!is_over).then_some(StoredToken { token, fence: lease.fence }))
    }

    /// Removes a token that the issuer will never renew; `None` when the lease was lost, so that another process may have
    /// saved a token since. If the store fails, the next attempt finds the token and asks once more.
    async fn remove_ended(
        &self,
        lease: Lease,
        error: Error,
        kept: Option<&StoredEntry>,
    ) -> Result<Option<StoredToken<S::Token>>> {
        if kept.is_none_or(|kept| kept.token.is_none()) {
            return Err(error);
        }
        match self.store.save(&self.name, lease, None).await {
            Ok(SaveOutcome::Lost) => Ok(None),
            Ok(SaveOutcome::Kept) | Err(_) => Err(error),
        }
    }

    /// What could not be saved, if no other process has obtained a token since.
    fn left_unsaved(
        &self,
        kept: Option<&StoredEntry>,
    ) -> Result<Option<(S::Token, Option<Intent>)>> {
        let unsaved = self.unsaved.lock().take().filter(|unsaved| !unsaved.is_outdated(kept));
        let read = |unsaved: UnsavedToken| {
            S::Token::from_rest(unsaved.bytes.expose()).map(|token| (token, unsaved.noted))
        };
        unsaved.map(read).transpose()
    }
}

impl<S, K> TokenSource for Stored<S, K>
where
    S: TokenSource,
    S::Token: StorableToken,
    K: TokenStore,
{
    type Token = StoredToken<S::Token>;

    fn token<'a>(
        &'a self,
        context: &'a Context,
        why: Renewal<Self::Token>,
    ) -> Flow<'a, Self::Token> {
        Flow::new(self.obtain(context, why))
    }

    fn has_unsaved(&self) -> bool {
        self.unsaved.lock().is_some()
    }
}

impl<S, K> fmt::Debug for Stored<S, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stored({})", self.name)
    }
}
