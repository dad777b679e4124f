//! A key of 2048 bits, and what ring needs to sign and to verify with it.

use super::{SigningKey, claims, now};
use auth_jwt::JwsAlgorithm;
use base64::{Engine, engine::general_purpose::STANDARD};
use harness::case::{Call, call};
use josekit::jws::RS512;
use ring::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_2048_8192_SHA512, RSA_PKCS1_SHA512, RsaKeyPair, UnparsedPublicKey},
};
use std::{fs, hint::black_box};

/// PKCS#8. It is made on the first use and kept outside the sources.
pub fn pem() -> String {
    let path = std::env::temp_dir().join("messaging-auth-bench-rsa2048.pem");
    fs::read_to_string(&path).unwrap_or_else(|_| {
        let pair = RS512.generate_key_pair(2048).expect("a key");
        let pem = String::from_utf8(pair.to_pem_private_key()).expect("text");
        fs::write(&path, &pem).expect("a temporary file");
        pem
    })
}

/// SPKI.
pub fn public_pem() -> Vec<u8> {
    RS512.key_pair_from_pem(pem()).expect("a key").to_pem_public_key()
}

pub fn key() -> SigningKey {
    SigningKey::from_pem(JwsAlgorithm::RS512, &pem()).expect("a key")
}

pub fn token() -> String {
    claims().sign(&key(), now(), None).expect("a token").expose().to_owned()
}

fn message() -> String {
    token().rsplit_once('.').expect("a signature").0.to_owned()
}

fn pair() -> RsaKeyPair {
    let pem = pem();
    let lines: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    RsaKeyPair::from_pkcs8(&STANDARD.decode(lines).expect("base64")).expect("a key")
}

pub fn sign() -> Call {
    let (pair, random, message) = (pair(), SystemRandom::new(), message());
    let mut signature = vec![0; pair.public().modulus_len()];
    call(move || {
        let message = black_box(message.as_bytes());
        pair.sign(&RSA_PKCS1_SHA512, &random, message, &mut signature).expect("a signature");
    })
}

pub fn verify() -> Call {
    let (pair, message) = (pair(), message());
    let mut signature = vec![0; pair.public().modulus_len()];
    pair.sign(&RSA_PKCS1_SHA512, &SystemRandom::new(), message.as_bytes(), &mut signature)
        .expect("a signature");
    let public = pair.public().as_ref().to_vec();
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA512, public);
    call(move || key.verify(black_box(message.as_bytes()), &signature).expect("its signature"))
}
