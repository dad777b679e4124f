//! The verifier: who signed this request.

mod keys;
mod payload;
mod policy;
mod presented;

pub use keys::{AccessKeys, KeyScope, Known};
pub use policy::Policy;

use crate::{
    canonical::{ALGORITHM, Canonical, Fields, Parameters, string_to_sign},
    key::SigningKey,
    reason::{self, Refused},
    signer::PARAMETER_SIGNATURE,
};
use auth_core::{
    Accepted, Authorization, Cause, Challenge, Clock, Error, Flow, Lookup, Need, Outcome, Presence,
    Rejection, Replay, ReplayStore, RequestView, Result, Timestamp,
};
use http::HeaderMap;
use payload::Signed;
use policy::Allowed;
use presented::Presented;
use smallvec::SmallVec;
use std::{fmt, sync::Arc, time::Duration};
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

    /// All that the head tells.
    fn read<'a>(
        &self,
        request: RequestView<'a>,
        query: &Parameters<'a>,
        buffer: &'a mut SmallVec<[u8; 1024]>,
    ) -> Result<Presented<'a>, Refused> {
        let presented = match (field(request.headers)?, is_presigned(query)) {
            (Some(_), true) => return Err(reason::TWICE),
            (None, false) => return Err(reason::MISSING),
            (Some(credentials), false) => Presented::in_field(credentials, request.headers)?,
            (None, true) if self.policy.presigned == Allowed::No => return Err(reason::PRESIGNED),
            (None, true) => Presented::in_query(query, buffer)?,
        };
        self.check_scope(&presented)?;
        self.check_time(&presented)?;
        self.check_names(&presented, request.headers)?;
        Ok(presented)
    }

    fn check_scope(&self, presented: &Presented<'_>) -> Result<(), Refused> {
        let scope = &presented.scope;
        if scope.day != presented.date.day() {
            return Err(reason::SCOPE_DAY);
        }
        if !self.policy.regions.iter().any(|region| **region == *scope.region) {
            return Err(reason::SCOPE_REGION);
        }
        if scope.service != self.policy.service.name() {
            return Err(reason::SCOPE_SERVICE);
        }
        Ok(())
    }

    fn check_time(&self, presented: &Presented<'_>) -> Result<(), Refused> {
        let (now, date) = (self.clock.now(), presented.date.timestamp());
        if date > now.after(self.policy.skew) {
            return Err(reason::DATE_FUTURE);
        }
        match presented.expires {
            None if now > date.after(self.policy.skew) => Err(reason::DATE_PAST),
            Some(_) if now > self.end(presented) => Err(reason::URL_EXPIRED),
            _ => Ok(()),
        }
    }

    /// The last moment at which it is good.
    fn end(&self, presented: &Presented<'_>) -> Timestamp {
        let span = presented.expires.map_or(self.policy.skew, Duration::from_secs);
        presented.date.timestamp().after(span)
    }

    /// Is signed what must be?
    fn check_names(&self, presented: &Presented<'_>, headers: &HeaderMap) -> Result<(), Refused> {
        let is_signed = |name: &str| presented.signed.split(';').any(|signed| signed == name);
        if !is_signed("host") {
            return Err(reason::NOT_SIGNED);
        }
        for name in headers.keys() {
            let name = name.as_str();
            let must = name.starts_with("x-amz-")
                || name == "content-type"
                || self.policy.signed.iter().any(|required| required == name);
            if must && !is_signed(name) {
                return Err(reason::NOT_SIGNED);
            }
            let several = headers.get_all(name).iter().nth(1).is_some();
            if several && name.starts_with("x-amz-") {
                return Err(reason::SEVERAL);
            }
        }
        Ok(())
    }

    /// The hash of the canonical request, as the signer must have made it.
    fn canonical(
        &self,
        request: RequestView<'_>,
        presented: &Presented<'_>,
        mut query: Parameters<'_>,
        payload: &[u8],
    ) -> Result<[u8; 64], Refused> {
        let host = request.authority().ok().flatten().ok_or(reason::HOST)?;
        let mut fields = Fields::default();
        for name in presented.signed.split(';') {
            if name == "host" {
                fields.add(name, host.as_bytes());
                continue;
            }
            let before = fields.len();
            for value in request.headers.get_all(name) {
                fields.add(name, value.as_bytes());
            }
            if fields.len() == before {
                return Err(reason::NOT_THERE);
            }
        }
        query.retain(|parameter| parameter.name != PARAMETER_SIGNATURE.as_bytes());
        query.sort();
        let (method, path) = (request.method.as_str(), request.uri.path().as_bytes());
        let canonical =
            Canonical { method, path, query, fields, payload, rules: self.policy.rules };
        Ok(canonical.hash())
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
        let canonical = self.canonical(request, &presented, query, said.as_bytes())?;
        let text = string_to_sign(presented.date.as_bytes(), presented.scope, &canonical);
        let id = KeyScope { id: presented.id, scope: presented.scope };
        let judged = Judged {
            text,
            signature: presented.signature,
            token: presented.token.map(SmallVec::from_slice),
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
    token: Option<SmallVec<[u8; 512]>>,
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
            (Some(expected), Some(token)) => expected.matches(token),
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

/// What is behind the scheme in `Authorization`.
fn field(headers: &HeaderMap) -> Result<Option<&[u8]>, Refused> {
    match Authorization::of(headers) {
        Ok(Some(field)) if field.is(ALGORITHM) => Ok(Some(field.credentials())),
        Ok(_) => Ok(None),
        Err(_) => Err(reason::PARAMETERS),
    }
}

fn is_presigned(query: &Parameters<'_>) -> bool {
    query.iter().any(|parameter| parameter.name == PARAMETER_SIGNATURE.as_bytes())
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
