//! Tokens that were obtained elsewhere, and tokens that nobody is to have any more.

use super::{
    Stored, StoredToken, TokenNotSaved,
    unsaved::{Unsaved, UnsavedToken},
};
use crate::{Lease, SaveOutcome, StorableToken, TokenStore};
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
            let fence = self.change(context, Some(token.to_rest()), None).await?;
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
        Flow::new(async move { self.change(context, None, None).await.map(drop) })
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
        Flow::new(async move { self.change(context, None, Some(fence)).await.map(drop) })
    }

    /// The fence under which it was changed; if `only` one fence is to be replaced, that of what stays instead.
    async fn change(
        &self,
        context: &Context,
        token: Option<Secret>,
        only: Option<u64>,
    ) -> Result<u64> {
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
            if let Some(fence) = kept.await? {
                self.seen.store(fence, Ordering::Relaxed);
                return Ok(fence);
            }
            Self::wait(context).await?;
        }
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
    /// The fence of what is to be replaced; anything if none.
    only: Option<u64>,
    token: Option<Secret>,
}

impl<K: TokenStore> Attempt<K> {
    /// The fence under which it was changed; none when another process has the lease, or took it meanwhile.
    async fn run(self) -> Result<Option<u64>> {
        match (self.changed().await, self.token) {
            (Err(store), Some(token)) => {
                let (replaces, noted) = (self.seen, None);
                *self.unsaved.lock() = Some(UnsavedToken { bytes: token, replaces, noted });
                Err(TokenNotSaved::error(store))
            }
            (changed, _) => changed,
        }
    }

    async fn changed(&self) -> Result<Option<u64>> {
        let Some(lease) = self.store.lease(&self.name, self.hold).await? else { return Ok(None) };
        let changed = self.changed_under(lease).await;
        // One that cannot be given back runs out by itself.
        let _ = self.store.release(&self.name, lease).await;
        changed
    }

    async fn changed_under(&self, lease: Lease) -> Result<Option<u64>> {
        if let Some(only) = self.only {
            let kept = self.store.load(&self.name).await?.map_or(0, |kept| kept.fence);
            if kept != only {
                return Ok(Some(kept));
            }
        }
        let saved = self.store.save(&self.name, lease, self.token.as_ref()).await?;
        if saved == SaveOutcome::Lost {
            return Ok(None);
        }
        self.unsaved.forget();
        Ok(Some(lease.fence))
    }
}
