//! Maps whose keys are hashes already.

use std::hash::{BuildHasherDefault, Hasher};

/// For a `HashMap` whose keys are digests, or numbers that were cut out of digests.
pub(crate) type AlreadyHashed = BuildHasherDefault<AsItIs>;

/// Takes a hash as it is.
#[derive(Clone, Copy, Default)]
pub(crate) struct AsItIs(u64);

impl Hasher for AsItIs {
    /// Keys give one number; nothing is lost of those that give bytes.
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    #[inline]
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }
}
