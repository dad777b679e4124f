//! The client, driven as adapters drive it.

use super::*;
use crate::{
    DigestAlgorithm, DigestChallenge, DigestMessage, DigestProtection, DigestResponse, Ha1,
    Md5Allowed, NonceCount, NonceUse,
};
use auth_core::{
    Authorization, Body, Event, Hop, NextStep, RequestMemory, RetryBudget, SystemRandom,
};
use auth_testing::{ScriptedTransport, SeededRandom};
use http::{
    HeaderName, HeaderValue, Response,
    header::{self, AUTHORIZATION, TRAILER},
};
use proptest::prelude::*;
use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

const URL: &str = "https://a.example/dir/index.html?q=1";

type Got = Response<Vec<u8>>;

/// A request as a server gets it.
struct Received<'a> {
    uri: &'a Uri,
    headers: &'a HeaderMap,
}

impl<'a> Received<'a> {
    fn field(&self) -> Option<&'a str> {
        self.headers.get(AUTHORIZATION).map(|value| {
            assert!(value.is_sensitive());
            std::str::from_utf8(value.as_bytes()).unwrap()
        })
    }

    fn credentials(&self) -> Option<DigestResponse<'a>> {
        let field = Authorization::parse(self.field()?.as_bytes()).unwrap();
        assert_eq!(field.scheme(), "Digest");
        Some(DigestResponse::parse(field.credentials()).unwrap())
    }

    /// The count of the request, if it answers this nonce.
    fn count(&self, nonce: &str) -> Option<u32> {
        let credentials = self.credentials()?;
        (*credentials.nonce == *nonce.as_bytes())
            .then(|| credentials.counted.map_or(0, |counted| counted.nc.number()))
    }

    fn is_right(&self, password: &str) -> bool {
        let Some(credentials) = self.credentials() else { return false };
        let algorithm = credentials.algorithm();
        let ha1 = Ha1::new(algorithm.function(), "alice", &credentials.realm, password.as_bytes());
        let session = ha1.session(algorithm, &credentials.nonce, credentials.cnonce());
        let message = credentials.message("GET", None).unwrap();
        session.response(&message).matches(credentials.response)
    }
}

/// What an adapter does with one request; says how often it was sent.
fn drive_to(
    digest: &dyn Authenticator,
    url: &'static str,
    mut server: impl FnMut(Received<'_>) -> Got,
) -> Result<(Got, usize)> {
    let (method, target) = (Method::GET, Uri::from_static(url));
    let (mut attempts, memory, mut sent) = (RetryBudget::default(), RequestMemory::new(), 0);
    loop {
        sent += 1;
        let (mut uri, mut headers) = (target.clone(), HeaderMap::new());
        let none = HeaderMap::new();
        let view = RequestView::new(&method, &target, &none).with_memory(&memory);
        let credentials = digest.credentials(view.with_body(Body::Bytes(b""))).wait()?;
        credentials.commit(&mut uri, &mut headers)?;
        let answer = server(Received { uri: &uri, headers: &headers });
        let mut read = Answer::new(view, answer.status(), answer.headers());
        if let Need::Bytes { limit } = digest.reads(answer.status(), answer.headers()) {
            read = if answer.body().len() <= limit { read.with_body(answer.body()) } else { read };
        }
        if let NextStep::Deliver = attempts.next(&credentials, digest.assess(&credentials, read))? {
            return Ok((answer, sent));
        }
    }
}

fn drive(
    digest: &dyn Authenticator,
    server: impl FnMut(Received<'_>) -> Got,
) -> Result<(u16, usize)> {
    drive_to(digest, URL, server).map(|(answer, sent)| (answer.status().as_u16(), sent))
}

fn ok() -> Got {
    Response::new(b"good".to_vec())
}

fn with_info(info: &str) -> Got {
    Response::builder().header("authentication-info", info).body(b"good".to_vec()).unwrap()
}

fn ask(challenges: &[&str]) -> Got {
    let mut answer = Response::builder().status(401);
    for challenge in challenges {
        answer = answer.header("www-authenticate", *challenge);
    }
    answer.body(Vec::new()).unwrap()
}

fn challenge(nonce: &str) -> String {
    format!("Digest realm=\"r\", nonce=\"{nonce}\", qop=\"auth\", algorithm=SHA-256")
}

fn alice() -> Digest {
    Digest::new("alice", "s3cret", SeededRandom::new(1)).unwrap()
}

#[test]
fn only_the_first_request_is_asked_and_counts_rise_from_one() {
    let digest = alice();
    let server = |received: Received<'_>| match received.is_right("s3cret") {
        true => ok(),
        false => ask(&[&challenge("n")]),
    };
    assert_eq!(drive(&digest, server).unwrap(), (200, 2));
    for expected in 2..5 {
        let counted = |received: Received<'_>| {
            assert_eq!(received.count("n"), Some(expected));
            server(received)
        };
        assert_eq!(drive(&digest, counted).unwrap(), (200, 1));
    }
}

#[test]
fn concurrent_requests_never_share_a_count() {
    let digest = alice();
    let _ = drive(&digest, |received| match received.field() {
        None => ask(&[&challenge("n")]),
        Some(_) => ok(),
    });
    let seen = Mutex::new(std::collections::BTreeSet::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let count = |received: Received<'_>| {
                        assert!(seen.lock().unwrap().insert(received.count("n").unwrap()));
                        ok()
                    };
                    drive(&digest, count).unwrap();
                }
            });
        }
    });
    assert_eq!(*seen.lock().unwrap(), (2..202).collect());
}

#[test]
fn writes_the_user_name_in_the_way_the_server_asked_for() {
    #[track_caller]
    fn check(user: &str, rest: &str, expected: &str) {
        let digest = Digest::new(user, "p", SeededRandom::new(1)).unwrap();
        let asked = format!("Digest realm=\"r\", nonce=\"n\"{rest}");
        let mut sent = String::new();
        drive(&digest, |received| match received.field() {
            None => ask(&[&asked]),
            Some(field) => {
                sent = field.to_owned();
                ok()
            }
        })
        .unwrap();
        assert!(sent.starts_with(expected), "{sent}");
    }
    let name = "J\u{e4}s\u{f8}n Doe";
    check(
        "alice",
        "",
        "Digest username=\"alice\", realm=\"r\", nonce=\"n\", uri=\"/dir/index.html?q=1\", response=\"",
    );
    check("al\"i\\ce", "", "Digest username=\"al\\\"i\\\\ce\", realm");
    check(name, "", "Digest username=\"J\u{e4}s\u{f8}n Doe\", realm");
    check(name, ", charset=UTF-8", "Digest username*=UTF-8''J%C3%A4s%C3%B8n%20Doe, realm");
    check("alice", ", charset=UTF-8", "Digest username=\"alice\", realm");
    let hash = crate::userhash(HashFunction::Md5, name, b"r");
    let hash = std::str::from_utf8(hash.as_bytes()).unwrap();
    let hashed = format!("Digest username=\"{hash}\", userhash=true, realm");
    check(name, ", charset=UTF-8, userhash=true", &hashed);
    check(
        "alice",
        ", opaque=\"a\\\"b\\c\", algorithm=md5",
        "Digest username=\"alice\", realm=\"r\", nonce=\"n\", algorithm=MD5, opaque=\"a\\\"b\\c\", uri=",
    );
    check(
        "alice",
        ", qop=\"auth\"",
        "Digest username=\"alice\", realm=\"r\", nonce=\"n\", qop=auth, cnonce=\"",
    );
}

