//! The input is PEM, and DER. Whatever is read as a key is for the algorithm that was asked for, signs what it verifies,
//! and has nothing behind it.

use auth_jwt::{JwsAlgorithm, SigningKey, VerifyingKey};

/// Holds for any bytes.
pub fn pem(data: &[u8]) {
    for algorithm in JwsAlgorithm::ALL {
        if let Ok(text) = std::str::from_utf8(data) {
            if let Ok(key) = SigningKey::from_pem(algorithm, text) {
                assert_eq!(key.algorithm(), algorithm);
                assert!(VerifyingKey::from_pem(algorithm, text).is_err(), "private and public");
                signs_what_it_verifies(&key);
            }
            if let Ok(key) = VerifyingKey::from_pem(algorithm, text) {
                verifies_nothing_else(algorithm, &key);
            }
            if let Ok(key) = VerifyingKey::from_base64_secret(algorithm, text) {
                verifies_nothing_else(algorithm, &key);
            }
        }
        if let Ok(key) = SigningKey::from_der(algorithm, data) {
            signs_what_it_verifies(&key);
        }
        if let Ok(key) = VerifyingKey::from_der(algorithm, data) {
            verifies_nothing_else(algorithm, &key);
            let longer = [data, &[0]].concat();
            assert!(VerifyingKey::from_der(algorithm, &longer).is_err());
            assert!(VerifyingKey::from_der(algorithm, &data[1..]).is_err());
        }
        if let Ok(key) = VerifyingKey::from_certificate(algorithm, data) {
            verifies_nothing_else(algorithm, &key);
        }
    }
}

fn verifies_nothing_else(algorithm: JwsAlgorithm, key: &VerifyingKey) {
    assert_eq!(key.algorithm(), algorithm);
    for signature in [&[][..], &[0; 64], &[0; 256]] {
        assert!(key.verify(b"message", signature).is_err());
    }
}

pub fn signs_what_it_verifies(key: &SigningKey) {
    let mut signature = vec![0; key.signature_len()];
    assert_eq!(key.sign(b"message", &mut signature).expect("a signature"), signature.len());
    assert!(key.verifying().verify(b"message", &signature).is_ok());
    assert!(key.verifying().verify(b"massage", &signature).is_err());
}
