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
    let (mut rest, mut form) = (inside, Form::Quoted);
    loop {
        let plain = plain(rest);
        let (stop, behind) = rest.get(plain..)?.split_first()?;
        rest = match stop {
            b'"' => {
                let length = inside.len().checked_sub(behind.len())?.checked_sub(1)?;
                return Some((Value { raw: inside.get(..length)?, form }, behind));
            }
            b'\\' => {
                form = Form::Escaped;
                behind.split_first().filter(|(escaped, _)| is_quotable(**escaped))?.1
            }
            b'\t' => behind,
            _ => return None,
        };
    }
}

/// How many bytes go by before the first quote, backslash or control character, a tab included.
///
/// Sixteen at a time while nothing stops, which compilers turn into a few wide comparisons, then eight: subtracting
/// borrows into the top bit of a byte only where it was smaller, and what is below the first such byte is exact.
#[inline]
pub(super) fn plain(text: &[u8]) -> usize {
    const EACH: u64 = u64::MAX / 255;
    let mut passed = 0_usize;
    let mut rest = text;
    while let Some((sixteen, behind)) = rest.split_first_chunk::<16>() {
        if sixteen.iter().fold(false, |stop, byte| stop | is_stop(*byte)) {
            break;
        }
        (passed, rest) = (passed.saturating_add(16), behind);
    }
    while let Some((eight, behind)) = rest.split_first_chunk() {
        let word = u64::from_le_bytes(*eight);
        let zero = |word: u64| word.wrapping_sub(EACH) & !word;
        let stops = zero(word ^ (EACH * 0x22))
            | zero(word ^ (EACH * 0x5c))
            | zero(word ^ (EACH * 0x7f))
            | (word.wrapping_sub(EACH * 0x20) & !word);
        let stops = stops & (EACH * 0x80);
        if stops != 0 {
            let before = usize::try_from(stops.trailing_zeros() / 8).unwrap_or_default();
            return passed.saturating_add(before);
        }
        (passed, rest) = (passed.saturating_add(8), behind);
    }
    passed.saturating_add(rest.iter().take_while(|byte| !is_stop(**byte)).count())
}

const fn is_stop(byte: u8) -> bool {
    (byte < b' ') | (byte == b'"') | (byte == b'\\') | (byte == 0x7f)
}

/// Is there something to escape? Looks at sixteen bytes at a time; the last sixteen overlap those before them.
#[inline]
pub(super) fn has_escapes(value: &[u8]) -> bool {
    let any =
        |part: &[u8]| part.iter().fold(false, |any, byte| any | (*byte == b'"') | (*byte == b'\\'));
    match value.last_chunk::<16>() {
        None => any(value),
        Some(last) => {
            let mut parts = value.chunks_exact(16).filter_map(|part| part.first_chunk::<16>());
            parts.any(|part| any(part)) || any(last)
        }
    }
}

/// HTAB, SP, VCHAR and obs-text.
const fn is_quotable(byte: u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'~' | 0x80..)
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
