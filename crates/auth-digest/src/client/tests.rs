//! The client, driven as adapters drive it.

use super::*;
use crate::{DigestAlgorithm, DigestResponse, Ha1};
use auth_core::{Authorization, Body, Event, NextStep, RequestMemory, RetryBudget, SystemRandom};
use auth_testing::SeededRandom;
use http::{Response, header::AUTHORIZATION};
use proptest::prelude::*;
use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

pub(super) const URL: &str = "https://a.example/dir/index.html?q=1";

pub(super) type Got = Response<Vec<u8>>;

/// A request as a server gets it.
pub(super) struct Received<'a> {
    pub(super) uri: &'a Uri,
    pub(super) headers: &'a HeaderMap,
}

impl<'a> Received<'a> {
    pub(super) fn field(&self) -> Option<&'a str> {
        self.headers.get(AUTHORIZATION).map(|value| {
            assert!(value.is_sensitive());
            std::str::from_utf8(value.as_bytes()).unwrap()
        })
    }

    pub(super) fn credentials(&self) -> Option<DigestResponse<'a>> {
        let field = Authorization::parse(self.field()?.as_bytes()).unwrap();
        assert_eq!(field.scheme(), "Digest");
        Some(DigestResponse::parse(field.credentials()).unwrap())
    }

    /// The count of the request, if it answers this nonce.
    pub(super) fn count(&self, nonce: &str) -> Option<u32> {
        let credentials = self.credentials()?;
        (*credentials.nonce == *nonce.as_bytes())
            .then(|| credentials.counted.map_or(0, |counted| counted.nc.number()))
    }

    pub(super) fn is_right(&self, password: &str) -> bool {
        let Some(credentials) = self.credentials() else { return false };
        let algorithm = credentials.algorithm();
        let ha1 = Ha1::new(algorithm.function(), "alice", &credentials.realm, password.as_bytes());
        let session = ha1.session(algorithm, &credentials.nonce, credentials.cnonce());
        let message = credentials.message("GET", None).unwrap();
        session.response(&message).matches(credentials.response)
    }
}

/// What an adapter does with one request; says how often it was sent.
pub(super) fn drive_to(
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

pub(super) fn drive(
    digest: &dyn Authenticator,
    server: impl FnMut(Received<'_>) -> Got,
) -> Result<(u16, usize)> {
    drive_to(digest, URL, server).map(|(answer, sent)| (answer.status().as_u16(), sent))
}

pub(super) fn ok() -> Got {
    Response::new(b"good".to_vec())
}

pub(super) fn with_info(info: &str) -> Got {
    Response::builder().header("authentication-info", info).body(b"good".to_vec()).unwrap()
}

pub(super) fn ask(challenges: &[&str]) -> Got {
    let mut answer = Response::builder().status(401);
    for challenge in challenges {
        answer = answer.header("www-authenticate", *challenge);
    }
    answer.body(Vec::new()).unwrap()
}

pub(super) fn challenge(nonce: &str) -> String {
    format!("Digest realm=\"r\", nonce=\"{nonce}\", qop=\"auth\", algorithm=SHA-256")
}

/// A server that takes this nonce alone, however often it was used.
pub(super) fn serves(nonce: &str) -> impl Fn(Received<'_>) -> Got {
    move |received| match received.count(nonce) {
        Some(_) => ok(),
        None => ask(&[&challenge(nonce)]),
    }
}

/// A server that asks with this challenge, and takes any answer to it.
pub(super) fn trusting(challenge: &str) -> impl Fn(Received<'_>) -> Got {
    move |received| match received.field() {
        None => ask(&[challenge]),
        Some(_) => ok(),
    }
}

pub(super) fn alice() -> Digest {
    Digest::new("alice", "s3cret", SeededRandom::new(1)).unwrap()
}

/// The server refuses what was sent, with this nonce, and the request is to be sent again.
#[track_caller]
pub(super) fn assert_retried(
    digest: &Digest,
    sent: &Credentials,
    view: RequestView<'_>,
    nonce: &str,
) {
    let refusal = ask(&[&challenge(nonce)]);
    let answer = Answer::new(view, refusal.status(), refusal.headers());
    assert!(matches!(digest.assess(sent, answer), Verdict::Retry { after: None }));
}

/// The nonce and the count that a request is given.
pub(super) fn sent_under(digest: &Digest, view: RequestView<'_>) -> (String, u32) {
    let made = digest.present(view).unwrap().unwrap();
    let field = made.field(&AUTHORIZATION).unwrap();
    let field = Authorization::parse(field.as_bytes()).unwrap();
    let read = DigestResponse::parse(field.credentials()).unwrap();
    (String::from_utf8(read.nonce.to_vec()).unwrap(), read.counted.unwrap().nc.number())
}

/// Writes down the fields that could not be read, and why.
#[derive(Clone, Default)]
pub(super) struct Unreadable(pub(super) Arc<Mutex<Vec<(String, &'static str)>>>);

impl Observer for Unreadable {
    fn observe(&self, event: Event<'_>) {
        if let Event::UnreadableField { field, error } = event {
            self.0.lock().unwrap().push((field.to_string(), error.code()));
        }
    }
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
    let _ = drive(&digest, trusting(&challenge("n")));
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
fn nothing_that_was_learned_goes_to_another_origin() {
    let digest = alice();
    let asked = challenge("n") + ", domain=\"/dir https://b.example/\"";
    assert_eq!(drive(&digest, trusting(&asked)).unwrap(), (200, 2));
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
}
