//! JSON as strict as a token needs it (RFC 8259, RFC 7493): one pass, bounded, nothing guessed.

mod names;
mod number;
mod scan;
mod text;

pub(crate) use number::{Moment, Number, Rest};
pub(crate) use text::Text;

use scan::Scan;

/// How many objects and arrays may be inside each other, the outermost counted.
pub(crate) const DEPTH: usize = 8;

/// How many members one object may have, unless a policy allows more.
pub(crate) const MEMBERS: usize = 64;

/// Reads a document that is one object, and hands out its members in their order.
///
/// All of the document is checked, also what is inside members that nobody asks for: the syntax, no two members of one
/// name at any level (compared unescaped), [`DEPTH`] and [`MEMBERS`]. When a fault comes late, members before it were
/// handed out already: what was made of them must be thrown away.
pub(crate) fn object<'a, E: From<Fault>>(
    document: &'a [u8],
    each: impl FnMut(Text<'a>, Value<'a>) -> Result<(), E>,
) -> Result<(), E> {
    members(std::str::from_utf8(document).map_err(|_| Fault::Utf8)?, MEMBERS, each)
}

/// As [`object`], of text, whose objects have so many members at most.
pub(crate) fn members<'a, E: From<Fault>>(
    document: &'a str,
    most_members: usize,
    each: impl FnMut(Text<'a>, Value<'a>) -> Result<(), E>,
) -> Result<(), E> {
    let mut scan = Scan::new(document, most_members);
    scan.space();
    if !scan.takes(b'{') {
        return Err(Fault::NotAnObject.into());
    }
    scan.members(1, each)?;
    Ok(scan.end()?)
}

