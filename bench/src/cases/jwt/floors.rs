//! What has to be done in any case, by hand.

use super::{ISSUER, LIFETIME, SECRET, now};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use harness::case::{Call, call};
use ring::hmac;
use serde::{Deserialize, Serialize};
use std::hint::black_box;

/// `{"typ":"JWT","alg":"HS256"}`
const HEADER: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9";

#[derive(Clone, Deserialize, Serialize)]
pub struct Claims<T> {
    pub iss: T,
    pub iat: u64,
    pub exp: u64,
}

pub fn claims() -> Claims<String> {
    let iat = now().unix();
    Claims { iss: ISSUER.to_owned(), iat, exp: iat + LIFETIME.as_secs() }
}

pub fn mint() -> Call {
    let (key, claims) = (hmac::Key::new(hmac::HMAC_SHA256, SECRET), claims());
    call(move || signed(&key, black_box(&claims)))
}

pub fn token() -> String {
    signed(&hmac::Key::new(hmac::HMAC_SHA256, SECRET), &claims())
}

pub fn verify() -> Call {
    let (key, token) = (hmac::Key::new(hmac::HMAC_SHA256, SECRET), token());
    call(move || {
        let (message, signature) = black_box(&token).rsplit_once('.').expect("a signature");
        let (mut tag, mut json) = ([0; 33], [0; 256]);
        let length = URL_SAFE_NO_PAD.decode_slice(signature, &mut tag).expect("base64url");
        hmac::verify(&key, message.as_bytes(), &tag[..length]).expect("its signature");
        let payload = &message.strip_prefix(HEADER).expect("the known header")[1..];
        let length = URL_SAFE_NO_PAD.decode_slice(payload, &mut json).expect("base64url");
        let claims: Claims<&str> = serde_json::from_slice(&json[..length]).expect("claims");
        let now = now().unix();
        assert!(claims.exp > now && claims.iat <= now);
        claims.iss.len()
    })
}

fn signed(key: &hmac::Key, claims: &Claims<String>) -> String {
    let mut json = Vec::with_capacity(128);
    serde_json::to_writer(&mut json, claims).expect("JSON");
    let mut out = Vec::with_capacity(256);
    out.extend_from_slice(HEADER.as_bytes());
    out.push(b'.');
    encode(&json, &mut out);
    let tag = hmac::sign(key, &out);
    out.push(b'.');
    encode(tag.as_ref(), &mut out);
    String::from_utf8(out).expect("base64url")
}

fn encode(bytes: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + (bytes.len() * 4).div_ceil(3), 0);
    URL_SAFE_NO_PAD.encode_slice(bytes, &mut out[start..]).expect("room");
}
