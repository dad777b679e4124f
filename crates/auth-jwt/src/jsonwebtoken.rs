//! Beside the crate `jsonwebtoken`: its keys as ours, ours as its, and ring as its cryptography.
//!
//! For programs that use both, or come from there; `docs/guide/from-jsonwebtoken.md` says what maps to what. Behind the
//! feature `jsonwebtoken`, which needs Rust 1.88 as that crate does.

mod provider;

pub use provider::ring_provider;

use crate::{Jwk, JwsAlgorithm, SigningKey, VerifyingKey};
use ::jsonwebtoken::{self as theirs, DecodingKey, DecodingKeyKind, EncodingKey};
use auth_core::{Error, Result};

/// A key of theirs as ours. It is checked now, where theirs is checked with every signature.
///
/// # Errors
///
/// `Error::Config` when the key is not for this algorithm; secrets have at least as many bytes as the hash.
pub fn signing_key(algorithm: JwsAlgorithm, key: &EncodingKey) -> Result<SigningKey> {
    read(algorithm, key, SigningKey::from_der)
}

fn read(
    algorithm: JwsAlgorithm,
    key: &EncodingKey,
    der: impl FnOnce(JwsAlgorithm, &[u8]) -> Result<SigningKey>,
) -> Result<SigningKey> {
    match theirs_of(algorithm).family() == key.family() {
        true if is_secret(algorithm) => SigningKey::from_secret(algorithm, key.as_bytes()),
        true => der(algorithm, key.as_bytes()),
        false => Err(other_family(algorithm)),
    }
}

/// A key of theirs as ours, checked now.
///
/// # Errors
///
/// As [`signing_key`].
pub fn verifying_key(algorithm: JwsAlgorithm, key: &DecodingKey) -> Result<VerifyingKey> {
    if theirs_of(algorithm).family() != key.family() {
        return Err(other_family(algorithm));
    }
    match key.kind() {
        DecodingKeyKind::RsaModulusExponent { n, e } => VerifyingKey::of_rsa(algorithm, n, e),
        DecodingKeyKind::SecretOrDer(bytes) if is_secret(algorithm) => {
            VerifyingKey::from_secret(algorithm, bytes)
        }
        DecodingKeyKind::SecretOrDer(bytes) => match algorithm {
            JwsAlgorithm::ES256 | JwsAlgorithm::ES384 | JwsAlgorithm::EdDSA => {
                VerifyingKey::of_point(algorithm, bytes)
            }
            _ => VerifyingKey::from_der(algorithm, bytes),
        },
    }
}

/// A public key of ours as theirs; `None` for a shared secret, which is not given out.
#[must_use]
pub fn decoding_key(key: &VerifyingKey) -> Option<DecodingKey> {
    if let Some((n, e)) = key.rsa_numbers() {
        return Some(DecodingKey::from_rsa_raw_components(n, e));
    }
    let point = key.point()?;
    Some(match key.algorithm() {
        JwsAlgorithm::EdDSA => DecodingKey::from_ed_der(point),
        _ => DecodingKey::from_ec_der(point),
    })
}

/// A JWK of theirs as ours.
///
/// # Errors
///
/// As [`Jwk::parse`].
pub fn jwk(jwk: &theirs::jwk::Jwk) -> Result<Jwk> {
    Jwk::parse(&serde_json::to_vec(jwk).map_err(|error| Error::config("jwk_json", error))?)
}

/// Our algorithm of theirs; `None` for one that we do not implement.
#[must_use]
pub fn algorithm(algorithm: theirs::Algorithm) -> Option<JwsAlgorithm> {
    JwsAlgorithm::ALL.into_iter().find(|ours| theirs_of(*ours) == algorithm)
}

/// Their algorithm of ours.
const fn theirs_of(algorithm: JwsAlgorithm) -> theirs::Algorithm {
    match algorithm {
        JwsAlgorithm::HS256 => theirs::Algorithm::HS256,
        JwsAlgorithm::HS384 => theirs::Algorithm::HS384,
        JwsAlgorithm::HS512 => theirs::Algorithm::HS512,
        JwsAlgorithm::RS256 => theirs::Algorithm::RS256,
        JwsAlgorithm::RS384 => theirs::Algorithm::RS384,
        JwsAlgorithm::RS512 => theirs::Algorithm::RS512,
        JwsAlgorithm::PS256 => theirs::Algorithm::PS256,
        JwsAlgorithm::PS384 => theirs::Algorithm::PS384,
        JwsAlgorithm::PS512 => theirs::Algorithm::PS512,
        JwsAlgorithm::ES256 => theirs::Algorithm::ES256,
        JwsAlgorithm::ES384 => theirs::Algorithm::ES384,
        JwsAlgorithm::EdDSA => theirs::Algorithm::EdDSA,
    }
}

impl From<JwsAlgorithm> for theirs::Algorithm {
    fn from(algorithm: JwsAlgorithm) -> Self {
        theirs_of(algorithm)
    }
}

const fn is_secret(algorithm: JwsAlgorithm) -> bool {
    matches!(algorithm, JwsAlgorithm::HS256 | JwsAlgorithm::HS384 | JwsAlgorithm::HS512)
}

fn other_family(algorithm: JwsAlgorithm) -> Error {
    let text = format!("key of jsonwebtoken is of another family, expected one for {algorithm}");
    Error::config("jwt_key_mismatch", text)
}
