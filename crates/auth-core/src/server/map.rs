//! Another kind of principal.

use super::{Outcome, Presence, Verifier};
use crate::{Flow, Need, RequestView};

/// A verifier with another kind of principal: see [`Verifier::map`].
#[derive(Clone, Copy, Debug)]
pub struct Map<V, F> {
    verifier: V,
    change: F,
}

impl<V, F> Map<V, F> {
    pub(super) const fn new(verifier: V, change: F) -> Self {
        Self { verifier, change }
    }
}

impl<V, F, P> Verifier for Map<V, F>
where
    V: Verifier,
    P: Send,
    F: Fn(V::Principal) -> P + Send + Sync,
{
    type Principal = P;

    fn presence(&self, head: RequestView<'_>) -> Presence {
        self.verifier.presence(head)
    }

    fn needs(&self, head: RequestView<'_>) -> Need {
        self.verifier.needs(head)
    }

    fn verify<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Outcome<P>> {
        self.verifier
            .verify(request)
            .map(|outcome| outcome.map(|accepted| accepted.map(&self.change)))
    }
}
