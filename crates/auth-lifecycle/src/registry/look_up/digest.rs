//! The users of HTTP Digest.

use super::{Kinds, Known, Opened, RawSecret};
use crate::{Kind, Registry, registry::source::not_text};
use auth_core::{Candidates, Error, Flow, Lookup, Result};
use auth_digest::{DigestQuery, DigestUserName, DigestUserRecord, Ha1, HashFunction, UserSecret};
use std::{fmt, sync::Arc};

/// The users of HTTP Digest: the look-up of [`auth_digest::DigestVerifier`].
///
/// A user that names itself by a hash (`userhash`) is not found, since the registry keeps no hash of names that anybody
/// could compute.
#[derive(Clone)]
pub struct DigestUsers(Registry);

impl Registry {
    /// The users of HTTP Digest.
    #[must_use]
    pub fn digest_users(&self) -> DigestUsers {
        DigestUsers(self.clone())
    }
}

impl Lookup<DigestQuery<'_>> for DigestUsers {
    type Found = Candidates<DigestUserRecord, Known>;

    fn lookup(&self, query: &DigestQuery<'_>) -> Flow<'_, Option<Self::Found>> {
        let DigestUserName::Plain(user) = query.name else { return Flow::ready(None) };
        let digest = self.0.0.hashers.name(Kind::DigestHa1, &[query.realm, user]);
        let function = query.algorithm.function();
        self.0.usable(digest, Kinds::of(&[Kind::DigestHa1])).map(move |known| {
            let users: Candidates<_, _> = known
                .into_iter()
                .filter_map(|known| match known.opened() {
                    Opened::Ha1(record) if fits(record, function) => {
                        Some(((**record).clone(), known))
                    }
                    _ => None,
                })
                .collect();
            (!users.is_empty()).then_some(users)
        })
    }
}

fn fits(record: &DigestUserRecord, function: HashFunction) -> bool {
    matches!(&record.secret, UserSecret::Ha1(ha1) if ha1.function() == function)
}

pub(super) fn parse(raw: &RawSecret<'_>) -> Result<Opened> {
    let text = raw.secret.expose_text().ok_or_else(|| not_text(raw.id))?;
    let (function, hex) = text
        .strip_prefix("MD5:")
        .map(|hex| (HashFunction::Md5, hex))
        .or_else(|| text.strip_prefix("SHA-256:").map(|hex| (HashFunction::Sha256, hex)))
        .ok_or_else(|| {
            let text = "HA1 has no hash function, expected MD5: or SHA-256: and hexadecimal digits";
            Error::config("lifecycle_secret_ha1", text)
        })?;
    let secret = UserSecret::Ha1(Ha1::from_hex(function, hex)?);
    let user = raw.name.cloned().unwrap_or_else(|| Arc::from(""));
    Ok(Opened::Ha1(Box::new(DigestUserRecord { user, secret })))
}

impl fmt::Debug for DigestUsers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DigestUsers(..)")
    }
}
