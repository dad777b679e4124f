//! The canonical query.

use super::Text;
use crate::encode::{Slash, encode_once, encoded, is_plain};
use smallvec::SmallVec;
use std::cmp::Ordering;

/// The parameters of a query, raw, in canonical order: by the encoded name, then by the encoded value.
#[derive(Clone)]
pub(crate) struct Parameters<'a>(SmallVec<[Parameter<'a>; 32]>);

#[derive(Clone, Copy)]
pub(crate) struct Parameter<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) value: &'a [u8],
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
        if !query.is_empty() {
            let parts = query.split(|byte| *byte == b'&').filter(|part| !part.is_empty());
            all.extend(parts.map(Parameter::of));
        }
        Self(all)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Parameter<'a>> {
        self.0.iter()
    }

    pub(crate) fn push(&mut self, name: &'a [u8], value: &'a [u8]) {
        self.0.push(Parameter { name, value });
    }

    pub(crate) fn retain(&mut self, keep: impl Fn(&Parameter<'a>) -> bool) {
        self.0.retain(|parameter| keep(parameter));
    }

    pub(crate) fn sort(&mut self) {
        let in_order = self.0.windows(2).all(|pair| match pair {
            [one, next] => one.order(next) != Ordering::Greater,
            _ => true,
        });
        if !in_order {
            self.0.sort_unstable_by(Parameter::order);
        }
    }

    pub(super) fn write(&self, out: &mut Text) {
        for (index, parameter) in self.0.iter().enumerate() {
            if index > 0 {
                out.push(b'&');
            }
            encode_once(parameter.name, Slash::Encoded, out);
            out.push(b'=');
            encode_once(parameter.value, Slash::Encoded, out);
        }
    }
}

impl<'a> Parameter<'a> {
    fn of(part: &'a [u8]) -> Self {
        match part.iter().position(|byte| *byte == b'=') {
            Some(end) => {
                let (name, value) = part.split_at(end);
                Self { name, value: value.get(1..).unwrap_or_default() }
            }
            None => Self { name: part, value: b"" },
        }
    }

    fn order(&self, other: &Self) -> Ordering {
        order(self.name, other.name).then_with(|| order(self.value, other.value))
    }
}

/// As the encoded forms compare, byte by byte.
fn order(one: &[u8], other: &[u8]) -> Ordering {
    if is_plain(one) && is_plain(other) {
        return one.cmp(other);
    }
    encoded(one).cmp(encoded(other))
}

#[cfg(test)]
mod tests {
    use super::*;

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
        check("%C3%A9=1&z=2&%7A=1", "%C3%A9=1&z=1&z=2");
    }
}
