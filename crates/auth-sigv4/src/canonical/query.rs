//! The canonical query.

use crate::encode::{Slash, Text, encode_once, encoded, is_plain_query, is_unreserved};
use smallvec::SmallVec;
use std::cmp::Ordering;

/// The parameters of a query, raw, in canonical order: by the encoded name, then by the encoded value.
#[derive(Clone)]
pub(crate) struct Parameters<'a> {
    all: SmallVec<[Parameter<'a>; 32]>,
    /// The query has only unreserved characters, `%`, `&` and `=`.
    nearly_plain: bool,
}

#[derive(Clone, Copy)]
pub(crate) struct Parameter<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) value: &'a [u8],
    /// Both as they stand in the query, if they do.
    part: &'a [u8],
    /// The encoded form is the raw one, as nearly always: then nothing is looked at twice.
    plain: bool,
}

impl<'a> Parameters<'a> {
    pub(crate) fn of(query: &'a [u8]) -> Self {
        let mut all = Self::unsorted(query);
        all.sort();
        all
    }

    /// In the order of the query; what stands between two `&` is a parameter, unless it is empty.
    pub(crate) fn unsorted(query: &'a [u8]) -> Self {
        let mut all = SmallVec::new();
        let nearly_plain = is_plain_query(query);
        let mut rest = query;
        while !rest.is_empty() {
            let (parameter, behind) = Parameter::first(rest, nearly_plain);
            if !parameter.part.is_empty() {
                all.push(parameter);
            }
            rest = behind;
        }
        Self { all, nearly_plain }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Parameter<'a>> {
        self.all.iter()
    }

    /// One more, whose value is encoded already.
    pub(crate) fn push_encoded(&mut self, name: &'a str, value: &'a [u8]) {
        let name = name.as_bytes();
        self.all.push(Parameter { name, value, part: b"", plain: true });
    }

    /// Is there a raw `+`, which stands for itself here and for a space where a query is read as a form?
    pub(crate) fn has_plus(&self) -> bool {
        !self.nearly_plain && self.all.iter().any(|parameter| parameter.part.contains(&b'+'))
    }

    pub(crate) fn retain(&mut self, keep: impl Fn(&Parameter<'a>) -> bool) {
        self.all.retain(|parameter| keep(parameter));
    }

    pub(crate) fn sort(&mut self) {
        let in_order = self.all.windows(2).all(|pair| match pair {
            [one, next] => one.order(next) != Ordering::Greater,
            _ => true,
        });
        if !in_order {
            self.all.sort_unstable_by(Parameter::order);
        }
    }

    pub(super) fn write(&self, out: &mut Text) {
        for (index, parameter) in self.all.iter().enumerate() {
            if index > 0 {
                out.push(b'&');
            }
            parameter.write(out);
        }
    }
}

impl<'a> Parameter<'a> {
    /// The first one of a query, and what is behind its `&`. Looks at each byte once.
    #[inline]
    fn first(query: &'a [u8], nearly_plain: bool) -> (Self, &'a [u8]) {
        let (mut end, mut equals, mut plain) = (0, None, nearly_plain);
        for byte in query {
            // Letters come behind all that matters.
            if *byte <= b'=' {
                match byte {
                    b'&' => break,
                    b'=' if equals.is_none() => equals = Some(end),
                    b'=' | b'%' => plain = false,
                    _ => {}
                }
            }
            end += 1;
        }
        let (part, behind) = query.split_at_checked(end).unwrap_or((query, b""));
        let (name, value) = part.split_at_checked(equals.unwrap_or(end)).unwrap_or((part, b""));
        let value = value.get(1..).unwrap_or_default();
        (Self { name, value, part, plain }, behind.get(1..).unwrap_or_default())
    }

    fn write(&self, out: &mut Text) {
        if self.plain && self.part.len() > self.name.len() {
            out.extend_from_slice(self.part);
        } else if self.plain {
            out.extend_from_slice(self.name);
            out.push(b'=');
            out.extend_from_slice(self.value);
        } else {
            encode_once(self.name, Slash::Encoded, out);
            out.push(b'=');
            encode_once(self.value, Slash::Encoded, out);
        }
    }

    /// As the encoded forms compare. Where the names differ in an unreserved character on both sides, before anything
    /// that is encoded, they are in the order of those characters.
    fn order(&self, other: &Self) -> Ordering {
        let mut pairs = self.name.iter().zip(other.name);
        match pairs.find(|(one, other)| one != other || !is_unreserved(**one)) {
            Some((one, other)) if is_unreserved(*one) && is_unreserved(*other) => one.cmp(other),
            None if self.name.len() != other.name.len() => self.name.len().cmp(&other.name.len()),
            None if self.plain && other.plain => self.value.cmp(other.value),
            _ => self.order_encoded(other),
        }
    }

    #[cold]
    fn order_encoded(&self, other: &Self) -> Ordering {
        encoded(self.name)
            .cmp(encoded(other.name))
            .then_with(|| encoded(self.value).cmp(encoded(other.value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(query: &str, expected: &str) {
        let mut out = Text::new();
        Parameters::of(query.as_bytes()).write(&mut out);
        assert_eq!(std::str::from_utf8(&out).unwrap(), expected);
    }

    #[test]
    fn sorts_by_what_is_encoded() {
        check("", "");
        check("b=2&a=1", "a=1&b=2");
        check("a=2&a=1&a", "a=&a=1&a=2");
        check("acl", "acl=");
        check("a==b", "a=%3Db");
        check("&&a&&", "a=");
        check("=v", "=v");
        check("a=b+c", "a=b%2Bc");
        // As text `=` and `~` sort after letters and digits, encoded before them.
        check("a%3D=1&aa=2&a~=3", "a%3D=1&aa=2&a~=3");
        check("a-b=1&a=2", "a=2&a-b=1");
        check("a=%7A&a=b&a=%2A", "a=%2A&a=b&a=z");
        check("%C3%A9=1&z=2&%7A=1", "%C3%A9=1&z=1&z=2");
    }

    /// Every name and value encoded, and then sorted.
    fn plainly(query: &str) -> String {
        let encoded = |text: &str| {
            let mut out = Text::new();
            encode_once(text.as_bytes(), Slash::Encoded, &mut out);
            String::from_utf8(out.to_vec()).unwrap()
        };
        let parts = query.split('&').filter(|part| !part.is_empty());
        let mut all: Vec<_> = parts
            .map(|part| part.split_once('=').unwrap_or((part, "")))
            .map(|(name, value)| (encoded(name), encoded(value)))
            .collect();
        all.sort();
        let lines = all.iter().map(|(name, value)| format!("{name}={value}"));
        lines.collect::<Vec<_>>().join("&")
    }

    proptest! {
        #[test]
        fn short_cuts_lead_to_the_same_order(query in "([ab~.+$@\u{e9}]|[&=]|%[2-7][0-9A-Fa-f]){0,24}") {
            check(&query, &plainly(&query));
        }
    }
}
