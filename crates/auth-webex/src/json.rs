//! What is read of a body: the code of an answer and the texts beside it, in one of two envelopes.

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::{borrow::Cow, fmt};

/// The members of an answer that say something, from `{"response": {..}}`, from one of `{"response": [{..}, ..]}`, or from
/// the body itself. Of several entries the first that is refused counts, and the first one where none is.
///
/// A member of another form than the platform's pages have is passed over: it cannot hide the code that stands beside it.
/// Of two members of one name the last counts.
#[derive(Default)]
pub(crate) struct Entry<'a> {
    pub(crate) code: Option<u32>,
    pub(crate) description: Option<Cow<'a, str>>,
    pub(crate) message: Option<Cow<'a, str>>,
    pub(crate) transid: Option<Cow<'a, str>>,
    /// Was another entry of the same list taken, while this one was refused?
    pub(crate) is_partial: bool,
}

impl<'a> Entry<'a> {
    /// What is said of the request as a whole; nothing where the body is no object of JSON.
    pub(crate) fn read(body: &'a str) -> Self {
        let mut reader = serde_json::Deserializer::from_str(body);
        let read = Place::Body.deserialize(&mut reader);
        match read.and_then(|read| reader.end().map(|()| read)) {
            Ok(Value::Object { response: Some(entry), .. } | Value::Object { entry, .. }) => entry,
            _ => Self::default(),
        }
    }

    /// The one of two entries that counts: a refusal is not hidden by what was taken before it.
    fn beside(self, next: Self) -> Self {
        let (kept, other) = match (self.is_refused(), next.is_refused()) {
            (false, true) => (next, self),
            _ => (self, next),
        };
        let is_partial = kept.is_partial || (kept.is_refused() && !other.is_refused());
        Self { is_partial, ..kept }
    }

    /// The platform's codes of refusals and failures begin at 7000.
    fn is_refused(&self) -> bool {
        self.code.is_some_and(|code| code >= 7000)
    }
}

/// A value, as far as answers have it.
enum Value<'a> {
    Number(u32),
    Text(Cow<'a, str>),
    /// With what its member `response` says.
    Object {
        entry: Entry<'a>,
        response: Option<Entry<'a>>,
    },
    /// With the one of its objects that counts.
    Array(Option<Entry<'a>>),
    Other,
}

impl<'a> Value<'a> {
    /// A code is a string everywhere, and a number in some samples.
    fn code(self) -> Option<u32> {
        match self {
            Self::Number(number) => Some(number),
            Self::Text(text) if text.len() <= 8 => text.parse().ok(),
            _ => None,
        }
    }

    fn text(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// One entry, or the one of several that counts.
    fn entry(self) -> Option<Entry<'a>> {
        match self {
            Self::Object { entry, .. } => Some(entry),
            Self::Array(entry) => entry,
            _ => None,
        }
    }
}

/// The names that are read.
#[derive(serde::Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Name {
    Response,
    Code,
    Description,
    Message,
    Transid,
    #[serde(other)]
    Other,
}

/// Where a value stands, which says how much of it is looked at. What is deeper than answers are is passed over without a
/// limit to its depth, so that it hides nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Body,
    /// The member `response` of the body.
    Response,
    /// An element of that.
    Element,
    /// A member of an entry: a text or a number.
    Member,
}

impl<'de> DeserializeSeed<'de> for Place {
    type Value = Value<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Place {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Value<'de>, E> {
        Ok(Value::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Value<'de>, E> {
        Ok(Value::Other)
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value<'de>, E> {
        Ok(u32::try_from(number).map_or(Value::Other, Value::Number))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Value<'de>, E> {
        Ok(Value::Other)
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_unit<E>(self) -> Result<Value<'de>, E> {
        Ok(Value::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value<'de>, A::Error> {
        if self != Self::Response {
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(Value::Other);
        }
        let mut kept: Option<Entry<'de>> = None;
        while let Some(value) = seq.next_element_seed(Self::Element)? {
            if let Value::Object { entry, .. } = value {
                kept = Some(match kept {
                    Some(before) => before.beside(entry),
                    None => entry,
                });
            }
        }
        Ok(Value::Array(kept))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value<'de>, A::Error> {
        if self == Self::Member {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(Value::Other);
        }
        let (mut entry, mut response) = (Entry::default(), None);
        while let Some(name) = map.next_key()? {
            match name {
                Name::Response if self == Self::Body => {
                    response = map.next_value_seed(Self::Response)?.entry();
                }
                Name::Code => entry.code = map.next_value_seed(Self::Member)?.code(),
                Name::Description => entry.description = map.next_value_seed(Self::Member)?.text(),
                Name::Message => entry.message = map.next_value_seed(Self::Member)?.text(),
                Name::Transid => entry.transid = map.next_value_seed(Self::Member)?.text(),
                Name::Response | Name::Other => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(Value::Object { entry, response })
    }
}
