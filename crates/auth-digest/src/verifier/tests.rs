//! The verifier, asked as adapters ask it.

use super::*;
use crate::hash::tests::hashed;
use crate::{
    AuthenticationInfo, DigestChallenge, DigestMessage, DigestProtection, Ha1, HashFunction,
    Md5Allowed, NonceCount, NonceUse, OfferedQop, SessionHa1,
};
use auth_core::{
    AttemptKey, Body, HandlerReply, Limits, MemoryReplayStore, Peer, Rejection, ReplayOutcome,
    ReservationOutcome, ReservationTicket, SystemRandom, Timestamp, Unique, Verifier as _,
};
use auth_testing::{ManualClock, SeededRandom};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header::AUTHORIZATION};
use std::{sync::Mutex, time::Duration};

const NOW: u64 = 1_700_000_000;
const KEY: [u8; 32] = [7; 32];

fn accounts() -> DigestAccounts {
    let mut accounts = DigestAccounts::new();
    for (user, password) in [("alice", "s3cret"), ("J\u{e4}s\u{f8}n", "p\u{e4}ss")] {
        for function in [HashFunction::Md5, HashFunction::Sha256, HashFunction::Sha512_256] {
            let ha1 = Ha1::new(function, user, b"r", password.as_bytes());
            accounts.add(user, "r", ha1).unwrap();
        }
    }
    accounts
}

fn nonces(clock: &ManualClock) -> Nonces {
    Nonces::new(&KEY, SystemRandom::new(), clock.clone()).unwrap()
}

fn store(clock: &ManualClock) -> MemoryReplayStore {
    MemoryReplayStore::new(clock.clone())
}

fn door(clock: &ManualClock) -> DigestVerifier<DigestAccounts> {
    DigestVerifier::new("r", accounts(), nonces(clock), store(clock)).unwrap()
}

/// One that offers this algorithm.
fn door_of(algorithm: DigestAlgorithm, clock: &ManualClock) -> DigestVerifier<DigestAccounts> {
    door(clock).with_algorithms(&[algorithm]).unwrap()
}

const TLS: Peer<'_> = Peer { address: None, encrypted: true, certificate: None };

