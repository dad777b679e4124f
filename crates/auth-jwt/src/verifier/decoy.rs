//! Keys that accept nobody: they only cost what a real one costs.

use crate::{JwsAlgorithm, VerifyingKey};
use auth_core::Result;

/// One for each algorithm under which a key is a secret that both ends share. The owner of a public key is no
/// secret, so there is nothing to hide about others.
pub(super) struct Decoys(pub(super) [VerifyingKey; 3]);

impl Decoys {
    /// An issuer that rotates its secret has two: as many are tried for every token that is refused.
    const TRIED: usize = 2;

    pub(super) fn new() -> Result<Self> {
        let of = |algorithm| VerifyingKey::from_secret(algorithm, &[0; 64]);
        Ok(Self([of(JwsAlgorithm::HS256)?, of(JwsAlgorithm::HS384)?, of(JwsAlgorithm::HS512)?]))
    }

    /// As many decoys as the fitting keys are fewer than two.
    pub(super) fn beside(
        &self,
        algorithm: JwsAlgorithm,
        fitting: usize,
    ) -> impl Iterator<Item = ((), &VerifyingKey)> {
        let decoy = self.0.iter().find(move |key| key.algorithm() == algorithm);
        let missing = Self::TRIED.saturating_sub(fitting);
        decoy.into_iter().flat_map(move |decoy| std::iter::repeat_n(((), decoy), missing))
    }
}
