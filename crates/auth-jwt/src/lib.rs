//! JSON Web Tokens (RFC 7519) signed by JWS (RFC 7515), on both ends, strict by default (RFC 8725).
//!
//! For programs that mint tokens to log in with, and for servers that verify those of others.
//!
//! # What it does not do
//!
//! It encrypts nothing (JWE), has no unsecured tokens (`none`), and signs no JSON serialization: compact tokens only.

mod algorithm;
mod claims;
mod compact;
pub mod dangerous;
#[cfg(test)]
mod forged;
mod header;
mod issue;
mod json;
mod policy;
mod reason;
mod stand_in;

pub use algorithm::Algorithm;
pub use claims::Claims;
pub use compact::{KeyId, Signed, Unverified};
pub use header::Header;
pub use issue::{ClaimsToSign, Minted};
pub use policy::{Claim, Dates, Expiry, Policy, SubjectType};
pub use reason::Refused;
use stand_in::base64url;
pub use stand_in::{SigningKey, VerifyingKey};
