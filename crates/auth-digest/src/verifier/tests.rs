//! The verifier, asked as adapters ask it.

use super::*;
use crate::{
    DigestChallenge, DigestMessage, DigestProtection, Ha1, HashFunction, NonceCount, NonceUse,
    OfferedQop,
};
use auth_core::{
    Body, HandlerReply, MemoryReplayStore, Peer, Rejection, ReplayOutcome, ReservationOutcome,
    ReservationTicket, SystemRandom, Unique, Verifier as _,
};
use auth_testing::ManualClock;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header::AUTHORIZATION};
use std::time::Duration;

pub(super) const NOW: u64 = 1_700_000_000;
pub(super) const KEY: [u8; 32] = [7; 32];

pub(super) fn accounts() -> DigestAccounts {
    let mut accounts = DigestAccounts::new();
    for (user, password) in [("alice", "s3cret"), ("J\u{e4}s\u{f8}n", "p\u{e4}ss")] {
        for function in [HashFunction::Md5, HashFunction::Sha256, HashFunction::Sha512_256] {
            let ha1 = Ha1::new(function, user, b"r", password.as_bytes());
            accounts.add(user, "r", ha1).unwrap();
        }
    }
    accounts
}

pub(super) fn nonces(clock: &ManualClock) -> Nonces {
    Nonces::new(&KEY, SystemRandom::new(), clock.clone()).unwrap()
}

pub(super) fn store(clock: &ManualClock) -> MemoryReplayStore {
    MemoryReplayStore::new(clock.clone())
}

pub(super) fn door(clock: &ManualClock) -> DigestVerifier<DigestAccounts> {
    DigestVerifier::new("r", accounts(), nonces(clock), store(clock)).unwrap()
}

/// One that offers this algorithm.
pub(super) fn door_of(
    algorithm: DigestAlgorithm,
    clock: &ManualClock,
) -> DigestVerifier<DigestAccounts> {
    door(clock).with_algorithms(&[algorithm]).unwrap()
}

pub(super) const TLS: Peer<'_> = Peer { address: None, encrypted: true, certificate: None };

/// What comes of a request with this field.
pub(super) fn judge<L>(
    door: &DigestVerifier<L>,
    target: &str,
    field: &[u8],
    body: Body<'_>,
) -> Judged
where
    L: for<'q> Lookup<DigestQuery<'q>, Found = Candidates<DigestUserRecord, ()>>,
{
    let (uri, mut headers): (Uri, _) = (target.parse().unwrap(), HeaderMap::new());
    if !field.is_empty() {
        headers.insert(AUTHORIZATION, HeaderValue::from_bytes(field).unwrap());
    }
    let request = RequestView::new(&Method::GET, &uri, &headers).with_peer(TLS).with_body(body);
    match door.verify(request).wait() {
        Ok(Ok(accepted)) => Judged::Accepted(accepted),
        Ok(Err(rejection)) => Judged::Rejected(rejection),
        Err(error) => Judged::Failed(error.code()),
    }
}

#[derive(Debug)]
pub(super) enum Judged {
    Accepted(Accepted<DigestPrincipal>),
    Rejected(Rejection),
    Failed(&'static str),
}

impl Judged {
    /// The user, or status and code, with `stale` where a challenge says so.
    pub(super) fn told(&self) -> String {
        match self {
            Self::Accepted(accepted) => accepted.principal.user.to_string(),
            Self::Failed(code) => (*code).to_owned(),
            Self::Rejected(rejection) => {
                let stale = |it: &auth_core::Challenge| it.to_string().contains("stale=true");
                let stale = rejection.challenges().iter().any(stale);
                let stale = if stale { " stale" } else { "" };
                format!("{} {}{stale}", rejection.status().as_u16(), rejection.reason().code)
            }
        }
    }

    pub(super) fn challenges(&self) -> Vec<String> {
        match self {
            Self::Rejected(rejection) => {
                rejection.challenges().iter().map(ToString::to_string).collect()
            }
            other => panic!("{other:?}"),
        }
    }

    /// What the reply carries.
    pub(super) fn info(self, body: Body<'_>) -> HeaderValue {
        let Self::Accepted(mut accepted) = self else { panic!("{self:?}") };
        let none = HeaderMap::new();
        let proof = accepted.take_obligations().completions.pop().unwrap();
        let added = proof.complete(HandlerReply::new(StatusCode::OK, &none, body)).wait();
        added.unwrap().remove("authentication-info").unwrap()
    }
}

/// The first challenge of a door.
pub(super) fn asked<L>(door: &DigestVerifier<L>) -> String
where
    L: for<'q> Lookup<DigestQuery<'q>, Found = Candidates<DigestUserRecord, ()>>,
{
    judge(door, "/", b"", Body::Unread).challenges().remove(0)
}

/// A client that knows the password.
pub(super) struct Client<'a> {
    pub(super) user: &'a str,
    pub(super) password: &'a str,
    pub(super) nc: u32,
    pub(super) uri: &'a str,
    pub(super) body: Option<&'a [u8]>,
}

pub(super) const ALICE: Client<'_> =
    Client { user: "alice", password: "s3cret", nc: 1, uri: "/", body: None };

