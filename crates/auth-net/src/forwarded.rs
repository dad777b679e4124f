//! `Forwarded` (RFC 7239 section 4):
//!
//! ```text
//! Forwarded         = 1#forwarded-element
//! forwarded-element = [ forwarded-pair ] *( ";" [ forwarded-pair ] )
//! forwarded-pair    = token "=" ( token / quoted-string )
//! ```

use std::net::IpAddr;

use crate::client_address::UnknownReason;
use crate::node;

/// Where the last element begins: just after this comma, the last one outside quotes.
///
/// Found from the right, so that a quote which a client leaves open cannot swallow what the
/// proxies append. In a well-formed element an opening quote follows `=` and a quote inside
/// follows a backslash, so neither can be taken for the other.
pub(crate) fn last_comma(list: &[u8]) -> Option<usize> {
    let mut quoted = false;
    let mut bytes = list.iter().enumerate().rev().peekable();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' if quoted => quoted = bytes.peek().is_some_and(|(_, before)| **before == b'\\'),
            b'"' => quoted = true,
            b',' if !quoted => return Some(at),
            _ => {}
        }
    }
    None
}

/// The canonical address in the `for` parameter of one element.
pub(crate) fn address(element: &[u8]) -> Result<IpAddr, UnknownReason> {
    let value = for_value(element.trim_ascii()).ok_or(UnknownReason::Malformed)?;
    let mut buffer = [0_u8; NODE_BYTES];
    let node = unescape(value.ok_or(UnknownReason::Missing)?, &mut buffer)
        .and_then(|node| std::str::from_utf8(node).ok())
        .ok_or(UnknownReason::Malformed)?;
    node::address(node)
}

/// Longer than any address with brackets and a port.
const NODE_BYTES: usize = 64;

/// Reads a whole element: `None` if it does not fit the grammar or has two `for` parameters,
/// else the value of `for` if there is one, its quotes removed and its escapes still in place.
fn for_value(element: &[u8]) -> Option<Option<&[u8]>> {
    let mut found = None;
    let mut rest = element;
    loop {
        if !matches!(rest.first(), None | Some(b';')) {
            let (name, after_name) = token(rest)?;
            let (value, after_value) = match after_name.strip_prefix(b"=")? {
                [b'"', quoted @ ..] => quoted_string(quoted)?,
                plain => token(plain)?,
            };
            if name.eq_ignore_ascii_case(b"for") && found.replace(value).is_some() {
                return None;
            }
            rest = after_value;
        }
        match rest {
            [] => return Some(found),
            [b';', after @ ..] => rest = after,
            _ => return None,
        }
    }
}

/// A token (RFC 9110 section 5.6.2) and what follows it.
fn token(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|&byte| !is_token(byte)).unwrap_or(bytes.len());
    if end == 0 { None } else { bytes.split_at_checked(end) }
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// The inside of a quoted-string (RFC 9110 section 5.6.4) whose opening quote has been read, and
/// what follows its closing quote.
fn quoted_string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut escaped = false;
    for (at, &byte) in bytes.iter().enumerate() {
        match byte {
            0..=8 | 10..=31 | 127 => return None,
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some((bytes.get(..at)?, bytes.get(at.saturating_add(1)..)?)),
            _ => {}
        }
    }
    None
}

