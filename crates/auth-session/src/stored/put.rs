//! Tokens that were obtained elsewhere.

use super::{Stored, StoredToken, Unsaved, lock};
use crate::{SaveOutcome, StorableToken, TokenStore};
use auth_core::{Context, Flow, Result, Secret, TokenSource, finish_even_if_dropped};
use std::{sync::Arc, time::Duration};

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
    /// Those of the store, and of the transport's pauses.
    pub fn put<'a>(
        &'a self,
        context: &'a Context,
        token: S::Token,
    ) -> Flow<'a, StoredToken<S::Token>> {
        Flow::new(async move {
            loop {
                let attempt = Attempt {
                    store: Arc::clone(&self.store),
                    name: Arc::clone(&self.name),
                    unsaved: Arc::clone(&self.unsaved),
                    hold: self.hold,
                    token: token.to_rest(),
                };
                let kept = finish_even_if_dropped(&*context.transport, Flow::new(attempt.run()));
                if let Some(fence) = kept.await? {
                    return Ok(StoredToken { token, fence });
                }
                Self::wait(context).await?;
            }
        })
    }
}

/// What is seen through, without the caller.
struct Attempt<K> {
    store: Arc<K>,
    name: Arc<str>,
    unsaved: Arc<Unsaved>,
    hold: Duration,
    token: Secret,
}

impl<K: TokenStore> Attempt<K> {
    /// The fence under which it was saved; none when another process has the lease, or took it meanwhile.
    async fn run(self) -> Result<Option<u64>> {
        let Some(lease) = self.store.lease(&self.name, self.hold).await? else { return Ok(None) };
        let saved = self.store.save(&self.name, lease, Some(&self.token)).await;
        if matches!(saved, Ok(SaveOutcome::Kept)) {
            *lock(&self.unsaved) = None;
        }
        // One that cannot be given back runs out by itself.
        let _ = self.store.release(&self.name, lease).await;
        Ok((saved? == SaveOutcome::Kept).then_some(lease.fence))
    }
}
