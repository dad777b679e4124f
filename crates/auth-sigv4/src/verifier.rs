//! The verifier: who signed this request.

mod explain;
mod head;
mod keys;
mod payload;
mod policy;
mod presented;

pub use explain::{Difference, Explanation, Part};
pub use keys::{AccessKeys, KeyScope, Known};
pub use policy::Policy;

use crate::{
    canonical::{ALGORITHM, Parameters, to_sign},
    key::SigningKey,
    reason::{self, Refused},
    request::sha256,
    signer::PARAMETER_SIGNATURE,
};
use auth_core::{
    Accepted, Authorization, Cause, Challenge, Clock, Error, Flow, Lookup, Need, Outcome, Presence,
    Rejection, Replay, ReplayStore, RequestView, Result, Timestamp,
};
use payload::Signed;
use policy::Allowed;
use smallvec::SmallVec;
use std::{fmt, sync::Arc};
use subtle::ConstantTimeEq;

/// Verifies requests that are signed under AWS Signature Version 4: in `Authorization`, or in the query of a presigned
/// URL.
///
/// The look-up knows the keys of [`KeyScope`]s; [`AccessKeys`] is one for the configuration of a service.
///
/// # Security
///
/// Everything that is cheap is checked first; then the signature, in constant time, with the same work for an unknown
/// key; then, where one is set, the replay store. Whatever is wrong with a signature is one 403 outside. A payload whose
/// hash is signed in a field is checked as it arrives: the handler never sees the end of one that does not match.
///
/// ```
/// use auth_core::{SystemClock, Verifier as _};
/// use auth_sigv4::{AccessKey, AccessKeys, Policy, Service, Verifier};
///
/// let key = AccessKey::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")?;
/// let keys = AccessKeys::new([(key, "acme")])?;
/// let policy = Policy::new(Service::ExecuteApi, "eu-west-1")?;
/// let verifier = Verifier::new(policy, keys, SystemClock)?;
/// # let _: &dyn auth_core::Verifier<Principal = &'static str> = &verifier;
/// # Ok::<_, auth_core::Error>(())
/// ```
pub struct Verifier<L> {
    policy: Policy,
    keys: L,
    clock: Arc<dyn Clock>,
    replay: Option<Arc<dyn ReplayStore>>,
    decoy: SigningKey,
    challenge: Challenge,
}

impl<L> Verifier<L> {
    /// The name of the scheme.
    pub const SCHEME: &'static str = ALGORITHM;

    /// A verifier.
    ///
    /// # Errors
    ///
    /// None but those of a broken build: a challenge is made.
    pub fn new(policy: Policy, keys: L, clock: impl Clock + 'static) -> Result<Self> {
        Ok(Self {
            policy,
            keys,
            clock: Arc::new(clock),
            replay: None,
            decoy: SigningKey::from_bytes(&[0; 32]),
            challenge: Challenge::build(ALGORITHM).finish()?,
        })
    }

    /// Takes every signature once: it is remembered until it would be too old.
    ///
    /// Two requests that are the same in all that is signed, in one second, are then one too many.
    #[must_use]
    pub fn once(self, replay: impl ReplayStore + 'static) -> Self {
        Self { replay: Some(Arc::new(replay)), ..self }
    }
}

