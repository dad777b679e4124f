//! The members of an answer: of a JSON object, or of a form.

use auth_core::{Error, Result};
use http::{Response, header};
use serde::de::{Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use std::fmt;
use zeroize::Zeroizing;

/// Each name stands once.
pub(crate) struct Members(Vec<(String, Member)>);

/// A value. What stands in objects and arrays is passed over.
#[derive(Debug, PartialEq)]
pub(crate) enum Member {
    Text(Zeroizing<String>),
    /// As text: what it is a number of is not known here.
    Number(String),
    Truth(bool),
    Null,
    Other,
}

impl Members {
    /// More is not the answer of a token endpoint.
    const MOST: usize = 64;

    /// Reads the body as its `Content-Type` says; as JSON where that is missing or something else.
    pub(crate) fn read(answer: &Response<Vec<u8>>) -> Result<Self> {
        let kind = answer.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
        if kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Self::form(answer.body());
        }
        Self::read_json(answer.body(), Self::MOST)
    }

    /// Reads a JSON object of so many members at most.
    pub(crate) fn read_json(body: &[u8], most: usize) -> Result<Self> {
        let mut json = serde_json::Deserializer::from_slice(body);
        let read =
            Object { most }.deserialize(&mut json).and_then(|members| json.end().map(|()| members));
        // Its message names a place and what was expected there, never a value.
        read.map_err(|error| {
            let text = format!("answer of the server is not JSON: {}", place(&error));
            Error::protocol("oauth2_answer", text)
        })
    }

    fn form(body: &[u8]) -> Result<Self> {
        let mut members = Self(Vec::new());
        for (name, value) in url::form_urlencoded::parse(body) {
            let value = Member::Text(Zeroizing::new(value.into_owned()));
            members.add(name.into_owned(), value, Self::MOST).map_err(|fault| {
                let text = format!("answer of the server {fault}");
                Error::protocol("oauth2_answer", text)
            })?;
        }
        Ok(members)
    }

    /// Two members of one name would be read in two ways.
    fn add(&mut self, name: String, value: Member, most: usize) -> Result<(), &'static str> {
        if self.find(&name).is_some() {
            return Err("has a member twice");
        }
        if self.0.len() == most {
            return Err("has too many members");
        }
        self.0.push((name, value));
        Ok(())
    }

    pub(crate) fn find(&self, name: &str) -> Option<&Member> {
        self.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// A value that is text; in a form every value is.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        match self.find(name)? {
            Member::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Member)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }
}

impl Member {
    /// As text, whatever it is; `None` for what is no single value.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Number(number) => Some(number),
            Self::Truth(true) => Some("true"),
            Self::Truth(false) => Some("false"),
            Self::Null | Self::Other => None,
        }
    }
}

/// Where and how, without what was there.
fn place(error: &serde_json::Error) -> String {
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
struct Object {
    most: usize,
}

impl<'de> DeserializeSeed<'de> for Object {
    type Value = Members;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Members, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = Members(Vec::new());
        while let Some((name, value)) = map.next_entry()? {
            members.add(name, value, self.most).map_err(serde::de::Error::custom)?;
        }
        Ok(members)
    }
}

impl<'de> Deserialize<'de> for Member {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Member;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any value")
            }

            fn visit_bool<E>(self, truth: bool) -> Result<Member, E> {
                Ok(Member::Truth(truth))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Member, E> {
                Ok(Member::Number(number.to_string()))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Member, E> {
                Ok(Member::Number(number.to_string()))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Member, E> {
                Ok(Member::Number(number.to_string()))
            }

            fn visit_str<E>(self, text: &str) -> Result<Member, E> {
                Ok(Member::Text(Zeroizing::new(text.to_owned())))
            }

            fn visit_unit<E>(self) -> Result<Member, E> {
                Ok(Member::Null)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Member, A::Error> {
                while seq.next_element::<serde::de::IgnoredAny>()?.is_some() {}
                Ok(Member::Other)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Member, A::Error> {
                while map.next_entry::<serde::de::IgnoredAny, serde::de::IgnoredAny>()?.is_some() {}
                Ok(Member::Other)
            }
        }
        deserializer.deserialize_any(Any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(kind: &str, body: &str, expected: Result<&[(&str, Option<&str>)], &str>) {
        let answer = Response::builder().header("content-type", kind);
        let read = Members::read(&answer.body(body.as_bytes().to_vec()).unwrap());
        let read = read.as_ref().map(|members| {
            members.iter().map(|(name, value)| (name, value.text())).collect::<Vec<_>>()
        });
        let expected = expected
            .map(|pairs| pairs.iter().map(|(name, value)| (*name, *value)).collect::<Vec<_>>());
        let expected = expected.map_err(|text| format!("protocol: answer of the server {text}"));
        assert_eq!(read.map_err(ToString::to_string), expected, "{body}");
    }

    #[test]
    fn reads_json_whatever_it_is_called_and_forms_by_their_name() {
        let json = r#"{"a":"x","b":1,"c":-1.5,"d":true,"e":null,"f":[1,{"a":2}],"g":{"a":3}}"#;
        let expected: &[_] = &[
            ("a", Some("x")),
            ("b", Some("1")),
            ("c", Some("-1.5")),
            ("d", Some("true")),
            ("e", None),
            ("f", None),
            ("g", None),
        ];
        for kind in ["application/json", "text/html; charset=utf-8", ""] {
            check(kind, json, Ok(expected));
        }
        let form = "application/x-www-form-urlencoded; charset=utf-8";
        check(form, "a=x+y&b=%C3%A9", Ok(&[("a", Some("x y")), ("b", Some("\u{e9}"))]));
        check(form, "", Ok(&[]));
    }

    #[test]
    fn says_where_an_answer_is_wrong_and_never_what_stood_there() {
        let json = "application/json";
        check(json, "", Err("is not JSON: it ends too early, at line 1 column 0"));
        check(json, "{\"a\":\"can", Err("is not JSON: it ends too early, at line 1 column 9"));
        check(json, "<canary>", Err("is not JSON: its syntax is wrong, at line 1 column 1"));
        let data = "is not JSON: it is no object of members, each named once, or has too many, at line 1 column";
        check(json, "[\"canary\"]", Err(&format!("{data} 0")));
        check(json, r#"{"a":"canary","a":1}"#, Err(&format!("{data} 20")));
        let form = "application/x-www-form-urlencoded";
        check(form, "a=1&a=2", Err("has a member twice"));
        let many: Vec<String> = (0..65).map(|n| format!("a{n}=1")).collect();
        check(form, &many.join("&"), Err("has too many members"));
    }
}
