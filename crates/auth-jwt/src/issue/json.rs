//! JSON as it is minted.

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

/// Where the header and the claims of one token are put together, in most cases without the allocator.
pub(super) struct Scratch {
    small: [u8; 768],
    length: usize,
    /// All of it, once it did not fit.
    large: Vec<u8>,
}

impl Scratch {
    pub(super) const fn new() -> Self {
        Self { small: [0; 768], length: 0, large: Vec::new() }
    }

    pub(super) fn push(&mut self, piece: &str) {
        self.push_bytes(piece.as_bytes());
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
        self.push_bytes(digits.get(digits.len() - count..).unwrap_or_default());
    }

    /// Turns the comma there into the brace of an object.
    pub(super) fn open_at(&mut self, start: usize) {
        if self.length() == start {
            self.push(",");
        }
        if let Some(comma) = self.bytes_mut().get_mut(start) {
            *comma = b'{';
        }
    }

    pub(super) fn length(&self) -> usize {
        self.length
    }

    pub(super) fn split_at(&self, middle: usize) -> (&[u8], &[u8]) {
        let all = if self.large.is_empty() { &self.small } else { &self.large[..] };
        let all = all.get(..self.length).unwrap_or_default();
        all.split_at_checked(middle).unwrap_or_default()
    }

    fn push_bytes(&mut self, piece: &[u8]) {
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

    fn bytes_mut(&mut self) -> &mut [u8] {
        if self.large.is_empty() { &mut self.small } else { &mut self.large }
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
            assert_eq!(scratch.split_at(0).1, number.to_string().as_bytes());
        }
    }

    #[test]
    fn what_does_not_fit_spills_whole() {
        for first in [0, 1, 766, 767, 768, 769, 2000] {
            let mut scratch = Scratch::new();
            scratch.push(&"a".repeat(first));
            scratch.push(",");
            scratch.push("bc");
            scratch.open_at(first);
            assert_eq!(scratch.length(), first + 3);
            let expected = format!("{}{{bc", "a".repeat(first));
            assert_eq!(scratch.split_at(0).1, expected.as_bytes(), "{first}");
            assert_eq!(scratch.split_at(first).0.len(), first);
        }
    }
}
