//! Keys that accept nobody: they only cost what a real one costs.

use crate::{Algorithm, Unverified, VerifyingKey};
use auth_core::Result;
use std::hint::black_box;

/// One for each algorithm under which a key is a secret that both ends share. Who holds the private half of a key is
/// public, so there is nothing to hide about others.
pub(super) struct Decoys([VerifyingKey; 3]);

impl Decoys {
    /// An issuer that rotates has two secrets: that many are tried for everybody.
    const TRIED: usize = 2;

    pub(super) fn new() -> Result<Self> {
        let of = |algorithm| VerifyingKey::from_secret(algorithm, &[0; 64]);
        Ok(Self([of(Algorithm::HS256)?, of(Algorithm::HS384)?, of(Algorithm::HS512)?]))
    }

    /// Tries as many more keys as the others were fewer. What comes of it does not matter.
    pub(super) fn top_up(&self, token: &Unverified<'_>, tried: &[VerifyingKey]) {
        let algorithm = token.header().algorithm();
        let same = |key: &&VerifyingKey| key.algorithm() == algorithm;
        let done = tried.iter().filter(same).count();
        if let Some(decoy) = self.0.iter().find(same) {
            for _ in done..Self::TRIED {
                let _ = black_box(token.try_key(black_box(decoy)));
            }
        }
    }
}