/// Copies the text without the backslashes of its escapes; `None` if it does not fit.
fn unescape<'b>(text: &[u8], buffer: &'b mut [u8; NODE_BYTES]) -> Option<&'b [u8]> {
    let mut length = 0_usize;
    let mut escaped = false;
    for &byte in text {
        escaped = byte == b'\\' && !escaped;
        if !escaped {
            *buffer.get_mut(length)? = byte;
            length = length.saturating_add(1);
        }
    }
    buffer.get(..length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_at_commas_outside_quotes() {
        #[track_caller]
        fn check(list: &str, expected: Option<usize>) {
            assert_eq!(last_comma(list.as_bytes()), expected, "{list}");
        }
        check("", None);
        check("for=192.0.2.43", None);
        check("for=192.0.2.43,for=198.51.100.17", Some(14));
        check("for=192.0.2.43;host=\"a,b\"", None);
        check("a=b,for=192.0.2.43;host=\"a,b\"", Some(3));
        check(r#"a=b,host="a\",b""#, Some(3));
        check(r#"a=b,host="a,\\""#, Some(3));
        check(r#"a=b,host="\",\"""#, Some(3));
        check(r#"a=b,host="";for="[::1]""#, Some(3));
        check("for=\",for=192.0.2.43", Some(5));
        check("for=\"\\,for=192.0.2.43", Some(6));
        check("x=\", y=\"\",for=192.0.2.43;host=\"a,b\"", Some(9));
    }

    #[test]
    fn reads_the_for_parameter() {
        #[track_caller]
        fn check(element: &str, expected: &str) {
            assert_eq!(address(element.as_bytes()), Ok(expected.parse().unwrap()));
        }
        check("for=192.0.2.43", "192.0.2.43");
        check("  for=192.0.2.43\t", "192.0.2.43");
        check("for=\"192.0.2.43\"", "192.0.2.43");
        check("for=\"192.0.2.43:47011\"", "192.0.2.43");
        check("for=\"192.0.2.43:_secret\"", "192.0.2.43");
        check("For=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17");
        check("FOR=\"[2001:DB8:CAFE::17]\"", "2001:db8:cafe::17");
        check("for=\"[::ffff:192.0.2.43]:80\"", "192.0.2.43");
        check("for=192.0.2.60;proto=http;by=203.0.113.43", "192.0.2.60");
        check("proto=http;by=\"[::1]:80\";for=192.0.2.60", "192.0.2.60");
        check("host=\"a,b;for=10.0.0.1\\\"\";for=192.0.2.60", "192.0.2.60");
        check("host=\"caf\u{e9}\\\u{e9}\t\";for=192.0.2.60", "192.0.2.60");
        check(";for=192.0.2.60;;x=y;", "192.0.2.60");
        check("before=10.0.0.1;for=192.0.2.60", "192.0.2.60");
        check("for=\"\\1\\9\\2.0.2.43\"", "192.0.2.43");
        check("for=\"\\[2001:db8\\:\\:17\\]\"", "2001:db8::17");
    }

    #[test]
    fn refuses_what_does_not_fit_the_grammar() {
        #[track_caller]
        fn check(element: &str) {
            assert_eq!(address(element.as_bytes()), Err(UnknownReason::Malformed), "{element}");
        }
        check("for");
        check("for=");
        check("for=;proto=http");
        check("=192.0.2.43");
        check("for =192.0.2.43");
        check("for= 192.0.2.43");
        check("for=192.0.2.43; proto=http");
        check("for=192.0.2.43 ;proto=http");
        check("for=192.0.2.43 for=192.0.2.44");
        check("for=192.0.2.43;for=192.0.2.43");
        check("for=192.0.2.43;FOR=192.0.2.44");
        check("for=192.0.2.43;proto");
        check("for=192.0.2.43;proto=\"http");
        check("for=192.0.2.43;proto=\"http\"s");
        check("for=192.0.2.43;proto=\"http\\\"");
        check("for=192.0.2.43;proto=\"a\u{7f}\"");
        check("for=\"");
        check("for=\"\"");
        check("for=192.0.2.43:80");
        check("for=2001:db8::17");
        check("for=[2001:db8::17]");
        check("for=\"2001:db8::17\"");
        check("for=\"[192.0.2.43]\"");
        check("for=\"[2001:db8::17\"");
        check("for=\"[2001:db8::17]4711\"");
        check("for=\"[2001:db8::17]:\"");
        check("for=\"[fe80::1%25eth0]\"");
        check("for=\"192.0.2.43:\"");
        check("for=\"192.0.2.43:123456\"");
        check("for=\"192.0.2.43:80:80\"");
        check("for=\" 192.0.2.43\"");
        check("for=\"\u{e9}\"");
        check("for=192.0.2.043");
        check("for=example.com");
        check("for=_");
        check("192.0.2.43");
        check(&format!("for=\"{}\"", "1".repeat(65)));
    }

    #[test]
    fn tells_a_hidden_address_from_a_missing_one() {
        #[track_caller]
        fn check(element: &str, expected: UnknownReason) {
            assert_eq!(address(element.as_bytes()), Err(expected), "{element}");
        }
        check("for=unknown", UnknownReason::Obfuscated);
        check("for=UNKNOWN", UnknownReason::Obfuscated);
        check("for=\"unknown:80\"", UnknownReason::Obfuscated);
        check("for=_hidden", UnknownReason::Obfuscated);
        check("for=\"_gazonk\"", UnknownReason::Obfuscated);
        check("for=\"_SEVKISEK:4711\"", UnknownReason::Obfuscated);
        check("for=\"_a.b_c-d\"", UnknownReason::Obfuscated);
        check("", UnknownReason::Missing);
        check(";", UnknownReason::Missing);
        check("proto=https;by=192.0.2.43", UnknownReason::Missing);
    }
}
