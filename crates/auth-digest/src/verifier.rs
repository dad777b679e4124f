//! The server's end.

mod accounts;
mod decoy;
mod offer;
mod seal;
mod target;

pub use accounts::{Accounts, Known, KnownSecret, Name, Query};

use crate::{
    Algorithm, BodyHash, DigestResponse, Offered, Qop, Refused, SessionHa1, Username,
    challenge::SCHEME,
    client::{config, need},
    nonce::{Age, Issued, Nonces},
    reason,
};
use auth_core::{
    Accepted, Authorization, Cause, Error, Flow, Lookup, Need, Outcome, Presence, Rejection,
    Replay, ReplayStore, RequestView, Result,
};
use decoy::Decoys;
use offer::Offer;
use seal::Proof;
use std::{fmt, str, sync::Arc};
use target::is_target;

/// Verifies Digest credentials (RFC 7616).
///
/// The look-up knows the HA1 of users, or asks an authority that gives it the secret of one session alone: see
/// [`Query`] and [`KnownSecret`]. What is issued and what was used is for [`Nonces`] and a [`ReplayStore`] to know, so
/// any number of nodes that share a key and a store are one server.
///
/// Unless set otherwise it offers SHA-256 with `auth`, and takes requests that overtook one another within the last 128
/// counts. The reply proves the server's own knowledge of the password in `Authentication-Info`, and hands the next
/// nonce to who uses one past the middle of its life.
///
/// # Security
///
/// In this order: one field of bounded size; each parameter once and in its one spelling; algorithm, realm, opaque and
/// quality of protection as they were offered; the target of the request; then the response, in constant time and with
/// the same work for an unknown user; then the age of the nonce, and last the count, so that strangers cannot fill the
/// store. What is refused looks the same outside; only a right response to an old nonce is told that it is `stale`.
///
/// An `auth-int` body is hashed as it was received. What a caller sends under `auth` is not protected but for method
/// and target.
pub struct Verifier<L> {
    realm: Box<str>,
    accounts: L,
    nonces: Nonces,
    replay: Arc<dyn ReplayStore>,
    offer: Offer,
    opaque: String,
    window: u32,
    most_body: usize,
    decoys: Decoys,
}

/// Who turned out to be calling, and how it proved it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// The user's name.
    pub user: Arc<str>,
    /// The algorithm of the response: who still uses MD5 shows here.
    pub algorithm: Algorithm,
    /// What the response protects; `None` under RFC 2069.
    pub qop: Option<Qop>,
}

/// Credentials whose head is in order.
struct Head<'a> {
    response: DigestResponse<'a>,
    /// `None` when it is not one of ours.
    nonce: Option<Issued>,
}

