//! What a verifier asks for, and what it cannot offer.

use crate::verifier::tests::{
    ALICE, Client, TLS, accounts, asked, clock, door, door_of, judge, nonces, store,
};
use crate::{
    DigestAccounts, DigestAlgorithm, DigestChallenge, DigestVerifier, Md5Allowed, OfferedQop,
};
use auth_core::{Body, Peer, RequestView, Result, Verifier as _};
use http::{HeaderMap, HeaderValue, Method, Uri, header::AUTHORIZATION};

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
