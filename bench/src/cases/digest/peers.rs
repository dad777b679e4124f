//! Others, each set up the way it is meant to be used. Their cnonce is random; ours comes from outside.

use super::{PASSWORD, TARGET, USER, challenge};
use auth_digest::DigestAlgorithm;
use harness::case::{Call, call};
use std::hint::black_box;

pub fn digest_auth(algorithm: DigestAlgorithm, kept: bool) -> Call {
    let field = challenge(algorithm);
    let read = |field: &str| digest_auth::parse(field).expect("a challenge");
    let mut known = read(&field);
    call(move || {
        let context = digest_auth::AuthContext::new(USER, PASSWORD, TARGET);
        if !kept {
            known = read(black_box(&field));
        }
        known.respond(&context).expect("an answer").to_header_string()
    })
}

pub fn http_auth(algorithm: DigestAlgorithm, kept: bool) -> Call {
    let field = challenge(algorithm);
    let read = |field: &str| http_auth::PasswordClient::try_from(field).expect("a challenge");
    let mut known = read(&field);
    call(move || {
        let (username, password, uri) = (USER, PASSWORD, TARGET);
        let params =
            http_auth::PasswordParams { username, password, uri, method: "GET", body: None };
        if !kept {
            known = read(black_box(&field));
        }
        known.respond(&params).expect("an answer")
    })
}
