//! The payload of a request that is verified: what its head says of it, and how that is held to it.

use super::{
    framing::Framing,
    policy::{Allowed, SigV4Policy},
    presented::{Presented, field, one},
};
use crate::{
    DerivedKey, PresignedPayload,
    encode::{hex, unhex_32},
    reason::{self, Refused},
    request::{Payload, Said, sha256},
};
use auth_core::{Accepted, Body, BodyCheck, Need, Rejection, ReleasedBytes, RequestView};
use http::{HeaderMap, Method};
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
    Chunks(Framing),
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
        let said = one(request.headers, &field::CONTENT_SHA256, reason::PAYLOAD_FIELD)?;
        match said {
            None if presented.expires.is_some()
                && policy.rules.presigned == PresignedPayload::Unsigned =>
            {
                // The URL says nothing of a body: without leave there may be none.
                let reads = [Method::GET, Method::HEAD].contains(request.method);
                if !reads {
                    allowed?;
                }
                Ok(Self::Unsigned { empty: allowed.is_err() })
            }
            None => Ok(Self::Measured),
            Some(b"UNSIGNED-PAYLOAD") => allowed.map(|()| Self::Unsigned { empty: false }),
            Some(name) if name.starts_with(b"STREAMING-") => {
                Framing::of(name, request, presented, allowed).map(Self::Chunks)
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
            Self::Chunks(framing) => framing.said(),
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
            Self::Chunks(framing) => framing.hold(accepted, key, seed, string_to_sign),
        }
    }
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
