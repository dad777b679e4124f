//! The server's end.

mod accounts;
mod build;
mod decoy;
mod head;
mod offer;
mod proof;
mod prove;
mod right;
mod target;

pub use accounts::{DigestAccounts, DigestQuery, DigestUserName, DigestUserRecord, UserSecret};

use crate::{
    BodyHash, DigestAlgorithm, DigestResponse, Qop,
    challenge::SCHEME,
    nonce::{Age, Nonces},
    reason,
    response::userhash,
};
use auth_core::{
    Accepted, Attempt, AttemptLimit, AttemptOutcome, Authorization, Candidates, Error, Flow,
    Lookup, Need, Outcome, Presence, ReplayStore, RequestView, Result, TenantId,
};
use decoy::Decoys;
use head::{Head, Stop};
use offer::Offer;
use proof::Proof;
use prove::Proven;
use right::RightAttempt;
use std::{fmt, str, sync::Arc};

/// Verifies Digest credentials (RFC 7616).
///
/// The look-up knows the HA1 of users, or asks an authority that gives it the secret of one session alone: it is asked a
/// [`DigestQuery`], and finds [`Candidates`] of [`DigestUserRecord`]. [`Nonces`] know which nonces
/// were issued and a [`ReplayStore`] knows which were used, so any number of nodes that share a key and a store are one
/// server.
///
/// Unless set otherwise it offers SHA-256 with `auth`, and takes requests that overtook one another within the last 128
/// counts. The reply proves the server's own knowledge of the password in `Authentication-Info`, and hands the next
/// nonce to a client that uses one past the middle of its life.
///
/// # Security
///
/// In this order: one field of bounded size; each parameter once and in its one spelling; algorithm, realm, opaque and
/// quality of protection as they were offered; the target of the request; then the response, in constant time and with
/// the same work for an unknown user, a known one and one in the middle of a rotation; then the age of the nonce, and last
/// the count, so that strangers cannot fill the store. Counts are kept for each nonce and user, so that no user spends
/// those of another; a store that is full makes the oldest nonces stale. All refusals look the same outside; only a right
/// response to an old nonce is told that it is `stale`.
///
/// An `auth-int` body is hashed as it was received. What a caller sends under `auth` is not protected but for method
/// and target.
pub struct DigestVerifier<L> {
    realm: Box<str>,
    accounts: L,
    nonces: Nonces,
    replay: Arc<dyn ReplayStore>,
    offer: Offer,
    opaque: String,
    window: u32,
    most_body: usize,
    decoys: Decoys,
    limit: Option<AttemptLimit>,
    tenant: Option<TenantId>,
}

/// The caller that a response proved, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DigestPrincipal<P = ()> {
    /// The user's name.
    pub user: Arc<str>,
    /// The algorithm of the response: it shows which users still need MD5.
    pub algorithm: DigestAlgorithm,
    /// What the response protects; `None` under RFC 2069.
    pub qop: Option<Qop>,
    /// Whom the look-up says that the user's secret stands for.
    pub caller: P,
}

