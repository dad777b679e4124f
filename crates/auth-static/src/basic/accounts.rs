//! The look-up that knows whether a password is right.

use super::UserPass;
use crate::FixedKeys;
use auth_core::{Attempt, Flow, KeyHasher, Lookup};
use std::{fmt, sync::Arc};

/// Checks a user name and a password.
///
/// # Security
///
/// An unknown user costs the same work as a known one with a wrong password, and gives the same answer; the password is
/// compared in constant time. The flow does not borrow what is presented: an implementation that needs it longer copies
/// it into something that is wiped.
pub trait Passwords: Send + Sync {
    /// The user that it turned out to be.
    type Principal: Send;

    /// Whose password it is; `None` when the user is unknown or the password is wrong, an error when nobody could tell.
    ///
    /// The attempt is settled when the outcome is known, or as
    /// [`AttemptOutcome::Unknown`](auth_core::AttemptOutcome::Unknown) where an error ends it. It goes along with a
    /// computation that outlives the caller.
    fn check(&self, presented: UserPass<'_>, attempt: Attempt)
    -> Flow<'_, Option<Self::Principal>>;
}

macro_rules! forward {
    ($($pointer:ident),*) => {$(
        impl<W: Passwords + ?Sized> Passwords for $pointer<W> {
            type Principal = W::Principal;

            fn check(
                &self,
                presented: UserPass<'_>,
                attempt: Attempt,
            ) -> Flow<'_, Option<Self::Principal>> {
                (**self).check(presented, attempt)
            }
        }
    )*};
}

forward!(Arc, Box);

/// Accounts that are all known when the server starts: machines whose passwords are in the configuration.
///
/// What is kept is a keyed hash of each user name with its password (see [`KeyHasher`]), which is fast: a request costs
/// no more than with an API key. A user may have several passwords: two of them are right while one is rotated.
///
/// # Security
///
/// For passwords of at least 128 random bits, never for those that people choose: an attacker who gets hold of this
/// process's memory guesses those at the speed of the hash. For people's there are `Argon2Passwords` (feature `argon2`).
///
/// ```
/// use auth_core::SystemRandom;
/// use auth_static::{BasicAccounts, BasicVerifier, KeyHasher};
/// let hasher = KeyHasher::random(&SystemRandom::new())?;
/// let accounts = BasicAccounts::new(&hasher, [("billing", "nF5yT0bL2mQ9xR7wZ4cK1v", 7)]);
/// let door = BasicVerifier::new("internal", accounts)?;
/// # let _: &dyn auth_core::Verifier<Principal = i32> = &door;
/// # Ok::<_, auth_core::Error>(())
/// ```
#[derive(Clone)]
pub struct BasicAccounts<P> {
    hasher: KeyHasher,
    passwords: FixedKeys<P>,
}

impl<P> BasicAccounts<P> {
    /// These users, a password of each, and whom it stands for. Of one password that a user is given twice the last
    /// counts.
    pub fn new<U: AsRef<str>, W: AsRef<str>>(
        hasher: &KeyHasher,
        accounts: impl IntoIterator<Item = (U, W, P)>,
    ) -> Self {
        let account = |(user, password, principal): (U, W, P)| {
            (hasher.hash_password(user.as_ref(), password.as_ref().as_bytes()), principal)
        };
        Self { hasher: hasher.clone(), passwords: accounts.into_iter().map(account).collect() }
    }
}

impl<P: Clone + Send + Sync> Passwords for BasicAccounts<P> {
    type Principal = P;

    fn check(&self, presented: UserPass<'_>, attempt: Attempt) -> Flow<'_, Option<P>> {
        let digest = self.hasher.hash_password(presented.user(), presented.password());
        self.passwords.lookup(&digest).map(move |found| {
            let principal = found.and_then(|found| found.principal(0));
            attempt.settle(principal.is_some().into());
            principal
        })
    }
}

impl<P> fmt::Debug for BasicAccounts<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BasicAccounts").field(&self.passwords).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use auth_core::SystemRandom;

    #[track_caller]
    fn check(user: &str, password: &str, expected: Option<u8>) {
        let hasher = KeyHasher::random(&SystemRandom::new()).unwrap();
        let accounts = BasicAccounts::new(&hasher, [("alice", "open sesame", 1), ("bob", "", 2)]);
        let accounts: Arc<Box<dyn Passwords<Principal = u8>>> = Arc::new(Box::new(accounts));
        let found = accounts.check(UserPass::new(user, password), Attempt::UNLIMITED);
        assert_eq!(found.wait().unwrap(), expected);
    }

    #[test]
    fn each_password_of_a_user_is_right_while_one_is_rotated() {
        let hasher = KeyHasher::random(&SystemRandom::new()).unwrap();
        let accounts = [("alice", "old", 1), ("alice", "new", 2), ("bob", "old", 3)];
        let accounts = BasicAccounts::new(&hasher, accounts);
        for (user, password, expected) in [
            ("alice", "old", Some(1)),
            ("alice", "new", Some(2)),
            ("bob", "old", Some(3)),
            ("bob", "new", None),
        ] {
            let found = accounts.check(UserPass::new(user, password), Attempt::UNLIMITED);
            assert_eq!(found.wait().unwrap(), expected, "{user} {password}");
        }
    }

    /// Prefixes and longer ones included: comparing only as far as both go let them pass elsewhere.
    #[test]
    fn takes_the_whole_password_of_that_user() {
        check("alice", "open sesame", Some(1));
        check("bob", "", Some(2));
        for password in ["", "open", "open sesam", "open sesame ", "Open sesame", "open sesame\0"] {
            check("alice", password, None);
        }
        check("bob", "open sesame", None);
        check("Alice", "open sesame", None);
        check("", "", None);
    }
}
