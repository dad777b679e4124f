//! Keys that sign.

use super::{
    pem::{self, Kind},
    rejected::{clearer, no_point, rejected},
    secret,
    verifying::mismatch,
};
use crate::{Jwk, JwsAlgorithm, VerifyingKey};
use auth_core::{Error, KeyDigest, KeyHasher, Result};
use ring::{
    hmac,
    rand::SystemRandom,
    rsa::{KeyPairComponents, PublicKeyComponents},
    signature::{
        self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, RsaEncoding, RsaKeyPair,
    },
};
use std::{fmt, sync::Arc};

/// A key that signs with one algorithm. Cheap to clone.
///
/// ```
/// use auth_jwt::{JwsAlgorithm, SigningKey};
/// let key = SigningKey::from_secret(JwsAlgorithm::HS256, b"at least as long as the hash: 32 bytes")?;
/// let mut signature = [0; 32];
/// assert_eq!(key.sign(b"message", &mut signature)?, 32);
/// assert!(key.verifying().verify(b"message", &signature).is_ok());
/// # Ok::<_, auth_core::Error>(())
/// ```
///
/// # Security
///
/// `Debug` shows the algorithm alone. A private key is checked when it is read, and then kept as ring has it: ring does
/// not wipe it. RSA and ECDSA signatures take randomness from the operating system, since ring accepts no other.
#[derive(Clone)]
pub struct SigningKey {
    material: Arc<Material>,
    verifying: VerifyingKey,
}

