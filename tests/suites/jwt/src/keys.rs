//! Keys that were made for these tests and guard nothing, and signing with them by ring alone: what judges our code
//! must not be made by it.

use auth_jwt::JwsAlgorithm;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::rsa::KeyPairComponents;
use ring::signature::{
    self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, RsaEncoding, RsaKeyPair,
};
use ring::{hmac, signature::EcdsaKeyPair as Ecdsa};
use serde_json::{Map, Value};

/// A key for one algorithm, in the shape that peers read, and in the one that signs.
pub struct Key {
    pub algorithm: JwsAlgorithm,
    /// What may verify: without private members, and with `alg`.
    pub jwk: Value,
    /// The same with its private members.
    pub private: Value,
    signer: Signer,
    /// SubjectPublicKeyInfo; empty for a secret.
    pub spki: Vec<u8>,
}

enum Signer {
    Hmac(hmac::Key),
    Rsa(Box<RsaKeyPair>, &'static dyn RsaEncoding),
    Ecdsa(Box<Ecdsa>),
    EdDsa(Box<Ed25519KeyPair>),
}

/// What a JWK holds beside what verifies.
const PRIVATE: [&str; 6] = ["d", "p", "q", "dp", "dq", "qi"];

impl Key {
    /// The key in a JWK that has its private half, for this algorithm whatever its own `alg` is.
    pub fn from_jwk(algorithm: JwsAlgorithm, jwk: &Value) -> Result<Self, String> {
        let (signer, spki) = signer(algorithm, jwk)?;
        let mut private: Map<String, Value> = jwk.as_object().cloned().unwrap_or_default();
        private.insert("alg".into(), algorithm.name().into());
        let mut public = private.clone();
        public.retain(|name, _| !PRIVATE.contains(&name.as_str()));
        let [jwk, private] = [public, private].map(Value::Object);
        Ok(Self { algorithm, jwk, private, signer, spki })
    }

    /// The signature as JWS has it. That of ECDSA and of RSASSA-PSS differs from call to call.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.signer {
            Signer::Hmac(key) => hmac::sign(key, message).as_ref().to_vec(),
            Signer::Rsa(pair, encoding) => {
                let mut bytes = vec![0; pair.public().modulus_len()];
                pair.sign(*encoding, &random, message, &mut bytes).expect("a key that signs");
                bytes
            }
            Signer::Ecdsa(pair) => {
                pair.sign(&random, message).expect("a key that signs").as_ref().to_vec()
            }
            Signer::EdDsa(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }

    /// The public half as text, as key files have it.
    pub fn pem(&self) -> String {
        let text = STANDARD.encode(&self.spki);
        let lines: Vec<&str> =
            text.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
    }
}

/// The two keys of each algorithm, the second of which signs what the first is to refuse.
pub fn pairs() -> Vec<[Key; 2]> {
    let keys: Value =
        serde_json::from_str(include_str!("jwt-keys.json")).expect("the keys are JSON");
    let of = |algorithm: JwsAlgorithm, which: &str| {
        let kid = format!("{}-{which}", kind(algorithm));
        let jwk = keys["keys"].as_array().into_iter().flatten().find(|jwk| jwk["kid"] == *kid);
        Key::from_jwk(algorithm, jwk.expect("there is such a key")).expect("the key signs")
    };
    JwsAlgorithm::ALL
        .into_iter()
        .map(|algorithm| [of(algorithm, "one"), of(algorithm, "two")])
        .collect()
}

/// The kind of key that an algorithm takes: its curve, or its `kty`.
pub fn kind(algorithm: JwsAlgorithm) -> &'static str {
    match algorithm.name() {
        "ES256" => "P-256",
        "ES384" => "P-384",
        "EdDSA" => "Ed25519",
        name if name.starts_with("HS") => "oct",
        _ => "RSA",
    }
}