#[test]
fn answers_the_strongest_over_one_field_or_many() {
    let md5 = "Digest realm=\"r\", nonce=\"m\", qop=\"auth\"";
    let sha256 = challenge("s");
    let joined = format!("Basic realm=\"b\", {md5}, {sha256}");
    for fields in [&[md5, &*sha256][..], &[&sha256, "Negotiate abc==", md5], &[&joined]] {
        let digest = alice();
        let server = |received: Received<'_>| match received.credentials() {
            None => ask(fields),
            Some(credentials) => {
                assert_eq!(credentials.algorithm(), DigestAlgorithm::Sha256);
                assert!(received.is_right("s3cret"));
                ok()
            }
        };
        assert_eq!(drive(&digest, server).unwrap(), (200, 2));
    }
}

#[test]
fn a_broken_challenge_hides_none_in_front_of_it() {
    let fields = [&*challenge("n"), "Digest realm=\"x\""];
    let server = |received: Received<'_>| match received.field() {
        None => ask(&fields),
        Some(_) => ok(),
    };
    assert_eq!(drive(&alice(), server).unwrap(), (200, 2));
    for (broken, code) in [
        ("Digest realm=\"x\"", "digest_challenge_missing"),
        ("Digest realm=\"x", "digest_challenge_syntax"),
    ] {
        assert_eq!(drive(&alice(), |_| ask(&[broken])).unwrap_err().code(), code);
    }
}

#[test]
fn what_is_not_asked_in_digest_is_for_the_caller() {
    for fields in [&["Basic realm=\"b\""][..], &[]] {
        assert_eq!(drive(&alice(), |_| ask(fields)).unwrap(), (401, 1));
    }
    let forbidden = |_: Received<'_>| Response::builder().status(403).body(Vec::new()).unwrap();
    assert_eq!(drive(&alice(), forbidden).unwrap(), (403, 1));
    let proxy = |_: Received<'_>| {
        let answer = Response::builder().status(407).header("www-authenticate", challenge("n"));
        answer.body(Vec::new()).unwrap()
    };
    assert_eq!(drive(&alice(), proxy).unwrap(), (407, 1));
}

#[test]
fn a_policy_that_nothing_offered_fits_is_an_error_and_not_the_401() {
    let int = || alice().with_policy(ChallengePolicy::new().with_qop(Qop::AuthInt));
    assert_eq!(drive(&int(), |_| ask(&[&challenge("n")])).unwrap_err().code(), "digest_choice_qop");
    let md5 = "Digest realm=\"r\", nonce=\"m\", qop=\"auth\"";
    let never = alice().with_policy(ChallengePolicy::new().with_md5(Md5Allowed::Never));
    assert_eq!(drive(&never, |_| ask(&[md5])).unwrap_err().code(), "digest_choice_md5");
    let open = |digest: &Digest, url| {
        drive_to(digest, url, |received| match received.field() {
            None => ask(&[md5]),
            Some(_) => ok(),
        })
    };
    let error = open(&alice(), "http://a.example/").unwrap_err();
    assert!(matches!(error, Error::Config(_)) && error.code() == "digest_choice_md5");
    assert_eq!(open(&alice(), "http://127.0.0.1:8080/").unwrap().1, 2);
    let anywhere = alice().with_policy(ChallengePolicy::new().with_md5(Md5Allowed::Anywhere));
    assert_eq!(open(&anywhere, "http://a.example/").unwrap().1, 2);
}

#[test]
fn a_wrong_password_is_tried_once_for_each_request() {
    let digest = alice();
    let tried = AtomicUsize::new(0);
    let server = |received: Received<'_>| {
        if received.field().is_some() {
            tried.fetch_add(1, Ordering::Relaxed);
            assert!(!received.is_right("another"));
        }
        ask(&[&challenge(&format!("n{}", tried.load(Ordering::Relaxed)))])
    };
    for n in 1..4 {
        assert_eq!(drive(&digest, server).unwrap(), (401, 2));
        assert_eq!(tried.load(Ordering::Relaxed), n);
    }
}

#[test]
fn a_stale_nonce_costs_one_round_trip() {
    let digest = alice();
    let now = Mutex::new("1".to_owned());
    let server = |received: Received<'_>| {
        let now = now.lock().unwrap().clone();
        match received.credentials() {
            Some(credentials) if *credentials.nonce == *now.as_bytes() => ok(),
            Some(_) => ask(&[&(challenge(&now) + ", stale=true")]),
            None => ask(&[&challenge(&now)]),
        }
    };
    assert_eq!(drive(&digest, server).unwrap(), (200, 2));
    *now.lock().unwrap() = "2".into();
    assert_eq!(drive(&digest, server).unwrap(), (200, 2));
    assert_eq!(drive(&digest, server).unwrap(), (200, 1));
}

#[test]
fn a_server_that_has_forgotten_its_nonces_is_answered_anew() {
    let digest = alice();
    let served = |nonce: &'static str| {
        move |received: Received<'_>| match received.count(nonce) {
            Some(_) => ok(),
            None => ask(&[&challenge(nonce)]),
        }
    };
    assert_eq!(drive(&digest, served("1")).unwrap(), (200, 2));
    // Without stale: a nonce that has served before may be forgotten, so the password is not thought to be wrong.
    assert_eq!(drive(&digest, served("2")).unwrap(), (200, 2));
}

#[test]
fn a_server_that_is_never_content_is_left_after_four_attempts() {
    let digest = alice();
    let nonce = AtomicUsize::new(0);
    let server = |_: Received<'_>| {
        let nonce = nonce.fetch_add(1, Ordering::Relaxed).to_string();
        ask(&[&(challenge(&nonce) + ", stale=true")])
    };
    assert_eq!(drive(&digest, server).unwrap(), (401, 4));
}

