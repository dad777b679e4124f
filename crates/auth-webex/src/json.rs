//! The one thing that is read of a body: the code of an answer, in one of two envelopes.

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};
use std::{borrow::Cow, fmt};

/// What an answer says of the request as a whole.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Entry<'a> {
    #[serde(borrow)]
    pub(crate) code: Member<'a>,
    #[serde(borrow)]
    pub(crate) description: Member<'a>,
    #[serde(borrow)]
    pub(crate) message: Member<'a>,
    #[serde(borrow)]
    pub(crate) transid: Member<'a>,
}

impl<'a> Entry<'a> {
    /// `{"response": {..}}`, `{"response": [{..}]}` where the first of several entries counts, or the members themselves.
    pub(crate) fn read(body: &'a str) -> Option<Self> {
        if !body.trim_ascii_start().starts_with('{') {
            return None;
        }
        let Envelope { response: First(entry) } = serde_json::from_str(body).ok()?;
        entry.or_else(|| serde_json::from_str(body).ok())
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Envelope<'a> {
    #[serde(borrow)]
    response: First<'a>,
}

/// An object, or the first object of a list. What else there is is passed over, and none of it is kept.
#[derive(Default)]
struct First<'a>(Option<Entry<'a>>);

/// A member that is a text; a code is a number in some samples. One of another type is as if it were not there: it must not
/// hide the code beside it.
#[derive(Default)]
pub(crate) struct Member<'a>(Option<Cow<'a, str>>);

impl Member<'_> {
    pub(crate) fn text(&self) -> Option<&str> {
        self.0.as_deref()
    }

    pub(crate) fn number(&self) -> Option<u32> {
        self.text().filter(|text| text.len() <= 8)?.parse().ok()
    }
}

/// The visitor of a type that takes any JSON, and is empty for what it has no use for.
macro_rules! any_json {
    ($name:ident, $($method:item)*) => {
        impl<'de: 'a, 'a> Deserialize<'de> for $name<'a> {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any($name::default())
            }
        }

        impl<'de: 'a, 'a> Visitor<'de> for $name<'a> {
            type Value = Self;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any JSON")
            }

            fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
                Ok(self)
            }

            fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
                Ok(self)
            }

            fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
                Ok(self)
            }

            fn visit_unit<E>(self) -> Result<Self, E> {
                Ok(self)
            }

            $($method)*
        }
    };
}

any_json! { First,
    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Self, A::Error> {
        Entry::deserialize(MapAccessDeserializer::new(members)).map(|entry| Self(Some(entry)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Self, A::Error> {
        let first = entries.next_element::<Self>()?.unwrap_or_default();
        while entries.next_element::<IgnoredAny>()?.is_some() {}
        Ok(first)
    }
}

any_json! { Member,
    fn visit_u64<E>(self, number: u64) -> Result<Self, E> {
        Ok(Self(Some(number.to_string().into())))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self, E> {
        Ok(Self(Some(text.to_owned().into())))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self, E> {
        Ok(Self(Some(text.into())))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self, A::Error> {
        while elements.next_element::<IgnoredAny>()?.is_some() {}
        Ok(self)
    }
}
