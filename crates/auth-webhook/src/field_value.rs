//! What stands in a field of an authorization: a literal, or the name of a source.

use crate::SecretSources;
use auth_core::{Error, Flow, Result, Secret};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{fmt, sync::Arc};
use zeroize::Zeroizing;

/// The value of a field: a literal, or the name of a secret source that is asked at each send.
///
/// In a configuration a literal is a string, and a source is `{ "source": "crm-password" }`. A secret that was read is never
/// written again unless it is asked for: in its place stands `{ "hidden": true }`. An edit that brings this form back
/// keeps what was there before.
///
/// ```
/// use auth_webhook::FieldValue;
/// let named: FieldValue = serde_json::from_str(r#"{"source":"crm-password"}"#).unwrap();
/// assert_eq!(named.source(), Some("crm-password"));
/// ```
#[derive(Clone)]
pub struct FieldValue(pub(crate) Kind);

#[derive(Clone)]
pub(crate) enum Kind {
    Literal(Arc<Secret>),
    Source(Arc<str>),
    Hidden,
}

impl FieldValue {
    /// This very value.
    pub fn literal(value: impl Into<Secret>) -> Self {
        Self(Kind::Literal(Arc::new(value.into())))
    }

    /// What the source of this name gives at each send.
    pub fn from_source(name: impl Into<Arc<str>>) -> Self {
        Self(Kind::Source(name.into()))
    }

    /// The name of its source; `None` where it is a literal.
    #[must_use]
    pub fn source(&self) -> Option<&str> {
        match &self.0 {
            Kind::Source(name) => Some(name),
            _ => None,
        }
    }

    /// The literal; `None` where it comes from a source, or is hidden.
    #[must_use]
    pub fn expose(&self) -> Option<&Secret> {
        match &self.0 {
            Kind::Literal(secret) => Some(secret),
            _ => None,
        }
    }

    /// It stands for a secret that was there before.
    pub(crate) const fn hidden() -> Self {
        Self(Kind::Hidden)
    }

    /// Does it stand for a secret that was there before?
    #[must_use]
    pub const fn is_hidden(&self) -> bool {
        matches!(self.0, Kind::Hidden)
    }

    /// The value as it is now. `field` is named in the error.
    pub(crate) fn resolve<'a>(
        &self,
        field: &str,
        sources: &'a SecretSources,
    ) -> Flow<'a, Arc<Secret>> {
        match &self.0 {
            Kind::Literal(secret) => Flow::ready(Arc::clone(secret)),
            Kind::Source(name) => sources.ask(field, name),
            Kind::Hidden => Flow::failed(hidden(field)),
        }
    }
}

fn hidden(field: &str) -> Error {
    let text = format!(
        "{field} is hidden, and nothing was there before or it would be sent to another URL; write its value"
    );
    Error::config("webhook_field_hidden", text)
}

/// The text of a value that is sent as text.
pub(crate) fn text<'a>(field: &str, value: &'a Secret) -> Result<&'a str> {
    value.expose_text().ok_or_else(|| {
        Error::config("webhook_field_text", format!("{field} is not UTF-8; give it as text"))
    })
}

impl From<&str> for FieldValue {
    fn from(literal: &str) -> Self {
        Self::literal(literal)
    }
}

/// Equal as configurations are: the same literal, the same source. A hidden value is equal to a hidden value alone.
impl PartialEq for FieldValue {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Kind::Literal(one), Kind::Literal(two)) => one.matches(two.expose()),
            (Kind::Source(one), Kind::Source(two)) => one == two,
            (Kind::Hidden, Kind::Hidden) => true,
            _ => false,
        }
    }
}

/// Shows the name of a source, and nothing of a literal.
impl fmt::Debug for FieldValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Literal(_) => f.write_str("Literal(..)"),
            Kind::Source(name) => write!(f, "Source({name:?})"),
            Kind::Hidden => f.write_str("Hidden"),
        }
    }
}

/// How a value stands in a configuration.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Other {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hidden: Option<bool>,
}

const EXPECTED: &str =
    "expected a string, { \"source\": NAME } or { \"hidden\": true }, and found something else";

impl<'de> Deserialize<'de> for FieldValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // What stood there is not repeated: it may be a secret in the wrong form.
        deserializer.deserialize_any(Reads).map(Self).map_err(|_| de::Error::custom(EXPECTED))
    }
}

/// Reads a string or an object. A list is neither, though its first item could be taken for the name of a source.
struct Reads;

impl<'de> de::Visitor<'de> for Reads {
    type Value = Kind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(EXPECTED)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Kind, E> {
        Ok(Kind::Literal(Arc::new(Secret::new(text.as_bytes()))))
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Kind, E> {
        self.visit_str(&Zeroizing::new(text))
    }

    fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Kind, A::Error> {
        match Other::deserialize(de::value::MapAccessDeserializer::new(map))? {
            Other { source: Some(name), hidden: None } if !name.is_empty() => {
                Ok(Kind::Source(name.into()))
            }
            Other { source: None, hidden: Some(true) } => Ok(Kind::Hidden),
            _ => Err(de::Error::custom(EXPECTED)),
        }
    }
}

impl Serialize for FieldValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let other = match &self.0 {
            Kind::Literal(secret) => {
                let wrong = || serde::ser::Error::custom("a value is not UTF-8");
                return serializer.serialize_str(secret.expose_text().ok_or_else(wrong)?);
            }
            Kind::Source(name) => Other { source: Some(name.to_string()), hidden: None },
            Kind::Hidden => Other { source: None, hidden: Some(true) },
        };
        other.serialize(serializer)
    }
}
