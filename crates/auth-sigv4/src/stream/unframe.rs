//! The header fields that describe a framing, which the handler of its content must not see.

use super::{DECODED_LENGTH, TRAILER};
use http::{HeaderMap, HeaderValue, header::CONTENT_ENCODING};

/// Takes off what describes the framing: the length of its content, its trailer, and the coding `aws-chunked`, whatever
/// other codings stand beside it.
pub(super) fn unframe(headers: &mut HeaderMap) {
    headers.remove(DECODED_LENGTH);
    headers.remove(TRAILER);
    let left: Vec<HeaderValue> =
        headers.get_all(CONTENT_ENCODING).iter().filter_map(without_chunks).collect();
    headers.remove(CONTENT_ENCODING);
    for codings in left {
        headers.append(CONTENT_ENCODING, codings);
    }
}

/// The other codings of a field, in their order; `None` when there are none.
fn without_chunks(codings: &HeaderValue) -> Option<HeaderValue> {
    let others: Vec<&[u8]> = codings
        .as_bytes()
        .split(|byte| *byte == b',')
        .map(<[u8]>::trim_ascii)
        .filter(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case(b"aws-chunked"))
        .collect();
    if others.is_empty() { None } else { HeaderValue::from_bytes(&others.join(&b", "[..])).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(encodings: &[&'static str], expected: &[&str]) {
        let mut headers = HeaderMap::new();
        headers.insert(DECODED_LENGTH, 5.into());
        headers.insert(TRAILER, HeaderValue::from_static("x-amz-checksum-crc32"));
        headers.insert("x-amz-date", HeaderValue::from_static("kept"));
        for encoding in encodings {
            headers.append(CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        unframe(&mut headers);
        let left: Vec<_> = headers.get_all(CONTENT_ENCODING).iter().collect();
        assert_eq!(left, expected);
        assert_eq!(headers.len(), expected.len() + 1);
    }

    #[test]
    fn what_describes_the_framing_goes_and_other_codings_stay() {
        check(&[], &[]);
        check(&["aws-chunked"], &[]);
        check(&["AWS-Chunked,gzip"], &["gzip"]);
        check(&["gzip, aws-chunked , br"], &["gzip, br"]);
        check(&["aws-chunked", "gzip"], &["gzip"]);
        check(&["gzip"], &["gzip"]);
    }
}
