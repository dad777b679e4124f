//! Tokens that were obtained elsewhere, and tokens that nobody is to have any more.

use super::{
    Stored, StoredToken, TokenNotSaved,
    entry::stored,
    unsaved::{Unsaved, UnsavedToken},
};
use crate::{Lease, SaveOutcome, StorableToken, StoredEntry, TokenStore};
use auth_core::{Context, Flow, Result, Secret, TokenSource, finish_even_if_dropped};
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

impl<S, K> Stored<S, K>
where
    S: TokenSource,
    S::Token: StorableToken,
    K: TokenStore + 'static,
{
    /// Keeps a token that was obtained elsewhere, and removes the intent. What comes of it is for
    /// [`Session::put`](crate::Session::put) of the session over this source.
    ///
    /// It waits for the lease, so a renewal that another process has begun does not come after it. A caller that gives up
    /// the wait has put nothing there. Once the lease is asked for, the rest is seen through though the caller gives up,
    /// and the lease is given back; where the transport has no background it is given up with the flow, and the lease
    /// then runs out by itself.
    ///
    /// # Errors
    ///
    /// `Error::Unavailable` with `session_token_not_saved` when the store fails: the token is kept in memory, and the next
    /// renewal saves it in place of an exchange, unless another process has saved one meanwhile. Else those of the
    /// transport's pauses.
    pub fn put<'a>(
        &'a self,
        context: &'a Context,
        token: S::Token,
    ) -> Flow<'a, StoredToken<S::Token>> {
        Flow::new(async move {
            let fence = self.change(context, Some(token.to_rest()), Only::Any).await?.fence;
            Ok(StoredToken { token, fence })
        })
    }

    /// Removes what is kept, in the store and in memory: no process renews with it any more.
    ///
    /// It waits for the lease, and is seen through, as [`put`](Self::put) is.
    ///
    /// # Errors
    ///
    /// Those of the store, and of the transport's pauses.
    pub fn remove<'a>(&'a self, context: &'a Context) -> Flow<'a, ()> {
        Flow::new(async move { self.change(context, None, Only::Any).await.map(drop) })
    }

    /// Removes what is kept, as [`remove`](Self::remove) does, and gives it to be ended at the issuer: what another caller
    /// or process was obtaining meanwhile, and what the store could not take, included.
    ///
    /// # Errors
    ///
    /// Those of [`remove`](Self::remove); those of [`StorableToken::from_rest`], when it has been removed all the same.
    pub fn take<'a>(&'a self, context: &'a Context) -> Flow<'a, Option<S::Token>> {
        Flow::new(async move {
            let taken = self.change(context, None, Only::Taken).await?.taken;
            let Some(taken) = taken else { return Ok(None) };
            match &taken.unsaved {
                Some(unsaved) => S::Token::from_rest(unsaved.bytes.expose()).map(Some),
                None => Ok(stored::<S::Token>(taken.kept.as_ref())?.map(|kept| kept.token)),
            }
        })
    }

    /// Removes this token, if the store still has it: one that another process has saved since stays.
    ///
    /// It waits for the lease, and is seen through, as [`put`](Self::put) is.
    ///
    /// # Errors
    ///
    /// Those of the store, and of the transport's pauses.
    pub fn remove_token<'a>(
        &'a self,
        context: &'a Context,
        token: &StoredToken<S::Token>,
    ) -> Flow<'a, ()> {
        let fence = token.fence;
        let only = Only::Fence(fence);
        Flow::new(async move { self.change(context, None, only).await.map(drop) })
    }

    async fn change(
        &self,
        context: &Context,
        token: Option<Secret>,
        only: Only,
    ) -> Result<Changed> {
        loop {
            let attempt = Attempt {
                store: Arc::clone(&self.store),
                name: Arc::clone(&self.name),
                unsaved: Arc::clone(&self.unsaved),
                seen: self.seen.load(Ordering::Relaxed),
                hold: self.hold,
                only,
                token: token.as_ref().map(|token| Secret::new(token.expose())),
            };
            let kept = finish_even_if_dropped(&*context.transport, Flow::new(attempt.run()));
            if let Some(changed) = kept.await? {
                self.seen.store(changed.fence, Ordering::Relaxed);
                return Ok(changed);
            }
            Self::wait(context).await?;
        }
    }
}

/// What is to be replaced.
#[derive(Clone, Copy)]
enum Only {
    /// Whatever is there.
    Any,
    /// Whatever is there, which the caller wants to have.
    Taken,
    /// What has this fence.
    Fence(u64),
}

/// What a change came to.
#[derive(Clone)]
struct Changed {
    /// The fence under which it was made; that of what stays, where that was not to be replaced.
    fence: u64,
    /// What was there, if it was to be taken.
    taken: Option<Arc<Taken>>,
}

/// What the store had, and what it could not take.
struct Taken {
    kept: Option<StoredEntry>,
    unsaved: Option<UnsavedToken>,
}

impl From<u64> for Changed {
    fn from(fence: u64) -> Self {
        Self { fence, taken: None }
    }
}

/// What is seen through, without the caller.
struct Attempt<K> {
    store: Arc<K>,
    name: Arc<str>,
    unsaved: Arc<Unsaved>,
    /// The fence of what the store had when it was last looked at.
    seen: u64,
    hold: Duration,
    only: Only,
    token: Option<Secret>,
}

impl<K: TokenStore> Attempt<K> {
    /// None when another process has the lease, or took it meanwhile.
    async fn run(self) -> Result<Option<Changed>> {
        match (self.changed().await, self.token) {
            (Err(store), Some(token)) => {
                let (replaces, noted) = (self.seen, None);
                *self.unsaved.lock() = Some(UnsavedToken { bytes: token, replaces, noted });
                Err(TokenNotSaved::error(store))
            }
            (changed, _) => changed,
        }
    }

    async fn changed(&self) -> Result<Option<Changed>> {
        let Some(lease) = self.store.lease(&self.name, self.hold).await? else { return Ok(None) };
        let changed = self.changed_under(lease).await;
        // One that cannot be given back runs out by itself.
        let _ = self.store.release(&self.name, lease).await;
        changed
    }

    async fn changed_under(&self, lease: Lease) -> Result<Option<Changed>> {
        let before = match self.only {
            Only::Any => None,
            Only::Taken | Only::Fence(_) => self.store.load(&self.name).await?,
        };
        if let Only::Fence(only) = self.only {
            let kept = before.as_ref().map_or(0, |kept| kept.fence);
            if kept != only {
                return Ok(Some(kept.into()));
            }
        }
        let saved = self.store.save(&self.name, lease, self.token.as_ref()).await?;
        if saved == SaveOutcome::Lost {
            return Ok(None);
        }
        let unsaved = self.unsaved.lock().take();
        let unsaved = unsaved.filter(|unsaved| !unsaved.is_outdated(before.as_ref()));
        Ok(Some(match self.only {
            Only::Taken => {
                let taken = Some(Arc::new(Taken { kept: before, unsaved }));
                Changed { fence: lease.fence, taken }
            }
            Only::Any | Only::Fence(_) => lease.fence.into(),
        }))
    }
}
