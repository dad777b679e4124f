//! The members of an answer: of a JSON object, or of a form.

mod json;

use auth_core::{Error, Result};
use http::{HeaderValue, Response, header};
use serde::de::DeserializeSeed;
use std::{borrow::Cow, fmt, ops::Deref};
use zeroize::Zeroizing;

/// Each name stands once. Names and texts are lent by the body, unless an escape stands in them.
pub(crate) struct Members<'a>(Vec<(Cow<'a, str>, Member<'a>)>);

/// A value. What stands in objects and arrays is passed over.
pub(crate) enum Member<'a> {
    Text(Text<'a>),
    Number(Number),
    Truth(bool),
    Null,
    Other,
}

/// Text of the body, or what its escapes stand for.
pub(crate) enum Text<'a> {
    Lent(&'a str),
    Owned(Zeroizing<String>),
}

/// What it is a number of is not known here.
#[derive(Clone, Copy)]
pub(crate) enum Number {
    Unsigned(u64),
    Negative(i64),
    Float(f64),
}

impl<'a> Members<'a> {
    /// More is not the answer of a token endpoint.
    const MOST: usize = 64;

    /// Most answers have no more.
    const USUAL: usize = 8;

    /// Reads the body as its `Content-Type` says; as JSON where that is missing or something else.
    pub(crate) fn read(answer: &'a Response<Vec<u8>>) -> Result<Self> {
        if is_of_type(answer, &[b"application/x-www-form-urlencoded"]) {
            return Self::form(answer.body());
        }
        Self::read_json_of(answer, Self::MOST)
    }

    /// Reads an answer as a JSON object of so many members at most, whatever its `Content-Type` is.
    pub(crate) fn read_json_of(answer: &'a Response<Vec<u8>>, most: usize) -> Result<Self> {
        Self::read_json(answer.body(), most).map_err(|error| {
            // Some servers call their JSON a page, so that is no reason to refuse it.
            if is_of_type(answer, &[b"text/html", b"application/xhtml+xml"]) {
                return not_json("it is a web page; check the URL");
            }
            error
        })
    }

    /// Reads a JSON object of so many members at most.
    pub(crate) fn read_json(body: &'a [u8], most: usize) -> Result<Self> {
        // All of it: what is passed over is held to that as well (RFC 8259 section 8.1).
        let body = std::str::from_utf8(body).map_err(|_| not_json("it is no UTF-8 text"))?;
        let mut json = serde_json::Deserializer::from_str(body);
        let read = json::Object { most }
            .deserialize(&mut json)
            .and_then(|members| json.end().map(|()| members));
        // Its message names a place and what was expected there, never a value.
        read.map_err(|error| not_json(&json::place(&error)))
    }

    fn form(body: &'a [u8]) -> Result<Self> {
        let mut members = Self(Vec::with_capacity(Self::USUAL));
        for (name, value) in url::form_urlencoded::parse(body) {
            members.add(name, Member::Text(value.into()), Self::MOST).map_err(|fault| {
                let text = format!("answer of the server {fault}");
                Error::protocol("oauth2_answer", text)
            })?;
        }
        Ok(members)
    }

    /// Two members of one name would be read in two ways.
    fn add(
        &mut self,
        name: Cow<'a, str>,
        value: Member<'a>,
        most: usize,
    ) -> Result<(), &'static str> {
        if self.find(&name).is_some() {
            return Err("has a member twice");
        }
        if self.0.len() == most {
            return Err("has too many members");
        }
        self.0.push((name, value));
        Ok(())
    }

    pub(crate) fn find(&self, name: &str) -> Option<&Member<'a>> {
        self.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// A value that is text; in a form every value is.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        match self.find(name)? {
            Member::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Member<'a>)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }
}

/// Is an answer said to have one of these media types, with parameters or without?
fn is_of_type(answer: &Response<Vec<u8>>, types: &[&[u8]]) -> bool {
    let said = answer.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    let said = said.unwrap_or_default().trim_ascii_start();
    types.iter().filter_map(|name| Some((name, said.split_at_checked(name.len())?))).any(
        |(name, (kind, rest))| {
            kind.eq_ignore_ascii_case(name)
                && matches!(rest.trim_ascii_start().first(), None | Some(b';'))
        },
    )
}

