//! Which of the keys that were found made a signature, if any did.

/// A key that is being rotated is two: so many are tried for everybody who is refused.
const ALIKE: usize = 2;

/// The last of the keys that signed. All are tried, so that the time does not tell which one it is.
///
/// Where none did, a decoy is tried beside them, which is `None`: an unknown ID, a known one and one in the middle of a
/// rotation cost the same. Who is accepted has the key, and nothing to learn from the time.
pub(super) fn signer<K>(known: &[K], mut signs: impl FnMut(Option<&K>) -> bool) -> Option<&K> {
    let mut proven = None;
    for key in known {
        if signs(Some(key)) {
            proven = Some(key);
        }
    }
    if proven.is_none() {
        for _ in known.len()..ALIKE {
            std::hint::black_box(signs(None));
        }
    }
    proven
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which key signed, and how many were tried.
    fn tried(known: &[u8], signing: u8) -> (Option<u8>, usize) {
        let mut tried = 0;
        let signed = signer(known, |key| {
            tried += 1;
            key.is_none_or(|key| *key == signing)
        });
        (signed.copied(), tried)
    }

    #[test]
    fn refusing_costs_the_same_for_an_unknown_key_a_known_one_and_one_that_is_rotated() {
        for known in [&[][..], &[1], &[1, 2]] {
            assert_eq!(tried(known, 9), (None, 2), "{known:?}");
        }
    }

    #[test]
    fn every_key_that_is_known_is_tried_and_accepting_costs_no_decoy() {
        assert_eq!(tried(&[1], 1), (Some(1), 1));
        assert_eq!(tried(&[1, 2], 1), (Some(1), 2));
        assert_eq!(tried(&[1, 2], 2), (Some(2), 2));
        assert_eq!(tried(&[1, 2, 3], 9), (None, 3));
    }
}
