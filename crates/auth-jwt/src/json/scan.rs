//! The one pass over a document.

use super::{Array, DEPTH, Fault, Number, Object, Text, Value, names::Names};
use auth_core::scan::before;

/// Where a pass over a document has come to.
pub(super) struct Scan<'a> {
    text: &'a str,
    at: usize,
    most_members: usize,
}

impl<'a> Scan<'a> {
    pub(super) const fn new(text: &'a str, most_members: usize) -> Self {
        Self { text, at: 0, most_members }
    }

    /// The members of an object at this depth, whose brace was taken.
    pub(super) fn members<E: From<Fault>>(
        &mut self,
        depth: usize,
        mut each: impl FnMut(Text<'a>, Value<'a>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut names = Names::at_most(self.most_members);
        self.space();
        if self.takes(b'}') {
            return Ok(());
        }
        loop {
            self.expects(b'"')?;
            let name = self.string()?;
            names.add(name)?;
            self.space();
            self.expects(b':')?;
            self.space();
            let value = self.value(depth)?;
            each(name, value)?;
            self.space();
            if self.takes(b'}') {
                return Ok(());
            }
            self.expects(b',')?;
            self.space();
        }
    }

    /// The elements of an array at this depth, whose bracket was taken.
    pub(super) fn elements<E: From<Fault>>(
        &mut self,
        depth: usize,
        mut each: impl FnMut(Value<'a>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.space();
        if self.takes(b']') {
            return Ok(());
        }
        loop {
            let value = self.value(depth)?;
            each(value)?;
            self.space();
            if self.takes(b']') {
                return Ok(());
            }
            self.expects(b',')?;
            self.space();
        }
    }

    /// Nothing but white space may follow.
    pub(super) fn end(&mut self) -> Result<(), Fault> {
        self.space();
        if self.at == self.text.len() { Ok(()) } else { Err(Fault::Syntax) }
    }

    /// Skips white space (RFC 8259 section 2).
    pub(super) fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    pub(super) fn takes(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn expects(&mut self, byte: u8) -> Result<(), Fault> {
        if self.takes(byte) { Ok(()) } else { Err(Fault::Syntax) }
    }

    /// A value inside an object or array of this depth.
    fn value(&mut self, depth: usize) -> Result<Value<'a>, Fault> {
        let start = self.at;
        match self.peek() {
            Some(b'"') => {
                self.at += 1;
                self.string().map(Value::String)
            }
            Some(b'{') => {
                self.at += 1;
                self.members(deeper(depth)?, |_, _| Ok::<_, Fault>(()))?;
                Ok(Value::Object(Object { raw: self.since(start)? }))
            }
            Some(b'[') => {
                self.at += 1;
                self.elements(deeper(depth)?, |_| Ok::<_, Fault>(()))?;
                Ok(Value::Array(Array { raw: self.since(start)?, start }))
            }
            Some(b'-' | b'0'..=b'9') => self.number().map(Value::Number),
            Some(b't') => self.word(b"true", Value::Boolean),
            Some(b'f') => self.word(b"false", Value::Boolean),
            Some(b'n') => self.word(b"null", Value::Null),
            _ => Err(Fault::Syntax),
        }
    }

    /// A string whose quote was taken (RFC 8259 section 7).
    fn string(&mut self) -> Result<Text<'a>, Fault> {
        let start = self.at;
        let mut escaped = false;
        loop {
            self.at += before(self.rest(), [b'"', b'\\'], b' ');
            match self.next() {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                _ => return Err(Fault::Syntax),
            }
        }
        let raw = self.text.get(start..self.at - 1).ok_or(Fault::Syntax)?;
        Ok(Text::new(raw, start, escaped))
    }

    /// What follows a backslash. Half a surrogate pair is no character.
    fn escape(&mut self) -> Result<(), Fault> {
        match self.next() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(()),
            Some(b'u') => match self.unit()? {
                0xd800..=0xdbff => {
                    self.expects(b'\\')?;
                    self.expects(b'u')?;
                    if matches!(self.unit()?, 0xdc00..=0xdfff) {
                        Ok(())
                    } else {
                        Err(Fault::Syntax)
                    }
                }
                0xdc00..=0xdfff => Err(Fault::Syntax),
                _ => Ok(()),
            },
            _ => Err(Fault::Syntax),
        }
    }

    /// Four hexadecimal digits.
    fn unit(&mut self) -> Result<u32, Fault> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.next().and_then(|byte| char::from(byte).to_digit(16));
            unit = unit * 16 + digit.ok_or(Fault::Syntax)?;
        }
        Ok(unit)
    }

    /// A number (RFC 8259 section 6).
    fn number(&mut self) -> Result<Number<'a>, Fault> {
        let start = self.at;
        self.takes(b'-');
        if !self.takes(b'0') {
            self.digits()?;
        }
        if self.takes(b'.') {
            self.digits()?;
        }
        if self.takes(b'e') || self.takes(b'E') {
            if !self.takes(b'-') {
                self.takes(b'+');
            }
            self.digits()?;
        }
        Ok(Number::new(self.since(start)?))
    }

    fn digits(&mut self) -> Result<(), Fault> {
        let count = self.rest().iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        if count > 0 { Ok(()) } else { Err(Fault::Syntax) }
    }

    fn word(&mut self, word: &[u8], value: Value<'a>) -> Result<Value<'a>, Fault> {
        if self.rest().starts_with(word) {
            self.at += word.len();
            return Ok(value);
        }
        Err(Fault::Syntax)
    }

    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    fn since(&self, start: usize) -> Result<&'a str, Fault> {
        self.text.get(start..self.at).ok_or(Fault::Syntax)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek();
        self.at += usize::from(byte.is_some());
        byte
    }
}

fn deeper(depth: usize) -> Result<usize, Fault> {
    if depth < DEPTH { Ok(depth + 1) } else { Err(Fault::Depth) }
}
