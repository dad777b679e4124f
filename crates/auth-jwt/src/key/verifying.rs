//! Keys that verify.

use super::{
    der::{self, Public},
    pem::{self, Kind},
    rsa, secret,
};
use crate::{Jwk, JwsAlgorithm};
use auth_core::{Error, Result};
use ring::{
    hmac,
    signature::{self, RsaParameters, RsaPublicKeyComponents, VerificationAlgorithm},
};
use rustls_pki_types::CertificateDer;
use std::{fmt, sync::Arc};
use webpki::EndEntityCert;

/// A key that verifies signatures of one algorithm. Cheap to clone.
///
/// ```
/// use auth_jwt::{JwsAlgorithm, VerifyingKey};
/// let service = VerifyingKey::from_base64_secret(JwsAlgorithm::HS256, "c2VjcmV0IG9mIHRoZSBzZXJ2aWNlLCAzMiBieXRlcyE=")?;
/// let error = VerifyingKey::from_secret(JwsAlgorithm::HS256, b"too short").unwrap_err();
/// assert_eq!(error.code(), "jwt_key_short");
/// # Ok::<_, auth_core::Error>(())
/// ```
///
/// # Security
///
/// It is for one algorithm, whatever the header of a token says (RFC 8725 section 3.1). RSA keys have 2048 to 8192 bits,
/// secrets at least as many bytes as their hash. `Debug` shows the algorithm alone.
#[derive(Clone)]
pub struct VerifyingKey {
    algorithm: JwsAlgorithm,
    material: Arc<Material>,
}

enum Material {
    Secret(hmac::Key),
    Rsa {
        parameters: &'static RsaParameters,
        n: Box<[u8]>,
        e: Box<[u8]>,
    },
    Point {
        verification: &'static dyn VerificationAlgorithm,
        point: Box<[u8]>,
    },
    /// Has signed nothing, and counts how often it is asked: for tests of what a refusal costs.
    #[cfg(test)]
    Counting(Arc<std::sync::atomic::AtomicUsize>),
}

/// A signature that is not of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidSignature;

impl VerifyingKey {
    /// A shared secret, for HS256, HS384 or HS512.
    ///
    /// # Errors
    ///
    /// `Error::Config` when it is shorter than the hash (RFC 7518 section 3.2), is the text of a public key, or the
    /// algorithm has no secret.
    pub fn from_secret(algorithm: JwsAlgorithm, secret: &[u8]) -> Result<Self> {
        Ok(Self::of_secret(algorithm, secret::hmac_key(algorithm, secret)?))
    }

    /// A shared secret that was given in Base64: it is decoded, and the bytes are the secret.
    ///
    /// # Errors
    ///
    /// `Error::Config` when it is not Base64, and as [`from_secret`](Self::from_secret).
    pub fn from_base64_secret(algorithm: JwsAlgorithm, text: &str) -> Result<Self> {
        Self::from_secret(algorithm, &secret::decode(text)?)
    }

    /// A public key (SPKI, or PKCS#1 for RSA) or an X.509 certificate in PEM; of a chain the first.
    ///
    /// # Errors
    ///
    /// `Error::Config` when it has no such key, more than one, or one that is not for this algorithm.
    ///
    /// # Security
    ///
    /// Of a certificate the key is taken, and nothing else is looked at: neither who issued it nor until when. Trust in it
    /// is for you to have.
    pub fn from_pem(algorithm: JwsAlgorithm, pem: &str) -> Result<Self> {
        match pem::read(pem)? {
            (Kind::Public, der) => Self::from_der(algorithm, &der),
            (Kind::Certificate, der) => Self::from_certificate(algorithm, &der),
            (Kind::Private, _) => {
                let text = "PEM is a private key, expected a public key or a certificate";
                Err(Error::config("jwt_key_private", text))
            }
        }
    }

    /// A public key in DER: SPKI, or PKCS#1 for RSA.
    ///
    /// # Errors
    ///
    /// `Error::Config` when it is no such key, or is not for this algorithm.
    pub fn from_der(algorithm: JwsAlgorithm, der: &[u8]) -> Result<Self> {
        Self::of_public(algorithm, der::public(der)?)
    }

    /// The key of an X.509 certificate in DER.
    ///
    /// # Errors
    ///
    /// `Error::Config` when it is no certificate, or its key is not for this algorithm.
    ///
    /// # Security
    ///
    /// As [`from_pem`](Self::from_pem).
    pub fn from_certificate(algorithm: JwsAlgorithm, der: &[u8]) -> Result<Self> {
        let der = CertificateDer::from(der);
        let certificate = EndEntityCert::try_from(&der).map_err(|error| {
            Error::config("jwt_key_certificate", format!("certificate is not X.509 ({error})"))
        })?;
        let spki = certificate.subject_public_key_info();
        Self::of_public(algorithm, der::public(&spki)?)
    }

    /// A key of a JWK: a secret, or a public key; of a private key the public half.
    ///
    /// # Errors
    ///
    /// `Error::Config` when it does not say its algorithm and none is `assumed`, says another one than the assumed, is
    /// not for verifying (`use`, `key_ops`), or its material is not for the algorithm.
    pub fn from_jwk(jwk: &Jwk, assumed: Option<JwsAlgorithm>) -> Result<Self> {
        jwk.verifying(assumed)
    }

