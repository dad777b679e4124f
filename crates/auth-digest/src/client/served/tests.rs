//! Answers that prove the server, or cannot be read.

use crate::client::tests::{
    Got, Received, URL, Unreadable, alice, ask, challenge, drive, ok, serves, with_info,
};
use crate::client::{ChallengePolicy, Digest};
use crate::{BodyHash, DigestMessage, DigestProtection, Ha1, HashFunction, NonceUse, Qop};
use auth_core::{Answer, Authenticator as _, Credentials, Need, RequestView, Verdict};
use auth_testing::SeededRandom;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header::TRAILER};

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
    expected: Result<(u16, usize), &str>,
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
    drive(&digest, serves("1")).unwrap();
    let sent = digest.present(RequestView::new(&Method::GET, &uri, &none)).unwrap().unwrap();
    let (mut to, mut headers) = (uri.clone(), HeaderMap::new());
    sent.commit(&mut to, &mut headers).unwrap();
    drive(&digest, serves("2")).unwrap();
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
