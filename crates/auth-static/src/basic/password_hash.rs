//! Argon2id hashes of passwords, as PHC strings.

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{self, Salt},
};
use auth_core::{Error, Random, Result};
use std::{fmt, sync::Arc};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// What one Argon2id computation costs (RFC 9106 section 3.1): memory, passes over it, lanes.
///
/// # Security
///
/// It is bounded on both sides, so that a stored string can neither be worthless nor take the server down.
///
/// The least is what OWASP's recommendations have in common: 7 MiB, and at least 35 MiB in all passes together. The
/// most is 256 MiB, 16 passes, 16 lanes, and 1 GiB in all passes together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Argon2Cost {
    memory: u32,
    passes: u32,
    lanes: u32,
}

impl Argon2Cost {
    const LEAST_MEMORY: u32 = 7 * 1024;
    const MOST_MEMORY: u32 = 256 * 1024;
    const LEAST_WORK: u32 = 35 * 1024;
    const MOST_WORK: u32 = 1024 * 1024;
    const MOST_PASSES: u32 = 16;
    const MOST_LANES: u32 = 16;

    /// This much memory in KiB, so many passes over it, so many lanes.
    ///
    /// # Errors
    ///
    /// `Error::Config` when it is out of bounds.
    pub fn new(memory: u32, passes: u32, lanes: u32) -> Result<Self> {
        let work = memory.saturating_mul(passes);
        let bounded = (Self::LEAST_MEMORY..=Self::MOST_MEMORY).contains(&memory)
            && (1..=Self::MOST_PASSES).contains(&passes)
            && (1..=Self::MOST_LANES).contains(&lanes)
            && (Self::LEAST_WORK..=Self::MOST_WORK).contains(&work);
        if bounded {
            return Ok(Self { memory, passes, lanes });
        }
        let text = "cost of an Argon2id hash is out of bounds, expected 7 to 256 MiB of memory, \
                    1 to 16 passes, 1 to 16 lanes, and 35 to 1024 MiB in all passes together";
        Err(Error::config("basic_hash_cost", text))
    }

    fn argon2(self, length: usize) -> Result<Argon2<'static>> {
        let params = Params::new(self.memory, self.passes, self.lanes, Some(length));
        let params = params.map_err(|error| computed(error.into()))?;
        Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
    }
}

/// 19 MiB, 2 passes, 1 lane: the first of OWASP's recommendations. About 40 ms of one core.
impl Default for Argon2Cost {
    fn default() -> Self {
        Self { memory: 19 * 1024, passes: 2, lanes: 1 }
    }
}

/// The Argon2id hash of a password (RFC 9106), read once from its PHC string. A clone shares it.
///
/// ```
/// use auth_static::PasswordHash;
/// let stored = "$argon2id$v=19$m=19456,t=2,p=1$c29tZSBmaXhlZCBzYWx0$\
///               HKxlXYs5TpkcDbuV3gKMnGNdFEuRUo2XgLE4zLZg4P4";
/// let hash = PasswordHash::parse(stored)?;
/// assert_eq!(hash.to_phc(), stored);
///
/// let absurd = stored.replace("m=19456", "m=4194304");
/// assert_eq!(PasswordHash::parse(&absurd).unwrap_err().code(), "basic_hash_cost");
/// # Ok::<_, auth_core::Error>(())
/// ```
#[derive(Clone)]
pub struct PasswordHash(Arc<Parsed>);

struct Parsed {
    cost: Argon2Cost,
    salt: Vec<u8>,
    output: Vec<u8>,
}

impl PasswordHash {
    const SALT: usize = 16;
    const OUTPUT: usize = 32;

