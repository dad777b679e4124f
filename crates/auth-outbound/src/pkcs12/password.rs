//! The password of a file: its forms, the values that are derived from it, and the MAC that shows whether it is right.

use super::{container::Fields, fault::Fault};
use auth_core::Secret;
use der::{Tag, asn1::ObjectIdentifier};
use ring::{
    digest::{self, Context},
    hmac,
};
use zeroize::Zeroizing;

/// A password in the two forms that algorithms want it in.
pub(super) struct Password {
    pub(super) text: Zeroizing<Vec<u8>>,
    /// UTF-16, the high byte first, with a zero behind it (RFC 7292 appendix B.1).
    wide: Zeroizing<Vec<u8>>,
}

impl Password {
    pub(super) fn new(password: &Secret) -> Result<Self, Fault> {
        let text = password.expose_text().ok_or(Fault::Password)?;
        // With its final capacity, so that no part of it stays behind where it grew.
        let mut wide =
            Zeroizing::new(Vec::with_capacity(text.len().saturating_add(1).saturating_mul(2)));
        for unit in text.encode_utf16().chain([0]) {
            wide.extend_from_slice(&unit.to_be_bytes());
        }
        Ok(Self { text: Zeroizing::new(text.as_bytes().to_vec()), wide })
    }
}

/// So many iterations in a file, in all.
pub(super) const MOST_ROUNDS: u64 = 4_000_000;

/// The iterations that a file asks for.
#[derive(Default)]
pub(super) struct Rounds(u64);

impl Rounds {
    /// With these, which are not done yet.
    pub(super) fn add(&mut self, rounds: u64) -> Result<(), Fault> {
        self.0 = self.0.saturating_add(rounds);
        if rounds == 0 || self.0 > MOST_ROUNDS { Err(Fault::Rounds(self.0)) } else { Ok(()) }
    }
}

/// The MAC of a file (`MacData`).
pub(super) struct Mac<'a> {
    hash: &'static Hash,
    sum: &'a [u8],
    salt: &'a [u8],
    pub(super) rounds: u64,
}

impl<'a> Mac<'a> {
    pub(super) fn read(mut fields: Fields<'a>) -> Result<Self, Fault> {
        let mut info = fields.inside(Tag::Sequence)?;
        let mut algorithm = info.inside(Tag::Sequence)?;
        let kind = algorithm.object()?;
        let hash = HASHES.iter().find(|it| it.object == kind);
        let hash = hash.ok_or(Fault::Algorithm("a MAC"))?;
        if algorithm.is_next(Tag::Null) {
            algorithm.take(Tag::Null)?;
        }
        algorithm.end()?;
        let sum = info.octets()?;
        info.end()?;
        let salt = fields.octets()?;
        let rounds = if fields.is_next(Tag::Integer) { fields.number()? } else { 1 };
        fields.end()?;
        Ok(Self { hash, sum, salt, rounds })
    }

    pub(super) fn verify(&self, password: &Password, content: &[u8]) -> Result<(), Fault> {
        let hash = self.hash.digest;
        let key = derived(hash, Purpose::Mac, password, self.salt, self.rounds, hash.output_len());
        let key = hmac::Key::new(self.hash.hmac, &key);
        hmac::verify(&key, content, self.sum).map_err(|_| Fault::Password)
    }
}

/// What a derived value is for, which makes it another one (RFC 7292 appendix B.3).
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    Key,
    Iv,
    Mac,
}

impl Purpose {
    const fn id(self) -> u8 {
        match self {
            Self::Key => 1,
            Self::Iv => 2,
            Self::Mac => 3,
        }
    }
}

/// RFC 7292 appendix B.2, whose steps the comments name.
pub(super) fn derived(
    hash: &'static digest::Algorithm,
    purpose: Purpose,
    password: &Password,
    salt: &[u8],
    rounds: u64,
    length: usize,
) -> Zeroizing<Vec<u8>> {
    let block = hash.block_len();
    // Steps 2 to 4.
    let whole = |bytes: &[u8]| bytes.len().div_ceil(block).saturating_mul(block);
    let mut input = Zeroizing::new(Vec::with_capacity(whole(salt) + whole(&password.wide)));
    for bytes in [salt, &*password.wide] {
        input.extend(bytes.iter().copied().cycle().take(whole(bytes)));
    }
    let mut made = Zeroizing::new(vec![0; length]);
    for part in made.chunks_mut(hash.output_len()) {
        // Steps 1 and 6 A.
        let mut first = Context::new(hash);
        first.update(&vec![purpose.id(); block]);
        first.update(&input);
        let mut sum = first.finish();
        for _ in 1..rounds {
            sum = digest::digest(hash, sum.as_ref());
        }
        part.iter_mut().zip(sum.as_ref()).for_each(|(to, from)| *to = *from);
        // Steps 6 B and C: each block and the sum, repeated, and one.
        let repeated: Zeroizing<Vec<u8>> =
            Zeroizing::new(sum.as_ref().iter().copied().cycle().take(block).collect());
        for block in input.chunks_mut(block) {
            let mut carry = 1;
            for (byte, more) in block.iter_mut().zip(repeated.iter()).rev() {
                let [high, low] =
                    (u16::from(*byte) + u16::from(*more) + u16::from(carry)).to_be_bytes();
                (*byte, carry) = (low, high);
            }
        }
    }
    made
}

/// A hash that MACs are made with.
struct Hash {
    object: ObjectIdentifier,
    digest: &'static digest::Algorithm,
    hmac: hmac::Algorithm,
}

const HASHES: &[Hash] = &[
    Hash {
        object: ObjectIdentifier::new_unwrap("1.3.14.3.2.26"),
        digest: &digest::SHA1_FOR_LEGACY_USE_ONLY,
        hmac: hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
    },
    Hash {
        object: ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1"),
        digest: &digest::SHA256,
        hmac: hmac::HMAC_SHA256,
    },
    Hash {
        object: ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2"),
        digest: &digest::SHA384,
        hmac: hmac::HMAC_SHA384,
    },
    Hash {
        object: ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3"),
        digest: &digest::SHA512,
        hmac: hmac::HMAC_SHA512,
    },
];
