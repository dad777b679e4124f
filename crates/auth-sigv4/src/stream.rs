//! Payloads that are signed chunk by chunk.

mod checksum;
mod framing;
pub(crate) mod reason;
mod signer;
mod unframe;
mod verifier;

pub use checksum::Checksum;
pub use signer::{ChunkSigner, SignedStream, Trailer};
pub use verifier::ChunkVerifier;

use crate::{DerivedKey, canonical::ALGORITHM, encode::hex, request::sha256};

pub(crate) const DECODED_LENGTH: &str = "x-amz-decoded-content-length";
pub(crate) const TRAILER: &str = "x-amz-trailer";
pub(crate) const TRAILER_SIGNATURE: &str = "x-amz-trailer-signature";

/// The chain of signatures: each one is over the one before.
pub(crate) struct Chain {
    key: DerivedKey,
    /// The date and the scope, a line each.
    lines: Box<[u8]>,
    last: [u8; 64],
}

impl Chain {
    /// From the signature of the head, and the string that it signs.
    pub(crate) fn new(key: DerivedKey, seed: [u8; 64], string_to_sign: &[u8]) -> Self {
        let begin = ALGORITHM.len() + 1;
        let end = string_to_sign.len().saturating_sub(64);
        let lines = string_to_sign.get(begin..end).unwrap_or_default().into();
        Self { key, lines, last: seed }
    }

    /// The signature of the next chunk, whose hash is this.
    pub(crate) fn chunk(&mut self, content: &[u8; 32]) -> [u8; 64] {
        let empty = hex(&sha256(b""));
        self.next("-PAYLOAD\n", &[&empty, b"\n", &hex(content)])
    }

    /// The signature of the trailer, as `name:value` lines that end in a line feed each.
    pub(crate) fn trailer(&mut self, lines: &[u8]) -> [u8; 64] {
        self.next("-TRAILER\n", &[&hex(&sha256(lines))])
    }

    fn next(&mut self, kind: &str, parts: &[&[u8]]) -> [u8; 64] {
        let mut text: smallvec::SmallVec<[u8; 512]> = smallvec::SmallVec::new();
        text.extend_from_slice(ALGORITHM.as_bytes());
        text.extend_from_slice(kind.as_bytes());
        text.extend_from_slice(&self.lines);
        text.extend_from_slice(&self.last);
        text.push(b'\n');
        parts.iter().for_each(|part| text.extend_from_slice(part));
        self.last = self.key.sign(&text);
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AccessKey, AmzDate, CredentialScope, canonical::to_sign};

    /// "Signature calculations for trailing headers (chunked uploads)" of the AWS documentation.
    #[test]
    fn the_chain_is_that_of_the_documentation() {
        let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
        let key = AccessKey::new("AKIAIOSFODNN7EXAMPLE", secret).unwrap();
        let (date, scope) = (
            AmzDate::parse("20130524T000000Z").unwrap(),
            CredentialScope::new("20130524", "us-east-1", "s3"),
        );
        let text = to_sign(date.as_bytes(), scope, &[b'0'; 64]);
        let seed = *b"106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e";
        let mut chain = Chain::new(key.derive(scope), seed, &text);
        let signed = |signature: [u8; 64]| String::from_utf8(signature.to_vec()).unwrap();
        for (length, expected) in [
            (64 * 1024, "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2"),
            (1024, "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7"),
            (0, "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992"),
        ] {
            assert_eq!(signed(chain.chunk(&sha256(&vec![b'a'; length]))), expected);
        }
        let mut checksum = Checksum::Crc32c.begin();
        checksum.update(&vec![b'a'; 65 * 1024]);
        let line = format!("x-amz-checksum-crc32c:{}\n", checksum.finish());
        assert_eq!(line, "x-amz-checksum-crc32c:sOO8/Q==\n");
        let trailer = "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435";
        assert_eq!(signed(chain.trailer(line.as_bytes())), trailer);
    }
}
