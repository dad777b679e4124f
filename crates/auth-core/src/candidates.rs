//! What a look-up finds of a caller: the secrets that may prove it, and whose each is.

use std::{hint::black_box, slice, sync::Arc};

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
/// let caller = |found, presented| {
///     Candidates::prove(found, |candidate| {
///         let expected = candidate.map_or("decoy", |candidate| candidate.secret);
///         let proven = expected == presented; // in constant time, where it is a secret
///         candidate.filter(|_| proven).map(|candidate| candidate.principal)
///     })
/// };
/// assert_eq!(caller(Some(&rotating), "new"), Some("acme/2"));
/// assert_eq!(caller(Some(&one), "new"), None);
/// assert_eq!(caller(None, "new"), None);
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

    /// Tries all that a look-up found, and gives what came of the last candidate that proves the credentials.
    ///
    /// `attempt` checks the credentials against the candidate that it is given and gives `Some` when that one proves
    /// them. Given `None` it does the same work with a decoy, and what it gives is thrown away.
    ///
    /// # Security
    ///
    /// The time does not tell which candidate it was, since all are tried. Nor does it tell an unknown caller, a known one
    /// and one whose secret is being rotated apart: where none proves the credentials, decoys are tried until there were
    /// two attempts, which is as many as a rotation takes. A caller that is accepted has the secret and learns nothing from
    /// the time, so no decoy is tried for it.
    pub fn prove<'c, T>(
        found: Option<&'c Self>,
        mut attempt: impl FnMut(Option<&'c Candidate<S, P>>) -> Option<T>,
    ) -> Option<T> {
        let candidates = found.map(Self::as_slice).unwrap_or_default();
        let mut proven = None;
        for candidate in candidates {
            proven = attempt(Some(candidate)).or(proven);
        }
        if proven.is_none() {
            for _ in candidates.len()..ROTATING {
                black_box(attempt(None));
            }
        }
        proven
    }
}

/// A caller whose secret is being rotated has two.
const ROTATING: usize = 2;

impl<S, P: Clone> Candidates<S, P> {
    /// The principal of the candidate with this number in [`as_slice`](Self::as_slice).
    #[must_use]
    pub fn principal(self, number: usize) -> Option<P> {
        match self {
            Self::One(candidate) => (number == 0).then_some(candidate.principal),
            Self::Several(all) => all.get(number).map(|candidate| candidate.principal.clone()),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The principal that is proven, and how many attempts it took.
    #[track_caller]
    fn check(secrets: Option<&[u8]>, right: u8, expected: (Option<usize>, usize)) {
        let found: Option<Candidates<_, _>> =
            secrets.map(|secrets| secrets.iter().copied().zip(1..).collect());
        let mut attempts = 0;
        let proven = Candidates::prove(found.as_ref(), |candidate| {
            attempts += 1;
            match candidate {
                Some(candidate) => (candidate.secret == right).then_some(candidate.principal),
                None => Some(usize::MAX),
            }
        });
        assert_eq!((proven, attempts), expected, "{secrets:?}");
    }

    #[test]
    fn refusing_costs_the_same_for_an_unknown_caller_a_known_one_and_one_that_is_rotated() {
        check(None, 9, (None, 2));
        check(Some(&[]), 9, (None, 2));
        check(Some(&[1]), 9, (None, 2));
        check(Some(&[1, 2]), 9, (None, 2));
    }

    #[test]
    fn every_secret_that_is_known_is_tried_and_accepting_costs_no_decoy() {
        check(Some(&[7]), 7, (Some(1), 1));
        check(Some(&[7, 8]), 7, (Some(1), 2));
        check(Some(&[7, 8]), 8, (Some(2), 2));
        check(Some(&[7, 7]), 7, (Some(2), 2));
        check(Some(&[1, 2, 3]), 9, (None, 3));
    }
}