    /// Reads a PHC string: `$argon2id$v=19$m=..,t=..,p=..$salt$hash`.
    ///
    /// # Errors
    ///
    /// `Error::Config` when it is not one, not Argon2id version 19, has other parameters than those three or a hash of
    /// less than 16 bytes, or its cost is out of the bounds of [`Argon2Cost`].
    pub fn parse(phc: &str) -> Result<Self> {
        let syntax = || {
            let text = "password hash is not a PHC string of Argon2id, \
                        expected $argon2id$v=19$m=..,t=..,p=..$salt$hash";
            Error::config("basic_hash_syntax", text)
        };
        let read = password_hash::PasswordHash::new(phc).map_err(|_| syntax())?;
        if read.algorithm.as_str() != "argon2id" || read.version != Some(19) {
            return Err(syntax());
        }
        let parameter = |name| read.params.get_decimal(name).ok_or_else(syntax);
        let cost = (parameter("m")?, parameter("t")?, parameter("p")?);
        let (Some(salt), Some(output), 3) = (read.salt, read.hash, read.params.iter().count())
        else {
            return Err(syntax());
        };
        let mut salt_bytes = [0; Salt::MAX_LENGTH];
        let salt = salt.decode_b64(&mut salt_bytes).map_err(|_| syntax())?;
        if salt.len() < argon2::MIN_SALT_LEN || output.len() < 16 {
            return Err(syntax());
        }
        let (memory, passes, lanes) = cost;
        let cost = Argon2Cost::new(memory, passes, lanes)?;
        let (salt, output) = (salt.to_vec(), output.as_bytes().to_vec());
        Ok(Self(Arc::new(Parsed { cost, salt, output })))
    }

    /// Hashes a new password under a fresh salt. It takes as long as a check does.
    ///
    /// # Errors
    ///
    /// Those of `random`.
    pub fn of(password: &str, cost: Argon2Cost, random: &dyn Random) -> Result<Self> {
        Self::of_nobody(cost, random)?.for_password(password.as_bytes())
    }

    /// The hash of this password under the same salt.
    pub(super) fn for_password(&self, password: &[u8]) -> Result<Self> {
        let (cost, salt) = (self.0.cost, self.0.salt.clone());
        let output = self.0.compute(password)?.to_vec();
        Ok(Self(Arc::new(Parsed { cost, salt, output })))
    }

    /// What the passwords of unknown users are checked against: the same work, and none that fits.
    pub(super) fn of_nobody(cost: Argon2Cost, random: &dyn Random) -> Result<Self> {
        Self::unknown(cost, random).map(Arc::new).map(Self)
    }

    /// The PHC string, to be stored.
    ///
    /// # Security
    ///
    /// Keep it as you would keep the password: a weak one is guessed from it.
    #[must_use]
    pub fn to_phc(&self) -> String {
        let Parsed { cost: Argon2Cost { memory, passes, lanes }, salt, output } = &*self.0;
        let (salt, output) = (base64(salt), base64(output));
        format!("$argon2id$v=19$m={memory},t={passes},p={lanes}${salt}${output}")
    }

    /// What one check of a password against it costs.
    #[must_use]
    pub fn cost(&self) -> Argon2Cost {
        self.0.cost
    }

    /// Is it the hash of this password? Takes tens of milliseconds and the memory of its cost, so a server runs it on
    /// [`Workers`](auth_core::Workers); [`Argon2Passwords`](crate::Argon2Passwords) bounds how many run at once.
    ///
    /// # Errors
    ///
    /// `Error::Config` when it cannot be computed.
    pub fn is_of(&self, password: &[u8]) -> Result<bool> {
        let computed = self.0.compute(password)?;
        Ok(computed.ct_eq(&self.0.output).into())
    }

    /// A fresh salt, and a random output that no known password has.
    fn unknown(cost: Argon2Cost, random: &dyn Random) -> Result<Parsed> {
        let (mut salt, mut output) = (vec![0; Self::SALT], vec![0; Self::OUTPUT]);
        random.fill(&mut salt)?;
        random.fill(&mut output)?;
        Ok(Parsed { cost, salt, output })
    }
}

