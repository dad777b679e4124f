//! Files that no program writes. `tests/pkcs12.rs` has those of OpenSSL.

use super::{
    password::{Purpose, derived},
    *,
};
use auth_core::Error;
use cbc::cipher::{BlockModeEncrypt, KeyIvInit, block_padding::Pkcs7};
use proptest::prelude::*;
use rcgen::{CertificateParams, KeyPair};
use ring::{hmac, pbkdf2};
use std::{num::NonZeroU32, slice::from_ref, sync::LazyLock};

const PASSWORD: &str = "pa55:wörd";
const SALT: &[u8] = b"12345678";
const IV: [u8; 16] = *b"0123456789abcdef";

fn value(tag: u8, content: impl AsRef<[u8]>) -> Vec<u8> {
    let content = content.as_ref();
    let length = u16::try_from(content.len()).unwrap();
    let [high, low] = length.to_be_bytes();
    let head: &[u8] = match length {
        0..=0x7f => &[tag, low],
        0x80..=0xff => &[tag, 0x81, low],
        _ => &[tag, 0x82, high, low],
    };
    [head, content].concat()
}

fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    value(0x30, parts.concat())
}

fn explicit(inner: Vec<u8>) -> Vec<u8> {
    value(0xa0, inner)
}

fn octets(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    value(0x04, bytes)
}

fn number(number: u32) -> Vec<u8> {
    value(0x02, [&[0][..], &number.to_be_bytes()].concat().trimmed())
}

trait Trimmed {
    fn trimmed(&self) -> Vec<u8>;
}

impl Trimmed for Vec<u8> {
    /// The shortest form of a number that is not negative.
    fn trimmed(&self) -> Vec<u8> {
        let spare = self.windows(2).take_while(|two| two[0] == 0 && two[1] < 0x80).count();
        self[spare..].to_vec()
    }
}

fn object(kind: &str) -> Vec<u8> {
    value(0x06, der::asn1::ObjectIdentifier::new_unwrap(kind).as_bytes())
}

const DATA: &str = "1.2.840.113549.1.7.1";

/// PBES2 with AES-256 and PBKDF2 over HMAC-SHA-256: the algorithm, which may say how long its key is, and what is encrypted.
fn encrypted(plain: &[u8], rounds: u32, key_length: Option<u32>) -> (Vec<u8>, Vec<u8>) {
    let mut key = [0; 32];
    let (hash, password) = (pbkdf2::PBKDF2_HMAC_SHA256, PASSWORD.as_bytes());
    // What is refused for its rounds is never decrypted.
    pbkdf2::derive(hash, NonZeroU32::new(rounds.min(9)).unwrap(), SALT, password, &mut key);
    let cipher = cbc::Encryptor::<aes::Aes256>::new(&key.into(), &IV.into());
    let mut out = vec![0; plain.len() + 16];
    out[..plain.len()].copy_from_slice(plain);
    let out = cipher.encrypt_padded::<Pkcs7>(&mut out, plain.len()).unwrap().to_vec();
    let hash = sequence(&[object("1.2.840.113549.2.9"), vec![5, 0]]);
    let key_length = key_length.map(number).unwrap_or_default();
    let settings = sequence(&[octets(SALT), number(rounds), key_length, hash]);
    let derivation = sequence(&[object("1.2.840.113549.1.5.12"), settings]);
    let cipher = sequence(&[object("2.16.840.1.101.3.4.1.42"), octets(IV)]);
    let parameters = sequence(&[derivation, cipher]);
    (sequence(&[object("1.2.840.113549.1.5.13"), parameters]), out)
}

fn bag(kind: u8, inner: Vec<u8>) -> Vec<u8> {
    sequence(&[object(&format!("1.2.840.113549.1.12.10.1.{kind}")), explicit(inner)])
}

fn certificate_bag(der: &[u8]) -> Vec<u8> {
    bag(3, sequence(&[object("1.2.840.113549.1.9.22.1"), explicit(octets(der))]))
}

fn key_bag(key: &KeyPair, rounds: u32) -> Vec<u8> {
    key_bag_saying(key, rounds, None)
}

fn key_bag_saying(key: &KeyPair, rounds: u32, key_length: Option<u32>) -> Vec<u8> {
    let (algorithm, encrypted) = encrypted(&key.serialize_der(), rounds, key_length);
    bag(2, sequence(&[algorithm, octets(encrypted)]))
}

