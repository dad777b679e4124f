//! The bytes of a list, each looked at once.

use super::{Form, Value};
use auth_core::scan::{any, before, is_tchar, plain_text_length};

#[inline]
pub(super) fn skip(text: &[u8], unwanted: impl Fn(u8) -> bool) -> &[u8] {
    let mut rest = text;
    while let [first, behind @ ..] = rest {
        if !unwanted(*first) {
            break;
        }
        rest = behind;
    }
    rest
}

pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// Elements of a list may be empty (RFC 9110 section 5.6.1.2).
pub(super) fn is_separator(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b',')
}

/// `token = 1*tchar`
#[inline]
pub(super) fn token(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = text.iter().position(|byte| !is_tchar(*byte)).unwrap_or(text.len());
    if end == 0 { None } else { text.split_at_checked(end) }
}

/// What stands before the next `=`, and what stands behind it. Names are short, so it is nearly always in the first
/// eight bytes, or in the eight behind them.
#[inline]
pub(super) fn before_equals(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (before, behind) = text.split_at_checked(before(text, [b'=', b'='], 0))?;
    Some((before, behind.split_first()?.1))
}

/// A token, or a quoted string without control characters.
#[inline]
pub(super) fn value(text: &[u8]) -> Option<(Value<'_>, &[u8])> {
    let Some(inside) = text.strip_prefix(b"\"") else {
        let (raw, rest) = token(text)?;
        return Some((Value { raw, form: Form::Token }, rest));
    };
    let (mut end, mut form) = (plain_text_length(inside), Form::Quoted);
    loop {
        match inside.get(end..)? {
            [b'"', rest @ ..] => {
                return Some((Value { raw: inside.get(..end)?, form }, rest));
            }
            [b'\\', escaped, rest @ ..] if !is_control(*escaped) => {
                form = Form::Escaped;
                end = inside.len() - rest.len() + plain_text_length(rest);
            }
            _ => return None,
        }
    }
}

/// A control character other than a tab, which no field may hold (RFC 9110 section 5.5).
const fn is_control(byte: u8) -> bool {
    ((byte < b' ') & (byte != b'\t')) | (byte == 0x7f)
}

/// Is there something to escape?
#[inline]
pub(super) fn has_escapes(value: &[u8]) -> bool {
    any(value, |byte| (byte == b'"') | (byte == b'\\'))
}
