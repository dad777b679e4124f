//! The usable keys of one set that was fetched.

use crate::{Jwk, JwkSet, JwsAlgorithm, JwtKeys, LeftOutKey, VerifyingKey};
use auth_core::{Error, Result};

/// Keys by their `kid`.
pub(super) struct Published {
    named: Vec<(Option<Box<str>>, VerifyingKey)>,
    all: JwtKeys,
}

impl Published {
    /// All keys of the set that verify signatures, and those that do not (RFC 7517 section 5). A key is for the algorithm
    /// that it states; one that states none is for the assumed one.
    pub(super) fn of(set: &JwkSet, assumed: Option<JwsAlgorithm>) -> (Self, Vec<LeftOutKey>) {
        let (mut named, mut left_out) = (Vec::new(), set.left_out().to_vec());
        for jwk in set.keys() {
            match usable(jwk, assumed) {
                Ok(key) => named.push((jwk.kid().map(Into::into), key)),
                Err(error) => left_out.push(LeftOutKey::new(jwk.kid(), error)),
            }
        }
        (Self::new(named), left_out)
    }

    pub(super) fn new(named: Vec<(Option<Box<str>>, VerifyingKey)>) -> Self {
        let all = named.iter().map(|(_, key)| key.clone()).collect();
        Self { named, all }
    }

    /// The keys of this `kid`. A token that names none may be from any: the verifier narrows them by its algorithm, and
    /// says when there are too many to try.
    pub(super) fn find(&self, kid: Option<&str>) -> Option<JwtKeys> {
        let found = match kid {
            None => self.all.clone(),
            kid => {
                let of_kid = self.named.iter().filter(|(name, _)| name.as_deref() == kid);
                of_kid.map(|(_, key)| key.clone()).collect()
            }
        };
        (!found.is_empty()).then_some(found)
    }
}

fn usable(jwk: &Jwk, assumed: Option<JwsAlgorithm>) -> Result<VerifyingKey> {
    if jwk.is_shared_secret() {
        let text = "fetched key set has a shared secret (kty oct), and every program that can fetch it could sign with it; \
                    give the secret by hand, in a look-up of its own";
        return Err(Error::config("jwks_shared_secret", text));
    }
    let silent = jwk.states_no_algorithm();
    VerifyingKey::from_jwk(jwk, assumed.filter(|_| silent))
}
