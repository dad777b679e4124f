//! What verifiers of each scheme look up.

#[cfg(feature = "digest")]
mod digest;
#[cfg(feature = "jwt")]
mod jwt;
#[cfg(feature = "basic")]
mod password;
#[cfg(feature = "basic")]
mod rehash;
#[cfg(feature = "sigv4")]
mod sigv4;
mod tokens;

#[cfg(feature = "digest")]
pub use digest::DigestUsers;
#[cfg(feature = "jwt")]
pub use jwt::JwtIssuers;
#[cfg(feature = "basic")]
pub use password::BasicUsers;
#[cfg(feature = "basic")]
pub use rehash::BasicPasswords;
#[cfg(feature = "sigv4")]
pub use sigv4::SigV4Keys;
pub use tokens::Tokens;

use super::{
    Registry,
    known::{Known, KnownSet, Opened},
};
use crate::{CredentialId, Kind};
use auth_core::{Flow, KeyDigest, Result, Secret};
use std::sync::Arc;

/// A secret as it was brought along or stored, and what belongs to it.
pub(super) struct RawSecret<'a> {
    pub(super) kind: Kind,
    pub(super) id: &'a CredentialId,
    /// The public name that belongs to it.
    pub(super) name: Option<&'a Arc<str>>,
    pub(super) secret: &'a Secret,
}

/// Reads a secret for the verifiers of its kind that this build has.
pub(super) fn parse(raw: &RawSecret<'_>) -> Result<Opened> {
    match raw.kind {
        #[cfg(feature = "jwt")]
        Kind::ServiceJwtSecret | Kind::AppJwtSecret | Kind::AppJwtKey | Kind::BotPublicKey => {
            jwt::parse(raw)
        }
        #[cfg(feature = "digest")]
        Kind::DigestHa1 => digest::parse(raw),
        #[cfg(feature = "sigv4")]
        Kind::SigV4Key => sigv4::parse(raw),
        #[cfg(feature = "basic")]
        Kind::BasicPassword => password::parse(raw),
        _ => {
            let _ = (raw.id, raw.name, raw.secret);
            Ok(Opened::Nothing)
        }
    }
}

impl Registry {
    /// All usable credentials that are found by this digest and are of one of these kinds.
    ///
    /// One that seems to be idle is read again: another process may have seen it used.
    pub(super) fn usable(&self, digest: KeyDigest, kinds: Kinds) -> Flow<'static, Vec<Known>> {
        let registry = self.clone();
        Flow::new(async move {
            let Some(set) = registry.0.cache.get(&digest).await? else { return Ok(Vec::new()) };
            let set = if registry.has_idle(&set) {
                registry.read_again(&digest).await?
            } else {
                Some(set)
            };
            let Some(set) = set else { return Ok(Vec::new()) };
            let now = registry.0.clock.read();
            let usable = |known: &&Known| {
                kinds.overlaps(known.kinds()) && known.is_usable(now) && !known.is_idle(now)
            };
            Ok(set.as_slice().iter().filter(usable).cloned().collect())
        })
    }

    fn has_idle(&self, set: &KnownSet) -> bool {
        let now = self.0.clock.read();
        set.as_slice().iter().any(|known| known.is_usable(now) && known.is_idle(now))
    }

    async fn read_again(&self, digest: &KeyDigest) -> Result<Option<Arc<KnownSet>>> {
        let sequence = self.0.cache.store().store.position().await?;
        self.0.cache.forget(&crate::cache::Change { sequence, keys: vec![*digest] });
        self.0.cache.get(digest).await
    }
}

/// The kinds that a door takes: a bit for each, in the order of [`Kind::ALL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kinds(u16);

impl Kinds {
    pub(super) fn of(kinds: &[Kind]) -> Self {
        let bit = |(number, kind): (u32, &Kind)| if kinds.contains(kind) { 1 << number } else { 0 };
        Self((0..).zip(&Kind::ALL).map(bit).sum())
    }

    #[inline]
    pub(super) const fn overlaps(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}