impl Client<'_> {
    pub(super) fn answer(&self, challenge: &str) -> Vec<u8> {
        let challenge = DigestChallenge::parse(challenge.as_bytes()).unwrap();
        let count = NonceUse { nc: NonceCount::new(self.nc).unwrap(), cnonce: b"cnonce" };
        let function = challenge.algorithm().unwrap().function();
        let protection = match self.body {
            Some(body) => DigestProtection::AuthInt(count, BodyHash::of(function, body)),
            None if challenge.offered == OfferedQop::Legacy => DigestProtection::Legacy,
            None => DigestProtection::Auth(count),
        };
        let message =
            DigestMessage { method: "GET", uri: self.uri.as_bytes(), nonce: b"", protection };
        let field = challenge.respond(self.user, self.password.as_bytes(), &message);
        field.unwrap().as_bytes().to_vec()
    }
}

#[track_caller]
pub(super) fn check(door: &DigestVerifier<DigestAccounts>, client: &Client<'_>, expected: &str) {
    let field = client.answer(&asked(door));
    assert_eq!(judge(door, "/", &field, Body::Unread).told(), expected);
}

pub(super) fn clock() -> ManualClock {
    ManualClock::at(NOW)
}

/// A store that says the same each time.
pub(super) struct Says(pub(super) Result<ReplayOutcome>);

impl ReplayStore for Says {
    fn check_and_set(&self, _: &Unique) -> Flow<'_, ReplayOutcome> {
        self.0.clone().into()
    }
    fn window(&self, _: &Unique, _: u64, _: u32) -> Flow<'_, ReplayOutcome> {
        Flow::new(async { self.0.clone() })
    }
    fn reserve(&self, _: &Unique, _: Duration) -> Flow<'_, ReservationOutcome> {
        Flow::ready(ReservationOutcome::Full)
    }
    fn confirm(&self, _: &Unique, _: ReservationTicket) -> Flow<'_, bool> {
        Flow::ready(false)
    }
    fn release(&self, _: &Unique, _: ReservationTicket) -> Flow<'_, bool> {
        Flow::ready(false)
    }
}

#[test]
fn takes_a_caller_that_knows_the_password_under_every_algorithm() {
    for algorithm in DigestAlgorithm::ALL {
        let door = door_of(algorithm, &clock());
        check(&door, &ALICE, "alice");
        check(&door, &Client { password: "secret", ..ALICE }, "401 digest_response_wrong");
        check(&door, &Client { password: "", ..ALICE }, "401 digest_response_wrong");
        check(&door, &Client { user: "bob", ..ALICE }, "401 digest_user_unknown");
        let jason = Client { user: "J\u{e4}s\u{f8}n", password: "p\u{e4}ss", ..ALICE };
        check(&door, &jason, "J\u{e4}s\u{f8}n");
    }
}

#[test]
fn tenants_use_up_no_count_of_one_another() {
    let kept = Arc::new(store(&clock()));
    let of = |tenant: &str| {
        let door = DigestVerifier::new("r", accounts(), nonces(&clock()), kept.clone()).unwrap();
        door.with_tenant(TenantId::new(tenant))
    };
    let (acme, globex) = (of("acme"), of("globex"));
    let field = ALICE.answer(&asked(&acme));
    for expected in ["alice", "401 digest_replayed"] {
        assert_eq!(judge(&acme, "/", &field, Body::Unread).told(), expected);
        assert_eq!(judge(&globex, "/", &field, Body::Unread).told(), expected);
    }
}

#[test]
fn says_which_user_it_was_and_how_that_was_proven() {
    let door = door_of(DigestAlgorithm::Md5Sess, &clock());
    let judged = judge(&door, "/", &ALICE.answer(&asked(&door)), Body::Unread);
    let Judged::Accepted(accepted) = judged else { panic!("{judged:?}") };
    assert_eq!(accepted.scheme, "Digest");
    let expected = DigestPrincipal {
        user: "alice".into(),
        algorithm: DigestAlgorithm::Md5Sess,
        qop: Some(Qop::Auth),
        caller: (),
    };
    assert_eq!(accepted.principal.as_ref(), "alice");
    assert_eq!(accepted.principal, expected);
}

#[test]
fn nodes_that_share_a_key_and_a_store_are_one_server() {
    let clock = clock();
    let shared = Arc::new(store(&clock));
    let node =
        || DigestVerifier::new("r", accounts(), nonces(&clock), Arc::clone(&shared)).unwrap();
    let (one, other) = (node(), node());
    let challenge = asked(&one);
    assert_eq!(judge(&other, "/", &ALICE.answer(&challenge), Body::Unread).told(), "alice");
    let again = judge(&one, "/", &ALICE.answer(&challenge), Body::Unread);
    assert_eq!(again.told(), "401 digest_replayed");
}

#[test]
fn a_user_is_known_by_the_hash_of_its_name() {
    for algorithm in DigestAlgorithm::ALL {
        let door = door_of(algorithm, &clock()).with_userhash();
        let hash = userhash(algorithm.function(), "alice", b"r");
        let field = ALICE.answer(&asked(&door));
        let text = str::from_utf8(hash.as_bytes()).unwrap();
        assert!(String::from_utf8(field).unwrap().contains(text));
        check(&door, &ALICE, "alice");
        check(&door, &Client { user: "bob", ..ALICE }, "401 digest_user_unknown");
        let by_name = asked(&door).replace(", userhash=true", "");
        let judged = judge(&door, "/", &ALICE.answer(&by_name), Body::Unread);
        assert_eq!(judged.told(), "alice", "a client that ignores userhash is taken by its name");
    }
}

#[test]
fn shows_no_user_and_no_secret() {
    let door = door(&clock());
    assert_eq!(format!("{door:?}"), "DigestVerifier(\"r\", [Sha256], Auth)");
}
