//! JSON Web Keys (RFC 7517, RFC 7518 section 6, RFC 8037 section 2).

mod material;
mod set;

pub use set::{JwkSet, LeftOutKey};

use crate::{
    JwsAlgorithm, SigningKey, VerifyingKey,
    json::{self, Fault, Object, Text, Value},
};
use auth_core::{Error, Result};
use material::{Fields, Material};
use std::fmt;

/// One key as JSON: what it is for, what it is called, and its numbers.
///
/// ```
/// use auth_jwt::{JwsAlgorithm, Jwk, VerifyingKey};
/// // RFC 8037 appendix A.2.
/// let jwk = Jwk::parse(br#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#)?;
/// let key = VerifyingKey::from_jwk(&jwk, Some(JwsAlgorithm::EdDSA))?;
/// # Ok::<_, auth_core::Error>(())
/// ```
///
/// # Security
///
/// It may be private: `Debug` shows type and algorithm alone, and secret members are wiped when it is dropped.
pub struct Jwk {
    kid: Option<Box<str>>,
    alg: Option<Box<str>>,
    purpose: Purpose,
    material: Material,
}

/// What the key says it may be used for.
#[derive(Clone, Copy, Default)]
struct Purpose {
    signs: Allowed,
    verifies: Allowed,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Allowed {
    #[default]
    Yes,
    No,
}

impl Jwk {
    /// Reads one key.
    ///
    /// # Errors
    ///
    /// `Error::Config` when it is not strict JSON, its type is none that signs, a member is missing, has another type or
    /// is not canonical base64url.
    pub fn parse(text: &[u8]) -> Result<Self> {
        let mut reading = Reading::default();
        json::object(text, |name, value| reading.member(name, value))?;
        Ok(reading.finish()?)
    }

    fn read(object: Object<'_>) -> Result<Self, Wrong> {
        let mut reading = Reading::default();
        object.members(|name, value| reading.member(name, value))?;
        reading.finish()
    }

    /// Its `kid`.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Its `alg`, if it has one that is implemented.
    #[must_use]
    pub fn algorithm(&self) -> Option<JwsAlgorithm> {
        self.alg.as_deref().and_then(JwsAlgorithm::named)
    }

    /// Whether it has no `alg`, implemented or not.
    pub(crate) const fn states_no_algorithm(&self) -> bool {
        self.alg.is_none()
    }

    /// Whether it is a secret that both ends share.
    pub(crate) const fn is_shared_secret(&self) -> bool {
        matches!(self.material, Material::Secret(_))
    }

    pub(crate) fn signing(&self, assumed: Option<JwsAlgorithm>) -> Result<SigningKey> {
        if self.purpose.signs == Allowed::No {
            let text = "use or key_ops of the JWK does not let it sign, expected sig and sign";
            return Err(Error::config("jwk_purpose", text));
        }
        self.material.signing(self.bound_to(assumed)?)
    }

    pub(crate) fn verifying(&self, assumed: Option<JwsAlgorithm>) -> Result<VerifyingKey> {
        if self.purpose.verifies == Allowed::No {
            let text = "use or key_ops of the JWK does not let it verify, expected sig and verify";
            return Err(Error::config("jwk_purpose", text));
        }
        self.material.verifying(self.bound_to(assumed)?)
    }

    /// The one algorithm it is for.
    fn bound_to(&self, assumed: Option<JwsAlgorithm>) -> Result<JwsAlgorithm> {
        let Some(name) = &self.alg else {
            let text = "alg of the JWK is missing, expected it, or an algorithm to assume";
            return assumed.ok_or_else(|| Error::config("jwk_alg_missing", text));
        };
        match (JwsAlgorithm::named(name), assumed) {
            (None, _) => Err(Error::config("jwk_alg_unknown", "alg of the JWK is not implemented")),
            (Some(own), Some(assumed)) if own != assumed => Err(Error::config(
                "jwk_alg_other",
                format!("alg of the JWK is {own}, expected {assumed}"),
            )),
            (Some(own), _) => Ok(own),
        }
    }
}

impl fmt::Debug for Jwk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Jwk({}, alg {:?})", self.material.kind(), self.algorithm())
    }
}

