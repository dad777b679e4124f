//! Looking at many bytes: what a scheme that reads fields byte by byte needs beside
//! [`Authorization`](crate::Authorization) and [`Challenges`](crate::Challenges).
//!
//! [`all`], [`any`], [`before`] and [`plain_text_length`] look at several bytes in each step, without `unsafe` and
//! without a dependency. Every field of every request is read with them, so they stand in one place.
//!
//! ```
//! use auth_core::scan;
//! let field = br#"realm="a \"b\"", nonce="c""#;
//! assert!(scan::all(field, |byte| (byte >= b' ') & (byte != 0x7f)));
//! assert!(scan::any(field, |byte| byte == b'\\'));
//! assert_eq!(scan::before(field, [b'"', b'\\'], 0), b"realm=".len());
//! assert!(b"realm".iter().all(|byte| scan::is_tchar(*byte)));
//! ```

/// Do all bytes pass?
///
/// Looks at every byte, sixteen in each step, which compilers turn into a few wide comparisons if `pass` has no branches:
/// join its conditions with `&` and `|`, not with `&&` and `||`.
#[inline]
pub fn all(bytes: &[u8], pass: impl Fn(u8) -> bool) -> bool {
    let wide = |part: &[u8; 16]| part.iter().fold(true, |so_far, byte| so_far & pass(*byte));
    // The last sixteen overlap those before them, so that nothing is left to look at one by one.
    match bytes.last_chunk() {
        None => bytes.iter().all(|byte| pass(*byte)),
        Some(last) => {
            let mut parts = bytes.chunks_exact(16).filter_map(|part| part.first_chunk());
            parts.all(wide) && wide(last)
        }
    }
}

/// Is one of the bytes wanted? As [`all`], for its opposite.
#[inline]
pub fn any(bytes: &[u8], wanted: impl Fn(u8) -> bool) -> bool {
    !all(bytes, |byte| !wanted(byte))
}

/// How many bytes come before the first that is one of `stops` or less than `below`: all of them, if there is none.
///
/// `below` is at most 128; with 0 no byte is less. Looks at eight bytes in each step.
#[inline]
pub fn before(bytes: &[u8], stops: [u8; 2], below: u8) -> usize {
    let mut rest = bytes;
    while let Some((eight, behind)) = rest.split_first_chunk() {
        let stopping = stopping(u64::from_le_bytes(*eight), stops, below);
        if stopping != 0 {
            let before = usize::try_from(stopping.trailing_zeros() / 8).unwrap_or_default();
            return bytes.len().saturating_sub(rest.len()).saturating_add(before);
        }
        rest = behind;
    }
    let tail = rest.iter().take_while(|byte| !stops.contains(byte) && **byte >= below).count();
    bytes.len().saturating_sub(rest.len()).saturating_add(tail)
}

/// How many bytes of a quoted string go by before its end, an escape, or a byte that no field may hold: a quote, a
/// backslash, or a control character other than a tab (RFC 9110 section 5.6.4).
///
/// For schemes that read their own lists of parameters. Looks at eight bytes in each step.
///
/// ```
/// assert_eq!(auth_core::scan::plain_text_length(br#"a realm", nonce="b""#), 7);
/// assert_eq!(auth_core::scan::plain_text_length(b"all\tof it"), 9);
/// ```
#[must_use]
#[inline]
pub fn plain_text_length(text: &[u8]) -> usize {
    let mut rest = text;
    loop {
        let Some((eight, behind)) = rest.split_first_chunk() else {
            let plain = |byte: &&u8| matches!(byte, b'\t' | b' ' | b'!' | b'#'..=b'[' | b']'..=b'~' | 0x80..);
            let before = rest.iter().take_while(plain).count();
            return text.len().saturating_sub(rest.len()).saturating_add(before);
        };
        let word = u64::from_le_bytes(*eight);
        let delete = stopping(word, [0x7f, 0x7f], 0);
        let stops = stopping(word, [b'"', b'\\'], b' ') | delete;
        if stops == 0 {
            rest = behind;
            continue;
        }
        let before = usize::try_from(stops.trailing_zeros() / 8).unwrap_or_default();
        match rest.get(before..) {
            // A tab is low and may be there.
            Some([b'\t', behind @ ..]) => rest = behind,
            _ => return text.len().saturating_sub(rest.len()).saturating_add(before),
        }
    }
}

/// The highest bit of each of eight bytes that stops. Subtracting borrows into the highest bit of a byte only where the
/// byte was smaller; above the lowest such byte others may be set wrongly.
#[inline]
fn stopping(eight: u64, [one, other]: [u8; 2], below: u8) -> u64 {
    const EACH: u64 = u64::MAX / 255;
    let each = |byte: u8| EACH.wrapping_mul(u64::from(byte));
    let less = |bytes: u64, bound: u8| bytes.wrapping_sub(each(bound)) & !bytes;
    let stops = less(eight ^ each(one), 1) | less(eight ^ each(other), 1) | less(eight, below);
    stops & each(0x80)
}

