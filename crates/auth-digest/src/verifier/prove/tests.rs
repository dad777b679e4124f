//! Secrets, nonces and counts, and what a refusal costs.

use crate::hash::tests::hashed;
use crate::verifier::tests::{
    ALICE, Client, Judged, KEY, NOW, Says, accounts, asked, check, clock, door, judge, nonces,
    store,
};
use crate::{
    DigestAccounts, DigestAlgorithm, DigestQuery, DigestUserName, DigestUserRecord, DigestVerifier,
    Ha1, HashFunction, Nonces, OfferedQop, SessionHa1, UserSecret, userhash,
};
use auth_core::{
    AttemptLimit, Body, Candidates, Error, Flow, Lookup, ReplayOutcome, SystemRandom, Timestamp,
};
use auth_testing::SeededRandom;
use std::{sync::Arc, time::Duration};

/// A door that draws the same chance and the same decoys each time that it is made.
fn repeated<L>(
    algorithm: DigestAlgorithm,
    protection: OfferedQop,
    accounts: L,
) -> DigestVerifier<L> {
    let nonces = Nonces::new(&KEY, SeededRandom::new(1), clock()).unwrap();
    let door = DigestVerifier::new("r", accounts, nonces, store(&clock())).unwrap();
    let door = door.with_qop(protection).unwrap().with_algorithms(&[algorithm]).unwrap();
    door.with_userhash()
}

