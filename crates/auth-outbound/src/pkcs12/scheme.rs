//! How a file encrypts what it holds.

use super::{
    container::Fields,
    fault::Fault,
    password::{Password, Purpose, derived},
};
use cbc::{
    Decryptor,
    cipher::{BlockCipherDecrypt, BlockModeDecrypt, KeyInit, KeyIvInit, block_padding::Pkcs7},
};
use der::{Tag, asn1::ObjectIdentifier};
use ring::{digest, pbkdf2};
use std::num::NonZeroU32;
use zeroize::Zeroizing;

/// How something is encrypted: a derivation of keys from the password, and a block cipher in CBC.
pub(super) struct Scheme<'a> {
    derivation: Derivation<'a>,
    cipher: Cipher,
}

enum Derivation<'a> {
    /// RFC 7292 appendix B.2, with SHA-1.
    Pkcs12 { salt: &'a [u8], rounds: u64 },
    /// PBKDF2 of RFC 8018, with this initialization vector for the cipher.
    Pbkdf2 { salt: &'a [u8], rounds: u64, hash: pbkdf2::Algorithm, iv: &'a [u8] },
}

#[derive(Clone, Copy)]
enum Cipher {
    Aes128,
    Aes192,
    Aes256,
    TripleDes,
    Rc2 { key_bytes: usize },
}

impl<'a> Scheme<'a> {
    /// Of an `AlgorithmIdentifier`.
    pub(super) fn read(mut fields: Fields<'a>) -> Result<Self, Fault> {
        let kind = fields.object()?;
        let mut parameters = fields.inside(Tag::Sequence)?;
        fields.end()?;
        if kind == PBES2 {
            return Self::pbes2(parameters);
        }
        let old = OLD_SCHEMES.iter().find(|(object, _)| *object == kind);
        let (_, cipher) = old.ok_or(Fault::Algorithm("an encryption"))?;
        let (salt, rounds) = (parameters.octets()?, parameters.number()?);
        parameters.end()?;
        Ok(Self { derivation: Derivation::Pkcs12 { salt, rounds }, cipher: *cipher })
    }

    fn pbes2(mut parameters: Fields<'a>) -> Result<Self, Fault> {
        let mut derivation = parameters.inside(Tag::Sequence)?;
        let mut encryption = parameters.inside(Tag::Sequence)?;
        parameters.end()?;
        if derivation.object()? != PBKDF2 {
            return Err(Fault::Algorithm("a derivation of keys"));
        }
        let mut settings = derivation.inside(Tag::Sequence)?;
        let (salt, rounds) = (settings.octets()?, settings.number()?);
        let length = if settings.is_next(Tag::Integer) { Some(settings.number()?) } else { None };
        let hash = if settings.is_next(Tag::Sequence) {
            settings.inside(Tag::Sequence)?.object()?
        } else {
            HMAC_SHA1
        };
        settings.end()?;
        let hash = PBKDF2_HASHES.iter().find(|(object, _)| *object == hash);
        let (_, hash) = hash.ok_or(Fault::Algorithm("a derivation of keys"))?;
        let kind = encryption.object()?;
        let cipher = CIPHERS.iter().find(|(object, _)| *object == kind);
        let (_, cipher) = cipher.ok_or(Fault::Algorithm("an encryption"))?;
        let iv = encryption.octets()?;
        encryption.end()?;
        let fits = |said: u64| usize::try_from(said).is_ok_and(|it| it == cipher.key_bytes());
        if !length.is_none_or(fits) || iv.len() != cipher.block_bytes() {
            return Err(Fault::Form);
        }
        let derivation = Derivation::Pbkdf2 { salt, rounds, hash: *hash, iv };
        Ok(Self { derivation, cipher: *cipher })
    }

    pub(super) const fn rounds(&self) -> u64 {
        match self.derivation {
            Derivation::Pkcs12 { rounds, .. } | Derivation::Pbkdf2 { rounds, .. } => rounds,
        }
    }