fn not_json(why: &str) -> Error {
    Error::protocol("oauth2_answer", format!("answer of the server is not JSON: {why}"))
}

impl Member<'_> {
    /// As text, whatever it is; `None` for what is no single value.
    pub(crate) fn text(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Text(text) => Some(Cow::Borrowed(text)),
            Self::Number(number) => Some(Cow::Owned(number.to_string())),
            Self::Truth(true) => Some(Cow::Borrowed("true")),
            Self::Truth(false) => Some(Cow::Borrowed("false")),
            Self::Null | Self::Other => None,
        }
    }
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Lent(text) => text,
            Self::Owned(text) => text,
        }
    }
}

impl<'a> From<Cow<'a, str>> for Text<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        match text {
            Cow::Borrowed(text) => Self::Lent(text),
            Cow::Owned(text) => Self::Owned(Zeroizing::new(text)),
        }
    }
}

impl Number {
    pub(crate) fn value(self) -> f64 {
        match self {
            Self::Unsigned(number) => float(number),
            Self::Negative(number) => -float(number.unsigned_abs()),
            Self::Float(number) => number,
        }
    }
}

fn float(number: u64) -> f64 {
    let half = |number: u64| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
    half(number >> 32) * 4_294_967_296.0 + half(number & 0xFFFF_FFFF)
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsigned(number) => number.fmt(f),
            Self::Negative(number) => number.fmt(f),
            Self::Float(number) => number.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(kind: &str, body: &str, expected: Result<&[(&str, Option<&str>)], &str>) {
        let answer = Response::builder().header("content-type", kind);
        let answer = answer.body(body.as_bytes().to_vec()).unwrap();
        let read = Members::read(&answer);
        let read = read.as_ref().map(|members| {
            members
                .iter()
                .map(|(name, value)| (name.to_owned(), value.text().map(Cow::into_owned)))
                .collect::<Vec<_>>()
        });
        let expected = expected.map(|pairs| {
            pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.map(str::to_owned)))
                .collect::<Vec<_>>()
        });
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
        let read: &[_] = &[("a", Some("x y")), ("b", Some("\u{e9}"))];
        check(form, "a=x+y&b=%C3%A9", Ok(read));
        check("Application/X-WWW-Form-UrlEncoded ;x", "a=x+y&b=%C3%A9", Ok(read));
        check("application/x-www-form-urlencoded-2", "{}", Ok(&[]));
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

    #[test]
    fn a_web_page_is_called_one() {
        let page = "<!DOCTYPE html><title>canary</title>";
        let expected = Err("is not JSON: it is a web page; check the URL");
        for kind in
            ["text/html", "Text/HTML; charset=utf-8", " text/html ;x", "application/xhtml+xml"]
        {
            check(kind, page, expected);
            check(kind, "", expected);
        }
        for kind in ["text/html5", "text/plain", "application/json", "x text/html", ""] {
            check(kind, page, Err("is not JSON: its syntax is wrong, at line 1 column 1"));
        }
    }

    #[test]
    fn what_is_passed_over_is_text_as_well() {
        let answer = Response::new(b"{\"a\":[\"\x80\"]}".to_vec());
        let error = Members::read(&answer).err().unwrap().to_string();
        assert_eq!(error, "protocol: answer of the server is not JSON: it is no UTF-8 text");
    }

    #[test]
    fn a_number_is_what_was_written() {
        for (number, value) in [
            (Number::Unsigned(3600), 3600.0),
            (Number::Unsigned(u64::MAX), 18_446_744_073_709_551_615.0),
            (Number::Unsigned(1_000_000_000_000_000_000), 1e18),
            (Number::Negative(-1), -1.0),
            (Number::Negative(i64::MIN), -9_223_372_036_854_775_808.0),
            (Number::Float(0.5), 0.5),
        ] {
            assert!((number.value() - value).abs() <= value.abs() * 1e-15, "{number}");
        }
    }
}