enum Material {
    Secret(hmac::Key),
    Rsa { pair: RsaKeyPair, encoding: &'static dyn RsaEncoding },
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl SigningKey {
    /// A shared secret, for HS256, HS384 or HS512.
    ///
    /// # Errors
    ///
    /// As [`VerifyingKey::from_secret`].
    pub fn from_secret(algorithm: JwsAlgorithm, secret: &[u8]) -> Result<Self> {
        Self::of(algorithm, Material::Secret(secret::hmac_key(algorithm, secret)?))
    }

    /// A shared secret that was given in Base64: it is decoded, and the bytes are the secret.
    ///
    /// # Errors
    ///
    /// As [`VerifyingKey::from_base64_secret`].
    pub fn from_base64_secret(algorithm: JwsAlgorithm, text: &str) -> Result<Self> {
        Self::from_secret(algorithm, &secret::decode(text)?)
    }

    /// A private key in PEM: PKCS#8, or PKCS#1 for RSA.
    ///
    /// # Errors
    ///
    /// `Error::Config` when it has no such key, more than one, one that is encrypted, or one that is not for this
    /// algorithm.
    pub fn from_pem(algorithm: JwsAlgorithm, pem: &str) -> Result<Self> {
        match pem::read(pem)? {
            (Kind::Private, der) => Self::from_der(algorithm, &der),
            (Kind::Public, _) => {
                let text = "PEM is a public key, expected the private key that signs";
                Err(Error::config("jwt_key_public", text))
            }
            (Kind::Certificate, _) => {
                let text = "PEM is a certificate, expected the private key that signs";
                Err(Error::config("jwt_key_public", text))
            }
        }
    }

    /// A private key in DER: PKCS#8, or PKCS#1 for RSA.
    ///
    /// # Errors
    ///
    /// `Error::Config` when it is no such key, or is not for this algorithm.
    pub fn from_der(algorithm: JwsAlgorithm, der: &[u8]) -> Result<Self> {
        Self::from_der_untried(algorithm, der)?.tried()
    }

    /// As [`from_der`](Self::from_der), for a key that makes one signature: that is the trial.
    pub(crate) fn from_der_untried(algorithm: JwsAlgorithm, der: &[u8]) -> Result<Self> {
        let material = match (rsa_encoding(algorithm), ecdsa(algorithm)) {
            (Some(encoding), _) => {
                let pair = RsaKeyPair::from_pkcs8(der).or_else(|rejected| {
                    RsaKeyPair::from_der(der).map_err(|also| clearer(&rejected, also))
                });
                Material::Rsa { pair: pair.map_err(|error| rejected(algorithm, &error))?, encoding }
            }
            (None, Some(curve)) => EcdsaKeyPair::from_pkcs8(curve, der, &SystemRandom::new())
                .map(Material::Ecdsa)
                .map_err(|error| no_point(algorithm, der, &error))?,
            (None, None) if algorithm == JwsAlgorithm::EdDSA => {
                Ed25519KeyPair::from_pkcs8_maybe_unchecked(der)
                    .map(Material::Ed25519)
                    .map_err(|error| no_point(algorithm, der, &error))?
            }
            (None, None) => return Err(mismatch(algorithm)),
        };
        Self::of(algorithm, material)
    }

    /// The secret or private key of a JWK.
    ///
    /// # Errors
    ///
    /// `Error::Config` when it is a public key, does not say its algorithm and none is `assumed`, says another one than
    /// the assumed, is not for signing (`use`, `key_ops`), or its material is not for the algorithm.
    pub fn from_jwk(jwk: &Jwk, assumed: Option<JwsAlgorithm>) -> Result<Self> {
        jwk.signing(assumed)
    }

    /// The algorithm that it is for.
    #[must_use]
    pub const fn algorithm(&self) -> JwsAlgorithm {
        self.verifying.algorithm()
    }

    /// How many bytes a signature has.
    #[must_use]
    pub fn signature_len(&self) -> usize {
        match &*self.material {
            Material::Secret(key) => key.algorithm().digest_algorithm().output_len(),
            Material::Rsa { pair, .. } => pair.public().modulus_len(),
            Material::Ecdsa(_) if self.algorithm() == JwsAlgorithm::ES384 => 96,
            Material::Ecdsa(_) | Material::Ed25519(_) => 64,
        }
    }

    /// Signs: the bytes that the specification has go to the front of `signature`, and their number is returned.
    ///
    /// # Errors
    ///
    /// `Error::Config` when there is no room for [`signature_len`](Self::signature_len) bytes, `Error::Unavailable` when
    /// the operating system has no randomness.
    pub fn sign(&self, message: &[u8], signature: &mut [u8]) -> Result<usize> {
        let length = self.signature_len();
        let room = signature.get_mut(..length).ok_or_else(|| {
            Error::config(
                "jwt_signature_room",
                format!("signature has no room, expected {length} bytes"),
            )
        })?;
        match &*self.material {
            Material::Secret(key) => room.copy_from_slice(hmac::sign(key, message).as_ref()),
            Material::Rsa { pair, encoding } => pair
                .sign(*encoding, &SystemRandom::new(), message, room)
                .map_err(|_| no_randomness())?,
            Material::Ecdsa(pair) => {
                let made = pair.sign(&SystemRandom::new(), message).map_err(|_| no_randomness())?;
                room.copy_from_slice(made.as_ref());
            }
            Material::Ed25519(pair) => room.copy_from_slice(pair.sign(message).as_ref()),
        }
        Ok(length)
    }

    /// The key that verifies what this one signs: the same secret, or the public half.
    #[must_use]
    pub fn verifying(&self) -> VerifyingKey {
        self.verifying.clone()
    }

    /// A keyed hash by which this key can be told from another one: part of the name of what was obtained with it.
    #[must_use]
    pub fn digest(&self, hasher: &KeyHasher) -> KeyDigest {
        let known_by = match &*self.material {
            Material::Secret(key) => hmac::sign(key, b"the name of this key").as_ref().to_vec(),
            Material::Rsa { pair, .. } => pair.public_key().as_ref().to_vec(),
            Material::Ecdsa(pair) => pair.public_key().as_ref().to_vec(),
            Material::Ed25519(pair) => pair.public_key().as_ref().to_vec(),
        };
        hasher.hash(&[self.algorithm().name().as_bytes(), b" ", &known_by].concat())
    }

    /// The numbers of RFC 7518 section 6.3.2, big-endian.
    pub(crate) fn of_rsa<B: AsRef<[u8]>>(
        algorithm: JwsAlgorithm,
        components: &KeyPairComponents<B, B>,
    ) -> Result<Self> {
        let encoding = rsa_encoding(algorithm).ok_or_else(|| mismatch(algorithm))?;
        let pair =
            RsaKeyPair::from_components(components).map_err(|error| rejected(algorithm, &error))?;
        Self::of(algorithm, Material::Rsa { pair, encoding })?.tried()
    }

    /// A private number or seed with its public point.
    pub(crate) fn of_point(algorithm: JwsAlgorithm, private: &[u8], public: &[u8]) -> Result<Self> {
        let material = match ecdsa(algorithm) {
            Some(curve) => {
                let random = SystemRandom::new();
                EcdsaKeyPair::from_private_key_and_public_key(curve, private, public, &random)
                    .map(Material::Ecdsa)
            }
            None if algorithm == JwsAlgorithm::EdDSA => {
                Ed25519KeyPair::from_seed_and_public_key(private, public).map(Material::Ed25519)
            }
            None => return Err(mismatch(algorithm)),
        };
        Self::of(algorithm, material.map_err(|error| rejected(algorithm, &error))?)
    }

    fn of(algorithm: JwsAlgorithm, material: Material) -> Result<Self> {
        let verifying = match &material {
            Material::Secret(key) => VerifyingKey::of_secret(algorithm, key.clone()),
            Material::Rsa { pair, .. } => {
                let public = PublicKeyComponents::<Vec<u8>>::from(pair.public());
                VerifyingKey::of_rsa(algorithm, &public.n, &public.e)?
            }
            Material::Ecdsa(pair) => VerifyingKey::of_point(algorithm, pair.public_key().as_ref())?,
            Material::Ed25519(pair) => {
                VerifyingKey::of_point(algorithm, pair.public_key().as_ref())?
            }
        };
        Ok(Self { material: Arc::new(material), verifying })
    }

    /// A first signature: ring checks of an RSA key's numbers less than that they belong together, and would say so of
    /// every signature.
    fn tried(self) -> Result<Self> {
        if let Material::Rsa { pair, encoding } = &*self.material {
            let mut signature = vec![0; self.signature_len()];
            let signed = pair.sign(*encoding, &SystemRandom::new(), b"trial", &mut signature);
            signed.map_err(|_| {
                let text = "RSA key makes no signatures: its numbers do not belong together";
                Error::config("jwt_key_rsa", text)
            })?;
        }
        Ok(self)
    }
}

fn rsa_encoding(algorithm: JwsAlgorithm) -> Option<&'static dyn RsaEncoding> {
    Some(match algorithm {
        JwsAlgorithm::RS256 => &signature::RSA_PKCS1_SHA256,
        JwsAlgorithm::RS384 => &signature::RSA_PKCS1_SHA384,
        JwsAlgorithm::RS512 => &signature::RSA_PKCS1_SHA512,
        JwsAlgorithm::PS256 => &signature::RSA_PSS_SHA256,
        JwsAlgorithm::PS384 => &signature::RSA_PSS_SHA384,
        JwsAlgorithm::PS512 => &signature::RSA_PSS_SHA512,
        _ => return None,
    })
}

fn ecdsa(algorithm: JwsAlgorithm) -> Option<&'static EcdsaSigningAlgorithm> {
    Some(match algorithm {
        JwsAlgorithm::ES256 => &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
        JwsAlgorithm::ES384 => &signature::ECDSA_P384_SHA384_FIXED_SIGNING,
        _ => return None,
    })
}

fn no_randomness() -> Error {
    let text = "the system's random generator gave no bytes to sign with";
    Error::unavailable("random_unavailable", None, text)
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.algorithm())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use auth_core::Secret;

    #[test]
    fn a_digest_tells_keys_and_algorithms_apart() {
        let secret = |algorithm, byte| SigningKey::from_secret(algorithm, &[byte; 64]).unwrap();
        let keys = [
            secret(JwsAlgorithm::HS256, 1),
            secret(JwsAlgorithm::HS256, 2),
            secret(JwsAlgorithm::HS512, 1),
        ];
        let hasher = |byte| KeyHasher::new(&Secret::new(vec![byte; 32])).unwrap();
        let all: Vec<_> = keys.iter().map(|key| key.digest(&hasher(7))).collect();
        for (n, one) in all.iter().enumerate() {
            assert_eq!(all.iter().position(|other| other == one), Some(n));
        }
        assert_eq!(secret(JwsAlgorithm::HS256, 1).digest(&hasher(7)), all[0]);
        assert_ne!(keys[0].digest(&hasher(8)), all[0]);
    }
}
