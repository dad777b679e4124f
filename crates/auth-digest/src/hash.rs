//! The hash functions behind one type, and their output in hexadecimal on the stack.

use crate::HashFunction;
use md5::Md5;
use sha2::{Digest, Sha256, Sha512_256};
use std::fmt;
use subtle::{Choice, ConstantTimeEq};
use zeroize::{ZeroizeOnDrop, optimization_barrier};

/// A hash under way. What is given to it in pieces is gathered first, since a hash function takes one long piece faster
/// than several short ones. All of it is wiped when it is dropped.
pub(crate) struct Hasher {
    function: HashFunction,
    /// The state behind what did not fit; `None` before anything has been hashed.
    state: Option<State>,
    gathered: [u8; Self::ROOM],
    length: usize,
}

/// The state of a hash function, wiped when it is dropped.
#[derive(Clone)]
pub(crate) enum State {
    Md5(Md5),
    Sha256(Sha256),
    Sha512_256(Sha512_256),
}

impl Hasher {
    const ROOM: usize = 256;

    #[inline]
    pub(crate) const fn new(function: HashFunction) -> Self {
        Self { function, state: None, gathered: [0; Self::ROOM], length: 0 }
    }

    /// Goes on where another one was.
    #[inline]
    pub(crate) fn behind(function: HashFunction, state: &State) -> Self {
        let state = Some(state.clone());
        Self { function, state, gathered: [0; Self::ROOM], length: 0 }
    }

    #[inline]
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        let end = self.length.saturating_add(bytes.len());
        if let Some(free) = self.gathered.get_mut(self.length..end) {
            free.copy_from_slice(bytes);
            self.length = end;
        } else {
            self.overflow(bytes);
        }
    }

    /// The hash of everything so far. What is gathered is not moved for it.
    #[inline]
    pub(crate) fn finish(&mut self) -> HexDigest {
        let gathered = self.gathered.get(..self.length).unwrap_or_default();
        #[cfg(test)]
        tests::note(gathered.len());
        match (self.state.take(), self.function) {
            (Some(state), _) => state.finish(gathered),
            (None, HashFunction::Md5) => HexDigest::of(&Md5::digest(gathered)),
            (None, HashFunction::Sha256) => HexDigest::of(&Sha256::digest(gathered)),
            (None, HashFunction::Sha512_256) => HexDigest::of(&Sha512_256::digest(gathered)),
        }
    }

    /// The state behind everything so far, to go on from several times.
    pub(crate) fn state(mut self) -> State {
        self.overflow(&[]);
        self.state.take().unwrap_or_else(|| State::new(self.function))
    }

    #[cold]
    fn overflow(&mut self, bytes: &[u8]) {
        let gathered = self.gathered.get(..self.length).unwrap_or_default();
        let state = self.state.get_or_insert_with(|| State::new(self.function));
        state.update(gathered);
        state.update(bytes);
        self.length = 0;
    }
}

impl Drop for Hasher {
    #[inline]
    fn drop(&mut self) {
        self.gathered.fill(0);
        optimization_barrier(&self.gathered);
    }
}

impl State {
    fn new(function: HashFunction) -> Self {
        match function {
            HashFunction::Md5 => Self::Md5(Md5::new()),
            HashFunction::Sha256 => Self::Sha256(Sha256::new()),
            HashFunction::Sha512_256 => Self::Sha512_256(Sha512_256::new()),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Md5(hash) => hash.update(bytes),
            Self::Sha256(hash) => hash.update(bytes),
            Self::Sha512_256(hash) => hash.update(bytes),
        }
    }

    #[inline]
    fn finish(self, last: &[u8]) -> HexDigest {
        match self {
            Self::Md5(hash) => HexDigest::of(&hash.chain_update(last).finalize()),
            Self::Sha256(hash) => HexDigest::of(&hash.chain_update(last).finalize()),
            Self::Sha512_256(hash) => HexDigest::of(&hash.chain_update(last).finalize()),
        }
    }
}

/// A hash in lower-case hexadecimal: 32 or 64 characters, on the stack.
#[derive(Clone, Copy)]
pub struct HexDigest {
    digits: [u8; Self::MOST],
    length: u8,
}

impl HexDigest {
    const MOST: usize = 64;

    #[inline]
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let mut digits = [0; Self::MOST];
        hex(bytes, &mut digits);
        let length = u8::try_from(bytes.len().saturating_mul(2).min(Self::MOST));
        Self { digits, length: length.unwrap_or_default() }
    }

    /// Reads the output of this hash function as it is sent: all of it, in lower case.
    pub(crate) fn read(function: HashFunction, text: &[u8]) -> Option<Self> {
        if text.len() != function.digits() || !is_hex(text) {
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

    #[inline]
    fn wipe(&mut self) {
        self.digits.fill(0);
        optimization_barrier(&self.digits);
    }

    /// Compares in time that depends on the lengths alone.
    #[must_use]
    pub fn matches(&self, presented: &[u8]) -> bool {
        let (ours, theirs) = (self.as_bytes(), presented);
        if ours.len() != theirs.len() {
            return false;
        }
        // Eight at a time, as any hash can be compared; the last ones, if there are fewer, by themselves.
        let (our_parts, their_parts) = (ours.chunks_exact(8), theirs.chunks_exact(8));
        let rest = our_parts.remainder().ct_eq(their_parts.remainder());
        let word = |eight: &[u8]| u64::from_ne_bytes(eight.try_into().unwrap_or_default());
        let same = |all: Choice, (ours, theirs)| all & word(ours).ct_eq(&word(theirs));
        our_parts.zip(their_parts).fold(rest, same).into()
    }
}

/// Shows nothing: it may be a secret.
impl fmt::Debug for HexDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HexDigest(..)")
    }
}