fn plain_part(bags: &[Vec<u8>]) -> Vec<u8> {
    sequence(&[object(DATA), explicit(octets(sequence(bags)))])
}

fn encrypted_part(bags: &[Vec<u8>], rounds: u32) -> Vec<u8> {
    let (algorithm, encrypted) = encrypted(&sequence(bags), rounds, None);
    let content = sequence(&[object(DATA), algorithm, value(0x80, encrypted)]);
    let data = sequence(&[number(0), content]);
    sequence(&[object("1.2.840.113549.1.7.6"), explicit(data)])
}

/// A file with these parts and a MAC that is right.
fn file(parts: &[Vec<u8>]) -> Vec<u8> {
    let content = sequence(parts);
    let (hash, password) = (&ring::digest::SHA256, Password::new(&PASSWORD.into()).unwrap());
    let key = derived(hash, Purpose::Mac, &password, SALT, 3, 32);
    let sum = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), &content);
    let algorithm = sequence(&[object("2.16.840.1.101.3.4.2.1"), vec![5, 0]]);
    let mac = sequence(&[sequence(&[algorithm, octets(sum)]), octets(SALT), number(3)]);
    sequence(&[number(3), sequence(&[object(DATA), explicit(octets(content))]), mac])
}

fn issued() -> (Vec<u8>, KeyPair) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new([]).unwrap().self_signed(&key).unwrap();
    (certificate.der().to_vec(), key)
}

fn read_under(file: &[u8], password: &str) -> Result<usize, &'static str> {
    let read = ClientIdentity::from_pkcs12(file, &password.into());
    read.map(|it| it.parts().0.len()).map_err(|error: Error| error.code())
}

#[track_caller]
fn check(parts: &[Vec<u8>], expected: Result<usize, &'static str>) {
    assert_eq!(read_under(&file(parts), PASSWORD), expected);
}

#[test]
fn a_file_is_one_key_and_its_certificates_wherever_they_stand() {
    let ((own, key), (other, other_key)) = (issued(), issued());
    let plain = [&key, &other_key].map(|key| bag(1, key.serialize_der()));
    let lengths = [32, 16, 33].map(|said| key_bag_saying(&key, 9, Some(said)));
    let (key, other_key) = (key_bag(&key, 9), key_bag(&other_key, 9));
    let certificates = [certificate_bag(&other), certificate_bag(&own)];
    let chain = plain_part(&certificates);
    check(&[chain.clone(), plain_part(from_ref(&key))], Ok(2));
    check(&[encrypted_part(&certificates, 9), plain_part(from_ref(&key))], Ok(2));
    check(&[encrypted_part(from_ref(&key), 9), chain.clone()], Ok(2));
    let read = file(&[encrypted_part(from_ref(&key), 9), chain.clone()]);
    let read = ClientIdentity::from_pkcs12(&read, &PASSWORD.into()).unwrap();
    let in_order: Vec<_> = read.parts().0.iter().map(|it| it.to_vec()).collect();
    assert_eq!(in_order, [own.clone(), other.clone()]);

    check(&[chain.clone(), plain_part(&plain[..1])], Ok(2));
    check(&[chain.clone(), plain_part(&plain)], Err("tls_pkcs12_key"));
    check(&[chain.clone(), plain_part(&[plain[0].clone(), key.clone()])], Err("tls_pkcs12_key"));
    for (said, expected) in
        lengths.iter().zip([Ok(2), Err("tls_pkcs12_form"), Err("tls_pkcs12_form")])
    {
        check(&[chain.clone(), plain_part(from_ref(said))], expected);
    }
    check(from_ref(&chain), Err("tls_pkcs12_key"));
    check(&[], Err("tls_pkcs12_key"));
    check(&[chain.clone(), plain_part(&[key.clone(), other_key])], Err("tls_pkcs12_key"));
    let hidden = encrypted_part(from_ref(&key), 9);
    check(&[chain, plain_part(from_ref(&key)), hidden], Err("tls_pkcs12_key"));
    check(&[plain_part(&[certificate_bag(&other), key.clone()])], Err("tls_pkcs12_certificate"));
    check(&[plain_part(&[certificate_bag(b"none"), key.clone()])], Err("tls_pkcs12_certificate"));
    check(&[plain_part(from_ref(&key))], Err("tls_pkcs12_certificate"));
    // Bags in a bag could hide another key.
    let nested = bag(6, sequence(from_ref(&key)));
    check(&[plain_part(&[nested])], Err("tls_pkcs12_algorithm"));
    let secret = bag(5, sequence(&[object(DATA)]));
    check(&[plain_part(&[certificate_bag(&own), key, secret])], Ok(1));
    let weak = bag(1, sequence(&[number(0), octets("no key")]));
    check(&[plain_part(&[certificate_bag(&own), weak])], Err("tls_pkcs12_key"));
}

