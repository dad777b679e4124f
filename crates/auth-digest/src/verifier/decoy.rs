//! Secrets of nobody: they only cost what a real one costs.

use crate::{Ha1, HashFunction};
use auth_core::{Random, Result};

/// One for each hash function, of a password that nobody has.
pub(super) struct Decoys([Ha1; 3]);

impl Decoys {
    pub(super) fn new(random: &dyn Random) -> Result<Self> {
        let mut password = [0; 32];
        random.fill(&mut password)?;
        let of = |function| Ha1::new(function, "", b"", &password);
        Ok(Self([of(HashFunction::Md5), of(HashFunction::Sha256), of(HashFunction::Sha512_256)]))
    }

    pub(super) fn of(&self, function: HashFunction) -> &Ha1 {
        let Self([md5, sha256, sha512_256]) = self;
        match function {
            HashFunction::Md5 => md5,
            HashFunction::Sha256 => sha256,
            HashFunction::Sha512_256 => sha512_256,
        }
    }
}