impl Parsed {
    fn compute(&self, password: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let mut output = Zeroizing::new(vec![0; self.output.len()]);
        self.cost
            .argon2(output.len())?
            .hash_password_into(password, &self.salt, &mut output)
            .map_err(|error| computed(error.into()))?;
        Ok(output)
    }
}

/// The bounds were checked when the hash was read, so this says that the two disagree about them.
fn computed(error: password_hash::Error) -> Error {
    Error::config("basic_hash_failed", format!("Argon2id hash cannot be computed: {error}"))
}

/// Base64 without padding, as PHC strings have it.
fn base64(bytes: &[u8]) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
    STANDARD_NO_PAD.encode(bytes)
}

/// Shows what it costs, and nothing of salt or hash.
impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PasswordHash({:?} ..)", self.0.cost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use auth_core::SystemRandom;

    const PHC: &str = "$argon2id$v=19$m=7168,t=5,p=1$c29tZSBmaXhlZCBzYWx0$";

    #[track_caller]
    fn check(phc: &str, expected: Result<(), &str>) {
        let read = PasswordHash::parse(phc).map(|hash| hash.to_phc());
        assert_eq!(read.as_deref().map_err(|error| error.code()), expected.map(|()| phc), "{phc}");
    }

    #[test]
    fn reads_argon2id_within_bounds_alone() {
        let hash = "HKxlXYs5TpkcDbuV3gKMnGNdFEuRUo2XgLE4zLZg4P4";
        let of = |from: &str, to: &str| format!("{PHC}{hash}").replace(from, to);
        check(&of("", ""), Ok(()));
        check(&of("m=7168,t=5", "m=262144,t=4"), Ok(()));
        for (from, to) in [
            ("m=7168", "m=7167"),
            ("m=7168", "m=4294967295"),
            ("m=7168", "m=262145"),
            ("t=5", "t=4"),
            ("t=5", "t=0"),
            ("t=5", "t=17"),
            ("t=5", "t=4294967295"),
            ("p=1", "p=0"),
            ("p=1", "p=17"),
            ("m=7168,t=5", "m=262144,t=5"),
        ] {
            check(&of(from, to), Err("basic_hash_cost"));
        }
        for (from, to) in [
            ("argon2id", "argon2i"),
            ("argon2id", "argon2d"),
            ("argon2id", "scrypt"),
            ("v=19", "v=16"),
            ("$v=19", ""),
            ("m=7168,", ""),
            ("p=1", "p=1,keyid=YWJj"),
            ("c29tZSBmaXhlZCBzYWx0", "c2FsdA"),
            (hash, "aGFzaA"),
            (hash, "HKxlXYs5TpkcDbuV3gKMnGNdFEuRUo2XgLE4zLZg4P5"),
            (&format!("${hash}"), ""),
            ("$argon2id", "argon2id"),
        ] {
            check(&of(from, to), Err("basic_hash_syntax"));
        }
        check("", Err("basic_hash_syntax"));
        check(
            "$2b$12$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW",
            Err("basic_hash_syntax"),
        );
    }

    #[test]
    fn what_it_hashed_it_reads_back_and_recognizes() {
        let cost = Argon2Cost::new(7168, 5, 1).unwrap();
        let made = PasswordHash::of("open sesame", cost, &SystemRandom::new()).unwrap();
        let read = PasswordHash::parse(&made.to_phc()).unwrap();
        assert!(read.is_of(b"open sesame").unwrap());
        assert!(!read.is_of(b"open sesam").unwrap());
        assert!(!read.is_of(b"").unwrap());
        let nobody = PasswordHash::of_nobody(cost, &SystemRandom::new()).unwrap();
        assert!(!nobody.is_of(b"open sesame").unwrap());
        assert_eq!(
            format!("{made:?}"),
            "PasswordHash(Argon2Cost { memory: 7168, passes: 5, lanes: 1 } ..)"
        );
    }
}