    /// The MAC was right, so the password is, and what cannot be decrypted all the same was never whole.
    pub(super) fn decrypt(
        &self,
        password: &Password,
        encrypted: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Fault> {
        let length = self.cipher.key_bytes();
        let (key, iv) = match self.derivation {
            Derivation::Pkcs12 { salt, rounds } => {
                let sha1 = &digest::SHA1_FOR_LEGACY_USE_ONLY;
                let of = |purpose, length| derived(sha1, purpose, password, salt, rounds, length);
                (of(Purpose::Key, length), of(Purpose::Iv, self.cipher.block_bytes()))
            }
            Derivation::Pbkdf2 { salt, rounds, hash, iv } => {
                let rounds = u32::try_from(rounds).ok().and_then(NonZeroU32::new);
                let rounds = rounds.ok_or(Fault::Form)?;
                let mut key = Zeroizing::new(vec![0; length]);
                pbkdf2::derive(hash, rounds, salt, &password.text, &mut key);
                (key, Zeroizing::new(iv.to_vec()))
            }
        };
        let mut data = Zeroizing::new(encrypted.to_vec());
        let decrypt = match self.cipher {
            Cipher::Aes128 => cbc::<aes::Aes128>,
            Cipher::Aes192 => cbc::<aes::Aes192>,
            Cipher::Aes256 => cbc::<aes::Aes256>,
            Cipher::TripleDes => cbc::<des::TdesEde3>,
            Cipher::Rc2 { .. } => cbc::<rc2::Rc2>,
        };
        let length = decrypt(&key, &iv, &mut data).ok_or(Fault::Form)?;
        data.truncate(length);
        Ok(data)
    }
}

/// Decrypts in place, and gives the length without the padding.
fn cbc<C: BlockCipherDecrypt + KeyInit>(key: &[u8], iv: &[u8], data: &mut [u8]) -> Option<usize> {
    let cipher = Decryptor::<C>::new_from_slices(key, iv).ok()?;
    Some(cipher.decrypt_padded::<Pkcs7>(data).ok()?.len())
}

impl Cipher {
    const fn key_bytes(self) -> usize {
        match self {
            Self::Aes128 => 16,
            Self::Aes192 | Self::TripleDes => 24,
            Self::Aes256 => 32,
            Self::Rc2 { key_bytes } => key_bytes,
        }
    }

    const fn block_bytes(self) -> usize {
        match self {
            Self::Aes128 | Self::Aes192 | Self::Aes256 => 16,
            Self::TripleDes | Self::Rc2 { .. } => 8,
        }
    }
}

const PBES2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.13");
const PBKDF2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.12");
const HMAC_SHA1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.2.7");

const PBKDF2_HASHES: &[(ObjectIdentifier, pbkdf2::Algorithm)] = &[
    (HMAC_SHA1, pbkdf2::PBKDF2_HMAC_SHA1),
    (ObjectIdentifier::new_unwrap("1.2.840.113549.2.9"), pbkdf2::PBKDF2_HMAC_SHA256),
    (ObjectIdentifier::new_unwrap("1.2.840.113549.2.10"), pbkdf2::PBKDF2_HMAC_SHA384),
    (ObjectIdentifier::new_unwrap("1.2.840.113549.2.11"), pbkdf2::PBKDF2_HMAC_SHA512),
];

/// In PBES2.
const CIPHERS: &[(ObjectIdentifier, Cipher)] = &[
    (ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.1.2"), Cipher::Aes128),
    (ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.1.22"), Cipher::Aes192),
    (ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.1.42"), Cipher::Aes256),
    (ObjectIdentifier::new_unwrap("1.2.840.113549.3.7"), Cipher::TripleDes),
];

/// Those of RFC 7292 appendix C, of which some have keys of too few bits for anything but certificates.
const OLD_SCHEMES: &[(ObjectIdentifier, Cipher)] = &[
    (ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.3"), Cipher::TripleDes),
    (ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.5"), Cipher::Rc2 { key_bytes: 16 }),
    (ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.6"), Cipher::Rc2 { key_bytes: 5 }),
];
