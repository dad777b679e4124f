//! The verifier: whose key signed this request.

mod explain;
#[cfg_attr(not(feature = "aws-chunked"), path = "verifier/no_framing.rs")]
mod framing;
mod head;
mod keys;
mod payload;
mod policy;
mod presented;

pub use explain::{CanonicalPart, SignatureDifference, SignatureExplanation};
pub use keys::{AccessKeyRecord, AccessKeys, DerivedKeys, ScopedKeyId};
pub use policy::SigV4Policy;

use crate::{
    CredentialScope,
    canonical::{ALGORITHM, Parameters, to_sign},
    key::DerivedKey,
    reason::{self, Refused},
    request::sha256,
    signer::PARAMETER_SIGNATURE,
};
use auth_core::{
    Accepted, Attempt, AttemptLimit, AttemptOutcome, Authorization, Candidates, Clock, Flow,
    Lookup, Need, Outcome, Presence, ReplayRejections, RequestView, Unique,
};
use head::without_own_port;
use payload::Signed;
use policy::Allowed;
use presented::field;
use smallvec::SmallVec;
use std::{fmt, sync::Arc};
use subtle::ConstantTimeEq;

/// Verifies requests that are signed under AWS Signature Version 4: in `Authorization`, or in the query of a presigned
/// URL.
///
/// The look-up knows the keys of [`ScopedKeyId`]s; [`AccessKeys`] is one for the configuration of a service.
///
/// # Security
///
/// Everything that is cheap is checked first; then the signature, in constant time, with the same work for an unknown
/// key, a known one and one in the middle of a rotation. Whatever is wrong with a signature is one 403 outside. A payload
/// whose hash is signed in a field is checked as it arrives: the handler never sees the end of one that does not match. A
/// payload without that field has to be here before anything can be judged, up to
/// [`with_body_limit`](Self::with_body_limit).
///
/// What a signature does not cover is listed at [`SigV4Policy`]. Over a connection that is encrypted
/// ([`Peer::encrypted`](auth_core::Peer::encrypted)) a host with the port 443 may be signed without it, as clients do that
/// send the port in `:authority`: both name the same origin.
///
/// Under [`once`](auth_core::Verifier::once) every signature is taken once. Two requests that are the same in all that
/// is signed, in one second, are then one too many.
///
/// ```
/// use auth_core::{SystemClock, Verifier as _};
/// use auth_sigv4::{AccessKey, AccessKeys, SigV4Policy, AwsService, SigV4Verifier};
///
/// let key = AccessKey::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")?;
/// let keys = AccessKeys::new([(key, "acme")]);
/// let policy = SigV4Policy::new(AwsService::ExecuteApi, "eu-west-1")?;
/// let verifier = SigV4Verifier::new(policy, keys, SystemClock);
/// # let _: &dyn auth_core::Verifier<Principal = &'static str> = &verifier;
/// # Ok::<_, auth_core::Error>(())
/// ```
pub struct SigV4Verifier<L> {
    policy: SigV4Policy,
    keys: L,
    clock: Arc<dyn Clock>,
    limit: Option<AttemptLimit>,
    most_hashed: usize,
    refusals: Arc<ReplayRejections>,
    decoy: DerivedKey,
}

impl<L> SigV4Verifier<L> {
    /// The name of the scheme.
    pub const SCHEME: &'static str = ALGORITHM;
    /// The most bytes of a payload that are hashed for a caller who has proven nothing, unless set: 1 MiB.
    pub const MOST_HASHED: usize = 1024 * 1024;

    /// A verifier.
    pub fn new(policy: SigV4Policy, keys: L, clock: impl Clock + 'static) -> Self {
        let refusals = ReplayRejections {
            // Never told: a request that is accepted has a signature.
            missing: reason::SIGNATURE.forbidden(),
            seen: reason::REPLAYED.forbidden(),
            too_old: reason::DATE_PAST.forbidden(),
        };
        Self {
            policy,
            keys,
            clock: Arc::new(clock),
            limit: None,
            most_hashed: Self::MOST_HASHED,
            refusals: Arc::new(refusals),
            decoy: DerivedKey::from_bytes(&[0; 32]),
        }
    }

    /// How long a payload may be, in bytes, whose hash the request does not say: it is read before its signature can be
    /// judged, on behalf of a caller who has proven nothing. 1 MiB unless set; a longer one is a 413.
    #[must_use]
    pub const fn with_body_limit(mut self, bytes: usize) -> Self {
        self.most_hashed = bytes;
        self
    }

    /// With a limit to wrong signatures of each source: beyond it callers get a 429 with `Retry-After`, before a key is
    /// looked up.
    ///
    /// They are not counted for the access key that a request claims to be signed with: its ID is in every presigned
    /// URL, and anybody who has read one could hold off the owner of the key at each source that is new.
    ///
    /// Callers whose address is unknown are not counted, since anybody could lock out all of them: give the server layer
    /// the address, in auth-tower's `ConnectionInfo`. Callers of one source share what it has: see [`AttemptLimit`].
    #[must_use]
    pub fn with_limit(self, limit: AttemptLimit) -> Self {
        Self { limit: Some(limit), ..self }
    }
}