#[test]
fn a_late_refusal_of_an_older_nonce_leaves_what_is_kept() {
    let digest = alice();
    let server = |nonce: &'static str| {
        move |received: Received<'_>| match received.count(nonce) {
            Some(_) => ok(),
            None => ask(&[&challenge(nonce)]),
        }
    };
    drive(&digest, server("1")).unwrap();
    let (uri, none, memory) = (Uri::from_static(URL), HeaderMap::new(), RequestMemory::new());
    let view = RequestView::new(&Method::GET, &uri, &none).with_memory(&memory);
    let late = digest.present(view).unwrap().unwrap();
    drive(&digest, server("2")).unwrap();
    assert_retried(&digest, &late, view, "3");
    assert_eq!(sent_under(&digest, view), ("3".into(), 1), "it has a nonce of its own");
    assert_eq!(drive(&digest, server("2")).unwrap(), (200, 1));
}

/// The server refuses what was sent, with this nonce, and the request is to be sent again.
#[track_caller]
fn assert_retried(digest: &Digest, sent: &Credentials, view: RequestView<'_>, nonce: &str) {
    let refusal = ask(&[&challenge(nonce)]);
    let answer = Answer::new(view, refusal.status(), refusal.headers());
    assert!(matches!(digest.assess(sent, answer), Verdict::Retry { after: None }));
}

/// The nonce and the count that a request is given.
fn sent_under(digest: &Digest, view: RequestView<'_>) -> (String, u32) {
    let made = digest.present(view).unwrap().unwrap();
    let field = made.field(&AUTHORIZATION).unwrap();
    let field = Authorization::parse(field.as_bytes()).unwrap();
    let read = DigestResponse::parse(field.credentials()).unwrap();
    (String::from_utf8(read.nonce.to_vec()).unwrap(), read.counted.unwrap().nc.number())
}

#[test]
fn of_a_thousand_bare_requests_each_has_its_own_nonce_and_all_share_the_first_that_serves() {
    let digest = alice();
    let (uri, none) = (Uri::from_static(URL), HeaderMap::new());
    let view = RequestView::new(&Method::GET, &uri, &none);
    let memories: Vec<_> = (0..1000).map(|_| RequestMemory::new()).collect();
    for (n, memory) in memories.iter().enumerate() {
        let view = view.with_memory(memory);
        assert!(digest.present(view).unwrap().is_none(), "the nonce is of another request");
        assert_retried(&digest, &Credentials::none(), view, &n.to_string());
    }
    for (n, memory) in memories.iter().enumerate() {
        let view = view.with_memory(memory);
        let made = digest.present(view).unwrap().unwrap();
        let field = String::from_utf8_lossy(made.field(&AUTHORIZATION).unwrap().as_bytes());
        assert!(field.contains(&format!("nonce=\"{n}\"")) && field.contains("nc=00000001"));
        let served = HeaderMap::new();
        let answer = Answer::new(view, StatusCode::OK, &served);
        assert!(matches!(digest.assess(&made, answer), Verdict::Accept));
    }
    assert_eq!(sent_under(&digest, view), ("0".into(), 2));
}

#[test]
fn what_a_request_was_given_is_used_once_and_in_its_own_place_alone() {
    let digest = alice();
    let (uri, none, memory) = (Uri::from_static(URL), HeaderMap::new(), RequestMemory::new());
    let view = RequestView::new(&Method::GET, &uri, &none).with_memory(&memory);
    assert_retried(&digest, &Credentials::none(), view, "n");
    let other = Uri::from_static("https://b.example/");
    let elsewhere = RequestView::new(&Method::GET, &other, &none).with_memory(&memory);
    assert!(digest.present(elsewhere).unwrap().is_none());
    assert_eq!(sent_under(&digest, view), ("n".into(), 1));
    assert!(digest.present(view).unwrap().is_none(), "no other request may use it yet");
}

#[test]
fn a_request_that_is_given_up_takes_its_nonce_with_it() {
    let digest = alice();
    let (uri, none) = (Uri::from_static(URL), HeaderMap::new());
    for n in 0..100 {
        let memory = RequestMemory::new();
        let view = RequestView::new(&Method::GET, &uri, &none).with_memory(&memory);
        assert_retried(&digest, &Credentials::none(), view, &n.to_string());
        if n % 2 == 0 {
            // Given up once it has been sent.
            assert_eq!(sent_under(&digest, view), (n.to_string(), 1));
        }
    }
    let server = |received: Received<'_>| match received.count("n") {
        Some(1) => ok(),
        _ => {
            assert!(received.field().is_none(), "a nonce of another request");
            ask(&[&challenge("n")])
        }
    };
    assert_eq!(drive(&digest, server).unwrap(), (200, 2));
}

/// Panics at first.
struct PanickingRandom(AtomicUsize);

impl Random for PanickingRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<()> {
        assert!(self.0.fetch_add(1, Ordering::Relaxed) > 0, "no chance");
        SeededRandom::new(1).fill(bytes)
    }
}

#[test]
fn chance_that_panics_spoils_one_request_alone() {
    let digest = Digest::new("alice", "s3cret", PanickingRandom(AtomicUsize::new(0))).unwrap();
    let server = |received: Received<'_>| match received.is_right("s3cret") {
        true => ok(),
        false => ask(&[&challenge("n")]),
    };
    let spoiled =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drive(&digest, server).map(drop)));
    assert!(spoiled.is_err());
    assert_eq!(drive(&digest, server).unwrap(), (200, 2));
    assert_eq!(drive(&digest, server).unwrap(), (200, 1));
}

/// A program that drives the client by hand and says nothing of its attempts.
#[test]
fn without_a_memory_the_newest_challenge_is_answered_and_condemns_once() {
    let digest = alice();
    let (uri, none) = (Uri::from_static(URL), HeaderMap::new());
    let view = RequestView::new(&Method::GET, &uri, &none);
    assert_retried(&digest, &Credentials::none(), view, "1");
    assert_retried(&digest, &Credentials::none(), view, "2");
    assert_eq!(sent_under(&digest, view), ("2".into(), 1));
    let second = digest.present(view).unwrap().unwrap();
    assert_retried(&digest, &second, view, "3");
    let first = digest.present(view).unwrap().unwrap();
    let refusal = ask(&[&challenge("4")]);
    let answer = Answer::new(view, refusal.status(), refusal.headers());
    assert!(matches!(digest.assess(&first, answer), Verdict::Accept), "the password is wrong");
    assert!(digest.present(view).unwrap().is_none());
}

/// A server asks for one realm in a part of it. Then its configuration is changed: another realm, for all of it.
#[test]
fn a_realm_that_was_renamed_is_learned_though_the_old_one_says_more_of_the_place() {
    let digest = alice();
    let server = |realm: &'static str, rest: &'static str| {
        move |received: Received<'_>| match received.credentials() {
            Some(credentials) if *credentials.realm == *realm.as_bytes() => ok(),
            _ => ask(&[&challenge("n").replace("\"r\"", &format!("\"{realm}\"{rest}"))]),
        }
    };
    assert_eq!(drive(&digest, server("old", ", domain=\"/dir/\"")).unwrap(), (200, 2));
    assert_eq!(drive(&digest, server("old", "")).unwrap(), (200, 1));
    assert_eq!(drive(&digest, server("new", "")).unwrap(), (200, 2));
    assert_eq!(drive(&digest, server("new", "")).unwrap(), (200, 1));
}

