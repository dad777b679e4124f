//! The bytes of a list, each looked at once.

use super::{Form, Value};

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
///
/// Eight at a time: subtracting borrows into the top bit of a byte only where it was zero, and what is below the first
/// such byte is exact.
#[inline]
pub(super) fn plain(text: &[u8]) -> usize {
    let mut rest = text;
    while let Some((eight, behind)) = rest.split_first_chunk() {
        let word = u64::from_le_bytes(*eight);
        let zero = |word: u64| word.wrapping_sub(EACH) & !word;
        let stops = (zero(word ^ (EACH * 0x22)) | zero(word ^ (EACH * 0x5c))) & (EACH * 0x80);
        if stops != 0 {
            let before = usize::try_from(stops.trailing_zeros() / 8).unwrap_or_default();
            return text.len().saturating_sub(rest.len()).saturating_add(before);
        }
        rest = behind;
    }
    let before = rest.iter().take_while(|byte| !matches!(byte, b'"' | b'\\')).count();
    text.len().saturating_sub(rest.len()).saturating_add(before)
}

const EACH: u64 = u64::MAX / 255;

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
