//! Lists of parameters (RFC 9110 section 11.2), read in one pass and written.
//!
//! Challenges come through auth-core's reader, which knows where one ends and the next begins. What has one list alone
//! is read here: credentials and Authentication-Info. Every request pays for it, so it looks at each byte once.

mod scan;

use scan::{before_equals, has_escapes, is_separator, is_space, skip, token, value};
use std::borrow::Cow;

/// Why a list cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Syntax,
    /// A name comes twice: two readers could take different ones.
    Twice,
    /// More than [`MOST`] parameters.
    Many,
    /// A value of more than [`MOST_BYTES`].
    Long,
}

/// The most parameters of a list.
const MOST: usize = 32;
/// The most bytes of a value.
const MOST_BYTES: usize = 4096;

/// The parameters that Digest has a meaning for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DigestParameter {
    Algorithm,
    Charset,
    Cnonce,
    Domain,
    Nc,
    NextNonce,
    Nonce,
    Opaque,
    Qop,
    Realm,
    Response,
    RspAuth,
    Stale,
    Uri,
    UserHash,
    User,
    UserExt,
    Other,
}

impl DigestParameter {
    const KNOWN: [(&'static str, Self); 17] = [
        ("algorithm", Self::Algorithm),
        ("charset", Self::Charset),
        ("cnonce", Self::Cnonce),
        ("domain", Self::Domain),
        ("nc", Self::Nc),
        ("nextnonce", Self::NextNonce),
        ("nonce", Self::Nonce),
        ("opaque", Self::Opaque),
        ("qop", Self::Qop),
        ("realm", Self::Realm),
        ("response", Self::Response),
        ("rspauth", Self::RspAuth),
        ("stale", Self::Stale),
        ("uri", Self::Uri),
        ("userhash", Self::UserHash),
        ("username", Self::User),
        ("username*", Self::UserExt),
    ];

    /// The parameter of this name, if it is one of those that every request has, in lower case as nearly all write it.
    #[inline]
    fn usual(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"algorithm" => Self::Algorithm,
            b"cnonce" => Self::Cnonce,
            b"nc" => Self::Nc,
            b"nonce" => Self::Nonce,
            b"opaque" => Self::Opaque,
            b"qop" => Self::Qop,
            b"realm" => Self::Realm,
            b"response" => Self::Response,
            b"uri" => Self::Uri,
            b"username" => Self::User,
            _ => return None,
        })
    }

    /// The parameter of this name. Names compare without case.
    pub(crate) fn of(name: &[u8]) -> Self {
        Self::usual(name).unwrap_or_else(|| {
            let same = |(known, _): &&(&str, Self)| name.eq_ignore_ascii_case(known.as_bytes());
            Self::KNOWN.iter().find(same).map_or(Self::Other, |(_, known)| *known)
        })
    }

    /// One bit for each name that is known.
    const fn bit(self) -> u32 {
        match self {
            Self::Other => 0,
            Self::Algorithm => 1 << 0,
            Self::Charset => 1 << 1,
            Self::Cnonce => 1 << 2,
            Self::Domain => 1 << 3,
            Self::Nc => 1 << 4,
            Self::NextNonce => 1 << 5,
            Self::Nonce => 1 << 6,
            Self::Opaque => 1 << 7,
            Self::Qop => 1 << 8,
            Self::Realm => 1 << 9,
            Self::Response => 1 << 10,
            Self::RspAuth => 1 << 11,
            Self::Stale => 1 << 12,
            Self::Uri => 1 << 13,
            Self::UserHash => 1 << 14,
            Self::User => 1 << 15,
            Self::UserExt => 1 << 16,
        }
    }
}

/// A value as it was written.
#[derive(Clone, Copy)]
pub(crate) struct Value<'a> {
    /// Without its quotes, escapes kept.
    raw: &'a [u8],
    form: Form,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Token,
    Quoted,
    /// Quoted, with at least one escape.
    Escaped,
}

impl<'a> Value<'a> {
    /// As it was meant: without escapes.
    pub(crate) fn bytes(self) -> Cow<'a, [u8]> {
        if self.form == Form::Escaped { unescape(self.raw) } else { Cow::Borrowed(self.raw) }
    }

    /// Between the quotes, escapes kept.
    pub(crate) const fn raw(self) -> &'a [u8] {
        self.raw
    }

    pub(crate) fn is_quoted(self) -> bool {
        self.form != Form::Token
    }

    /// Is it this word, in any case?
    pub(crate) fn is(self, word: &[u8]) -> bool {
        self.raw.eq_ignore_ascii_case(word)
    }
}