/// The server says of the first nonce of the new realm that it is old already: the old realm is forgotten all the same.
#[test]
fn a_renamed_realm_is_learned_over_a_nonce_that_was_stale_at_once() {
    let digest = alice();
    let old = challenge("1").replace("\"r\"", "\"old\", domain=\"/dir/\"");
    let served = |received: Received<'_>| match received.field() {
        None => ask(&[&old]),
        Some(_) => ok(),
    };
    assert_eq!(drive(&digest, served).unwrap(), (200, 2));
    let renamed = |received: Received<'_>| match (received.count("2"), received.count("3")) {
        (_, Some(_)) => ok(),
        (Some(_), _) => ask(&[&(challenge("3") + ", stale=true")]),
        _ => ask(&[&challenge("2")]),
    };
    assert_eq!(drive(&digest, renamed).unwrap(), (200, 3));
    assert_eq!(drive(&digest, renamed).unwrap(), (200, 1));
}

/// The same for a password that is wrong in the new realm: it is tried once for each request, and the old realm no more.
#[test]
fn a_realm_that_was_renamed_may_have_another_password() {
    let digest = alice();
    let old = challenge("1").replace("\"r\"", "\"old\", domain=\"/dir/\"");
    let served = |received: Received<'_>| match received.field() {
        None => ask(&[&old]),
        Some(_) => ok(),
    };
    assert_eq!(drive(&digest, served).unwrap(), (200, 2));
    let mut realms = Vec::new();
    for _ in 0..3 {
        let refusing = |received: Received<'_>| {
            realms.extend(received.credentials().map(|sent| sent.realm.into_owned()));
            ask(&[&challenge("2")])
        };
        assert_eq!(drive(&digest, refusing).unwrap(), (401, 2));
    }
    assert_eq!(realms, [&b"old"[..], b"r", b"r", b"r"]);
}

#[test]
fn another_realm_is_another_space_and_no_wrong_password() {
    let digest = alice();
    let realm = |realm: &'static str| {
        move |received: Received<'_>| match received.credentials() {
            Some(credentials) if *credentials.realm == *realm.as_bytes() => ok(),
            _ => ask(&[&challenge("n").replace("\"r\"", &format!("\"{realm}\""))]),
        }
    };
    assert_eq!(drive(&digest, realm("a")).unwrap(), (200, 2));
    assert_eq!(drive(&digest, realm("b")).unwrap(), (200, 2));
    assert_eq!(drive(&digest, realm("b")).unwrap(), (200, 1));
}

#[test]
fn a_nonce_that_was_not_refused_in_its_own_realm_tells_nothing_of_the_password() {
    let server = |received: Received<'_>| match received.credentials() {
        None => ask(&[&challenge("n")]),
        Some(credentials) if *credentials.realm == *b"r" => {
            ask(&[&challenge("n").replace("\"r\"", "\"other\"")])
        }
        Some(_) => ok(),
    };
    assert_eq!(drive(&alice(), server).unwrap(), (200, 3));
}

#[test]
fn once_the_password_is_known_to_be_wrong_late_refusals_try_it_no_more() {
    let digest = alice();
    let (uri, none) = (Uri::from_static(URL), HeaderMap::new());
    let view = RequestView::new(&Method::GET, &uri, &none);
    drive(&digest, |received| match received.field() {
        None => ask(&[&challenge("1")]),
        Some(_) => ok(),
    })
    .unwrap();
    let late = digest.present(view).unwrap().unwrap();
    assert_eq!(drive(&digest, |_| ask(&[&challenge("2")])).unwrap(), (401, 2));
    let refusal = ask(&[&challenge("3")]);
    let answer = Answer::new(view, refusal.status(), refusal.headers());
    assert!(matches!(digest.assess(&late, answer), Verdict::Accept));
}

/// What comes of another realm's answer that is late: to a request with an older nonce, or to a bare one. What is
/// kept by then was refused, or has served.
#[track_caller]
fn check_late_realm(refused: bool, bare: bool) {
    let digest = alice();
    let (uri, none) = (Uri::from_static(URL), HeaderMap::new());
    let view = RequestView::new(&Method::GET, &uri, &none);
    let served = |received: Received<'_>| match received.field() {
        None => ask(&[&challenge("1")]),
        Some(_) => ok(),
    };
    drive(&digest, served).unwrap();
    let older = digest.present(view).unwrap().unwrap();
    let next = drive(&digest, |received| match received.count("2") {
        Some(_) if !refused => ok(),
        _ => ask(&[&challenge("2")]),
    });
    assert_eq!(next.unwrap().0, if refused { 401 } else { 200 });
    let sent = if bare { Credentials::none() } else { older };
    let other = ask(&[&challenge("3").replace("\"r\"", "\"other\"")]);
    let answer = Answer::new(view, other.status(), other.headers());
    assert!(matches!(digest.assess(&sent, answer), Verdict::Retry { after: None }));
    let learned = drive(&digest, |received| match received.credentials() {
        Some(credentials) if *credentials.realm == *b"other" => ok(),
        _ => ask(&[]),
    });
    assert_eq!(learned.unwrap(), (200, 1), "refused {refused}, bare {bare}");
}

#[test]
fn a_late_answer_of_another_realm_is_learned_from() {
    for refused in [false, true] {
        for bare in [false, true] {
            check_late_realm(refused, bare);
        }
    }
}

#[test]
fn the_spaces_that_are_kept_are_bounded_and_the_oldest_goes_first() {
    let (digest, none) = (alice(), HeaderMap::new());
    let asked = ask(&[&challenge("n")]);
    let uris: Vec<Uri> =
        (0..65).map(|n| format!("https://{n}.example/").parse().unwrap()).collect();
    for uri in &uris {
        let view = RequestView::new(&Method::GET, uri, &none);
        let answer = Answer::new(view, asked.status(), asked.headers());
        let _ = digest.assess(&Credentials::none(), answer);
    }
    let known = |uri| digest.present(RequestView::new(&Method::GET, uri, &none)).unwrap();
    let forgotten: Vec<_> = uris.iter().filter(|uri| known(uri).is_none()).collect();
    assert_eq!(forgotten, [&uris[0]]);
}

