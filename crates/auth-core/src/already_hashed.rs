//! Maps whose keys are hashes already.

use std::hash::{BuildHasherDefault, Hasher};

/// For a `HashMap` whose keys are one or two keyed hashes of 64 bits: hashing them again would tell nothing more.
pub(crate) type AlreadyHashed = BuildHasherDefault<AsItIs>;

/// Makes one number of a key, each half of which is a hash.
#[derive(Clone, Copy, Default)]
pub(crate) struct AsItIs(u64);

impl Hasher for AsItIs {
    /// A half comes alone or in a pair, and always whole.
    fn write(&mut self, halves: &[u8]) {
        for half in halves.chunks_exact(8) {
            let half = half.first_chunk().copied().map_or(0, u64::from_ne_bytes);
            self.0 = self.0.rotate_left(1) ^ half;
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        collections::HashSet,
        hash::{BuildHasher, Hash, RandomState},
    };

    #[track_caller]
    fn check<K: Hash>(of: impl Fn(u64, u64) -> K, expected: usize) {
        let hash = |n: u16| RandomState::new().hash_one(n);
        let halves: Vec<_> = (0..100).map(hash).collect();
        let of = &of;
        let pairs = halves.iter().flat_map(|one| halves.iter().map(move |other| of(*one, *other)));
        let hashes: HashSet<_> = pairs.map(|key| AlreadyHashed::new().hash_one(key)).collect();
        assert_eq!(hashes.len(), expected);
    }

    /// Keys that shared a hash would be found one by one.
    #[test]
    fn different_keys_have_different_hashes() {
        check(|one, _| one, 100);
        check(|one, other| (one, other), 10_000);
        check(|one, other| [one, other], 10_000);
    }
}
