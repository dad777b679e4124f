//! One attempt, from the question whether it may be made to its end.

use super::{AttemptKey, Limits};
use crate::{Flow, Reason, Rejection, RequestView, TenantId};
use std::{fmt, sync::Arc};

/// The limit that a verifier is given: whose wrong attempts it counts, and where.
///
/// A clone counts in the same place, so verifiers of several schemes may share one.
///
/// # Security
///
/// A caller whose address is unknown is not counted under a scheme whose secrets name nobody: all these callers would be
/// counted as one, and the wrong attempts of any would refuse the right ones of all. So where such a scheme is to be
/// limited, the server has to know its callers' addresses: behind the server layer of `auth-tower` they come from a
/// `ConnectionInfo` in the request's extensions, or from axum's `ConnectInfo`, and behind proxies from those that the layer
/// was told to trust.
///
/// Callers of one source (see [`AttemptKey::new`]) share its attempts: under such a scheme the right secret of one caller
/// is refused while the wrong ones of another are counted. If it were judged, the other caller could go on guessing.
///
/// ```
/// use auth_core::{AttemptLimit, MemoryAttemptLimits, AttemptRate, SystemClock};
/// use std::time::Duration;
/// let limits = MemoryAttemptLimits::new(SystemClock).with_identity_rate(AttemptRate::new(5, Duration::from_secs(60))?);
/// let limit = AttemptLimit::new(limits);
/// # let _ = limit;
/// # Ok::<_, auth_core::Error>(())
/// ```
#[derive(Clone)]
pub struct AttemptLimit {
    limits: Arc<dyn Limits>,
    tenant: Option<TenantId>,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// The secret was right, in a request that is taken: the source is known for this identity from now on.
    Right,
    /// The secret was wrong.
    Wrong,
    /// The verifier could not tell, or it does not take the request though the secret was right, because it is stale or
    /// was used before. It costs nothing, and makes no source known: an attacker who captured a request can send it again.
    /// ([`Verifier::once`](crate::Verifier::once) judges later; the schemes that it serves name no identity here, so that
    /// there is no source to make known.)
    Unknown,
}

/// Right if the secret was.
impl From<bool> for AttemptOutcome {
    fn from(right: bool) -> Self {
        if right { Self::Right } else { Self::Wrong }
    }
}

/// An attempt that may be made: it is charged as wrong when it is dropped before it was settled, so a caller that hangs
/// up before the secret was judged has paid for the attempt.
///
/// Where the judgement goes on without the caller, the attempt goes along and is settled by it.
#[must_use = "an attempt that is dropped is charged as wrong"]
pub struct Attempt(Option<(Arc<dyn Limits>, AttemptKey)>);

impl AttemptLimit {
    /// Counted in this place.
    pub fn new(limits: impl Limits + 'static) -> Self {
        Self { limits: Arc::new(limits), tenant: None }
    }

    /// Counted for this tenant apart, where the verifier serves one of several. A verifier that finds the tenant in the
    /// request clones the limit for each request: that is as cheap as an `Arc`.
    #[must_use]
    pub fn with_tenant(self, tenant: TenantId) -> Self {
        Self { tenant: Some(tenant), ..self }
    }
}

impl Attempt {
    /// An attempt that nobody counts: that of a verifier without a limit.
    pub const UNLIMITED: Self = Self(None);

    /// Asks whether a request may try a secret of this identity; `None` for schemes whose secrets name nobody, which are
    /// limited by source alone, and not at all where the source is unknown.
    ///
    /// For authors of verifiers: ask when the request was read, and before anything is looked up or hashed.
    ///
    /// # Errors
    ///
    /// When the limits cannot tell. The inner error is a 429 with `Retry-After`.
    pub fn begin<'a>(
        limit: Option<&'a AttemptLimit>,
        request: RequestView<'_>,
        scheme: &str,
        identity: Option<&[u8]>,
    ) -> Flow<'a, Result<Self, Rejection>> {
        let Some(AttemptLimit { limits, tenant }) = limit else {
            return Flow::ready(Ok(Self::UNLIMITED));
        };
        let source = request.peer.address;
        if source.is_none() && identity.is_none() {
            // Nobody in particular: counted together, anybody could lock out everybody.
            return Flow::ready(Ok(Self::UNLIMITED));
        }
        let by = AttemptKey::new(tenant.as_ref(), scheme, source, identity);
        limits.may_try(by).map(move |told| match told {
            Ok(()) => Ok(Self(Some((Arc::clone(limits), by)))),
            Err(wait) => Err(Rejection::throttled(THROTTLED, wait)),
        })
    }

    /// Says how it ended.
    pub fn settle(mut self, settled: AttemptOutcome) {
        if let Some((limits, by)) = self.0.take() {
            limits.note(by, settled);
        }
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if let Some((limits, by)) = self.0.take() {
            limits.note(by, AttemptOutcome::Wrong);
        }
    }
}

const THROTTLED: Reason = Reason::new(
    "limit_attempts",
    "too many wrong attempts from this source or for this identity, come back later",
);

impl fmt::Debug for AttemptLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AttemptLimit({:?})", self.tenant)
    }
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Attempt(..)")
    }
}
