//! The header parameters that name or carry a key.

use crate::{JwtRefused, reason};

/// A header parameter that says where the key of a token is to be found, or brings it.
///
/// Keys come from the look-up alone, so none of them is ever followed or used. A token that has one is refused, unless
/// the policy [ignores it](crate::JwtPolicy::allowing_key_header). The thumbprints `x5t` and `x5t#S256` are not among
/// them: they only tell keys apart, as `kid` does, and are always ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyHeader {
    /// `jku`: the address of a key set (RFC 7515 section 4.1.2).
    Jku,
    /// `jwk`: a key (section 4.1.3).
    Jwk,
    /// `x5u`: the address of a certificate (section 4.1.5).
    X5u,
    /// `x5c`: a chain of certificates (section 4.1.6).
    X5c,
}

impl KeyHeader {
    const ALL: [Self; 4] = [Self::Jku, Self::Jwk, Self::X5u, Self::X5c];

    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "jku" => Some(Self::Jku),
            "jwk" => Some(Self::Jwk),
            "x5u" => Some(Self::X5u),
            "x5c" => Some(Self::X5c),
            _ => None,
        }
    }

    const fn refused(self) -> JwtRefused {
        match self {
            Self::Jku => reason::JKU,
            Self::Jwk => reason::JWK,
            Self::X5u => reason::X5U,
            Self::X5c => reason::X5C,
        }
    }

    const fn bit(self) -> u8 {
        match self {
            Self::Jku => 1,
            Self::Jwk => 2,
            Self::X5u => 4,
            Self::X5c => 8,
        }
    }
}

/// Which of them a header has, or a policy ignores.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyHeaders(u8);

impl KeyHeaders {
    pub(crate) const NONE: Self = Self(0);

    pub(crate) const fn with(self, header: KeyHeader) -> Self {
        Self(self.0 | header.bit())
    }

    /// That each of them is one of `ignored`.
    pub(crate) fn all_in(self, ignored: Self) -> Result<(), JwtRefused> {
        let wrong = KeyHeader::ALL.iter().find(|one| self.0 & !ignored.0 & one.bit() != 0);
        wrong.map_or(Ok(()), |one| Err(one.refused()))
    }
}