impl<L, P> SigV4Verifier<L>
where
    L: for<'k> Lookup<ScopedKeyId<'k>, Found = Candidates<AccessKeyRecord, P>>,
    P: Clone + Send + 'static,
{
    fn judge<'a>(&'a self, request: RequestView<'a>) -> Result<Flow<'a, Outcome<P>>, Refused> {
        let mut buffer = SmallVec::new();
        let query = Parameters::unsorted(request.uri.query().unwrap_or_default().as_bytes());
        let presented = self.read(request, &query, &mut buffer)?;
        let fields = self.fields(request, &presented)?;
        let signed = Signed::of(request, &presented, &self.policy)?;
        let said = signed.said(request.body)?;
        let mut canonical = self.canonical(request, query, fields, said.as_bytes());
        let to_sign = |hash: [u8; 64]| to_sign(presented.date.as_bytes(), presented.scope, &hash);
        let text = to_sign(canonical.hash());
        let bare = without_own_port(request).map(|host| {
            canonical.fields.replace("host", host.as_bytes());
            Box::new(to_sign(canonical.hash()))
        });
        let id = ScopedKeyId { id: presented.id, scope: presented.scope };
        let unique = request.wants_unique().then(|| {
            let owner = presented.id.as_bytes();
            Unique::new("sigv4", owner, &presented.signature, self.end(&presented))
                .issued_at(presented.date.timestamp())
        });
        let judged = Judged {
            text,
            bare,
            signature: presented.signature,
            token: presented.token.map(sha256),
            unique,
            check: signed,
        };
        if self.limit.is_none() {
            let found = self.keys.lookup(&id);
            return Ok(found.and_then(move |found| self.settle(judged, found, Attempt::UNLIMITED)));
        }
        Ok(self.judge_limited(request, &id, judged))
    }

    /// The scope has to outlive the answer of limits that are far away.
    fn judge_limited<'a>(
        &'a self,
        request: RequestView<'a>,
        id: &ScopedKeyId<'_>,
        judged: Judged,
    ) -> Flow<'a, Outcome<P>> {
        let [key, day, region, service] =
            [id.id, id.scope.day, id.scope.region, id.scope.service].map(Box::<str>::from);
        let begun = Attempt::begin(self.limit.as_ref(), request, ALGORITHM, None);
        begun.and_then(move |begun| match begun {
            Err(rejection) => Flow::ready(Err(rejection)),
            Ok(attempt) => {
                let id =
                    ScopedKeyId { id: &key, scope: CredentialScope::new(&day, &region, &service) };
                self.keys.lookup(&id).then(move |found| match found {
                    Ok(found) => self.settle(judged, found, attempt),
                    Err(error) => {
                        attempt.settle(AttemptOutcome::Unknown);
                        Flow::failed(error)
                    }
                })
            }
        })
    }

    fn settle(
        &self,
        judged: Judged,
        found: Option<Candidates<AccessKeyRecord, P>>,
        attempt: Attempt,
    ) -> Flow<'_, Outcome<P>> {
        let proven = judged.prove(self, found);
        attempt.settle(proven.is_ok().into());
        Flow::ready(proven.map_err(Refused::rejection))
    }
}

/// What is left to prove once the key is known.
struct Judged {
    text: SmallVec<[u8; 256]>,
    /// The same for the host without its port, where that may be what was signed.
    bare: Option<Box<SmallVec<[u8; 256]>>>,
    signature: [u8; 32],
    /// Its hash: it is compared with that of the one that is expected.
    token: Option<[u8; 32]>,
    /// Where it is wanted.
    unique: Option<Unique>,
    check: Signed,
}

impl Judged {
    fn prove<L, P: Clone>(
        self,
        by: &SigV4Verifier<L>,
        found: Option<Candidates<AccessKeyRecord, P>>,
    ) -> Result<Accepted<P>, Refused> {
        let proven = Candidates::prove(found.as_ref(), |known| {
            let key = known.map_or(&by.decoy, |known| &known.secret.key);
            let fits = |text: &&[u8]| bool::from(key.mac(text).ct_eq(&self.signature));
            let texts = [Some(&*self.text), self.bare.as_deref().map(|text| &**text)];
            let text = texts.into_iter().flatten().find(fits);
            known.zip(text)
        });
        let Some((known, text)) = proven else {
            let unknown = found.as_ref().is_none_or(Candidates::is_empty);
            return Err(if unknown { reason::KEY } else { reason::SIGNATURE });
        };
        let token = match (&known.secret.session_token, &self.token) {
            (None, None) => true,
            (Some(expected), Some(token)) => sha256(expected.expose()).ct_eq(token).into(),
            _ => false,
        };
        if !token {
            return Err(reason::TOKEN);
        }
        if known.secret.expires.is_some_and(|end| by.clock.now() >= end) {
            return Err(reason::KEY_EXPIRED);
        }
        let key = known.secret.key.clone();
        let accepted = Accepted::new(ALGORITHM, known.principal.clone());
        let accepted = self.check.hold(accepted, key, &self.signature, text);
        Ok(match self.unique {
            Some(unique) => accepted.with_unique(Some(unique), &by.refusals),
            None => accepted,
        })
    }
}

