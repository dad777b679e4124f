//! Names outside ASCII: `username*` (RFC 7616 section 3.4, in the notation of RFC 8187).

/// Appends `UTF-8''` and the name, percent-encoded (RFC 8187 section 3.2).
pub(crate) fn write_ext(name: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"UTF-8''");
    for byte in name.bytes() {
        if is_attr_char(byte) {
            out.push(byte);
        } else {
            let nibbles = [byte >> 4, byte & 15];
            out.push(b'%');
            out.extend(nibbles.into_iter().filter_map(|nibble| HEX.get(usize::from(nibble))));
        }
    }
}

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// Reads `charset'language'value` in UTF-8, whatever the language; `None` when it is anything else.
pub(crate) fn read_ext(text: &[u8]) -> Option<String> {
    let mut parts = text.splitn(3, |byte| *byte == b'\'');
    let (charset, language, value) = (parts.next()?, parts.next()?, parts.next()?);
    let is_language = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
    if !charset.eq_ignore_ascii_case(b"UTF-8") || !language.iter().all(is_language) {
        return None;
    }
    let mut name = Vec::with_capacity(value.len());
    let mut rest = value;
    while let [first, behind @ ..] = rest {
        rest = match (first, behind) {
            (b'%', [high, low, behind @ ..]) => {
                name.push(nibble(*high)? << 4 | nibble(*low)?);
                behind
            }
            _ if is_attr_char(*first) => {
                name.push(*first);
                behind
            }
            _ => return None,
        };
    }
    String::from_utf8(name).ok()
}

fn nibble(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// `attr-char` of RFC 8187 section 3.2.1.
const fn is_attr_char(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#' | b'$' | b'&' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(read_ext(text.as_bytes()).as_deref(), expected, "{text}");
    }

    /// The examples of RFC 8187 section 3.2.3 that are UTF-8, and that of RFC 7616 section 3.9.2.
    #[test]
    fn reads_utf_8_alone() {
        check("UTF-8''%c2%a3%20and%20%e2%82%ac%20rates", Some("\u{a3} and \u{20ac} rates"));
        check("UTF-8''J%C3%A4s%C3%B8n%20Doe", Some("J\u{e4}s\u{f8}n Doe"));
        check("utf-8'en-GB'a", Some("a"));
        check("UTF-8''", Some(""));
        for other in [
            "iso-8859-1'en'%A3%20rates",
            "UTF-8'a",
            "a",
            "",
            "UTF-8''%",
            "UTF-8''%4",
            "UTF-8''%4g",
            "UTF-8''%+4",
            "UTF-8''%C3",
            "UTF-8''a b",
            "UTF-8''a'b",
            "UTF-8'\"'a",
            "UTF-8''\u{e9}",
        ] {
            check(other, None);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_and_is_a_token(name in "\\P{Cc}{0,40}") {
            let mut written = Vec::new();
            write_ext(&name, &mut written);
            let tchar = |byte: &u8| byte.is_ascii_alphanumeric() || b"%'".contains(byte) || is_attr_char(*byte);
            prop_assert!(written.iter().all(tchar));
            prop_assert_eq!(read_ext(&written), Some(name));
        }
    }
}
