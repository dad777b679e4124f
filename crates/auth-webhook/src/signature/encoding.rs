//! Bytes of signatures as text, on the stack.

use super::SignatureEncoding;
use base64::{Engine, engine::general_purpose::STANDARD};

impl SignatureEncoding {
    /// How long these bytes are as text.
    pub(super) const fn length(self, bytes: &[u8]) -> usize {
        match self {
            Self::Hex => bytes.len().saturating_mul(2),
            Self::Base64 => bytes.len().div_ceil(3).saturating_mul(4),
        }
    }
}

/// The bytes of one signature: SHA-512 and Ed25519 have 64.
pub(super) struct SignatureBytes {
    bytes: [u8; 66],
    length: usize,
}

impl SignatureBytes {
    pub(super) fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

/// Reads a signature; `None` where it is none.
pub(super) fn read(encoding: SignatureEncoding, text: &[u8]) -> Option<SignatureBytes> {
    let mut read = SignatureBytes { bytes: [0; 66], length: 0 };
    read.length = match encoding {
        SignatureEncoding::Hex => {
            if text.len() % 2 != 0 || text.len() > 128 {
                return None;
            }
            for (byte, digits) in read.bytes.iter_mut().zip(text.chunks_exact(2)) {
                let [high, low] = digits else { return None };
                *byte = digit(*high)? << 4 | digit(*low)?;
            }
            text.len() / 2
        }
        SignatureEncoding::Base64 => STANDARD.decode_slice(text, &mut read.bytes).ok()?,
    };
    Some(read)
}

pub(super) fn write(encoding: SignatureEncoding, bytes: &[u8]) -> String {
    let mut text = String::with_capacity(encoding.length(bytes));
    append(encoding, bytes, &mut text);
    text
}

/// The same, behind what is there.
pub(super) fn append(encoding: SignatureEncoding, bytes: &[u8], text: &mut String) {
    match encoding {
        SignatureEncoding::Base64 => {
            // As text, 66 bytes take 88; a longer signature would become an empty one, which nobody accepts.
            let mut whole = [0; 88];
            let length = STANDARD.encode_slice(bytes, &mut whole).unwrap_or_default();
            let whole = whole.get(..length).unwrap_or_default();
            text.push_str(std::str::from_utf8(whole).unwrap_or_default());
        }
        SignatureEncoding::Hex => {
            let digit = |nibble: u8| {
                char::from(if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 })
            };
            for byte in bytes {
                text.push(digit(byte >> 4));
                text.push(digit(byte & 15));
            }
        }
    }
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte.wrapping_sub(b'0')),
        b'a'..=b'f' => Some(byte.wrapping_sub(b'a').wrapping_add(10)),
        b'A'..=b'F' => Some(byte.wrapping_sub(b'A').wrapping_add(10)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        for length in [0, 1, 20, 32, 64] {
            let bytes: Vec<u8> = (0..length).collect();
            for encoding in [SignatureEncoding::Hex, SignatureEncoding::Base64] {
                let text = write(encoding, &bytes);
                assert_eq!(text.len(), encoding.length(&bytes), "{encoding:?} {length}");
                assert_eq!(read(encoding, text.as_bytes()).unwrap().as_slice(), bytes);
            }
        }
        for text in ["0", "0g", "é0", &"00".repeat(65), " 00", "0x00"] {
            assert!(read(SignatureEncoding::Hex, text.as_bytes()).is_none(), "{text}");
        }
        for text in ["AAA", "AA==A", "A-A_", "AAB=", &"AAAA".repeat(30)] {
            assert!(read(SignatureEncoding::Base64, text.as_bytes()).is_none(), "{text}");
        }
    }
}