impl<L, P> auth_core::Verifier for SigV4Verifier<L>
where
    L: for<'k> Lookup<ScopedKeyId<'k>, Found = Candidates<AccessKeyRecord, P>>,
    P: Clone + Send + 'static,
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
        // Where the head says what the payload is, none of it has to be here.
        if head.headers.contains_key(field::CONTENT_SHA256) {
            return Need::Nothing;
        }
        let mut buffer = SmallVec::new();
        let query = Parameters::unsorted(head.uri.query().unwrap_or_default().as_bytes());
        let presented = self.read(head, &query, &mut buffer);
        let signed = presented.and_then(|presented| Signed::of(head, &presented, &self.policy));
        signed.map_or(Need::Nothing, |signed| signed.needs(self.most_hashed))
    }

    fn verify<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Outcome<P>> {
        self.judge(request).unwrap_or_else(|refused| Flow::ready(Err(refused.rejection())))
    }
}

impl<L> fmt::Debug for SigV4Verifier<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigV4Verifier({:?})", self.policy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        AccessKey, AwsService, SigV4,
        key::work::{self, Work},
    };
    use auth_core::{Authenticator, Body, Timestamp, Verifier};
    use http::{HeaderMap, Method, Uri, header::HOST};

    const NOW: Timestamp = Timestamp::from_unix(1_440_938_160);

    /// Knows `AKIDONE` by one secret, `AKIDTWO` by two, and `AKIDNONE` by none.
    struct Known(AccessKeys<()>);

    impl<'k> Lookup<ScopedKeyId<'k>> for Known {
        type Found = Candidates<AccessKeyRecord, ()>;

        fn lookup(&self, id: &ScopedKeyId<'k>) -> Flow<'_, Option<Self::Found>> {
            let found = self.0.lookup(id).wait().ok().flatten();
            let record = |all: &Self::Found| all.as_slice().first().map(|one| one.secret.clone());
            Flow::ready(match (id.id, found) {
                ("AKIDTWO", Some(all)) => {
                    Some([record(&all), record(&all)].into_iter().flatten().collect())
                }
                ("AKIDNONE", Some(_)) => Some(Candidates::none()),
                (_, found) => found,
            })
        }
    }

    /// What refusing this access key costs the first time and the second, and what is told.
    fn refused(id: &str, over_tls: bool) -> ([Work; 2], String, &'static str) {
        let key = |id: &str, secret: &str| AccessKey::new(id, secret).unwrap();
        let known = ["AKIDONE", "AKIDTWO", "AKIDNONE"].map(|id| (key(id, "the secret"), ()));
        let policy = SigV4Policy::new(AwsService::Sns, "eu-west-1").unwrap();
        let verifier = SigV4Verifier::new(policy, Known(AccessKeys::new(known)), NOW);
        let signer = SigV4::new(key(id, "another secret"), "eu-west-1", AwsService::Sns, NOW);
        let (mut uri, mut headers) = (Uri::from_static("/"), HeaderMap::new());
        headers.insert(HOST, http::HeaderValue::from_static("a.example:443"));
        let view = RequestView::new(&Method::GET, &uri, &headers).with_body(Body::Bytes(b""));
        let made = signer.unwrap().credentials(view).wait().unwrap();
        made.commit(&mut uri, &mut headers).unwrap();
        let view = RequestView::new(&Method::GET, &uri, &headers).with_body(Body::Bytes(b""));
        let peer = auth_core::Peer { encrypted: over_tls, ..auth_core::Peer::UNKNOWN };
        let judge = || {
            work::take();
            let told = verifier.verify(view.with_peer(peer)).wait().unwrap().unwrap_err();
            (work::take(), told)
        };
        let ((first, told), (second, _)) = (judge(), judge());
        let outside = format!("{} {:?} {:?}", told.status(), told.challenges(), told.retry_after());
        ([first, second], outside, told.reason().code)
    }

    #[test]
    fn an_unknown_access_key_costs_the_same_work_and_is_told_the_same() {
        for (over_tls, macs) in [(false, 2), (true, 4)] {
            for (id, code) in [
                ("AKIDONE", "sigv4_signature"),
                ("AKIDTWO", "sigv4_signature"),
                ("AKIDNONE", "sigv4_key"),
                ("AKIDSTRANGER", "sigv4_key"),
            ] {
                let expected = [Work { macs, derivations: 1 }, Work { macs, derivations: 0 }];
                let outside = String::from("403 Forbidden [] None");
                assert_eq!(refused(id, over_tls), (expected, outside, code), "{id}");
            }
        }
    }
}
