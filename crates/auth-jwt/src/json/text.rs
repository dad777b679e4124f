//! Strings as they are written.

use std::{borrow::Cow, ops::Range, str::Chars};

/// A string that was checked: what stands between its quotes.
#[derive(Clone, Copy)]
pub(crate) struct Text<'a> {
    raw: &'a str,
    start: usize,
    escaped: bool,
}

impl<'a> Text<'a> {
    pub(super) const fn new(raw: &'a str, start: usize, escaped: bool) -> Self {
        Self { raw, start, escaped }
    }

    /// What is meant. Allocates only when something is escaped.
    #[inline]
    pub(crate) fn to_str(self) -> Cow<'a, str> {
        match self.plain() {
            Some(plain) => Cow::Borrowed(plain),
            None => {
                // What is meant is no longer than what is written.
                let mut meant = String::with_capacity(self.raw.len());
                meant.extend(self.unescaped());
                Cow::Owned(meant)
            }
        }
    }

    /// What is meant, when it is what is written.
    pub(crate) const fn plain(self) -> Option<&'a str> {
        if self.escaped { None } else { Some(self.raw) }
    }

    /// What is written.
    pub(super) const fn raw(self) -> &'a str {
        self.raw
    }

    /// Where it stands in the document, when it is what is written.
    pub(crate) fn span(self) -> Option<Range<usize>> {
        self.plain().map(|plain| self.start..self.start + plain.len())
    }

    /// Whether the same is meant.
    pub(super) fn is(self, other: Text<'_>) -> bool {
        if self.escaped || other.escaped {
            return self.unescaped().eq(other.unescaped());
        }
        self.raw == other.raw
    }

    /// Whether this is meant.
    pub(crate) fn means(self, other: &str) -> bool {
        self.is(Text::new(other, 0, false))
    }

    fn unescaped(self) -> Unescaped<'a> {
        Unescaped { raw: self.raw.chars(), escaped: self.escaped }
    }
}

/// The characters that are meant. What it reads was checked, so it ends where the string does.
struct Unescaped<'a> {
    raw: Chars<'a>,
    escaped: bool,
}

impl Unescaped<'_> {
    fn unit(&mut self) -> Option<u32> {
        (0..4).try_fold(0, |unit, _| Some(unit * 16 + self.raw.next()?.to_digit(16)?))
    }
}

impl Iterator for Unescaped<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        let next = self.raw.next()?;
        if next != '\\' || !self.escaped {
            return Some(next);
        }
        match self.raw.next()? {
            'b' => Some('\u{8}'),
            'f' => Some('\u{c}'),
            'n' => Some('\n'),
            'r' => Some('\r'),
            't' => Some('\t'),
            'u' => match self.unit()? {
                high @ 0xd800..=0xdbff => {
                    self.raw.nth(1)?;
                    let low = self.unit()?.checked_sub(0xdc00)?;
                    char::from_u32(0x1_0000 + (high - 0xd800) * 0x400 + low)
                }
                unit => char::from_u32(unit),
            },
            itself => Some(itself),
        }
    }
}
