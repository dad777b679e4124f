//! `auth-param = token BWS "=" BWS ( token / quoted-string )` (RFC 9110 section 11.2).

use crate::{
    SyntaxError,
    scanner::{Escapes, Scanner},
};
use std::{borrow::Cow, fmt, str};

/// One parameter of a challenge or of credentials, borrowed from its field.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Parameter<'a> {
    /// Its name, as it was written; names compare without case.
    pub name: &'a str,
    /// Its value.
    pub value: ParameterValue<'a>,
}

/// The value of a parameter: a token, or a quoted string whose escapes are undone only when it has some.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ParameterValue<'a>(Written<'a>);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Written<'a> {
    Token(&'a [u8]),
    /// With its quotes.
    Quoted(&'a [u8]),
    /// With its quotes, and escapes that are in it.
    Escaped(&'a [u8]),
}

impl<'a> ParameterValue<'a> {
    /// The value as it was meant: without quotes and escapes.
    #[must_use]
    pub fn bytes(self) -> Cow<'a, [u8]> {
        match self.0 {
            Written::Token(token) => Cow::Borrowed(token),
            Written::Quoted(quoted) => Cow::Borrowed(inside(quoted)),
            Written::Escaped(quoted) => Cow::Owned(unescape(inside(quoted))),
        }
    }

    /// The value as text; `None` when it is not UTF-8.
    #[must_use]
    pub fn text(self) -> Option<Cow<'a, str>> {
        match self.bytes() {
            Cow::Borrowed(bytes) => str::from_utf8(bytes).ok().map(Cow::Borrowed),
            Cow::Owned(bytes) => String::from_utf8(bytes).ok().map(Cow::Owned),
        }
    }

    /// What is between the quotes, escapes kept: as some schemes hash it. A token is itself.
    #[must_use]
    pub fn raw(self) -> &'a [u8] {
        match self.0 {
            Written::Token(token) => token,
            Written::Quoted(quoted) | Written::Escaped(quoted) => inside(quoted),
        }
    }

    /// Was it written as a quoted string?
    #[must_use]
    pub const fn is_quoted(self) -> bool {
        matches!(self.0, Written::Quoted(_) | Written::Escaped(_))
    }
}

fn inside(quoted: &[u8]) -> &[u8] {
    quoted.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(quoted)
}

fn unescape(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len());
    let mut bytes = raw.iter().copied();
    while let Some(byte) = bytes.next() {
        out.extend(if byte == b'\\' { bytes.next() } else { Some(byte) });
    }
    out
}

/// Prints it as it was written.
impl fmt::Display for ParameterValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Written::Token(written) | Written::Quoted(written) | Written::Escaped(written)) =
            self.0;
        f.write_str(&String::from_utf8_lossy(written))
    }
}

/// Shows the name: a value may be a secret.
impl fmt::Debug for Parameter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=..", self.name)
    }
}

/// Shows nothing: a value may be a secret.
impl fmt::Debug for ParameterValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("..")
    }
}

/// Parameters of one challenge or of credentials, in the order written; made from a field that was found well-formed.
#[derive(Clone, Copy)]
pub struct Parameters<'a>(Scanner<'a>);

impl<'a> Parameters<'a> {
    /// No parameters.
    pub(crate) const NONE: Self = Self(Scanner::new(&[]));

    /// The most parameters that one challenge, or credentials, may have.
    pub const MOST: usize = 32;

    /// Reads a comma-separated list of parameters as far as it goes, gives `each` of them on, and leaves the scanner
    /// behind its last comma: at the end, or at what is not a parameter.
    ///
    /// # Errors
    ///
    /// On a malformed value, a name that comes twice, or more than [`MOST`](Self::MOST).
    #[inline]
    pub(crate) fn read(
        scanner: &mut Scanner<'a>,
        mut each: impl FnMut(&'a [u8], ParameterValue<'a>),
    ) -> Result<Self, SyntaxError> {
        let start = *scanner;
        let mut names = [&b""[..]; Self::MOST];
        let mut unused = names.iter_mut();
        let mut behind_last = *scanner;
        loop {
            let before = *scanner;
            let Some((name, value)) = parameter(scanner)? else {
                *scanner = before;
                break;
            };
            let Some(free) = unused.next() else {
                return Err(before.error("at most 32 parameters"));
            };
            *free = name;
            each(name, value);
            behind_last = *scanner;
            if !separator(scanner)? {
                break;
            }
        }
        let count = Self::MOST - unused.len();
        let names = names.get(..count).unwrap_or_default();
        if names.iter().enumerate().any(|(at, name)| {
            names.iter().skip(at + 1).any(|other| other.eq_ignore_ascii_case(name))
        }) {
            return Err(start.error("each parameter once"));
        }
        let length = start.rest().len().saturating_sub(behind_last.rest().len());
        Ok(Self(Scanner::new(start.rest().get(..length).unwrap_or_default())))
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_at_end()
    }

    /// The parameter of this name, in any case.
    #[must_use]
    pub fn find(self, name: &str) -> Option<ParameterValue<'a>> {
        let mut scanner = self.0;
        while let Some((found, value)) = next(&mut scanner) {
            if found.eq_ignore_ascii_case(name.as_bytes()) {
                return Some(value);
            }
        }
        None
    }
}

impl<'a> Iterator for Parameters<'a> {
    type Item = Parameter<'a>;

    fn next(&mut self) -> Option<Parameter<'a>> {
        let (name, value) = next(&mut self.0)?;
        Some(Parameter { name: str::from_utf8(name).ok()?, value })
    }
}

/// The next parameter of a list that was found well-formed, without its name as text.
fn next<'a>(scanner: &mut Scanner<'a>) -> Option<(&'a [u8], ParameterValue<'a>)> {
    let found = parameter(scanner).ok().flatten()?;
    separator(scanner).ok()?;
    Some(found)
}

impl fmt::Debug for Parameters<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(*self).finish()
    }
}

/// One parameter, if that is what is next: a token that no `=` follows is the scheme of another challenge.
#[inline]
fn parameter<'a>(
    scanner: &mut Scanner<'a>,
) -> Result<Option<(&'a [u8], ParameterValue<'a>)>, SyntaxError> {
    let name = scanner.token_bytes();
    scanner.skip_whitespace();
    if name.is_empty() || !scanner.eat(b'=') {
        return Ok(None);
    }
    scanner.skip_whitespace();
    let written = match scanner.rest().first() {
        Some(b'"') => match scanner.quoted()? {
            (quoted, Escapes::None) => Written::Quoted(quoted),
            (quoted, Escapes::Some) => Written::Escaped(quoted),
        },
        _ => match scanner.token_bytes() {
            [] => return Err(scanner.error("a value behind '='")),
            token => Written::Token(token),
        },
    };
    Ok(Some((name, ParameterValue(written))))
}

/// Whitespace and at least one comma (empty elements are skipped, RFC 9110 section 5.6.1.2), or the end.
#[inline]
pub(crate) fn separator(scanner: &mut Scanner<'_>) -> Result<bool, SyntaxError> {
    scanner.skip_whitespace();
    if scanner.is_at_end() {
        return Ok(false);
    }
    if !scanner.eat(b',') {
        return Err(scanner.error("a comma"));
    }
    scanner.skip_separators();
    Ok(!scanner.is_at_end())
}