#[test]
fn one_answer_is_given_to_what_was_offered_alone() {
    let respond = |rest: &str, protection| {
        let field = format!("Digest realm=\"r\", nonce=\"n\"{rest}");
        let challenge = DigestChallenge::parse(field.as_bytes()).unwrap();
        let message = DigestMessage { method: "GET", uri: b"/", nonce: b"", protection };
        challenge.respond("a", b"b", &message).map(drop).map_err(|error| error.code())
    };
    let count = NonceUse { nc: NonceCount::FIRST, cnonce: b"c" };
    let int = DigestProtection::AuthInt(count, BodyHash::of(HashFunction::Md5, b""));
    let qop = Err("digest_choice_qop");
    assert_eq!(respond(", qop=\"auth\"", DigestProtection::Auth(count)), Ok(()));
    assert_eq!(respond(", qop=\"auth\"", int), qop);
    assert_eq!(respond(", qop=\"auth\"", DigestProtection::Legacy), qop);
    assert_eq!(respond("", DigestProtection::Auth(count)), qop);
    assert_eq!(respond("", DigestProtection::Legacy), Ok(()));
    assert_eq!(respond(", algorithm=MD5-sess", DigestProtection::Legacy), qop);
    let unknown = respond(", algorithm=X, qop=\"auth\"", DigestProtection::Auth(count));
    assert_eq!(unknown, Err("digest_choice_algorithm"));
}

#[test]
fn nothing_that_was_learned_goes_to_another_origin() {
    let digest = alice();
    let asked = challenge("n") + ", domain=\"/dir https://b.example/\"";
    let server = |received: Received<'_>| match received.field() {
        None => ask(&[&asked]),
        Some(_) => ok(),
    };
    assert_eq!(drive(&digest, server).unwrap(), (200, 2));
    let sent = |url| {
        drive_to(&digest, url, |received| {
            assert_eq!(received.uri.path(), Uri::from_static(url).path());
            if received.field().is_some() { ok() } else { ask(&[]) }
        })
    };
    assert_eq!(sent("https://a.example/dir/other").unwrap().0.status(), 200);
    for other in ["https://b.example/", "https://a.example/", "http://a.example/dir/index.html"] {
        assert_eq!(sent(other).unwrap().0.status(), 401, "{other}");
    }
}

fn rspauth(received: &Received<'_>, body: Option<&[u8]>) -> String {
    let credentials = received.credentials().unwrap();
    let counted = credentials.counted.clone().unwrap();
    let ha1 = Ha1::new(HashFunction::Sha256, "alice", &credentials.realm, b"s3cret");
    let session = ha1.session(credentials.algorithm(), &credentials.nonce, &counted.cnonce);
    let count = NonceUse { nc: counted.nc, cnonce: &counted.cnonce };
    let protection = match body {
        None => DigestProtection::Auth(count),
        Some(body) => DigestProtection::AuthInt(count, BodyHash::of(HashFunction::Sha256, body)),
    };
    let message =
        DigestMessage { method: "", uri: &credentials.uri, nonce: &credentials.nonce, protection };
    let qop = if body.is_some() { "auth-int" } else { "auth" };
    let cnonce = std::str::from_utf8(&counted.cnonce).unwrap();
    let rspauth = session.rspauth(&message);
    let rspauth = std::str::from_utf8(rspauth.as_bytes()).unwrap();
    format!("rspauth=\"{rspauth}\", cnonce=\"{cnonce}\", nc={}, qop={qop}", counted.nc)
}

/// What comes of an answer whose Authentication-Info is made of the request.
#[track_caller]
fn check_info(
    digest: &Digest,
    info: impl Fn(&Received<'_>) -> String,
    expected: std::result::Result<(u16, usize), &str>,
) {
    let server = |received: Received<'_>| match received.field() {
        None => ask(&[&challenge("n").replace("\"auth\"", "\"auth,auth-int\"")]),
        Some(_) => with_info(&info(&received)),
    };
    assert_eq!(drive(digest, server).map_err(|error| error.code()), expected);
}

#[test]
fn only_a_wrong_rspauth_makes_an_answer_an_error() {
    check_info(&alice(), |received| rspauth(received, None), Ok((200, 2)));
    check_info(&alice(), |_| String::new(), Ok((200, 2)));
    check_info(&alice(), |_| "rspauth=\"00\", qop=auth".into(), Err("digest_rspauth"));
    check_info(&alice(), |_| "rspauth=\"\"".into(), Err("digest_rspauth"));
    let changed = |from: &'static str, to: &'static str| {
        move |received: &Received<'_>| rspauth(received, None).replace(from, to)
    };
    check_info(&alice(), changed("00000001", "00000002"), Ok((200, 2)));
    check_info(&alice(), changed("cnonce=\"", "cnonce=\"x"), Ok((200, 2)));
    check_info(&alice(), changed("rspauth=\"", "rspauth=\"0"), Err("digest_rspauth"));
    let other = Digest::new("alice", "another", SeededRandom::new(1)).unwrap();
    check_info(&other, |received| rspauth(received, None), Err("digest_rspauth"));
}

/// Writes down the fields that could not be read, and why.
#[derive(Clone, Default)]
struct Unreadable(Arc<Mutex<Vec<(String, &'static str)>>>);

impl Observer for Unreadable {
    fn observe(&self, event: Event<'_>) {
        if let Event::UnreadableField { field, error } = event {
            self.0.lock().unwrap().push((field.to_string(), error.code()));
        }
    }
}

#[test]
fn an_unreadable_authentication_info_is_reported_and_the_answer_stays_good() {
    let seen = Unreadable::default();
    for info in ["nonsense", "rspauth=\"00\", nc=1", "qop=x", "nextnonce=\"a\", nextnonce=\"b\""] {
        let digest = alice().with_observer(seen.clone());
        check_info(&digest, |_| info.into(), Ok((200, 2)));
        let told = std::mem::take(&mut *seen.0.lock().unwrap());
        assert_eq!(told, [("authentication-info".to_owned(), "digest_info")], "{info}");
    }
}

#[test]
fn an_unreadable_challenge_is_reported_and_the_others_are_answered() {
    let seen = Unreadable::default();
    let good = challenge("n");
    for fields in [
        ["Digest realm=\"x", &good],
        [&good, "Digest realm=\"x"],
        ["Negotiate =", &good],
        ["Digest nonce=\"x\"", &good],
    ] {
        let digest = alice().with_observer(seen.clone());
        let server = |received: Received<'_>| match received.count("n") {
            None => ask(&fields),
            Some(_) => ok(),
        };
        assert_eq!(drive(&digest, server).unwrap(), (200, 2), "{fields:?}");
        let told = std::mem::take(&mut *seen.0.lock().unwrap());
        assert!(matches!(&told[..], [(field, _)] if field == "www-authenticate"), "{told:?}");
    }
}

#[test]
fn under_auth_int_the_body_of_the_answer_is_proven_too() {
    let int = || alice().with_policy(ChallengePolicy::new().with_qop(Qop::AuthInt));
    check_info(&int(), |received| rspauth(received, Some(b"good")), Ok((200, 2)));
    check_info(&int(), |received| rspauth(received, Some(b"evil")), Err("digest_rspauth"));
    let short = int().with_body_limit(3);
    check_info(&short, |received| rspauth(received, Some(b"good")), Err("digest_rspauth_body"));
    assert_eq!(alice().reads(StatusCode::OK, &HeaderMap::new()), Need::Nothing);
    let info = |text: &'static str| {
        let name = HeaderName::from_static("authentication-info");
        alice()
            .reads(StatusCode::OK, &HeaderMap::from_iter([(name, HeaderValue::from_static(text))]))
    };
    assert_eq!(info("rspauth=\"00\", qop=auth-int"), Need::Bytes { limit: 1 << 20 });
    for of_no_body in ["rspauth=\"00\", qop=auth", "rspauth=\"00\"", "qop=auth-int", "nonsense"] {
        assert_eq!(info(of_no_body), Need::Nothing, "{of_no_body}");
    }
    let trailer =
        HeaderMap::from_iter([(TRAILER, HeaderValue::from_static("x, Authentication-Info"))]);
    assert_eq!(alice().reads(StatusCode::OK, &trailer), Need::Bytes { limit: 1 << 20 });
    assert_eq!(alice().reads(StatusCode::UNAUTHORIZED, &trailer), Need::Nothing);
}