impl<L> Verifier<L>
where
    L: for<'q> Lookup<Query<'q>, Found = Known>,
{
    /// A verifier for a realm.
    ///
    /// # Errors
    ///
    /// `Error::Config` when no field can hold the realm, or that of the randomness.
    pub fn new(
        realm: &str,
        accounts: L,
        nonces: Nonces,
        replay: impl ReplayStore + 'static,
    ) -> Result<Self> {
        let verifier = Self {
            realm: realm.into(),
            accounts,
            opaque: nonces.opaque(realm),
            decoys: Decoys::new(nonces.random())?,
            nonces,
            replay: Arc::new(replay),
            offer: Offer::new(),
            window: 128,
            most_body: 1024 * 1024,
        };
        verifier.offer.check(realm)?;
        Ok(verifier)
    }

    fn head<'a>(&self, request: RequestView<'a>) -> Result<Head<'a>, Stop> {
        let field = match Authorization::of(request.headers)? {
            Some(field) if field.is(SCHEME) => field,
            _ => return Err(reason::MISSING.into()),
        };
        let response = DigestResponse::parse(field.credentials())?;
        let algorithm = response.algorithm();
        if !self.offer.has(algorithm, request.peer) {
            return Err(reason::ALGORITHM_OTHER.into());
        }
        if *response.realm != *self.realm.as_bytes() {
            return Err(reason::REALM_OTHER.into());
        }
        if response.opaque != Some(self.opaque.as_bytes()) {
            return Err(reason::OPAQUE_OTHER.into());
        }
        let fits = match response.qop() {
            None => self.offer.protection == Offered::Legacy,
            Some(qop) => self.offer.protection.has(qop),
        };
        if !fits {
            return Err(reason::QOP_OTHER.into());
        }
        if matches!(response.username, Username::Hashed(_)) && !self.offer.userhash {
            return Err(reason::USERHASH_OTHER.into());
        }
        if !is_target(&response.uri, request) {
            return Err(reason::URI_OTHER.into());
        }
        let nonce = self.nonces.judge(&response.nonce, request.peer.address);
        Ok(Head { response, nonce })
    }

    fn judge<'a>(&'a self, request: RequestView<'a>) -> Result<Flow<'a, Outcome<Principal>>, Stop> {
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
        let found = self.accounts.lookup(&self.query(&head.response));
        Ok(found.and_then(move |found| {
            let proven = self.prove(&head.response, request, body, found);
            match proven.and_then(|(user, session)| self.count(request, head, user, session)) {
                Ok(flow) => flow,
                Err(stop) => self.stopped(stop, request),
            }
        }))
    }

    fn query<'q>(&'q self, response: &'q DigestResponse<'_>) -> Query<'q> {
        Query {
            name: match &response.username {
                Username::Plain(name) | Username::Extended(name) => Name::Plain(name),
                Username::Hashed(hash) => Name::Hashed(str::from_utf8(hash).unwrap_or_default()),
            },
            realm: &self.realm,
            algorithm: response.algorithm(),
            nonce: &response.nonce,
            cnonce: cnonce(response),
        }
    }

    /// Is the response that of the password?
    fn prove(
        &self,
        response: &DigestResponse<'_>,
        request: RequestView<'_>,
        body: Option<BodyHash>,
        found: Option<Known>,
    ) -> Result<(Arc<str>, SessionHa1), Stop> {
        let algorithm = response.algorithm();
        let session = |ha1: &crate::Ha1| ha1.session(algorithm, &response.nonce, cnonce(response));
        let (user, session) = match found {
            None => (None, session(self.decoys.of(algorithm.function()))),
            Some(Known { user, secret: KnownSecret::Ha1(ha1) }) => (Some(user), session(&ha1)),
            Some(Known { secret: KnownSecret::Session(_), .. }) if !algorithm.is_session() => {
                let text = "look-up gave the secret of a session under an algorithm without one";
                return Err(Stop::Failed(config("digest_known_session", text)));
            }
            Some(Known { user, secret: KnownSecret::Session(given) }) => (Some(user), given),
        };
        if session.function() != algorithm.function() {
            let text = "look-up gave a secret of another hash function than was asked for";
            return Err(Stop::Failed(config("digest_known_function", text)));
        }
        let message = response.message(request.method.as_str(), body);
        let message = message.ok_or_else(|| Stop::Failed(unread()))?;
        let right = session.response(&message).matches(response.response);
        match user {
            None => Err(reason::USER_UNKNOWN.into()),
            Some(_) if !right => Err(reason::RESPONSE_WRONG.into()),
            Some(user) => Ok((user, session)),
        }
    }

    /// The caller is who it says: is its nonce young, and its count unused?
    fn count<'a>(
        &'a self,
        request: RequestView<'a>,
        head: Head<'a>,
        user: Arc<str>,
        session: SessionHa1,
    ) -> Result<Flow<'a, Outcome<Principal>>, Stop> {
        let Head { response, nonce } = head;
        let nonce = nonce.ok_or(reason::NONCE_FOREIGN)?;
        match nonce.age {
            Age::Old => return Err(reason::NONCE_OLD.into()),
            Age::Future => return Err(reason::NONCE_FUTURE.into()),
            Age::Young | Age::Due => {}
        }
        let (told, seen) = match &response.counted {
            Some(counted) => {
                let count = counted.nc.number().into();
                let told =
                    self.replay.window(SCOPE, &nonce.id, count, self.window, nonce.forgotten);
                (told, reason::REPLAYED)
            }
            None => {
                let told = self.replay.check_and_set(SCOPE, &nonce.id, nonce.forgotten);
                (told, reason::NONCE_USED)
            }
        };
        Ok(told.and_then(move |told| match told {
            Replay::Fresh => self.accept(request, &response, nonce.age, user, session),
            Replay::Seen => self.stopped(seen.into(), request),
            Replay::Full | Replay::Unavailable => Flow::failed(Error::Unavailable {
                retry_after: None,
                cause: Cause::new("digest_replay_store", "replay store could not tell"),
            }),
        }))
    }

    fn accept<'a>(
        &self,
        request: RequestView<'_>,
        response: &DigestResponse<'_>,
        age: Age,
        user: Arc<str>,
        session: SessionHa1,
    ) -> Flow<'a, Outcome<Principal>> {
        let due = age == Age::Due || response.counted.is_none();
        let nextnonce = match due.then(|| self.nonces.issue(request.peer.address)).transpose() {
            Ok(nextnonce) => nextnonce,
            Err(error) => return Flow::failed(error),
        };
        let principal = Principal { user, algorithm: response.algorithm(), qop: response.qop() };
        let proof = Proof::new(session, response, nextnonce, self.most_body);
        Flow::ready(Ok(Accepted::new(SCHEME, principal).with_seal(proof)))
    }

    fn stopped<'a>(&self, stop: Stop, request: RequestView<'_>) -> Flow<'a, Outcome<Principal>> {
        match stop {
            Stop::Failed(error) => Flow::failed(error),
            Stop::Rejected(rejection) => Flow::ready(Err(rejection)),
            Stop::Refused(refused) => self.refuse(refused, request).map(Err).into(),
        }
    }
}

