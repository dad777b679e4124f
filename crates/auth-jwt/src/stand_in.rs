//! HMAC alone, until the keys land.
#![allow(missing_docs)]

use crate::Algorithm;
use auth_core::{Cause, Error, Result};
use ring::{
    hmac,
    signature::{RSA_PKCS1_2048_8192_SHA512, RSA_PKCS1_SHA512, RsaKeyPair, UnparsedPublicKey},
};
use std::sync::Arc;

pub(crate) mod base64url {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

    pub(crate) fn decode(text: &[u8]) -> Option<Vec<u8>> {
        URL_SAFE_NO_PAD.decode(text).ok()
    }

    pub(crate) fn decode_slice(text: &[u8], out: &mut [u8]) -> Option<usize> {
        URL_SAFE_NO_PAD.decode_slice(text, out).ok()
    }

    pub(crate) fn encode_into(bytes: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        out.resize(start + (bytes.len() * 4).div_ceil(3), 0);
        let written = out.get_mut(start..).map(|room| URL_SAFE_NO_PAD.encode_slice(bytes, room));
        debug_assert!(matches!(written, Some(Ok(_))));
    }
}

#[derive(Clone)]
enum Kind {
    Hmac(hmac::Key),
    Rs512(Arc<RsaKeyPair>),
}

#[derive(Clone)]
pub struct SigningKey(Algorithm, Kind);

#[derive(Clone)]
pub struct VerifyingKey(Algorithm, Kind);

#[derive(Debug)]
pub struct Invalid;

fn config(code: &'static str) -> Error {
    Error::Config(Cause::new(code, "not implemented"))
}

fn key(algorithm: Algorithm, secret: &[u8]) -> Result<Kind> {
    let hash = match algorithm {
        Algorithm::HS256 => hmac::HMAC_SHA256,
        Algorithm::HS384 => hmac::HMAC_SHA384,
        Algorithm::HS512 => hmac::HMAC_SHA512,
        _ => return Err(config("jwt_key")),
    };
    Ok(Kind::Hmac(hmac::Key::new(hash, secret)))
}

impl SigningKey {
    pub fn from_secret(algorithm: Algorithm, secret: &[u8]) -> Result<Self> {
        Ok(Self(algorithm, key(algorithm, secret)?))
    }

    pub fn from_pem(algorithm: Algorithm, pem: &str) -> Result<Self> {
        use base64::{Engine, engine::general_purpose::STANDARD};
        let lines: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let der = STANDARD.decode(lines).map_err(|_| config("pem"))?;
        let pair = RsaKeyPair::from_pkcs8(&der).map_err(|_| config("pem"))?;
        Ok(Self(algorithm, Kind::Rs512(Arc::new(pair))))
    }

    pub fn algorithm(&self) -> Algorithm {
        self.0
    }

    pub fn signature_len(&self) -> usize {
        match &self.1 {
            Kind::Hmac(key) => key.algorithm().digest_algorithm().output_len(),
            Kind::Rs512(pair) => pair.public().modulus_len(),
        }
    }

    pub fn sign(&self, message: &[u8], signature: &mut [u8]) -> Result<usize> {
        match &self.1 {
            Kind::Hmac(key) => {
                let tag = hmac::sign(key, message);
                signature.iter_mut().zip(tag.as_ref()).for_each(|(to, from)| *to = *from);
                Ok(tag.as_ref().len())
            }
            Kind::Rs512(pair) => {
                let length = pair.public().modulus_len();
                let room = signature.get_mut(..length).ok_or_else(|| config("room"))?;
                let random = ring::rand::SystemRandom::new();
                pair.sign(&RSA_PKCS1_SHA512, &random, message, room).map_err(|_| config("sign"))?;
                Ok(length)
            }
        }
    }

    pub fn verifying(&self) -> VerifyingKey {
        VerifyingKey(self.0, self.1.clone())
    }
}

impl VerifyingKey {
    pub fn from_secret(algorithm: Algorithm, secret: &[u8]) -> Result<Self> {
        Ok(Self(algorithm, key(algorithm, secret)?))
    }

    pub fn algorithm(&self) -> Algorithm {
        self.0
    }

    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Invalid> {
        match &self.1 {
            Kind::Hmac(key) => hmac::verify(key, message, signature).map_err(|_| Invalid),
            Kind::Rs512(pair) => {
                let public = pair.public().as_ref();
                let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA512, public);
                key.verify(message, signature).map_err(|_| Invalid)
            }
        }
    }
}