#[test]
fn what_is_proven_behind_the_body_is_checked_as_well() {
    let digest = alice();
    let (uri, none) = (Uri::from_static(URL), HeaderMap::new());
    let view = RequestView::new(&Method::GET, &uri, &none);
    let asked = ask(&[&challenge("n")]);
    let _ = digest.assess(&Credentials::none(), Answer::new(view, asked.status(), asked.headers()));
    let sent = digest.present(view).unwrap().unwrap();
    let (mut to, mut headers) = (uri.clone(), HeaderMap::new());
    sent.commit(&mut to, &mut headers).unwrap();
    let request = RequestView::new(&Method::GET, &uri, &headers);
    let head = HeaderMap::new();
    let judge = |info: &str| {
        let trailers = HeaderMap::from_iter([(
            HeaderName::from_static("authentication-info"),
            HeaderValue::from_str(info).unwrap(),
        )]);
        let answer = Answer::new(request, StatusCode::OK, &head).with_body(b"good");
        digest.assess(&sent, answer.with_trailers(&trailers))
    };
    let received = Received { uri: &uri, headers: &headers };
    assert!(matches!(judge(&rspauth(&received, Some(b"good"))), Verdict::Accept));
    assert!(matches!(judge(&rspauth(&received, Some(b"evil"))), Verdict::Refused(_)));
}

#[test]
fn an_answer_to_an_older_nonce_is_proven_too() {
    let digest = alice();
    let (uri, none) = (Uri::from_static(URL), HeaderMap::new());
    let server = |nonce: &'static str| {
        move |received: Received<'_>| match received.count(nonce) {
            Some(_) => ok(),
            None => ask(&[&challenge(nonce)]),
        }
    };
    drive(&digest, server("1")).unwrap();
    let sent = digest.present(RequestView::new(&Method::GET, &uri, &none)).unwrap().unwrap();
    let (mut to, mut headers) = (uri.clone(), HeaderMap::new());
    sent.commit(&mut to, &mut headers).unwrap();
    drive(&digest, server("2")).unwrap();
    let request = RequestView::new(&Method::GET, &uri, &headers);
    let judge = |answer: &Got| {
        digest.assess(&sent, Answer::new(request, answer.status(), answer.headers()))
    };
    let right = rspauth(&Received { uri: &uri, headers: &headers }, None);
    assert!(matches!(judge(&with_info(&right)), Verdict::Accept));
    assert!(matches!(judge(&with_info("rspauth=\"0\"")), Verdict::Refused(_)));
}

#[test]
fn the_next_nonce_is_taken_over_and_counted_from_one() {
    let digest = alice();
    let next = |received: Received<'_>| match received.field() {
        None => ask(&[&challenge("1")]),
        Some(_) => with_info("nextnonce=\"2\""),
    };
    assert_eq!(drive(&digest, next).unwrap(), (200, 2));
    let seen = |received: Received<'_>| {
        assert_eq!(received.count("2"), Some(1));
        assert!(received.is_right("s3cret"));
        ok()
    };
    assert_eq!(drive(&digest, seen).unwrap(), (200, 1));
}

fn typed(change: impl FnOnce(&mut DigestPreset<'static>)) -> Result<Digest> {
    let mut fields = DigestPreset::new("r", "typed");
    change(&mut fields);
    alice().with_form(&fields)
}

#[test]
fn typed_fields_are_sent_from_the_first_request_on_and_their_count_rises() {
    let digest = typed(|fields| {
        fields.algorithm = Some(DigestAlgorithm::Sha256);
        fields.qop = Some(Qop::Auth);
        fields.nonce_count = Some(NonceCount::typed("a").unwrap());
        fields.client_nonce = Some("mine");
        fields.opaque = Some("say \"so\"");
    })
    .unwrap();
    for expected in 10..13 {
        let server = |received: Received<'_>| {
            assert_eq!(received.count("typed"), Some(expected));
            assert!(
                received
                    .field()
                    .unwrap()
                    .contains(r#"opaque="say \"so\"", qop=auth, cnonce="mine", uri="#)
            );
            if received.is_right("s3cret") { ok() } else { ask(&[]) }
        };
        assert_eq!(drive(&digest, server).unwrap(), (200, 1));
    }
}

#[test]
fn typed_fields_are_repeated_to_the_letter_by_name_alone() {
    let digest = typed(|fields| {
        fields.qop = Some(Qop::Auth);
        fields.counting = ClientNonceCounting::Repeated;
    })
    .unwrap();
    let mut fields = Vec::new();
    for _ in 0..3 {
        drive(&digest, |received| {
            fields.push(received.field().unwrap().to_owned());
            ok()
        })
        .unwrap();
    }
    assert!(fields[0].contains("nc=00000001") && fields.iter().all(|field| *field == fields[0]));
}

#[test]
fn a_challenge_takes_the_place_of_what_was_typed() {
    let digest = typed(|fields| fields.algorithm = Some(DigestAlgorithm::Sha256)).unwrap();
    let server = |received: Received<'_>| match received.count("n") {
        Some(_) if received.is_right("s3cret") => ok(),
        _ => ask(&[&challenge("n")]),
    };
    assert_eq!(drive(&digest, server).unwrap(), (200, 2));
    assert_eq!(drive(&digest, server).unwrap(), (200, 1));
}