impl<L> auth_core::Verifier for Verifier<L>
where
    L: for<'q> Lookup<Query<'q>, Found = Known>,
{
    type Principal = Principal;

    fn presence(&self, head: RequestView<'_>) -> Presence {
        Authorization::presence(head, SCHEME)
    }

    fn needs(&self, head: RequestView<'_>) -> Need {
        if !self.offer.protection.has(Qop::AuthInt) {
            return Need::Nothing;
        }
        match self.head(head) {
            Ok(Head { response, nonce: Some(_) }) if response.qop() == Some(Qop::AuthInt) => {
                need(response.algorithm().function(), self.most_body)
            }
            _ => Need::Nothing,
        }
    }

    fn verify<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Outcome<Principal>> {
        self.judge(request).unwrap_or_else(|stop| self.stopped(stop, request))
    }
}

/// Why a request goes no further.
enum Stop {
    Refused(Refused),
    Rejected(Rejection),
    Failed(Error),
}

impl From<Refused> for Stop {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<Rejection> for Stop {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

/// Empty where there is none.
fn cnonce<'r>(response: &'r DigestResponse<'_>) -> &'r [u8] {
    response.counted.as_ref().map_or(&b""[..], |counted| &counted.cnonce)
}

fn unread() -> Error {
    let text = "body was not read, expected it or its hash under auth-int, as needs said";
    config("digest_body_unread", text)
}

impl AsRef<str> for Principal {
    fn as_ref(&self) -> &str {
        &self.user
    }
}

impl<L> fmt::Debug for Verifier<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Verifier({:?}, {:?})", self.realm, self.offer)
    }
}

/// Of the entries in a replay store: nonces are told apart by chance.
const SCOPE: &str = "digest";

#[cfg(test)]
mod tests;
