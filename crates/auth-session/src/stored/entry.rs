//! What a store has, as the reason for a renewal.

use super::{Stored, StoredToken, unsaved::UnsavedToken};
use crate::{StorableToken, StoredEntry, TokenStore};
use auth_core::{Context, Flow, Lifespan, Renewal, Result, Token, TokenSource};

impl<S, K> Stored<S, K>
where
    S: TokenSource,
    S::Token: StorableToken,
    K: TokenStore,
{
    /// The token that the store has, dead or alive; the source is not asked.
    ///
    /// # Errors
    ///
    /// Those of the store, and of [`StorableToken::from_rest`].
    pub fn kept(&self) -> Flow<'_, Option<StoredToken<S::Token>>> {
        self.store.load(&self.name).and_then(|kept| stored(kept.as_ref()).into())
    }

    /// The token to end at the issuer when no other one is wanted: one that was obtained and that the store could not
    /// take ([`TokenNotSaved`](crate::TokenNotSaved)), unless another process has saved one since, or else the one that
    /// the store has, dead or alive. The source is not asked.
    ///
    /// # Errors
    ///
    /// Those of [`kept`](Self::kept), if there is no token that the store could not take.
    pub fn kept_or_unsaved(&self) -> Flow<'_, Option<StoredToken<S::Token>>> {
        self.store.load(&self.name).then(|kept| {
            let is_newest = |unsaved: &&UnsavedToken| {
                kept.as_ref().map_or(true, |kept| !unsaved.is_outdated(kept.as_ref()))
            };
            if let Some(unsaved) = self.unsaved.lock().as_ref().filter(is_newest) {
                let token = S::Token::from_rest(unsaved.bytes.expose());
                let fence = unsaved.replaces;
                return token.map(|token| Some(StoredToken { token, fence })).into();
            }
            kept.and_then(|kept| stored(kept.as_ref())).into()
        })
    }
}

pub(super) fn stored<T: StorableToken>(
    kept: Option<&StoredEntry>,
) -> Result<Option<StoredToken<T>>> {
    let Some(kept) = kept else { return Ok(None) };
    Ok(read(kept)?.map(|token| StoredToken { token, fence: kept.fence }))
}

/// What is kept, if it is better than what there was: later than that, not dead, and not about to be ended by another.
pub(super) fn newer<T: StorableToken>(
    context: &Context,
    kept: Option<&StoredEntry>,
    why: &Renewal<StoredToken<T>>,
) -> Result<Option<StoredToken<T>>> {
    let known = match why {
        Renewal::First => 0,
        Renewal::Due(old) | Renewal::Refused(old, _) => old.fence,
    };
    let is_held = |kept: &StoredEntry| kept.intent.is_some_and(|intent| intent.holds());
    let Some(kept) = kept.filter(|kept| kept.fence > known && !is_held(kept)) else {
        return Ok(None);
    };
    let token = read(kept)?.filter(|token| !is_dead(context, token));
    Ok(token.map(|token| StoredToken { token, fence: kept.fence }))
}

pub(super) fn is_dead(context: &Context, token: &impl Token) -> bool {
    match token.lifespan() {
        Lifespan::Until(end) => end <= context.clock.now(),
        Lifespan::Idle(_) | Lifespan::Unknown => false,
    }
}

pub(super) fn read<T: StorableToken>(kept: &StoredEntry) -> Result<Option<T>> {
    kept.token.as_ref().map(|token| T::from_rest(token.expose())).transpose()
}

/// Why the source is asked: about the token that is kept, which may be later than the one we had. When a token was removed
/// there is none to renew: the one that we had is the removed one, or an older one.
pub(super) fn why_asked<T: StorableToken>(
    why: Renewal<StoredToken<T>>,
    kept: Option<&StoredEntry>,
) -> Result<Renewal<T>> {
    let was_removed = |kept: &&StoredEntry| kept.token.is_none() && kept.fence > 0;
    if kept.filter(was_removed).is_some() {
        return Ok(Renewal::First);
    }
    let was_asked = kept.is_some_and(|kept| kept.intent.is_some());
    let kept: Option<T> = kept.map(read).transpose()?.flatten();
    let kept = kept.map(|kept| if was_asked { kept.after_lost_renewal() } else { kept });
    Ok(match (why, kept) {
        (Renewal::Refused(old, refusal), kept) => {
            Renewal::Refused(kept.unwrap_or(old.token), refusal)
        }
        (Renewal::Due(old), kept) => Renewal::Due(kept.unwrap_or(old.token)),
        (Renewal::First, Some(kept)) => Renewal::Due(kept),
        (Renewal::First, None) => Renewal::First,
    })
}
