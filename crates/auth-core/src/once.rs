//! Identifiers that a verifier accepts once.

use crate::{
    Accepted, Error, Flow, Need, Outcome, Presence, Rejection, ReplayOutcome, ReplayStore,
    RequestView, TenantId, Unique, Verifier,
};
use std::{fmt, sync::Arc, time::Duration};

/// Accepts each identifier once: the `jti` of a token, the signature of a request. See
/// [`Verifier::once`](Verifier::once).
pub struct Once<V> {
    verifier: V,
    store: Arc<dyn ReplayStore>,
    tenant: Option<TenantId>,
}

/// The identifier of an accepted request, and how its scheme refuses it: the scheme leaves it in [`Accepted`], and
/// [`Once`] asks the store about it.
#[derive(Clone, Debug)]
pub struct SingleUse {
    /// The identifier; `None` when the scheme has one and the caller left it out.
    pub unique: Option<Unique>,
    /// How the scheme refuses it.
    pub refusals: Arc<ReplayRejections>,
}

/// How a scheme refuses a request because of its identifier: made with its verifier, so that accepting costs nothing.
#[derive(Debug)]
pub struct ReplayRejections {
    /// There is no identifier.
    pub missing: Rejection,
    /// It was used before.
    pub seen: Rejection,
    /// It was issued so long ago that the store does not know it any more.
    pub too_old: Rejection,
}

impl<V> Once<V> {
    pub(crate) fn new(verifier: V, store: impl ReplayStore + 'static) -> Self {
        Self { verifier, store: Arc::new(store), tenant: None }
    }

    /// For this tenant, where several share the store: what one of them has used is fresh for the others. Where the
    /// tenant is in the request, its scheme says so in [`Unique::with_tenant`].
    #[must_use]
    pub fn with_tenant(self, tenant: TenantId) -> Self {
        Self { tenant: Some(tenant), ..self }
    }
}

impl<V: Verifier> Once<V> {
    fn used<'a>(&'a self, mut accepted: Accepted<V::Principal>) -> Flow<'a, Outcome<V::Principal>>
    where
        V::Principal: 'a,
    {
        let singles = accepted.obligations.as_mut().map(|obligations| &mut obligations.singles);
        let mut singles = singles.map(std::mem::take).unwrap_or_default();
        let Some(last) = singles.pop() else {
            return Flow::failed(nothing_single(accepted.scheme));
        };
        if singles.is_empty() {
            return self.use_one(last).map(move |used| used.map(|()| accepted));
        }
        Flow::new(async move {
            for single in singles.into_iter().chain([last]) {
                if let Err(rejection) = self.use_one(single).await? {
                    return Ok(Err(rejection));
                }
            }
            Ok(Ok(accepted))
        })
    }

    fn use_one(&self, single: SingleUse) -> Flow<'_, Result<(), Rejection>> {
        let SingleUse { unique, refusals } = single;
        let Some(unique) = unique else { return Flow::ready(Err(refusals.missing.clone())) };
        let unique = match &self.tenant {
            Some(tenant) => unique.with_tenant(tenant.clone()),
            None => unique,
        };
        self.store.check_and_set(&unique).and_then(move |told| match told {
            ReplayOutcome::Fresh => Flow::ready(Ok(())),
            ReplayOutcome::Seen => Flow::ready(Err(refusals.seen.clone())),
            ReplayOutcome::TooOld => Flow::ready(Err(refusals.too_old.clone())),
            ReplayOutcome::Full => Flow::failed(full()),
        })
    }
}

impl<V: Verifier> Verifier for Once<V> {
    type Principal = V::Principal;

    fn presence(&self, head: RequestView<'_>) -> Presence {
        self.verifier.presence(head)
    }

    fn needs(&self, head: RequestView<'_>) -> Need {
        self.verifier.needs(head)
    }

    fn verify<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Outcome<V::Principal>> {
        self.verifier.verify(request.wanting_unique()).and_then(move |outcome| match outcome {
            Ok(accepted) => self.used(accepted),
            Err(rejection) => Flow::ready(Err(rejection)),
        })
    }
}

fn nothing_single(scheme: &'static str) -> Error {
    let text = format!(
        "{scheme} has nothing that could be used once; take once() off this verifier, or verify a scheme that signs an identifier"
    );
    Error::config("once_nothing_single", text)
}

fn full() -> Error {
    let text =
        "replay store has no room for identifiers without a moment of issue; raise its limit";
    Error::unavailable("replay_store_full", Some(Duration::from_secs(1)), text)
}

impl<V: fmt::Debug> fmt::Debug for Once<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Once").field(&self.verifier).finish()
    }
}
