//! A source whose tokens are kept in a store.

use crate::{AtRest, Entry, Lease, Saved, TokenStore, schedule::fraction};
use auth_core::{
    Answer, Context, Credentials, Flow, Lifespan, Need, Present, Refusal, Renewal, Result, Token,
    TokenSource,
};
use http::{HeaderMap, StatusCode};
use std::{fmt, time::Duration};

/// A source whose tokens are kept in a [`TokenStore`], so that they outlive the process and several processes share
/// them.
///
/// Whoever needs a token looks into the store first: another process may have renewed. If not, it takes the lease, looks
/// again, renews *what is kept* (a refresh token that rotates is good once), and saves the new one before anybody uses
/// it. Who does not get the lease waits for the other's token, or for the end of the lease.
///
/// A process that dies between the issuer's answer and the saving takes the answer with it; the next one renews what was
/// kept before. An issuer that lets an old refresh token be used until the new one has been is then still content; one
/// that does not wants a new log-in.
pub struct Stored<S, K> {
    source: S,
    store: K,
    name: Box<str>,
    hold: Duration,
    context: Context,
}

/// A token from a store.
#[derive(Clone, Debug)]
pub struct StoredToken<T> {
    token: T,
    fence: u64,
}

impl<T> StoredToken<T> {
    /// The token itself.
    #[must_use]
    pub const fn token(&self) -> &T {
        &self.token
    }
}

impl<S, K> Stored<S, K> {
    /// Keeps the tokens of `source` in `store` under this name: all who use the name there share them.
    pub fn new(source: S, store: K, name: &str, context: Context) -> Self {
        Self { source, store, name: name.into(), hold: Duration::from_secs(60), context }
    }

    /// How long a renewal may take before another process takes over; a minute unless set.
    #[must_use]
    pub fn holding(self, hold: Duration) -> Self {
        Self { hold, ..self }
    }
}

impl<S, K> Stored<S, K>
where
    S: TokenSource,
    S::Token: AtRest,
    K: TokenStore,
{
    async fn obtain(&self, why: Renewal<StoredToken<S::Token>>) -> Result<StoredToken<S::Token>> {
        loop {
            if let Some(other) = self.newer(self.store.load(&self.name).await?, &why) {
                return Ok(other);
            }
            let Some(lease) = self.store.lease(&self.name, self.hold).await? else {
                let wait = 50.0 + 100.0 * fraction(&*self.context.random);
                self.context.transport.pause(Duration::from_millis(1).mul_f64(wait)).await?;
                continue;
            };
            let renewed = self.renew(lease, &why).await;
            self.store.release(&self.name, lease).await?;
            if let Some(token) = renewed? {
                return Ok(token);
            }
        }
    }

    /// Renews what is kept, under a lease; `None` when the lease was lost meanwhile.
    async fn renew(
        &self,
        lease: Lease,
        why: &Renewal<StoredToken<S::Token>>,
    ) -> Result<Option<StoredToken<S::Token>>> {
        let kept = self.store.load(&self.name).await?;
        let readable = kept.as_ref().and_then(read);
        if let Some(other) = self.newer(kept, why) {
            return Ok(Some(other));
        }
        let token = self.source.token(inner(why.clone(), readable)).await?;
        let fence = lease.fence;
        match self.store.save(&self.name, lease, &token.to_rest()).await? {
            Saved::Kept => Ok(Some(StoredToken { token, fence })),
            Saved::Lost => Ok(None),
        }
    }

    /// What is kept, if it is better than what there was: later than that, and not dead.
    fn newer(
        &self,
        kept: Option<Entry>,
        why: &Renewal<StoredToken<S::Token>>,
    ) -> Option<StoredToken<S::Token>> {
        let kept = kept?;
        let known = match why {
            Renewal::First => 0,
            Renewal::Due(old) | Renewal::Refused(old, _) => old.fence,
        };
        let token: S::Token = read(&kept)?;
        let dead =
            matches!(token.lifespan(), Lifespan::Until(end) if end <= self.context.clock.now());
        (kept.fence > known && !dead).then_some(StoredToken { token, fence: kept.fence })
    }
}

/// What cannot be read is obtained anew.
fn read<T: AtRest>(kept: &Entry) -> Option<T> {
    T::from_rest(kept.token.expose()).ok()
}

/// Why the source is asked: about the token that is kept, which may be later than the one we had.
fn inner<T>(why: Renewal<StoredToken<T>>, kept: Option<T>) -> Renewal<T> {
    match (why, kept) {
        (Renewal::Refused(old, refusal), kept) => {
            Renewal::Refused(kept.unwrap_or(old.token), refusal)
        }
        (Renewal::Due(old), kept) => Renewal::Due(kept.unwrap_or(old.token)),
        (Renewal::First, Some(kept)) => Renewal::Due(kept),
        (Renewal::First, None) => Renewal::First,
    }
}

impl<S, K> TokenSource for Stored<S, K>
where
    S: TokenSource,
    S::Token: AtRest,
    K: TokenStore,
{
    type Token = StoredToken<S::Token>;

    fn token(&self, why: Renewal<Self::Token>) -> Flow<'_, Self::Token> {
        Flow::new(self.obtain(why))
    }
}

impl<T: Token> Token for StoredToken<T> {
    fn lifespan(&self) -> Lifespan {
        self.token.lifespan()
    }
}

impl<T: Present> Present for StoredToken<T> {
    fn credentials(&self) -> Result<Credentials> {
        self.token.credentials()
    }

    fn refusal(answer: Answer<'_>) -> Option<Refusal> {
        T::refusal(answer)
    }

    fn reads(status: StatusCode, headers: &HeaderMap) -> Need {
        T::reads(status, headers)
    }
}

impl<S, K> fmt::Debug for Stored<S, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stored({})", self.name)
    }
}
