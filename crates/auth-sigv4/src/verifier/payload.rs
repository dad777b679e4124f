//! The payload of a request that is verified: what its head says of it, and how that is held to it.

use super::{
    policy::{Allowed, SigV4Policy},
    presented::{Presented, one},
};
use crate::{
    DerivedKey,
    PayloadHashField::Sent,
    encode::{hex, unhex_32},
    reason::{self, Refused},
    request::{Payload, Said, sha256},
    signer::CONTENT_SHA256,
    stream::{Checksum, ChunkVerifier, DECODED_LENGTH, TRAILER},
};
use auth_core::{Accepted, Body, BodyCheck, Need, Rejection, ReleasedBytes, RequestView};
use http::{HeaderMap, Method, header::CONTENT_ENCODING};
use ring::digest;
use subtle::ConstantTimeEq;

/// What the head says.
pub(super) enum Signed {
    /// Nothing, so it is hashed before anything is judged.
    Measured,
    /// Its hash: it is checked as it arrives.
    Hash([u8; 32]),
    /// Nothing, and that is allowed; perhaps only for an empty one.
    Unsigned { empty: bool },
    /// Chunk by chunk, or by its trailer.
    Chunks { payload: Payload<'static>, length: u64, trailer: Option<Checksum> },
}

impl Signed {
    pub(super) fn of(
        request: RequestView<'_>,
        presented: &Presented<'_>,
        policy: &SigV4Policy,
    ) -> Result<Self, Refused> {
        let allowed = match policy.unsigned_payload {
            Allowed::Yes => Ok(()),
            Allowed::No => Err(reason::UNSIGNED_PAYLOAD),
        };
        let field = one(request.headers, CONTENT_SHA256, reason::PAYLOAD_FIELD)?;
        let chunks = |payload, trailer| {
            // The framing is taken off it, so it must be the one that was signed.
            let coded = request.headers.contains_key(CONTENT_ENCODING);
            if coded && !presented.is_signed(CONTENT_ENCODING.as_str()) {
                return Err(reason::NOT_SIGNED);
            }
            let length = decoded_length(request.headers)?;
            Ok(Self::Chunks { payload, length, trailer })
        };
        match field {
            None if presented.expires.is_some() && policy.rules.content_sha256 == Sent => {
                // The URL says nothing of a body: without leave there may be none.
                let reads = [Method::GET, Method::HEAD].contains(request.method);
                if !reads {
                    allowed?;
                }
                Ok(Self::Unsigned { empty: allowed.is_err() })
            }
            None => Ok(Self::Measured),
            Some(b"UNSIGNED-PAYLOAD") => allowed.map(|()| Self::Unsigned { empty: false }),
            Some(b"STREAMING-AWS4-HMAC-SHA256-PAYLOAD") => chunks(Payload::Streamed, None),
            Some(b"STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER") => {
                chunks(Payload::StreamedWithTrailer, Some(trailer(request.headers)?))
            }
            Some(b"STREAMING-UNSIGNED-PAYLOAD-TRAILER") => {
                allowed?;
                chunks(Payload::UnsignedWithTrailer, Some(trailer(request.headers)?))
            }
            Some(hash) => unhex_32(hash).map(Self::Hash).ok_or(reason::PAYLOAD_FIELD),
        }
    }

    /// How much of the body must be here before anything is judged.
    pub(super) const fn needs(&self, limit: usize) -> Need {
        match self {
            Self::Measured => Need::Bytes { limit },
            _ => Need::Nothing,
        }
    }

    /// What the canonical request says of it.
    pub(super) fn said(&self, body: Body<'_>) -> Result<Said, Refused> {
        Ok(match self {
            Self::Measured => match body {
                Body::Bytes(bytes) => Said::Hash(hex(&sha256(bytes))),
                _ => return Err(reason::PAYLOAD),
            },
            Self::Hash(hash) => Said::Hash(hex(hash)),
            Self::Unsigned { .. } => Payload::Unsigned.said(),
            Self::Chunks { payload, .. } => payload.said(),
        })
    }

    /// What the body, still to come, must pass.
    pub(super) fn hold<P>(
        self,
        accepted: Accepted<P>,
        key: DerivedKey,
        seed: &[u8; 32],
        string_to_sign: &[u8],
    ) -> Accepted<P> {
        match self {
            Self::Measured | Self::Unsigned { empty: false } => accepted,
            Self::Hash(hash) => accepted.with_body(HashCheck::new(hash)),
            Self::Unsigned { empty: true } => accepted.with_body(HashCheck::new(sha256(b""))),
            Self::Chunks { payload, length, trailer } => accepted.with_body(ChunkVerifier::new(
                key,
                seed,
                string_to_sign,
                payload,
                length,
                trailer,
            )),
        }
    }
}

fn decoded_length(headers: &HeaderMap) -> Result<u64, Refused> {
    let digits = one(headers, DECODED_LENGTH, reason::DECODED_LENGTH)?;
    let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
    let plain = digits.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()));
    plain.and_then(|digits| digits.parse().ok()).ok_or(reason::DECODED_LENGTH)
}

fn trailer(headers: &HeaderMap) -> Result<Checksum, Refused> {
    let name = one(headers, TRAILER, reason::TRAILER_FIELD)?;
    name.and_then(Checksum::named).ok_or(reason::TRAILER_FIELD)
}

/// Holds a body to the hash that was signed.
struct HashCheck {
    expected: [u8; 32],
    hashed: digest::Context,
}

impl HashCheck {
    fn new(expected: [u8; 32]) -> Self {
        Self { expected, hashed: digest::Context::new(&digest::SHA256) }
    }
}

impl BodyCheck for HashCheck {
    fn update(&mut self, wire: &[u8]) -> Result<ReleasedBytes, Rejection> {
        self.hashed.update(wire);
        Ok(ReleasedBytes::AsIs)
    }

    fn finish(self: Box<Self>, _: Option<&HeaderMap>) -> Result<(), Rejection> {
        let matches: bool = self.hashed.finish().as_ref().ct_eq(&self.expected).into();
        if matches { Ok(()) } else { Err(reason::PAYLOAD.forbidden()) }
    }
}
