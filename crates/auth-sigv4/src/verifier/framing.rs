//! A payload in chunks, as the head of its request describes it.

use super::presented::{Presented, one};
use crate::{
    DerivedKey,
    reason::{NOT_SIGNED, PAYLOAD_FIELD, Refused},
    request::{Payload, Said},
    stream::{Checksum, ChunkVerifier, DECODED_LENGTH, TRAILER, reason},
};
use auth_core::{Accepted, RequestView};
use http::{HeaderMap, HeaderName, header::CONTENT_ENCODING};

const DECODED_LENGTH_FIELD: HeaderName = HeaderName::from_static(DECODED_LENGTH);
const TRAILER_FIELD: HeaderName = HeaderName::from_static(TRAILER);

/// Chunk by chunk, or by its trailer.
pub(super) struct Framing {
    payload: Payload<'static>,
    length: u64,
    trailer: Option<Checksum>,
}

impl Framing {
    /// From the name in `x-amz-content-sha256`; `unsigned` says whether a payload may be without a signature.
    pub(super) fn of(
        name: &[u8],
        request: RequestView<'_>,
        presented: &Presented<'_>,
        unsigned: Result<(), Refused>,
    ) -> Result<Self, Refused> {
        let headers = request.headers;
        let (payload, trailer) = match name {
            b"STREAMING-AWS4-HMAC-SHA256-PAYLOAD" => (Payload::Streamed, None),
            b"STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" => {
                (Payload::StreamedWithTrailer, Some(trailer(headers)?))
            }
            b"STREAMING-UNSIGNED-PAYLOAD-TRAILER" => {
                unsigned?;
                (Payload::UnsignedWithTrailer, Some(trailer(headers)?))
            }
            _ => return Err(PAYLOAD_FIELD),
        };
        // The framing is taken off this field, so it must be the one that was signed.
        let coded = headers.contains_key(CONTENT_ENCODING);
        if coded && !presented.is_signed(CONTENT_ENCODING.as_str()) {
            return Err(NOT_SIGNED);
        }
        Ok(Self { payload, length: decoded_length(headers)?, trailer })
    }

    /// What the canonical request says of it.
    pub(super) fn said(&self) -> Said {
        self.payload.said()
    }

    /// What the body, still to come, must pass.
    pub(super) fn hold<P>(
        self,
        accepted: Accepted<P>,
        key: DerivedKey,
        seed: &[u8; 32],
        string_to_sign: &[u8],
    ) -> Accepted<P> {
        let Self { payload, length, trailer } = self;
        accepted.with_body(ChunkVerifier::new(key, seed, string_to_sign, payload, length, trailer))
    }
}

fn decoded_length(headers: &HeaderMap) -> Result<u64, Refused> {
    let digits = one(headers, &DECODED_LENGTH_FIELD, reason::DECODED_LENGTH)?;
    let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
    let plain = digits.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()));
    plain.and_then(|digits| digits.parse().ok()).ok_or(reason::DECODED_LENGTH)
}

fn trailer(headers: &HeaderMap) -> Result<Checksum, Refused> {
    let name = one(headers, &TRAILER_FIELD, reason::TRAILER_FIELD)?;
    name.and_then(Checksum::named).ok_or(reason::TRAILER_FIELD)
}
