//! The bytes of a list, each looked at once.

use super::{Form, Value};
use auth_core::plain_text_length;

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
    let mut rest = text;
    while let Some((eight, behind)) = rest.split_first_chunk() {
        let found = zero_bytes(u64::from_le_bytes(*eight) ^ (EACH * 0x3d));
        if found != 0 {
            let at = text.len() - rest.len() + first_of(found);
            let (before, behind) = text.split_at_checked(at)?;
            return Some((before, behind.split_first()?.1));
        }
        rest = behind;
    }
    let at = text.len() - rest.len() + rest.iter().position(|byte| *byte == b'=')?;
    let (before, behind) = text.split_at_checked(at)?;
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

const EACH: u64 = u64::MAX / 255;

/// The top bit of each byte that is zero. Subtracting borrows into the top bit of a byte only where it was zero, and what
/// is below the first such byte is exact; those above it may be wrong.
const fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(EACH) & !word & (EACH * 0x80)
}

/// The number of the first byte whose top bit is set.
#[inline]
fn first_of(tops: u64) -> usize {
    usize::try_from(tops.trailing_zeros() / 8).unwrap_or_default()
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

/// Is one byte such? Looks at sixteen at a time, which compilers turn into a few wide comparisons; the last sixteen
/// overlap those before them.
#[inline]
fn any(text: &[u8], such: impl Fn(u8) -> bool) -> bool {
    let wide = |part: &[u8; 16]| part.iter().fold(false, |any, byte| any | such(*byte));
    match text.last_chunk() {
        None => text.iter().any(|byte| such(*byte)),
        Some(last) => {
            let mut parts = text.chunks_exact(16).filter_map(|part| part.first_chunk());
            parts.any(wide) || wide(last)
        }
    }
}

/// May a token hold it (RFC 9110 section 5.6.2)?
fn is_tchar(byte: u8) -> bool {
    TCHAR.get(usize::from(byte)).is_some_and(|yes| *yes)
}

const TCHAR: [bool; 256] = {
    let mut table = [false; 256];
    let (mut rest, mut byte): (&mut [bool], u8) = (&mut table, 0);
    while let [entry, behind @ ..] = rest {
        *entry = byte.is_ascii_alphanumeric()
            || matches!(
                byte,
                b'!' | b'#'
                    | b'$'
                    | b'%'
                    | b'&'
                    | b'\''
                    | b'*'
                    | b'+'
                    | b'-'
                    | b'.'
                    | b'^'
                    | b'_'
                    | b'`'
                    | b'|'
                    | b'~'
            );
        (rest, byte) = (behind, byte.wrapping_add(1));
    }
    table
};
