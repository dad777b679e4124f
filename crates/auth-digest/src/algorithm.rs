//! The algorithms of RFC 7616 section 6.1.

use std::fmt;

/// How a response is computed: a hash function, and what of the password it is applied to (RFC 7616 section 3.4.2).
///
/// Under a `-sess` form the secret that responses are computed with is another one for each nonce and cnonce. So who
/// verifies can be given that one alone, and never the hash of the password.
///
/// # Security
///
/// MD5 is broken as a hash function and fast to guess passwords with. It is here because most servers know nothing
/// else; a [`ChallengePolicy`](crate::ChallengePolicy) may forbid it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DigestAlgorithm {
    /// `MD5`, which is also meant where no algorithm is named.
    Md5,
    /// `MD5-sess`.
    Md5Sess,
    /// `SHA-256`.
    Sha256,
    /// `SHA-256-sess`.
    Sha256Sess,
    /// `SHA-512-256`.
    Sha512_256,
    /// `SHA-512-256-sess`.
    Sha512_256Sess,
}

/// The hash function of an algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HashFunction {
    /// MD5 (RFC 1321).
    Md5,
    /// SHA-256 (FIPS 180-4).
    Sha256,
    /// SHA-512/256 (FIPS 180-4), which is not the first half of SHA-512.
    Sha512_256,
}

/// Where MD5 is good enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Md5Allowed {
    /// Nowhere.
    Never,
    /// Where nobody can listen: over TLS, and within this machine.
    Confidential,
    /// Anywhere. A listener can then try passwords against what was sent, billions in a second.
    Anywhere,
}

impl DigestAlgorithm {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Md5,
        Self::Md5Sess,
        Self::Sha256,
        Self::Sha256Sess,
        Self::Sha512_256,
        Self::Sha512_256Sess,
    ];

    /// The value of an `algorithm` parameter.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Md5Sess => "MD5-sess",
            Self::Sha256 => "SHA-256",
            Self::Sha256Sess => "SHA-256-sess",
            Self::Sha512_256 => "SHA-512-256",
            Self::Sha512_256Sess => "SHA-512-256-sess",
        }
    }

    /// The algorithm of this name, in any case: servers write `md5` and `MD5-Sess`.
    #[must_use]
    pub fn named(name: &[u8]) -> Option<Self> {
        let same = |algorithm: &Self| name.eq_ignore_ascii_case(algorithm.name().as_bytes());
        Self::ALL.into_iter().find(same)
    }

    /// Its hash function.
    #[must_use]
    pub const fn function(self) -> HashFunction {
        match self {
            Self::Md5 | Self::Md5Sess => HashFunction::Md5,
            Self::Sha256 | Self::Sha256Sess => HashFunction::Sha256,
            Self::Sha512_256 | Self::Sha512_256Sess => HashFunction::Sha512_256,
        }
    }

    /// Is it a `-sess` form?
    #[must_use]
    pub const fn is_session(self) -> bool {
        matches!(self, Self::Md5Sess | Self::Sha256Sess | Self::Sha512_256Sess)
    }

    const fn bit(self) -> u8 {
        match self {
            Self::Md5 => 1,
            Self::Md5Sess => 2,
            Self::Sha256 => 4,
            Self::Sha256Sess => 8,
            Self::Sha512_256 => 16,
            Self::Sha512_256Sess => 32,
        }
    }
}

impl fmt::Display for DigestAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of algorithms.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Algorithms(u8);

impl Algorithms {
    /// All of them.
    pub(crate) const ALL: Self = Self(0b0011_1111);

    pub(crate) const fn contains(self, algorithm: DigestAlgorithm) -> bool {
        self.0 & algorithm.bit() != 0
    }

    pub(crate) const fn without(self, algorithm: DigestAlgorithm) -> Self {
        Self(self.0 & !algorithm.bit())
    }
}

impl fmt::Debug for Algorithms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let members =
            DigestAlgorithm::ALL.into_iter().filter(|algorithm| self.contains(*algorithm));
        f.debug_set().entries(members).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_known_in_any_case_and_no_other_is() {
        for algorithm in DigestAlgorithm::ALL {
            for name in [algorithm.name().into(), algorithm.name().to_ascii_lowercase()] {
                assert_eq!(DigestAlgorithm::named(name.as_bytes()), Some(algorithm));
            }
        }
        assert_eq!(DigestAlgorithm::named(b"MD5-Sess"), Some(DigestAlgorithm::Md5Sess));
        for name in [
            "",
            "SHA",
            "SHA-1",
            "SHA-512",
            "SHA-512-sess",
            "SHA256",
            "MD5 ",
            "SHA-512/256",
            "md5-session",
        ] {
            assert_eq!(DigestAlgorithm::named(name.as_bytes()), None, "{name}");
        }
    }

    #[test]
    fn a_set_holds_what_was_not_taken_out() {
        for out in DigestAlgorithm::ALL {
            let rest = Algorithms::ALL.without(out);
            for algorithm in DigestAlgorithm::ALL {
                assert!(Algorithms::ALL.contains(algorithm));
                assert_eq!(rest.contains(algorithm), algorithm != out);
            }
        }
    }

    /// What is stronger is greater: a choice is a maximum.
    #[test]
    fn hash_functions_are_in_the_order_of_their_strength() {
        use HashFunction::*;
        assert!(Md5 < Sha256 && Sha256 < Sha512_256);
    }
}
