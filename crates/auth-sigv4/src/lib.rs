//! AWS Signature Version 4 on both ends: signs, presigns, streams, verifies.

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
pub use canonical::canonical_request;
pub use date::AmzDate;
pub use key::{AccessKey, SigningKey};
pub use request::{Payload, Request};
pub use scope::Scope;
pub use service::{ContentSha256, Encoding, Normalization, Rules, Service};
pub use signer::{SessionToken, SignedFields, Signer};
pub use stream::{Checksum, ChunkSigner, ChunkVerifier, SignedStream, Trailer};
pub use verifier::{AccessKeys, KeyScope, Known, Policy, Verifier};
