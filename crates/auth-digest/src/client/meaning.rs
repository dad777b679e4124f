//! What a challenge means for a request that was just sent: answer it, or believe that the password is wrong.
//!
//! A refusal seldom means a wrong password. Nonces grow old, servers restart, some take each nonce once, some count in a
//! window that is smaller than the number of requests under way, and not all of them say `stale`. One refusal alone tells
//! of the password: that of a nonce which the server has given to this very request in its last answer, and which was
//! used for the first time. Nothing but the password can be wrong with it.
//!
//! | sent | kept | the challenge | it means |
//! |---|---|---|---|
//! | nothing | anything | any | [`Meaning::Answer`] |
//! | the first count on a nonce that this request was just given | anything | same realm, not stale | [`Meaning::WrongPassword`] |
//! | a nonce that was known before | a password refused in the realm of the challenge | not stale | [`Meaning::KnownWrong`] |
//! | anything else | anything | any | [`Meaning::Answer`] |
//!
//! So a wrong password is tried once for each request (twice by one that began with a nonce of before), and each request
//! of a right one is answered at the latest by the second attempt, however strict the server is: it has a nonce of its own
//! by then. A server that says `stale` at every answer is answered each time, within what adapters allow.

use crate::NonceCount;

/// What the request that was refused was sent with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent<'a> {
    /// No credentials of this client.
    Nothing,
    /// Credentials under a nonce.
    Nonce {
        /// Their realm.
        realm: &'a [u8],
        /// How often the nonce was used, this request included; `None` under RFC 2069, which does not count.
        count: Option<NonceCount>,
        /// How this request came by the nonce.
        nonce: NonceOrigin,
    },
}

/// How a request came by its nonce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NonceOrigin {
    /// The last answer to this very request gave it.
    JustGiven,
    /// It was known before: other requests have been sent with it, or it is too long ago to tell.
    Known,
}

/// What is kept for the place of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept<'a> {
    /// Nothing, or a nonce that may serve.
    Usable,
    /// The knowledge that the password was refused in this realm.
    Refused {
        /// The realm.
        realm: &'a [u8],
    },
}

/// What the challenge says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Asked<'a> {
    /// Its realm.
    pub(super) realm: &'a [u8],
    /// Does it say that nothing but the nonce was wrong?
    pub(super) stale: bool,
}

/// What the challenge means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The request is sent again, with the nonce that came with the challenge.
    Answer,
    /// The password is wrong. The refusal is the answer.
    WrongPassword,
    /// Another request has found meanwhile that the password is wrong. It is not tried again.
    KnownWrong,
}

impl Meaning {
    /// The table above.
    pub(super) fn of(sent: Sent<'_>, kept: Kept<'_>, asked: Asked<'_>) -> Self {
        let Sent::Nonce { realm, count, nonce } = sent else { return Self::Answer };
        let is_first = count.is_none_or(|count| count == NonceCount::FIRST);
        match (nonce, kept) {
            _ if asked.stale => Self::Answer,
            (NonceOrigin::JustGiven, _) if is_first && realm == asked.realm => Self::WrongPassword,
            (NonceOrigin::Known, Kept::Refused { realm }) if realm == asked.realm => {
                Self::KnownWrong
            }
            _ => Self::Answer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REALMS: [&[u8]; 2] = [b"a", b"b"];
    const KEPT: [Kept<'_>; 3] =
        [Kept::Usable, Kept::Refused { realm: b"a" }, Kept::Refused { realm: b"b" }];

    fn counts() -> [Option<NonceCount>; 4] {
        [None, NonceCount::new(1), NonceCount::new(2), NonceCount::new(u32::MAX)]
    }

    /// Everything that can have been sent.
    fn all_sent() -> Vec<Sent<'static>> {
        let mut all = vec![Sent::Nothing];
        for realm in REALMS {
            for count in counts() {
                for nonce in [NonceOrigin::JustGiven, NonceOrigin::Known] {
                    all.push(Sent::Nonce { realm, count, nonce });
                }
            }
        }
        all
    }

    /// Every case, against the table as two conditions: when the password is proven wrong, and when that is known.
    #[test]
    fn every_case_means_what_the_table_says() {
        let mut seen = Vec::new();
        for sent in all_sent() {
            for kept in KEPT {
                for realm in REALMS {
                    for stale in [false, true] {
                        let meaning = Meaning::of(sent, kept, Asked { realm, stale });
                        let fresh = |count: Option<NonceCount>| {
                            count.map_or(1, |count| count.number()) == 1
                        };
                        let proves = matches!(sent, Sent::Nonce { realm: in_realm, count, nonce: NonceOrigin::JustGiven }
                            if in_realm == realm && fresh(count));
                        let known = matches!(sent, Sent::Nonce { nonce: NonceOrigin::Known, .. })
                            && kept == Kept::Refused { realm };
                        let expected = match (stale, proves, known) {
                            (false, true, _) => Meaning::WrongPassword,
                            (false, false, true) => Meaning::KnownWrong,
                            _ => Meaning::Answer,
                        };
                        assert_eq!(meaning, expected, "{sent:?} {kept:?} {realm:?} {stale}");
                        seen.push(meaning);
                    }
                }
            }
        }
        // 17 things sent, 3 kept, 4 challenges; of 2 realms x 2 first counts x 3 kept, each with its own realm, a proof.
        assert_eq!(seen.len(), 17 * 3 * 4);
        assert_eq!(seen.iter().filter(|it| **it == Meaning::WrongPassword).count(), 2 * 2 * 3);
        assert_eq!(seen.iter().filter(|it| **it == Meaning::KnownWrong).count(), 2 * 4 * 2);
    }

    #[track_caller]
    fn check(sent: Sent<'_>, kept: Kept<'_>, stale: bool, expected: Meaning) {
        assert_eq!(Meaning::of(sent, kept, Asked { realm: b"a", stale }), expected, "{sent:?}");
    }

    const fn given(realm: &'static [u8], count: Option<NonceCount>) -> Sent<'static> {
        Sent::Nonce { realm, count, nonce: NonceOrigin::JustGiven }
    }

    const fn known(realm: &'static [u8], count: Option<NonceCount>) -> Sent<'static> {
        Sent::Nonce { realm, count, nonce: NonceOrigin::Known }
    }

    #[test]
    fn only_the_first_use_of_a_nonce_just_given_condemns_the_password() {
        for count in [None, Some(NonceCount::FIRST)] {
            check(given(b"a", count), Kept::Usable, false, Meaning::WrongPassword);
            check(given(b"a", count), Kept::Usable, true, Meaning::Answer);
            check(given(b"b", count), Kept::Usable, false, Meaning::Answer);
            check(known(b"a", count), Kept::Usable, false, Meaning::Answer);
        }
        check(given(b"a", NonceCount::new(2)), Kept::Usable, false, Meaning::Answer);
    }

    #[test]
    fn a_request_without_credentials_is_always_answered() {
        for kept in KEPT {
            for stale in [false, true] {
                check(Sent::Nothing, kept, stale, Meaning::Answer);
            }
        }
    }

    #[test]
    fn a_password_known_to_be_wrong_is_not_tried_by_requests_that_are_late() {
        let refused = Kept::Refused { realm: b"a" };
        check(known(b"a", NonceCount::new(9)), refused, false, Meaning::KnownWrong);
        check(known(b"b", NonceCount::new(9)), refused, false, Meaning::KnownWrong);
        check(known(b"a", NonceCount::new(9)), refused, true, Meaning::Answer);
        check(known(b"a", None), Kept::Refused { realm: b"b" }, false, Meaning::Answer);
    }
}
