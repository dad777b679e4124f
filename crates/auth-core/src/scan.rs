//! The grammar that challenges and credentials share (RFC 9110 sections 5.6 and 11), over any bytes.

use std::{fmt, str};

/// Reads forward through bytes, once.
#[derive(Clone, Copy)]
pub(crate) struct Scanner<'a> {
    rest: &'a [u8],
    length: usize,
}

/// Are there escapes in a quoted string?
#[derive(Clone, Copy)]
pub(crate) enum Escapes {
    None,
    Some,
}

/// What was expected, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// Bytes into the field.
    pub at: usize,
    /// What should have been there.
    pub expected: &'static str,
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {} at byte {}", self.expected, self.at)
    }
}

impl std::error::Error for SyntaxError {}

impl<'a> Scanner<'a> {
    pub(crate) const fn new(field: &'a [u8]) -> Self {
        Self { rest: field, length: field.len() }
    }

    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) const fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) const fn error(&self, expected: &'static str) -> SyntaxError {
        SyntaxError { at: self.length.saturating_sub(self.rest.len()), expected }
    }

    /// Takes this byte if it is next.
    pub(crate) fn eat(&mut self, byte: u8) -> bool {
        match self.rest.split_first() {
            Some((first, rest)) if *first == byte => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    pub(crate) fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'a [u8] {
        let end = self.rest.iter().position(|byte| !wanted(*byte)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, &[]));
        self.rest = rest;
        taken
    }

    #[inline]
    pub(crate) fn skip_whitespace(&mut self) {
        while let [b' ' | b'\t', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    /// Whitespace and commas: elements of a list may be empty (RFC 9110 section 5.6.1.2).
    #[inline]
    pub(crate) fn skip_separators(&mut self) {
        while let [b',' | b' ' | b'\t', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    /// `token = 1*tchar`, or nothing, not yet known to the compiler as text.
    #[inline]
    pub(crate) fn token_bytes(&mut self) -> &'a [u8] {
        let start = self.rest;
        while let [byte, rest @ ..] = self.rest {
            if !is_tchar(*byte) {
                break;
            }
            self.rest = rest;
        }
        self.since(start)
    }

    /// `token68 = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`
    pub(crate) fn token68(&mut self) -> Option<&'a str> {
        let start = self.rest;
        if self.take_while(is_token68).is_empty() {
            return None;
        }
        self.take_while(|byte| byte == b'=');
        text(self.since(start))
    }

    /// `quoted-string`, with its quotes: what is inside keeps its escapes.
    #[inline]
    pub(crate) fn quoted(&mut self) -> Result<(&'a [u8], Escapes), SyntaxError> {
        let (start, mut escapes) = (self.rest, Escapes::None);
        self.eat(b'"');
        loop {
            self.rest = self.rest.get(plain_text_length(self.rest)..).unwrap_or_default();
            if self.eat(b'"') {
                return Ok((self.since(start), escapes));
            }
            escapes = Escapes::Some;
            if !self.eat(b'\\') || !self.eat_if(is_quotable) {
                return Err(self.error("the rest of a quoted string"));
            }
        }
    }

    fn eat_if(&mut self, wanted: impl Fn(u8) -> bool) -> bool {
        match self.rest.split_first() {
            Some((first, rest)) if wanted(*first) => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    /// What was read since the scanner stood at `start`.
    fn since(&self, start: &'a [u8]) -> &'a [u8] {
        start.get(..start.len().saturating_sub(self.rest.len())).unwrap_or_default()
    }
}

/// Bytes that the grammar has already found to be ASCII; `None` when there are none.
fn text(bytes: &[u8]) -> Option<&str> {
    str::from_utf8(bytes).ok().filter(|text| !text.is_empty())
}

/// Do all bytes pass? Looks at every one, sixteen at a time, which compilers turn into a few wide comparisons.
#[inline]
pub(crate) fn all(bytes: &[u8], pass: impl Fn(u8) -> bool) -> bool {
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

pub(crate) fn is_tchar(byte: u8) -> bool {
    CLASSES.get(usize::from(byte)).is_some_and(|class| class & TCHAR != 0)
}

fn is_token68(byte: u8) -> bool {
    CLASSES.get(usize::from(byte)).is_some_and(|class| class & TOKEN68 != 0)
}

/// How many bytes of a quoted string go by before its end, an escape, or a byte that no field may hold: a quote, a
/// backslash, or a control character other than a tab (RFC 9110 section 5.6.4).
///
/// For schemes that read their own lists of parameters. It looks at eight bytes at a time.
///
/// ```
/// assert_eq!(auth_core::plain_text_length(br#"a realm", nonce="b""#), 7);
/// assert_eq!(auth_core::plain_text_length(b"all\tof it"), 9);
/// ```
#[must_use]
#[inline]
pub fn plain_text_length(text: &[u8]) -> usize {
    let mut rest = text;
    loop {
        let Some((eight, behind)) = rest.split_first_chunk() else {
            let plain = |byte: &&u8| is_quotable(**byte) && !matches!(byte, b'"' | b'\\');
            let before = rest.iter().take_while(plain).count();
            return text.len().saturating_sub(rest.len()).saturating_add(before);
        };
        let word = u64::from_le_bytes(*eight);
        let quotes = zero_bytes(word ^ (EACH * 0x22)) | zero_bytes(word ^ (EACH * 0x5c));
        let stops = quotes | low_bytes(word) | zero_bytes(word ^ (EACH * 0x7f));
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

const EACH: u64 = u64::MAX / 255;

/// The top bit of each byte that is zero. Subtracting borrows into the top bit of a byte only where the byte was zero, or
/// where it is above one that was: so the lowest bit that is set is right, and those above it may be wrong.
const fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(EACH) & !word & (EACH * 0x80)
}

/// The top bit of each byte below a space, as right as [`zero_bytes`].
const fn low_bytes(word: u64) -> u64 {
    word.wrapping_sub(EACH * 0x20) & !word & (EACH * 0x80)
}

/// HTAB, SP, VCHAR and obs-text.
const fn is_quotable(byte: u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'~' | 0x80..)
}

const TCHAR: u8 = 1;
const TOKEN68: u8 = 2;

/// Which characters may be in a token and in a token68: a table, since every byte of every field asks.
const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let (mut rest, mut byte): (&mut [u8], u8) = (&mut classes, 0);
    while let [class, behind @ ..] = rest {
        *class = class_of(byte);
        (rest, byte) = (behind, byte.wrapping_add(1));
    }
    classes
};

const fn class_of(byte: u8) -> u8 {
    let tchar = byte.is_ascii_alphanumeric() || contains(b"!#$%&'*+-.^_`|~", byte);
    let token68 = byte.is_ascii_alphanumeric() || contains(b"-._~+/", byte);
    (if tchar { TCHAR } else { 0 }) | (if token68 { TOKEN68 } else { 0 })
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
    use proptest::prelude::*;

    proptest! {
        /// Eight at a time and one at a time are the same, whatever is behind.
        #[test]
        fn plain_text_ends_at_a_quote_an_escape_or_a_control_character(
            text in proptest::collection::vec(any::<u8>().prop_map(|byte| if byte % 4 == 0 { byte } else { b'a' + byte % 26 }), 0..60),
        ) {
            let stops = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..=8 | 10..=31 | 127);
            let expected = text.iter().position(stops).unwrap_or(text.len());
            prop_assert_eq!(plain_text_length(&text), expected, "{:?}", text);
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
}
