//! The hash functions behind one type, and their output in hexadecimal on the stack.

use crate::HashFunction;
use auth_core::HashAlgorithm;
use md5::Md5;
use sha2::{Digest, Sha256, Sha512, Sha512_256};
use std::fmt;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// A hash under way. Its state is wiped when it is dropped.
#[derive(Clone)]
pub(crate) enum Hasher {
    Md5(Md5),
    Sha256(Sha256),
    Sha512(Sha512),
    Sha512_256(Sha512_256),
}

impl Hasher {
    #[inline]
    pub(crate) fn new(function: HashFunction) -> Self {
        match function {
            HashFunction::Md5 => Self::Md5(Md5::new()),
            HashFunction::Sha256 => Self::Sha256(Sha256::new()),
            HashFunction::Sha512 => Self::Sha512(Sha512::new()),
            HashFunction::Sha512_256 => Self::Sha512_256(Sha512_256::new()),
        }
    }

    #[inline]
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Md5(hash) => hash.update(bytes),
            Self::Sha256(hash) => hash.update(bytes),
            Self::Sha512(hash) => hash.update(bytes),
            Self::Sha512_256(hash) => hash.update(bytes),
        }
    }

    /// The same, for who writes several in a row.
    #[inline]
    pub(crate) fn and(mut self, bytes: &[u8]) -> Self {
        self.update(bytes);
        self
    }

    #[inline]
    pub(crate) fn finish(self) -> Hex {
        match self {
            Self::Md5(hash) => Hex::of(&hash.finalize()),
            Self::Sha256(hash) => Hex::of(&hash.finalize()),
            Self::Sha512(hash) => Hex::of(&hash.finalize()),
            Self::Sha512_256(hash) => Hex::of(&hash.finalize()),
        }
    }
}

/// A hash in lower-case hexadecimal: 32, 64 or 128 characters, on the stack.
#[derive(Clone, Copy)]
pub struct Hex {
    digits: [u8; Self::MOST],
    length: u8,
}

impl Hex {
    const MOST: usize = 128;

    #[inline]
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let mut digits = [0; Self::MOST];
        hex(bytes, &mut digits);
        let length = u8::try_from(bytes.len().saturating_mul(2).min(Self::MOST));
        Self { digits, length: length.unwrap_or_default() }
    }

    /// Reads the output of this hash function as it is sent: all of it, in lower case.
    pub(crate) fn read(function: HashFunction, text: &[u8]) -> Option<Self> {
        let digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() != function.digits() || !text.iter().all(digit) {
            return None;
        }
        let mut digits = [0; Self::MOST];
        digits.get_mut(..text.len())?.copy_from_slice(text);
        Some(Self { digits, length: u8::try_from(text.len()).ok()? })
    }

    /// The digits.
    #[must_use]
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        self.digits.get(..usize::from(self.length)).unwrap_or_default()
    }

    /// Compares in time that depends on the lengths alone.
    #[must_use]
    pub fn matches(&self, presented: &[u8]) -> bool {
        self.as_bytes().ct_eq(presented).into()
    }
}

impl Zeroize for Hex {
    fn zeroize(&mut self) {
        self.digits.zeroize();
    }
}

/// Shows nothing: it may be a secret.
impl fmt::Debug for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hex(..)")
    }
}

/// A hash that is as good as a password: wiped when dropped.
#[derive(Clone)]
pub(crate) struct SecretHex(pub(crate) Hex);

impl Drop for SecretHex {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl ZeroizeOnDrop for SecretHex {}

/// Two lower-case digits for each byte, as far as there is room.
#[inline]
pub(crate) fn hex(bytes: &[u8], digits: &mut [u8]) {
    for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
        if let (Ok(pair), Some(two)) =
            (<&mut [u8; 2]>::try_from(pair), PAIRS.get(usize::from(*byte)))
        {
            *pair = *two;
        }
    }
}

const PAIRS: [[u8; 2]; 256] = {
    let mut pairs = [[0; 2]; 256];
    let (mut rest, mut byte): (&mut [[u8; 2]], u8) = (&mut pairs, 0);
    while let [pair, behind @ ..] = rest {
        *pair = [digit(byte >> 4), digit(byte & 15)];
        (rest, byte) = (behind, byte.wrapping_add(1));
    }
    pairs
};

const fn digit(nibble: u8) -> u8 {
    if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 }
}

impl HashFunction {
    /// How many hexadecimal digits its output has.
    #[must_use]
    pub const fn digits(self) -> usize {
        match self {
            Self::Md5 => 32,
            Self::Sha256 | Self::Sha512_256 => 64,
            Self::Sha512 => 128,
        }
    }

    /// What an adapter calls it; none does MD5.
    pub(crate) const fn of_bodies(self) -> Option<HashAlgorithm> {
        match self {
            Self::Md5 => None,
            Self::Sha256 => Some(HashAlgorithm::Sha256),
            Self::Sha512 => Some(HashAlgorithm::Sha512),
            Self::Sha512_256 => Some(HashAlgorithm::Sha512_256),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(function: HashFunction, expected: &str) {
        let whole = Hasher::new(function).and(b"abc").finish();
        assert_eq!(whole.as_bytes(), expected.as_bytes());
        let parts = Hasher::new(function).and(b"a").and(b"").and(b"bc").finish();
        assert!(parts.matches(expected.as_bytes()));
        assert_eq!(function.digits(), expected.len());
        assert_eq!(Hex::read(function, expected.as_bytes()).unwrap().as_bytes(), whole.as_bytes());
    }

    /// The examples of RFC 1321 and FIPS 180-4.
    #[test]
    fn hashes_as_published() {
        check(HashFunction::Md5, "900150983cd24fb0d6963f7d28e17f72");
        check(
            HashFunction::Sha256,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        );
        check(
            HashFunction::Sha512_256,
            "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23",
        );
        check(
            HashFunction::Sha512,
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
             2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        );
    }

    #[test]
    fn reads_all_of_a_hash_in_one_spelling() {
        let good = "900150983cd24fb0d6963f7d28e17f72";
        for other in
            [&good[1..], "", &good.to_uppercase(), &good.replace('9', "g"), &[good, "0"].concat()]
        {
            assert!(Hex::read(HashFunction::Md5, other.as_bytes()).is_none(), "{other}");
        }
        assert!(Hex::read(HashFunction::Sha256, good.as_bytes()).is_none());
    }

    #[test]
    fn matches_the_same_digits_alone_and_shows_none() {
        let hex = Hex::of(&[0x12, 0xab]);
        assert!(hex.matches(b"12ab"));
        for other in [&b"12aB"[..], b"12a", b"12abc", b"", b"22ab"] {
            assert!(!hex.matches(other));
        }
        assert_eq!(format!("{hex:?}"), "Hex(..)");
    }

    #[test]
    fn wipes_every_digit() {
        let mut hex = Hex::of(&[0xff; 64]);
        hex.zeroize();
        assert_eq!(hex.as_bytes(), [0; 128]);
    }
}
