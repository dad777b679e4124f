//! The keys of signatures.

use super::{SignatureForm, message::hmac_key};
use auth_core::{Error, Lookup, Result, Secret};
use auth_jwt::{Jwk, JwkSet, JwtKeys, KeyId, SigningKey, VerifyingKey};
use base64::{Engine, engine::general_purpose::STANDARD};
use ring::{
    hmac,
    signature::{ED25519, Ed25519KeyPair, UnparsedPublicKey},
};
use std::{fmt, sync::Arc};
use zeroize::Zeroizing;

/// What a sender signs with.
///
/// | form | the text of the key |
/// |---|---|
/// | `standard_webhooks` | `whsec_` or `whsk_` and Base64 |
/// | `detached_jws` | a private key in PEM |
/// | every other | the secret as its bytes |
#[derive(Clone)]
pub struct BodySigningKey(pub(super) Signing);

#[derive(Clone)]
pub(super) enum Signing {
    Mac(hmac::Key),
    Ed25519(Arc<Ed25519KeyPair>),
    Jws { key: SigningKey, kid: Option<Arc<str>> },
}

/// What a receiver verifies with.
///
/// | form | the text of the key |
/// |---|---|
/// | `standard_webhooks` | `whsec_` or `whpk_` and Base64 |
/// | `detached_jws` | a public key in PEM; [`from_jwk_set`](Self::from_jwk_set) and [`from_lookup`](Self::from_lookup) take a key set |
/// | every other | the secret as its bytes |
#[derive(Clone)]
pub struct BodyVerifyingKey(pub(super) Verifying);

#[derive(Clone)]
pub(super) enum Verifying {
    Mac(hmac::Key),
    Ed25519(UnparsedPublicKey<[u8; 32]>),
    /// Each with its `kid`, if it has one.
    Jws(Arc<[(Option<Box<str>>, VerifyingKey)]>),
    JwsLookup(Arc<dyn Lookup<KeyId, Found = JwtKeys>>),
}

impl BodySigningKey {
    /// Reads the text of a key of this form.
    ///
    /// # Errors
    ///
    /// `Error::Config` when the key is empty or not of the form, or the form is only verified (`legacy_sha1`).
    pub fn read(form: &SignatureForm, text: &Secret) -> Result<Self> {
        Ok(Self(match form {
            SignatureForm::DetachedJws { algorithm, .. } => {
                let key = SigningKey::from_pem(algorithm.jws(), as_text(text)?)?;
                Signing::Jws { key, kid: None }
            }
            SignatureForm::StandardWebhooks {} => match standard(text)? {
                (SYMMETRIC, bytes) => Signing::Mac(mac(form, &bytes)?),
                (PRIVATE, bytes) => Signing::Ed25519(Arc::new(key_pair(&bytes)?)),
                _ => {
                    return Err(wrong(
                        "is a public key, which signs nothing; give the private one (whsk_)",
                    ));
                }
            },
            _ => {
                if form.mac() == Some(super::MacAlgorithm::LegacySha1) {
                    return Err(wrong(
                        "is for legacy_sha1, which is verified alone; choose sha256",
                    ));
                }
                Signing::Mac(mac(form, raw(text)?)?)
            }
        }))
    }

    /// The `kid` that a detached JWS names.
    #[must_use]
    pub fn with_key_id(self, kid: &str) -> Self {
        match self.0 {
            Signing::Jws { key, .. } => Self(Signing::Jws { key, kid: Some(kid.into()) }),
            other => Self(other),
        }
    }
}

impl BodyVerifyingKey {
    /// Reads the text of a key of this form.
    ///
    /// # Errors
    ///
    /// `Error::Config` when the key is empty or not of the form.
    pub fn read(form: &SignatureForm, text: &Secret) -> Result<Self> {
        Ok(Self(match form {
            SignatureForm::DetachedJws { algorithm, .. } => {
                let key = VerifyingKey::from_pem(algorithm.jws(), as_text(text)?)?;
                Verifying::Jws([(None, key)].into())
            }
            SignatureForm::StandardWebhooks {} => match standard(text)? {
                (SYMMETRIC, bytes) => Verifying::Mac(mac(form, &bytes)?),
                (PUBLIC, bytes) => Verifying::Ed25519(public_key(&bytes)?),
                _ => {
                    return Err(wrong(
                        "is a private key, which belongs to the sender; give the public one (whpk_)",
                    ));
                }
            },
            _ => Verifying::Mac(mac(form, raw(text)?)?),
        }))
    }

