//! The bytes of a list, each looked at once.

use super::{Form, Value};
use auth_core::scan::{any, before, is_tchar};

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

#[inline]
pub(super) fn value(text: &[u8]) -> Option<(Value<'_>, &[u8])> {
    let Some(inside) = text.strip_prefix(b"\"") else {
        let (raw, rest) = token(text)?;
        return Some((Value { raw, form: Form::Token }, rest));
    };
    let (mut end, mut form) = (plain(inside), Form::Quoted);
    while *inside.get(end)? == b'\\' {
        form = Form::Escaped;
        let behind = end.checked_add(2)?;
        end = behind.checked_add(plain(inside.get(behind..)?))?;
    }
    let (raw, rest) = inside.split_at_checked(end)?;
    Some((Value { raw, form }, rest.split_first()?.1))
}

/// How many bytes go by before the first quote or backslash.
#[inline]
pub(super) fn plain(text: &[u8]) -> usize {
    before(text, [b'"', b'\\'], 0)
}

/// Is there a control character other than a tab, which no field may hold (RFC 9110 section 5.5)?
#[inline]
pub(super) fn has_control(text: &[u8]) -> bool {
    any(text, |byte| ((byte < b' ') & (byte != b'\t')) | (byte == 0x7f))
}

/// Is there something to escape?
#[inline]
pub(super) fn has_escapes(value: &[u8]) -> bool {
    any(value, |byte| (byte == b'"') | (byte == b'\\'))
}