/// A member in base64url.
pub fn bytes(jwk: &Value, member: &str) -> Result<Vec<u8>, String> {
    let text = jwk[member].as_str().ok_or_else(|| format!("the key has no {member}"))?;
    URL_SAFE_NO_PAD.decode(text).map_err(|error| format!("{member}: {error}"))
}

fn signer(algorithm: JwsAlgorithm, jwk: &Value) -> Result<(Signer, Vec<u8>), String> {
    let member = |name: &str| bytes(jwk, name);
    let of = |prefix: &[u8], key: &[u8]| [prefix, key].concat();
    match algorithm.name() {
        "HS256" => Ok((hmac_key(hmac::HMAC_SHA256, &member("k")?), Vec::new())),
        "HS384" => Ok((hmac_key(hmac::HMAC_SHA384, &member("k")?), Vec::new())),
        "HS512" => Ok((hmac_key(hmac::HMAC_SHA512, &member("k")?), Vec::new())),
        "ES256" => ecdsa(&signature::ECDSA_P256_SHA256_FIXED_SIGNING, SPKI_P256, jwk),
        "ES384" => ecdsa(&signature::ECDSA_P384_SHA384_FIXED_SIGNING, SPKI_P384, jwk),
        "EdDSA" => {
            let public = member("x")?;
            let pair = Ed25519KeyPair::from_seed_and_public_key(&member("d")?, &public);
            let pair = pair.map_err(|error| error.to_string())?;
            Ok((Signer::EdDsa(Box::new(pair)), of(SPKI_ED25519, &public)))
        }
        name => {
            let pair = RsaKeyPair::from_components(&KeyPairComponents {
                public_key: ring::rsa::PublicKeyComponents { n: member("n")?, e: member("e")? },
                d: member("d")?,
                p: member("p")?,
                q: member("q")?,
                dP: member("dp")?,
                dQ: member("dq")?,
                qInv: member("qi")?,
            });
            let pair = pair.map_err(|error| error.to_string())?;
            let spki = of(SPKI_RSA_2048, pair.public_key().as_ref());
            Ok((Signer::Rsa(Box::new(pair), encoding(name)), spki))
        }
    }
}

fn hmac_key(hash: hmac::Algorithm, secret: &[u8]) -> Signer {
    Signer::Hmac(hmac::Key::new(hash, secret))
}

fn ecdsa(
    algorithm: &'static EcdsaSigningAlgorithm,
    prefix: &[u8],
    jwk: &Value,
) -> Result<(Signer, Vec<u8>), String> {
    let point = [vec![4], bytes(jwk, "x")?, bytes(jwk, "y")?].concat();
    let random = SystemRandom::new();
    let pair = EcdsaKeyPair::from_private_key_and_public_key(
        algorithm,
        &bytes(jwk, "d")?,
        &point,
        &random,
    );
    let pair = pair.map_err(|error| error.to_string())?;
    Ok((Signer::Ecdsa(Box::new(pair)), [prefix, &point].concat()))
}

fn encoding(name: &str) -> &'static dyn RsaEncoding {
    match name {
        "RS256" => &signature::RSA_PKCS1_SHA256,
        "RS384" => &signature::RSA_PKCS1_SHA384,
        "RS512" => &signature::RSA_PKCS1_SHA512,
        "PS256" => &signature::RSA_PSS_SHA256,
        "PS384" => &signature::RSA_PSS_SHA384,
        _ => &signature::RSA_PSS_SHA512,
    }
}

/// What stands before the key in a SubjectPublicKeyInfo (RFC 5280 section 4.1) of each kind.
const SPKI_RSA_2048: &[u8] =
    b"\x30\x82\x01\x22\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00\x03\x82\x01\x0f\x00";
const SPKI_P256: &[u8] =
    b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00";
const SPKI_P384: &[u8] =
    b"\x30\x76\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22\x03\x62\x00";
const SPKI_ED25519: &[u8] = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00";
