//! A fast hash for tables of a bounded size.

use std::hash::{BuildHasher, RandomState};

/// Hashes bytes under two random numbers.
///
/// It is asked twice for every attempt, and is faster than the hash of the standard library. A table of attempts is
/// bounded, so all that two alike hashes could bring a caller is an attempt that is counted for another one as well.
#[derive(Clone, Copy)]
pub(super) struct Seed([u64; 2]);

impl Seed {
    pub(super) fn random() -> Self {
        Self([(); 2].map(|()| RandomState::new().hash_one(0_u8)))
    }

    /// The hash of these bytes, and of a number beside them that tells like bytes apart.
    pub(super) fn hash(self, bytes: &[u8], beside: u64) -> u64 {
        let Self([first, second]) = self;
        let mut state = folded(first ^ beside, second);
        let (words, rest) = (bytes.chunks_exact(8), bytes.chunks_exact(8).remainder());
        for word in words {
            let word = u64::from_le_bytes(word.first_chunk().copied().unwrap_or_default());
            state = folded(state ^ word, second);
        }
        let mut last = [0; 8];
        last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        state = folded(state ^ u64::from_le_bytes(last), second);
        folded(state, first)
    }
}

/// Both halves of the product, one over the other: every bit of it depends on every bit of both.
fn folded(one: u64, other: u64) -> u64 {
    let product = u128::from(one).wrapping_mul(u128::from(other | 1));
    let low = u64::try_from(product & u128::from(u64::MAX)).unwrap_or_default();
    let high = u64::try_from(product >> 64).unwrap_or_default();
    low ^ high
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn different_bytes_and_numbers_beside_them_have_different_hashes() {
        let seed = Seed::random();
        let mut all = HashSet::new();
        for n in 0_u32..20_000 {
            assert!(all.insert(seed.hash(&n.to_be_bytes(), 0)));
            assert!(all.insert(seed.hash(format!("a user of the service {n}").as_bytes(), 0)));
            assert!(all.insert(seed.hash(b"one", u64::from(n) + 1)));
        }
        assert_ne!(seed.hash(b"one", 0), Seed::random().hash(b"one", 0));
        assert_eq!(seed.hash(b"one", 0), seed.hash(b"one", 0));
    }

    /// Tables look at the lowest bits and at the highest.
    #[test]
    fn hashes_are_spread_over_all_bits() {
        let seed = Seed::random();
        for shift in [0, 7, 25, 57] {
            let mut counts = [0; 128];
            for n in 0_u32..12_800 {
                let part = seed.hash(format!("user{n}").as_bytes(), 0) >> shift & 127;
                counts[usize::try_from(part).unwrap()] += 1;
            }
            assert!(counts.iter().all(|count| (40..180).contains(count)), "{counts:?}");
        }
    }
}
