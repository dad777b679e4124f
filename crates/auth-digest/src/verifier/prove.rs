//! What a response proves: that the password is known, and that its nonce is young and its count unused.

use super::{
    DigestPrincipal, DigestQuery, DigestUserRecord, DigestVerifier, UserSecret,
    head::{Head, Stop},
    right::RightAttempt,
    unread,
};
use crate::{
    BodyHash, DigestAlgorithm, DigestMessage, DigestResponse,
    nonce::Age,
    reason,
    response::{UnderNonce, ha2},
};
use auth_core::{
    Candidates, Error, Flow, Lookup, Outcome, ReplayOutcome, RequestView, Result, Unique,
};
use std::{hint::black_box, sync::Arc};

impl UserSecret {
    /// Can a response under this algorithm be computed with it? If not, the look-up answers what it was not asked.
    fn check_usable(&self, algorithm: DigestAlgorithm) -> Result<()> {
        let function = match self {
            Self::Ha1(ha1) => ha1.function(),
            Self::Session(_) if !algorithm.is_session() => {
                let text = "look-up gave the secret of a session under an algorithm without one";
                return Err(Error::config("digest_known_session", text));
            }
            Self::Session(session) => session.function(),
        };
        if function != algorithm.function() {
            let text = "look-up gave a secret of another hash function than was asked for";
            return Err(Error::config("digest_known_function", text));
        }
        Ok(())
    }
}

/// A user whose response was right.
pub(super) struct Proven<P> {
    pub(super) user: Arc<str>,
    /// What the server proves itself with in its reply.
    pub(super) under: UnderNonce,
    pub(super) caller: P,
}

impl<L, P> DigestVerifier<L>
where
    L: for<'q> Lookup<DigestQuery<'q>, Found = Candidates<DigestUserRecord, P>>,
    P: Clone + Send + 'static,
{
    /// Is the response that of the password? Of several candidates all are tried, so that the time does not tell which
    /// one it is.
    pub(super) fn prove(
        &self,
        response: &DigestResponse<'_>,
        request: RequestView<'_>,
        body: Option<BodyHash>,
        found: Option<Candidates<DigestUserRecord, P>>,
    ) -> Result<Proven<P>, Stop> {
        let algorithm = response.algorithm();
        let session = |ha1: &crate::Ha1| ha1.session(algorithm, &response.nonce, response.cnonce());
        let message = response.message(request.method.as_str(), body);
        let DigestMessage { method, uri, protection, .. } =
            message.ok_or_else(|| Stop::Failed(unread()))?;
        let ha2 = ha2(algorithm.function(), method, uri, &protection);
        for known in found.iter().flat_map(Candidates::secrets) {
            known.secret.check_usable(algorithm).map_err(Stop::Failed)?;
        }
        let decoy = self.decoys.of(algorithm.function());
        let proven = Candidates::prove(found.as_ref(), |known| {
            let session = match known.map(|known| &known.secret.secret) {
                Some(UserSecret::Ha1(ha1)) => session(ha1),
                Some(UserSecret::Session(given)) => {
                    // Nothing is left to compute, but for nobody's session it would be: the time shall not tell.
                    black_box(session(decoy));
                    given.clone()
                }
                None => session(decoy),
            };
            let under = session.under(&response.nonce);
            let is_right = under.response(&protection, &ha2).matches(response.response);
            known.filter(|_| is_right).map(|known| (under, known))
        });
        let Some((under, known)) = proven else {
            let unknown = found.as_ref().is_none_or(Candidates::is_empty);
            let refused = if unknown { reason::USER_UNKNOWN } else { reason::RESPONSE_WRONG };
            return Err(refused.into());
        };
        let (user, caller) = (Arc::clone(&known.secret.user), known.principal.clone());
        Ok(Proven { user, under, caller })
    }

    /// The caller is the user it says it is: is its nonce young, and its count unused?
    pub(super) fn count<'a>(
        &'a self,
        request: RequestView<'a>,
        head: Head<'a>,
        proven: Proven<P>,
        attempt: RightAttempt,
    ) -> Result<Flow<'a, Outcome<DigestPrincipal<P>>>, Stop> {
        let Head { response, nonce } = head;
        let nonce = nonce.ok_or(reason::NONCE_FOREIGN)?;
        match nonce.age {
            Age::Old => return Err(reason::NONCE_OLD.into()),
            Age::Future => return Err(reason::NONCE_FUTURE.into()),
            Age::Young | Age::Due => {}
        }
        let user = proven.user.as_bytes();
        let unique = Unique::new("digest", user, &nonce.id, nonce.last).issued_at(nonce.issued);
        let unique = match &self.tenant {
            Some(tenant) => unique.with_tenant(tenant.clone()),
            None => unique,
        };
        let (told, seen) = match &response.counted {
            Some(counted) => {
                let count = counted.nc.number().into();
                (self.replay.window(&unique, count, self.window), reason::REPLAYED)
            }
            None => (self.replay.check_and_set(&unique), reason::NONCE_USED),
        };
        Ok(told.and_then(move |told| match told {
            ReplayOutcome::Fresh => {
                attempt.taken();
                self.accept(request, &response, nonce.age, proven)
            }
            ReplayOutcome::Seen => self.stopped(seen.into(), request),
            ReplayOutcome::TooOld => self.stopped(reason::NONCE_OLD.into(), request),
            ReplayOutcome::Full => Flow::failed(Error::unavailable(
                "digest_replay_store",
                None,
                "replay store has no room",
            )),
        }))
    }
}

#[cfg(test)]
mod tests;
