//! How attempts end, under a limit.

use crate::DigestVerifier;
use crate::verifier::tests::{
    ALICE, Client, Judged, Says, TLS, accounts, asked, check, clock, door, judge, nonces,
};
use auth_core::{
    AttemptKey, AttemptLimit, AttemptOutcome, Body, Error, Flow, Limits, ReplayOutcome,
    RequestView, Verifier as _,
};
use http::{HeaderMap, HeaderValue, Method, Uri, header::AUTHORIZATION};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

#[test]
fn wrong_responses_run_out_for_each_user() {
    use auth_core::{AttemptRate, MemoryAttemptLimits};
    let rate = AttemptRate::new(2, Duration::from_secs(60)).unwrap();
    let limits = MemoryAttemptLimits::new(clock()).with_identity_rate(rate);
    let door = door(&clock()).with_limit(AttemptLimit::new(limits));
    for told in ["401 digest_response_wrong", "401 digest_response_wrong", "429 limit_attempts"] {
        check(&door, &Client { password: "x", ..ALICE }, told);
    }
    check(&door, &ALICE, "429 limit_attempts");
    check(
        &door,
        &Client { user: "J\u{e4}s\u{f8}n", password: "p\u{e4}ss", ..ALICE },
        "J\u{e4}s\u{f8}n",
    );
}

/// Writes down how attempts end.
#[derive(Clone, Default)]
struct Settled(Arc<Mutex<Vec<AttemptOutcome>>>);

impl Limits for Settled {
    fn may_try(&self, _: AttemptKey) -> Flow<'_, Result<(), Duration>> {
        Flow::ready(Ok(()))
    }

    fn note(&self, _: AttemptKey, settled: AttemptOutcome) {
        self.0.lock().unwrap().push(settled);
    }
}

impl Settled {
    #[track_caller]
    fn check(&self, expected: AttemptOutcome) {
        assert_eq!(std::mem::take(&mut *self.0.lock().unwrap()), [expected]);
    }
}

/// Else an attacker who captured a request would make its own source known for the user, by sending it again.
#[test]
fn a_right_response_makes_its_source_known_only_when_it_is_taken() {
    let (clock, settled) = (clock(), Settled::default());
    let limit = || AttemptLimit::new(settled.clone());
    let door = door(&clock).with_limit(limit());
    let challenge = asked(&door);
    let said = |client: &Client<'_>, expected: &str, outcome| {
        let field = client.answer(&challenge);
        assert_eq!(judge(&door, "/", &field, Body::Unread).told(), expected);
        settled.check(outcome);
    };
    said(&ALICE, "alice", AttemptOutcome::Right);
    said(&ALICE, "401 digest_replayed", AttemptOutcome::Unknown);
    let wrong = Client { password: "x", ..ALICE };
    said(&wrong, "401 digest_response_wrong", AttemptOutcome::Wrong);
    clock.advance(Duration::from_secs(60 * 60));
    let late = Client { nc: 2, ..ALICE };
    said(&late, "401 digest_nonce_old stale", AttemptOutcome::Unknown);
    let wrong = Client { password: "x", ..late };
    said(&wrong, "401 digest_response_wrong", AttemptOutcome::Wrong);
}

#[test]
fn a_right_response_costs_nothing_when_the_store_cannot_tell_or_is_not_waited_for() {
    let settled = Settled::default();
    let down = Err(Error::transport("down", "nobody answers"));
    for replay in
        [down, Ok(ReplayOutcome::Full), Ok(ReplayOutcome::TooOld), Ok(ReplayOutcome::Seen)]
    {
        let door = DigestVerifier::new("r", accounts(), nonces(&clock()), Says(replay)).unwrap();
        let door = door.with_limit(AttemptLimit::new(settled.clone()));
        let field = ALICE.answer(&asked(&door));
        assert!(!matches!(judge(&door, "/", &field, Body::Unread), Judged::Accepted(_)));
        settled.check(AttemptOutcome::Unknown);
        let headers =
            HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_bytes(&field).unwrap())]);
        let uri = Uri::from_static("/");
        let request = RequestView::new(&Method::GET, &uri, &headers).with_peer(TLS);
        drop(door.verify(request));
        settled.check(AttemptOutcome::Unknown);
    }
}

#[test]
fn a_name_and_its_hash_share_one_limit() {
    use auth_core::{AttemptRate, MemoryAttemptLimits};
    let rate = AttemptRate::new(2, Duration::from_secs(60)).unwrap();
    let limits = MemoryAttemptLimits::new(clock()).with_identity_rate(rate);
    let door = door(&clock()).with_userhash().with_limit(AttemptLimit::new(limits));
    let wrong = Client { password: "x", ..ALICE };
    let hashed = asked(&door);
    let plain = hashed.replace(", userhash=true", "");
    assert_ne!(hashed, plain);
    let said = |challenge| judge(&door, "/", &wrong.answer(challenge), Body::Unread).told();
    assert_eq!(said(&hashed), "401 digest_response_wrong");
    assert_eq!(said(&plain), "401 digest_response_wrong");
    assert_eq!(said(&hashed), "429 limit_attempts");
    assert_eq!(said(&plain), "429 limit_attempts");
}
