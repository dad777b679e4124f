//! Bytes as text: hexadecimal, and percent-encoding as AWS has it.

use auth_core::scan::all;
use smallvec::SmallVec;

/// A text on the stack, unless it is longer than requests usually are.
pub(crate) type Text = SmallVec<[u8; 4096]>;

const LOWER: &[u8; 16] = b"0123456789abcdef";
const UPPER: &[u8; 16] = b"0123456789ABCDEF";

/// The unreserved characters of RFC 3986 section 2.3: everything else is encoded.
#[inline]
pub(crate) const fn is_unreserved(byte: u8) -> bool {
    // One bit for each character from NUL to DEL.
    const LOW: u64 = 0x03ff_6000_0000_0000;
    const HIGH: u64 = 0x47ff_fffe_87ff_fffe;
    let bits = match byte >> 6 {
        0 => LOW,
        1 => HIGH,
        _ => 0,
    };
    bits >> (byte & 63) & 1 == 1
}

/// What stands as it is, and what does not.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slash {
    Stands,
    Encoded,
}

/// Appends `raw`, encoded once: what is escaped already stays so, in the one canonical spelling.
pub(crate) fn encode_once(raw: &[u8], slash: Slash, out: &mut Text) {
    let plain = match slash {
        Slash::Stands => is_plain_path(raw),
        Slash::Encoded => is_plain(raw),
    };
    if plain {
        return out.extend_from_slice(raw);
    }
    let mut rest = raw;
    loop {
        let plain = plain_length(rest, slash);
        let (run, after) = rest.split_at(plain);
        out.extend_from_slice(run);
        rest = match after {
            [] => return,
            [b'%', high, low, tail @ ..] if is_escape(*high, *low) => {
                let byte = unhex(*high) << 4 | unhex(*low);
                if is_unreserved(byte) {
                    out.push(byte)
                } else {
                    escape(byte, out)
                }
                tail
            }
            [byte, tail @ ..] => {
                escape(*byte, out);
                tail
            }
        };
    }
}

/// Appends `raw`, encoded as it stands: an escape is escaped again.
pub(crate) fn encode_again(raw: &[u8], out: &mut Text) {
    if is_plain_path(raw) {
        return out.extend_from_slice(raw);
    }
    let mut rest = raw;
    loop {
        let (run, after) = rest.split_at(plain_length(rest, Slash::Stands));
        out.extend_from_slice(run);
        let [byte, tail @ ..] = after else { return };
        escape(*byte, out);
        rest = tail;
    }
}

/// The bytes of `raw` once it is encoded, one by one: to compare without writing.
pub(crate) fn encoded(raw: &[u8]) -> impl Iterator<Item = u8> + '_ {
    let mut rest = raw;
    let mut pending: [Option<u8>; 2] = [None, None];
    std::iter::from_fn(move || {
        if let [Some(first), second] = pending {
            pending = [second, None];
            return Some(first);
        }
        let (byte, tail) = match rest {
            [] => return None,
            [b'%', high, low, tail @ ..] if is_escape(*high, *low) => {
                (unhex(*high) << 4 | unhex(*low), tail)
            }
            [byte, tail @ ..] => (*byte, tail),
        };
        rest = tail;
        if is_unreserved(byte) {
            return Some(byte);
        }
        let [high, low] = hex_of(byte, UPPER);
        pending = [Some(high), Some(low)];
        Some(b'%')
    })
}

/// Is nothing to be encoded?
pub(crate) fn is_plain(raw: &[u8]) -> bool {
    all(raw, |byte| is_plain_or(byte, b'~'))
}

/// Is nothing in a path to be encoded?
pub(crate) fn is_plain_path(raw: &[u8]) -> bool {
    all(raw, |byte| is_plain_or(byte, b'/'))
}

/// Is nothing in a whole query to be encoded, but for what is escaped and what parts it?
pub(crate) fn is_plain_query(raw: &[u8]) -> bool {
    all(raw, |byte| is_plain_or(byte, b'%') | (byte == b'&') | (byte == b'='))
}

/// An unreserved character, or this one: as ranges, for the wide passes.
fn is_plain_or(byte: u8, other: u8) -> bool {
    let letter = (byte | 0x20).wrapping_sub(b'a') < 26;
    let digit = byte.wrapping_sub(b'0') < 10;
    let mark = (byte == b'-') | (byte == b'.') | (byte == b'_') | (byte == b'~');
    letter | digit | mark | (byte == other)
}