impl<L, P> Verifier<L>
where
    L: for<'k> Lookup<KeyScope<'k>, Found = Known<P>>,
    P: Send + 'static,
{
    fn judge<'a>(&'a self, request: RequestView<'a>) -> Result<Flow<'a, Outcome<P>>, Refused> {
        let mut buffer = SmallVec::new();
        let query = Parameters::unsorted(request.uri.query().unwrap_or_default().as_bytes());
        let presented = self.read(request, &query, &mut buffer)?;
        let signed = Signed::of(request, &presented, &self.policy)?;
        let said = signed.said(request.body)?;
        let canonical =
            self.canonical(request, &presented, query, said.as_bytes(), |canonical| {
                canonical.hash()
            })?;
        let text = to_sign(presented.date.as_bytes(), presented.scope, &canonical);
        let id = KeyScope { id: presented.id, scope: presented.scope };
        let judged = Judged {
            text,
            signature: presented.signature,
            token: presented.token.map(sha256),
            end: self.end(&presented),
            check: signed,
        };
        let found = self.keys.lookup(&id);
        Ok(found.and_then(move |found| {
            let (signature, end) = (judged.signature, judged.end);
            match judged.prove(self, found) {
                Err(refused) => Flow::ready(Err(refused.rejection(&self.challenge))),
                Ok(accepted) => self.remember(signature, end, accepted),
            }
        }))
    }

    /// A signature that is proven, once.
    fn remember(
        &self,
        signature: [u8; 32],
        end: Timestamp,
        accepted: Accepted<P>,
    ) -> Flow<'_, Outcome<P>> {
        let Some(replay) = &self.replay else { return Flow::ready(Ok(accepted)) };
        let seen = replay.check_and_set("sigv4", &signature, end);
        seen.and_then(move |seen| {
            let refused = match seen {
                Replay::Fresh => return Flow::ready(Ok(accepted)),
                Replay::Seen => reason::REPLAYED,
                Replay::Full => reason::REPLAY_FULL,
                Replay::Unavailable => {
                    let text = "replay store cannot tell whether a signature was used before";
                    let cause = Cause::new("sigv4_replay_unavailable", text);
                    return Flow::failed(Error::Unavailable { retry_after: None, cause });
                }
            };
            Flow::ready(Err(refused.forbidden()))
        })
    }
}

/// What is left to prove once the key is known.
struct Judged {
    text: SmallVec<[u8; 256]>,
    signature: [u8; 32],
    /// Its hash: it is compared with that of the one that is expected.
    token: Option<[u8; 32]>,
    end: Timestamp,
    check: Signed,
}

impl Judged {
    fn prove<L, P>(
        self,
        by: &Verifier<L>,
        found: Option<Known<P>>,
    ) -> Result<Accepted<P>, Refused> {
        let key = found.as_ref().map_or(&by.decoy, |known| &known.key);
        let matches: bool = key.mac(&self.text).ct_eq(&self.signature).into();
        let known = found.ok_or(reason::KEY)?;
        if !matches {
            return Err(reason::SIGNATURE);
        }
        let token = match (&known.session_token, &self.token) {
            (None, None) => true,
            (Some(expected), Some(token)) => sha256(expected.expose()).ct_eq(token).into(),
            _ => false,
        };
        if !token {
            return Err(reason::TOKEN);
        }
        let check = self.check.check(known.key, &self.signature, &self.text);
        let mut accepted = Accepted::new(ALGORITHM, known.principal);
        accepted.body = check;
        Ok(accepted)
    }
}

impl<L, P> auth_core::Verifier for Verifier<L>
where
    L: for<'k> Lookup<KeyScope<'k>, Found = Known<P>>,
    P: Send + 'static,
{
    type Principal = P;

    fn presence(&self, head: RequestView<'_>) -> Presence {
        let query = head.uri.query().unwrap_or_default().as_bytes();
        let signature = PARAMETER_SIGNATURE.as_bytes();
        let presigned = query.split(|byte| *byte == b'&').any(|part| {
            part.strip_prefix(signature).is_some_and(|rest| rest.first() == Some(&b'='))
        });
        match Authorization::presence(head, ALGORITHM) {
            Presence::Absent if presigned => Presence::Present,
            presence => presence,
        }
    }

    fn needs(&self, head: RequestView<'_>) -> Need {
        let mut buffer = SmallVec::new();
        let query = Parameters::unsorted(head.uri.query().unwrap_or_default().as_bytes());
        let presented = self.read(head, &query, &mut buffer);
        let signed = presented.and_then(|presented| Signed::of(head, &presented, &self.policy));
        signed.map_or(Need::Nothing, |signed| signed.needs())
    }

    fn verify<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Outcome<P>> {
        let refuse = |refused: Refused| -> Rejection { refused.rejection(&self.challenge) };
        self.judge(request).unwrap_or_else(|refused| Flow::ready(Err(refuse(refused))))
    }
}

impl<L> fmt::Debug for Verifier<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Verifier({:?})", self.policy)
    }
}
