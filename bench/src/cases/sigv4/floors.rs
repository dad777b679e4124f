//! The hashes that any signature takes: of the body, of a canonical request, and a MAC under a key that is kept.

use harness::case::{Call, call};
use ring::{
    digest::{SHA256, digest},
    hmac,
};
use std::hint::black_box;

pub fn hashes(body: Option<usize>, canonical: usize) -> Call {
    let key = hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]);
    let (body, canonical) = (body.map(super::body), super::body(canonical));
    call(move || {
        let body = body.as_ref().map(|body| digest(&SHA256, black_box(body)));
        let hash = digest(&SHA256, black_box(&canonical));
        let mut text = [b'0'; 138];
        text[..32].copy_from_slice(hash.as_ref());
        (body, hmac::sign(&key, black_box(&text)))
    })
}
