//! As much DER (X.690) as a public key needs: what ring and webpki do not take apart.

use auth_core::{Error, Result};

/// A public key, taken out of its wrapping.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Public<'a> {
    /// Modulus and exponent, big-endian without leading zeros.
    Rsa {
        n: &'a [u8],
        e: &'a [u8],
    },
    /// An uncompressed point of P-256.
    P256(&'a [u8]),
    /// An uncompressed point of P-384.
    P384(&'a [u8]),
    Ed25519(&'a [u8]),
}

const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];

const INTEGER: u8 = 0x02;
const BITS: u8 = 0x03;
const NULL: u8 = 0x05;
const OBJECT: u8 = 0x06;
const SEQUENCE: u8 = 0x30;

/// Reads an SPKI (RFC 5280 section 4.1) or the RSA public key of PKCS#1 (RFC 8017 appendix A.1.1).
pub(super) fn public(der: &[u8]) -> Result<Public<'_>> {
    read(der).ok_or_else(malformed)?
}

fn read(der: &[u8]) -> Option<Result<Public<'_>>> {
    let mut outer = Reader(der);
    let inside = outer.take(SEQUENCE)?;
    outer.end()?;
    if inside.first() == Some(&INTEGER) {
        return rsa(Reader(inside)).map(Ok);
    }
    spki(Reader(inside))
}

fn spki(mut fields: Reader<'_>) -> Option<Result<Public<'_>>> {
    let mut algorithm = Reader(fields.take(SEQUENCE)?);
    // A bit string of whole bytes.
    let (0, key) = fields.take(BITS)?.split_first().map(|(unused, key)| (*unused, key))? else {
        return None;
    };
    fields.end()?;
    let kind = algorithm.take(OBJECT)?;
    let read = if kind == RSA {
        algorithm.take(NULL).filter(|null| null.is_empty())?;
        let mut outer = Reader(key);
        let inside = outer.take(SEQUENCE)?;
        outer.end()?;
        rsa(Reader(inside))?
    } else if kind == EC {
        match algorithm.take(OBJECT)? {
            curve if curve == P256 => Public::P256(key),
            curve if curve == P384 => Public::P384(key),
            _ => return Some(Err(unknown())),
        }
    } else if kind == ED25519 {
        Public::Ed25519(key)
    } else {
        return Some(Err(unknown()));
    };
    algorithm.end()?;
    Some(Ok(read))
}

fn rsa(mut fields: Reader<'_>) -> Option<Public<'_>> {
    let (n, e) = (fields.positive()?, fields.positive()?);
    fields.end()?;
    Some(Public::Rsa { n, e })
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// The content of the next value, which has this tag, a definite length in its shortest form, and all its bytes.
    fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (first, rest) = self.0.split_first()?;
        let (length, rest) = rest.split_first()?;
        let (length, rest) = match *length {
            short @ 0..=0x7f => (usize::from(short), rest),
            0x81 => {
                let (length, rest) = rest.split_first()?;
                (usize::from(*length).checked_sub(0x80).map(|more| more + 0x80)?, rest)
            }
            0x82 => {
                let (length, rest) = rest.split_first_chunk()?;
                let length = usize::from(u16::from_be_bytes(*length));
                (length.checked_sub(0x100).map(|more| more + 0x100)?, rest)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        (*first == tag).then_some(content)
    }

    /// An INTEGER above zero, without the byte that only says so.
    fn positive(&mut self) -> Option<&'a [u8]> {
        let negative = |number: &[u8]| number.first().is_some_and(|first| *first >= 0x80);
        match self.take(INTEGER)? {
            [0, rest @ ..] if negative(rest) => Some(rest),
            [] | [0, ..] => None,
            number if negative(number) => None,
            number => Some(number),
        }
    }

    fn end(&self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}

fn malformed() -> Error {
    Error::config("jwt_key_der", "public key is not DER of an SPKI or of an RSA key (PKCS#1)")
}

fn unknown() -> Error {
    let text = "public key is of another kind, expected RSA, P-256, P-384 or Ed25519";
    Error::config("jwt_key_kind", text)
}
