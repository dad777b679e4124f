//! The keys that may have signed a token.

use crate::VerifyingKey;
use std::sync::Arc;

/// The keys that may have signed a token: as many as its issuer has live at once, while it rotates them.
///
/// All of them are tried, whichever matches, so what a token costs does not tell which key it is for.
#[derive(Clone, Debug)]
pub struct Candidates(Arc<[VerifyingKey]>);

impl Candidates {
    /// The most keys of one issuer that are live at once. More are not tried.
    pub const MOST: usize = 4;

    /// The keys.
    #[must_use]
    pub fn keys(&self) -> &[VerifyingKey] {
        &self.0
    }
}

/// One key.
impl From<VerifyingKey> for Candidates {
    fn from(key: VerifyingKey) -> Self {
        Self(Arc::new([key]))
    }
}

/// Several keys, of which the first [`MOST`](Candidates::MOST) are kept.
impl FromIterator<VerifyingKey> for Candidates {
    fn from_iter<I: IntoIterator<Item = VerifyingKey>>(keys: I) -> Self {
        Self(keys.into_iter().take(Self::MOST).collect())
    }
}
