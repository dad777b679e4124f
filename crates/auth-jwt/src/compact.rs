//! The compact serialization (RFC 7515 section 7.1): from text to a proven signature.

use crate::{Claims, Header, Policy, Refused, VerifyingKey, base64url, claims::Registered, reason};
use auth_core::Timestamp;
use std::fmt;

/// A token whose signature is not proven yet. Its header was read, its payload was not.
///
/// ```
/// use auth_core::Timestamp;
/// use auth_jwt::{Algorithm, ClaimsToSign, Policy, SigningKey, Unverified};
/// use std::time::Duration;
///
/// let (key, now) = (SigningKey::from_secret(Algorithm::HS256, &[7; 32])?, Timestamp::from_unix(1_700_000_000));
/// let minted = ClaimsToSign::expiring_in(Duration::from_secs(300))?.issuer("service").mint(&key, now, None)?;
///
/// let policy = Policy::new().issuer("service");
/// let claims = Unverified::parse(minted.expose())?.verify(&key.verifying())?.claims(&policy, now)?;
/// assert_eq!(claims.issuer(), Some("service"));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// # Security
///
/// Nothing of it may be believed. Its `Debug` shows the header alone: the token is a credential.
pub struct Unverified<'a> {
    header: Header,
    /// Header and payload as they were sent, with the dot between: what is signed.
    message: &'a str,
    payload: &'a str,
    signature: &'a str,
}

impl<'a> Unverified<'a> {
    /// A token may have so many bytes, unless another limit was set.
    pub const MOST_BYTES: usize = 8 * 1024;

    /// Takes a token apart: three parts, and a header that is strict JSON in canonical base64url, names an algorithm
    /// that is implemented, brings no key, refers to none and demands no extension.
    ///
    /// # Errors
    ///
    /// The reason of the first that does not hold.
    pub fn parse(token: &'a str) -> Result<Self, Refused> {
        Self::parse_at_most(token, Self::MOST_BYTES)
    }

    /// As [`parse`](Self::parse), with another limit of bytes.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse).
    pub fn parse_at_most(token: &'a str, bytes: usize) -> Result<Self, Refused> {
        if token.len() > bytes {
            return Err(reason::SIZE);
        }
        let (message, signature) = token.rsplit_once('.').ok_or(reason::PARTS)?;
        let (header, payload) = message.split_once('.').ok_or(reason::PARTS)?;
        if payload.contains('.') {
            return Err(match payload.split('.').count() {
                3 => reason::ENCRYPTED,
                _ => reason::PARTS,
            });
        }
        Ok(Self { header: Header::parse(header)?, message, payload, signature })
    }

    /// What the header says.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// Which key the token wants to be verified with: to look keys up, and for nothing else.
    ///
    /// The payload is read as strictly as when it is verified, and of it the issuer alone comes out.
    ///
    /// # Errors
    ///
    /// When the payload is not strict JSON in canonical base64url, or a registered claim is of another type.
    ///
    /// # Security
    ///
    /// Nobody has signed this yet.
    pub fn key_id(&self) -> Result<KeyId, Refused> {
        let payload = self.payload()?;
        let issuer = Registered::read(&payload)?.issuer;
        Ok(KeyId {
            issuer: issuer.map(|issuer| issuer.to_str().into()),
            kid: self.header.key_id().map(Into::into),
        })
    }

    /// Proves the signature. `alg` must be that of the key, and then the key must have signed it; what the payload holds
    /// is looked at by nobody before that.
    ///
    /// # Errors
    ///
    /// `jwt_alg_other`, `jwt_signature`, or that the signature or the payload is not canonical base64url.
    pub fn verify(self, key: &VerifyingKey) -> Result<Signed, Refused> {
        if self.header.algorithm() != key.algorithm() {
            return Err(reason::ALG_OTHER);
        }
        if self.signature.len() <= SHORT_SIGNATURE {
            self.proves::<SHORT_SIGNATURE>(key)?;
        } else {
            self.proves::<LONG_SIGNATURE>(key)?;
        }
        Ok(Signed { payload: self.payload()?, header: self.header })
    }

    fn proves<const MOST: usize>(&self, key: &VerifyingKey) -> Result<(), Refused> {
        let mut buffer = [0; MOST];
        let length = base64url::decode_slice(self.signature.as_bytes(), &mut buffer);
        let signature = length.and_then(|length| buffer.get(..length));
        let signature = signature.ok_or(reason::SIGNATURE_BASE64URL)?;
        key.verify(self.message.as_bytes(), signature).map_err(|_| reason::SIGNATURE)
    }

    pub(crate) fn payload(&self) -> Result<Vec<u8>, Refused> {
        base64url::decode(self.payload.as_bytes()).ok_or(reason::PAYLOAD_BASE64URL)
    }
}

/// Of the characters that HMAC, ECDSA and Ed25519 signatures have, the most: ES384 has 128.
const SHORT_SIGNATURE: usize = 128;
/// Of the bytes that a signature has, the most: RSA with 8192 bits.
const LONG_SIGNATURE: usize = 1024;

impl fmt::Debug for Unverified<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unverified").field("header", &self.header).finish_non_exhaustive()
    }
}

/// A JWS whose signature is proven. What it says is believed to come from who has the key, and is not judged yet.
pub struct Signed {
    header: Header,
    payload: Vec<u8>,
}

impl Signed {
    /// What the header says.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The bytes that were signed, whatever they are.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// Reads the payload as claims, and judges them at this time.
    ///
    /// # Errors
    ///
    /// That it is no strict JSON object, that a registered claim is of another type (RFC 7519 section 4.1), or the
    /// sentence of the [`Policy`] that does not hold.
    pub fn claims(self, policy: &Policy, now: Timestamp) -> Result<Claims, Refused> {
        Claims::judged(&self.header, self.payload, policy, now)
    }
}

impl fmt::Debug for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signed").field("header", &self.header).finish_non_exhaustive()
    }
}

/// Who is said to have signed a token, and with which of its keys: what a look-up of keys is asked.
///
/// Both parts are opaque, and neither is glued to the other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct KeyId {
    /// `iss` of the payload.
    pub issuer: Option<Box<str>>,
    /// `kid` of the header.
    pub kid: Option<Box<str>>,
}
