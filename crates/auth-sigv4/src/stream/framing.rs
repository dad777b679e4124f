//! The framing of `aws-chunked`: lengths, signatures and trailers around content.

use super::reason;
use crate::reason::Refused;

/// What stands at the head of a chunk.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ChunkHead<'a> {
    pub(super) length: u64,
    pub(super) signature: Option<&'a [u8]>,
}

/// No head of a chunk is longer: a length of 16 digits and a signature.
pub(super) const MOST_HEAD_BYTES: usize = 128;

/// No trailer is longer: one checksum and one signature.
pub(super) const MOST_TRAILER_BYTES: usize = 1024;

/// Reads the head of a chunk, without its line end: `10000;chunk-signature=..`, or a length alone.
pub(super) fn chunk_head(line: &[u8]) -> Result<ChunkHead<'_>, Refused> {
    let end = line.iter().position(|byte| *byte == b';').unwrap_or(line.len());
    let (digits, rest) = line.split_at(end);
    let signature = match rest {
        [] => None,
        rest => Some(rest.strip_prefix(b";chunk-signature=").ok_or(reason::CHUNK)?),
    };
    if digits.is_empty() || digits.len() > 15 {
        return Err(reason::CHUNK);
    }
    let length = digits.iter().try_fold(0, |length: u64, digit| {
        char::from(*digit).to_digit(16).map(|digit| length << 4 | u64::from(digit))
    });
    Ok(ChunkHead { length: length.ok_or(reason::CHUNK)?, signature })
}

/// Collects a line that comes in pieces.
#[derive(Default)]
pub(super) struct Line(Vec<u8>);

impl Line {
    /// Takes what belongs to the line from the front of `wire`. True when the line is whole.
    pub(super) fn take(&mut self, wire: &mut &[u8], most: usize) -> Result<bool, Refused> {
        let end = wire.iter().position(|byte| *byte == b'\n');
        let (part, rest) = wire.split_at(end.map_or(wire.len(), |end| end + 1));
        if self.0.len() + part.len() > most {
            return Err(reason::CHUNK);
        }
        self.0.extend_from_slice(part);
        *wire = rest;
        Ok(end.is_some())
    }

    /// The line without its end, which is CR LF; and an empty one to go on with.
    pub(super) fn finish(&mut self) -> Result<Vec<u8>, Refused> {
        let mut line = std::mem::take(&mut self.0);
        if !line.ends_with(b"\r\n") {
            return Err(reason::CHUNK);
        }
        line.truncate(line.len() - 2);
        Ok(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: Option<(u64, Option<&str>)>) {
        let head = chunk_head(line.as_bytes()).ok();
        let head = head.map(|head| {
            (head.length, head.signature.map(|text| std::str::from_utf8(text).unwrap()))
        });
        assert_eq!(head, expected, "{line}");
    }

    #[test]
    fn a_head_is_a_length_and_perhaps_a_signature() {
        check("10000;chunk-signature=ab", Some((65536, Some("ab"))));
        check("0;chunk-signature=", Some((0, Some(""))));
        check("fF", Some((255, None)));
        check("123456789abcdef", Some((0x0123_4567_89ab_cdef, None)));
        for odd in [
            "",
            ";chunk-signature=ab",
            "+1",
            "-1",
            " 1",
            "1 ",
            "0x1",
            "1;signature=ab",
            "1;",
            "1234567890123456",
        ] {
            check(odd, None);
        }
    }

    #[test]
    fn a_line_comes_in_pieces_and_has_a_limit() {
        let mut line = Line::default();
        for (piece, whole) in [("1", false), ("0\r", false), ("\nrest", true)] {
            let mut wire = piece.as_bytes();
            assert_eq!(line.take(&mut wire, 8), Ok(whole));
            assert_eq!(wire, if whole { b"rest" } else { &b""[..] });
        }
        assert_eq!(line.finish().unwrap(), b"10");
        assert_eq!(line.take(&mut &b"123456789"[..], 8), Err(reason::CHUNK));
        let mut bare = Line::default();
        assert_eq!(bare.take(&mut &b"1\n"[..], 8), Ok(true));
        assert_eq!(bare.finish(), Err(reason::CHUNK));
    }
}
