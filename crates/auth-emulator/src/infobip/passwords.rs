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
    right: Mutex<HashMap<[u8; 32], Arc<str>>>,
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

    fn remembered(&self, digest: &KeyDigest) -> Option<Arc<str>> {
        let right = self.right.lock().unwrap_or_else(PoisonError::into_inner);
        right.get(digest.as_bytes()).map(Arc::clone)
    }

    fn remember(&self, digest: &KeyDigest, known: &Known) {
        let credential = Arc::clone(&known.caller().credential);
        let mut right = self.right.lock().unwrap_or_else(PoisonError::into_inner);
        right.insert(*digest.as_bytes(), credential);
    }
}

impl Passwords for RememberedPasswords {
    type Principal = Known;

    fn check(&self, presented: UserPass<'_>, attempt: Attempt) -> Flow<'_, Option<Known>> {
        let digest = self.hasher.hash_password(presented.user(), presented.password());
        let Some(credential) = self.remembered(&digest) else {
            return self.check_slowly(presented, digest, attempt);
        };
        let (user, password) = (presented.user().to_owned(), Secret::new(presented.password()));
        self.users.lookup(presented.user()).and_then(move |found| {
            let is_it = |known: &&Known| known.caller().credential == credential;
            let known = found.and_then(|found| {
                let mut all = found.as_slice().iter().map(|one| &one.principal);
                all.find(is_it).cloned()
            });
            if let Some(known) = known {
                attempt.settle(AttemptOutcome::Right);
                return Flow::ready(Some(known));
            }
            // The credential has ended; another one may have the same password.
            let password = std::str::from_utf8(password.expose()).unwrap_or_default();
            self.check_slowly(UserPass::new(&user, password), digest, attempt)
        })
    }
}

impl fmt::Debug for RememberedPasswords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RememberedPasswords(..)")
    }
}