fn plain_length(raw: &[u8], slash: Slash) -> usize {
    let stands = |byte: u8| is_unreserved(byte) || (byte == b'/' && slash == Slash::Stands);
    raw.iter().position(|byte| !stands(*byte)).unwrap_or(raw.len())
}

fn escape(byte: u8, out: &mut Text) {
    let [high, low] = hex_of(byte, UPPER);
    out.extend_from_slice(&[b'%', high, low]);
}

fn is_escape(high: u8, low: u8) -> bool {
    high.is_ascii_hexdigit() && low.is_ascii_hexdigit()
}

/// The value of a hexadecimal digit; of anything else, 0.
fn unhex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        b'A'..=b'F' => digit - b'A' + 10,
        _ => 0,
    }
}

fn hex_of(byte: u8, digits: &[u8; 16]) -> [u8; 2] {
    let digit = |nibble: u8| digits.get(usize::from(nibble)).copied().unwrap_or(b'0');
    [digit(byte >> 4), digit(byte & 15)]
}

/// A hash or signature of 32 bytes, in lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8; 32]) -> [u8; 64] {
    let mut text = [0; 64];
    for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
        pair.copy_from_slice(&hex_of(*byte, LOWER));
    }
    text
}

/// Reads 32 bytes in lower-case hexadecimal, the only spelling there is.
pub(crate) fn unhex_32(text: &[u8]) -> Option<[u8; 32]> {
    let canonical = |digit: u8| (digit.wrapping_sub(b'0') < 10) | (digit.wrapping_sub(b'a') < 6);
    if text.len() != 64 || !all(text, canonical) {
        return None;
    }
    // Letters have a high bit, and stand for nine more than their low ones.
    let value = |digit: u8| (digit & 15) + 9 * (digit >> 6);
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        if let [high, low] = pair {
            *byte = value(*high) << 4 | value(*low);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(raw: &str, once: &str, again: &str) {
        let mut out = Text::new();
        encode_once(raw.as_bytes(), Slash::Encoded, &mut out);
        assert_eq!(std::str::from_utf8(&out).unwrap(), once);
        assert_eq!(encoded(raw.as_bytes()).collect::<Vec<_>>(), once.as_bytes());
        assert_eq!(is_plain(raw.as_bytes()), raw == once && !raw.contains('%'));
        let mut out = Text::new();
        encode_again(raw.as_bytes(), &mut out);
        assert_eq!(std::str::from_utf8(&out).unwrap(), again);
    }

    #[test]
    fn each_byte_has_one_spelling() {
        check("aZ09-._~", "aZ09-._~", "aZ09-._~");
        check("a b", "a%20b", "a%20b");
        check("a%20b", "a%20b", "a%2520b");
        check("a%2fb/c", "a%2Fb%2Fc", "a%252fb/c");
        check("%41%7e", "A~", "%2541%257e");
        check("100%", "100%25", "100%25");
        check("%zz%4", "%25zz%254", "%25zz%254");
        check("\u{1234}+", "%E1%88%B4%2B", "%E1%88%B4%2B");
    }

    #[test]
    fn letters_digits_and_four_others_stand_as_they_are() {
        for byte in 0..=u8::MAX {
            let expected = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
            assert_eq!(is_unreserved(byte), expected, "{byte}");
            assert_eq!(is_plain(&[byte]), expected, "{byte}");
            assert_eq!(is_plain_path(&[byte]), expected || byte == b'/', "{byte}");
            let parts = b"&=%".contains(&byte);
            assert_eq!(is_plain_query(&[byte]), expected || parts, "{byte}");
        }
    }

    #[test]
    fn hexadecimal_is_lower_case_alone() {
        let bytes = [0x0a; 32];
        assert_eq!(unhex_32(&hex(&bytes)), Some(bytes));
        let all: [u8; 32] = std::array::from_fn(|n| u8::try_from(n * 8 + n % 16 / 2).unwrap());
        assert_eq!(unhex_32(&hex(&all)), Some(all));
        for byte in 0..=u8::MAX {
            let good = matches!(byte, b'0'..=b'9' | b'a'..=b'f');
            assert_eq!(unhex_32(&[byte; 64]).is_some(), good, "{byte}");
        }
        assert_eq!(unhex_32(&[b'0'; 63]), None);
        assert_eq!(unhex_32(&[b'A'; 64]), None);
        assert_eq!(unhex_32(&[b'g'; 64]), None);
    }
}
