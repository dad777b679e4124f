//! A request as it is signed: raw, before anything has parsed it.

use crate::encode::hex;
use ring::digest::{SHA256, digest};

/// A request, raw: nothing in it was parsed and printed again.
///
/// For a request of the crate `http` this is made by the [`SigV4Signer`](crate::SigV4Signer) itself; by hand it is for targets that
/// an [`http::Uri`] refuses, and for other servers.
#[derive(Clone, Copy)]
pub struct RawRequest<'a> {
    /// `GET` and the like, case-sensitive.
    pub method: &'a str,
    /// The target as it stands in the request line: path and query.
    pub target: &'a [u8],
    /// The header fields to be signed, `host` among them: names in any case, several values in their order.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// The payload.
    pub payload: Payload<'a>,
}

/// What is signed of a payload.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Payload<'a> {
    /// All of it, which is hashed here.
    Bytes(&'a [u8]),
    /// Its SHA-256, which somebody else has computed.
    Sha256([u8; 32]),
    /// Nothing: `UNSIGNED-PAYLOAD`.
    Unsigned,
    /// Chunk by chunk: `STREAMING-AWS4-HMAC-SHA256-PAYLOAD`.
    #[cfg(feature = "aws-chunked")]
    Streamed,
    /// Chunk by chunk, and the trailers: `STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER`.
    #[cfg(feature = "aws-chunked")]
    StreamedWithTrailer,
    /// Nothing, with a checksum in a trailer: `STREAMING-UNSIGNED-PAYLOAD-TRAILER`.
    #[cfg(feature = "aws-chunked")]
    UnsignedWithTrailer,
}

impl Payload<'_> {
    /// What the canonical request and `x-amz-content-sha256` say of it.
    pub(crate) fn said(&self) -> Said {
        let name = match self {
            Self::Bytes(bytes) => return Said::Hash(hex(&sha256(bytes))),
            Self::Sha256(hash) => return Said::Hash(hex(hash)),
            Self::Unsigned => "UNSIGNED-PAYLOAD",
            #[cfg(feature = "aws-chunked")]
            Self::Streamed => "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
            #[cfg(feature = "aws-chunked")]
            Self::StreamedWithTrailer => "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
            #[cfg(feature = "aws-chunked")]
            Self::UnsignedWithTrailer => "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        };
        Said::Name(name)
    }

    /// Does only the field `x-amz-content-sha256` tell a server what it is?
    pub(crate) const fn must_be_sent(&self) -> bool {
        !matches!(self, Self::Bytes(_) | Self::Sha256(_))
    }
}

/// A hash or a name.
#[derive(Clone, Copy)]
pub(crate) enum Said {
    Hash([u8; 64]),
    Name(&'static str),
}

impl Said {
    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Hash(hash) => hash,
            Self::Name(name) => name.as_bytes(),
        }
    }
}

/// The hash of nothing, which most requests have for a payload.
const OF_NOTHING: [u8; 32] = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
    0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    if bytes.is_empty() {
        return OF_NOTHING;
    }
    digest(&SHA256, bytes).as_ref().first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_nothing_is_that_of_nothing() {
        assert_eq!(digest(&SHA256, b"").as_ref(), sha256(b""));
    }
}
