//! Chance that repeats.

use auth_core::{Random, Result};
use std::sync::{Mutex, PoisonError};

/// The same bytes for the same seed (the SplitMix64 sequence): for tests alone.
///
/// # Security
///
/// An attacker who has seen eight bytes knows all that follow.
#[derive(Debug)]
pub struct SeededRandom(Mutex<u64>);

impl SeededRandom {
    /// The sequence of this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(Mutex::new(seed))
    }

    fn next(&self) -> u64 {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = *state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

impl Random for SeededRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<()> {
        for part in bytes.chunks_mut(8) {
            let drawn = self.next().to_le_bytes();
            part.iter_mut().zip(drawn).for_each(|(byte, drawn)| *byte = drawn);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first numbers that the authors of SplitMix64 publish for the seed 1234567.
    #[test]
    fn is_the_published_sequence() {
        let random = SeededRandom::new(1_234_567);
        assert_eq!(random.next(), 6_457_827_717_110_365_317);
        assert_eq!(random.next(), 3_203_168_211_198_807_973);
        assert_eq!(random.next(), 9_817_491_932_198_370_423);
    }

    #[test]
    fn fills_what_is_no_multiple_of_eight() {
        let (mut once, mut again) = ([0; 13], [0; 13]);
        SeededRandom::new(7).fill(&mut once).unwrap();
        SeededRandom::new(7).fill(&mut again).unwrap();
        assert_eq!(once, again);
        assert!(once.iter().any(|byte| *byte != 0));
    }
}
