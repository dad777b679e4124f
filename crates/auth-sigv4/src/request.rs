//! A request as it is signed: raw, before anything has parsed it.

use crate::encode::hex;
use ring::digest::{SHA256, digest};

/// A request, raw: nothing in it was parsed and printed again.
///
/// For a request of the crate `http` this is made by the [`Signer`](crate::Signer) itself; by hand it is for targets that
/// an [`http::Uri`] refuses, and for other servers.
#[derive(Clone, Copy)]
pub struct Request<'a> {
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
    Streamed,
    /// Chunk by chunk, and the trailers: `STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER`.
    StreamedWithTrailer,
    /// Nothing, with a checksum in a trailer: `STREAMING-UNSIGNED-PAYLOAD-TRAILER`.
    UnsignedWithTrailer,
}

impl Payload<'_> {
    /// What the canonical request and `x-amz-content-sha256` say of it.
    pub(crate) fn said(&self) -> Said {
        let name = match self {
            Self::Bytes(bytes) => return Said::Hash(hex(&sha256(bytes))),
            Self::Sha256(hash) => return Said::Hash(hex(hash)),
            Self::Unsigned => "UNSIGNED-PAYLOAD",
            Self::Streamed => "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
            Self::StreamedWithTrailer => "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
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

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    digest(&SHA256, bytes).as_ref().first_chunk().copied().unwrap_or_default()
}
