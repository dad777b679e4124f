//! Configured machine accounts.

use super::Passwords;
use crate::{KeyDigest, KeyHasher};
use auth_core::Flow;
use std::{collections::HashMap, fmt};
use subtle::ConstantTimeEq;

/// Accounts with high-entropy passwords that a program was configured with: a webhook's sender, a monitoring probe. Only
/// keyed hashes are kept.
///
/// # Security
///
/// Not for passwords that people chose: these need a slow hash (`Argon2Passwords`).
pub struct Accounts<P> {
    hasher: KeyHasher,
    accounts: HashMap<Box<str>, (KeyDigest, P)>,
}

impl<P> Accounts<P> {
    /// Accounts: user name, password, and who it is.
    pub fn new<'t>(
        hasher: &KeyHasher,
        accounts: impl IntoIterator<Item = (&'t str, &'t str, P)>,
    ) -> Self {
        let kept = accounts.into_iter().map(|(user, password, principal)| {
            (user.into(), (hasher.digest(password.as_bytes()), principal))
        });
        Self { hasher: hasher.clone(), accounts: kept.collect() }
    }
}

impl<P: Clone + Send + Sync> Passwords for Accounts<P> {
    type Principal = P;

    fn check(&self, user: &str, password: &[u8]) -> Flow<'_, Option<P>> {
        let presented = self.hasher.digest(password);
        let known = self.accounts.get(user);
        // An unknown user's password is compared too, with what no password has.
        let kept = known.map_or(&[0; 32], |(digest, _)| digest.as_bytes());
        let right: bool = kept.ct_eq(presented.as_bytes()).into();
        Flow::ready(known.filter(|_| right).map(|(_, principal)| principal.clone()))
    }
}

impl<P> fmt::Debug for Accounts<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Accounts({} accounts)", self.accounts.len())
    }
}
