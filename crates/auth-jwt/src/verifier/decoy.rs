//! Keys that accept nobody: they only cost what a real one costs.

use crate::{JwsAlgorithm, VerifyingKey};
use auth_core::Result;

/// One for each algorithm under which a key is a secret that both ends share. Who holds the private half of a key is
/// public, so there is nothing to hide about others.
pub(super) struct Decoys([VerifyingKey; 3]);

impl Decoys {
    /// An issuer that rotates has two secrets: that many are tried for everybody.
    const TRIED: usize = 2;

    pub(super) fn new() -> Result<Self> {
        let of = |algorithm| VerifyingKey::from_secret(algorithm, &[0; 64]);
        Ok(Self([of(JwsAlgorithm::HS256)?, of(JwsAlgorithm::HS384)?, of(JwsAlgorithm::HS512)?]))
    }

    /// As many keys as there are fewer of the algorithm: they are tried, and what comes of it does not matter.
    pub(super) fn beside(
        &self,
        algorithm: JwsAlgorithm,
        fitting: usize,
    ) -> impl Iterator<Item = &VerifyingKey> {
        let decoy = self.0.iter().find(move |key| key.algorithm() == algorithm);
        decoy
            .into_iter()
            .flat_map(move |decoy| std::iter::repeat_n(decoy, Self::TRIED.saturating_sub(fitting)))
    }
}
