//! The hashes that any answer takes, and the text between them.

use super::{CNONCE, NONCE, PASSWORD, REALM, TARGET, USER};
use harness::case::{Call, call};
use hmac::{Hmac, KeyInit, Mac};
use md5::Digest;
use std::hint::black_box;

/// Hashes into hexadecimal digits, as many as it has.
pub type Hash = fn(&[u8], &mut [u8]) -> usize;

pub fn md5(text: &[u8], digits: &mut [u8]) -> usize {
    hex(&md5::Md5::digest(text), digits)
}

pub fn sha256(text: &[u8], digits: &mut [u8]) -> usize {
    hex(&sha2::Sha256::digest(text), digits)
}

fn hex(bytes: &[u8], digits: &mut [u8]) -> usize {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    2 * bytes.len()
}

/// Of user and password, of method and target, and of both with everything in between.
pub fn three(hash: Hash) -> Call {
    let user = format!("{USER}:{REALM}:{PASSWORD}");
    let rest = rest();
    call(move || {
        let mut text = [0; 320];
        let length = hash(black_box(user.as_bytes()), &mut text);
        response(hash, text, length, &rest)
    })
}

/// The last two, the first kept.
pub fn two(hash: Hash) -> Call {
    let mut kept = [0; 320];
    let length = hash(format!("{USER}:{REALM}:{PASSWORD}").as_bytes(), &mut kept);
    let rest = rest();
    call(move || response(hash, *black_box(&kept), length, &rest))
}

/// The same with SHA-256, and a MAC over as much as a nonce has, its key kept.
pub fn two_and_mac() -> Call {
    let mut hashes = two(sha256);
    let key: Hmac<sha2::Sha256> = Hmac::new_from_slice(&[7; 32]).expect("a key");
    let nonce = [7_u8; 24];
    call(move || {
        hashes();
        key.clone().chain_update(black_box(&nonce)).finalize().into_bytes()
    })
}

fn rest() -> (String, String) {
    (format!(":{NONCE}:00000001:{CNONCE}:auth:"), format!("GET:{TARGET}"))
}

fn response(
    hash: Hash,
    mut text: [u8; 320],
    length: usize,
    (between, target): &(String, String),
) -> [u8; 64] {
    let end = length + between.len();
    text[length..end].copy_from_slice(black_box(between.as_bytes()));
    let end = end + hash(black_box(target.as_bytes()), &mut text[end..]);
    let mut digits = [0; 64];
    hash(&text[..end], &mut digits);
    digits
}