/// What stands between quotes, without its escapes.
pub(crate) fn unescape(raw: &[u8]) -> Cow<'_, [u8]> {
    if !raw.contains(&b'\\') {
        return Cow::Borrowed(raw);
    }
    let mut out = Vec::with_capacity(raw.len());
    let mut bytes = raw.iter().copied();
    while let Some(byte) = bytes.next() {
        out.extend(if byte == b'\\' { bytes.next() } else { Some(byte) });
    }
    Cow::Owned(out)
}

/// Reads all of a list, and hands out each parameter in order.
#[inline]
pub(crate) fn read<'a, E: From<Fault>>(
    list: &'a [u8],
    mut each: impl FnMut(DigestParameter, Value<'a>) -> Result<(), E>,
) -> Result<(), E> {
    // The names that nobody knows, each at its number; at the others there is nothing, which is no name.
    let mut others: [&[u8]; MOST] = [b""; MOST];
    let mut seen = 0_u32;
    let mut rest = skip(list, is_separator);
    let mut count = 0_usize;
    while !rest.is_empty() {
        let Some((before, [slot, ..])) = others.split_at_mut_checked(count) else {
            return Err(Fault::Many.into());
        };
        count += 1;
        let (written, behind) = before_equals(rest).ok_or(Fault::Syntax)?;
        let name = match DigestParameter::usual(written) {
            Some(name) => name,
            None => {
                let written = name_of(written).ok_or(Fault::Syntax)?;
                let name = DigestParameter::of(written);
                if name == DigestParameter::Other {
                    if before.iter().any(|other| other.eq_ignore_ascii_case(written)) {
                        return Err(Fault::Twice.into());
                    }
                    *slot = written;
                }
                name
            }
        };
        let (value, behind) = value(skip(behind, is_space)).ok_or(Fault::Syntax)?;
        if value.raw.len() > MOST_BYTES {
            return Err(Fault::Long.into());
        }
        if seen & name.bit() != 0 {
            return Err(Fault::Twice.into());
        }
        seen |= name.bit();
        each(name, value)?;
        rest = match behind {
            [] => &[],
            // Almost all write it so, and what follows is the next name.
            [b',', b' ', next @ ..] => skip(next, is_separator),
            _ => match skip(behind, is_space) {
                [] => &[],
                [b',', next @ ..] => skip(next, is_separator),
                _ => return Err(Fault::Syntax.into()),
            },
        };
    }
    Ok(())
}

/// A name that is written in an unusual way, or that nobody knows: a token, with whitespace before its `=` or without.
#[cold]
fn name_of(written: &[u8]) -> Option<&[u8]> {
    let (name, behind) = token(written)?;
    skip(behind, is_space).is_empty().then_some(name)
}

/// Appends a value between quotes, with quotes and backslashes in it escaped.
pub(crate) fn write_quoted(value: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    write_escaped(value, out);
    out.push(b'"');
}