#[test]
fn typed_fields_that_do_not_go_together_are_named() {
    #[track_caller]
    fn check(change: impl FnOnce(&mut DigestPreset<'static>), code: &str, name: &str) {
        let error = typed(change).unwrap_err();
        assert_eq!(error.code(), code);
        assert!(error.to_string().starts_with(&format!("configuration: {name} ")), "{error}");
    }
    let (count, nonce) = ("digest_typed_nonce_count", "digest_typed_client_nonce");
    check(|fields| fields.nonce_count = Some(NonceCount::FIRST), count, "nonce count");
    check(|fields| fields.client_nonce = Some("c"), nonce, "client nonce");
    check(
        |fields| fields.algorithm = Some(DigestAlgorithm::Md5Sess),
        "digest_typed_algorithm",
        "algorithm",
    );
    check(|fields| fields.realm = "a\nb", "digest_typed_control", "realm");
    check(|fields| fields.opaque = Some("a\0"), "digest_typed_control", "opaque");
    check(
        |fields| (fields.qop, fields.client_nonce) = (Some(Qop::Auth), Some("")),
        nonce,
        "client nonce",
    );
}

#[test]
fn typed_md5_does_not_go_where_somebody_listens() {
    let digest = typed(|_| {}).unwrap();
    let error = drive_to(&digest, "http://a.example/", |_| ok()).unwrap_err();
    assert_eq!(error.code(), "digest_choice_md5");
    assert_eq!(drive(&digest, |_| ok()).unwrap(), (200, 1));
}

#[test]
fn a_count_that_has_reached_its_end_begins_with_another_nonce() {
    let digest = typed(|fields| {
        fields.algorithm = Some(DigestAlgorithm::Sha256);
        fields.qop = Some(Qop::Auth);
        fields.nonce_count = NonceCount::new(u32::MAX);
    })
    .unwrap();
    assert_eq!(
        drive(&digest, |received| if received.count("typed") == Some(u32::MAX) {
            ok()
        } else {
            ask(&[])
        })
        .unwrap(),
        (200, 1)
    );
    let server = |received: Received<'_>| match received.count("n") {
        Some(1) => ok(),
        Some(_) => panic!("another count"),
        None => {
            assert!(received.field().is_none());
            ask(&[&challenge("n")])
        }
    };
    assert_eq!(drive(&digest, server).unwrap(), (200, 2));
}

#[test]
fn auth_int_hashes_the_body_and_is_never_given_up_for_want_of_one() {
    let digest = alice();
    let asked = ask(&[&challenge("n").replace("\"auth\"", "\"auth-int\"")]);
    let (uri, none) = (Uri::from_static(URL), HeaderMap::new());
    let view = RequestView::new(&Method::POST, &uri, &none);
    let learned =
        digest.assess(&Credentials::none(), Answer::new(view, asked.status(), asked.headers()));
    assert!(matches!(learned, Verdict::Retry { .. }));
    assert_eq!(digest.needs(view), Need::Bytes { limit: usize::MAX });
    assert_eq!(digest.present(view).unwrap_err().code(), "digest_body_unread");
    let with_body = view.with_body(Body::Bytes(b""));
    assert_eq!(sent_under(&digest, with_body), ("n".into(), 1), "a failure uses up no count");
    let credentials = digest.present(view.with_body(Body::Bytes(b"{}"))).unwrap().unwrap();
    let (mut to, mut headers) = (uri.clone(), HeaderMap::new());
    credentials.commit(&mut to, &mut headers).unwrap();
    let read = Received { uri: &to, headers: &headers }.credentials().unwrap();
    let ha1 = Ha1::new(HashFunction::Sha256, "alice", b"r", b"s3cret");
    let session = ha1.session(DigestAlgorithm::Sha256, b"n", b"");
    let body = BodyHash::of(HashFunction::Sha256, b"{}");
    let expected = session.response(&read.message("POST", Some(body)).unwrap());
    assert!(expected.matches(read.response));
}

/// A server behind a transport and the same behind the adapter.
#[track_caller]
fn check_proof(
    status: u16,
    field: Option<&'static str>,
    expected: std::result::Result<usize, &str>,
) {
    let transport = ScriptedTransport::new(move |request| {
        assert_eq!((request.method(), request.uri().path()), (&Method::GET, "/dir/index.html"));
        assert!(request.body().is_empty() && request.headers().is_empty());
        let mut answer = Response::builder().status(status);
        if let Some(field) = field {
            answer = answer.header("www-authenticate", field);
        }
        Ok(answer.body(Vec::new()).unwrap())
    });
    let transport = Arc::new(transport);
    let digest = alice().proving_first(transport.clone());
    let sent = drive(&digest, |received| {
        assert!(received.is_right("s3cret"), "the request went out without credentials");
        ok()
    });
    assert_eq!(sent.map(|(_, sent)| sent).map_err(|error| error.code()), expected);
    assert_eq!(transport.exchanges(), 1);
    if expected.is_ok() {
        assert_eq!(drive(&digest, |_| ok()).unwrap(), (200, 1));
        assert_eq!(transport.exchanges(), 1, "a nonce that is kept needs no probe");
    }
}

#[test]
fn what_is_sensitive_waits_until_the_challenge_is_answered() {
    let good = "Digest realm=\"r\", nonce=\"n\", qop=\"auth\", algorithm=SHA-256";
    check_proof(401, Some(good), Ok(1));
    check_proof(200, None, Err("digest_probe_unchallenged"));
    check_proof(200, Some(good), Err("digest_probe_unchallenged"));
    check_proof(401, Some("Basic realm=\"r\""), Err("digest_probe_unchallenged"));
    check_proof(503, Some(good), Err("digest_probe_unavailable"));
    check_proof(
        401,
        Some("Digest realm=\"r\", nonce=\"n\", algorithm=X"),
        Err("digest_choice_algorithm"),
    );
    check_proof(401, Some("Digest"), Err("digest_challenge_missing"));
    let down = ScriptedTransport::new(|_| Err(Error::transport("reset", "connection reset")));
    let digest = alice().proving_first(Arc::new(down));
    assert_eq!(drive(&digest, |_| panic!("sent")).unwrap_err().code(), "reset");
}

/// The kept realm has the longer `domain` and a refused password; the server asks for another realm meanwhile.
#[test]
fn what_is_proven_first_answers_the_challenge_of_its_own_probe() {
    let probes = AtomicUsize::new(0);
    let transport = ScriptedTransport::new(move |_| {
        let first = probes.fetch_add(1, Ordering::Relaxed) == 0;
        let field = if first {
            "Digest realm=\"old\", nonce=\"1\", qop=\"auth\", algorithm=SHA-256, domain=\"/dir/\""
        } else {
            "Digest realm=\"new\", nonce=\"2\", qop=\"auth\", algorithm=SHA-256"
        };
        Ok(Response::builder()
            .status(401)
            .header("www-authenticate", field)
            .body(Vec::new())
            .unwrap())
    });
    let digest = alice().proving_first(Arc::new(transport));
    let asked =
        "Digest realm=\"old\", nonce=\"1\", qop=\"auth\", algorithm=SHA-256, domain=\"/dir/\"";
    assert_eq!(drive(&digest, |_| ask(&[asked])).unwrap(), (401, 1), "the password is wrong there");
    let answered = drive(&digest, |received| {
        let realm = received.credentials().map(|credentials| credentials.realm.into_owned());
        assert_eq!(realm.as_deref(), Some(&b"new"[..]), "the request went out bare");
        ok()
    });
    assert_eq!(answered.unwrap(), (200, 1));
}

