//! The grammar that challenges and credentials share (RFC 9110 sections 5.6 and 11), over any bytes.

use crate::scan::{is_tchar, is_token68, plain_text_length};
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

/// Is this the name of the scheme, in any case? Nearly everybody spells it as its specification does, which is one
/// comparison.
#[inline]
pub(crate) fn is_scheme(name: &[u8], scheme: &str) -> bool {
    name == scheme.as_bytes() || name.eq_ignore_ascii_case(scheme.as_bytes())
}

/// Bytes that the grammar has already found to be ASCII; `None` when there are none.
fn text(bytes: &[u8]) -> Option<&str> {
    str::from_utf8(bytes).ok().filter(|text| !text.is_empty())
}

/// HTAB, SP, VCHAR and obs-text.
const fn is_quotable(byte: u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'~' | 0x80..)
}
