//! The input is a JWK, and a set of them. What is read agrees with a second reader of JSON, and a key that is made of it
//! is for one algorithm, signs what it verifies, and shows nothing.

use auth_jwt::{Jwk, JwkSet, JwsAlgorithm, SigningKey, VerifyingKey};
use serde_json::value::RawValue;
use std::collections::HashMap;

/// Numbers are left as they are written: the second reader would refuse those that no float can hold.
type Members<'a> = HashMap<String, &'a RawValue>;

/// Holds for any bytes.
pub fn jwk(data: &[u8]) {
    if let Ok(key) = Jwk::parse(data) {
        one_key(data, &key);
        let set = [&b"{\"keys\":["[..], data, b"]}"].concat();
        let set = JwkSet::parse(&set).expect("a set of one key");
        assert_eq!(set.keys().len(), 1);
        assert_eq!(set.keys()[0].kid(), key.kid());
    }
    if let Ok(set) = JwkSet::parse(data) {
        assert!(set.keys().len() <= JwkSet::MOST_KEYS && data.len() <= JwkSet::MOST_BYTES);
        let members: Members<'_> = serde_json::from_slice(data).expect("JSON");
        let keys: Vec<&RawValue> = serde_json::from_str(members["keys"].get()).expect("an array");
        assert!(keys.len() >= set.keys().len());
        set.keys().iter().for_each(keys_of);
    }
}

fn one_key(data: &[u8], key: &Jwk) {
    let members: Members<'_> = serde_json::from_slice(data).expect("JSON");
    let text = |name: &str| -> Option<String> {
        members.get(name).map(|raw| serde_json::from_str(raw.get()).expect("text"))
    };
    assert_eq!(key.kid(), text("kid").as_deref());
    assert_eq!(key.algorithm(), text("alg").as_deref().and_then(JwsAlgorithm::named));
    let kty = text("kty").expect("kty");
    assert!(["EC", "OKP", "RSA", "oct"].contains(&&*kty));
    let shown = format!("{key:?}");
    for secret in ["k", "d", "p", "q", "dp", "dq", "qi"].map(text).into_iter().flatten() {
        assert!(secret.len() < 12 || !shown.contains(&secret));
    }
    keys_of(key);
}

/// A key is for the algorithm that was asked for, which is its own if it names one.
fn keys_of(key: &Jwk) {
    for algorithm in JwsAlgorithm::ALL {
        let named = key.algorithm().is_none_or(|own| own == algorithm);
        if let Ok(verifying) = VerifyingKey::from_jwk(key, Some(algorithm)) {
            assert!(named && verifying.algorithm() == algorithm);
            assert!(verifying.verify(b"message", &[0; 64]).is_err());
        }
        if let Ok(signing) = SigningKey::from_jwk(key, Some(algorithm)) {
            assert!(named && signing.algorithm() == algorithm);
            crate::pem::signs_what_it_verifies(&signing);
        }
    }
}
