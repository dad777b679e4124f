//! Passwords that people chose, kept as Argon2id hashes (RFC 9106).

use super::{Passwords, gate::Gate};
use crate::config;
use argon2::{
    Argon2,
    password_hash::{PasswordHashString, PasswordHasher, PasswordVerifier, SaltString},
};
use auth_core::{Cause, Error, Flow, Lookup, Random, Result, Secret, Workers};
use std::{
    fmt,
    str::FromStr,
    sync::{Arc, OnceLock},
};

/// An Argon2id hash in PHC form: `$argon2id$v=19$m=19456,t=2,p=1$SALT$HASH`.
///
/// ```
/// use auth_core::{Secret, SystemRandom};
/// use auth_static::basic::PasswordHash;
/// let hash = PasswordHash::new(&Secret::from("correct horse"), &SystemRandom::new())?;
/// let stored = hash.as_phc().to_owned();
/// let read: PasswordHash = stored.parse()?;
/// assert!(read.matches(b"correct horse") && !read.matches(b"battery staple"));
/// # Ok::<_, auth_core::Error>(())
/// ```
#[derive(Clone)]
pub struct PasswordHash(Arc<PasswordHashString>);

impl PasswordHash {
    /// The least and the most memory that a hash may ask for, in KiB: less is too weak, more is an attack on us.
    pub const MEMORY_KIB: std::ops::RangeInclusive<u32> = 7 * 1024..=256 * 1024;

    const PASSES: std::ops::RangeInclusive<u32> = 1..=16;
    const LANES: std::ops::RangeInclusive<u32> = 1..=16;

    /// Hashes a password: 19 MiB, 2 passes, 1 lane. Takes tens of milliseconds.
    ///
    /// # Errors
    ///
    /// `Error::Unavailable` when there is no randomness for the salt.
    pub fn new(password: &Secret, random: &dyn Random) -> Result<Self> {
        let mut salt = [0; 16];
        random.fill(&mut salt)?;
        let hashed = SaltString::encode_b64(&salt).and_then(|salt| {
            Ok(Argon2::default().hash_password(password.expose(), &salt)?.serialize())
        });
        hashed
            .map(|hash| Self(Arc::new(hash)))
            .map_err(|error| config("basic_password_hash", error.to_string()))
    }

    /// The PHC form, to store.
    #[must_use]
    pub fn as_phc(&self) -> &str {
        self.0.as_str()
    }

    /// Is this the password? Takes tens of milliseconds.
    #[must_use]
    pub fn matches(&self, password: &[u8]) -> bool {
        Argon2::default().verify_password(password, &self.0.password_hash()).is_ok()
    }
}

/// Reads a PHC form; anything but Argon2id version 19 within bounds is refused.
impl FromStr for PasswordHash {
    type Err = Error;

    fn from_str(phc: &str) -> Result<Self> {
        let read = PasswordHashString::new(phc).map_err(|_| malformed("is not in PHC form"))?;
        let hash = read.password_hash();
        if hash.algorithm.as_str() != "argon2id" || hash.version != Some(19) {
            return Err(malformed("is not Argon2id version 19"));
        }
        if hash.salt.is_none() || hash.hash.is_none_or(|hash| hash.len() < 16) {
            return Err(malformed("has no salt, or a hash of less than 16 bytes"));
        }
        let cost = |name: &str| hash.params.get_decimal(name).unwrap_or_default();
        let (memory, passes, lanes) = (cost("m"), cost("t"), cost("p"));
        if !(Self::MEMORY_KIB.contains(&memory)
            && Self::PASSES.contains(&passes)
            && Self::LANES.contains(&lanes))
        {
            return Err(malformed(
                "asks for too little or too much: expected m=7168 to 262144, t=1 to 16, p=1 to 16",
            ));
        }
        Ok(Self(Arc::new(read)))
    }
}

fn malformed(what: &str) -> Error {
    config("basic_password_hash", format!("password hash: {what}"))
}

/// A hash is worth guessing at: it is not shown.
impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}

/// Checks passwords against Argon2id hashes that a look-up finds by user name.
///
/// At most so many are hashed at once, as many more wait as were allowed, and whoever comes then gets an
/// `Error::Unavailable` (a 503, not a refusal): so a flood of guesses takes neither all cores nor all memory. The
/// computation runs on the given [`Workers`].
///
/// # Security
///
/// An unknown user's password is hashed too, against a decoy: give one with the cost that your accounts have.
///
/// ```
/// use auth_core::{Inline, Secret, SystemRandom};
/// use auth_static::basic::{Argon2Passwords, PasswordHash, Verifier};
/// use std::collections::HashMap;
/// let random = SystemRandom::new();
/// let accounts = HashMap::from([
///     (String::from("alice"), (PasswordHash::new(&Secret::from("correct horse"), &random)?, 7)),
/// ]);
/// let decoy = PasswordHash::new(&Secret::from("nobody's"), &random)?;
/// let door = Verifier::new("people", Argon2Passwords::new(accounts, decoy, Inline))?;
/// # let _: &dyn auth_core::Verifier<Principal = i32> = &door;
/// # Ok::<_, auth_core::Error>(())
/// ```
pub struct Argon2Passwords<L> {
    accounts: L,
    decoy: PasswordHash,
    workers: Box<dyn Workers>,
    gate: Arc<Gate>,
}

impl<L> Argon2Passwords<L> {
    /// Accounts, a decoy for users that there are none of, and where to compute: two at once, 64 waiting.
    pub fn new(accounts: L, decoy: PasswordHash, workers: impl Workers + 'static) -> Self {
        Self { accounts, decoy, workers: Box::new(workers), gate: Gate::new(2, 64) }
    }

    /// Hashes at most so many passwords at once (one for each core is right), while at most so many more wait.
    #[must_use]
    pub fn hashing_at_most(mut self, at_once: usize, waiting: usize) -> Self {
        self.gate = Gate::new(at_once, waiting);
        self
    }
}

impl<L, P> Passwords for Argon2Passwords<L>
where
    L: Lookup<str, Found = (PasswordHash, P)>,
    P: Send + 'static,
{
    type Principal = P;

    fn check(&self, user: &str, password: &[u8]) -> Flow<'_, Option<P>> {
        let (found, password) = (self.accounts.lookup(user), Secret::new(password));
        Flow::new(async move {
            let (hash, principal) = match found.await? {
                Some((hash, principal)) => (hash, Some(principal)),
                None => (self.decoy.clone(), None),
            };
            let permit = self.gate.enter().await?;
            let right = Arc::new(OnceLock::new());
            let slot = Arc::clone(&right);
            let work = self.workers.run(Box::new(move || {
                let _ = slot.set(hash.matches(password.expose()));
                // Held until the work is done, though the caller may be gone by then.
                drop(permit);
            }));
            work.await?;
            match right.get() {
                Some(right) => Ok(principal.filter(|_| *right)),
                None => Err(Error::Transport(Cause::new(
                    "basic_not_hashed",
                    "the password was not hashed",
                ))),
            }
        })
    }
}

impl<L> fmt::Debug for Argon2Passwords<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Argon2Passwords(..)")
    }
}
