//! The claims that RFC 7519 section 4.1 registers, of the right type or refused.

use super::{
    Part,
    audience::AudienceClaim,
    date::{self, Date},
};
use crate::{
    JwtRefused, json,
    json::{Number, Text, Value},
    reason,
};

/// The registered claims of a payload that was checked whole.
#[derive(Default)]
pub(crate) struct Registered<'a> {
    pub(crate) issuer: Option<Text<'a>>,
    pub(crate) subject: Option<Subject<'a>>,
    pub(crate) audience: Option<AudienceClaim<'a>>,
    pub(crate) expires: Option<Date>,
    pub(crate) not_before: Option<Date>,
    pub(crate) issued_at: Option<Date>,
    pub(crate) id: Option<Text<'a>>,
}

impl<'a> Registered<'a> {
    /// Nothing is said of a claim before all of the document was found good.
    pub(crate) fn read(payload: &'a str) -> Result<Self, JwtRefused> {
        let mut claims = Self::default();
        let mut refused = None;
        let read = json::members(payload, |name, value| {
            refused = refused.or(claims.take(name, value).err());
            Ok(())
        });
        read.map_err(reason::in_claims)?;
        refused.map_or(Ok(claims), Err)
    }

    fn take(&mut self, name: Text<'a>, value: Value<'a>) -> Result<(), JwtRefused> {
        match &*name.to_str() {
            "iss" => self.issuer = Some(value.string().ok_or(reason::ISS_TYPE)?),
            "sub" => self.subject = Some(Subject::read(value)?),
            "aud" => self.audience = Some(AudienceClaim::read(value)?),
            "exp" => self.expires = Some(Date::read(value, &date::EXP)?),
            "nbf" => self.not_before = Some(Date::read(value, &date::NBF)?),
            "iat" => self.issued_at = Some(Date::read(value, &date::IAT)?),
            "jti" => self.id = Some(value.string().ok_or(reason::JTI_TYPE)?),
            _ => {}
        }
        Ok(())
    }
}

/// A string, or a number in digits alone: that is written in one way only.
#[derive(Clone, Copy)]
pub(crate) enum Subject<'a> {
    Text(Text<'a>),
    Number(Number<'a>),
}

impl<'a> Subject<'a> {
    fn read(value: Value<'a>) -> Result<Self, JwtRefused> {
        match value {
            Value::String(text) => Ok(Self::Text(text)),
            Value::Number(number) if number.is_digits() => Ok(Self::Number(number)),
            _ => Err(reason::SUB_TYPE),
        }
    }

    /// As a string: a number in its digits.
    pub(crate) fn text(&self) -> Box<str> {
        match self {
            Self::Text(text) => text.to_str().into(),
            Self::Number(number) => number.raw().into(),
        }
    }

    pub(super) fn part(self) -> Part {
        match self {
            Self::Text(text) => Part::of(Some(text)),
            Self::Number(number) => Part::Unescaped(number.raw().into()),
        }
    }
}