impl<L, P> DigestVerifier<L>
where
    L: for<'q> Lookup<DigestQuery<'q>, Found = Candidates<DigestUserRecord, P>>,
    P: Clone + Send + 'static,
{
    fn judge<'a>(
        &'a self,
        request: RequestView<'a>,
    ) -> Result<Flow<'a, Outcome<DigestPrincipal<P>>>, Stop> {
        let head = self.head(request)?;
        let algorithm = head.response.algorithm();
        let body = match head.response.qop() {
            Some(Qop::AuthInt) => {
                let read = BodyHash::read(algorithm.function(), request.body);
                match (&head.nonce, read) {
                    (_, Some(body)) => Some(body),
                    (None, None) => return Err(reason::NONCE_UNPROVEN.into()),
                    (Some(_), None) => return Err(Stop::Failed(unread())),
                }
            }
            _ => None,
        };
        let hash;
        let name = match self.query(&head.response).name {
            // A name and its hash are one user, whose guesses are counted together.
            DigestUserName::Plain(name) if self.offer.userhash && self.limit.is_some() => {
                hash = userhash(algorithm.function(), name, self.realm.as_bytes());
                hash.as_bytes()
            }
            DigestUserName::Plain(name) | DigestUserName::Hashed(name) => name.as_bytes(),
        };
        let begun = Attempt::begin(self.limit.as_ref(), request, SCHEME, Some(name));
        Ok(begun.and_then(move |begun| match begun {
            Ok(attempt) => self.look_up(request, head, body, attempt),
            Err(rejection) => Flow::ready(Err(rejection)),
        }))
    }

    fn look_up<'a>(
        &'a self,
        request: RequestView<'a>,
        head: Head<'a>,
        body: Option<BodyHash>,
        attempt: Attempt,
    ) -> Flow<'a, Outcome<DigestPrincipal<P>>> {
        let found = self.accounts.lookup(&self.query(&head.response));
        found.then(move |found| {
            let found = match found {
                Ok(found) => found,
                Err(error) => {
                    attempt.settle(AttemptOutcome::Unknown);
                    return Flow::failed(error);
                }
            };
            let counted = match self.prove(&head.response, request, body, found) {
                Ok(proven) => self.count(request, head, proven, RightAttempt::new(attempt)),
                Err(stop) => {
                    attempt.settle(match &stop {
                        Stop::Failed(_) => AttemptOutcome::Unknown,
                        Stop::Refused(_) | Stop::Rejected(_) => AttemptOutcome::Wrong,
                    });
                    Err(stop)
                }
            };
            counted.unwrap_or_else(|stop| self.stopped(stop, request))
        })
    }

    fn accept<'a>(
        &self,
        request: RequestView<'_>,
        response: &DigestResponse<'_>,
        age: Age,
        proven: Proven<P>,
    ) -> Flow<'a, Outcome<DigestPrincipal<P>>> {
        let Proven { user, under, caller } = proven;
        let due = age == Age::Due || response.counted.is_none();
        let nextnonce = match due.then(|| self.nonces.issue(request.peer.address)).transpose() {
            Ok(nextnonce) => nextnonce,
            Err(error) => return Flow::failed(error),
        };
        let (algorithm, qop) = (response.algorithm(), response.qop());
        let principal = DigestPrincipal { user, algorithm, qop, caller };
        let proof = Proof::new(under, response, nextnonce, self.most_body);
        Flow::ready(Ok(Accepted::new(SCHEME, principal).with_completion(proof)))
    }

    fn stopped<'a>(
        &self,
        stop: Stop,
        request: RequestView<'_>,
    ) -> Flow<'a, Outcome<DigestPrincipal<P>>> {
        match stop {
            Stop::Failed(error) => Flow::failed(error),
            Stop::Rejected(rejection) => Flow::ready(Err(rejection)),
            Stop::Refused(refused) => self.refuse(refused, request).map(Err).into(),
        }
    }
}

impl<L, P> auth_core::Verifier for DigestVerifier<L>
where
    L: for<'q> Lookup<DigestQuery<'q>, Found = Candidates<DigestUserRecord, P>>,
    P: Clone + Send + 'static,
{
    type Principal = DigestPrincipal<P>;

    fn presence(&self, head: RequestView<'_>) -> Presence {
        Authorization::presence(head, SCHEME)
    }

    fn needs(&self, head: RequestView<'_>) -> Need {
        if !self.offer.protection.has(Qop::AuthInt) {
            return Need::Nothing;
        }
        match self.head(head) {
            Ok(Head { response, nonce: Some(_) }) if response.qop() == Some(Qop::AuthInt) => {
                Need::Bytes { limit: self.most_body }
            }
            _ => Need::Nothing,
        }
    }

    fn verify<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Outcome<DigestPrincipal<P>>> {
        self.judge(request).unwrap_or_else(|stop| self.stopped(stop, request))
    }
}

fn unread() -> Error {
    let text = "body was not read; read all of it under auth-int, as needs() asks";
    Error::config("digest_body_unread", text)
}

impl<P> AsRef<str> for DigestPrincipal<P> {
    fn as_ref(&self) -> &str {
        &self.user
    }
}

impl<L> fmt::Debug for DigestVerifier<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DigestVerifier({:?}, {:?})", self.realm, self.offer)
    }
}

#[cfg(test)]
mod tests;
