//! AWS Signature Version 4 on both ends: signs, presigns, streams, verifies.
//!
//! For programs that call AWS or something that speaks like it, for platforms that send webhooks signed this way, and
//! for whoever receives them. Both ends share one canonicaliser, which works on the raw bytes of a request.
//!
//! | | client | server |
//! |---|---|---|
//! | a request | [`SigV4`], an authenticator | [`Verifier`] with a [`Policy`] and [`AccessKeys`] |
//! | plain functions | [`Signer::sign`], [`canonical_request`] | [`SigningKey::sign`] |
//! | a presigned URL | [`SigV4::presign`], [`Signer::presign`] | [`Policy::allowing_presigned`] |
//! | a payload in chunks | [`Signer::sign_stream`], [`ChunkSigner`] | [`ChunkVerifier`] |
//! | "why do they differ?" | | [`Verifier::explain`] |
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
mod stream;
mod verifier;

pub use authenticator::SigV4;
pub use canonical::{canonical_request, string_to_sign};
pub use date::AmzDate;
pub use key::{AccessKey, SigningKey};
pub use request::{Payload, Request};
pub use scope::Scope;
pub use service::{ContentSha256, Encoding, Normalization, Rules, Service};
pub use signer::{SessionToken, SignedFields, Signer};
pub use stream::{Checksum, ChunkSigner, ChunkVerifier, SignedStream, Trailer};
pub use verifier::{
    AccessKeys, Difference, Explanation, KeyScope, KnownKey, Part, Policy, Verifier,
};

#[cfg(doctest)]
#[doc = include_str!("../../../docs/guide/sigv4.md")]
mod guide {}