#[test]
fn rounds_are_counted_before_any_is_done() {
    let (own, key) = issued();
    let refused = Err("tls_pkcs12_rounds");
    let begun = std::time::Instant::now();
    for (part, of_key) in [(9, u32::MAX), (1 << 31, 9), (4_000_000, 9), (2_000_000, 2_000_000)] {
        let parts =
            [encrypted_part(&[certificate_bag(&own)], part), plain_part(&[key_bag(&key, of_key)])];
        check(&parts, refused);
        // Not even a MAC that is wrong is looked at.
        assert_eq!(read_under(&file(&parts), "wrong"), refused);
    }
    // What only the password shows.
    check(&[encrypted_part(&[certificate_bag(&own), key_bag(&key, 1 << 31)], 9)], refused);
    check(
        &[plain_part(&[certificate_bag(&own), key_bag(&key, 9), key_bag(&key, 1 << 31)])],
        refused,
    );
    assert!(begun.elapsed().as_secs() < 5, "it was hashed all the same");
}

/// As `openssl kdf -kdfopt hexpass:0073006D006500670000 -kdfopt hexsalt:0A58CF64530D823F .. PKCS12KDF` of OpenSSL 3.0.
#[test]
fn keys_are_derived_as_openssl_derives_them() {
    let check = |hash, purpose, rounds, expected: &str| {
        let (password, salt) = (Password::new(&"smeg".into()).unwrap(), 0x0a58_cf64_530d_823f_u64);
        let length = expected.len() / 2;
        let made = derived(hash, purpose, &password, &salt.to_be_bytes(), rounds, length);
        let shown: String = made.iter().map(|byte| format!("{byte:02X}")).collect();
        assert_eq!(shown, expected);
    };
    let sha1 = &ring::digest::SHA1_FOR_LEGACY_USE_ONLY;
    check(sha1, Purpose::Key, 1, "8AAAE6297B6CB04642AB5B077851284EB7128F1A2A7FBCA3");
    let three = "1608FE14FE18D633F8F502DD898CD298C3170C97CE0B790197B5DFD01D83CF278384BF5AFEB4A369";
    check(sha1, Purpose::Iv, 3, three);
    let long = "F1208C3D89EA381D3641F9CC8203229E4A116261296C330449D00CB77CFB8492FDA3D578A04D2242D43D807B6E17BD527D33\
                60FC7516DEB180528161A2A46F4329AC558290033C20586E5829A8ADA0CFAF1D887C514E9BF56F2EDBB1293DC4B23FA9CE39";
    check(&ring::digest::SHA512, Purpose::Mac, 3, long);
}

static SOUND: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let (own, key) = issued();
    file(&[encrypted_part(&[certificate_bag(&own)], 9), plain_part(&[key_bag(&key, 9)])])
});

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(read_under(&bytes, PASSWORD).is_err());
    }

    #[test]
    fn what_was_cut_off_is_no_file(at in any::<proptest::sample::Index>()) {
        let cut = &SOUND[..at.index(SOUND.len())];
        prop_assert_eq!(read_under(cut, PASSWORD), Err("tls_pkcs12_form"));
    }
}

#[test]
fn what_is_long_is_not_read() {
    let most = vec![0x30; MOST_BYTES];
    assert_eq!(read_under(&most, PASSWORD), Err("tls_pkcs12_form"));
    assert_eq!(read_under(&[&most[..], b"0"].concat(), PASSWORD), Err("tls_pkcs12_size"));
}

#[test]
fn a_file_of_which_one_bit_was_changed_is_refused() {
    assert_eq!(read_under(&SOUND, PASSWORD), Ok(1));
    for at in 0..SOUND.len() {
        for bit in 0..8 {
            let mut changed = SOUND.clone();
            changed[at] ^= 1 << bit;
            assert!(read_under(&changed, PASSWORD).is_err(), "{at} {bit}");
        }
    }
}
