//! ring as the cryptography of `jsonwebtoken`.

use super::{algorithm, read, verifying_key};
use crate::{JwsAlgorithm, SigningKey, VerifyingKey};
use ::jsonwebtoken::{
    self as theirs, DecodingKey, EncodingKey,
    crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils},
    errors::{Error, ErrorKind},
    jwk::{EllipticCurve, ThumbprintHash},
    signature::{self, Signer, Verifier},
};
use ring::digest;

/// Cryptography for `jsonwebtoken` that an application may install once, with
/// [`install_default`](CryptoProvider::install_default). A library should not: there is one for the whole process.
///
/// All of its algorithms and its JWK functions are there, none of them panics, and no C compiler but ring's is needed.
/// Keys are held to our minima: a secret shorter than its hash is an error of the first signature. They are parsed with
/// every signature, since `jsonwebtoken` keeps no parsed keys; a [`SigningKey`] of ours is parsed once.
///
/// ```
/// use jsonwebtoken::{EncodingKey, Header, encode};
/// auth_jwt::jsonwebtoken::ring_provider().install_default().expect("nobody else has installed one");
/// let key = EncodingKey::from_secret(b"at least as long as the hash: 32 bytes");
/// let token = encode(&Header::default(), &serde_json::json!({ "sub": "me" }), &key)?;
/// # Ok::<_, jsonwebtoken::errors::Error>(())
/// ```
#[must_use]
pub const fn ring_provider() -> &'static CryptoProvider {
    const PROVIDER: &CryptoProvider = &CryptoProvider {
        signer_factory: signer,
        verifier_factory: verifier,
        key_utils: KeyUtils {
            rsa_pub_components_from_private_key: rsa_of_private,
            rsa_pub_components_from_public_key: rsa_of_public,
            ec_pub_components_from_private_key: ec_of_private,
            ed_pub_components_from_private_key: ed_of_private,
            compute_digest,
        },
    };
    PROVIDER
}

struct Signing(SigningKey);

struct Verifying(VerifyingKey);

impl Signer<Vec<u8>> for Signing {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        let mut made = vec![0; self.0.signature_len()];
        self.0.sign(message, &mut made).map_err(signature::Error::from_source)?;
        Ok(made)
    }
}

impl JwtSigner for Signing {
    fn algorithm(&self) -> theirs::Algorithm {
        self.0.algorithm().into()
    }
}

impl Verifier<Vec<u8>> for Verifying {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        self.0.verify(message, signature).map_err(signature::Error::from_source)
    }
}

impl JwtVerifier for Verifying {
    fn algorithm(&self) -> theirs::Algorithm {
        self.0.algorithm().into()
    }
}

fn signer(wanted: &theirs::Algorithm, key: &EncodingKey) -> Result<Box<dyn JwtSigner>, Error> {
    let key = read(ours(*wanted)?, key, SigningKey::from_der_untried).map_err(refused)?;
    Ok(Box::new(Signing(key)))
}

fn verifier(wanted: &theirs::Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>, Error> {
    let key = verifying_key(ours(*wanted)?, key).map_err(refused)?;
    Ok(Box::new(Verifying(key)))
}

fn rsa_of_private(der: &[u8]) -> Result<(Vec<u8>, Vec<u8>), Error> {
    numbers(&SigningKey::from_der(JwsAlgorithm::RS256, der).map_err(refused)?.verifying())
}

fn rsa_of_public(der: &[u8]) -> Result<(Vec<u8>, Vec<u8>), Error> {
    numbers(&VerifyingKey::from_der(JwsAlgorithm::RS256, der).map_err(refused)?)
}

fn numbers(key: &VerifyingKey) -> Result<(Vec<u8>, Vec<u8>), Error> {
    let (n, e) = key.rsa_numbers().ok_or(ErrorKind::InvalidKeyFormat)?;
    Ok((n.to_vec(), e.to_vec()))
}

fn ec_of_private(
    der: &[u8],
    wanted: theirs::Algorithm,
) -> Result<(EllipticCurve, Vec<u8>, Vec<u8>), Error> {
    let curve = match wanted {
        theirs::Algorithm::ES256 => EllipticCurve::P256,
        theirs::Algorithm::ES384 => EllipticCurve::P384,
        _ => return Err(ErrorKind::InvalidEcdsaKey.into()),
    };
    let key = SigningKey::from_der(ours(wanted)?, der).map_err(refused)?.verifying();
    // Both coordinates, behind the byte that says so (SEC 1 section 2.3.3).
    let coordinates = key.point().and_then(|point| point.split_first()).map(|(_, both)| both);
    let (x, y) = coordinates
        .and_then(|both| both.split_at_checked(both.len() / 2))
        .ok_or(ErrorKind::InvalidEcdsaKey)?;
    Ok((curve, x.to_vec(), y.to_vec()))
}

fn ed_of_private(der: &[u8], curve: &EllipticCurve) -> Result<Vec<u8>, Error> {
    if *curve != EllipticCurve::Ed25519 {
        return Err(ErrorKind::InvalidAlgorithm.into());
    }
    let key = SigningKey::from_der(JwsAlgorithm::EdDSA, der).map_err(refused)?.verifying();
    Ok(key.point().ok_or(ErrorKind::InvalidEddsaKey)?.to_vec())
}

fn compute_digest(data: &[u8], hash: ThumbprintHash) -> Result<Vec<u8>, Error> {
    let hash = match hash {
        ThumbprintHash::SHA256 => &digest::SHA256,
        ThumbprintHash::SHA384 => &digest::SHA384,
        ThumbprintHash::SHA512 => &digest::SHA512,
        _ => return Err(ErrorKind::UnsupportedAlgorithm.into()),
    };
    Ok(digest::digest(hash, data).as_ref().to_vec())
}

fn ours(wanted: theirs::Algorithm) -> Result<JwsAlgorithm, Error> {
    algorithm(wanted).ok_or_else(|| ErrorKind::UnsupportedAlgorithm.into())
}

/// Our errors name what was expected and hold no secret.
fn refused(error: auth_core::Error) -> Error {
    ErrorKind::Provider(error.to_string()).into()
}