/// A JWK as far as it was read.
#[derive(Default)]
struct Reading {
    kid: Option<Box<str>>,
    alg: Option<Box<str>>,
    kty: Option<Box<str>>,
    purpose: Purpose,
    fields: Fields,
}

impl Reading {
    fn member(&mut self, name: Text<'_>, value: Value<'_>) -> Result<(), Wrong> {
        let name = name.to_str();
        match &*name {
            "kid" => self.kid = Some(string(value, "kid")?),
            "alg" => self.alg = Some(string(value, "alg")?),
            "kty" => self.kty = Some(string(value, "kty")?),
            "use" if &*string(value, "use")? != "sig" => self.purpose = Purpose::NONE,
            "key_ops" => self.operations(value)?,
            name => self.fields.member(name, value)?,
        }
        Ok(())
    }

    /// RFC 7517 section 4.3.
    fn operations(&mut self, value: Value<'_>) -> Result<(), Wrong> {
        let Value::Array(array) = value else { return Err(Wrong::Type("key_ops")) };
        let (mut signs, mut verifies) = (Allowed::No, Allowed::No);
        array.elements(|operation| {
            match &*string(operation, "key_ops")? {
                "sign" => signs = Allowed::Yes,
                "verify" => verifies = Allowed::Yes,
                _ => {}
            }
            Ok::<_, Wrong>(())
        })?;
        self.purpose = Purpose {
            signs: self.purpose.signs.and(signs),
            verifies: self.purpose.verifies.and(verifies),
        };
        Ok(())
    }

    fn finish(self) -> Result<Jwk, Wrong> {
        let Self { kid, alg, kty, purpose, fields } = self;
        let material = fields.finish(kty.as_deref().ok_or(Wrong::Missing("kty"))?)?;
        Ok(Jwk { kid, alg, purpose, material })
    }
}

impl Purpose {
    const NONE: Self = Self { signs: Allowed::No, verifies: Allowed::No };
}

impl Allowed {
    fn and(self, other: Self) -> Self {
        if self == Self::Yes { other } else { Self::No }
    }
}

fn string(value: Value<'_>, name: &'static str) -> Result<Box<str>, Wrong> {
    value.string().map(|text| text.to_str().into()).ok_or(Wrong::Type(name))
}

/// What is wrong with a JWK, by the member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    Json(Fault),
    /// Of another JSON type, or base64url that is not canonical.
    Type(&'static str),
    Missing(&'static str),
    /// A type of key, or a curve, that does not sign here.
    Unknown(&'static str),
}

impl From<Fault> for Wrong {
    fn from(fault: Fault) -> Self {
        Self::Json(fault)
    }
}

impl From<Wrong> for Error {
    fn from(wrong: Wrong) -> Self {
        match wrong {
            Wrong::Json(Fault::Duplicate) => Error::config(
                "jwk_duplicate",
                "JWK has two members of one name (RFC 7517 section 4)",
            ),
            Wrong::Json(_) => {
                Error::config("jwk_json", "JWK is not a JSON object within our limits")
            }
            Wrong::Type(name) => Error::config(
                "jwk_member",
                format!("{name} of the JWK has another type or is not canonical"),
            ),
            Wrong::Missing(name) => {
                Error::config("jwk_missing", format!("{name} of the JWK is missing"))
            }
            Wrong::Unknown(name) => {
                let text = format!(
                    "{name} of the JWK is another, expected oct, RSA, EC with P-256 or P-384, or OKP with Ed25519"
                );
                Error::config("jwk_kind", text)
            }
        }
    }
}

#[cfg(test)]
mod tests;
