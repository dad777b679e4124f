//! base64url without padding, in the one way of writing it (RFC 7515 section 2).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// No padding, no white space, no bits behind the last byte: two texts never mean the same bytes.
pub(crate) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// As [`decode`], into a buffer: how many bytes there were.
pub(crate) fn decode_slice(text: &[u8], out: &mut [u8]) -> Option<usize> {
    URL_SAFE_NO_PAD.decode_slice(text, out).ok()
}

/// Behind what is there.
pub(crate) fn encode_into(bytes: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + (bytes.len() * 4).div_ceil(3), 0);
    let written = out.get_mut(start..).map(|room| URL_SAFE_NO_PAD.encode_slice(bytes, room));
    debug_assert!(matches!(written, Some(Ok(_))));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&[u8]>) {
        assert_eq!(decode(text.as_bytes()).as_deref(), expected, "{text}");
        let mut buffer = [0; 16];
        let length = decode_slice(text.as_bytes(), &mut buffer);
        assert_eq!(length.map(|length| &buffer[..length]), expected, "{text}");
    }

    /// RFC 7515 appendix C, and what is not canonical.
    #[test]
    fn there_is_one_way_to_write_it() {
        check("A-z_4ME", Some(&[3, 236, 255, 224, 193]));
        check("", Some(b""));
        check("YQ", Some(b"a"));
        for wrong in ["YQ==", "YR", "Y", "YQ ", " YQ", "Y\nQ", "A+z/4ME", "YQ.", "Yé", "YWJj="] {
            check(wrong, None);
        }
    }
}
