//! JSON Web Tokens (RFC 7519) signed by JWS (RFC 7515), on both ends, strict by default (RFC 8725).
//!
//! For programs that mint tokens to log in with, and for servers that verify those of others.
//!
//! # What it does not do
//!
//! It encrypts nothing (JWE), has no unsecured tokens (`none`), and signs no JSON serialization: compact tokens only.

mod algorithm;
mod base64url;
mod candidates;
mod claims;
mod compact;
pub mod dangerous;
#[cfg(test)]
mod forged;
mod header;
mod issue;
mod json;
mod jwk;
mod jwks;
mod key;
mod mint;
mod policy;
pub mod profiles;
mod reason;
mod verifier;

pub use algorithm::Algorithm;
pub use candidates::Candidates;
pub use claims::Claims;
pub use compact::{KeyId, Signed, Unverified};
pub use header::Header;
pub use issue::{ClaimsToSign, Minted};
pub use jwk::{Jwk, JwkSet};
pub use jwks::{Jwks, JwksBuilder};
pub use key::{Invalid, SigningKey, VerifyingKey};
pub use mint::{Jwt, Mint};
pub use policy::{Claim, Dates, Expiry, Policy, Signer, SubjectType};
pub use reason::Refused;
pub use verifier::Verifier;
