//! What a look-up finds of a caller: the secrets that may prove it, and whose each is.

use std::{slice, sync::Arc};

/// What may prove a caller, and the caller that it proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate<S, P> {
    /// What the credentials are checked against: a key, a hash, a password's hash.
    pub secret: S,
    /// The caller that is proven when the check succeeds. It says which credential it was where that matters.
    pub principal: P,
}

/// All that may prove a caller who names itself: what every scheme's look-up finds.
///
/// During a rotation two secrets of one caller are good at once, so a look-up finds several; a verifier tries them and
/// gives the principal of the one that fits. One candidate is stored inline and several share an allocation with the
/// look-up, so finding either allocates nothing.
///
/// ```
/// use auth_core::{Candidate, Candidates};
/// let one = Candidates::one("secret", "acme");
/// let rotating: Candidates<_, _> = [("old", "acme/1"), ("new", "acme/2")].into_iter().collect();
/// assert_eq!(rotating.find(|secret| *secret == "new"), Some("acme/2"));
/// assert_eq!(one.find(|secret| *secret == "new"), None);
/// // Where it does not matter which caller it is, a secret alone will do.
/// let anonymous: Candidates<&str, ()> = "secret".into();
/// # let _ = anonymous;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Candidates<S, P> {
    /// The usual one.
    One(Candidate<S, P>),
    /// As many as are good at once, perhaps none: a caller that is known and has no secret.
    Several(Arc<[Candidate<S, P>]>),
}

impl<S, P> Candidates<S, P> {
    /// One secret, and whose it is.
    pub const fn one(secret: S, principal: P) -> Self {
        Self::One(Candidate { secret, principal })
    }

    /// A caller that is known, and that nothing can prove.
    #[must_use]
    pub fn none() -> Self {
        Self::Several(Arc::default())
    }

    /// All of them, in the order in which they were given.
    #[must_use]
    pub fn as_slice(&self) -> &[Candidate<S, P>] {
        match self {
            Self::One(candidate) => slice::from_ref(candidate),
            Self::Several(candidates) => candidates,
        }
    }

    /// The secrets, in the same order.
    pub fn secrets(&self) -> impl ExactSizeIterator<Item = &S> {
        self.as_slice().iter().map(|candidate| &candidate.secret)
    }

    /// Whether there is no secret at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.as_slice().is_empty()
    }
}

impl<S, P: Clone> Candidates<S, P> {
    /// The principal of the candidate with this number in [`as_slice`](Self::as_slice).
    #[must_use]
    pub fn principal(self, number: usize) -> Option<P> {
        match self {
            Self::One(candidate) => (number == 0).then_some(candidate.principal),
            Self::Several(all) => all.get(number).map(|candidate| candidate.principal.clone()),
        }
    }

    /// The principal of the last candidate whose secret proves the credentials. All are tried, so that the time it takes
    /// does not tell which one it was.
    #[must_use]
    pub fn find(self, mut proves: impl FnMut(&S) -> bool) -> Option<P> {
        let mut found = None;
        for (number, secret) in self.secrets().enumerate() {
            if proves(secret) {
                found = Some(number);
            }
        }
        self.principal(found?)
    }
}

impl<S, P> FromIterator<(S, P)> for Candidates<S, P> {
    fn from_iter<I: IntoIterator<Item = (S, P)>>(candidates: I) -> Self {
        let candidate = |(secret, principal)| Candidate { secret, principal };
        Self::Several(candidates.into_iter().map(candidate).collect())
    }
}

/// Secrets that stand for nobody in particular.
impl<S> FromIterator<S> for Candidates<S, ()> {
    fn from_iter<I: IntoIterator<Item = S>>(secrets: I) -> Self {
        secrets.into_iter().map(|secret| (secret, ())).collect()
    }
}

/// A secret that stands for nobody in particular.
impl<S> From<S> for Candidates<S, ()> {
    fn from(secret: S) -> Self {
        Self::one(secret, ())
    }
}
