//! Hashes of bodies, as a scheme may ask an adapter for.

use ring::digest;
use std::fmt;

/// A hash function that a scheme may want a body under. FIPS 180-4.
///
/// MD5 is not here: a scheme that needs it asks for the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HashAlgorithm {
    /// SHA-256, as AWS Signature Version 4 and Digest use it.
    Sha256,
    /// SHA-512.
    Sha512,
    /// SHA-512/256, as Digest means by `SHA-512-256` (RFC 7616 section 3.2).
    Sha512_256,
}

impl HashAlgorithm {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Sha256, Self::Sha512, Self::Sha512_256];

    /// Hashes bytes that are all here.
    #[must_use]
    pub fn hash(self, bytes: &[u8]) -> Hashed {
        Hashed { algorithm: self, digest: digest::digest(self.ring(), bytes) }
    }

    /// Begins to hash bytes that come in pieces.
    #[must_use]
    pub fn begin(self) -> Hasher {
        Hasher { algorithm: self, context: digest::Context::new(self.ring()) }
    }

    fn ring(self) -> &'static digest::Algorithm {
        match self {
            Self::Sha256 => &digest::SHA256,
            Self::Sha512 => &digest::SHA512,
            Self::Sha512_256 => &digest::SHA512_256,
        }
    }

    const fn bit(self) -> u8 {
        match self {
            Self::Sha256 => 1,
            Self::Sha512 => 2,
            Self::Sha512_256 => 4,
        }
    }
}

/// The hash of a body, measured here: never copied from a header.
#[derive(Clone, Copy)]
pub struct Hashed {
    algorithm: HashAlgorithm,
    digest: digest::Digest,
}

impl Hashed {
    /// Which hash function.
    #[must_use]
    pub const fn algorithm(&self) -> HashAlgorithm {
        self.algorithm
    }

    /// Its output: 32 or 64 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.digest.as_ref()
    }
}

/// A hash is no secret.
impl fmt::Debug for Hashed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.digest.fmt(f)
    }
}

/// Hashes a body piece by piece.
#[derive(Clone)]
pub struct Hasher {
    algorithm: HashAlgorithm,
    context: digest::Context,
}

impl Hasher {
    /// Takes the next piece.
    pub fn update(&mut self, bytes: &[u8]) {
        self.context.update(bytes);
    }

    /// The hash of all pieces.
    #[must_use]
    pub fn finish(self) -> Hashed {
        Hashed { algorithm: self.algorithm, digest: self.context.finish() }
    }
}

/// Which hashes of one body are wanted: a set, because several schemes may share a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HashSet(u8);

impl HashSet {
    /// Both sets together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Its members.
    pub fn iter(self) -> impl Iterator<Item = HashAlgorithm> {
        HashAlgorithm::ALL.into_iter().filter(move |algorithm| self.0 & algorithm.bit() != 0)
    }
}

impl From<HashAlgorithm> for HashSet {
    fn from(algorithm: HashAlgorithm) -> Self {
        Self(algorithm.bit())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(algorithm: HashAlgorithm, expected: &str) {
        let hex: String =
            algorithm.hash(b"abc").as_bytes().iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(hex, expected);
        let mut pieces = algorithm.begin();
        pieces.update(b"a");
        pieces.update(b"bc");
        assert_eq!(pieces.finish().as_bytes(), algorithm.hash(b"abc").as_bytes());
    }

    /// The examples of FIPS 180-4 as NIST publishes them.
    #[test]
    fn agrees_with_fips_180() {
        check(
            HashAlgorithm::Sha256,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        );
        check(
            HashAlgorithm::Sha512,
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
             2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        );
        check(
            HashAlgorithm::Sha512_256,
            "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23",
        );
    }

    #[test]
    fn a_set_holds_what_was_put_in() {
        let set = HashSet::from(HashAlgorithm::Sha256).and(HashAlgorithm::Sha512_256.into());
        assert_eq!(
            set.iter().collect::<Vec<_>>(),
            [HashAlgorithm::Sha256, HashAlgorithm::Sha512_256]
        );
        assert_eq!(HashSet::default().iter().count(), 0);
    }
}