    /// The algorithm that it is for.
    #[must_use]
    pub const fn algorithm(&self) -> JwsAlgorithm {
        self.algorithm
    }

    /// Proves a signature, as the bytes that the specification has: for ECDSA both numbers one after the other.
    ///
    /// # Errors
    ///
    /// [`InvalidSignature`] when the key did not make it. Under a secret, how long that takes does not tell why.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        match &*self.material {
            Material::Secret(key) => hmac::verify(key, message, signature),
            Material::Rsa { parameters, n, e } => {
                RsaPublicKeyComponents { n, e }.verify(parameters, message, signature)
            }
            Material::Point { verification, point } => {
                signature::UnparsedPublicKey::new(*verification, point).verify(message, signature)
            }
            #[cfg(test)]
            Material::Counting(asked) => {
                asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                Err(ring::error::Unspecified)
            }
        }
        .map_err(|_| InvalidSignature)
    }

    #[cfg(test)]
    pub(crate) fn counting(
        algorithm: JwsAlgorithm,
        asked: &Arc<std::sync::atomic::AtomicUsize>,
    ) -> Self {
        Self { algorithm, material: Arc::new(Material::Counting(Arc::clone(asked))) }
    }

    pub(super) fn of_secret(algorithm: JwsAlgorithm, key: hmac::Key) -> Self {
        Self { algorithm, material: Arc::new(Material::Secret(key)) }
    }

    pub(crate) fn of_rsa(algorithm: JwsAlgorithm, n: &[u8], e: &[u8]) -> Result<Self> {
        Self::of_public(algorithm, Public::Rsa { n, e })
    }

    /// A point is uncompressed (SEC 1 section 2.3.3): 4, and both coordinates.
    pub(crate) fn of_point(algorithm: JwsAlgorithm, point: &[u8]) -> Result<Self> {
        let public = match algorithm {
            JwsAlgorithm::ES256 => Public::P256(point),
            JwsAlgorithm::ES384 => Public::P384(point),
            _ => Public::Ed25519(point),
        };
        Self::of_public(algorithm, public)
    }

    /// Modulus and exponent of an RSA key.
    #[cfg(feature = "jsonwebtoken")]
    pub(crate) fn rsa_numbers(&self) -> Option<(&[u8], &[u8])> {
        match &*self.material {
            Material::Rsa { n, e, .. } => Some((n, e)),
            _ => None,
        }
    }

    /// The point of an elliptic key.
    #[cfg(feature = "jsonwebtoken")]
    pub(crate) fn point(&self) -> Option<&[u8]> {
        match &*self.material {
            Material::Point { point, .. } => Some(point),
            _ => None,
        }
    }

    fn of_public(algorithm: JwsAlgorithm, public: Public<'_>) -> Result<Self> {
        let material = match (rsa::parameters(algorithm), public) {
            (Some(parameters), Public::Rsa { n, e }) => {
                rsa::check(n, e)?;
                Material::Rsa { parameters, n: n.into(), e: e.into() }
            }
            (None, public) => point(algorithm, &public)?,
            (Some(_), _) => return Err(mismatch(algorithm)),
        };
        Ok(Self { algorithm, material: Arc::new(material) })
    }
}

fn point(algorithm: JwsAlgorithm, public: &Public<'_>) -> Result<Material> {
    let (verification, point, length): (&dyn VerificationAlgorithm, _, _) =
        match (algorithm, public) {
            (JwsAlgorithm::ES256, Public::P256(point)) => {
                (&signature::ECDSA_P256_SHA256_FIXED, *point, 65)
            }
            (JwsAlgorithm::ES384, Public::P384(point)) => {
                (&signature::ECDSA_P384_SHA384_FIXED, *point, 97)
            }
            (JwsAlgorithm::EdDSA, Public::Ed25519(point)) => (&signature::ED25519, *point, 32),
            _ => return Err(mismatch(algorithm)),
        };
    let uncompressed = length == 32 || point.first() == Some(&4);
    if point.len() != length || !uncompressed {
        let text = format!("{algorithm} public key is not a point of {length} bytes, uncompressed");
        return Err(Error::config("jwt_key_point", text));
    }
    Ok(Material::Point { verification, point: point.into() })
}

/// What an algorithm needs.
pub(super) const fn kind(algorithm: JwsAlgorithm) -> &'static str {
    match algorithm {
        JwsAlgorithm::HS256 | JwsAlgorithm::HS384 | JwsAlgorithm::HS512 => "a shared secret",
        JwsAlgorithm::ES256 => "a P-256 key",
        JwsAlgorithm::ES384 => "a P-384 key",
        JwsAlgorithm::EdDSA => "an Ed25519 key",
        _ => "an RSA key",
    }
}

pub(super) fn mismatch(algorithm: JwsAlgorithm) -> Error {
    let text = format!("key is of another kind, expected {} for {algorithm}", kind(algorithm));
    Error::config("jwt_key_mismatch", text)
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({})", self.algorithm)
    }
}

impl fmt::Display for InvalidSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("signature is not of this key")
    }
}

impl std::error::Error for InvalidSignature {}