/// A hash that is as good as a password: wiped when dropped.
#[derive(Clone)]
pub(crate) struct SecretHex(pub(crate) HexDigest);

impl Drop for SecretHex {
    #[inline]
    fn drop(&mut self) {
        self.0.wipe();
    }
}

impl ZeroizeOnDrop for SecretHex {}

/// Are these lower-case hexadecimal digits alone? Looks at all of them, without a branch for each.
#[inline]
pub(crate) fn is_hex(text: &[u8]) -> bool {
    let digit = |byte: u8| (byte.wrapping_sub(b'0') < 10) | (byte.wrapping_sub(b'a') < 6);
    text.iter().fold(true, |all, byte| all & digit(*byte))
}

/// Two lower-case digits for each byte, as far as there is room.
#[inline]
pub(crate) fn hex(bytes: &[u8], digits: &mut [u8]) {
    for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
        if let (Some(two), [high, low]) = (PAIRS.get(usize::from(*byte)), pair) {
            [*high, *low] = *two;
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
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::cell::Cell;

    thread_local! {
        /// How many hashes this thread has finished, and the bytes at their ends.
        static FINISHED: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
    }

    pub(super) fn note(bytes: usize) {
        let (hashes, before) = FINISHED.get();
        FINISHED.set((hashes + 1, before + bytes));
    }

    /// The hashes that some work takes: how many, and over how many bytes.
    pub(crate) fn hashed<T>(work: impl FnOnce() -> T) -> (T, (usize, usize)) {
        FINISHED.set((0, 0));
        (work(), FINISHED.get())
    }

    fn of(function: HashFunction, pieces: &[&[u8]]) -> HexDigest {
        let mut hasher = Hasher::new(function);
        pieces.iter().for_each(|piece| hasher.update(piece));
        hasher.finish()
    }

    #[track_caller]
    fn check(function: HashFunction, expected: &str) {
        let whole = of(function, &[b"abc"]);
        assert_eq!(whole.as_bytes(), expected.as_bytes());
        assert!(of(function, &[b"a", b"", b"bc"]).matches(expected.as_bytes()));
        assert_eq!(function.digits(), expected.len());
        assert_eq!(
            HexDigest::read(function, expected.as_bytes()).unwrap().as_bytes(),
            whole.as_bytes()
        );
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
    }

    proptest! {
        /// However long the pieces are, and wherever a state is taken and gone on from.
        #[test]
        fn pieces_are_hashed_like_the_whole(
            pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..400), 0..6),
            at in 0_usize..6,
        ) {
            for function in [HashFunction::Md5, HashFunction::Sha256, HashFunction::Sha512_256] {
                let pieces: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
                let whole = match function {
                    HashFunction::Md5 => HexDigest::of(&Md5::digest(pieces.concat())),
                    HashFunction::Sha256 => HexDigest::of(&Sha256::digest(pieces.concat())),
                    HashFunction::Sha512_256 => HexDigest::of(&Sha512_256::digest(pieces.concat())),
                };
                prop_assert!(of(function, &pieces).matches(whole.as_bytes()));
                let (first, rest) = pieces.split_at(at.min(pieces.len()));
                let mut hasher = Hasher::new(function);
                first.iter().for_each(|piece| hasher.update(piece));
                let state = hasher.state();
                for _ in 0..2 {
                    let mut again = Hasher::behind(function, &state);
                    rest.iter().for_each(|piece| again.update(piece));
                    prop_assert!(again.finish().matches(whole.as_bytes()));
                }
            }
        }
    }

    #[test]
    fn reads_all_of_a_hash_in_one_spelling() {
        let good = "900150983cd24fb0d6963f7d28e17f72";
        let short = good.trim_end_matches('2');
        let long = [good, "0"].concat();
        for other in [short, "", &good.to_uppercase(), &good.replace('9', "g"), &long] {
            assert!(HexDigest::read(HashFunction::Md5, other.as_bytes()).is_none(), "{other}");
        }
        assert!(HexDigest::read(HashFunction::Sha256, good.as_bytes()).is_none());
    }

    #[test]
    fn matches_the_same_digits_alone_and_shows_none() {
        let hex = HexDigest::of(&[0x12, 0xab]);
        assert!(hex.matches(b"12ab"));
        for other in [&b"12aB"[..], b"12a", b"12abc", b"", b"22ab"] {
            assert!(!hex.matches(other));
        }
        let long = of(HashFunction::Md5, &[b"abc"]);
        let longer = [long.as_bytes(), b"00000000"].concat();
        assert!(long.matches(long.as_bytes()) && !long.matches(&longer));
        assert!(!long.matches(long.as_bytes().split_last_chunk::<8>().unwrap().0));
        assert_eq!(format!("{hex:?}"), "HexDigest(..)");
    }

    #[test]
    fn wipes_every_digit() {
        let mut hex = HexDigest::of(&[0xff; 32]);
        hex.wipe();
        assert_eq!(hex.as_bytes(), [0; 64]);
    }
}