/// What comes of a request with this field.
fn judge<L>(door: &DigestVerifier<L>, target: &str, field: &[u8], body: Body<'_>) -> Judged
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
enum Judged {
    Accepted(Accepted<DigestPrincipal>),
    Rejected(Rejection),
    Failed(&'static str),
}

impl Judged {
    /// The user, or status and code, with `stale` where a challenge says so.
    fn told(&self) -> String {
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

    fn challenges(&self) -> Vec<String> {
        match self {
            Self::Rejected(rejection) => {
                rejection.challenges().iter().map(ToString::to_string).collect()
            }
            other => panic!("{other:?}"),
        }
    }

    /// What the reply carries.
    fn info(self, body: Body<'_>) -> HeaderValue {
        let Self::Accepted(mut accepted) = self else { panic!("{self:?}") };
        let none = HeaderMap::new();
        let proof = accepted.take_obligations().completions.pop().unwrap();
        let added = proof.complete(HandlerReply::new(StatusCode::OK, &none, body)).wait();
        added.unwrap().remove("authentication-info").unwrap()
    }
}

/// The first challenge of a door.
fn asked<L>(door: &DigestVerifier<L>) -> String
where
    L: for<'q> Lookup<DigestQuery<'q>, Found = Candidates<DigestUserRecord, ()>>,
{
    judge(door, "/", b"", Body::Unread).challenges().remove(0)
}

/// A client that knows the password.
struct Client<'a> {
    user: &'a str,
    password: &'a str,
    nc: u32,
    uri: &'a str,
    body: Option<&'a [u8]>,
}

const ALICE: Client<'_> = Client { user: "alice", password: "s3cret", nc: 1, uri: "/", body: None };

impl Client<'_> {
    fn answer(&self, challenge: &str) -> Vec<u8> {
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
fn check(door: &DigestVerifier<DigestAccounts>, client: &Client<'_>, expected: &str) {
    let field = client.answer(&asked(door));
    assert_eq!(judge(door, "/", &field, Body::Unread).told(), expected);
}

fn clock() -> ManualClock {
    ManualClock::at(NOW)
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

/// A client may demand `rspauth`, which only a counted response has.
#[test]
fn a_reply_without_its_proof_is_not_sent_where_the_caller_may_demand_it() {
    for (protection, expected) in [(OfferedQop::Auth, true), (OfferedQop::Legacy, false)] {
        let door = door(&clock()).with_qop(protection).unwrap();
        let judged = judge(&door, "/", &ALICE.answer(&asked(&door)), Body::Unread);
        let Judged::Accepted(mut accepted) = judged else { panic!("{judged:?}") };
        let completions = accepted.take_obligations().completions;
        assert_eq!(completions.len(), 1);
        assert!(completions.iter().all(|proof| proof.is_relied_on() == expected));
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
fn asks_for_the_strongest_first_under_one_nonce() {
    let all = [DigestAlgorithm::Md5, DigestAlgorithm::Sha512_256, DigestAlgorithm::Sha256];
    let door =
        door(&clock()).with_algorithms(&all).unwrap().with_userhash().with_domain("/a /b").unwrap();
    let challenges = judge(&door, "/", b"", Body::Unread).challenges();
    let read: Vec<_> =
        challenges.iter().map(|text| DigestChallenge::parse(text.as_bytes()).unwrap()).collect();
    let algorithms: Vec<_> = read.iter().map(|challenge| challenge.algorithm().unwrap()).collect();
    assert_eq!(
        algorithms,
        [DigestAlgorithm::Sha512_256, DigestAlgorithm::Sha256, DigestAlgorithm::Md5]
    );
    for challenge in &read {
        assert_eq!(challenge.nonce, read[0].nonce);
        assert_eq!(challenge.domain.as_deref(), Some(&b"/a /b"[..]));
        assert!(challenge.userhash && challenge.utf8 && !challenge.stale);
        let opaque = challenge.opaque.unwrap();
        assert!(opaque.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte)));
    }
    for (challenge, nc) in challenges.iter().zip(1..) {
        let field = Client { nc, ..ALICE }.answer(challenge);
        assert_eq!(judge(&door, "/", &field, Body::Unread).told(), "alice");
    }
    let plain = self::door(&clock()).without_charset();
    assert!(!asked(&plain).contains("charset") && !asked(&plain).contains("userhash"));
}

#[test]
fn md5_is_offered_where_nobody_listens_unless_said_otherwise() {
    let (uri, headers) = (Uri::from_static("/"), HeaderMap::new());
    let view = RequestView::new(&Method::GET, &uri, &headers);
    let loopback = Peer { address: Some("::ffff:127.0.0.1".parse().unwrap()), ..Peer::UNKNOWN };
    let told = |door: &DigestVerifier<DigestAccounts>, peer| {
        let rejection = door.verify(view.with_peer(peer)).wait().unwrap().unwrap_err();
        (rejection.status().as_u16(), rejection.reason().code, rejection.challenges().len())
    };
    let md5 = || door_of(DigestAlgorithm::Md5, &clock());
    assert_eq!(told(&md5(), TLS), (401, "digest_missing", 1));
    assert_eq!(told(&md5(), loopback), (401, "digest_missing", 1));
    assert_eq!(told(&md5(), Peer::UNKNOWN), (403, "digest_in_the_clear", 0));
    assert_eq!(
        told(&md5().with_md5(Md5Allowed::Anywhere), Peer::UNKNOWN),
        (401, "digest_missing", 1)
    );
    let both = || {
        door(&clock()).with_algorithms(&[DigestAlgorithm::Md5, DigestAlgorithm::Sha256]).unwrap()
    };
    assert_eq!(told(&both(), Peer::UNKNOWN), (401, "digest_missing", 1));
    assert_eq!(told(&both(), TLS), (401, "digest_missing", 2));
    assert_eq!(told(&both().with_md5(Md5Allowed::Never), TLS), (401, "digest_missing", 1));
    let field = ALICE.answer(&asked(&md5()));
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, HeaderValue::from_bytes(&field).unwrap());
    let outcome = md5().verify(RequestView::new(&Method::GET, &uri, &headers)).wait().unwrap();
    assert_eq!(outcome.unwrap_err().status().as_u16(), 403);
}

/// What becomes of a good answer when one piece of it is another.
#[track_caller]
fn check_changed(from: &str, to: &str, expected: &str) {
    let door = door(&clock());
    let field = String::from_utf8(ALICE.answer(&asked(&door))).unwrap();
    assert!(field.contains(from), "{field}");
    let judged = judge(&door, "/", field.replacen(from, to, 1).as_bytes(), Body::Unread);
    assert_eq!(judged.told(), expected, "{from} {to}");
}

#[test]
fn takes_nothing_that_was_not_offered() {
    check_changed("", "", "alice");
    check_changed("Digest", "dIGEST", "alice");
    check_changed("Digest", "Basic", "401 digest_missing");
    check_changed("algorithm=SHA-256", "algorithm=SHA-512-256", "401 digest_algorithm_other");
    check_changed("algorithm=SHA-256", "algorithm=SHA-256-sess", "401 digest_algorithm_other");
    check_changed("algorithm=SHA-256, ", "", "400 digest_response_form");
    check_changed("algorithm=SHA-256", "algorithm=SHA-1", "401 digest_algorithm_unknown");
    check_changed("realm=\"r\"", "realm=\"R\"", "401 digest_realm_other");
    check_changed("opaque=\"", "opaque=\"x", "401 digest_opaque_other");
    check_changed("opaque", "other", "401 digest_opaque_other");
    check_changed("qop=auth,", "qop=auth-int,", "401 digest_qop_other");
    check_changed("qop=auth, cnonce=\"cnonce\", ", "", "400 digest_nc_without_qop");
    check_changed("uri=\"/\"", "uri=\"/x\"", "400 digest_uri_other");
    check_changed("nc=00000001", "nc=00000002", "401 digest_response_wrong");
    check_changed("cnonce=\"", "cnonce=\"x", "401 digest_response_wrong");
    let hash = "0".repeat(64);
    let hashed = format!("username=\"{hash}\", userhash=true");
    check_changed("username=\"alice\"", &hashed, "401 digest_userhash_other");
}

#[test]
fn refuses_two_fields_and_repeated_parameters() {
    check_changed("realm=", "x=1, x=2, realm=", "400 digest_twice");
    let door = door(&clock());
    let field = HeaderValue::from_bytes(&ALICE.answer(&asked(&door))).unwrap();
    let (uri, mut headers) = (Uri::from_static("/"), HeaderMap::new());
    headers.append(AUTHORIZATION, field.clone());
    headers.append(AUTHORIZATION, field);
    let request = RequestView::new(&Method::GET, &uri, &headers).with_peer(TLS);
    assert_eq!(door.presence(request), Presence::Present);
    let rejection = door.verify(request).wait().unwrap().unwrap_err();
    assert_eq!(rejection.status().as_u16(), 400);
    assert_eq!(rejection.reason().code, "authorization_several");
}

#[test]
fn the_method_and_the_target_are_those_of_the_request() {
    let door = door(&clock());
    let field = Client { uri: "/a?b=c", ..ALICE }.answer(&asked(&door));
    assert_eq!(judge(&door, "/a?b=d", &field, Body::Unread).told(), "400 digest_uri_other");
    let (uri, mut headers) = (Uri::from_static("/a?b=c"), HeaderMap::new());
    headers.insert(AUTHORIZATION, HeaderValue::from_bytes(&field).unwrap());
    let request = RequestView::new(&Method::POST, &uri, &headers).with_peer(TLS);
    let rejection = door.verify(request).wait().unwrap().unwrap_err();
    assert_eq!(rejection.reason().code, "digest_response_wrong");
    assert_eq!(judge(&door, "/a?b=c", &field, Body::Unread).told(), "alice");
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

/// A store that says the same each time.
struct Says(Result<ReplayOutcome>);

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
    fn may_try(&self, _: AttemptKey) -> Flow<'_, std::result::Result<(), Duration>> {
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

#[test]
fn without_qop_a_nonce_serves_once_and_the_next_one_comes_with_the_reply() {
    let door = door_of(DigestAlgorithm::Md5, &clock()).with_qop(OfferedQop::Legacy).unwrap();
    let challenge = asked(&door);
    assert!(!challenge.contains("qop"));
    let field = ALICE.answer(&challenge);
    let first = judge(&door, "/", &field, Body::Unread);
    assert_eq!(first.told(), "alice");
    let info = first.info(Body::Unread);
    let next = AuthenticationInfo::parse(info.as_bytes()).unwrap().nextnonce.unwrap();
    assert_eq!(judge(&door, "/", &field, Body::Unread).told(), "401 digest_nonce_used stale");
    let nonce = String::from_utf8(next.into_owned()).unwrap();
    let old = DigestChallenge::parse(challenge.as_bytes()).unwrap().nonce;
    let next = challenge.replace(str::from_utf8(&old).unwrap(), &nonce);
    assert_eq!(judge(&door, "/", &ALICE.answer(&next), Body::Unread).told(), "alice");
    let counted = self::door(&clock());
    let legacy = asked(&counted).replace(", qop=\"auth\"", "");
    let judged = judge(&counted, "/", &ALICE.answer(&legacy), Body::Unread);
    assert_eq!(judged.told(), "401 digest_qop_other");
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
fn auth_int_is_about_the_body_that_was_received() {
    let door = || door(&clock()).with_qop(OfferedQop::Both).unwrap();
    let client = Client { body: Some(b"{}"), ..ALICE };
    let check = |body: Body<'_>, expected: &str| {
        let door = door();
        assert_eq!(judge(&door, "/", &client.answer(&asked(&door)), body).told(), expected);
    };
    check(Body::Bytes(b"{}"), "alice");
    check(Body::Bytes(b"{ }"), "401 digest_response_wrong");
    check(Body::Bytes(b""), "401 digest_response_wrong");
    check(Body::Unread, "digest_body_unread");
    let plain = door();
    assert_eq!(judge(&plain, "/", &ALICE.answer(&asked(&plain)), Body::Unread).told(), "alice");
}

#[test]
fn a_body_is_wanted_only_for_what_is_in_order() {
    let clock = clock();
    let needs = |door: &DigestVerifier<DigestAccounts>, target: &'static str, field: &[u8]| {
        let (uri, mut headers) = (Uri::from_static(target), HeaderMap::new());
        headers.insert(AUTHORIZATION, HeaderValue::from_bytes(field).unwrap());
        door.needs(RequestView::new(&Method::GET, &uri, &headers).with_peer(TLS))
    };
    let client = Client { body: Some(b"{}"), ..ALICE };
    let sha256 = door(&clock).with_qop(OfferedQop::AuthInt).unwrap();
    let field = client.answer(&asked(&sha256));
    assert_eq!(needs(&sha256, "/", &field), Need::Bytes { limit: 1024 * 1024 });
    assert_eq!(needs(&sha256, "/x", &field), Need::Nothing);
    assert_eq!(needs(&sha256, "/", b"Digest"), Need::Nothing);
    let foreign = String::from_utf8(field).unwrap().replacen("nonce=\"", "nonce=\"x", 1);
    assert_eq!(needs(&sha256, "/", foreign.as_bytes()), Need::Nothing);
    let judged = judge(&sha256, "/", foreign.as_bytes(), Body::Unread);
    assert_eq!(judged.told(), "401 digest_nonce_unproven");
    let md5 = door_of(DigestAlgorithm::Md5, &clock)
        .with_qop(OfferedQop::Both)
        .unwrap()
        .with_body_limit(9);
    assert_eq!(needs(&md5, "/", &client.answer(&asked(&md5))), Need::Bytes { limit: 9 });
    assert_eq!(needs(&md5, "/", &ALICE.answer(&asked(&md5))), Need::Nothing);
}

#[test]
fn the_reply_proves_that_the_server_knows_the_password() {
    let door = door(&clock()).with_qop(OfferedQop::Both).unwrap();
    let check = |client: &Client<'_>, reply: Body<'_>, body: Option<&[u8]>| {
        let field = client.answer(&asked(&door));
        let sent = DigestResponse::parse(field.strip_prefix(b"Digest ").unwrap()).unwrap();
        let judged = judge(&door, "/", &field, client.body.map_or(Body::Unread, Body::Bytes));
        let info = judged.info(reply);
        let info = AuthenticationInfo::parse(info.as_bytes()).unwrap();
        let counted = sent.counted.as_ref().unwrap();
        let count = NonceUse { nc: counted.nc, cnonce: &counted.cnonce };
        let (qop, protection) = match body {
            None => (Qop::Auth, DigestProtection::Auth(count)),
            Some(body) => {
                let hash = BodyHash::of(HashFunction::Sha256, body);
                (Qop::AuthInt, DigestProtection::AuthInt(count, hash))
            }
        };
        assert_eq!((info.qop, info.nc), (Some(qop), Some(counted.nc)));
        assert_eq!(info.cnonce.as_deref(), Some(&*counted.cnonce));
        assert_eq!(info.nextnonce, None);
        let ha1 = Ha1::new(HashFunction::Sha256, "alice", b"r", b"s3cret");
        let session = ha1.session(sent.algorithm(), &sent.nonce, &counted.cnonce);
        let message = DigestMessage { method: "", uri: b"/", nonce: &sent.nonce, protection };
        assert!(session.rspauth(&message).matches(&info.rspauth.unwrap()));
    };
    check(&ALICE, Body::Unread, None);
    check(&ALICE, Body::Bytes(b"reply"), None);
    let int = Client { body: Some(b"{}"), ..ALICE };
    check(&int, Body::Bytes(b"reply"), Some(b"reply"));
    check(&int, Body::Unread, None);
}

#[test]
fn the_reply_body_is_read_within_the_limit_and_under_auth_int_alone() {
    let door = door(&clock()).with_qop(OfferedQop::Both).unwrap().with_body_limit(7);
    let need = |client: &Client<'_>| {
        let field = client.answer(&asked(&door));
        let body = client.body.map_or(Body::Unread, Body::Bytes);
        let Judged::Accepted(mut accepted) = judge(&door, "/", &field, body) else { panic!() };
        accepted.take_obligations().completions[0].needs(StatusCode::OK, &HeaderMap::new())
    };
    assert_eq!(need(&ALICE), Need::Nothing);
    assert_eq!(need(&Client { body: Some(b""), ..ALICE }), Need::Bytes { limit: 7 });
}

#[test]
fn the_next_nonce_is_handed_out_past_the_middle_of_a_life() {
    let clock = clock();
    let door = door(&clock);
    let challenge = asked(&door);
    let next = |nc| {
        let judged = judge(&door, "/", &Client { nc, ..ALICE }.answer(&challenge), Body::Unread);
        let info = judged.info(Body::Unread);
        AuthenticationInfo::parse(info.as_bytes()).unwrap().nextnonce.map(|it| it.into_owned())
    };
    assert_eq!(next(1), None);
    clock.advance(Duration::from_secs(151));
    let nonce = String::from_utf8(next(2).unwrap()).unwrap();
    clock.advance(Duration::from_secs(150));
    let old = DigestChallenge::parse(challenge.as_bytes()).unwrap().nonce;
    let renewed = challenge.replace(str::from_utf8(&old).unwrap(), &nonce);
    assert_eq!(judge(&door, "/", &ALICE.answer(&renewed), Body::Unread).told(), "alice");
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

#[test]
fn what_cannot_be_offered_is_said_when_it_is_built() {
    let code = |built: Result<DigestVerifier<DigestAccounts>>| built.unwrap_err().code();
    assert_eq!(code(door(&clock()).with_algorithms(&[])), "digest_offer_algorithms");
    assert_eq!(code(door(&clock()).with_qop(OfferedQop::Unknown)), "digest_offer_qop");
    let session = door_of(DigestAlgorithm::Md5Sess, &clock()).with_qop(OfferedQop::Legacy);
    assert_eq!(code(session), "digest_offer_session");
    let legacy = door_of(DigestAlgorithm::Md5, &clock()).with_qop(OfferedQop::Legacy).unwrap();
    assert_eq!(code(legacy.with_algorithms(&[DigestAlgorithm::Md5Sess])), "digest_offer_session");
    assert_eq!(code(door(&clock()).with_domain("/\n")), "challenge_unprintable");
    let realm = DigestVerifier::new("a\nb", accounts(), nonces(&clock()), store(&clock()));
    assert_eq!(code(realm), "challenge_unprintable");
}

#[test]
fn shows_no_user_and_no_secret() {
    let door = door(&clock());
    assert_eq!(format!("{door:?}"), "DigestVerifier(\"r\", [Sha256], Auth)");
}
