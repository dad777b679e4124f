//! Tokens that are found by their own hash: keys and sessions.

use super::{Kinds, Known};
use crate::{Kind, Registry, registry::known::KnownSet};
use auth_core::{Candidates, Flow, KeyDigest, Lookup};
use std::fmt;

/// The tokens of a registry that are of some kinds: service keys, API keys, the tokens of sessions.
///
/// It is the look-up of `auth_static::ApiKeyVerifier` and `auth_static::BearerVerifier`, beside
/// [`Registry::token_hasher`]. What is inactive, expired or of another kind is not found.
#[derive(Clone)]
pub struct Tokens {
    registry: Registry,
    kinds: Kinds,
}

impl Registry {
    /// The tokens of these kinds. A door takes the kinds that it names and no other: the key of a tenant does not open the
    /// door of a service.
    #[must_use]
    pub fn tokens(&self, kinds: &[Kind]) -> Tokens {
        Tokens { registry: self.clone(), kinds: Kinds::of(kinds) }
    }
}

impl Tokens {
    /// The one credential that was found, if it is usable now.
    #[inline]
    fn judge(&self, set: &KnownSet) -> Judged {
        let [known] = set.as_slice() else { return Judged::Unusable };
        if !self.kinds.overlaps(known.kinds()) {
            return Judged::Unusable;
        }
        let now = self.registry.0.clock.read();
        if !known.is_usable(now) {
            if known.is_inactive() {
                self.registry.inactive_used(known, now.now);
            }
            return Judged::Unusable;
        }
        if known.is_idle(now) { Judged::PerhapsIdle } else { Judged::Usable(known.clone()) }
    }
}

enum Judged {
    Usable(Known),
    /// This process has not seen it used for too long; another one may have.
    PerhapsIdle,
    Unusable,
}

impl Lookup<KeyDigest> for Tokens {
    type Found = Candidates<(), Known>;

    #[inline]
    fn lookup(&self, id: &KeyDigest) -> Flow<'_, Option<Self::Found>> {
        let id = *id;
        self.registry.0.cache.get(&id).and_then(move |set| {
            match set.map_or(Judged::Unusable, |set| self.judge(&set)) {
                Judged::Usable(known) => Flow::ready(Some(Candidates::one((), known))),
                Judged::Unusable => Flow::ready(None),
                Judged::PerhapsIdle => self
                    .registry
                    .usable(id, self.kinds)
                    .map(|known| known.into_iter().next().map(|known| Candidates::one((), known))),
            }
        })
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens(..)")
    }
}
