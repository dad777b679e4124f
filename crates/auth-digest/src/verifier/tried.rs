//! Which of the secrets that were found made a response, if any did.

/// A user whose password is being changed has two secrets: so many are tried for everybody who is refused.
const ALIKE: usize = 2;

/// What comes of the last secret that proves it. All are tried, so that the time does not tell which one it is.
///
/// Where none does, a decoy is tried beside them, which is `None`: an unknown user, a known one and one in the middle of
/// a rotation cost the same. Who is accepted has the secret, and nothing to learn from the time.
pub(super) fn proven<'s, S, T, E>(
    known: &'s [S],
    mut prove: impl FnMut(Option<&'s S>) -> Result<Option<T>, E>,
) -> Result<Option<T>, E> {
    let mut proven = None;
    for secret in known {
        if let Some(found) = prove(Some(secret))? {
            proven = Some(found);
        }
    }
    if proven.is_none() {
        for _ in known.len()..ALIKE {
            prove(None)?;
        }
    }
    Ok(proven)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which secret proved it, and how many were tried.
    fn tried(known: &[u8], right: u8) -> (Option<u8>, usize) {
        let mut tried = 0;
        let found = proven(known, |secret| {
            tried += 1;
            Ok::<_, ()>(secret.copied().filter(|secret| *secret == right))
        });
        (found.unwrap(), tried)
    }

    #[test]
    fn refusing_costs_the_same_for_an_unknown_user_a_known_one_and_one_that_is_rotated() {
        for known in [&[][..], &[1], &[1, 2]] {
            assert_eq!(tried(known, 9), (None, 2), "{known:?}");
        }
    }

    #[test]
    fn every_secret_that_is_known_is_tried_and_accepting_costs_no_decoy() {
        assert_eq!(tried(&[1], 1), (Some(1), 1));
        assert_eq!(tried(&[1, 2], 1), (Some(1), 2));
        assert_eq!(tried(&[1, 2], 2), (Some(2), 2));
        assert_eq!(tried(&[1, 2, 3], 9), (None, 3));
    }
}
