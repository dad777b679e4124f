//! The claims that RFC 7519 section 4.1 registers, of the right type or refused.

use super::{
    Part,
    audience::Audience,
    date::{self, Date},
};
use crate::{
    JwtPolicy, JwtRefused, SignerClaim, json,
    json::{Text, Value},
    reason,
};

/// The claims of a payload that was checked whole, in one pass, and that no policy has judged. A payload is read before
/// its signature is proven, since a claim names the signer: nothing of it may be believed then.
pub(crate) struct ReadClaims {
    pub(super) text: String,
    registered: Registered,
}

#[derive(Default)]
struct Registered {
    issuer: Part,
    subject: Subject,
    audience: Audience,
    expires: Option<Date>,
    not_before: Option<Date>,
    issued_at: Option<Date>,
    id: Part,
    /// The claim that the policy has named for it.
    signer: Part,
}

/// A string, or a number in digits alone: that is written in one way only.
#[derive(Default)]
enum Subject {
    #[default]
    Absent,
    Text(Part),
    Number(Box<str>),
}

/// Of which JSON type a subject is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum SubjectType {
    Text,
    Number,
}

impl ReadClaims {
    /// Nothing is said of a claim before all of the document was found good.
    pub(crate) fn read(payload: Vec<u8>, policy: &JwtPolicy) -> Result<Self, JwtRefused> {
        let text = String::from_utf8(payload).map_err(|_| reason::CLAIMS_UTF8)?;
        let mut registered = Registered::default();
        let signer = match policy.signer() {
            SignerClaim::Issuer | SignerClaim::Subject => None,
            SignerClaim::Named(name) => Some(name),
        };
        let mut refused = None;
        let read = json::members(&text, policy.most_members(), |name, value| {
            refused = refused.or(registered.take(name, value, signer).err());
            Ok(())
        });
        read.map_err(reason::in_claims)?;
        match refused {
            None if signer.is_some() && registered.signer.is_absent() => {
                Err(reason::SIGNER_MISSING)
            }
            None => Ok(Self { text, registered }),
            Some(refused) => Err(refused),
        }
    }

    /// The name of the signer, as far as the token says it.
    pub(crate) fn signer(&self, claim: SignerClaim) -> Option<&str> {
        match claim {
            SignerClaim::Issuer => self.issuer(),
            SignerClaim::Subject => self.subject(),
            SignerClaim::Named(_) => self.registered.signer.within(&self.text),
        }
    }

    pub(crate) fn issuer(&self) -> Option<&str> {
        self.registered.issuer.within(&self.text)
    }

    /// A number is given in its digits.
    pub(crate) fn subject(&self) -> Option<&str> {
        match &self.registered.subject {
            Subject::Absent => None,
            Subject::Text(part) => part.within(&self.text),
            Subject::Number(digits) => Some(digits),
        }
    }

    pub(crate) const fn subject_type(&self) -> Option<SubjectType> {
        match self.registered.subject {
            Subject::Absent => None,
            Subject::Text(_) => Some(SubjectType::Text),
            Subject::Number(_) => Some(SubjectType::Number),
        }
    }

    pub(crate) const fn audience(&self) -> &Audience {
        &self.registered.audience
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) const fn expires(&self) -> Option<Date> {
        self.registered.expires
    }

    pub(crate) const fn not_before(&self) -> Option<Date> {
        self.registered.not_before
    }

    pub(crate) const fn issued_at(&self) -> Option<Date> {
        self.registered.issued_at
    }

    pub(crate) fn id(&self) -> Option<&str> {
        self.registered.id.within(&self.text)
    }
}

impl Registered {
    fn take(
        &mut self,
        name: Text<'_>,
        value: Value<'_>,
        signer: Option<&str>,
    ) -> Result<(), JwtRefused> {
        let text = |refused| value.string().map(Part::of).ok_or(refused);
        let unescaped;
        let name = match name.plain() {
            Some(name) => name,
            None => {
                unescaped = name.to_str();
                &unescaped
            }
        };
        if signer == Some(name) {
            self.signer = text(reason::SIGNER_TYPE)?;
        }
        match name {
            "iss" => self.issuer = text(reason::ISS_TYPE)?,
            "sub" => self.subject = Subject::read(value)?,
            "aud" => self.audience = Audience::read(value)?,
            "exp" => self.expires = Some(Date::read(value, &date::EXP)?),
            "nbf" => self.not_before = Some(Date::read(value, &date::NBF)?),
            "iat" => self.issued_at = Some(Date::read(value, &date::IAT)?),
            "jti" => self.id = text(reason::JTI_TYPE)?,
            _ => {}
        }
        Ok(())
    }
}

impl Subject {
    fn read(value: Value<'_>) -> Result<Self, JwtRefused> {
        match value {
            Value::String(text) => Ok(Self::Text(Part::of(text))),
            Value::Number(number) if number.is_digits() => Ok(Self::Number(number.raw().into())),
            _ => Err(reason::SUB_TYPE),
        }
    }
}
