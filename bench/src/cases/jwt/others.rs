//! jwt-simple and josekit.

use super::{ISSUER, LIFETIME, SECRET, floors, rsa};
use harness::case::{Call, call};
use josekit::{
    jws::{HS256, JwsHeader, RS512},
    jwt::{self, JwtPayload},
};
use jwt_simple::prelude::*;
use std::{hint::black_box, time::SystemTime};

fn simple_claims() -> JWTClaims<NoCustomClaims> {
    Claims::create(LIFETIME.into()).with_issuer(ISSUER)
}

pub fn simple_mint() -> Call {
    let key = HS256Key::from_bytes(SECRET);
    call(move || key.authenticate(simple_claims()).expect("a token"))
}

pub fn simple_verify() -> Call {
    let (key, token) = (HS256Key::from_bytes(SECRET), floors::token());
    call(move || key.verify_token::<NoCustomClaims>(black_box(&token), None).expect("claims"))
}

pub fn simple_mint_rsa() -> Call {
    let key = RS512KeyPair::from_pem(&rsa::pem()).expect("a key");
    call(move || key.sign(simple_claims()).expect("a token"))
}

pub fn simple_verify_rsa() -> Call {
    let key = RS512KeyPair::from_pem(&rsa::pem()).expect("a key").public_key();
    let token = rsa::token();
    call(move || key.verify_token::<NoCustomClaims>(black_box(&token), None).expect("claims"))
}

fn jose_claims() -> (JwsHeader, JwtPayload) {
    let (mut header, mut payload) = (JwsHeader::new(), JwtPayload::new());
    header.set_token_type("JWT");
    let now = SystemTime::now();
    payload.set_issuer(ISSUER);
    payload.set_issued_at(&now);
    payload.set_expires_at(&(now + LIFETIME));
    (header, payload)
}

pub fn jose_mint() -> Call {
    let (header, payload) = jose_claims();
    let signer = HS256.signer_from_bytes(SECRET).expect("a key");
    call(move || jwt::encode_with_signer(black_box(&payload), &header, &signer).expect("a token"))
}

pub fn jose_verify() -> Call {
    let token = floors::token();
    let verifier = HS256.verifier_from_bytes(SECRET).expect("a key");
    call(move || jwt::decode_with_verifier(black_box(&token), &verifier).expect("claims"))
}

pub fn jose_mint_rsa() -> Call {
    let (header, payload) = jose_claims();
    let signer = RS512.signer_from_pem(rsa::pem()).expect("a key");
    call(move || jwt::encode_with_signer(black_box(&payload), &header, &signer).expect("a token"))
}

pub fn jose_verify_rsa() -> Call {
    let token = rsa::token();
    let verifier = RS512.verifier_from_pem(rsa::public_pem()).expect("a key");
    call(move || jwt::decode_with_verifier(black_box(&token), &verifier).expect("claims"))
}
