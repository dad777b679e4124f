//! How members are read from JSON.

use super::{Member, Members, Number, Text};
use serde::de::{Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use std::{borrow::Cow, fmt};
use zeroize::Zeroizing;

/// Where and how, without what was there.
pub(super) fn place(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        serde_json::error::Category::Eof => "it ends too early",
        serde_json::error::Category::Data => {
            "it is no object of members, each named once, or has too many"
        }
        serde_json::error::Category::Syntax | serde_json::error::Category::Io => {
            "its syntax is wrong"
        }
    };
    format!("{what}, at line {} column {}", error.line(), error.column())
}

/// An object of so many members at most.
pub(super) struct Object {
    pub(super) most: usize,
}

impl<'de> DeserializeSeed<'de> for Object {
    type Value = Members<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Members(Vec::with_capacity(Members::USUAL));
        while let Some((Name(name), value)) = map.next_entry()? {
            members.add(name, value, self.most).map_err(serde::de::Error::custom)?;
        }
        Ok(members)
    }
}

struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(name)))
            }

            fn visit_str<E>(self, name: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }
        }
        deserializer.deserialize_str(Any)
    }
}

impl<'de> Deserialize<'de> for Member<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Member<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any value")
            }

            fn visit_bool<E>(self, truth: bool) -> Result<Member<'de>, E> {
                Ok(Member::Truth(truth))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Member<'de>, E> {
                Ok(Member::Number(Number::Negative(number)))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Member<'de>, E> {
                Ok(Member::Number(Number::Unsigned(number)))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Member<'de>, E> {
                Ok(Member::Number(Number::Float(number)))
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Member<'de>, E> {
                Ok(Member::Text(Text::Lent(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Member<'de>, E> {
                Ok(Member::Text(Text::Owned(Zeroizing::new(text.to_owned()))))
            }

            fn visit_unit<E>(self) -> Result<Member<'de>, E> {
                Ok(Member::Null)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Member<'de>, A::Error> {
                while seq.next_element::<serde::de::IgnoredAny>()?.is_some() {}
                Ok(Member::Other)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Member<'de>, A::Error> {
                while map.next_entry::<serde::de::IgnoredAny, serde::de::IgnoredAny>()?.is_some() {}
                Ok(Member::Other)
            }
        }
        deserializer.deserialize_any(Any)
    }
}