#[test]
fn a_proxy_is_answered_in_its_own_fields_and_for_every_target() {
    let digest = alice().for_proxy();
    let (uri, none) = (Uri::from_static("a.example:443"), HeaderMap::new());
    let view = RequestView::new(&Method::CONNECT, &uri, &none).with_hop(Hop::Proxy);
    let mut asked = HeaderMap::new();
    asked.insert(header::PROXY_AUTHENTICATE, HeaderValue::from_str(&challenge("n")).unwrap());
    let status = StatusCode::PROXY_AUTHENTICATION_REQUIRED;
    let learned = digest.assess(&Credentials::none(), Answer::new(view, status, &asked));
    assert!(matches!(learned, Verdict::Retry { .. }));
    for (method, url, expected) in [
        (Method::CONNECT, "a.example:443", "a.example:443"),
        (Method::GET, "http://b.example/x?y", "/x?y"),
        (Method::GET, "http://b.example?y", "/?y"),
        (Method::OPTIONS, "*", "*"),
    ] {
        let uri = Uri::from_static(url);
        let view = RequestView::new(&method, &uri, &none).with_hop(Hop::Proxy);
        let credentials = digest.present(view).unwrap().unwrap();
        let (mut to, mut headers) = (uri.clone(), HeaderMap::new());
        credentials.commit(&mut to, &mut headers).unwrap();
        let field = Authorization::parse(headers["proxy-authorization"].as_bytes()).unwrap();
        let read = DigestResponse::parse(field.credentials()).unwrap();
        assert_eq!(&*read.uri, expected.as_bytes());
    }
}

#[test]
fn what_a_proxy_is_told_is_not_told_to_servers() {
    let probing = ScriptedTransport::new(|_| panic!("a server was asked to challenge for a proxy"));
    let digest = alice().for_proxy().proving_first(Arc::new(probing));
    let (uri, none) = (Uri::from_static("http://a.example/x"), HeaderMap::new());
    let asked = format!("{}, qop=\"auth-int\"", challenge("n").replace(", qop=\"auth\"", ""));
    let asked = HeaderMap::from_iter([(header::PROXY_AUTHENTICATE, asked.parse().unwrap())]);
    let status = StatusCode::PROXY_AUTHENTICATION_REQUIRED;
    let view = |hop| {
        let view = RequestView::new(&Method::GET, &uri, &none).with_hop(hop);
        view.with_body(Body::Bytes(b""))
    };
    let assess = |hop| digest.assess(&Credentials::none(), Answer::new(view(hop), status, &asked));
    assert!(matches!(assess(Hop::Origin), Verdict::Accept), "a 407 from inside a tunnel");
    assert!(digest.present(view(Hop::Proxy)).unwrap().is_none(), "it was learned from");
    assert!(matches!(assess(Hop::Proxy), Verdict::Retry { .. }));
    assert!(digest.present(view(Hop::Proxy)).unwrap().is_some());
    assert_ne!(digest.needs(view(Hop::Proxy)), Need::Nothing);
    assert_eq!(digest.needs(view(Hop::Origin)), Need::Nothing);
    assert!(digest.credentials(view(Hop::Origin)).wait().unwrap().is_empty());
    let server = alice();
    let _ = drive(&server, |received| match received.field() {
        None => ask(&[&challenge("n")]),
        Some(_) => ok(),
    });
    let at = Uri::from_static(URL);
    let through = RequestView::new(&Method::GET, &at, &none).with_hop(Hop::Proxy);
    assert!(server.present(through).unwrap().is_some(), "a server behind a proxy asks too");
}

#[test]
fn names_and_passwords_that_no_server_can_take_are_refused() {
    let refused = |user: &str, password: &str| {
        Digest::new(user, password, SystemRandom::new()).unwrap_err().code()
    };
    assert_eq!(refused("a:b", "p"), "digest_user_name_colon");
    assert_eq!(refused("a\r\nb", "p"), "digest_user_name_control");
    assert_eq!(refused("a", "p\n"), "digest_password_control");
}

#[test]
fn shows_no_password() {
    let digest = Digest::new("alice", "canary", SystemRandom::new()).unwrap();
    assert!(!format!("{digest:?}").contains("canary"));
}

proptest! {
    /// Whatever a server says, it is an answer for the caller, a retry or an error.
    #[test]
    fn any_answer_is_survived(asked in "[ -~\u{e9}\t]{0,120}", info in "[ -~]{0,60}", status in 200_u16..600) {
        let digest = alice();
        let server = |received: Received<'_>| match received.field() {
            None => ask(&[&format!("Digest realm=\"r\", nonce=\"n\", {asked}"), &asked]),
            Some(_) => Response::builder()
                .status(status)
                .header("authentication-info", &*info)
                .header("www-authenticate", &*asked)
                .body(Vec::new())
                .unwrap(),
        };
        let _ = drive(&digest, server);
    }

    #[test]
    fn one_answer_is_that_of_a_client(user in "[a-z\u{e9} \"\\\\]{0,9}", utf8: bool, userhash: bool, session: bool) {
        let algorithm = if session { DigestAlgorithm::Sha256Sess } else { DigestAlgorithm::Sha256 };
        let challenge = DigestChallenge {
            realm: b"r \"x\""[..].into(), nonce: b"n"[..].into(), opaque: Some(b"o"), domain: None, stale: false,
            named: crate::NamedAlgorithm::Known(algorithm), offered: crate::OfferedQop::Auth, utf8, userhash,
        };
        let digest = Digest::new(&user, "p", SeededRandom::new(7)).unwrap();
        let asked = challenge.write().unwrap();
        let mut kept = Vec::new();
        drive(&digest, |received| match received.headers.get(AUTHORIZATION) {
            None => ask(&[std::str::from_utf8(asked.field().as_bytes()).unwrap()]),
            Some(field) => { kept = field.as_bytes().to_vec(); ok() }
        }).unwrap();
        let cnonce = cnonce(&SeededRandom::new(7)).unwrap();
        let count = NonceUse { nc: NonceCount::FIRST, cnonce: cnonce.as_bytes() };
        let message = DigestMessage { method: "GET", uri: b"/dir/index.html?q=1", nonce: b"", protection: DigestProtection::Auth(count) };
        let once = challenge.respond(&user, b"p", &message).unwrap();
        prop_assert_eq!(once.as_bytes(), &*kept);
    }
}
