//! HMAC alone, until the keys land.
#![allow(missing_docs)]

use crate::Algorithm;
use auth_core::{Cause, Error, Result};
use ring::hmac;

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
pub struct SigningKey(Algorithm, hmac::Key);

#[derive(Clone)]
pub struct VerifyingKey(Algorithm, hmac::Key);

#[derive(Debug)]
pub struct Invalid;

fn key(algorithm: Algorithm, secret: &[u8]) -> Result<hmac::Key> {
    let hash = match algorithm {
        Algorithm::HS256 => hmac::HMAC_SHA256,
        Algorithm::HS384 => hmac::HMAC_SHA384,
        Algorithm::HS512 => hmac::HMAC_SHA512,
        _ => return Err(Error::Config(Cause::new("jwt_key", "not implemented"))),
    };
    Ok(hmac::Key::new(hash, secret))
}

impl SigningKey {
    pub fn from_secret(algorithm: Algorithm, secret: &[u8]) -> Result<Self> {
        Ok(Self(algorithm, key(algorithm, secret)?))
    }

    pub fn algorithm(&self) -> Algorithm {
        self.0
    }

    pub fn signature_len(&self) -> usize {
        self.1.algorithm().digest_algorithm().output_len()
    }

    pub fn sign(&self, message: &[u8], signature: &mut [u8]) -> Result<usize> {
        let tag = hmac::sign(&self.1, message);
        signature.iter_mut().zip(tag.as_ref()).for_each(|(to, from)| *to = *from);
        Ok(tag.as_ref().len())
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
        hmac::verify(&self.1, message, signature).map_err(|_| Invalid)
    }
}
