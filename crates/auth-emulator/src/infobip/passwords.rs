//! Passwords that are checked thousands of times in one test.

use auth_core::{
    Attempt, AttemptOutcome, Flow, KeyDigest, KeyHasher, Lookup, Random, Result, Secret,
};
use auth_lifecycle::{BasicPasswords, BasicUsers, Known, Registry};
use auth_static::{Passwords, UserPass};
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

/// Passwords that were right once are known again by a keyed hash, as long as the registry has them.
///
/// An emulator is asked for the same password thousands of times in one test, and a slow hash takes 40 ms of a core. The
/// passwords are those that the test itself has set. A wrong password is always hashed slowly.
pub(super) struct RememberedPasswords {
    passwords: BasicPasswords,
    users: BasicUsers,
    hasher: KeyHasher,
    right: Mutex<HashMap<[u8; 32], Right>>,
}

/// The credential whose password was right, and its generation: a password that is regenerated keeps its credential.
type Right = (Arc<str>, u64);

fn right(known: &Known) -> Right {
    (Arc::clone(&known.caller().credential), known.generation())
}

impl RememberedPasswords {
    pub(super) fn new(
        registry: &Registry,
        passwords: BasicPasswords,
        random: &dyn Random,
    ) -> Result<Self> {
        let (users, hasher) = (registry.basic_users(), KeyHasher::random(random)?);
        Ok(Self { passwords, users, hasher, right: Mutex::default() })
    }

    fn check_slowly(
        &self,
        presented: UserPass<'_>,
        digest: KeyDigest,
        attempt: Attempt,
    ) -> Flow<'_, Option<Known>> {
        let checked = self.passwords.check(presented, attempt);
        checked.map(move |found| found.inspect(|known| self.remember(&digest, known)))
    }

    fn remembered(&self, digest: &KeyDigest) -> Option<Right> {
        let all = self.right.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(digest.as_bytes()).cloned()
    }

    fn remember(&self, digest: &KeyDigest, known: &Known) {
        let mut all = self.right.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(*digest.as_bytes(), right(known));
    }
}

impl Passwords for RememberedPasswords {
    type Principal = Known;

    fn check(&self, presented: UserPass<'_>, attempt: Attempt) -> Flow<'_, Option<Known>> {
        let digest = self.hasher.hash_password(presented.user(), presented.password());
        let Some(remembered) = self.remembered(&digest) else {
            return self.check_slowly(presented, digest, attempt);
        };
        let (user, password) = (presented.user().to_owned(), Secret::new(presented.password()));
        self.users.lookup(presented.user()).and_then(move |found| {
            let is_it = |known: &&Known| right(known) == remembered;
            let known = found.and_then(|found| {
                let mut all = found.as_slice().iter().map(|one| &one.principal);
                all.find(is_it).cloned()
            });
            if let Some(known) = known {
                attempt.settle(AttemptOutcome::Right);
                return Flow::ready(Some(known));
            }
            // The credential has ended; another one may have the same password.
            let password = password.expose_text().unwrap_or_default();
            self.check_slowly(UserPass::new(&user, password), digest, attempt)
        })
    }
}

impl fmt::Debug for RememberedPasswords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RememberedPasswords(..)")
    }
}
