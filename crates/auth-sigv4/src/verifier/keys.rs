//! What a verifier knows of access keys.

use crate::{AccessKey, CredentialScope, DerivedKey};
use arc_swap::ArcSwapOption;
use auth_core::{Candidates, Flow, Lookup, Secret, Timestamp};
use std::{collections::HashMap, fmt, sync::Arc};

/// Which key a request says it was signed with: nothing of it is believed yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ScopedKeyId<'a> {
    /// The ID of the access key.
    pub id: &'a str,
    /// What the derived key would be for.
    pub scope: CredentialScope<'a>,
}

/// What is known of an access key: the secret of a [`Candidate`](auth_core::Candidate).
#[derive(Clone)]
pub struct AccessKeyRecord {
    /// The derived key of the scope that was asked for.
    pub key: DerivedKey,
    /// The session token that has to come with a temporary key.
    pub session_token: Option<Arc<Secret>>,
    /// When a temporary key ends: it is good strictly before.
    pub expires: Option<Timestamp>,
}

impl AccessKeyRecord {
    /// A key that lasts, derived for the scope that was asked for.
    #[must_use]
    pub const fn new(key: DerivedKey) -> Self {
        Self { key, session_token: None, expires: None }
    }

    /// A temporary key: with the token that has to come with it, and its end if it has one.
    #[must_use]
    pub const fn temporary(
        key: DerivedKey,
        session_token: Arc<Secret>,
        expires: Option<Timestamp>,
    ) -> Self {
        Self { key, session_token: Some(session_token), expires }
    }
}

impl fmt::Debug for AccessKeyRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessKeyRecord(..)")
    }
}

/// Access keys that are all known when the server starts.
///
/// The key of the day is derived with the first request that needs it and kept for those that follow. A store of another
/// kind, or an edge that is given day keys and no secret, is a [`Lookup<ScopedKeyId>`](Lookup) of its own.
///
/// # Security
///
/// An unknown ID costs what a known one does. A temporary key is refused from its end on.
pub struct AccessKeys<P> {
    known: HashMap<Box<str>, (DerivedKeys, P)>,
    /// Derived where the ID is unknown.
    decoy: DerivedKeys,
}

/// An access key, and what was derived from it last: the key of the day is derived once and kept for the requests that
/// follow. For look-ups that keep their keys elsewhere than in [`AccessKeys`].
pub struct DerivedKeys {
    key: AccessKey,
    derived: ArcSwapOption<Derived>,
}

struct Derived {
    day: Box<str>,
    region: Box<str>,
    service: Box<str>,
    key: DerivedKey,
}

impl<P> AccessKeys<P> {
    /// With these keys, and whose they are.
    pub fn new(keys: impl IntoIterator<Item = (AccessKey, P)>) -> Self {
        let known = keys
            .into_iter()
            .map(|(key, whose)| (key.id().into(), (DerivedKeys::new(key), whose)))
            .collect();
        Self { known, decoy: DerivedKeys::decoy() }
    }
}

impl DerivedKeys {
    /// Keeps what is derived from this key.
    #[must_use]
    pub const fn new(key: AccessKey) -> Self {
        Self { key, derived: ArcSwapOption::const_empty() }
    }

    /// A key that nobody has: a look-up derives from it where an ID is unknown, so that it costs what a known one does.
    #[must_use]
    pub fn decoy() -> Self {
        Self::new(AccessKey::decoy())
    }

    /// The key for this scope.
    #[must_use]
    pub fn derive(&self, scope: CredentialScope<'_>) -> DerivedKey {
        match &*self.derived.load() {
            Some(derived) if derived.is_for(scope) => derived.key.clone(),
            _ => self.derive_anew(scope),
        }
    }

    #[cold]
    fn derive_anew(&self, scope: CredentialScope<'_>) -> DerivedKey {
        let key = self.key.derive(scope);
        self.derived.store(Some(Arc::new(Derived {
            day: scope.day.into(),
            region: scope.region.into(),
            service: scope.service.into(),
            key: key.clone(),
        })));
        key
    }
}

impl Derived {
    fn is_for(&self, scope: CredentialScope<'_>) -> bool {
        *self.day == *scope.day && *self.region == *scope.region && *self.service == *scope.service
    }
}

impl<'a, P: Clone + Send + Sync> Lookup<ScopedKeyId<'a>> for AccessKeys<P> {
    type Found = Candidates<AccessKeyRecord, P>;

    fn lookup(&self, id: &ScopedKeyId<'a>) -> Flow<'_, Option<Self::Found>> {
        let found = self.known.get(id.id);
        let kept = found.map_or(&self.decoy, |(kept, _)| kept);
        let key = kept.derive(id.scope);
        Flow::ready(found.map(|(kept, whose)| {
            let (session_token, expires) = (kept.key.shared_session_token(), kept.key.expires());
            Candidates::one(AccessKeyRecord { key, session_token, expires }, whose.clone())
        }))
    }
}

impl fmt::Debug for DerivedKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DerivedKeys(of {:?})", self.key.id())
    }
}

impl<P> fmt::Debug for AccessKeys<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccessKeys({} keys)", self.known.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_one_scope_is_never_that_of_another() {
        let secret = || AccessKey::new("AKID", "secret").unwrap();
        let keys = AccessKeys::new([(secret(), ())]);
        let signed = |scope| {
            let found = keys.lookup(&ScopedKeyId { id: "AKID", scope }).wait().unwrap();
            found.unwrap().as_slice()[0].secret.key.sign(b"text")
        };
        let first = CredentialScope::new("20260102", "eu-west-1", "s3");
        for other in [
            first,
            CredentialScope::new("20260103", "eu-west-1", "s3"),
            CredentialScope::new("20260102", "eu-west-2", "s3"),
            CredentialScope::new("20260102", "eu-west-1", "sns"),
        ] {
            for scope in [first, other, other, first] {
                assert_eq!(signed(scope), secret().derive(scope).sign(b"text"), "{scope:?}");
            }
        }
        let stranger = ScopedKeyId { id: "AKIE", scope: first };
        assert!(keys.lookup(&stranger).wait().unwrap().is_none());
    }
}