/// Appends what stands between the quotes.
#[inline]
pub(crate) fn write_escaped(value: &[u8], out: &mut Vec<u8>) {
    if !has_escapes(value) {
        return out.extend_from_slice(value);
    }
    for byte in value {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(*byte);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use auth_core::{Authorization, Parameters};
    use proptest::prelude::*;

    type Read = Vec<(DigestParameter, String)>;

    fn all(list: &[u8]) -> Result<Read, Fault> {
        let mut all = Vec::new();
        read(list, |name, value| {
            let text = String::from_utf8_lossy(&value.bytes()).into_owned();
            all.push((name, text));
            Ok(())
        })
        .map(|()| all)
    }

    #[track_caller]
    fn check(list: &str, expected: Result<&[(DigestParameter, &str)], Fault>) {
        let expected = expected.map(|all| {
            all.iter().map(|(name, text)| (*name, (*text).to_owned())).collect::<Vec<_>>()
        });
        assert_eq!(all(list.as_bytes()), expected, "{list}");
    }

    #[test]
    fn reads_tokens_and_quoted_strings_in_any_case_and_spacing() {
        check("", Ok(&[]));
        check(" , ,", Ok(&[]));
        check("nc=1", Ok(&[(DigestParameter::Nc, "1")]));
        check(
            "NC =\t1 ,, Realm=\"a, \\\"b\\\"\t\\\\\",",
            Ok(&[(DigestParameter::Nc, "1"), (DigestParameter::Realm, "a, \"b\"\t\\")]),
        );
        check(
            "a=\"\", username*=UTF-8''a",
            Ok(&[(DigestParameter::Other, ""), (DigestParameter::UserExt, "UTF-8''a")]),
        );
        check(
            "realm=\"J\u{e4}s\u{f8}n of somewhere\"",
            Ok(&[(DigestParameter::Realm, "J\u{e4}s\u{f8}n of somewhere")]),
        );
        for (known, name) in DigestParameter::KNOWN {
            assert_eq!(DigestParameter::of(known.as_bytes()), name);
            assert_eq!(DigestParameter::of(known.to_uppercase().as_bytes()), name);
        }
    }

    #[test]
    fn refuses_what_is_not_a_list_of_parameters() {
        for list in [
            "a",
            "a=",
            "=a",
            "a b",
            "a=b c=d",
            "a=\"b",
            "a=\"b\\",
            "a=\"b\\\"",
            "a=\"b\"c",
            "a=b\"c\"",
            "a=\"\n\"",
            "a=\"\\\n\"",
            "a=\"\x7f12345678\"",
            "a=\"12345678\x01\"",
            "a=b;c=d",
            "a==b",
        ] {
            check(list, Err(Fault::Syntax));
        }
    }

    #[test]
    fn refuses_a_name_that_comes_twice_in_any_case() {
        for list in ["nc=1, nc=1", "nc=1, NC=2", "x=1, y=2, X=3", "realm=\"a\", a=b, realm=\"b\""] {
            check(list, Err(Fault::Twice));
        }
        let once: Vec<String> =
            DigestParameter::KNOWN.iter().map(|(name, _)| format!("{name}=1")).collect();
        assert_eq!(all(once.join(", ").as_bytes()).unwrap().len(), DigestParameter::KNOWN.len());
        for (name, _) in DigestParameter::KNOWN {
            let twice = format!("{}, {}=2", once.join(", "), name.to_uppercase());
            check(&twice, Err(Fault::Twice));
        }
    }

    #[test]
    fn refuses_more_parameters_than_anyone_sends() {
        let list = |count| (0..count).map(|n| format!("p{n}=1")).collect::<Vec<_>>().join(",");
        assert_eq!(all(list(32).as_bytes()).unwrap().len(), 32);
        assert_eq!(all(list(33).as_bytes()), Err(Fault::Many));
        let long = |length| format!("realm=\"{}\"", "a".repeat(length));
        assert_eq!(all(long(4096).as_bytes()).unwrap().len(), 1);
        assert_eq!(all(long(4097).as_bytes()), Err(Fault::Long));
    }

    fn by_core(list: &[u8]) -> Option<Read> {
        let field = [b"Digest ", list].concat();
        let read: Parameters<'_> = Authorization::parse(&field).ok()?.parameters().ok()?;
        Some(
            read.map(|parameter| {
                let name = DigestParameter::of(parameter.name.as_bytes());
                (name, String::from_utf8_lossy(&parameter.value.bytes()).into_owned())
            })
            .collect(),
        )
    }

    proptest! {
        /// Two readers of one grammar, and they never differ.
        #[test]
        fn agrees_with_the_reader_of_challenges(list in "([a-zA-Z*]{1,3}( ?= ?| ?)(\"([^\"]|\\\\\"){0,12}\"|[a-z=,]{0,3})[, \t]{0,2}){0,5}") {
            let list = list.trim_start_matches([' ', '\t', ',']);
            let ours = all(list.as_bytes()).ok().filter(|all| !all.is_empty());
            prop_assert_eq!(ours, by_core(list.as_bytes()));
        }

        #[test]
        fn any_bytes_are_read_or_refused(list in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = all(&list);
        }

        #[test]
        fn what_is_written_is_read(value in "[ -~\u{e9}\t]{0,40}") {
            let mut list = b"realm=".to_vec();
            write_quoted(value.as_bytes(), &mut list);
            prop_assert_eq!(all(&list), Ok(vec![(DigestParameter::Realm, value)]));
        }
    }
}
