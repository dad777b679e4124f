//! JSON as it is signed.

/// A member with a comma before it.
pub(super) fn member(name: &str, value: &str) -> String {
    let mut out = String::new();
    self::name(name, &mut out);
    string(value, &mut out);
    out
}

/// A member that is an array of strings, with a comma before it.
pub(super) fn members(name: &str, values: &[Box<str>]) -> String {
    let mut out = String::new();
    self::name(name, &mut out);
    for (at, value) in values.iter().enumerate() {
        out.push(if at == 0 { '[' } else { ',' });
        string(value, &mut out);
    }
    out.push(']');
    out
}

/// A comma, a name and a colon.
pub(super) fn name(name: &str, out: &mut String) {
    out.push(',');
    string(name, out);
    out.push(':');
}

fn string(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            '\0'..' ' => out.push_str(&format!("\\u{:04x}", u32::from(character))),
            plain => out.push(plain),
        }
    }
    out.push('"');
}

/// Where the claims of one token are put together, in most cases without the allocator.
pub(super) struct Scratch {
    small: [u8; SMALL],
    length: usize,
    /// All of it, once it did not fit.
    large: Vec<u8>,
}

const SMALL: usize = 512;

impl Scratch {
    pub(super) const fn new() -> Self {
        Self { small: [0; SMALL], length: 0, large: Vec::new() }
    }

    pub(super) fn push(&mut self, piece: &[u8]) {
        let end = self.length + piece.len();
        match self.small.get_mut(self.length..end) {
            Some(room) => room.copy_from_slice(piece),
            None => {
                if self.large.is_empty() {
                    self.large.extend_from_slice(self.small.get(..self.length).unwrap_or_default());
                }
                self.large.extend_from_slice(piece);
            }
        }
        self.length = end;
    }

    pub(super) fn push_string(&mut self, text: &str) {
        if text.bytes().any(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)) {
            let mut out = String::new();
            string(text, &mut out);
            return self.push(out.as_bytes());
        }
        self.push(b"\"");
        self.push(text.as_bytes());
        self.push(b"\"");
    }

    pub(super) fn push_number(&mut self, number: u64) {
        let mut digits = [b'0'; 20];
        let mut rest = number;
        let mut count = 0;
        for digit in digits.iter_mut().rev() {
            *digit += u8::try_from(rest % 10).unwrap_or_default();
            rest /= 10;
            count += 1;
            if rest == 0 {
                break;
            }
        }
        self.push(digits.get(digits.len() - count..).unwrap_or_default());
    }

    /// Turns the comma that it begins with into the brace of an object.
    pub(super) fn open(&mut self) {
        if self.length == 0 {
            self.push(b",");
        }
        let all = if self.large.is_empty() {
            self.small.as_mut_slice()
        } else {
            self.large.as_mut_slice()
        };
        if let Some(comma) = all.first_mut() {
            *comma = b'{';
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        let all = if self.large.is_empty() { self.small.as_slice() } else { self.large.as_slice() };
        all.get(..self.length).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_is_read_as_it_was_meant() {
        for text in ["", "plain", "\"\\/", "\0\u{1}\u{8}\n\u{1f}\u{20}\u{7f}", "é😀\u{2028}"] {
            let document = member("a", text).replacen(',', "{", 1) + "}";
            let read: serde_json::Value = serde_json::from_str(&document).unwrap();
            assert_eq!(read, serde_json::json!({ "a": text }), "{document}");
        }
    }

    #[test]
    fn a_number_is_written_in_its_digits() {
        for number in [0, 9, 10, 1_700_000_000, u64::MAX] {
            let mut scratch = Scratch::new();
            scratch.push_number(number);
            assert_eq!(scratch.bytes(), number.to_string().as_bytes());
        }
    }

    #[test]
    fn what_does_not_fit_spills_whole() {
        for first in [0, 1, SMALL - 2, SMALL - 1, SMALL, SMALL + 1, 3 * SMALL] {
            let mut scratch = Scratch::new();
            scratch.push(&vec![b','; first]);
            scratch.push_string("b");
            scratch.push(b",");
            scratch.open();
            let expected = format!("{}\"b\",", ",".repeat(first));
            assert_eq!(
                scratch.bytes(),
                format!("{{{}", expected.split_at(1).1).as_bytes(),
                "{first}"
            );
        }
    }
}