/// What this client is told, byte for byte, and the hashes that it took.
fn cost<L>(door: &DigestVerifier<L>, client: &Client<'_>) -> (Vec<Vec<u8>>, (usize, usize))
where
    L: for<'q> Lookup<DigestQuery<'q>, Found = Candidates<DigestUserRecord, ()>>,
{
    let field = client.answer(&asked(door));
    let body = client.body.map_or(Body::Unread, Body::Bytes);
    let (judged, hashed) = hashed(|| judge(door, "/", &field, body));
    let Judged::Rejected(rejection) = judged else { panic!("{judged:?}") };
    let status = rejection.status().as_str().as_bytes().to_vec();
    let challenges = rejection.challenges().iter();
    let mut told: Vec<_> = challenges.map(|it| it.field().as_bytes().to_vec()).collect();
    told.push(status);
    (told, hashed)
}

#[test]
fn an_unknown_user_costs_the_same_hashes_and_is_told_the_same_bytes() {
    for algorithm in DigestAlgorithm::ALL {
        for protection in [OfferedQop::Legacy, OfferedQop::Auth, OfferedQop::AuthInt] {
            if protection == OfferedQop::Legacy && algorithm.is_session() {
                continue;
            }
            let body = (protection == OfferedQop::AuthInt).then_some(&b"{}"[..]);
            let known = Client { password: "guess", body, ..ALICE };
            let of =
                |client: &Client<'_>| cost(&repeated(algorithm, protection, accounts()), client);
            let expected = of(&known);
            assert!(
                expected.1.0 >= 3,
                "{algorithm}: one of the request, and one for each of two secrets"
            );
            assert_eq!(of(&Client { user: "alicf", ..known }), expected, "{algorithm}");
            if algorithm.is_session() {
                let of =
                    |client: &Client<'_>| cost(&repeated(algorithm, protection, Sessions), client);
                let session = of(&known);
                assert_eq!(session.0, expected.0, "a secret of one session");
                assert_eq!(of(&Client { user: "alicf", ..known }), session, "{algorithm}");
            }
        }
    }
}

#[test]
fn a_name_is_hashed_only_where_a_limit_counts_it_together_with_its_hash() {
    let hashes = |door: DigestVerifier<DigestAccounts>| {
        let field = ALICE.answer(&asked(&door).replace(", userhash=true", ""));
        let (judged, (count, _)) = hashed(|| judge(&door, "/", &field, Body::Unread));
        assert_eq!(judged.told(), "alice");
        count
    };
    let limit = || AttemptLimit::new(auth_core::MemoryAttemptLimits::new(clock()));
    let least = hashes(door(&clock()));
    assert_eq!(hashes(door(&clock()).with_userhash()), least);
    assert_eq!(hashes(door(&clock()).with_limit(limit())), least);
    assert_eq!(hashes(door(&clock()).with_userhash().with_limit(limit())), least + 1);
}

/// An authority that knows one user, and answers with the secret of some other session.
struct Sessions;

impl Lookup<DigestQuery<'_>> for Sessions {
    type Found = Candidates<DigestUserRecord, ()>;

    fn lookup(&self, query: &DigestQuery<'_>) -> Flow<'_, Option<Self::Found>> {
        let function = query.algorithm.function();
        let alice = userhash(function, "alice", b"r");
        let DigestUserName::Hashed(name) = query.name else { panic!("a name") };
        let found = alice.matches(name.as_bytes()).then(|| {
            let session = SessionHa1::from_hex(function, &"0".repeat(function.digits())).unwrap();
            DigestUserRecord { user: "alice".into(), secret: UserSecret::Session(session) }.into()
        });
        Flow::ready(found)
    }
}

#[test]
fn counts_may_overtake_one_another_and_none_passes_twice() {
    let door = door(&clock());
    let challenge = asked(&door);
    let check = |nc, expected| {
        let field = Client { nc, ..ALICE }.answer(&challenge);
        assert_eq!(judge(&door, "/", &field, Body::Unread).told(), expected, "{nc}");
    };
    for nc in [3, 1, 2, 130] {
        check(nc, "alice");
    }
    for nc in [3, 1, 2, 130] {
        check(nc, "401 digest_replayed");
    }
    check(4, "alice");
    check(u32::MAX, "alice");
    check(131, "401 digest_replayed");
}

#[test]
fn the_window_is_as_wide_as_was_said() {
    let door = door(&clock()).with_window(2);
    let challenge = asked(&door);
    for (nc, expected) in [(5, "alice"), (4, "alice"), (3, "401 digest_replayed"), (6, "alice")] {
        let field = Client { nc, ..ALICE }.answer(&challenge);
        assert_eq!(judge(&door, "/", &field, Body::Unread).told(), expected, "{nc}");
    }
}

#[test]
fn only_a_right_response_is_told_that_its_nonce_is_stale() {
    let clock = clock();
    let door = door(&clock);
    let challenge = asked(&door);
    let check = |door: &DigestVerifier<DigestAccounts>, password, expected| {
        let field = Client { password, ..ALICE }.answer(&challenge);
        assert_eq!(judge(door, "/", &field, Body::Unread).told(), expected);
    };
    clock.advance(Duration::from_secs(301));
    check(&door, "s3cret", "401 digest_nonce_old stale");
    check(&door, "wrong", "401 digest_response_wrong");
    clock.set(Timestamp::from_unix(NOW - 100));
    check(&door, "s3cret", "401 digest_nonce_future stale");
    clock.set(Timestamp::from_unix(NOW));
    let key = [8; 32];
    let restarted = Nonces::new(&key, SystemRandom::new(), clock.clone()).unwrap();
    let mut restarted = DigestVerifier::new("r", accounts(), restarted, store(&clock)).unwrap();
    restarted.opaque = nonces(&clock).opaque("r");
    check(&restarted, "s3cret", "401 digest_nonce_foreign stale");
    check(&restarted, "wrong", "401 digest_response_wrong");
    check(&door, "s3cret", "alice");
}

#[test]
fn strangers_cannot_fill_the_store() {
    let clock = clock();
    let shared = Arc::new(store(&clock));
    let door = DigestVerifier::new("r", accounts(), nonces(&clock), Arc::clone(&shared)).unwrap();
    for client in [Client { password: "x", ..ALICE }, Client { user: "bob", ..ALICE }] {
        for _ in 0..20 {
            judge(&door, "/", &client.answer(&asked(&door)), Body::Unread);
        }
    }
    let old = ALICE.answer(&asked(&door));
    clock.advance(Duration::from_secs(301));
    judge(&door, "/", &old, Body::Unread);
    assert!(shared.is_empty());
    judge(&door, "/", &ALICE.answer(&asked(&door)), Body::Unread);
    assert_eq!(shared.len(), 1);
}

#[test]
fn a_store_that_cannot_tell_lets_nobody_in() {
    for (replay, expected) in [
        (Err(Error::transport("down", "nobody answers")), "down"),
        (Ok(ReplayOutcome::Full), "digest_replay_store"),
        (Ok(ReplayOutcome::TooOld), "401 digest_nonce_old stale"),
        (Ok(ReplayOutcome::Seen), "401 digest_replayed"),
        (Ok(ReplayOutcome::Fresh), "alice"),
    ] {
        let door = DigestVerifier::new("r", accounts(), nonces(&clock()), Says(replay)).unwrap();
        check(&door, &ALICE, expected);
    }
}

/// As curl and wget do, which keep no nonce: a new session for every request, under the right password.
#[test]
fn a_store_that_is_full_makes_old_nonces_stale_and_refuses_no_new_one() {
    let clock = clock();
    let small = store(&clock).with_limit(32 * 1024);
    let door = DigestVerifier::new("r", accounts(), nonces(&clock), small).unwrap();
    let first = asked(&door);
    let first_is = |nc, expected: &str| {
        let field = Client { nc, ..ALICE }.answer(&first);
        assert_eq!(judge(&door, "/", &field, Body::Unread).told(), expected);
    };
    first_is(1, "alice");
    for n in 0..1000 {
        clock.advance(Duration::from_millis(100));
        let told = judge(&door, "/", &ALICE.answer(&asked(&door)), Body::Unread).told();
        assert_eq!(told, "alice", "log-in {n}");
    }
    first_is(2, "401 digest_nonce_old stale");
}

#[test]
fn one_user_cannot_spend_the_counts_of_another_and_a_hashed_name_is_the_same_user() {
    let door = door(&clock()).with_userhash();
    let challenge = asked(&door);
    let other = Client { user: "J\u{e4}s\u{f8}n", password: "p\u{e4}ss", ..ALICE };
    let told = |client: &Client<'_>, challenge: &str| {
        judge(&door, "/", &client.answer(challenge), Body::Unread).told()
    };
    assert_eq!(told(&ALICE, &challenge), "alice");
    assert_eq!(told(&Client { nc: u32::MAX, ..other }, &challenge), "J\u{e4}s\u{f8}n");
    assert_eq!(told(&Client { nc: 2, ..ALICE }, &challenge), "alice");
    let plain = challenge.replace(", userhash=true", "");
    assert_eq!(told(&Client { nc: 2, ..ALICE }, &plain), "401 digest_replayed");
}

