//! AWS Signature Version 4 on both ends: signs, presigns, verifies, and streams behind the feature `aws-chunked`.
//!
//! For programs that call AWS or something that speaks like it, for platforms that send webhooks signed this way, and
//! for their receivers. Both ends share one canonicaliser, which works on the raw bytes of a request.
//!
//! | | client | server |
//! |---|---|---|
//! | a request | [`SigV4`], an authenticator | [`SigV4Verifier`] with a [`SigV4Policy`] and [`AccessKeys`] |
//! | plain functions | [`SigV4Signer::sign`], [`canonical_request`] | [`DerivedKey::sign`] |
//! | a presigned URL | [`SigV4::presign`], [`SigV4Signer::presign`] | [`SigV4Policy::allowing_presigned`] |
//! | a payload in chunks, behind `aws-chunked` | `SigV4::sign_stream`, `ChunkSigner` | `ChunkVerifier` |
//! | "why do they differ?" | | [`SigV4Verifier::explain`] |
//!
//! # What it does not do
//!
//! It obtains no keys: temporary ones come from a source in a [`Session`](auth_session::Session). It knows neither
//! SigV4A nor event streams nor the signed policies of browser uploads.

mod authenticator;
mod canonical;
mod date;
mod encode;
mod fault;
mod key;
mod reason;
mod request;
mod scope;
mod service;
mod signer;
#[cfg(feature = "aws-chunked")]
mod stream;
mod verifier;

// What the signatures of this crate need of `auth-core`, so that a program can depend on this crate alone.
pub use auth_core::{
    Accepted, Answer, AttemptLimit, Authenticator, Body, BodyCheck, Caller, Candidate, Candidates,
    CheckedContent, Clock, Credentials, Error, Flow, Lifespan, Lookup, MemoryAttemptLimits,
    MemoryReplayStore, Need, Once, Origin, OriginBound, Outcome, Presence, Refusal, Rejection,
    ReleasedBytes, ReplayStore, RequestView, Result, Secret, Stamp, SystemClock, TenantId,
    Timestamp, Token, TokenSource, Verdict, Verifier,
};

pub use authenticator::SigV4;
pub use canonical::{canonical_request, string_to_sign};
pub use date::AmzDate;
pub use key::{AccessKey, DerivedKey};
pub use request::{Payload, RawRequest};
pub use scope::CredentialScope;
pub use service::{
    AwsService, PathEncoding, PathNormalization, PayloadHashField, PresignedPayload, SigningRules,
};
pub use signer::{SessionTokenPlacement, SigV4Signer, SignedFields};
#[cfg(feature = "aws-chunked")]
pub use stream::{Checksum, ChunkSigner, ChunkVerifier, SignedStream, Trailer};
pub use verifier::{
    AccessKeyRecord, AccessKeys, CanonicalPart, DerivedKeys, ScopedKeyId, SigV4Policy,
    SigV4Verifier, SignatureDifference, SignatureExplanation,
};

#[cfg(all(doctest, feature = "aws-chunked"))]
#[doc = include_str!("../../../docs/guide/sigv4.md")]
mod guide {}
