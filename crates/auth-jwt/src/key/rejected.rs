//! What is wrong with a private key that ring takes for none.

use super::verifying::kind;
use crate::JwsAlgorithm;
use auth_core::Error;
use ring::{error::KeyRejected, rsa::KeyPair};

/// Of the complaints of two readers, that of the one who got further.
pub(super) fn clearer(pkcs8: &KeyRejected, pkcs1: KeyRejected) -> KeyRejected {
    if pkcs1.to_string() == "InvalidEncoding" { *pkcs8 } else { pkcs1 }
}

/// What is wrong with a private key in DER, of which a point of a curve was expected. To the reader of PKCS#8 an RSA key
/// in PKCS#1 is malformed.
pub(super) fn no_point(algorithm: JwsAlgorithm, der: &[u8], error: &KeyRejected) -> Error {
    if KeyPair::from_der(der).is_ok() {
        return another_kind(algorithm);
    }
    rejected(algorithm, error)
}

fn another_kind(algorithm: JwsAlgorithm) -> Error {
    let text = format!(
        "private key is of another kind than {algorithm} signs with, expected {}; take the key that was made for it, or \
         name the algorithm of this one",
        kind(algorithm)
    );
    Error::config("jwt_key_rejected", text)
}

pub(super) fn rejected(algorithm: JwsAlgorithm, error: &KeyRejected) -> Error {
    if error.to_string() == "WrongAlgorithm" {
        return another_kind(algorithm);
    }
    let form = match algorithm {
        JwsAlgorithm::ES256 | JwsAlgorithm::ES384 => "PKCS#8 with its public half",
        JwsAlgorithm::EdDSA => "PKCS#8",
        _ => "PKCS#8 or PKCS#1 with 2048 to 4096 bits",
    };
    let text = format!("private key for {algorithm} is refused ({error}), expected {form}");
    Error::config("jwt_key_rejected", text)
}