/// May a token hold this byte (`tchar`, RFC 9110 section 5.6.2)?
#[inline]
#[must_use]
pub fn is_tchar(byte: u8) -> bool {
    TCHAR.get(usize::from(byte)).is_some_and(|may| *may)
}

/// May a token68 hold this byte before the `=` at its end (RFC 9110 section 11.2)?
#[inline]
pub(crate) fn is_token68(byte: u8) -> bool {
    TOKEN68.get(usize::from(byte)).is_some_and(|may| *may)
}

/// Tables, since every byte of every field asks.
const TCHAR: [bool; 256] = letters_digits_and(b"!#$%&'*+-.^_`|~");
const TOKEN68: [bool; 256] = letters_digits_and(b"-._~+/");

const fn letters_digits_and(marks: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let (mut rest, mut byte): (&mut [bool], u8) = (&mut table, 0);
    while let [entry, behind @ ..] = rest {
        *entry = byte.is_ascii_alphanumeric() || contains(marks, byte);
        (rest, byte) = (behind, byte.wrapping_add(1));
    }
    table
}

const fn contains(mut bytes: &[u8], wanted: u8) -> bool {
    while let [first, rest @ ..] = bytes {
        if *first == wanted {
            return true;
        }
        bytes = rest;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{Just, Strategy, prop, prop_assert_eq, prop_oneof, proptest};

    fn one_at_a_time(bytes: &[u8], stops: [u8; 2], below: u8) -> usize {
        bytes.iter().take_while(|byte| **byte >= below && !stops.contains(byte)).count()
    }

    #[test]
    fn every_byte_at_every_place_stops_or_does_not() {
        for (stops, below) in
            [([b'"', b'\\'], 0), ([b'"', b'\\'], 0x20), ([0, 0xff], 0), ([1, 1], 0x80)]
        {
            for byte in 0..=u8::MAX {
                for place in 0..17 {
                    let mut bytes = [0x8a; 17];
                    bytes[place] = byte;
                    let expected = one_at_a_time(&bytes, stops, below);
                    assert_eq!(before(&bytes, stops, below), expected, "{byte:#x} at {place}");
                }
            }
        }
    }

    #[test]
    fn every_byte_at_every_place_is_looked_at() {
        for length in 0..50 {
            let mut bytes = vec![b'a'; length];
            assert!(all(&bytes, |byte| byte == b'a') && !any(&bytes, |byte| byte == b'b'));
            for place in 0..length {
                bytes[place] = b'b';
                assert!(!all(&bytes, |byte| byte == b'a') && any(&bytes, |byte| byte == b'b'));
                bytes[place] = b'a';
            }
        }
    }

    #[test]
    fn a_token_has_these_characters_and_no_others() {
        for byte in 0..=u8::MAX {
            let tchar = byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
            assert_eq!(is_tchar(byte), tchar, "{byte}");
        }
    }

    #[test]
    fn plain_text_may_be_tabs_alone() {
        assert_eq!(plain_text_length(&[b'\t'; 1 << 16]), 1 << 16);
        for byte in 0..=255 {
            let (mut at, one) = ([b'~'; 20], [byte]);
            at[11] = byte;
            let plain = plain_text_length(&one) == 1;
            assert_eq!(plain_text_length(&at), if plain { 20 } else { 11 }, "{byte}");
        }
    }

    proptest! {
        /// Eight at a time and one at a time are the same, whatever is behind.
        #[test]
        fn plain_text_ends_at_a_quote_an_escape_or_a_control_character(
            text in prop::collection::vec(any_byte().prop_map(|byte| if byte % 4 == 0 { byte } else { b'a' + byte % 26 }), 0..60),
        ) {
            let stops = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..=8 | 10..=31 | 127);
            let expected = text.iter().position(stops).unwrap_or(text.len());
            prop_assert_eq!(plain_text_length(&text), expected, "{:?}", text);
        }

        #[test]
        fn eight_at_a_time_finds_what_one_at_a_time_does(bytes in prop::collection::vec(prop_oneof![any_byte(), Just(0x20), Just(0x1f), Just(b'"' + 1), Just(0x80), Just(0xff)], 0..40), below in 0_u8..=128) {
            let stops = [b'"', b'\\'];
            prop_assert_eq!(before(&bytes, stops, below), one_at_a_time(&bytes, stops, below));
        }
    }

    fn any_byte() -> impl Strategy<Value = u8> {
        0..=u8::MAX
    }
}
