//! `aud`: one string, or an array of strings (RFC 7519 section 4.1.3).

use super::Part;
use crate::{
    JwtRefused,
    json::{Array, Fault, Text, Value},
    reason,
};
use std::{borrow::Cow, ops::Range};

/// An audience that was checked.
#[derive(Default)]
pub(crate) enum Audience {
    #[default]
    Absent,
    One(Part),
    /// Where the array of strings stands.
    Several(Range<usize>),
}

impl Audience {
    pub(super) fn read(value: Value<'_>) -> Result<Self, JwtRefused> {
        match value {
            Value::String(text) => Ok(Self::One(Part::of(text))),
            Value::Array(array) => {
                if any(array, |value| value.string().is_none()) {
                    return Err(reason::AUD_TYPE);
                }
                Ok(Self::Several(array.start..array.start + array.raw.len()))
            }
            _ => Err(reason::AUD_TYPE),
        }
    }

    pub(crate) const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// Whether one of them, within the payload, is wanted.
    pub(crate) fn holds(&self, payload: &str, wanted: &[Box<str>]) -> bool {
        match self {
            Self::Absent => false,
            Self::One(part) => {
                part.within(payload).is_some_and(|one| wanted.iter().any(|wanted| **wanted == *one))
            }
            Self::Several(span) => {
                any_string(payload, span, |text| wanted.iter().any(|wanted| text.means(wanted)))
            }
        }
    }

    /// Whether there is nobody that it names.
    pub(crate) fn is_empty(&self, payload: &str) -> bool {
        match self {
            Self::Absent => true,
            Self::One(_) => false,
            Self::Several(span) => !any_string(payload, span, |_| true),
        }
    }

    pub(super) fn within<'a>(&'a self, payload: &'a str) -> Vec<Cow<'a, str>> {
        match self {
            Self::Absent => Vec::new(),
            Self::One(part) => part.within(payload).map(Cow::Borrowed).into_iter().collect(),
            Self::Several(span) => {
                let mut all = Vec::new();
                any_string(payload, span, |text| {
                    all.push(text.to_str());
                    false
                });
                all
            }
        }
    }
}

fn any_string<'a>(
    payload: &'a str,
    span: &Range<usize>,
    mut test: impl FnMut(Text<'a>) -> bool,
) -> bool {
    let array = Array { raw: payload.get(span.clone()).unwrap_or_default(), start: 0 };
    any(array, |value| value.string().is_some_and(&mut test))
}

fn any<'a>(array: Array<'a>, mut test: impl FnMut(Value<'a>) -> bool) -> bool {
    let mut any = false;
    let each = |value| {
        any = any || test(value);
        Ok::<_, Fault>(())
    };
    // Of an array that was checked nothing is refused here.
    array.elements(each).is_ok() && any
}