/// Knows HA1, and gives it to nobody.
struct Controller(DigestAccounts);

impl Lookup<DigestQuery<'_>> for Controller {
    type Found = Candidates<DigestUserRecord, ()>;

    fn lookup(&self, query: &DigestQuery<'_>) -> Flow<'_, Option<Self::Found>> {
        let (algorithm, nonce) = (query.algorithm, query.nonce.to_vec());
        let (found, cnonce) = (self.0.lookup(query), query.cnonce.to_vec());
        Flow::new(async move {
            Ok(found.await?.map(|found| {
                let DigestUserRecord { user, secret } = found.as_slice()[0].secret.clone();
                let UserSecret::Ha1(ha1) = secret else { panic!("a session") };
                let session = ha1.session(algorithm, &nonce, &cnonce);
                DigestUserRecord { user, secret: UserSecret::Session(session) }.into()
            }))
        })
    }
}

#[test]
fn a_domain_controller_gives_the_secret_of_one_session() {
    let clock = clock();
    let door = |algorithm| {
        let controller = Controller(accounts());
        let door = DigestVerifier::new("r", controller, nonces(&clock), store(&clock)).unwrap();
        door.with_algorithms(&[algorithm]).unwrap()
    };
    for algorithm in
        [DigestAlgorithm::Md5Sess, DigestAlgorithm::Sha256Sess, DigestAlgorithm::Sha512_256Sess]
    {
        let door = door(algorithm);
        let told = |client: &Client<'_>| {
            judge(&door, "/", &client.answer(&asked(&door)), Body::Unread).told()
        };
        assert_eq!(told(&ALICE), "alice");
        assert_eq!(told(&Client { password: "x", ..ALICE }), "401 digest_response_wrong");
        assert_eq!(told(&Client { user: "bob", ..ALICE }), "401 digest_user_unknown");
    }
    let plain = door(DigestAlgorithm::Sha256);
    let told = judge(&plain, "/", &ALICE.answer(&asked(&plain)), Body::Unread).told();
    assert_eq!(told, "digest_known_session", "it would be HA1 itself");
}

#[test]
fn a_secret_of_another_hash_function_is_a_fault_of_ours() {
    struct Wrong;
    impl Lookup<DigestQuery<'_>> for Wrong {
        type Found = Candidates<DigestUserRecord, ()>;
        fn lookup(&self, _: &DigestQuery<'_>) -> Flow<'_, Option<Self::Found>> {
            let secret = UserSecret::Ha1(Ha1::new(HashFunction::Md5, "alice", b"r", b"s3cret"));
            Flow::ready(Some(DigestUserRecord { user: "alice".into(), secret }.into()))
        }
    }
    let door = DigestVerifier::new("r", Wrong, nonces(&clock()), store(&clock())).unwrap();
    let told = judge(&door, "/", &ALICE.answer(&asked(&door)), Body::Unread).told();
    assert_eq!(told, "digest_known_function");
}
