//! Maps whose keys are hashes already.

use std::hash::{BuildHasherDefault, Hasher};

/// For a `HashMap` whose keys are one or two keyed hashes of 64 bits: hashing them again would tell nothing more.
pub(crate) type AlreadyHashed = BuildHasherDefault<AsItIs>;

/// Makes one number of a key, each half of which is a hash.
#[derive(Clone, Copy, Default)]
pub(crate) struct AsItIs(u64);

impl Hasher for AsItIs {
    fn write_u64(&mut self, half: u64) {
        self.0 = self.0.rotate_left(1) ^ half;
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
