//! Keys and tokens that are known by a keyed hash of them.

use auth_core::{
    Attempt, AttemptLimit, AttemptOutcome, Candidates, Flow, KeyDigest, KeyHasher, Lookup, Outcome,
    RequestView,
};
use std::{
    collections::HashMap,
    fmt,
    hash::{BuildHasherDefault, Hasher},
};

/// Keys that are all known when the server starts, by digest: for the configuration of a service.
///
/// It never changes; one that does is a store of its own behind [`Lookup<KeyDigest>`]. What is found is cloned, so give
/// large records in an `Arc`.
///
/// ```
/// use auth_core::{Candidates, KeyHasher, Lookup, SystemRandom};
/// use auth_static::FixedKeys;
/// let hasher = KeyHasher::random(&SystemRandom::new())?;
/// let keys = FixedKeys::new(&hasher, [("a-long-random-key", 7), ("another", 8)]);
/// assert_eq!(keys.lookup(&hasher.hash(b"another")).wait()?, Some(Candidates::one((), 8)));
/// # Ok::<_, auth_core::Error>(())
/// ```
#[derive(Clone)]
pub struct FixedKeys<P>(HashMap<KeyDigest, P, BuildHasherDefault<AsItIs>>);

impl<P> FixedKeys<P> {
    /// These keys and whom each stands for, hashed here. Of one key given twice the last counts.
    pub fn new<K: AsRef<[u8]>>(hasher: &KeyHasher, keys: impl IntoIterator<Item = (K, P)>) -> Self {
        keys.into_iter().map(|(key, principal)| (hasher.hash(key.as_ref()), principal)).collect()
    }
}

/// From digests that were stored.
impl<P> FromIterator<(KeyDigest, P)> for FixedKeys<P> {
    fn from_iter<I: IntoIterator<Item = (KeyDigest, P)>>(keys: I) -> Self {
        Self(keys.into_iter().collect())
    }
}

impl<P: Clone + Send + Sync> Lookup<KeyDigest> for FixedKeys<P> {
    type Found = Candidates<(), P>;

    fn lookup(&self, id: &KeyDigest) -> Flow<'_, Option<Self::Found>> {
        Flow::ready(self.0.get(id).map(|principal| Candidates::one((), principal.clone())))
    }
}

impl<P> fmt::Debug for FixedKeys<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FixedKeys({} keys)", self.0.len())
    }
}

/// What comes of a key with this digest, whose look-up `judge` is told. Under a limit the source is asked first, and its
/// attempt is settled by what came of it. Where nothing has the digest, the older one is looked up.
pub(crate) fn find<'a, L: Lookup<KeyDigest>, P: Send + 'a>(
    keys: &'a L,
    digest: KeyDigest,
    older: Option<Box<KeyDigest>>,
    limit: Option<&'a AttemptLimit>,
    request: RequestView<'_>,
    scheme: &str,
    judge: impl FnOnce(Option<L::Found>) -> Outcome<P> + Send + 'a,
) -> Flow<'a, Outcome<P>> {
    if limit.is_none() && older.is_none() {
        return keys.lookup(&digest).map(judge);
    }
    Attempt::begin(limit, request, scheme, None).and_then(move |begun| match begun {
        Ok(attempt) => look_up(keys, digest, older).then(move |found| {
            let judged = found.map(judge);
            attempt.settle(match &judged {
                Ok(outcome) => outcome.is_ok().into(),
                Err(_) => AttemptOutcome::Unknown,
            });
            judged.into()
        }),
        Err(rejection) => Flow::ready(Err(rejection)),
    })
}

/// The digest by the older hasher, if there is one.
pub(crate) fn older(hasher: Option<&KeyHasher>, key: &[u8]) -> Option<Box<KeyDigest>> {
    hasher.map(|hasher| Box::new(hasher.hash(key)))
}

fn look_up<L: Lookup<KeyDigest>>(
    keys: &L,
    digest: KeyDigest,
    older: Option<Box<KeyDigest>>,
) -> Flow<'_, Option<L::Found>> {
    keys.lookup(&digest).and_then(move |found| match (found, older) {
        (None, Some(older)) => keys.lookup(&older),
        (found, _) => Flow::ready(found),
    })
}

/// The hash of a [`KeyDigest`] is the part of itself that it writes, which is eight bytes.
#[derive(Clone, Copy, Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn write(&mut self, digest: &[u8]) {
        self.0 = digest.first_chunk().copied().map_or(0, u64::from_ne_bytes);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use auth_core::SystemRandom;
    use std::{collections::HashSet, hash::BuildHasher};

    /// Keys that shared a hash would be found one by one.
    #[test]
    fn different_keys_have_different_hashes() {
        let (hasher, hash) =
            (KeyHasher::random(&SystemRandom::new()).unwrap(), BuildHasherDefault::<AsItIs>::new());
        let hashes: HashSet<_> =
            (0..1000_u32).map(|n| hash.hash_one(hasher.hash(&n.to_be_bytes()))).collect();
        assert_eq!(hashes.len(), 1000);
    }

    #[test]
    fn finds_what_was_put_in_and_nothing_else() {
        let hasher = KeyHasher::random(&SystemRandom::new()).unwrap();
        let keys = FixedKeys::new(&hasher, (0..1000).map(|n| (format!("key {n}"), n)));
        for n in 0..1000 {
            let found = keys.lookup(&hasher.hash(format!("key {n}").as_bytes())).wait().unwrap();
            assert_eq!(found, Some(Candidates::one((), n)));
        }
        assert_eq!(keys.lookup(&hasher.hash(b"key 1000")).wait().unwrap(), None);
        let stored = KeyDigest::from_bytes(*hasher.hash(b"key 7").as_bytes());
        let again: FixedKeys<_> = [(stored, 7)].into_iter().collect();
        assert_eq!(
            again.lookup(&hasher.hash(b"key 7")).wait().unwrap(),
            Some(Candidates::one((), 7))
        );
    }
}