/// What a member or an element is. Strings are what stands between the quotes, numbers what is written.
#[derive(Clone, Copy)]
pub(crate) enum Value<'a> {
    Null,
    Boolean,
    Number(Number<'a>),
    String(Text<'a>),
    Array(Array<'a>),
    Object(Object<'a>),
}

impl<'a> Value<'a> {
    pub(crate) fn string(self) -> Option<Text<'a>> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }
}

/// An array that was checked, to be read.
#[derive(Clone, Copy)]
pub(crate) struct Array<'a> {
    /// From its bracket to its bracket.
    pub(crate) raw: &'a str,
    /// Where it starts in the document.
    pub(crate) start: usize,
}

impl<'a> Array<'a> {
    /// Hands out the elements in their order.
    pub(crate) fn elements<E: From<Fault>>(
        self,
        each: impl FnMut(Value<'a>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut scan = Scan::new(self.raw, usize::MAX);
        scan.takes(b'[');
        scan.elements(1, each)
    }
}

/// An object inside a document that was checked, to be read.
#[derive(Clone, Copy)]
pub(crate) struct Object<'a> {
    /// From its brace to its brace.
    raw: &'a str,
}

impl<'a> Object<'a> {
    /// Hands out the members in their order.
    pub(crate) fn members<E: From<Fault>>(
        self,
        each: impl FnMut(Text<'a>, Value<'a>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut scan = Scan::new(self.raw, usize::MAX);
        scan.takes(b'{');
        scan.members(1, each)
    }
}

/// Why a document is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Utf8,
    NotAnObject,
    Syntax,
    Duplicate,
    Depth,
    Members,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(document: &[u8]) -> Result<Vec<String>, Fault> {
        read_at_most(document, MEMBERS)
    }

    fn read_at_most(document: &[u8], most: usize) -> Result<Vec<String>, Fault> {
        let mut all = Vec::new();
        let text = std::str::from_utf8(document).map_err(|_| Fault::Utf8)?;
        members(text, most, |name, value| {
            all.push(format!("{} {}", name.to_str(), shown(value)?));
            Ok::<_, Fault>(())
        })?;
        Ok(all)
    }

    fn shown(value: Value<'_>) -> Result<String, Fault> {
        Ok(match value {
            Value::Null => "null".into(),
            Value::Boolean => "boolean".into(),
            Value::Number(number) => number.raw().into(),
            Value::String(text) => format!("{:?}", text.to_str()),
            Value::Array(array) => {
                let mut all = Vec::new();
                array.elements(|value| {
                    all.push(shown(value)?);
                    Ok::<_, Fault>(())
                })?;
                format!("[{}]", all.join(" "))
            }
            Value::Object(object) => {
                let mut all = Vec::new();
                object.members(|name, value| {
                    all.push(format!("{}={}", name.to_str(), shown(value)?));
                    Ok::<_, Fault>(())
                })?;
                format!("{{{}}}", all.join(" "))
            }
        })
    }

    #[track_caller]
    fn check(document: &str, expected: Result<&[&str], Fault>) {
        let read = read(document.as_bytes());
        let read = read.as_ref().map(|all| all.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(read.map_err(|fault| *fault), expected.map(<[&str]>::to_vec), "{document}");
    }

    #[test]
    fn hands_out_members_in_their_order() {
        check("{}", Ok(&[]));
        check(" {\t\"a\" : 1 ,\r\n\"b\":\"c\" } ", Ok(&["a 1", "b \"c\""]));
        check(
            r#"{"a":[1,[],{}],"b":{"c":{"d":null}},"e":true,"f":false}"#,
            Ok(&["a [1 [] {}]", "b {c={d=null}}", "e boolean", "f boolean"]),
        );
        check(r#"{"":""}"#, Ok(&[" \"\""]));
    }

    #[test]
    fn unescapes_names_and_strings() {
        check(
            r#"{"\u0069ss":"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00é"}"#,
            Ok(&[&format!("iss {:?}", "\"\\/\u{8}\u{c}\n\r\té😀é")]),
        );
        for wrong in
            [r"\x", r"\u12", r"\u12g4", r"\ud83d", r"\ude00", r"\ud83dx", r"\ud83d\u0041", "\\"]
        {
            check(&format!("{{\"a\":\"{wrong}\"}}"), Err(Fault::Syntax));
        }
        for control in ['\0', '\n', '\t', '\u{1f}'] {
            check(&format!("{{\"a\":\"{control}\"}}"), Err(Fault::Syntax));
        }
        check("{\"a\":\"\u{7f}\"}", Ok(&["a \"\\u{7f}\""]));
    }

    #[test]
    fn refuses_what_is_no_object_or_no_json() {
        for other in ["", " ", "[]", "1", "\"a\"", "null", "\u{feff}{}", "a"] {
            check(other, Err(Fault::NotAnObject));
        }
        for wrong in [
            "{",
            "{}x",
            "{}{}",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{,}",
            "{a:1}",
            "{'a':1}",
            "{\"a\":1 \"b\":2}",
            "{\"a\":[1,]}",
            "{\"a\":[1 2]}",
            "{\"a\":[}",
            "{\"a\":[1}",
            "{\"a\":tru}",
            "{\"a\":truex}",
            "{\"a\":True}",
            "{\"a\":NaN}",
            "{\"a\":\"b}",
            "{\"a",
            "{\"a\":1}\0",
            "{\"a\":1/**/}",
            "{\"a\" 1}",
            "{\"a\":\u{a0}1}",
            "{\"a\":]}",
        ] {
            check(wrong, Err(Fault::Syntax));
        }
        assert_eq!(read(b"{\"a\":\"\xff\"}"), Err(Fault::Utf8));
    }

    #[test]
    fn refuses_numbers_that_json_does_not_have() {
        for good in ["0", "-0", "1", "10", "1.0", "1e400", "1E-5", "0.1e+2", "-1.50"] {
            check(&format!("{{\"a\":{good}}}"), Ok(&[&format!("a {good}")]));
        }
        for wrong in ["01", "-", "+1", ".5", "1.", "1e", "1e+", "--1", "0x1", "1_0", "00", "-01"] {
            check(&format!("{{\"a\":{wrong}}}"), Err(Fault::Syntax));
        }
    }

    #[test]
    fn refuses_two_members_of_one_name_at_any_level() {
        for twice in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"b":2,"a":3}"#,
            r#"{"iss":"a","\u0069ss":"b"}"#,
            r#"{"\u0069ss":"a","iss":"b"}"#,
            r#"{"\u0069ss":"a","is\u0073":"b"}"#,
            r#"{"x":{"a":1,"a":2}}"#,
            r#"{"x":[{"y":[{"a":1,"\u0061":2}]}]}"#,
            r#"{"😀":1,"\ud83d\ude00":2}"#,
        ] {
            check(twice, Err(Fault::Duplicate));
        }
        check(
            r#"{"a":{"a":{"a":1}},"A":[{"a":1},{"a":1}]}"#,
            Ok(&["a {a={a=1}}", "A [{a=1} {a=1}]"]),
        );
        check(r#"{"\\u0061":1,"a":2}"#, Ok(&["\\u0061 1", "a 2"]));
    }

    #[test]
    fn bounds_depth_and_members() {
        let deep = |levels: usize| format!("{}1{}", "{\"a\":".repeat(levels), "}".repeat(levels));
        assert_eq!(read(deep(DEPTH).as_bytes()).map(|_| ()), Ok(()));
        assert_eq!(read(deep(DEPTH + 1).as_bytes()), Err(Fault::Depth));
        let arrays =
            |levels: usize| format!("{{\"a\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
        assert_eq!(read(arrays(DEPTH - 1).as_bytes()).map(|_| ()), Ok(()));
        assert_eq!(read(arrays(DEPTH).as_bytes()), Err(Fault::Depth));
        assert_eq!(read(arrays(1 << 20).as_bytes()), Err(Fault::Depth));

        let wide = |members: usize| {
            let all: Vec<_> = (0..members).map(|at| format!("\"{at}\":1")).collect();
            format!("{{{}}}", all.join(","))
        };
        assert_eq!(read(wide(MEMBERS).as_bytes()).map(|all| all.len()), Ok(MEMBERS));
        assert_eq!(read(wide(MEMBERS + 1).as_bytes()), Err(Fault::Members));
        let nested = |members: usize| format!("{{\"a\":[{}]}}", wide(members));
        assert_eq!(read(nested(MEMBERS).as_bytes()).map(|_| ()), Ok(()));
        assert_eq!(read(nested(MEMBERS + 1).as_bytes()), Err(Fault::Members));
    }

    /// Beyond the usual number names are compared in another way.
    #[test]
    fn an_object_has_as_many_members_as_it_may_and_none_twice() {
        for most in [0, 1, 63, 64, 65, 66, 500] {
            let wide = |members: usize, last: &str| {
                let names = (0..members).map(|at| format!("\"{at}\":1"));
                let all: Vec<_> = names.chain([format!("\"{last}\":1")]).collect();
                format!("{{{}}}", all.join(","))
            };
            let read =
                |document: &str| read_at_most(document.as_bytes(), most).map(|all| all.len());
            if most > 0 {
                assert_eq!(read(&wide(most - 1, "last")), Ok(most));
            }
            assert_eq!(read(&wide(most, "last")), Err(Fault::Members), "{most}");
            assert_eq!(read(&format!("{{\"a\":{}}}", wide(most, "last"))), Err(Fault::Members));
            for twice in (0..most.saturating_sub(1)).flat_map(|at| {
                let escaped: String =
                    at.to_string().bytes().map(|byte| format!("\\u00{byte:02x}")).collect();
                [at.to_string(), escaped]
            }) {
                assert_eq!(read(&wide(most - 1, &twice)), Err(Fault::Duplicate), "{most} {twice}");
            }
        }
    }

    /// Text that is JSON more often than chance would have it.
    fn nearly() -> impl Strategy<Value = String> {
        let pieces = prop::sample::select(vec![
            "{",
            "}",
            "[",
            "]",
            ":",
            ",",
            "\"a\"",
            "\"\\u0061\"",
            "\"\\ud83d\\ude00\"",
            "1",
            "-0.5e3",
            "true",
            "null",
            " ",
            "\\",
            "\"",
        ]);
        prop::collection::vec(pieces, 0..24).prop_map(|pieces| format!("{{{}}}", pieces.concat()))
    }

    proptest! {
        /// Whatever this accepts another reader accepts; whatever that one accepts and this refuses has a reason of ours.
        #[test]
        fn agrees_with_serde_json(text in nearly()) {
            let theirs = serde_json::from_str::<serde_json::Value>(&text);
            match read(text.as_bytes()) {
                Ok(_) => prop_assert!(theirs.is_ok(), "{}", text),
                Err(Fault::Syntax) => prop_assert!(theirs.is_err(), "{}", text),
                Err(_) => {}
            }
        }

        #[test]
        fn reads_any_string_that_serde_json_writes(name in any::<String>(), string in any::<String>()) {
            let document = serde_json::json!({ &name: &string }).to_string();
            let mut found = None;
            object(document.as_bytes(), |name, value| {
                found = value.string().map(|text| (name.to_str().into_owned(), text.to_str().into_owned()));
                Ok::<_, Fault>(())
            })
            .unwrap();
            prop_assert_eq!(found, Some((name, string)));
        }

        #[test]
        fn any_bytes_come_to_an_end(bytes in any::<Vec<u8>>()) {
            let _ = read(&bytes);
            let _ = read(&[b"{\"", &bytes[..]].concat());
        }
    }
}
