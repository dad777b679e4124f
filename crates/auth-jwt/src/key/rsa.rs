//! What an RSA key is for, and what it has to be.

use crate::JwsAlgorithm;
use auth_core::{Error, Result};
use ring::signature::{self, RsaParameters};

pub(super) const fn parameters(algorithm: JwsAlgorithm) -> Option<&'static RsaParameters> {
    Some(match algorithm {
        JwsAlgorithm::RS256 => &signature::RSA_PKCS1_2048_8192_SHA256,
        JwsAlgorithm::RS384 => &signature::RSA_PKCS1_2048_8192_SHA384,
        JwsAlgorithm::RS512 => &signature::RSA_PKCS1_2048_8192_SHA512,
        JwsAlgorithm::PS256 => &signature::RSA_PSS_2048_8192_SHA256,
        JwsAlgorithm::PS384 => &signature::RSA_PSS_2048_8192_SHA384,
        JwsAlgorithm::PS512 => &signature::RSA_PSS_2048_8192_SHA512,
        _ => return None,
    })
}

/// What ring would say of every signature, said once and in words.
pub(super) fn check(n: &[u8], e: &[u8]) -> Result<()> {
    let bits = n.first().map_or(0, |first| n.len() * 8 - leading_zeros(*first));
    if !(2048..=8192).contains(&bits) {
        let text = format!("RSA key has {bits} bits, expected 2048 to 8192 (RFC 7518 section 3.3)");
        return Err(Error::config("jwt_key_rsa_size", text));
    }
    let exponent = match e {
        [] | [0, ..] => None,
        [..] if e.len() > 5 => None,
        _ => Some(e.iter().fold(0_u64, |so_far, byte| so_far << 8 | u64::from(*byte))),
    };
    let odd = |number: u64| number % 2 == 1 && (3..1 << 33).contains(&number);
    let modulus = n.first() != Some(&0) && n.last().is_some_and(|last| last % 2 == 1);
    if modulus && exponent.is_some_and(odd) {
        return Ok(());
    }
    let text = "RSA key is no key, expected an odd modulus and an odd exponent from 3 to 2^33, \
                without leading zeros";
    Err(Error::config("jwt_key_rsa", text))
}

fn leading_zeros(byte: u8) -> usize {
    usize::try_from(byte.leading_zeros()).unwrap_or(0)
}
