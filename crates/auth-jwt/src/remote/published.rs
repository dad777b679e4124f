//! The usable keys of one set.

use crate::{JwkSet, JwsAlgorithm, JwtKeys, VerifyingKey, keys::MOST_TRIED};

/// Keys by their `kid`.
pub(super) struct Published(pub(super) Vec<(Option<Box<str>>, VerifyingKey)>);

impl Published {
    /// All keys of the set that verify signatures; others are none of our business (RFC 7517 section 5).
    pub(super) fn of(set: &JwkSet, assumed: Option<JwsAlgorithm>) -> Self {
        let usable = set.keys().iter().filter_map(|jwk| {
            let key = VerifyingKey::from_jwk(jwk, assumed).ok()?;
            Some((jwk.kid().map(Into::into), key))
        });
        Self(usable.collect())
    }

    /// The keys of this `kid`. A token that names none may be from any, if those are few enough to try.
    pub(super) fn find(&self, kid: Option<&str>) -> Option<JwtKeys> {
        let named = |name: &Option<Box<str>>| kid.is_none() || name.as_deref() == kid;
        let keys: Vec<_> =
            self.0.iter().filter(|(name, _)| named(name)).map(|(_, key)| key.clone()).collect();
        let few = (1..=MOST_TRIED).contains(&keys.len());
        few.then(|| keys.into_iter().collect())
    }
}
