//! jsonwebtoken with both of its backends. Its provider is one for the process, so one is installed that asks which.

use super::{SECRET, floors, rsa};
use harness::case::{Call, call};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation,
    crypto::{CryptoProvider, KeyUtils, aws_lc, rust_crypto},
};
use std::{
    hint::black_box,
    sync::atomic::{AtomicBool, Ordering},
};

#[derive(Clone, Copy)]
pub enum Backend {
    AwsLc,
    RustCrypto,
}

static AWS_LC: AtomicBool = AtomicBool::new(false);

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| (chosen().signer_factory)(algorithm, key),
    verifier_factory: |algorithm, key| (chosen().verifier_factory)(algorithm, key),
    key_utils: KeyUtils::new_unimplemented(),
};

fn chosen() -> &'static CryptoProvider {
    if AWS_LC.load(Ordering::Relaxed) {
        &aws_lc::DEFAULT_PROVIDER
    } else {
        &rust_crypto::DEFAULT_PROVIDER
    }
}

/// For the cases from here on: a case is set up right before it is called.
pub fn choose(backend: Backend) {
    AWS_LC.store(matches!(backend, Backend::AwsLc), Ordering::Relaxed);
    let _ = PROVIDER.install_default();
}

pub fn mint(backend: Backend) -> Call {
    minting(backend, Algorithm::HS256, EncodingKey::from_secret(SECRET))
}

pub fn verify(backend: Backend) -> Call {
    verifying(backend, Algorithm::HS256, floors::token(), DecodingKey::from_secret(SECRET))
}

pub fn mint_rsa(backend: Backend) -> Call {
    let key = EncodingKey::from_rsa_pem(rsa::pem().as_bytes()).expect("a key");
    minting(backend, Algorithm::RS512, key)
}

pub fn verify_rsa(backend: Backend) -> Call {
    let key = DecodingKey::from_rsa_pem(&rsa::public_pem()).expect("a key");
    verifying(backend, Algorithm::RS512, rsa::token(), key)
}

fn minting(backend: Backend, algorithm: Algorithm, key: EncodingKey) -> Call {
    choose(backend);
    let (header, claims) = (Header::new(algorithm), floors::claims());
    call(move || jsonwebtoken::encode(&header, black_box(&claims), &key).expect("a token"))
}

fn verifying(backend: Backend, algorithm: Algorithm, token: String, key: DecodingKey) -> Call {
    choose(backend);
    let validation = Validation::new(algorithm);
    type Claims = floors::Claims<String>;
    call(move || {
        jsonwebtoken::decode::<Claims>(black_box(&token), &key, &validation).expect("claims")
    })
}
