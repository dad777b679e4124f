//! Percent-encoding.

/// Appends `text`, all but the unreserved characters of RFC 3986 section 2.3 as `%` and two upper-case hex digits.
pub(crate) fn percent_encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(hex_digit(byte >> 4));
            out.push(hex_digit(byte & 15));
        }
    }
}

fn hex_digit(nibble: u8) -> char {
    char::from_digit(nibble.into(), 16).unwrap_or('0').to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_only_unreserved_characters() {
        let mut out = String::new();
        percent_encode("aZ09-._~ /+&=%\u{e9}", &mut out);
        assert_eq!(out, "aZ09-._~%20%2F%2B%26%3D%25%C3%A9");
    }
}
