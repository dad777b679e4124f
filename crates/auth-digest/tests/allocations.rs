//! What Digest costs the allocator.

#![allow(clippy::unwrap_used)]

use auth_core::{Answer, Authenticator, Authorization, Credentials, RequestView, SystemRandom};
use auth_digest::{
    AuthenticationInfo, BodyHash, Digest, DigestAlgorithm, DigestChallenge, DigestMessage,
    DigestProtection, DigestResponse, Ha1, HashFunction, NonceCount, NonceUse, Qop,
};
use http::{
    HeaderMap, HeaderValue, Method, StatusCode, Uri,
    header::{AUTHORIZATION, WWW_AUTHENTICATE},
};

#[track_caller]
fn check(work: impl FnOnce(), most: u64) {
    let count = allocation_counter::measure(work).count_total;
    assert!(count <= most, "{count} allocations, expected at most {most}");
}

fn challenge(algorithm: DigestAlgorithm) -> String {
    format!(
        "Digest realm=\"http-auth@example.org\", qop=\"auth\", algorithm={algorithm}, \
         nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", \
         opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
    )
}

#[test]
fn an_answer_is_allocated_once_and_once_more_when_it_is_shared() {
    for algorithm in &DigestAlgorithm::ALL[..6] {
        let digest = Digest::new("Mufasa", "Circle of Life", SystemRandom::new()).unwrap();
        let (uri, none) = (Uri::from_static("https://a.example/dir/index.html"), HeaderMap::new());
        let view = RequestView::new(&Method::GET, &uri, &none);
        let mut asked = HeaderMap::new();
        let field = HeaderValue::try_from(challenge(*algorithm)).unwrap();
        asked.insert(WWW_AUTHENTICATE, field);
        let answer = Answer::new(view, StatusCode::UNAUTHORIZED, &asked);
        digest.assess(&Credentials::none(), answer);
        check(|| drop(digest.credentials(view).wait().unwrap()), 1);
        let (mut to, mut headers) = (uri.clone(), HeaderMap::with_capacity(4));
        check(
            || digest.credentials(view).wait().unwrap().commit(&mut to, &mut headers).unwrap(),
            2,
        );
        assert!(headers.contains_key(AUTHORIZATION));
    }
}

#[test]
fn a_new_challenge_is_read_and_answered_with_one_field() {
    let plain = challenge(DigestAlgorithm::Sha256);
    let count = NonceUse { nc: NonceCount::FIRST, cnonce: b"c" };
    let protection = DigestProtection::Auth(count);
    let message = DigestMessage { method: "GET", uri: b"/dir/index.html", nonce: b"", protection };
    for field in
        [format!("{plain}, userhash=true"), plain.replace("algorithm=SHA-256, ", ""), plain]
    {
        check(
            || {
                let challenge = DigestChallenge::parse(field.as_bytes()).unwrap();
                drop(challenge.respond("Mufasa", b"Circle of Life", &message).unwrap());
            },
            1,
        );
    }
}

#[test]
fn what_a_reply_carries_is_written_with_one_field() {
    let proof = AuthenticationInfo {
        rspauth: Some(b"01ab".into()),
        cnonce: Some(b"c".into()),
        nc: Some(NonceCount::FIRST),
        qop: Some(Qop::AuthInt),
        nextnonce: Some(b"n".into()),
    };
    check(|| drop(proof.write().unwrap()), 1);
    let next = AuthenticationInfo { nextnonce: Some(b"n".into()), ..Default::default() };
    check(|| drop(next.write().unwrap()), 1);
}

#[test]
fn credentials_are_read_and_proven_without_any() {
    let field = b"Digest username=\"Mufasa\", realm=\"http-auth@example.org\", uri=\"/dir/index.html\", algorithm=MD5, nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", nc=00000001, cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", qop=auth, response=\"8ca523f5e9506fed4657c9700eebdbec\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"";
    let ha1 = Ha1::new(HashFunction::Md5, "Mufasa", b"http-auth@example.org", b"Circle of Life");
    check(
        || {
            let field = Authorization::parse(field).unwrap();
            let read = DigestResponse::parse(field.credentials()).unwrap();
            let session = ha1.session(read.algorithm(), &read.nonce, b"");
            let message = read.message("GET", None).unwrap();
            assert!(session.response(&message).matches(read.response));
        },
        0,
    );
}

#[test]
fn a_body_is_hashed_without_any() {
    check(
        || {
            let body = auth_core::Body::Bytes(b"body");
            assert!(BodyHash::read(HashFunction::Sha256, body).is_some());
            let _ = BodyHash::of(HashFunction::Md5, &[0; 1000]);
        },
        0,
    );
}
