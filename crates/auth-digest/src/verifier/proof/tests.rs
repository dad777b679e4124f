//! Replies that prove the server, and hand out the next nonce.

use crate::verifier::tests::{ALICE, Client, Judged, asked, clock, door, door_of, judge};
use crate::{
    AuthenticationInfo, BodyHash, DigestAlgorithm, DigestChallenge, DigestMessage,
    DigestProtection, DigestResponse, Ha1, HashFunction, NonceUse, OfferedQop, Qop,
};
use auth_core::{Body, Need};
use http::{HeaderMap, StatusCode};
use std::time::Duration;

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
