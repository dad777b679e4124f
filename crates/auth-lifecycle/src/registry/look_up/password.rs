//! The users of Basic, and the hashes of their passwords.

use super::{Kinds, Known, Opened, RawSecret};
use crate::{Kind, Registry, StoredPassword, registry::source::not_text};
use auth_core::{Candidates, Flow, Lookup, Result};
use std::fmt;

/// The users of Basic: the look-up of [`auth_static::Argon2Passwords`], which computes the hashes.
///
/// [`Registry::basic_passwords`] checks passwords against them, and hashes anew those that were imported.
#[derive(Clone)]
pub struct BasicUsers(Registry);

impl Registry {
    /// The users of Basic.
    #[must_use]
    pub fn basic_users(&self) -> BasicUsers {
        BasicUsers(self.clone())
    }
}

impl Lookup<str> for BasicUsers {
    type Found = Candidates<StoredPassword, Known>;

    fn lookup(&self, user: &str) -> Flow<'_, Option<Self::Found>> {
        let digest = self.0.0.hashers.name(Kind::BasicPassword, &[user]);
        self.0.usable(digest, Kinds::of(&[Kind::BasicPassword])).map(|known| {
            let hashes: Candidates<_, _> = known
                .into_iter()
                .filter_map(|known| match known.opened() {
                    Opened::Password(hash) => Some((hash.clone(), known)),
                    _ => None,
                })
                .collect();
            (!hashes.is_empty()).then_some(hashes)
        })
    }
}

pub(super) fn parse(raw: &RawSecret<'_>) -> Result<Opened> {
    let text = raw.secret.expose_text().ok_or_else(|| not_text(raw.id))?;
    StoredPassword::parse(text).map(Opened::Password)
}

impl fmt::Debug for BasicUsers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BasicUsers(..)")
    }
}
