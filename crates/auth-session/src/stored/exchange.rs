//! The exchange with the issuer, and the note of it.

use super::{Stored, StoredToken, entry::why_asked};
use crate::{Intent, Lease, SaveOutcome, StorableToken, StoredEntry, TokenStore};
use auth_core::{Context, Error, Renewal, Result, Timestamp, TokenSource};
use std::time::Duration;

impl<S, K> Stored<S, K>
where
    S: TokenSource,
    S::Token: StorableToken,
    K: TokenStore,
{
    /// Asks the issuer, with a note of it before, which comes with the token; `None` when the lease was lost before.
    pub(super) async fn exchange(
        &self,
        context: &Context,
        lease: Lease,
        why: &Renewal<StoredToken<S::Token>>,
        kept: Option<&StoredEntry>,
    ) -> Result<Option<(S::Token, Option<Intent>)>> {
        let now = context.clock.now();
        let mut noted = kept.and_then(|kept| kept.intent);
        if let Some(ahead) = noted.filter(|noted| noted.is_beyond_reach(now)) {
            let again = ahead.begun(now);
            if self.store.intend(&self.name, lease, Some(again)).await? == SaveOutcome::Lost {
                return Ok(None);
            }
            noted = Some(again);
        }
        if let Some(noted) = noted.filter(|noted| noted.holds() && now < noted.retry_at) {
            return Err(noted.error(now, None));
        }
        let why = why_asked(why.clone(), kept)?;
        let Some(intent) = self.intent(&why, now) else {
            let token = self.source.token(context, why).await?;
            return Ok(Some((token, None)));
        };
        // An answer that was lost earlier is lost still.
        let before = noted.filter(|noted| !noted.holds());
        match self.store.intend(&self.name, lease, Some(intent)).await {
            Ok(SaveOutcome::Kept) => {}
            Ok(SaveOutcome::Lost) => return Ok(None),
            Err(error) => {
                // It may have been kept all the same, and the issuer is not asked.
                let _ = self.store.intend(&self.name, lease, before).await;
                return Err(error);
            }
        }
        match self.source.token(context, why).await {
            Ok(token) => Ok(Some((token, Some(intent)))),
            Err(error) if proves_no_token(&error) => {
                // If it cannot be removed, the issuer is not asked for a while though it could be: the safe side.
                let _ = self.store.intend(&self.name, lease, before).await;
                Err(error)
            }
            // Nobody is kept from asking again; the note says that somebody has asked.
            Err(lost) if !intent.holds() => Err(lost),
            // A kind of error that is added later proves nothing either.
            Err(lost) => {
                let now = context.clock.now();
                let intent = intent.lost(now);
                // If it cannot be kept, that of before is, which ends a little early.
                let _ = self.store.intend(&self.name, lease, Some(intent)).await;
                Err(intent.error(now, Some(lost)))
            }
        }
    }

    /// The note to write before the issuer is asked: one that keeps others from asking where only one token may live, and
    /// one that keeps nobody where a renewal spends what it is asked with.
    fn intent(&self, why: &Renewal<S::Token>, now: Timestamp) -> Option<Intent> {
        let is_spent = match why {
            Renewal::First => false,
            Renewal::Due(old) | Renewal::Refused(old, _) => old.is_spent_by_renewal(),
        };
        let life = self.life.or(is_spent.then_some(Duration::ZERO))?;
        Some(Intent::of(life, now))
    }
}

/// Does this error of the issuer say that it made no token?
fn proves_no_token(error: &Error) -> bool {
    matches!(error, Error::Refused(_) | Error::Config(_) | Error::Unavailable { .. })
        || error.is_not_sent()
}