    /// The keys of a set that can verify a detached JWS.
    ///
    /// # Errors
    ///
    /// `Error::Config` when the form is another one, or no key of the set is of its algorithm.
    pub fn from_jwk_set(form: &SignatureForm, set: &JwkSet) -> Result<Self> {
        let SignatureForm::DetachedJws { algorithm, .. } = form else {
            return Err(wrong("is a key set, which is for detached_jws alone"));
        };
        let read = |jwk: &Jwk| {
            let key = VerifyingKey::from_jwk(jwk, Some(algorithm.jws())).ok()?;
            (key.algorithm() == algorithm.jws()).then(|| (jwk.kid().map(Into::into), key))
        };
        let keys: Arc<[_]> = set.keys().iter().filter_map(read).collect();
        if keys.is_empty() {
            return Err(wrong(
                "set has no key of the algorithm of the form; give the sender's key set",
            ));
        }
        Ok(Self(Verifying::Jws(keys)))
    }

    /// Keys that are looked up by `kid`, such as a [`RemoteJwkSet`](auth_jwt::RemoteJwkSet): for a detached JWS.
    pub fn from_lookup(keys: impl Lookup<KeyId, Found = JwtKeys> + 'static) -> Self {
        Self(Verifying::JwsLookup(Arc::new(keys)))
    }
}

const SYMMETRIC: &str = "whsec_";
const PRIVATE: &str = "whsk_";
const PUBLIC: &str = "whpk_";

/// A key of Standard Webhooks: what it is, and its bytes.
fn standard(text: &Secret) -> Result<(&'static str, Zeroizing<Vec<u8>>)> {
    let text = as_text(text)?;
    for prefix in [SYMMETRIC, PRIVATE, PUBLIC] {
        if let Some(encoded) = text.strip_prefix(prefix) {
            let bytes = STANDARD.decode(encoded).map(Zeroizing::new);
            let bytes =
                bytes.map_err(|_| wrong("has something behind its prefix that is no Base64"))?;
            if prefix == SYMMETRIC && !(24..=64).contains(&bytes.len()) {
                return Err(wrong(
                    "has fewer than 24 or more than 64 bytes; let the sender make another",
                ));
            }
            return Ok((prefix, bytes));
        }
    }
    Err(wrong("begins with none of whsec_, whsk_ and whpk_; copy it with its prefix"))
}

/// `whsk_` has the seed, or the seed with the public key behind it.
fn key_pair(bytes: &[u8]) -> Result<Ed25519KeyPair> {
    let made = match bytes.split_at_checked(32) {
        Some((seed, [])) => Ed25519KeyPair::from_seed_unchecked(seed),
        Some((seed, public)) => Ed25519KeyPair::from_seed_and_public_key(seed, public),
        None => return Err(wrong("is no Ed25519 key: expected 32 or 64 bytes")),
    };
    made.map_err(|_| wrong("is no Ed25519 key, or its public half is another's"))
}

fn public_key(bytes: &[u8]) -> Result<UnparsedPublicKey<[u8; 32]>> {
    let bytes = bytes.try_into().map_err(|_| wrong("is no Ed25519 key: expected 32 bytes"))?;
    Ok(UnparsedPublicKey::new(&ED25519, bytes))
}

fn mac(form: &SignatureForm, secret: &[u8]) -> Result<hmac::Key> {
    match form.mac() {
        Some(algorithm) => Ok(hmac_key(algorithm, secret)),
        None => Err(wrong("is a secret, and the form has key pairs")),
    }
}

fn raw(text: &Secret) -> Result<&[u8]> {
    match text.expose() {
        [] => Err(wrong("is empty; fill it in")),
        [.., b'\n' | b'\r'] => Err(wrong("ends with a line break; remove it")),
        bytes => Ok(bytes),
    }
}

fn as_text(text: &Secret) -> Result<&str> {
    text.expose_text().ok_or_else(|| wrong("is not text"))
}

fn wrong(what: &str) -> Error {
    Error::config("webhook_signature_key", format!("signature key {what}"))
}

impl fmt::Debug for BodySigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BodySigningKey(..)")
    }
}

impl fmt::Debug for BodyVerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BodyVerifyingKey(..)")
    }
}
