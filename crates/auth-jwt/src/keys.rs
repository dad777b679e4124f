//! The keys that may have signed a token.

use crate::VerifyingKey;

/// The keys that may have signed a token, and whom each stands for: what a look-up of keys finds.
///
/// All that are of the token's algorithm are tried, whichever matches, so what a token costs does not tell which key it
/// is for.
pub type JwtKeys<P = ()> = auth_core::Candidates<VerifyingKey, P>;

/// The most keys of one algorithm that are tried for one token.
pub(crate) const MOST_TRIED: usize = 4;
