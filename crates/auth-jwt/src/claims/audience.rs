//! `aud`: one string, or an array of strings (RFC 7519 section 4.1.3).

use super::Part;
use crate::{
    JwtRefused,
    json::{Array, Fault, Text, Value},
    reason,
};
use std::{borrow::Cow, ops::Range};

/// An audience that was checked.
#[derive(Clone, Copy)]
pub(crate) enum AudienceClaim<'a> {
    One(Text<'a>),
    Several(Array<'a>),
}

impl<'a> AudienceClaim<'a> {
    pub(crate) fn read(value: Value<'a>) -> Result<Self, JwtRefused> {
        match value {
            Value::String(text) => Ok(Self::One(text)),
            Value::Array(array) => {
                let strings = |value: Value<'_>| value.string().map(|_| ()).ok_or(NotStrings);
                array.elements(strings).map_err(|NotStrings| reason::AUD_TYPE)?;
                Ok(Self::Several(array))
            }
            _ => Err(reason::AUD_TYPE),
        }
    }

    /// Whether one of them is meant to have it.
    pub(crate) fn holds(self, wanted: &[Box<str>]) -> bool {
        self.any(|audience| wanted.iter().any(|wanted| audience.means(wanted)))
    }

    pub(crate) fn is_empty(self) -> bool {
        !self.any(|_| true)
    }

    fn any(self, mut test: impl FnMut(Text<'a>) -> bool) -> bool {
        match self {
            Self::One(text) => test(text),
            Self::Several(array) => {
                let mut any = false;
                let each = |value: Value<'a>| {
                    any = any || value.string().is_some_and(&mut test);
                    Ok::<_, NotStrings>(())
                };
                array.elements(each).is_ok() && any
            }
        }
    }
}

struct NotStrings;

impl From<Fault> for NotStrings {
    fn from(_: Fault) -> Self {
        Self
    }
}

/// An audience that is kept.
pub(super) enum Audience {
    One(Part),
    /// Where the array stands.
    Several(Range<usize>),
}

impl Audience {
    pub(super) fn of(claim: Option<AudienceClaim<'_>>) -> Self {
        match claim {
            None => Self::One(Part::Absent),
            Some(AudienceClaim::One(text)) => Self::One(Part::of(Some(text))),
            Some(AudienceClaim::Several(array)) => {
                Self::Several(array.start..array.start + array.raw.len())
            }
        }
    }

    pub(super) fn within<'a>(&'a self, text: &'a str) -> Vec<Cow<'a, str>> {
        match self {
            Self::One(part) => part.within(text).map(Cow::Borrowed).into_iter().collect(),
            Self::Several(span) => {
                let array = Array { raw: text.get(span.clone()).unwrap_or_default(), start: 0 };
                let mut all = Vec::new();
                let each = |value: Value<'a>| {
                    all.extend(value.string().map(Text::to_str));
                    Ok::<_, Fault>(())
                };
                if array.elements(each).is_err() {
                    all.clear();
                }
                all
            }
        }
    }
}
