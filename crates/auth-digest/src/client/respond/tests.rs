//! One answer to one challenge, held against what the client sends.

use crate::client::tests::{ask, drive, ok};
use crate::client::{Digest, cnonce};
use crate::{
    BodyHash, DigestAlgorithm, DigestChallenge, DigestMessage, DigestProtection, HashFunction,
    NonceCount, NonceUse,
};
use auth_testing::SeededRandom;
use http::header::AUTHORIZATION;
use proptest::prelude::*;

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

proptest! {
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
